//! The vocabulary of facts.

use skewsync::ids::{BootId, CommandId, Lsn, Slot, Term, WriteId};
use skewsync::message::{Address, Eligible, Message, Session, ToUnit};
use skewsync::unit::{
    ArbiterEvent, ArbiterInput, Boot, Event as Told, Input, Outcome, Output, Record,
};

use crate::observe::{Delivered, Fate};
use crate::plan::{EntryName, Fault, FaultName, MessageId};

/// Number of a fact in a run, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub u64);

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// Its number.
    pub id: FactId,
    /// The number of the event that it is of: of a step are what was taken, and all that came of
    /// it.
    pub event: u64,
    /// Virtual time in microseconds since the run began.
    pub at_us: u64,
    /// Where; none: in the network, at the terminals, or everywhere.
    pub place: Option<Address>,
    /// What it came of: what was done here before it, or what the step took; and what was sent,
    /// entered, written or struck elsewhere.
    pub because: [Option<FactId>; 2],
    /// What happened.
    pub what: What<'a>,
}

/// What happened.
///
/// # Shape
/// A step of a unit is: what changed around it, [`What::Took`], what the step changed, what came of
/// it in order, [`What::Stepped`]. Up to `Took` the history has the unit as it was.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A process started, with what its disk held.
    Started {
        /// What it was given.
        boot: &'a Boot,
    },
    /// A process ended. What was not durable is settled.
    Ended {
        /// Its boot; none: the arbiter's.
        boot: Option<BootId>,
        /// Writes under way that were lost.
        lost: usize,
    },
    /// A unit was suspended, or runs on.
    Suspended {
        /// Whether it is suspended.
        suspended: bool,
    },
    /// When a unit's lease ends has changed: a Grant, a clock that was set, the end.
    LeaseIs {
        /// In microseconds of true time; none: it has no lease.
        until_us: Option<u64>,
    },
    /// A fault of the plan struck, or took effect: what waits for something that it may change
    /// strikes without effect, and takes effect when it meets the first such thing.
    Fault {
        /// Its kind.
        kind: FaultName,
        /// Whether it changed anything, now.
        effect: bool,
        /// The fault, as it strikes; none as it takes effect later, or if chance dealt it.
        of: Option<&'a Fault>,
    },
    /// Faults and commands stopped: the liveness phase begins.
    FaultsStopped,
    /// A frame was given to the network. Follows the step that sent it.
    Sent {
        /// Its name.
        message: MessageId,
        /// Its number in the run.
        number: u64,
        /// What befell it.
        fault: Option<FaultName>,
    },
    /// A frame arrived that does not decode, or at a machine that does not run: it counts as lost.
    Undelivered {
        /// Its name.
        message: MessageId,
        /// Its number in the run.
        number: u64,
    },
    /// An operator entered something.
    Entered {
        /// Its id.
        command: CommandId,
        /// What it was.
        what: EntryName,
        /// To whom; none: no unit runs.
        to: Option<Slot>,
    },
    /// A unit takes an input.
    Took {
        /// The input.
        input: &'a Input,
        /// The delivered packet, if it is a message.
        packet: Option<Delivered>,
    },
    /// What it took was a message of another session than its own.
    Strayed {
        /// Whether anything in the unit is another for it, or a timer was touched.
        moved: bool,
    },
    /// The Active's config has one change more.
    Executed {
        /// The change's term.
        term: Term,
        /// Its LSN.
        lsn: Lsn,
        /// The command that made it.
        command: Option<CommandId>,
    },
    /// A Standby holds a session's config whole, from now on.
    Swapped {
        /// The session.
        session: Session,
        /// The last change in it.
        lsn: Lsn,
    },
    /// A Standby applied changes to it.
    Applied {
        /// The session.
        session: Session,
        /// The last change before.
        from: Lsn,
        /// The last one now.
        lsn: Lsn,
    },
    /// A unit sends a message.
    Sends {
        /// To whom.
        to: Address,
        /// The message.
        message: &'a Message,
        /// What became of it.
        fate: Fate,
    },
    /// A unit answers a terminal.
    Answered {
        /// What is answered.
        command: CommandId,
        /// How it ended.
        outcome: &'a Outcome,
        /// What became of the answer.
        fate: Fate,
    },
    /// A unit begins a write.
    WriteBegan {
        /// Which.
        write: WriteId,
        /// What is written.
        record: &'a Record,
        /// What became of it.
        fate: Fate,
    },
    /// A unit tells what it does.
    Says {
        /// What.
        event: &'a Told,
        /// What became of it.
        fate: Fate,
    },
    /// Anything else that a unit wants of its driver: a lease, a pairing; a timer that it did not
    /// get.
    Wants {
        /// What.
        output: &'a Output,
        /// What became of it.
        fate: Fate,
    },
    /// A step of a unit is whole.
    Stepped,
    /// A write became durable, or failed; the input that says so follows.
    WriteEnded {
        /// Which.
        write: WriteId,
        /// Whether it is durable.
        durable: bool,
    },
    /// The arbiter takes an input.
    ArbiterTook {
        /// The input.
        input: &'a ArbiterInput,
        /// The delivered packet, if it is a message.
        packet: Option<Delivered>,
    },
    /// The arbiter's register is another one.
    RegisterWritten {
        /// Before.
        was: Option<Eligible>,
        /// Now.
        now: Option<Eligible>,
    },
    /// The arbiter sends a message.
    ArbiterSends {
        /// To whom.
        to: Slot,
        /// The message.
        message: &'a ToUnit,
    },
    /// The arbiter tells what it does.
    ArbiterSays {
        /// What.
        event: &'a ArbiterEvent,
    },
    /// A step of the arbiter is whole.
    ArbiterStepped,
}

impl Fact<'_> {
    /// The slot of the unit that it happened at.
    pub const fn slot(&self) -> Option<Slot> {
        match self.place {
            Some(Address::Unit(slot)) => Some(slot),
            Some(Address::Arbiter) | None => None,
        }
    }
}

impl What<'_> {
    /// Whether the history holds all that an event changes, as of this fact of it. One fact of each
    /// event says so.
    pub const fn is_whole(&self) -> bool {
        match self {
            Self::Started { .. }
            | Self::Ended { .. }
            | Self::Suspended { .. }
            | Self::Fault { .. }
            | Self::FaultsStopped
            | Self::Sent { .. }
            | Self::Undelivered { .. }
            | Self::Entered { .. }
            | Self::WriteEnded { .. }
            | Self::Stepped
            | Self::ArbiterStepped => true,
            Self::LeaseIs { .. }
            | Self::Took { .. }
            | Self::Strayed { .. }
            | Self::Executed { .. }
            | Self::Swapped { .. }
            | Self::Applied { .. }
            | Self::Sends { .. }
            | Self::Answered { .. }
            | Self::WriteBegan { .. }
            | Self::Says { .. }
            | Self::Wants { .. }
            | Self::ArbiterTook { .. }
            | Self::RegisterWritten { .. }
            | Self::ArbiterSends { .. }
            | Self::ArbiterSays { .. } => false,
        }
    }
}
