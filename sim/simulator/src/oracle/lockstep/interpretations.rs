//! What an input of the engine may be in the model: a few sequences of actions, or a named stutter.

use skewsync::message::{Message, Redundancy};
use skewsync::unit::standby::StandbyPhase as SeatPhase;
use skewsync::unit::{Command, Input, Output, Request, Role, Timer as EngineTimer, Unit};
use skewsync_model::action::{Action, Durability, Timer};
use skewsync_model::state::{self as model, Flight, Keeps, Lsn, Msg, Rejection, Session, Slot, To};

use super::config_ids::ending;
use super::effects::came_to;
use super::ended;
use crate::abstraction::CHANGED;

/// An input after which the model stands still. All that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stutter {
    /// A chunk of a file that is not whole by it, or what of a file has come.
    File,
    /// A Keepalive that says nothing of what was applied.
    Keepalive,
    /// A save, on its way or done.
    Save,
    /// A write is durable of which the model does not speak.
    Written,
    /// A timer that arms itself anew, or that was due when the part changed.
    Timer,
    /// An operator's request that is refused, or changes no more than the mode of redundancy.
    Request,
    /// A lease ended on which nobody acted.
    Lapse,
    /// A pairing that is not waited for any more.
    Paired,
    /// A Join to an Active that serves nobody.
    Simplex,
}

/// What an input may be.
#[derive(Debug, Default)]
pub(super) struct Interpretations {
    /// Sequences of actions.
    pub(super) actions: Vec<Vec<Action>>,
    /// It may be this stutter.
    pub(super) stutter: Option<Stutter>,
}

impl Interpretations {
    fn one(actions: impl Into<Vec<Action>>) -> Self {
        Self { actions: vec![actions.into()], stutter: None }
    }

    fn or(mut self, actions: impl Into<Vec<Action>>) -> Self {
        self.actions.push(actions.into());
        self
    }

    const fn or_stutter(mut self, stutter: Stutter) -> Self {
        self.stutter = Some(stutter);
        self
    }

    const fn stutter(stutter: Stutter) -> Self {
        Self { actions: Vec::new(), stutter: Some(stutter) }
    }
}

/// What a command may be, by what it came to: executed now or later, or refused. It may end the
/// session.
pub(super) fn command(
    slot: skewsync::ids::Slot,
    command: &Command,
    outputs: &[Output],
    unit: &Unit,
) -> Interpretations {
    let durability = match command.durability {
        skewsync::unit::Durability::Acked => Durability::Acked,
        skewsync::unit::Durability::Async => Durability::Async,
    };
    let entered = |id| [Action::Command(slot.0, id, durability)];
    let id = came_to(command.id, outputs, unit);
    let read = Interpretations::one(entered(id));
    match ended(outputs).filter(|_| id == CHANGED) {
        Some(why) => read.or(entered(ending(why))),
        None => read,
    }
}

