//! The arbiter (PROTOCOL.md, 10.1).

use super::{Env, Out, Rule};
use crate::action::ArbiterTimer;
use crate::state::{
    Arbiter, Boot, Found, Grantee, Hello, Known, Lost, Lsn, Msg, Offer, Origin, Slot, Stamp, Term,
};

pub(super) fn on_recovered<E>(env: &Env<E>, arbiter: &mut Arbiter, world: Term) {
    let last = arbiter.term;
    arbiter.term = last.max(world);
    // A state that may be an older one says nothing of who may act now, nor of what became of an
    // offer.
    if env.goes_back && env.keeps(Rule::StartIsSilent) {
        arbiter.silent = true;
        arbiter.offer = None;
        let began = arbiter.term;
        arbiter.found = Some(match arbiter.found {
            // What it did not know then it does not know now, but for its own terms since.
            Some(earlier) if last == began => earlier,
            Some(earlier) => Found { last: earlier.last, began },
            None => Found { last, began },
        });
        ask(arbiter);
        forget(arbiter, 0);
        forget(arbiter, 1);
    }
    arbiter.gathering = waits(arbiter);
}

/// Its state is lost: it knows nobody.
pub(super) fn on_lost<E>(env: &Env<E>, arbiter: &mut Arbiter) {
    arbiter.known = [None; 2];
    lose(env, arbiter);
}

/// Its state is lost, or older than what was told of it: whoever may hold a lease is waited for.
/// Its terms go on beyond all that it ever used, as its world says; and so do generations.
fn lose<E>(env: &Env<E>, arbiter: &mut Arbiter) {
    let Arbiter { term, generation, .. } = *arbiter;
    // Of the Hellos that an older state knows the numbers stay.
    forget(arbiter, 0);
    forget(arbiter, 1);
    let silent = env.keeps(Rule::LostIsSilent);
    let (term, began) = if env.keeps(Rule::TermsFromWorld) { (term, term) } else { (0, Term::MAX) };
    *arbiter = Arbiter {
        term,
        generation,
        known: arbiter.known,
        lost: Some(Lost { began, seen: 0 }),
        silent,
        gathering: !silent,
        ..Arbiter::default()
    };
    ask(arbiter);
}

/// From here on only a Hello that was sent after this says what its unit knows now.
fn ask(arbiter: &mut Arbiter) {
    arbiter.term += 1;
    arbiter.asked = Some(arbiter.term);
    arbiter.heard = 0;
}

/// A unit has seen what this state says nothing of.
fn is_older<E>(env: &Env<E>, arbiter: &mut Arbiter, seen: u16) -> bool {
    let older = seen > arbiter.generation && env.keeps(Rule::GenerationEchoed);
    if older {
        lose(env, arbiter);
        arbiter.generation = seen;
    }
    older
}

/// A unit knows a term that the state with which the arbiter started says nothing of: it was used
/// before.
fn knows_later<E>(env: &Env<E>, arbiter: &mut Arbiter, hello: Hello) {
    let found = arbiter.found.filter(|_| env.keeps(Rule::GenerationEchoed));
    let Some(Found { last, began }) = found else {
        return;
    };
    if terms(hello).any(|term| term > last && term <= began) {
        lose(env, arbiter);
    }
}

/// The terms that a Hello says its unit knows.
fn terms(hello: Hello) -> impl Iterator<Item = Term> {
    let Hello { highest, said, .. } = hello;
    let stamps = [Some(said.startup), said.running, said.replica];
    let of_stamps = stamps.into_iter().flatten().map(|stamp| stamp.term);
    of_stamps.chain([highest])
}

/// What is told of the next durable change is of the next generation.
fn tells<E>(env: &Env<E>, arbiter: &mut Arbiter) {
    arbiter.generation += u16::from(env.generations);
}

/// Whether nobody holds a lease or is offered one, as far as is known, and somebody may be.
fn waits(arbiter: &Arbiter) -> bool {
    !runs(arbiter) && arbiter.offer.is_none() && !arbiter.silent
}

fn runs(arbiter: &Arbiter) -> bool {
    arbiter.holder.is_some_and(|holder| holder.running)
}

