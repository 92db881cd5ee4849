//! What must hold (PROTOCOL.md, section 8), as predicates over states and steps.

mod history;
mod pair;
mod takeover;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::action::{Action, Durability, Timer};
use crate::effects::{Meaning, bit};
use crate::scope::{Bounded, Scope};
use crate::state::{Active, Eligible, Flight, Msg, Role, Slot, To};
use crate::step::{Answer, Execution, Step};

pub use history::{History, How, Made};

/// What must hold: the properties of PROTOCOL.md, section 8, in its order, and `lockstep`. Model,
/// simulation and reports share these names.
///
/// ```
/// use skewsync_model::property::Property;
/// assert_eq!("NoZombie".parse(), Ok(Property::NoZombie));
/// assert_eq!(Property::Lockstep.to_string(), "lockstep");
/// ```
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumIter,
    EnumString,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
pub enum Property {
    /// No two units act, and no term is accepted twice.
    SingleActive,
    /// `local` never while the register is set, `replicated` never unless it names the session.
    NoSplitAck,
    /// What was returned `replicated` is in the next Active's config, unless excused.
    NoAckedLoss,
    /// What was returned `replicated` is in the config of every later Active while a memory of it
    /// is left.
    ReplicatedIsKept,
    /// A planned switchover loses no executed command, unless both fail.
    PlannedLosesNothing,
    /// A unit shows itself, and an Active its peer, as STANDBY HOT only in a session that the
    /// register holds, within a bound in time.
    HotIsServed,
    /// While the register is set its Standby has swapped in, and its config is the Active's at its
    /// applied LSN.
    HotMeansEqual,
    /// In every phase the config made line by line is the one that a snapshot would make.
    Commutes,
    /// A received line executes, as the form that corresponds to its own.
    NoForeignLine,
    /// While the register is set a command is on the other side, a don't-care, or listed there.
    NoSilentDrop,
    /// A stateful successor lists exactly what its config lacks.
    ListedAtTakeover,
    /// The applied LSNs of a session are s + 1 .. n without gap or repeat.
    OrderOnce,
    /// A message of another session changes nothing; a newer term seen makes an Active stop.
    NoStale,
    /// A unit begins to act with the Active's config at one LSN, its startup store, or its own
    /// config.
    WholeOrStartup,
    /// A refused command leaves the units as they were.
    RefusedLeavesNothing,
    /// A change that a successor did not have never appears again.
    NoZombie,
    /// A startup store holds a config that was saved, and never gives way to an earlier one.
    SavedSurvives,
    /// Two stateful switchovers without a change give the config back.
    RoundTrip,
    /// Ordered resets are at most `max_resets`, across switchovers.
    BoundedResets,
    /// Sessions that an Active begins in sso with one boot of a Standby are at most `max_attempts`,
    /// each after its pause.
    BoundedAttempts,
    /// Faults stopped, the pair becomes hot, or what policy made of it.
    Converges,
    /// Every command gets one outcome, no prompt and no queue is forgotten, and what waits at a
    /// holder has a deadline (its length: the simulation's).
    Answers,
    /// A unit acts within a bound after the Active's death, if the register is set.
    Available,
    /// No unit holds two roles.
    OneRole,
    /// What live units show is so within a keepalive's period, with the reason.
    Honest,
    /// No more prompts are held, nor commands queued, than there is room for.
    Bounded,
    /// Each step of the engine is one that the model allows.
    #[strum(serialize = "lockstep")]
    #[serde(rename = "lockstep")]
    Lockstep,
}

