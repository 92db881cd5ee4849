//! What the properties remember; no party knows it.

use crate::action::{Action, ArbiterTimer};
use crate::effects::Meaning;
use crate::property::Situation;
use crate::scope::Bounded;
use crate::state::{
    Arbiter, Cfg, Flight, Grantee, Holder, Keeps, Lsn, Msg, Origin, Replica, Role, Slot, Stamp,
    StandbyPhase, State, Term, To, Unit,
};
use crate::step::{Env, Step, is_warm, knows_on_line, replica, runs, says_line_unknown};

/// How a unit came to a config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// A command was executed.
    Command(u16),
    /// It took over with a replica.
    Stateful,
    /// It went on with its own config.
    Resumed,
    /// It booted its startup store.
    Cold,
}

/// A config with which a unit acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Made {
    /// The term.
    pub term: Term,
    /// The last change in it.
    pub lsn: Lsn,
    /// The unit.
    pub slot: Slot,
    /// Where it came from.
    pub how: How,
    /// The config.
    pub cfg: Cfg,
}

/// What the properties remember.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct History {
    /// The configs with which units acted, in order.
    pub log: Vec<Made>,
    /// The last change that was returned `replicated` in the present term.
    pub replicated: Lsn,
    /// The change up to which the next Active must have all.
    pub expected: Option<(Term, Lsn)>,
    /// The register's Standby restarted, declined or was out of reach.
    pub excused: bool,
    /// Who released the role in a planned switchover, with what.
    pub planned: Option<(Slot, Cfg)>,
    /// Slots that restarted since or were out of reach, one bit each; two bits above: slots that
    /// declined.
    pub failed: u8,
    /// Commands that a successor did not have, one bit each.
    pub dead: u32,
    /// When the present offer was made no unit in reach had a config on the line.
    pub off_line: bool,
    /// The latest term that was accepted.
    pub granted: Option<Term>,
    /// It had been accepted before.
    pub granted_again: bool,
    /// The arbiter's state is lost, or older than what it told, and nobody has accepted a term
    /// since.
    pub astray: bool,
    /// Terms that were offered with the line unknown, one bit each.
    pub line_unknown: u64,
    /// Slots whose config was taken up with the line unknown, one bit each: it was said then what
    /// may be wrong with it.
    pub unsure: u8,
    /// Ordered resets.
    pub resets: u16,
    /// The register's Standby could not read a Line: that excuses no loss of what it had.
    pub unread: bool,
    /// Commands that were refused after they had waited, one bit each.
    pub refused: u32,
    /// The newest change that was returned `replicated` and of which a memory is left.
    pub kept: Option<Kept>,
    /// Slots whose replica policy turned away, and who have it still, one bit each; two bits above:
    /// slots that took over with one, or with one that had declared itself.
    pub turned_away: u8,
}

/// A change that was returned `replicated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kept {
    /// The change.
    pub stamp: Stamp,
    /// Slots that have held it ever since, one bit each.
    pub memories: u8,
    /// Slots that accepted their latest term with a config without it, one bit each.
    pub lacking: u8,
}

impl History {
    /// The Active's config at a change of its term.
    pub fn at(&self, term: Term, lsn: Lsn) -> Option<&Made> {
        let mut back = self.log.iter().rev();
        back.find(|made| (made.term, made.lsn) == (term, lsn))
    }

    /// A change is returned `replicated`: it is in two memories.
    pub(super) fn keep(&mut self, state: &State, active: Slot, term: Term, lsn: Lsn) {
        let stamp = Stamp { term, lsn };
        let holds = |unit: &Unit| {
            replica(unit).is_some_and(|replica| replica.term == term && replica.lsn >= lsn)
        };
        let other = holds(&state.units[usize::from(1 - active)]);
        if self.kept.is_none_or(|kept| kept.stamp < stamp) {
            self.kept = Some(Kept {
                stamp,
                memories: 1 << active | u8::from(other) << (1 - active),
                lacking: 0,
            });
        }
    }

    /// The arbiter does not know any more what it told: its state was this.
    pub(crate) fn stray(&mut self, was: &Arbiter) {
        if core::mem::replace(&mut self.astray, true) {
            return;
        }
        if let Some(former) = ran(was).filter(|_| was.register.is_some() && self.replicated > 0) {
            self.expected = Some((former.term, self.replicated));
        }
        self.replicated = 0;
    }

    /// What has it is gone.
    pub(super) fn forget(&mut self, slot: Slot) {
        if let Some(kept) = &mut self.kept {
            kept.memories &= !(1 << slot);
            if kept.memories == 0 {
                self.kept = None;
            }
        }
    }

