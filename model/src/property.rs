//! What must hold (PROTOCOL.md, section 8), as predicates over states and steps.
//!
//! Only the simulation can state: NoForeignLine (levels and forms do not exist here), Commutes and
//! RoundTrip (nor do groups), SavedSurvives (nor writes that are torn), Answers (nor clocks), HotIsServed,
//! Available and Honest (nor periods), Bounded (nor bytes). OneRole needs a second role.

use crate::action::{Action, Durability};
use crate::effects::{Effects, bit};
use crate::scope::{Bounded, Scope};
use crate::state::{Flight, Msg, Part, Phase, Session, To, Unit};
use crate::step::{Answer, Step};

/// A property that the model can state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// No two units act.
    SingleActive,
    /// `local` never while the register is set, `replicated` never unless it names the session.
    NoSplitAck,
    /// What was returned `replicated` is in the next Active's config, unless excused.
    NoAckedLoss,
    /// A planned switchover loses no executed command, unless both fail.
    PlannedLosesNothing,
    /// While the register is set the Standby's config is the Active's at its applied LSN.
    HotMeansEqual,
    /// A change that a successor did not have never appears again.
    NoZombie,
    /// A unit begins to act with a prefix of what was executed, its startup store, or its own config.
    WholeOrStartup,
    /// A message of another session changes nothing.
    NoStale,
    /// Faults stopped, the pair becomes hot.
    Converges,
}

/// A state of affairs that a search must have met, or what it found means little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Situation {
    /// The register names a session.
    Hot,
    /// A prompt returned `replicated`.
    Replicated,
    /// A prompt returned `local` after it had been held.
    HeldThenLocal,
    /// A unit took over with a replica.
    TookOverStateful,
    /// A unit booted its startup store.
    TookOverCold,
    /// A unit went on with its own config in a newer term.
    Resumed,
    /// A lapsed unit acted again in the same term.
    Regranted,
    /// An offer was declined.
    Declined,
    /// The register's Standby was passed over.
    PassedOver,
    /// The role was released by a planned switchover.
    Released,
    /// A message of another session arrived.
    StaleArrived,
    /// A change was executed while a snapshot was on its way.
    ChangedInBulk,
}

impl Situation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Hot,
        Self::Replicated,
        Self::HeldThenLocal,
        Self::TookOverStateful,
        Self::TookOverCold,
        Self::Resumed,
        Self::Regranted,
        Self::Declined,
        Self::PassedOver,
        Self::Released,
        Self::StaleArrived,
        Self::ChangedInBulk,
    ];
}

/// What the properties remember; no party knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watch {
    /// Executed changes: (term, LSN, command).
    pub log: Vec<(u16, u16, u16)>,
    /// Commands returned `replicated` in the present term.
    pub replicated: u32,
    /// What the next Active must have.
    pub expected: u32,
    /// The register's Standby restarted, declined or was out of reach.
    pub excused: bool,
    /// Commands in the config that a planned switchover released.
    pub planned: Option<(u8, u32)>,
    /// Slots that restarted since; the third bit: the successor declined or was out of reach.
    pub failed: u8,
    /// Commands that a successor did not have.
    pub dead: u32,
}

/// Observes one step: the watch goes on, situations are noted, the property that fails is named.
pub fn observe<E: Effects>(
    scope: &Scope<E>,
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut Watch,
    met: &mut impl FnMut(Situation),
) -> Option<Property> {
    remember(before, action, step, watch, met);
    let mut failed = None;
    let mut check = |property: Property, holds: bool| {
        if !holds && failed.is_none() {
            failed = Some(property);
        }
    };
    let acting = step
        .state
        .units
        .iter()
        .filter(|unit| matches!(unit.part, Part::Active(_)));
    check(Property::SingleActive, acting.count() <= 1);
    for answer in &step.answers {
        match answer {
            Answer::Replicated { .. } => met(Situation::Replicated),
            Answer::Local { .. } if !matches!(action, Action::Command(..)) => {
                met(Situation::HeldThenLocal);
            }
            Answer::Local { .. } | Answer::Unchanged | Answer::Refused | Answer::Unknown { .. } => {
            }
        }
    }
    check(Property::NoSplitAck, check_no_split_ack(scope, step, watch));
    check(Property::NoStale, check_no_stale(before, action, step, met));
    check(
        Property::HotMeansEqual,
        check_hot_means_equal(scope, step, watch),
    );
    for slot in 0..2u8 {
        let at = usize::from(slot);
        if let Some(cfg) = begins_to_act(&before.state.units[at], &step.state.units[at]) {
            check_takeover(scope, before, step, slot, cfg, watch, &mut check, met);
        }
    }
    failed
}

/// The config of a unit that was no Active of its term and is one now.
fn begins_to_act(before: &Unit, after: &Unit) -> Option<u32> {
    let Part::Active(active) = &after.part else {
        return None;
    };
    match &before.part {
        Part::Active(_) => None,
        Part::Holder(holder) if holder.kept.is_some() => None,
        Part::Down | Part::Standby(_) | Part::Holder(_) => Some(active.cfg.0),
    }
}