pub(super) fn on_timer<E>(
    env: &Env<E>,
    arbiter: &mut Arbiter,
    timer: ArbiterTimer,
    out: &mut Out,
) -> Option<()> {
    match timer {
        ArbiterTimer::Gather => {
            if !core::mem::take(&mut arbiter.gathering) {
                return None;
            }
            if waits(arbiter) {
                offer(env, arbiter, out);
            }
        }
        ArbiterTimer::TakeoverWait => {
            let standing = arbiter.offer.take()?;
            let known = arbiter.known[usize::from(standing.slot)];
            // A boot that came since was offered nothing.
            if known.is_some_and(|known| known.boot == standing.boot) {
                forget(arbiter, standing.slot);
            }
            clear_offered(arbiter, standing);
            offer(env, arbiter, out);
        }
        ArbiterTimer::Lease => {
            let silent = core::mem::take(&mut arbiter.silent);
            if silent && !runs(arbiter) {
                go_on(env, arbiter, out);
            } else {
                end_lease(env, arbiter, out)?;
            }
        }
        ArbiterTimer::Resend => send(arbiter.offer?, arbiter.generation, out),
    }
    Some(())
}

pub(super) fn on_message<E>(
    env: &Env<E>,
    arbiter: &mut Arbiter,
    from: Slot,
    msg: Msg,
    out: &mut Out,
) {
    match msg {
        Msg::Hello { boot, hello } => {
            is_older(env, arbiter, hello.generation);
            knows_later(env, arbiter, hello);
            let taken = hear(env, arbiter, from, boot, hello);
            let unheard = taken && arbiter.heard & 1 << from == 0;
            if let Some(asked) = arbiter.asked.filter(|asked| unheard && hello.asked < *asked) {
                out.unit(from, Msg::Ask { boot, asked });
            }
            arbiter.gathering |= taken && waits(arbiter);
        }
        Msg::Renew { generation, .. } if is_older(env, arbiter, generation) => {}
        Msg::Renew { .. } | Msg::SetRegister { .. } | Msg::Release { .. } if arbiter.silent => {}
        Msg::Renew { boot, term, n, lsn, .. } => {
            let open = |offer: &Offer| (offer.slot, offer.boot, offer.term) == (from, boot, term);
            if let Some(offer) = arbiter.offer.filter(open) {
                accept(env, arbiter, offer, lsn, out);
            }
            let grantee = Grantee { slot: from, boot, term, running: true };
            if arbiter.holder == Some(grantee) {
                note_running(env, arbiter, from, term, lsn);
                let generation = arbiter.generation;
                let granted = Msg::Grant { boot, term, n, generation };
                out.unit(from, granted);
            }
        }
        Msg::Decline { boot, term, hello } => {
            if is_older(env, arbiter, hello.generation) {
                hear(env, arbiter, from, boot, hello);
            }
            let open = |offer: &Offer| (offer.slot, offer.boot, offer.term) == (from, boot, term);
            if let Some(declined) = arbiter.offer.filter(open) {
                arbiter.offer = None;
                hear(env, arbiter, from, boot, hello);
                clear_offered(arbiter, declined);
                // What has changed elsewhere meanwhile comes in, too.
                arbiter.gathering = true;
            }
        }
        Msg::SetRegister { term, counter, value } if holds(arbiter, from, term) => {
            let newer = counter > arbiter.counter;
            if newer {
                arbiter.register = value;
                arbiter.counter = counter;
                tells(env, arbiter);
                if let Some(value) = value.filter(|_| env.keeps(Rule::WritesSayWhatRuns)) {
                    note_running(env, arbiter, from, term, value.lsn);
                }
            }
            if newer || env.keeps(Rule::RepeatedWriteConfirmed) {
                out.unit(
                    from,
                    Msg::Confirm { term, counter: arbiter.counter, generation: arbiter.generation },
                );
            }
        }
        Msg::Release { term, lsn } if holds(arbiter, from, term) => {
            note_running(env, arbiter, from, term, lsn);
            end_lease(env, arbiter, out);
        }
        // Of a term that is over, or no message to an arbiter.
        _ => {}
    }
}

