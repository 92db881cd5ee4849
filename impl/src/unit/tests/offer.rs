//! What the arbiter offers by what it was told, and what a unit makes of an Offer that was made by
//! less.

use super::world::{A, B, World};
use crate::ids::{Attempt, BootId, Lsn, Slot, Term};
use crate::message::{
    Address, Eligible, Hello, Message, Origin, Said, Session, Stamp, ToArbiter, ToUnit,
};
use crate::planted::Planted;
use crate::unit::{Arbiter, ArbiterInput, ArbiterOutput, ArbiterTimer, Event, Request, Role};

const BOOT: BootId = BootId(1);

/// The Offer that a step of the arbiter sends: to whom, and what.
fn step(
    arbiter: &mut Arbiter,
    input: ArbiterInput,
) -> Option<(Slot, Term, Origin, Option<Lsn>, u64)> {
    let mut out = alloc::vec![];
    arbiter.step(&World::hot().limits, Planted::NONE, input, &mut out);
    out.into_iter().find_map(|output| match output {
        ArbiterOutput::Send { to, message: ToUnit::Offer { term, origin, bound, hello, .. } } => {
            Some((to, term, origin, bound, hello))
        }
        _ => None,
    })
}

fn from(from: Slot, message: ToArbiter) -> ArbiterInput {
    ArbiterInput::Message { from, message }
}

/// The k-th Hello of a unit that has seen no term.
fn hello_of(k: u64, startup: Stamp, running: Option<Stamp>) -> Hello {
    Hello {
        generation: 0,
        asked: Term(0),
        k,
        highest: Term(0),
        said: Said { startup, running, replica: None },
    }
}

fn hello(k: u64, startup: Stamp, running: Option<Stamp>) -> ToArbiter {
    ToArbiter::Hello { boot: BOOT, hello: hello_of(k, startup, running) }
}

fn accepts(term: u64, lsn: u64) -> ToArbiter {
    ToArbiter::Renew { generation: 0, boot: BOOT, term: Term(term), n: 1, lsn: Lsn(lsn) }
}

fn declines(term: u64, hello: Hello) -> ToArbiter {
    let term = Term(term);
    ToArbiter::Decline { boot: BOOT, term, hello: Hello { highest: term, ..hello } }
}

/// An arbiter whose holder A, of a cold term, wrote the register for B at LSN 1.
fn written() -> (Arbiter, Session) {
    let mut arbiter = Arbiter::new();
    let cold = Stamp::default();
    step(&mut arbiter, from(A, hello(1, cold, None)));
    step(&mut arbiter, from(B, hello(1, cold, None)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    step(&mut arbiter, from(A, accepts(1, 0)));
    let session = Session { term: Term(1), active: BOOT, standby: BOOT, attempt: Attempt(1) };
    let value = Some(Eligible { session, slot: B, lsn: Lsn(1) });
    let write = ToArbiter::SetRegister { term: Term(1), counter: 1, value };
    step(&mut arbiter, from(A, write));
    (arbiter, session)
}

/// Section 10.1: a write of the register says what the holder runs: its Release may come too late
/// to say it.
#[test]
fn the_holder_that_wrote_the_register_is_offered_to_resume() {
    let (mut arbiter, session) = written();
    let lsn = Lsn(1);
    let stateful = Origin::Stateful { session, lsn };
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    assert_eq!(offered, Some((B, Term(2), stateful, None, 0)));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::TakeoverWait));
    assert_eq!(offered, Some((A, Term(3), Origin::Resume, None, 0)));
}

