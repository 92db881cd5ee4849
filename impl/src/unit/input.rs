//! What goes into a unit.

use strum::VariantArray;

use super::env::PairingKey;
use super::store::Store;
use crate::digest::Shared;
use crate::ids::{BootId, CommandId, Term, WriteId};
use crate::message::{Address, Message};

/// One input: one step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// A message came.
    Message {
        /// Its sender.
        from: Address,
        /// The message.
        message: Message,
    },
    /// A timer that was armed is due.
    Timer(Timer),
    /// A command, or a batch that is committed as one.
    Command(Command),
    /// An operator asks for something else than a change.
    Operator {
        /// By which it is answered.
        id: CommandId,
        /// What is asked.
        request: Request,
    },
    /// The lease is over; the driver dropped every effect after its end.
    LeaseLapsed,
    /// The driver computed the pairing that `Pair` asked for; if the catalog does not hold it, it
    /// could not be computed.
    Paired(PairingKey),
    /// A write is durable.
    Persisted(WriteId),
    /// A write failed.
    PersistFailed(WriteId),
}

/// What the disk held when the unit started, and its boot id, durable before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Boot {
    /// Grows with each boot; across a lost disk too.
    pub boot: BootId,
    /// Whether the disk was lost.
    pub lost_disk: bool,
    /// The highest term that was written.
    pub highest: Term,
    /// The ordered resets that were written.
    pub resets: u32,
    /// Whether a generation of the startup store was there and does not read: `store` may be an
    /// older one than was saved last, or none.
    pub damaged: bool,
    /// The startup store, the newest generation that reads; none: the factory default.
    pub store: Option<Store>,
}

/// A configuration change as a terminal entered it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command {
    /// By which it is answered.
    pub id: CommandId,
    /// Configuration text, from the root mode: one line, or several that are one change.
    pub text: Shared<str>,
    /// What its prompt waits for.
    pub durability: Durability,
}

/// What a prompt waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// For the change to be in two memories.
    Acked,
    /// For nothing.
    Async,
}

/// What an operator may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Drain, then hand the role over.
    Switchover,
    /// Hand the role over at once.
    ForcedSwitchover,
    /// Write the running config to both units' startup stores.
    Save,
    /// Try sso again.
    RetrySso,
    /// Reset the Standby, uncounted.
    ResetPeer,
}

/// The timers of a unit. The driver picks the moment; lengths are in `Limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, VariantArray)]
pub enum Timer {
    /// Say Hello.
    Hello,
    /// Ask for a session.
    Join,
    /// Ask for the lease; or say Release again.
    Renew,
    /// Write the register again.
    Register,
    /// Send again what the peer has not answered.
    Resend,
    /// Nothing of the session was heard.
    Watchdog,
    /// Say that the session is alive.
    Keepalive,
    /// Half of what a prompt may wait.
    Ack,
    /// The phase took too long.
    Deadline,
    /// The drain took too long.
    Drain,
    /// The other unit did not say what became of a save.
    Save,
    /// Try sso again.
    Backoff,
    /// Hot for long.
    Stable,
    /// What waits at a unit that released has waited long enough.
    Queue,
    /// What waits for the Confirm of a clear has waited long enough.
    Prompt,
    /// One part of the pause after an attempt that failed.
    Pace,
}

impl Timer {
    /// All timers.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// How long the timer runs.
    ///
    /// # Units
    /// Milliseconds of the unit's clock.
    pub const fn length_ms(self, limits: &super::Limits) -> u64 {
        match self {
            Self::Hello => limits.hello_ms,
            Self::Join => limits.join_ms,
            Self::Renew => limits.renew_ms,
            Self::Register | Self::Resend => limits.resend_ms,
            Self::Watchdog => limits.watchdog_ms,
            Self::Keepalive => limits.keepalive_ms,
            Self::Ack => limits.ack_timeout_ms / 2,
            Self::Deadline => limits.deadline_ms,
            Self::Drain => limits.drain_timeout_ms,
            Self::Save => limits.save_timeout_ms,
            Self::Backoff | Self::Pace => limits.retry_backoff_ms,
            Self::Stable => limits.stable_time_ms,
            Self::Queue => limits.queue_timeout_ms,
            Self::Prompt => limits.prompt_wait_ms,
        }
    }
}
