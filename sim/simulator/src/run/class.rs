//! The class of a step: what its unit showed, how far its session was, and what sort of input came.
//! How many classes a campaign visits says how much of the protocol it met.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use skewsync::message::MessageKind as Kind;
use skewsync::unit::{Input, Request, RfState, Timer};

use crate::history::{Machine, Role};

/// Stands for the session of a unit that has none.
const NONE: &str = "-";

/// A word that is the program's own, or was read from a file.
pub type Word = Cow<'static, str>;

/// The class of a step, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// What the unit showed of itself.
    pub role: Word,
    /// How far its session was; `-` without one.
    pub session: Word,
    /// What sort of input came.
    pub input: Word,
}

/// The same as it is counted in a run. What tells most apart is compared first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    input: Sort,
    role: RfState,
    session: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Message(Kind),
    Timer(Timer),
    Request(Request),
    Other(&'static str),
}

impl Step {
    /// The class of a step that the unit is about to make.
    pub(super) fn from_input(machine: &Machine, input: &Input) -> Self {
        Self {
            input: Sort::from_input(input),
            role: machine.shows,
            session: session(&machine.role),
        }
    }
}

impl From<Step> for Class {
    fn from(step: Step) -> Self {
        Self {
            role: step.role.name().into(),
            session: step.session.into(),
            input: step.input.to_string().into(),
        }
    }
}

impl Sort {
    const fn from_input(input: &Input) -> Self {
        match input {
            Input::Message { message, .. } => Self::Message(message.kind()),
            Input::Timer(timer) => Self::Timer(*timer),
            Input::Operator { request, .. } => Self::Request(*request),
            Input::Command(_) => Self::Other("command"),
            Input::LeaseLapsed => Self::Other("lease lapsed"),
            Input::Paired(_) => Self::Other("paired"),
            Input::Persisted(_) => Self::Other("persisted"),
            Input::PersistFailed(_) => Self::Other("persist failed"),
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(kind) => write!(f, "{kind:?}"),
            Self::Timer(timer) => write!(f, "timer {timer:?}"),
            Self::Request(request) => write!(f, "operator {request:?}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

fn session(role: &Role) -> &'static str {
    match role {
        Role::Holder(_) => NONE,
        Role::Active(acting) => match &acting.session {
            Some(session) => session.phase.name(),
            None if acting.offered.is_some() => "offered",
            None => NONE,
        },
        Role::Standby(waiting) => waiting.seat.map_or(NONE, |seat| seat.phase.name()),
    }
}