/// What a message to a unit may be. `before`: the model's unit; `after`: the engine's.
pub(super) fn message(
    message: &Message,
    flight: Option<Flight>,
    before: &model::Role,
    after: &Unit,
) -> Interpretations {
    let Some(flight) = flight else {
        return match message {
            Message::Keepalive { .. } => Interpretations::stutter(Stutter::Keepalive),
            Message::Have { .. } => Interpretations::stutter(Stutter::File),
            _ => Interpretations::stutter(Stutter::Save),
        };
    };
    let slot = after.own.slot.0;
    let delivered = Interpretations::one([Action::Deliver(flight)]);
    match (flight.msg, before) {
        // It waits until the term is on the disk; but what it says of the arbiter's state is known.
        (Msg::Grant { boot, term, generation, .. }, model::Role::Holder(_)) if waits(after) => {
            let msg = Msg::Grant { boot, term, n: 0, generation };
            delivered.or([Action::Deliver(Flight { msg, ..flight })])
        }
        (Msg::Proceed { .. }, _) => delivered.or([Action::AtHand(flight)]),
        (Msg::Join { .. }, model::Role::Active(_)) if serves_nobody(after) => {
            delivered.or_stutter(Stutter::Simplex)
        }
        (Msg::Applied { .. }, model::Role::Active(_)) => {
            delivered.or([Action::Disagrees(flight, true)]).or([Action::Disagrees(flight, false)])
        }
        (Msg::BulkDone { .. }, model::Role::Active(_)) => {
            let rejects = |why, keeps| [Action::Rejects(flight, why, keeps)];
            delivered
                .or(rejects(Rejection::Reset, Keeps::Nothing))
                .or(rejects(Rejection::Rpr, Keeps::Nothing))
                .or(rejects(Rejection::Rpr, Keeps::Replica))
                .or(rejects(Rejection::Simplex, Keeps::Nothing))
        }
        (Msg::Diff { .. }, model::Role::Active(active)) => {
            let comes = active
                .current
                .as_ref()
                .is_some_and(|c| matches!(c.phase, model::Phase::Dump | model::Phase::Diff));
            let read = delivered
                .or([Action::Deliver(flight), Action::Paired(slot)])
                .or([Action::Deliver(flight), Action::Incompatible(slot)])
                .or([Action::Deliver(flight), Action::Timer(slot, Timer::GiveUp)]);
            if comes { read.or_stutter(Stutter::File) } else { read }
        }
        (Msg::Dump { .. }, model::Role::Standby(_)) => delivered.or_stutter(Stutter::File),
        (Msg::Chunk { .. } | Msg::Config { .. }, model::Role::Standby(_)) => {
            delivered.or_stutter(Stutter::File)
        }
        (Msg::Line { .. } | Msg::BulkAccept { .. }, model::Role::Standby(_)) => {
            delivered.or([Action::Fails(flight)])
        }
        // The dump comes: the engine waits for its end only.
        (Msg::Incompatible { .. }, model::Role::Standby(_)) if is_receiving(after) => {
            delivered.or_stutter(Stutter::File)
        }
        _ => delivered,
    }
}

/// The Keepalive of a Standby that says what it has applied is an Applied that says what the last
/// one did, if it is of the LSN acknowledged last; else nothing.
pub(super) fn keepalive(
    (from, to): (Slot, Slot),
    (session, lsn): (Session, Lsn),
    before: &model::Role,
) -> Interpretations {
    let current = match before {
        model::Role::Active(active) => active.current.as_ref(),
        model::Role::Down | model::Role::Standby(_) | model::Role::Holder(_) => None,
    };
    let current = current.filter(|of| of.phase.sends_lines() && of.acked == lsn);
    let Some(missing) = current.map(|current| current.missing) else {
        return Interpretations::stutter(Stutter::Keepalive);
    };
    let flight = Flight { from, to: To::Unit(to), msg: Msg::Applied { session, lsn, missing } };
    Interpretations::one([Action::Deliver(flight)])
        .or([Action::Disagrees(flight, true)])
        .or([Action::Disagrees(flight, false)])
}

/// Whether a Grant waits until the unit's term is on its disk.
fn waits(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Holder(holder) if holder.waits.is_some())
}

fn serves_nobody(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Active(active) if active.mode().redundancy() == Redundancy::Simplex)
}

fn is_receiving(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Standby(standby)
        if standby.seat.as_ref().is_some_and(|seat| matches!(seat.phase, SeatPhase::Dump(_))))
}