    /// Whether a config of the unit in `slot` at an LSN holds a change: the history that made it
    /// does.
    pub(super) fn includes<E: Meaning>(
        &self,
        effects: &E,
        slot: Slot,
        (cfg, lsn): (Cfg, Lsn),
        change: Stamp,
    ) -> bool {
        let (mut slot, mut cfg, mut lsn, mut log) = (slot, cfg, lsn, &*self.log);
        while lsn >= change.lsn {
            let is = |made: &Made| {
                made.lsn == lsn
                    && cfg
                        == if made.slot == slot {
                            made.cfg
                        } else {
                            effects.becomes(made.slot, made.cfg)
                        }
            };
            let Some(made) = log.iter().rposition(is).map(|at| log[at]) else {
                return false;
            };
            if made.term <= change.term {
                return made.term == change.term;
            }
            // Where the term began; what was before it made that.
            let first = log.iter().position(|change| change.term == made.term);
            let Some(at) = first else { return false };
            (slot, cfg, lsn, log) = (log[at].slot, log[at].cfg, log[at].lsn, &log[..at]);
        }
        false
    }

    /// The commands of a term after one LSN, up to another.
    pub fn commands(&self, term: Term, after: Lsn, to: Lsn) -> impl Iterator<Item = u16> {
        let within = move |made: &&Made| made.term == term && made.lsn > after && made.lsn <= to;
        self.log.iter().filter(within).filter_map(|made| match made.how {
            How::Command(id) => Some(id),
            How::Stateful | How::Resumed | How::Cold => None,
        })
    }
}

/// The watch after a step.
pub(super) fn remember<E: Meaning>(
    env: &Env<E>,
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    let (was, is) = (&before.state.arbiter, &step.state.arbiter);
    if let Some(offer) = is.offer.filter(|_| was.offer != is.offer) {
        watch.off_line = !knows_on_line(is);
        if says_line_unknown(is, offer) {
            watch.line_unknown |= term_bit(offer.term);
        }
    }
    let term = |arbiter: &Arbiter| arbiter.holder.map(|holder| holder.term);
    if term(is) > term(was) {
        watch.granted_again = watch.granted >= term(is);
        watch.granted = term(is);
        if core::mem::take(&mut watch.astray) {
            // What was returned in the former term it does not look after any more.
            watch.replicated = 0;
        }
    }
    if is.lost.is_some() {
        watch.stray(was);
    }
    if was.register.is_none() && is.register.is_some() {
        watch.excused = false;
        watch.unread = false;
        met(Situation::Hot);
    }
    if let (Some(former), None, false) = (ran(was), ran(is), watch.astray) {
        if was.register.is_some() && watch.replicated > 0 {
            watch.expected = Some((former.term, watch.replicated));
            met(Situation::ReplicatedThenLost);
        }
        watch.replicated = 0;
    }
    excuse(before, action, step, watch, met);
    enter(before, step, false, watch, met);
    if !matches!(action, Action::Command(..)) && !step.executed.is_empty() {
        met(Situation::ExecutedLater);
    }
    for slot in 0..2u8 {
        let at = usize::from(slot);
        let (old, new) = (&before.state.units[at], &step.state.units[at]);
        let attempts = |unit: &Unit| match &unit.part {
            Role::Active(active) => active.attempts,
            Role::Down | Role::Standby(_) | Role::Holder(_) => 0,
        };
        let most = env.max_attempts;
        if most == Some(attempts(new)) && most != Some(attempts(old)) {
            met(Situation::AttemptsUsedUp);
        }
        watch.resets += new.resets.saturating_sub(old.resets);
        if new.resets > old.resets {
            met(Situation::ResetOrdered);
        }
        note_part(action, slot, (old, new), watch, met);
        note_memory(&env.effects, action, slot, (old, new), watch, met);
    }
    lose_memories(before, action, is.offer.map(|offer| offer.slot), watch);
}

fn term_bit(term: Term) -> u64 {
    1u64.checked_shl(term.into()).expect("few terms are used in a search")
}