/// Section 10.1: an Offer to a boot that is gone says nothing against the one that came since.
#[test]
fn what_a_later_boot_says_is_not_forgotten_with_an_offer_to_an_earlier_one() {
    let (mut arbiter, session) = written();
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    // Its next boot was a Standby of a later session, which the state says nothing of.
    let stamp = Stamp { term: Term(1), lsn: Lsn(3) };
    let said = Said { startup: Stamp::default(), running: None, replica: Some(stamp) };
    let hello = Hello { generation: 0, asked: Term(0), k: 1, highest: Term(1), said };
    let later = BootId(session.standby.0 + 1);
    step(&mut arbiter, from(B, ToArbiter::Hello { boot: later, hello }));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::TakeoverWait));
    // A is offered first: it wrote the register, and may run what it did. Then B's replica.
    assert_eq!(offered.map(|(to, ..)| to), Some(A));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::TakeoverWait));
    assert_eq!(offered, Some((B, Term(4), Origin::Stale { stamp }, None, 0)));
}

/// Section 10.1: the holder is known by what it says as such, though no Hello of it came.
#[test]
fn a_holder_whose_hello_never_came_is_offered_to_resume() {
    let (mut arbiter, _) = written();
    arbiter.known.remove(&B);
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, from(B, accepts(2, 2)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((B, Term(3), Origin::Resume, None, 0)));
}

/// Section 10.1: after a takeover at LSN 1 an Offer by an older stamp names it as its bound, and
/// who declines says what it has.
#[test]
fn an_offer_names_where_the_line_was_left() {
    let (mut arbiter, _) = written();
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, from(B, accepts(2, 1)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::TakeoverWait));
    let bound = Some(Lsn(1));
    assert_eq!(offered, Some((A, Term(4), Origin::Resume, bound, 0)));
    let says = hello_of(2, Stamp::default(), None);
    let offered = step(&mut arbiter, from(A, declines(4, says)));
    assert_eq!(offered, None, "what changed elsewhere comes in first");
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((A, Term(5), Origin::Cold, bound, 2)));
    let saved = Stamp { term: Term(1), lsn: Lsn(2) };
    let says = hello_of(3, saved, None);
    let offered = step(&mut arbiter, from(A, declines(5, says)));
    assert_eq!(offered, None, "what changed elsewhere comes in first");
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    let expected = Some((A, Term(6), Origin::Cold, None, 3));
    assert_eq!(offered, expected, "off the line");
}

/// Section 10.1: a unit that acts on, for all that the arbiter knows, declines as often as it is
/// asked: it is asked once in a time, and what it runs is not forgotten.
#[test]
fn who_declines_to_resume_is_not_asked_at_once() {
    let (mut arbiter, _) = written();
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    let waited = ArbiterInput::Timer(ArbiterTimer::TakeoverWait);
    let offered = step(&mut arbiter, waited);
    assert_eq!(offered, Some((A, Term(3), Origin::Resume, None, 0)));
    let running = Some(Stamp { term: Term(1), lsn: Lsn(1) });
    for (term, k) in [(3, 2), (4, 3)] {
        let says = hello_of(k, Stamp::default(), running);
        assert_eq!(step(&mut arbiter, from(A, declines(term, says))), None);
        let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
        let expected = Some((A, Term(term + 1), Origin::Resume, None, 0));
        assert_eq!(offered, expected);
    }
}

/// Section 10.1: a Hello that was sent before the unit accepted the term which it is known to run
/// hides nothing.
#[test]
fn a_hello_older_than_the_acceptance_is_not_taken() {
    let (mut arbiter, _) = written();
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    step(&mut arbiter, from(B, accepts(2, 1)));
    step(&mut arbiter, from(B, hello(2, Stamp::default(), None)));
    step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Lease));
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((B, Term(3), Origin::Resume, None, 0)));
}