/// What another input of a unit may be.
pub(super) fn input(
    input: &Input,
    slot: Slot,
    before: &model::Role,
    after: &Unit,
) -> Interpretations {
    match input {
        Input::Timer(of) => timer(*of, slot, before, after),
        Input::LeaseLapsed => match before {
            model::Role::Active(_) => Interpretations::one([Action::LeaseLapsed(slot)]),
            _ => Interpretations::stutter(Stutter::Lapse),
        },
        Input::Paired(_) => Interpretations::one([Action::Paired(slot)])
            .or([Action::Incompatible(slot)])
            .or([Action::Timer(slot, Timer::GiveUp)])
            .or_stutter(Stutter::Paired),
        Input::Operator { request, .. } => match request {
            Request::Switchover => {
                Interpretations::one([Action::Switchover(slot)]).or_stutter(Stutter::Request)
            }
            Request::ForcedSwitchover => {
                Interpretations::one([Action::Forced(slot)]).or_stutter(Stutter::Request)
            }
            Request::RetrySso => match before {
                model::Role::Active(_) => Interpretations::one([Action::Retry(slot)])
                    .or([Action::Retry(slot), Action::Again(slot, Keeps::Replica)]),
                _ => Interpretations::stutter(Stutter::Request),
            },
            Request::ResetPeer => Interpretations::one([Action::Again(slot, Keeps::Nothing)])
                .or_stutter(Stutter::Request),
            Request::Save => Interpretations::stutter(Stutter::Save),
        },
        Input::Persisted(_) | Input::PersistFailed(_) => Interpretations::stutter(Stutter::Written),
        Input::Message { .. } | Input::Command(_) => {
            unreachable!("messages and commands are read elsewhere")
        }
    }
}

fn timer(of: EngineTimer, slot: Slot, before: &model::Role, after: &Unit) -> Interpretations {
    let fires = |timer| Interpretations::one([Action::Timer(slot, timer)]);
    let still = Interpretations::stutter(Stutter::Timer);
    let in_session = match before {
        model::Role::Active(active) => active.current.is_some(),
        model::Role::Standby(standby) => standby.seat.is_some(),
        model::Role::Down | model::Role::Holder(_) => false,
    };
    match (of, before) {
        (EngineTimer::Hello, _) => fires(Timer::Hello),
        (EngineTimer::Join, model::Role::Holder(_)) => fires(Timer::Join),
        (EngineTimer::Join, model::Role::Standby(standby)) if standby.seat.is_none() => {
            fires(Timer::Join)
        }
        (EngineTimer::Renew, model::Role::Holder(_) | model::Role::Active(_)) => {
            fires(Timer::Renew)
        }
        (EngineTimer::Register, model::Role::Active(active)) if active.register.open => {
            fires(Timer::Register)
        }
        (EngineTimer::Resend, model::Role::Active(_)) => fires(Timer::Resend),
        (EngineTimer::Resend, model::Role::Standby(_)) if resends(after) => fires(Timer::Resend),
        (EngineTimer::Watchdog, _) if in_session => fires(Timer::GiveUp),
        (EngineTimer::Deadline | EngineTimer::Ack, _) if in_session => {
            fires(Timer::GiveUp).or_stutter(Stutter::Timer)
        }
        (EngineTimer::Backoff, model::Role::Active(_)) if in_session => {
            Interpretations::one([Action::Again(slot, Keeps::Replica)]).or_stutter(Stutter::Timer)
        }
        (EngineTimer::Pace, model::Role::Active(active)) if active.pacing => {
            fires(Timer::Pace).or_stutter(Stutter::Timer)
        }
        (EngineTimer::Stable, model::Role::Active(active))
            if active
                .current
                .as_ref()
                .is_some_and(|current| current.phase == model::Phase::Hot) =>
        {
            fires(Timer::Stable)
        }
        (EngineTimer::Drain, model::Role::Active(active)) if active.draining => {
            Interpretations::one([Action::DrainOver(slot)])
        }
        (EngineTimer::Queue, model::Role::Holder(_)) => {
            fires(Timer::Queue).or_stutter(Stutter::Timer)
        }
        (EngineTimer::Prompt, model::Role::Active(_)) => {
            fires(Timer::Prompt).or_stutter(Stutter::Timer)
        }
        _ => still,
    }
}

/// Whether the Standby owes something that the model speaks of.
fn resends(unit: &Unit) -> bool {
    let Role::Standby(standby) = &unit.part else {
        return false;
    };
    standby.seat.as_ref().is_some_and(|seat| match seat.phase {
        SeatPhase::Ready { .. }
        | SeatPhase::Diffed { .. }
        | SeatPhase::Shadow(_)
        | SeatPhase::Unread { .. } => true,
        SeatPhase::Dump(_)
        | SeatPhase::Pairing
        | SeatPhase::Config { .. }
        | SeatPhase::Synced { .. }
        | SeatPhase::Rpr
        | SeatPhase::Held => false,
    })
}