impl Property {
    /// What a search says of it: the situation without which that is nothing, or the reason why the
    /// model cannot say it.
    ///
    /// # Errors
    /// That reason.
    pub const fn witness(self) -> Result<Situation, &'static str> {
        Ok(match self {
            Self::SingleActive => Situation::Regranted,
            Self::NoSplitAck => Situation::HeldThenLocal,
            Self::NoAckedLoss => Situation::ReplicatedThenLost,
            Self::PlannedLosesNothing => Situation::Released,
            Self::ReplicatedIsKept => Situation::TookOverStale,
            Self::HotMeansEqual | Self::Converges => Situation::Hot,
            Self::Commutes | Self::OrderOnce => Situation::LineApplied,
            Self::NoSilentDrop => Situation::HotListing,
            Self::ListedAtTakeover => Situation::TookOverListing,
            Self::NoStale => Situation::StaleArrived,
            Self::WholeOrStartup => Situation::TookOverStateful,
            Self::RefusedLeavesNothing => Situation::Refused,
            Self::NoZombie => Situation::ChangesDied,
            Self::SavedSurvives => Situation::StoredAtPeer,
            Self::RoundTrip => Situation::RoundTripped,
            Self::BoundedResets => Situation::ResetOrdered,
            Self::Answers => Situation::Unknown,
            Self::Bounded => Situation::QueueFull,
            Self::NoForeignLine => {
                return Err("levels, forms and parsers do not exist in the model");
            }
            Self::HotIsServed => {
                return Err(
                    "speaks of a period after the register changed; the model has no time \
                            and no Keepalive",
                );
            }
            Self::BoundedAttempts => {
                return Err("a pause between attempts is a time; the model counts attempts alone");
            }
            Self::Available => {
                return Err("a bound in time; that a unit acts at last is part of Converges");
            }
            Self::Honest => return Err("what is shown travels by Keepalive, within its period"),
            Self::OneRole => return Err("needs a second role: 1:N is not modelled"),
            Self::Lockstep => return Err("holds the engine against the model"),
        })
    }

    /// Those that a search holds.
    pub fn searched() -> impl Iterator<Item = Self> {
        Self::iter().filter(|property| property.witness().is_ok())
    }
}

/// Of a property that the model states, the part that it cannot say, with the reason. The
/// simulation states it.
pub const ELSEWHERE: [(Property, &str, &str); 4] = [
    (
        Property::Bounded,
        "bytes",
        "the model has no bytes; its windows and queues are the smallest that work",
    ),
    (
        Property::Answers,
        "its bound",
        "the model says that each command has one outcome at last, not when",
    ),
    (
        Property::SavedSurvives,
        "torn writes",
        "a write is one step in the model; power loss in its middle is the simulated disk's",
    ),
    (
        Property::ListedAtTakeover,
        "the event",
        "the model compares what is kept beside the config; the event's words are the engine's",
    ),
];

/// A state of affairs that a search must have met, or what it found means little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter)]
pub enum Situation {
    /// The register names a session.
    Hot,
    /// A prompt returned `replicated`.
    Replicated,
    /// A prompt returned `local` after it had been held.
    HeldThenLocal,
    /// A prompt returned `unknown`.
    Unknown,
    /// The words of a command whose prompt was held stood there already.
    UnchangedHeld,
    /// A term ended after prompts had returned `replicated` in it.
    ReplicatedThenLost,
    /// A Line was applied.
    LineApplied,
    /// The register's Standby lists a command.
    HotListing,
    /// A command was refused.
    Refused,
    /// A Standby declared itself not ready at a Line.
    Declared,
    /// A snapshot was rejected, and the Standby reset.
    ResetOrdered,
    /// The Standby is in rpr.
    InRpr,
    /// The Standby is held.
    InSimplex,
    /// A unit took over with a replica.
    TookOverStateful,
    /// A unit took over with a replica that lists a command.
    TookOverListing,
    /// A unit took over with a replica that outlived its session.
    TookOverStale,
    /// A unit booted its startup store.
    TookOverCold,
    /// A unit went on with its own config in a newer term.
    Resumed,
    /// A config came back after two switchovers.
    RoundTripped,
    /// A successor did not have all changes.
    ChangesDied,
    /// A store off the line was booted.
    OffLine,
    /// The peer stored what was saved.
    StoredAtPeer,
    /// A lapsed unit acted again in the same term.
    Regranted,
    /// An offer was declined.
    Declined,
    /// The register's Standby was passed over.
    PassedOver,
    /// The role was released by a planned switchover.
    Released,
    /// A drain took too long.
    DrainOver,
    /// The arbiter was away.
    ArbiterAway,
    /// The arbiter lost its state.
    ArbiterLost,
    /// A message of another session arrived.
    StaleArrived,
    /// A change was executed while a snapshot was on its way.
    ChangedInBulk,
    /// A command waited and was executed later.
    ExecutedLater,
    /// A command waited and was refused later.
    RefusedLater,
    /// A command found the queue full.
    QueueFull,
    /// Timer Queue fired.
    QueueTimedOut,
    /// A prompt waited too long for the Confirm of a clear.
    ClearTimedOut,
    /// A snapshot or a Line did not decode.
    Unreadable,
    /// As many attempts failed as there are.
    AttemptsUsedUp,
}

