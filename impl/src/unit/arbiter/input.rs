//! What goes into the arbiter, and its timers.

use crate::ids::{Slot, Term};
use crate::message::ToArbiter;
use crate::unit::Limits;

/// What goes into the arbiter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterInput {
    /// It starts with the state that its disk has; no timer runs.
    Recovered {
        /// A term no less than any that it ever used, from its world: a clock in its upper bits.
        term: Term,
    },
    /// It starts, and its disk has no state.
    StateLost {
        /// As at `Recovered`.
        term: Term,
        /// A generation no less than any that it ever told, from its world.
        generation: u64,
    },
    /// A message came.
    Message {
        /// From that slot.
        from: Slot,
        /// The message.
        message: ToArbiter,
    },
    /// A timer is due.
    Timer(ArbiterTimer),
}

/// The arbiter's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterTimer {
    /// Hellos were gathered.
    Gather,
    /// The offer stood long enough.
    TakeoverWait,
    /// The lease is over.
    Lease,
    /// The offer is sent again.
    Resend,
}

impl ArbiterTimer {
    /// How long the timer runs.
    ///
    /// # Units
    /// Milliseconds of the arbiter's clock.
    pub fn length_ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Gather => limits.gather_ms,
            Self::TakeoverWait => limits.takeover_wait_ms,
            Self::Lease => limits.arbiter_lease_ms(),
            Self::Resend => limits.resend_ms,
        }
    }
}
