//! Groups: what one transform reads and writes together, and what becomes of it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::digest::Shared;
use crate::grammar::shown;

use crate::config::{Line, LineKey, Place, Prc};
use crate::ids::ChangeId;

/// The unit of translation: one change, in one place, for one key.
///
/// `change: None` is a line by itself: as it is, or stuck without any change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The change, in the family's order.
    pub change: Option<ChangeId>,
    /// The innermost place that all lines of the group share.
    pub at: Place,
    /// The values that identify the group there, in the old side's words.
    pub key: Vec<Box<str>>,
}

/// What becomes of a group in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// It goes, as these lines.
    Made {
        /// The lines on the other side.
        out: Vec<(LineKey, Line)>,
        /// Lines on the other side that are said there by being absent.
        silent: Vec<LineKey>,
    },
    /// Raising: the rest of the group is still to come. Its lines stay in W.
    Pending,
    /// Nothing of the group goes; its lines are listed.
    Stuck(StuckCause),
}

/// Why a line cannot go. By words, since it crosses to a unit with another image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StuckCause {
    /// The facing side has no such form, and no change says what it was or became.
    NoTransform,
    /// The form goes, this value does not.
    Value {
        /// The capture's name.
        capture: Shared<str>,
        /// The value.
        value: Shared<str>,
        /// What would go, in the form language; empty if that is not known.
        allowed: Shared<str>,
    },
    /// Only part of a group is there, and the other side can only say the whole of it.
    Alone {
        /// A form of the group that is missing.
        missing: Shared<str>,
    },
    /// Lines of the group contradict each other.
    Conflict,
    /// What it would become is there already, from a line of its own.
    Taken,
    /// The words mean something else on the facing side, or more than one thing.
    Resolves,
    /// Nothing is in this mode instance, and the facing side has no such mode.
    EmptyMode,
    /// The facing unit's parser gave this.
    Peer(Prc),
    /// The facing unit refuses it for what else is there, or is not.
    Refused {
        /// The line that it does not stand beside, or not without.
        other: Shared<str>,
        /// Whether it does not stand without it.
        without: bool,
        /// Why, as declared.
        why: Shared<str>,
    },
    /// The rest of its group is still to come.
    Pending,
    /// What is made of it, taken back, is not it again.
    Unverified,
    /// A bound was met.
    Bound,
    /// It need not go: its change says so. It is kept for the way back.
    Dropped,
}

impl StuckCause {
    /// Whether a line ends so for what else is said beside it: it may go once that is gone.
    pub(crate) const fn is_of_others(&self) -> bool {
        matches!(self, Self::Conflict | Self::Taken | Self::Unverified)
    }
}

impl fmt::Display for StuckCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTransform => f.write_str("no such form, and no transform"),
            Self::Value { capture, value, .. } if value.is_empty() => {
                write!(f, "{} is missing", &**capture)
            }
            Self::Value { capture, value, allowed } if allowed.is_empty() => {
                write!(f, "{} {} does not go", &**capture, shown(value))
            }
            Self::Value { capture, value, allowed } => {
                write!(f, "{} {}: only {} goes", &**capture, shown(value), &**allowed)
            }
            Self::Alone { missing } => write!(f, "goes only together with `{}`", &**missing),
            Self::Conflict => f.write_str("lines of one group contradict each other"),
            Self::Taken => f.write_str("what it would become is there already"),
            Self::Resolves => f.write_str("the facing image reads these words as another command"),
            Self::EmptyMode => f.write_str("no such mode, and nothing in it"),
            Self::Peer(prc) => write!(f, "refused by the facing unit: {prc:?}"),
            Self::Refused { other, without, why } => {
                let how = if *without { "without" } else { "beside" };
                write!(f, "the facing unit refuses it {how} `{}`: {}", &**other, &**why)
            }
            Self::Pending => f.write_str("the rest of its group is still to come"),
            Self::Unverified => f.write_str("what comes of it does not give it back"),
            Self::Bound => f.write_str("a bound was met"),
            Self::Dropped => f.write_str("dropped, as its change says"),
        }
    }
}