/// Observes one step: the watch goes on, situations are noted, the property that fails is named.
pub fn observe<E: Meaning>(
    scope: &Scope<E>,
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) -> Option<Property> {
    history::remember(&scope.env, before, action, step, watch, met);
    let mut failed = None;
    let mut check = |property: Property, holds: bool| {
        let asked = scope.asks.is_none_or(|asked| asked == property);
        if asked && !holds && failed.is_none() {
            failed = Some(property);
        }
    };
    let acting = step.state.units.iter().filter(|unit| matches!(unit.part, Role::Active(_)));
    check(Property::SingleActive, acting.count() <= 1 && !watch.granted_again);
    check(Property::NoSplitAck, check_no_split_ack(scope, before, step, watch));
    check(Property::NoStale, check_no_stale(before, action, step, met));
    check(Property::Answers, check_answers(before, action, step, met));
    check(Property::RefusedLeavesNothing, check_refused(before, action, step, watch, met));
    check(Property::Bounded, check_bounded(scope, step));
    check(Property::BoundedResets, watch.resets <= scope.max_resets);
    check(Property::SavedSurvives, pair::check_saved(scope, before, step, watch, met));
    check(Property::OrderOnce, pair::check_order_once(before, step, met));
    pair::check(scope, step, watch, &mut check, met);
    takeover::check_replicated_is_kept(before, step, watch, &mut check);
    for slot in 0..2u8 {
        takeover::check(scope, before, step, slot, watch, &mut check, met);
    }
    history::enter(before, step, true, watch, met);
    failed
}

fn check_no_split_ack<E>(
    scope: &Scope<E>,
    before: &Bounded,
    step: &Step,
    watch: &mut History,
) -> bool {
    let register = step.state.arbiter.register;
    // An arbiter that lost its state, or has an older one, knows no more what it confirmed.
    let astray = watch.astray;
    step.answers.iter().all(|answer| match *answer {
        Answer::Local { durability: Durability::Async, .. } => {
            !scope.async_counts || register.is_none()
        }
        Answer::Local { .. } => register.is_none() || astray,
        Answer::Replicated { lsn } => {
            let Some((slot, active)) = step.state.active() else {
                return false;
            };
            watch.replicated = watch.replicated.max(lsn);
            watch.keep(&step.state, slot, active.term, lsn);
            let session = active.current.as_ref().map(|current| current.session);
            let names = |register: Option<Eligible>| {
                register.is_some() && register.map(|register| register.session) == session
            };
            let confirmed = [&before.state, &step.state].into_iter().any(|state| {
                let register = state.active().map(|(_, active)| active.register);
                register.is_some_and(|register| !register.open && names(register.value))
            });
            names(register) || astray && confirmed
        }
        Answer::Unchanged | Answer::Refused | Answer::Unknown { .. } => true,
    })
}

/// Prompts are held or queued, entered and answered, and nothing else: only a crash takes them
/// along. What waits at a holder waits under a timer; at an Active, under its lease.
fn check_answers(
    before: &Bounded,
    action: &Action,
    step: &Step,
    met: &mut impl FnMut(Situation),
) -> bool {
    let held = |units: &[crate::state::Unit; 2]| -> usize {
        let of_active = |active: &Active| active.prompts.len() + active.queue.len();
        let waiting = |unit: &crate::state::Unit| match &unit.part {
            Role::Active(active) => of_active(active),
            Role::Holder(holder) => {
                holder.queue.len() + holder.suspended.as_deref().map_or(0, of_active)
            }
            Role::Down | Role::Standby(_) => 0,
        };
        units.iter().map(waiting).sum()
    };
    let is_bounded = |unit: &crate::state::Unit| match &unit.part {
        Role::Holder(holder) => holder.queue.is_empty() || holder.timed,
        Role::Down | Role::Standby(_) | Role::Active(_) => true,
    };
    let entered = usize::from(matches!(action, Action::Command(..)));
    for answer in &step.answers {
        match answer {
            Answer::Replicated { .. } => met(Situation::Replicated),
            Answer::Local { .. } if entered == 0 => met(Situation::HeldThenLocal),
            Answer::Unchanged if entered == 0 => met(Situation::UnchangedHeld),
            Answer::Unknown { .. } => met(Situation::Unknown),
            Answer::Local { .. } | Answer::Unchanged | Answer::Refused => {}
        }
    }
    match action {
        Action::Timer(_, Timer::Queue) => met(Situation::QueueTimedOut),
        Action::Timer(_, Timer::Prompt) => met(Situation::ClearTimedOut),
        _ => {}
    }
    let (was, is) = (held(&before.state.units), held(&step.state.units));
    let counts = was + entered == is + step.answers.len();
    step.state.units.iter().all(is_bounded) && (counts || matches!(action, Action::Crash(_)))
}