/// Section 10.1: a Hello is taken only if it is newer than the last of its slot, and what is
/// forgotten is not learned again from an older one.
#[test]
fn a_late_hello_is_not_taken() {
    let stamp = |term, lsn| Stamp { term: Term(term), lsn: Lsn(lsn) };
    let mut arbiter = Arbiter::new();
    let newest = hello(2, stamp(1, 4), None);
    step(&mut arbiter, from(A, newest));
    let known = arbiter.known.clone();
    for late in [1, 2] {
        step(&mut arbiter, from(A, hello(late, stamp(1, 3), None)));
        assert_eq!(arbiter.known, known, "Hello {late}");
    }
    let offered = step(&mut arbiter, ArbiterInput::Timer(ArbiterTimer::Gather));
    assert_eq!(offered, Some((A, Term(1), Origin::Cold, None, 2)));
    let waited = ArbiterInput::Timer(ArbiterTimer::TakeoverWait);
    assert_eq!(step(&mut arbiter, waited), None, "it is forgotten");
    step(&mut arbiter, from(A, newest));
    let gathered = ArbiterInput::Timer(ArbiterTimer::Gather);
    assert_eq!(step(&mut arbiter, gathered), None, "and stays so");
    step(&mut arbiter, from(A, hello(3, stamp(1, 4), None)));
    let gathered = ArbiterInput::Timer(ArbiterTimer::Gather);
    let offered = step(&mut arbiter, gathered);
    assert_eq!(offered, Some((A, Term(2), Origin::Cold, None, 3)));
    // Of a former boot, whatever its number.
    let former = ToArbiter::Hello { boot: BootId(0), hello: hello_of(9, stamp(1, 3), None) };
    let known = arbiter.known.clone();
    step(&mut arbiter, from(A, former));
    assert_eq!(arbiter.known, known);
}

/// Section 10.2: what a unit says goes out at once when it is another, and an Offer of its store by
/// an older Hello is declined with what it has.
#[test]
fn a_cold_offer_by_an_older_hello_is_declined() {
    let mut world = World::hot();
    world.command(A, "hostname a");
    world.settle();
    let before = world.unit(B).own.hello_k;
    world.ask(A, Request::Save);
    world.settle();
    let own = &world.unit(B).own;
    assert_eq!(own.hello_k, before + 1, "the store is another one");
    assert_eq!(own.said_since, own.hello_k);
    let known = world.arbiter.known[&B];
    assert_eq!(known.hello, before + 1);
    assert_eq!(known.said.map(|said| said.startup), Some(own.store.stamp));
    let boot = own.boot;
    let offer = |term, hello| super::world::Flight {
        from: Address::Arbiter,
        to: Address::Unit(B),
        message: Message::ToUnit(ToUnit::Offer {
            generation: 0,
            boot,
            term: Term(term),
            origin: Origin::Cold,
            bound: None,
            hello,
        }),
    };
    world.inject(offer(2, before));
    let declined = |term| Event::Declined { term: Term(term) };
    assert!(world.find(B, |event| *event == declined(2)));
    assert_eq!(world.unit(B).own.hello_k, before + 2, "it says what it has");
    world.inject(offer(3, before + 1));
    assert!(!world.find(B, |event| *event == declined(3)));
    assert!(matches!(world.unit(B).part, Role::Holder(_)));
}

/// Section 10.2: a store that was saved since the Hello for which the Offer was made is not booted
/// beyond it.
#[test]
fn a_store_beyond_the_bound_is_declined() {
    for (bound, declines) in [(Some(Lsn(0)), true), (Some(Lsn(1)), false), (None, false)] {
        let mut world = World::hot();
        world.command(A, "hostname a");
        world.settle();
        world.ask(A, Request::Save);
        world.settle();
        assert_eq!(world.unit(B).own.store.stamp.lsn, Lsn(1));
        let offer = ToUnit::Offer {
            generation: 0,
            boot: world.unit(B).own.boot,
            term: Term(2),
            origin: Origin::Cold,
            bound,
            hello: world.unit(B).own.hello_k,
        };
        world.inject(super::world::Flight {
            from: Address::Arbiter,
            to: Address::Unit(B),
            message: Message::ToUnit(offer),
        });
        let declined = Event::Declined { term: Term(2) };
        assert_eq!(world.find(B, |event| *event == declined), declines);
        let holds = matches!(&world.unit(B).part, Role::Holder(holder) if holder.lsn == Lsn(1));
        assert_eq!(holds, !declines);
    }
}