/// A Hello is taken if it is newer than the last of its slot. Whether it was.
fn hear<E>(env: &Env<E>, arbiter: &mut Arbiter, from: Slot, boot: Boot, hello: Hello) -> bool {
    let Hello { k, highest, said, .. } = hello;
    let known = &mut arbiter.known[usize::from(from)];
    let newer = known.is_none_or(|known| (boot, k) > (known.boot, known.k));
    if !newer && env.keeps(Rule::HelloNumbered) {
        return false;
    }
    let same = known.filter(|known| known.boot == boot);
    let runs = same.and_then(|known| known.said?.running);
    if runs.is_some_and(|runs| runs.term > highest) && env.keeps(Rule::HelloOfItsTerm) {
        return false;
    }
    *known = Some(Known { boot, k, said: Some(said) });
    arbiter.term = arbiter.term.max(highest);
    note_heard(env, arbiter, from, hello);
    if let Some(lost) = &mut arbiter.lost {
        let own = |term: &Term| *term > lost.began && env.keeps(Rule::OwnTermsAside);
        let seen = terms(hello).filter(|term| !own(term)).max();
        lost.seen = lost.seen.max(seen.unwrap_or(0));
    }
    true
}

/// A unit that knows no term of before says nothing of what was taken over: its disk was lost, or
/// it is new.
fn note_heard<E>(env: &Env<E>, arbiter: &mut Arbiter, from: Slot, hello: Hello) {
    let (lost, found) = (&arbiter.lost, &arbiter.found);
    let lost = lost.as_ref().map(|lost| lost.began);
    let began = lost.or(found.as_ref().map(|found| found.began));
    let of_before = |began: Term| terms(hello).any(|term| term > 0 && term <= began);
    let since = arbiter.asked.is_none_or(|asked| hello.asked >= asked);
    let since = since || !env.keeps(Rule::HeardEchoes);
    if since && began.is_some_and(|began| of_before(began) || !env.keeps(Rule::HeardKnows)) {
        arbiter.heard |= 1 << from;
    }
}

/// Forgets what the unit in a slot said; the number stays, so that nothing older is taken again.
fn forget(arbiter: &mut Arbiter, slot: Slot) {
    if let Some(known) = &mut arbiter.known[usize::from(slot)] {
        known.said = None;
    }
}

fn accept<E>(env: &Env<E>, arbiter: &mut Arbiter, accepted: Offer, lsn: Lsn, out: &mut Out) {
    let Offer { slot, boot, term, .. } = accepted;
    if !env.keeps(Rule::OnlyProceedResets)
        && let Some(former) = arbiter.holder.filter(|holder| holder.slot != slot)
    {
        // With the rule taken away the former holder is told of the acceptance, and resets.
        out.unit(former.slot, Msg::Grant { boot: former.boot, term, n: 0, generation: 0 });
    }
    arbiter.holder = Some(Grantee { slot, boot, term, running: true });
    arbiter.offer = None;
    if let Some(said) =
        arbiter.known[usize::from(slot)].as_mut().and_then(|known| known.said.as_mut())
    {
        // What it took over with is its running config now.
        said.replica = None;
    }
    if env.keeps(Rule::AcceptanceClears) {
        arbiter.register = None;
        arbiter.counter = 0;
    }
    arbiter.found = None;
    arbiter.asked = None;
    arbiter.heard = 0;
    if let Some(lost) = arbiter.lost.take() {
        let floor = lost.seen.min(accepted.held);
        arbiter.floor = if env.keeps(Rule::FloorKept) { floor } else { 0 };
    }
    if accepted.origin == Origin::Cold {
        arbiter.cold = term;
    } else {
        enter(env, &mut arbiter.line, (term, lsn));
    }
    tells(env, arbiter);
}

/// A term taken over at an LSN. Of those that count the least LSN decides, so that an earlier one
/// that is no less says nothing more; and of the two oldest beyond the bound one is left that says
/// at least as much as both.
fn enter<E>(env: &Env<E>, line: &mut Vec<(Term, Lsn)>, entry: (Term, Lsn)) {
    line.retain(|(_, lsn)| *lsn < entry.1);
    line.push(entry);
    while line.len() > usize::from(env.max_line) {
        let (_, lsn) = line.remove(0);
        if let Some(oldest) = line.first_mut().filter(|_| env.keeps(Rule::LineMerges)) {
            oldest.1 = lsn;
        }
    }
}

