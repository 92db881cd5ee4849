//! What the properties remember; no party knows it.

use crate::action::{Action, ArbiterTimer};
use crate::property::Situation;
use crate::scope::Bounded;
use crate::state::{
    Arbiter, Cfg, Flight, Grantee, Lsn, Msg, Part, Slot, StandbyPhase, Term, To, Unit,
};
use crate::step::{Env, Step, knows_on_line};

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
pub struct Watch {
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
    /// Slots that restarted since or were out of reach, one bit each; two bits above: slots that declined.
    pub failed: u8,
    /// Commands that a successor did not have, one bit each.
    pub dead: u32,
    /// When the present offer was made no unit in reach had a config on the line.
    pub off_line: bool,
    /// Ordered resets.
    pub resets: u16,
    /// The register's Standby could not read a Line: that excuses no loss of what it had.
    pub unread: bool,
}

impl Watch {
    /// The Active's config at a change of its term.
    pub fn at(&self, term: Term, lsn: Lsn) -> Option<&Made> {
        let mut back = self.log.iter().rev();
        back.find(|made| (made.term, made.lsn) == (term, lsn))
    }

    /// The commands of a term after one LSN, up to another.
    pub fn commands(&self, term: Term, after: Lsn, to: Lsn) -> impl Iterator<Item = u16> {
        let within = move |made: &&Made| made.term == term && made.lsn > after && made.lsn <= to;
        self.log
            .iter()
            .filter(within)
            .filter_map(|made| match made.how {
                How::Command(id) => Some(id),
                How::Stateful | How::Resumed | How::Cold => None,
            })
    }
}

/// The watch after a step.
pub(super) fn remember<E>(
    env: &Env<E>,
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut Watch,
    met: &mut impl FnMut(Situation),
) {
    let (was, is) = (&before.state.arbiter, &step.state.arbiter);
    if is.offer.is_some() && was.offer != is.offer {
        watch.off_line = !knows_on_line(is);
    }
    if was.register.is_none() && is.register.is_some() {
        watch.excused = false;
        watch.unread = false;
        met(Situation::Hot);
    }
    if let (Some(former), None) = (ran(was), ran(is)) {
        if was.register.is_some() && watch.replicated > 0 {
            watch.expected = Some((former.term, watch.replicated));
            met(Situation::ReplicatedThenLost);
        }
        watch.replicated = 0;
    }
    excuse(before, action, step, watch, met);
    if let Action::Command(slot, id, _) = *action {
        enter(before, step, (slot, id), watch, met);
    }
    for slot in 0..2u8 {
        let at = usize::from(slot);
        let (old, new) = (&before.state.units[at], &step.state.units[at]);
        let attempts = |unit: &Unit| match &unit.part {
            Part::Active(active) => active.attempts,
            Part::Down | Part::Standby(_) | Part::Holder(_) => 0,
        };
        let most = env.max_attempts;
        if most == Some(attempts(new)) && most != Some(attempts(old)) {
            met(Situation::AttemptsUsedUp);
        }
        watch.resets += new.resets - old.resets;
        if new.resets > old.resets {
            met(Situation::ResetOrdered);
        }
        note_part(action, slot, (old, new), watch, met);
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
    watch: &mut Watch,
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
        Action::Deliver(Flight {
            from,
            to: To::Arbiter,
            msg: Msg::Decline { .. },
        }) if was.offer.is_some() && was.offer != is.offer => {
            let unit = &before.state.units[usize::from(from)];
            watch.excused |= !(watch.unread && declared(unit));
            watch.failed |= 4 << from;
            met(Situation::Declined);
        }
        Action::ArbiterRecovered => met(Situation::ArbiterAway),
        Action::DrainOver(_) => met(Situation::DrainOver),
        _ => {}
    }
    for (old, new) in before.state.units.iter().zip(&step.state.units) {
        if is_unread(new) && !is_unread(old) {
            watch.unread |=
                matches!(&new.part, Part::Standby(standby) if standby.replica.is_some());
            met(Situation::Unreadable);
        } else if declared(new) && !declared(old) {
            watch.excused = true;
            met(Situation::Declared);
        }
    }
}

fn declared(unit: &Unit) -> bool {
    matches!(&unit.part, Part::Standby(standby)
        if standby.replica.is_some_and(|replica| replica.declared))
}

/// Whether the unit waits to be told what becomes of what it cannot read.
const fn is_unread(unit: &Unit) -> bool {
    matches!(&unit.part, Part::Standby(standby)
        if matches!(standby.seat, Some((_, StandbyPhase::Unread(_)))))
}

fn enter(
    before: &Bounded,
    step: &Step,
    (slot, id): (Slot, u16),
    watch: &mut Watch,
    met: &mut impl FnMut(Situation),
) {
    let active = |unit: &Unit| match &unit.part {
        Part::Active(active) => Some((active.term, active.last, active.cfg)),
        Part::Down | Part::Standby(_) | Part::Holder(_) => None,
    };
    let at = usize::from(slot);
    let old = active(&before.state.units[at]);
    let Some((term, lsn, cfg)) = active(&step.state.units[at]).filter(|new| Some(*new) != old)
    else {
        return;
    };
    let how = How::Command(id);
    watch.log.push(Made {
        term,
        lsn,
        slot,
        how,
        cfg,
    });
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
    watch: &mut Watch,
    met: &mut impl FnMut(Situation),
) {
    match (&old.part, &new.part) {
        (Part::Active(active), Part::Holder(holder)) if holder.released => {
            // A forced switchover breaks a drain off.
            let planned = active.draining || matches!(action, Action::Switchover(_));
            if planned && !matches!(action, Action::Forced(_)) {
                met(Situation::Released);
                watch.planned = Some((slot, holder.cfg));
                watch.failed = 0;
            }
        }
        (Part::Holder(holder), Part::Active(_)) if holder.kept.is_some() => {
            met(Situation::Regranted);
        }
        (Part::Standby(was), Part::Standby(is)) if was != is => match is.seat {
            Some((_, StandbyPhase::Rpr)) => met(Situation::InRpr),
            Some((_, StandbyPhase::Held)) => met(Situation::InSimplex),
            Some(_) | None => {}
        },
        _ => {}
    }
}