/// No more is held and queued than there is room for.
fn check_bounded<E>(scope: &Scope<E>, step: &Step) -> bool {
    let most = [scope.env.max_prompts, scope.env.max_queue].map(usize::from);
    step.state.units.iter().all(|unit| match &unit.part {
        Role::Active(active) => active.prompts.len() <= most[0] && active.queue.len() <= most[1],
        Role::Holder(holder) => holder.queue.len() <= most[1],
        Role::Down | Role::Standby(_) => true,
    })
}

/// A command that is refused at once leaves the units as they were; numbers are taken by changes
/// alone; and what was refused after it had waited is never executed.
fn check_refused(
    before: &Bounded,
    action: &Action,
    step: &Step,
    watch: &mut History,
    met: &mut impl FnMut(Situation),
) -> bool {
    let refused = matches!(action, Action::Command(..)) && step.answers.contains(&Answer::Refused);
    if refused {
        met(Situation::Refused);
    }
    let waited = before.state.units.iter().any(|unit| match &unit.part {
        Role::Active(active) => !active.queue.is_empty(),
        Role::Holder(holder) => !holder.queue.is_empty(),
        Role::Down | Role::Standby(_) => false,
    });
    if refused && waited {
        met(Situation::QueueFull);
    }
    if let Action::Command(_, id, _) = action {
        watch.refused &= !bit(*id);
    }
    let revives = |execution: &Execution| watch.refused & bit(execution.change.id) != 0;
    let revived = step.executed.iter().any(revives);
    for id in &step.refused {
        met(Situation::RefusedLater);
        watch.refused |= bit(*id);
    }
    let numbered = (0..2u8).all(|slot| numbers_changes(before, step, slot));
    !revived && numbered && (!refused || before.state.units == step.state.units)
}

/// An Active takes a number for each change that it executes, and for nothing else.
fn numbers_changes(before: &Bounded, step: &Step, slot: Slot) -> bool {
    let at = usize::from(slot);
    let (Role::Active(was), Role::Active(is)) =
        (&before.state.units[at].part, &step.state.units[at].part)
    else {
        return true;
    };
    let executed = step.executed.iter().filter(|executed| executed.slot == slot).count();
    was.term != is.term || usize::from(is.last - was.last) == executed
}

fn check_no_stale(
    before: &Bounded,
    action: &Action,
    step: &Step,
    met: &mut impl FnMut(Situation),
) -> bool {
    let Action::Deliver(Flight { to: To::Unit(slot), msg, .. }) = *action else {
        return true;
    };
    let at = usize::from(slot);
    let (old, new) = (&before.state.units[at].part, &step.state.units[at].part);
    if let (Msg::Proceed { session }, Role::Active(active)) = (msg, old)
        && session.term > active.term
    {
        return !matches!(new, Role::Active(_));
    }
    let Some(session) = msg.session() else {
        return true;
    };
    let own = match old {
        Role::Standby(standby) => standby.seat.as_ref().map(|(s, _)| *s) == Some(session),
        Role::Active(active) => [
            active.offered,
            active.leaving.map(|(session, _)| session),
            active.current.as_ref().map(|c| c.session),
        ]
        .contains(&Some(session)),
        Role::Down | Role::Holder(_) => false,
    };
    if own {
        return true;
    }
    met(Situation::StaleArrived);
    before.state.units[at] == step.state.units[at] && step.sent.is_empty()
}