/// The holder's own messages say what it runs: its last Hello may be older than its term or never
/// have come, and its Release may come after its lease is over.
fn note_running<E>(env: &Env<E>, arbiter: &mut Arbiter, slot: Slot, term: u16, lsn: u16) {
    let Some(Grantee { boot, term: held, .. }) = arbiter.holder else {
        return;
    };
    let cold = arbiter.cold == held;
    let known = &mut arbiter.known[usize::from(slot)];
    if env.keeps(Rule::HolderIsKnown) {
        if known.is_none_or(|known| known.boot < boot) {
            let said = None;
            *known = Some(Known { boot, k: 0, said });
        }
        if let Some(known) = known.as_mut().filter(|known| known.boot == boot) {
            known.said.get_or_insert_default();
        }
    }
    let said = known.as_mut().filter(|known| known.boot == boot);
    if let Some(said) = said.and_then(|known| known.said.as_mut())
        && env.keeps(Rule::HolderSaysWhatItRuns)
    {
        let runs = !cold || lsn > said.startup.lsn;
        if runs {
            said.running = said.running.max(Some(Stamp { term, lsn }));
        }
    }
}

fn holds(arbiter: &Arbiter, from: Slot, term: u16) -> bool {
    arbiter.holder.is_some_and(|h| h.slot == from && h.term == term && h.running)
}

fn end_lease<E>(env: &Env<E>, arbiter: &mut Arbiter, out: &mut Out) -> Option<()> {
    let holder = arbiter.holder.as_mut().filter(|holder| holder.running)?;
    holder.running = false;
    go_on(env, arbiter, out);
    Some(())
}

/// Nobody holds a lease any more.
fn go_on<E>(env: &Env<E>, arbiter: &mut Arbiter, out: &mut Out) {
    if arbiter.register.is_some() {
        offer(env, arbiter, out);
    } else {
        arbiter.gathering = true;
    }
}

fn clear_offered(arbiter: &mut Arbiter, passed: Offer) {
    if matches!(passed.origin, Origin::Stateful(..)) {
        arbiter.register = None;
    }
}

fn offer<E>(env: &Env<E>, arbiter: &mut Arbiter, out: &mut Out) {
    let Some(candidate) = candidate(env, arbiter) else {
        return;
    };
    arbiter.term += 1;
    let made = Offer { term: arbiter.term, ..candidate };
    arbiter.offer = Some(made);
    tells(env, arbiter);
    send(made, arbiter.generation, out);
}

fn send(offer: Offer, generation: u16, out: &mut Out) {
    let Offer { term, slot, boot, origin, bound, hello, held: _ } = offer;
    let offered = Msg::Offer { boot, term, origin, bound, hello, generation };
    out.unit(slot, offered);
}

/// What is offered next, and to whom; the term is the last one.
fn candidate<E>(env: &Env<E>, arbiter: &Arbiter) -> Option<Offer> {
    let offer = |slot, boot, origin| Offer {
        term: arbiter.term,
        slot,
        boot,
        origin,
        bound: None,
        hello: 0,
        held: 0,
    };
    if let Some(register) = arbiter.register {
        let origin = Origin::Stateful(register.session, register.lsn);
        return Some(offer(register.slot, register.session.standby, origin));
    }
    let known =
        || (0u8..).zip(&arbiter.known).filter_map(|(slot, known)| Some((slot, (*known)?.said?)));
    let mut best = None;
    for (slot, unit) in known() {
        let next = |stamp: &Stamp| env.keeps(Rule::ResumeByStamp) || stamp.term + 1 > arbiter.term;
        let running = unit.running.filter(next).filter(|_| env.keeps(Rule::RunningCompete));
        let replica = unit.replica.filter(|_| env.keeps(Rule::StaleOffered));
        let said = [
            (running, Memory::Running),
            (replica, Memory::Replica),
            (Some(unit.startup), Memory::Startup),
        ];
        for (stamp, memory) in said {
            if let Some(stamp) = stamp.filter(|stamp| on_line(env, arbiter, *stamp, memory)) {
                best = best.max(Some(rank(env, stamp, memory, slot)));
            }
        }
    }
    let off_line = known().map(|(slot, unit)| rank(env, unit.startup, Memory::Startup, slot)).max();
    // Of a store off the line nothing is asked.
    let asked = |memory| memory != Memory::Replica || env.keeps(Rule::ReplicaOnLine);
    let best_asked = best.filter(|(_, _, _, memory, _)| asked(*memory));
    let bound = best_asked.and_then(|(term, ..)| bound(env, arbiter, term));
    let (term, _, lsn, memory, core::cmp::Reverse(slot)) = best.or(off_line)?;
    let Known { boot, k, .. } = arbiter.known[usize::from(slot)]?;
    let (origin, hello) = match memory {
        Memory::Running => (Origin::Resume, 0),
        Memory::Replica => (Origin::Stale(Stamp { term, lsn }), 0),
        Memory::Startup => (Origin::Cold, k),
    };
    let held = arbiter.lost.map_or(0, |_| term);
    Some(Offer { bound, hello, held, ..offer(slot, boot, origin) })
}