/// What becomes of the config that a unit can take over with.
fn note_memory<E: Meaning>(
    effects: &E,
    action: &Action,
    slot: Slot,
    (old, new): (&Unit, &Unit),
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    let (bit, took) = (1u8 << slot, 4u8 << slot);
    let held = |unit: &Unit| match &unit.part {
        Role::Standby(standby) => standby.replica,
        Role::Down | Role::Holder(_) | Role::Active(_) => None,
    };
    let turns_away = |msg: &Msg| {
        matches!(
            msg,
            Msg::Leave { keeps: Keeps::Nothing, .. }
                | Msg::BulkReject { keeps: Keeps::Nothing, .. }
        )
    };
    if let Action::Deliver(Flight { msg, to: To::Unit(to), .. }) = action
        && turns_away(msg)
        && *to == slot
        && old.part != new.part
    {
        watch.forget(slot);
        watch.turned_away |= bit;
    }
    let swapped = held(new).is_some_and(|replica| replica.session.is_some());
    if swapped || new.part == Role::Down {
        watch.unsure &= !bit;
    }
    let declared = |replica: Option<Replica>| replica.is_some_and(|replica| replica.declared);
    if declared(held(new)) && !declared(held(old)) {
        watch.forget(slot);
    }
    if held(new).map(|replica| replica.session) != held(old).map(|replica| replica.session) {
        // Of a replica that was swapped in, or dropped, nothing was said.
        let wrong = declared(held(old)) || watch.turned_away & bit != 0;
        watch.turned_away &= !bit;
        if let Role::Holder(holder) = &new.part
            && holder.runs
            && wrong
        {
            watch.turned_away |= took;
        }
    }
    if held(new).is_none() {
        watch.turned_away &= !bit;
    }
    if matches!(new.part, Role::Down | Role::Standby(_)) {
        watch.turned_away &= !took;
    }
    if let Role::Holder(holder) = &new.part
        && accepts(&old.part, holder)
    {
        note_acceptance(effects, action, slot, holder, watch, met);
    }
}

fn accepts(old: &Role, holder: &Holder) -> bool {
    match old {
        Role::Holder(was) => was.term != holder.term,
        Role::Standby(_) => true,
        Role::Down | Role::Active(_) => false,
    }
}

/// A unit takes a term up with what it has.
fn note_acceptance<E: Meaning>(
    effects: &E,
    action: &Action,
    slot: Slot,
    holder: &Holder,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    let bit = 1u8 << slot;
    if let Action::Deliver(Flight { msg: Msg::Offer { origin, .. }, .. }) = action {
        if let Origin::Stale(_) = origin {
            met(Situation::TookOverStale);
        }
        if let Origin::Stateful(..) | Origin::Cold = origin {
            watch.unsure &= !bit;
        }
    }
    if watch.line_unknown & term_bit(holder.term) != 0 {
        watch.unsure |= bit;
    }
    if let Some(kept) = watch.kept {
        let has = watch.includes(effects, slot, (holder.cfg, holder.lsn), kept.stamp);
        if let Some(kept) = &mut watch.kept {
            kept.lacking = kept.lacking & !bit | u8::from(!has) << slot;
        }
    }
}

/// Memories that may be gone: of units that restarted or were out of reach. Who is offered a term
/// now says what it has if that was not known.
fn lose_memories(before: &Bounded, action: &Action, offered: Option<Slot>, watch: &mut History) {
    let was = &before.state.arbiter;
    match *action {
        Action::Crash(slot) => watch.forget(slot),
        Action::Arbiter(ArbiterTimer::TakeoverWait) => {
            if let Some(offer) = was.offer {
                watch.forget(offer.slot);
            }
            forget_silent(&before.state, offered, watch);
        }
        Action::Arbiter(ArbiterTimer::Gather) => forget_silent(&before.state, offered, watch),
        _ => {}
    }
}

/// Who says nothing while Hellos are gathered, or an Offer stands, is out of the arbiter's reach.
fn forget_silent(state: &State, offered: Option<Slot>, watch: &mut History) {
    for (slot, unit) in (0u8..).zip(&state.units) {
        let known = state.arbiter.known[usize::from(slot)];
        let heard = known.is_some_and(|known| {
            let said = known.said.filter(|_| known.boot == unit.boot);
            said.is_some_and(|said| {
                said.replica == replica(unit)
                    && said.running.map(|stamp| stamp.term) == runs(unit).map(|stamp| stamp.term)
            })
        });
        if !heard && offered != Some(slot) {
            watch.forget(slot);
        }
    }
}

/// Memories whose config left the line.
pub(super) fn leave_line(state: &State, watch: &mut History) {
    for slot in 0..2u8 {
        let unit = &state.units[usize::from(slot)];
        let stamp = runs(unit).or(replica(unit));
        if stamp.is_some_and(|stamp| !is_warm(&state.arbiter, stamp)) {
            watch.forget(slot);
        }
    }
}

