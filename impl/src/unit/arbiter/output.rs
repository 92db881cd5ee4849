//! What comes out of the arbiter.

use super::{ArbiterTimer, LeaseHolder, Offer};
use crate::ids::Slot;
use crate::message::{Eligible, Message, Stamp, ToUnit};

/// What comes out of the arbiter. Its state is durable before the first of a step's outputs is
/// performed: that is the driver's part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterOutput {
    /// Send a message.
    Send {
        /// To that slot.
        to: Slot,
        /// The message.
        message: ToUnit,
    },
    /// Arm a timer, anew if it runs already.
    SetTimer(ArbiterTimer),
    /// Stop a timer.
    CancelTimer(ArbiterTimer),
    /// Something happened.
    Event(ArbiterEvent),
}

impl ArbiterOutput {
    /// The output as a message of the protocol, if it is one.
    pub fn as_message(&self) -> Option<(Slot, Message)> {
        match self {
            Self::Send { to, message } => Some((*to, Message::ToUnit(*message))),
            Self::SetTimer(_) | Self::CancelTimer(_) | Self::Event(_) => None,
        }
    }
}

/// What the arbiter tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterEvent {
    /// A term was offered.
    Offered(Offer),
    /// The offered store is off the line: no other unit is in reach.
    OffTheLine {
        /// The store's stamp.
        stamp: Stamp,
    },
    /// The unit that the register named did not take over: its config was passed over.
    PassedOver(Eligible),
    /// An offer was accepted.
    Accepted(LeaseHolder),
    /// A lease is over.
    LeaseOver(LeaseHolder),
    /// Its state was lost: it is silent for a lease.
    Lost,
    /// A unit has seen a later generation than its state has: that counts as lost.
    Older {
        /// The state's generation.
        had: u64,
        /// What the unit has seen.
        seen: u64,
    },
    /// The Offer that follows is made with the line unknown: what was taken over since the offered
    /// config was written may be missing, and what was left behind may come back.
    LineUnknown,
}