fn remember(
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut Watch,
    met: &mut impl FnMut(Situation),
) {
    let (was, is) = (&before.state.arbiter, &step.state.arbiter);
    if was.register.is_none() && is.register.is_some() {
        watch.excused = false;
        met(Situation::Hot);
    }
    let ran = |arbiter: &crate::state::Arbiter| arbiter.holder.filter(|holder| holder.running);
    if let (Some(_), None) = (ran(was), ran(is)) {
        watch.expected |= if was.register.is_some() {
            watch.replicated
        } else {
            0
        };
        watch.replicated = 0;
    }
    match *action {
        Action::Crash(slot) => {
            watch.failed |= 1 << slot;
            let holds = was.register.is_some_and(|register| register.slot == slot)
                || was.offer.is_some_and(|offer| offer.slot == slot)
                || ran(was).is_some_and(|holder| holder.slot == slot && watch.expected != 0);
            watch.excused |= holds;
        }
        Action::Arbiter(crate::action::ArbiterTimer::TakeoverWait) => {
            watch.excused = true;
            watch.failed |= 4;
            if was.register.is_some() {
                met(Situation::PassedOver);
            }
        }
        Action::Deliver(Flight {
            to: To::Arbiter,
            msg: Msg::Decline { .. },
            ..
        }) if was.offer.is_some() && was.offer != is.offer => {
            watch.excused = true;
            watch.failed |= 4;
            met(Situation::Declined);
        }
        Action::Declares(_) => watch.excused = true,
        Action::Command(slot, id, _) => {
            let last = |unit: &Unit| match &unit.part {
                Part::Active(active) => Some((active.term, active.last)),
                Part::Down | Part::Standby(_) | Part::Holder(_) => None,
            };
            let at = usize::from(slot);
            let (old, new) = (last(&before.state.units[at]), last(&step.state.units[at]));
            if let (true, Some((term, lsn))) = (old != new, new) {
                watch.log.push((term, lsn, id));
                let in_bulk = before.state.active().is_some_and(|(_, active)| {
                    active
                        .current
                        .as_ref()
                        .is_some_and(|c| matches!(c.phase, Phase::Bulk(_)))
                });
                if in_bulk {
                    met(Situation::ChangedInBulk);
                }
            }
        }
        _ => {}
    }
    for slot in 0..2u8 {
        let at = usize::from(slot);
        let (old, new) = (&before.state.units[at].part, &step.state.units[at].part);
        match (old, new) {
            (Part::Active(active), Part::Holder(holder)) if holder.released => {
                met(Situation::Released);
                if active.draining || matches!(action, Action::Switchover(_)) {
                    watch.planned = Some((slot, holder.cfg.0));
                    watch.failed = 0;
                }
            }
            (Part::Holder(holder), Part::Active(_)) if holder.kept.is_some() => {
                met(Situation::Regranted);
            }
            _ => {}
        }
    }
}

fn check_no_split_ack<E: Effects>(scope: &Scope<E>, step: &Step, watch: &mut Watch) -> bool {
    let register = step.state.arbiter.register;
    step.answers.iter().all(|answer| match *answer {
        Answer::Local {
            durability: Durability::Async,
            ..
        } => !scope.async_counts || register.is_none(),
        Answer::Local { .. } => register.is_none(),
        Answer::Replicated { lsn } => {
            let Some((_, active)) = step.state.active() else {
                return false;
            };
            let id = watch
                .log
                .iter()
                .rev()
                .find(|(term, at, _)| (*term, *at) == (active.term, lsn));
            if let Some((_, _, id)) = id {
                watch.replicated |= bit(*id);
            }
            let session = active.current.as_ref().map(|current| current.session);
            register.is_some() && register.map(|register| register.session) == session
        }
        Answer::Unchanged | Answer::Refused | Answer::Unknown { .. } => true,
    })
}

fn session_of(msg: Msg) -> Option<Session> {
    match msg {
        Msg::Ready { session, .. }
        | Msg::Dump { session }
        | Msg::Diff { session }
        | Msg::Compatible { session }
        | Msg::Incompatible { session }
        | Msg::Config { session, .. }
        | Msg::Chunk { session, .. }
        | Msg::BulkDone { session, .. }
        | Msg::BulkAccept { session, .. }
        | Msg::BulkReject { session, .. }
        | Msg::Line { session, .. }
        | Msg::Applied { session, .. }
        | Msg::Hot { session, .. }
        | Msg::HotAck { session, .. }
        | Msg::Leave { session }
        | Msg::Left { session }
        | Msg::Down { session } => Some(session),
        Msg::Proceed { .. }
        | Msg::Hello { .. }
        | Msg::Renew { .. }
        | Msg::Decline { .. }
        | Msg::SetRegister { .. }
        | Msg::Release { .. }
        | Msg::Offer { .. }
        | Msg::Grant { .. }
        | Msg::Confirm { .. }
        | Msg::Join { .. } => None,
    }
}