/// The holder whose lease runs.
fn ran(arbiter: &Arbiter) -> Option<Grantee> {
    arbiter.holder.filter(|holder| holder.running)
}

/// What excuses a loss.
fn excuse(
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    let (was, is) = (&before.state.arbiter, &step.state.arbiter);
    let expected = watch.expected;
    let succeeds = |holder: Grantee| expected.is_some_and(|(term, _)| holder.term > term);
    match *action {
        Action::Crash(slot) => {
            watch.failed |= 1 << slot;
            watch.excused |= was.register.is_some_and(|register| register.slot == slot)
                || was.offer.is_some_and(|offer| offer.slot == slot)
                || was.holder.is_some_and(|h| h.slot == slot && succeeds(h));
        }
        Action::Arbiter(ArbiterTimer::TakeoverWait) => {
            watch.excused = true;
            watch.failed |= was.offer.map_or(0, |offer| 1 << offer.slot);
            if was.register.is_some() {
                met(Situation::PassedOver);
            }
        }
        Action::Deliver(Flight { from, to: To::Arbiter, msg: Msg::Decline { .. } })
            if was.offer.is_some() && was.offer != is.offer =>
        {
            let unit = &before.state.units[usize::from(from)];
            watch.excused |= !(watch.unread && declared(unit));
            watch.failed |= 4 << from;
            met(Situation::Declined);
        }
        Action::ArbiterRecovered(_) => met(Situation::ArbiterAway),
        Action::ArbiterLost => met(Situation::ArbiterLost),
        Action::DrainOver(_) => met(Situation::DrainOver),
        _ => {}
    }
    for (old, new) in before.state.units.iter().zip(&step.state.units) {
        if is_unread(new) && !is_unread(old) {
            watch.unread |=
                matches!(&new.part, Role::Standby(standby) if standby.replica.is_some());
            met(Situation::Unreadable);
        } else if declared(new) && !declared(old) {
            watch.excused = true;
            met(Situation::Declared);
        }
    }
}

fn declared(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Standby(standby)
        if standby.replica.is_some_and(|replica| replica.declared))
}

/// Whether the unit waits to be told what becomes of what it cannot read.
const fn is_unread(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Standby(standby)
        if matches!(standby.seat, Some((_, StandbyPhase::Unread(_)))))
}

/// Notes the changes that were executed, by units that began to act in this step or by others.
pub(super) fn enter(
    before: &Bounded,
    step: &Step,
    begins: bool,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    let acted = |slot: Slot| {
        let part = &before.state.units[usize::from(slot)].part;
        matches!(part, Role::Active(_))
    };
    let of_these = || {
        let executed = step.executed.iter();
        executed.filter(|execution| acted(execution.slot) != begins)
    };
    // Whoever released may execute what waited at a Grant that comes spent, and does not act: it
    // goes on with that.
    for execution in of_these() {
        if let Some((slot, cfg)) = &mut watch.planned
            && *slot == execution.slot
        {
            *cfg = execution.cfg;
        }
    }
    let before_these = watch.log.len();
    watch.log.extend(of_these().map(|execution| Made {
        term: execution.change.term,
        lsn: execution.change.lsn,
        slot: execution.slot,
        how: How::Command(execution.change.id),
        cfg: execution.cfg,
    }));
    if watch.log.len() == before_these {
        return;
    }
    let in_bulk = before.state.active().is_some_and(|(_, active)| {
        let current = active.current.as_ref();
        current.is_some_and(|c| matches!(c.phase, crate::state::Phase::Bulk(_)))
    });
    if in_bulk {
        met(Situation::ChangedInBulk);
    }
}

fn note_part(
    action: &Action,
    slot: Slot,
    (old, new): (&Unit, &Unit),
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) {
    match (&old.part, &new.part) {
        (Role::Active(active), Role::Holder(holder)) if holder.released => {
            // A forced switchover breaks a drain off.
            let planned = active.draining || matches!(action, Action::Switchover(_));
            if planned && !matches!(action, Action::Forced(_)) {
                met(Situation::Released);
                watch.planned = Some((slot, holder.cfg));
                watch.failed = 0;
            }
        }
        (Role::Holder(holder), Role::Active(_)) if holder.suspended.is_some() => {
            met(Situation::Regranted);
        }
        (Role::Standby(was), Role::Standby(is)) if was != is => match is.seat {
            Some((_, StandbyPhase::Rpr)) => met(Situation::InRpr),
            Some((_, StandbyPhase::Held)) => met(Situation::InSimplex),
            Some(_) | None => {}
        },
        _ => {}
    }
}
