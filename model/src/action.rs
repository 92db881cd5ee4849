//! What can happen: one action is one input of one party, and names everything that was free.

use crate::state::{Cfg, Flight, Keeps, Rejection, Slot, Stamp, Term};

/// The timers of a unit that do something to the protocol's state or send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Says Hello to the arbiter again.
    Hello,
    /// Joins again.
    Join,
    /// Asks for the lease again, or releases again.
    Renew,
    /// Writes the register again.
    Register,
    /// Sends what its phase owes again.
    Resend,
    /// The Standby was not served, or the Active gives its session up.
    GiveUp,
    /// What waits in the queue of a unit that released has waited long enough.
    Queue,
    /// What waits for the Confirm of a clear has waited long enough.
    Prompt,
    /// The Active's pause after an attempt is over.
    Pace,
    /// The pair was hot for long.
    Stable,
}

/// The timers of the arbiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArbiterTimer {
    /// Hellos were gathered.
    Gather,
    /// The offer stood long enough.
    TakeoverWait,
    /// The lease is over.
    Lease,
    /// The offer again.
    Resend,
}

/// How a command's prompt is returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// When the change is in two memories.
    Acked,
    /// At once.
    Async,
}

/// One input of one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The unit starts.
    Boot(Slot),
    /// The unit dies.
    Crash(Slot),
    /// The disk of a unit that is down is lost.
    DiskLost(Slot),
    /// A message arrives.
    Deliver(Flight),
    /// A unit's timer fires.
    Timer(Slot, Timer),
    /// An arbiter's timer fires.
    Arbiter(ArbiterTimer),
    /// The arbiter recovers with its state.
    ArbiterRecovered(Term),
    /// The arbiter starts without its state.
    ArbiterLost,
    /// A command is entered at the unit.
    Command(Slot, u16, Durability),
    /// The unit's lease ended.
    LeaseLapsed(Slot),
    /// The operator asks for a planned switchover.
    Switchover(Slot),
    /// The operator releases the role at once.
    Forced(Slot),
    /// The running config is in the unit's startup store.
    Saved(Slot),
    /// The driver has computed the pairing.
    Paired(Slot),
    /// The Active gives its session up since policy says so.
    Leaves(Slot),
    /// The Standby declares itself not ready: it could not execute a change.
    Declares(Slot),
    /// A Line or a BulkAccept arrives, and the Standby declares itself not ready at what it
    /// executes.
    Fails(Flight),
    /// A Proceed arrives at a Standby that has the Active's dump from an earlier session.
    AtHand(Flight),
    /// A BulkDone arrives, and the snapshot is rejected, by policy or by a limit.
    Rejects(Flight, Rejection, Keeps),
    /// An Applied arrives that shows the configs apart, and policy ends the session; the change
    /// itself counts as applied, or not.
    Disagrees(Flight, bool),
    /// The driver could not make the pairing, or the images are not compatible.
    Incompatible(Slot),
    /// The drain took too long: nothing was released.
    DrainOver(Slot),
    /// A config that was saved earlier is in the unit's startup store.
    Stored(Slot, Stamp, Cfg),
    /// A payload arrives that does not decode: the last piece of a snapshot, or the next Line.
    Unread(Flight),
    /// The Active ends its session to try again: an operator resets the peer, or the line is gone
    /// for which policy rejected the snapshot. No attempt failed.
    Again(Slot, Keeps),
    /// The operator has sso tried again: attempts count from 0.
    Retry(Slot),
}
