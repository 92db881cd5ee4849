//! What comes out of a unit.

use alloc::vec::Vec;

use super::env::PairingKey;
use super::input::Timer;
use super::store::Record;
use crate::digest::Shared;
use crate::ids::{CommandId, Lsn, Slot, Term, WriteId};
use crate::message::{
    Address, Bytes, Engine, LeaveWhy, Message, Mismatch, SaveResult, Session, Stamp, Unreadable,
};

/// One effect. The driver performs the effects of a step in order, before the next step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// Send a message.
    Send {
        /// Who receives it.
        to: Address,
        /// The message.
        message: Message,
    },
    /// Arm a timer, anew if it runs already.
    SetTimer(Timer),
    /// Stop a timer.
    CancelTimer(Timer),
    /// A Grant answered the n-th Renew of `term`: the lease runs from when that Renew was sent.
    Lease {
        /// The term.
        term: Term,
        /// The Renew.
        n: u64,
    },
    /// Write to the disk; answered by `Persisted` or `PersistFailed`. One that is dropped since the
    /// lease is over failed.
    Persist {
        /// Chosen by the unit, echoed by the driver.
        write: WriteId,
        /// What is written.
        record: Record,
    },
    /// Answer a terminal.
    Answer {
        /// What is answered.
        id: CommandId,
        /// How the command ended.
        outcome: Outcome,
    },
    /// Compute a pairing of bytes that came; answered by `Paired`.
    Pair {
        /// Its identity.
        key: PairingKey,
        /// The bytes.
        bytes: Bytes,
    },
    /// Something happened that an operator, or a counter, wants to know.
    Event(Event),
}

/// How a command ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Executed.
    Done {
        /// The change's term.
        term: Term,
        /// The change's LSN.
        lsn: Lsn,
        /// Where it is.
        place: Copies,
        /// The part of it that is not on the Standby.
        listed: Vec<Shared<str>>,
    },
    /// The config was so already; no number.
    Unchanged {
        /// Where the config's last change is.
        place: Copies,
    },
    /// Nothing changed anywhere.
    Refused(Refusal),
    /// The role was lost while waiting.
    Unknown,
    /// A switchover handed the role over.
    Released,
    /// What a `save` did at each unit: the own one first.
    Saved {
        /// At the unit that was asked.
        own: SaveResult,
        /// At the other, if there is one in session.
        peer: Option<SaveResult>,
    },
    /// Another request was taken.
    Taken,
}

/// In how many memories a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Copies {
    /// In two.
    Replicated,
    /// In one.
    Local(LocalWhy),
}

/// Why a change is in one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalWhy {
    /// Asynchronous durability was asked for.
    Async,
    /// No Standby is hot.
    NoHotStandby,
    /// The Standby is brought in step again: a takeover now starts from this change.
    ReSyncing {
        /// The last change of the Standby's replica.
        from: Stamp,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// This unit does not act.
    NotActive,
    /// The role went elsewhere while the command waited.
    Moved,
    /// The batch exceeds `max_batch`.
    TooLarge,
    /// The queue is full.
    QueueFull,
    /// A line did not execute.
    Line(Mismatch),
    /// A line cannot go to the Standby, and a rule says `refuse`.
    Policy {
        /// The line.
        line: Shared<str>,
    },
    /// A switchover without an eligible Standby.
    NotEligible,
    /// Another switchover or save is under way.
    Busy,
    /// The drain took too long; nothing was released.
    DrainTimeout,
    /// The pair left hot during the drain; nothing was released.
    LeftHot,
}

/// What an operator, or a counter, wants to know. No event is waited for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A message of another session, or one that the phase does not take.
    Ignored {
        /// Its kind.
        kind: crate::message::MessageKind,
    },
    /// The unit acts, in this term, from this config.
    Acts {
        /// The term and the LSN taken over.
        stamp: Stamp,
        /// Where the config came from.
        origin: crate::message::Origin,
        /// What is known not to be in it: lines that were dropped on the way, and orphans.
        listed: Vec<Shared<str>>,
        /// What is missing in a config that outlived its session.
        gap: Option<super::holder::Gap>,
    },
    /// The lease is over.
    Lapsed {
        /// Its term.
        term: Term,
    },
    /// A newer Active acts; this one stops.
    Superseded {
        /// The newer term.
        term: Term,
    },
    /// A session began.
    SessionBegan(Session),
    /// A session ended.
    SessionEnded {
        /// The session that ended.
        session: Session,
        /// Why it ended.
        why: LeaveWhy,
    },
    /// The Standby begins a new round of joining.
    Reset {
        /// Whether the reset is counted.
        counted: bool,
    },
    /// The pair is to come up in a lesser mode, or the Standby is held: by policy or limit.
    Degraded {
        /// Why the mode is a lesser one.
        why: LeaveWhy,
        /// The engine of the unit that says so.
        own: Engine,
        /// The engine of the other.
        peer: Engine,
    },
    /// A payload came whole and does not decode, here or at the Standby.
    Unreadable(Unreadable),
    /// The pair is hot.
    Hot {
        /// Lines that are listed.
        listed: u32,
    },
    /// What the former Active held and the bulk did not bring back.
    LostAtSwitchover {
        /// The lines.
        lines: Vec<Shared<str>>,
    },
    /// Bytes that contradict what was received before.
    FileConflict {
        /// From which slot.
        from: Slot,
    },
    /// What was kept for the way back is kept no more, since a command changed what it rests on:
    /// its lines, as the unit had them that lost them.
    Discarded {
        /// The lines, each with the modes that it stands in.
        lines: Vec<Shared<str>>,
    },
    /// The startup store's listing cannot be read: what is missing in its config is not known.
    ListingUnread,
    /// A generation of the startup store does not read: the unit boots the other one, or none.
    StoreDamaged,
    /// The disk refused a write.
    DiskFailed(WriteId),
    /// The unit acts in a term that its disk refused: should the arbiter lose its state and this
    /// unit its memory, nobody knows of it.
    TermUnwritten {
        /// The term.
        term: Term,
    },
    /// An offer was refused.
    Declined {
        /// Its term.
        term: Term,
    },
}