fn check_no_stale(
    before: &Bounded,
    action: &Action,
    step: &Step,
    met: &mut impl FnMut(Situation),
) -> bool {
    let Action::Deliver(Flight {
        to: To::Unit(slot),
        msg,
        ..
    }) = *action
    else {
        return true;
    };
    let Some(session) = session_of(msg) else {
        return true;
    };
    let at = usize::from(slot);
    let own = match &before.state.units[at].part {
        Part::Standby(standby) => standby.seat.as_ref().map(|(s, _)| *s) == Some(session),
        Part::Active(active) => [
            active.offered,
            active.leaving,
            active.current.as_ref().map(|c| c.session),
        ]
        .contains(&Some(session)),
        Part::Down | Part::Holder(_) => false,
    };
    if own {
        return true;
    }
    met(Situation::StaleArrived);
    before.state.units[at] == step.state.units[at] && step.sent.is_empty()
}

/// The commands of `log` in `cfg` that stand behind `lsn` of the term.
fn behind(watch: &Watch, term: u16, lsn: u16) -> u32 {
    let later = watch
        .log
        .iter()
        .filter(|(of, at, _)| *of == term && *at > lsn);
    later.fold(0, |bits, (_, _, id)| bits | bit(*id))
}

fn check_hot_means_equal<E: Effects>(scope: &Scope<E>, step: &Step, watch: &Watch) -> bool {
    let Some(register) = step.state.arbiter.register else {
        return true;
    };
    let Some((slot, active)) = step.state.active() else {
        return true;
    };
    let same = active
        .current
        .as_ref()
        .is_some_and(|c| c.session == register.session);
    let Part::Standby(standby) = &step.state.units[usize::from(register.slot)].part else {
        return true;
    };
    let Some(replica) = standby
        .replica
        .filter(|r| same && r.session == register.session)
    else {
        return true;
    };
    let expected =
        scope.env.effects.carry(slot, active.cfg).0 & !behind(watch, active.term, replica.applied);
    let replicated = scope
        .env
        .effects
        .carry(slot, crate::state::Cfg(watch.replicated))
        .0
        & !replica.cfg.0;
    replica.applied >= register.lsn && replica.cfg.0 == expected && replicated == 0
}

#[expect(
    clippy::too_many_arguments,
    reason = "one takeover, seen from all sides"
)]
fn check_takeover<E: Effects>(
    scope: &Scope<E>,
    before: &Bounded,
    step: &Step,
    slot: u8,
    cfg: u32,
    watch: &mut Watch,
    check: &mut impl FnMut(Property, bool),
    met: &mut impl FnMut(Situation),
) {
    let startup = step.state.units[usize::from(slot)].startup;
    let runs = matches!(&before.state.units[usize::from(slot)].part,
        Part::Holder(holder) if holder.runs);
    let carried = |bits: u32| scope.env.effects.carry(slot, crate::state::Cfg(bits)).0;
    let from = step.state.arbiter.line.last().and_then(|(_, from)| *from);
    met(match (runs, watch.planned) {
        (false, _) => Situation::TookOverCold,
        (true, Some((former, _))) if former == slot => Situation::Resumed,
        (true, _) => Situation::TookOverStateful,
    });
    let lost = carried(watch.expected) & !cfg;
    check(
        Property::NoAckedLoss,
        (watch.excused && scope.excuses) || lost == 0,
    );
    if let Some((former, executed)) = watch.planned {
        let both = watch.failed & 3 == 3;
        let restarted = watch.failed & (1 << former) != 0;
        let gone = watch.failed & (4 | (1 << (1 - former))) != 0;
        let excused = both || (restarted && gone);
        check(
            Property::PlannedLosesNothing,
            excused || carried(executed) & !cfg == 0,
        );
    }
    let prefix = watch
        .log
        .iter()
        .map(|(_, _, id)| bit(*id))
        .filter(|b| carried(*b) != 0);
    let holes = prefix.fold((false, false), |(gap, hole), b| {
        (gap | (cfg & b == 0), hole | (gap && cfg & b != 0))
    });
    check(
        Property::WholeOrStartup,
        !holes.1 || cfg == startup.1.0 || watch.dead != 0,
    );
    let off_line = from.is_none() && !crate::step::on_line(&before.state.arbiter, startup.0);
    check(Property::NoZombie, off_line || cfg & watch.dead == 0);
    if runs {
        let all = watch.log.iter().fold(0, |bits, (_, _, id)| bits | bit(*id));
        watch.dead |= carried(all) & !cfg;
    }
    watch.expected = 0;
    watch.excused = false;
    watch.planned = None;
}

/// Whether the pair is where it is to be: hot, with nothing under way.
pub fn converged(state: &Bounded) -> bool {
    let Some((slot, active)) = state.state.active() else {
        return false;
    };
    let hot = active
        .current
        .as_ref()
        .is_some_and(|current| current.phase == Phase::Hot && current.acked == active.last);
    let other = &state.state.units[usize::from(1 - slot)].part;
    hot && active.prompts.is_empty()
        && matches!(other, Part::Standby(standby) if standby.replica.is_some())
}