/// Where a unit holds a config, in the order in which equal stamps are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Memory {
    /// On its disk.
    Startup,
    /// Beside what it runs.
    Replica,
    /// It ran it last.
    Running,
}

/// The order among configs: of what is known of a running config its unit has gone on since, and
/// all else of its term is a prefix of it.
type Rank = (Term, bool, Lsn, Memory, core::cmp::Reverse<Slot>);

fn rank<E>(env: &Env<E>, stamp: Stamp, memory: Memory, slot: Slot) -> Rank {
    let first = memory == Memory::Running && env.keeps(Rule::RunningFirst);
    (stamp.term, first, stamp.lsn, memory, core::cmp::Reverse(slot))
}

/// The LSN beyond which what was held in a term is off the line: a unit may have gone on since its
/// Hello.
fn bound<E>(env: &Env<E>, arbiter: &Arbiter, held: Term) -> Option<Lsn> {
    let later = arbiter.line.iter().filter(|(term, _)| *term > held);
    let kept = later.map(|(_, from)| *from).min();
    kept.filter(|_| env.keeps(Rule::OnTheLine) && env.keeps(Rule::OffersBound))
}

fn on_line<E>(env: &Env<E>, arbiter: &Arbiter, stamp: Stamp, memory: Memory) -> bool {
    if let Some(lost) = arbiter.lost.filter(|_| env.keeps(Rule::LatestWhileLost)) {
        return stamp.term == lost.seen;
    }
    let checked = memory != Memory::Replica || env.keeps(Rule::ReplicaOnLine);
    let warm = match memory {
        Memory::Startup => false,
        Memory::Replica => env.keeps(Rule::ReplicaWarm),
        Memory::Running => true,
    };
    let before_cold = warm && arbiter.cold > stamp.term;
    !env.keeps(Rule::OnTheLine) || !before_cold && (!checked || is_on_line(arbiter, stamp))
}

/// Whether a startup stamp is on the line, by all the rules.
pub fn is_on_line(arbiter: &Arbiter, stamp: Stamp) -> bool {
    let mut later = arbiter.line.iter().filter(|(term, _)| *term > stamp.term);
    stamp.term >= arbiter.floor && later.all(|(_, lsn)| *lsn >= stamp.lsn)
}

/// Whether the stamp of a running config or of a replica is on the line, by all the rules.
pub fn is_warm(arbiter: &Arbiter, stamp: Stamp) -> bool {
    arbiter.cold <= stamp.term && is_on_line(arbiter, stamp)
}

/// Whether an Offer is made with the line unknown: the state was lost, and it is of a startup
/// store, or the state was lost or may be an older one, and a unit was not heard since that knows a
/// term of before.
pub fn says_line_unknown(arbiter: &Arbiter, offer: Offer) -> bool {
    let all = arbiter.heard == 0b11;
    arbiter.lost.is_some() && (offer.origin == Origin::Cold || !all)
        || arbiter.found.is_some() && !all
}

/// Whether any config that the arbiter knows of is on the line, by all the rules.
pub fn knows_on_line(arbiter: &Arbiter) -> bool {
    let warm = |stamp: Stamp| is_warm(arbiter, stamp);
    let mut known = arbiter.known.iter().flatten().filter_map(|known| known.said);
    known.any(|unit| {
        is_on_line(arbiter, unit.startup)
            || unit.running.is_some_and(warm)
            || unit.replica.is_some_and(warm)
    })
}
