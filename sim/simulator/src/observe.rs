//! The tap: every input and every output of every machine, at the boundary where it happens, with
//! step number and virtual time. Oracles, lockstep, situations, trace hash and reports are its
//! observers; none of them can change a run.

mod evidence;

use std::collections::BTreeSet;

use skewsync::digest::ImageDigest;
use skewsync::ids::{BootId, CommandId, Slot, WriteId};
use skewsync::message::Address;
use skewsync::unit::{ArbiterInput, ArbiterOutput, Boot, Input, Limits, Output};
use skewsync_model::property::Property;

use crate::plan::{EntryName, Fault, FaultName, MessageId};
pub use evidence::{Buffer, Departure, Evidence, PlacedLine, StepOf, Unanswered, Untrue, Wait};

/// A unit's machine. The driver steps it and the tap shows it; what is in it two readers know:
/// `history::extract` and `abstraction`.
#[expect(clippy::disallowed_types, reason = "it is driven and shown, and not read")]
pub type Unit = skewsync::unit::Unit;

/// The arbiter's machine; see [`Unit`].
#[expect(clippy::disallowed_types, reason = "it is driven and shown, and not read")]
pub type Arbiter = skewsync::unit::Arbiter;

/// One thing that happened, and when.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Number of the event in the run, from 1.
    pub number: u64,
    /// Virtual time in microseconds since the run began.
    pub at_us: u64,
    /// What happened.
    pub event: Event<'a>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A unit started: its first step. Its outputs are those of the start.
    Started {
        /// Where.
        slot: Slot,
        /// What it was given.
        boot: &'a Boot,
        /// What came out.
        outputs: &'a [Output],
        /// What became of each output.
        fates: &'a [Fate],
        /// The unit after the step.
        unit: &'a Unit,
    },
    /// A unit made a step.
    Unit {
        /// Where.
        slot: Slot,
        /// What went in.
        input: &'a Input,
        /// The delivered packet, if the input is a message.
        packet: Option<Delivered>,
        /// What came out.
        outputs: &'a [Output],
        /// What became of each output.
        fates: &'a [Fate],
        /// The unit after the step.
        unit: &'a Unit,
    },
    /// The arbiter made a step.
    Arbiter {
        /// What went in.
        input: &'a ArbiterInput,
        /// The delivered packet, if the input is a message.
        packet: Option<Delivered>,
        /// What came out.
        outputs: &'a [ArbiterOutput],
        /// What became of each output.
        fates: &'a [Fate],
        /// The arbiter after the step.
        arbiter: &'a Arbiter,
    },
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
    /// An operator's request was given to a unit, or to none, because none runs.
    Entered {
        /// Its id.
        id: CommandId,
        /// What it was.
        what: EntryName,
        /// To whom.
        slot: Option<Slot>,
    },
    /// A unit's process ended. What was not durable is settled.
    Ended {
        /// Where.
        slot: Slot,
        /// Its boot.
        boot: BootId,
        /// Writes under way that were lost.
        lost: usize,
    },
    /// The arbiter's process ended.
    ArbiterEnded,
    /// A write became durable, or failed; the input that says so follows.
    Written {
        /// Where.
        slot: Slot,
        /// Which.
        write: WriteId,
        /// Whether it is durable.
        durable: bool,
    },
    /// A unit was suspended, or runs again.
    Paused {
        /// Where.
        slot: Slot,
        /// Whether it is suspended.
        paused: bool,
    },
    /// A fault of the plan struck, or took effect: what waits for something that it may change (a
    /// cut, a clog, a disk or a parser that refuses) strikes without effect, and takes effect when
    /// it meets the first such thing.
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
}

/// Which packet an input was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its name.
    pub message: MessageId,
    /// Its number in the run; copies of one message share it.
    pub number: u64,
    /// Which copy.
    pub copy: u8,
}

/// What became of one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It was performed.
    Done,
    /// It acts as Active, and the lease was over when the clock was read again: dropped.
    Late,
    /// So it was with an answer: the terminal was told `unknown`.
    Unknown,
    /// The machine ended before it.
    Cut,
}

/// What an observer may look at beside the event.
pub trait ClusterView {
    /// The slots of the chassis.
    fn slots(&self) -> &[Slot];
    /// The unit in a slot, if it runs.
    fn unit(&self, slot: Slot) -> Option<&Unit>;
    /// The arbiter, if it runs.
    fn arbiter(&self) -> Option<&Arbiter>;
    /// The lengths and bounds of the run.
    fn limits(&self) -> &Limits;
    /// The image of a slot, by digest and by name.
    fn image(&self, slot: Slot) -> (ImageDigest, &str);
    /// The boot of the unit in the slot, if it runs.
    fn boot(&self, slot: Slot) -> Option<BootId>;
    /// When the lease of the unit in the slot ends, by its driver's clock, in microseconds of
    /// virtual time.
    fn lease_end(&self, slot: Slot) -> Option<u64>;
    /// Whether the unit is suspended, or so slow that it holds no bound in time.
    fn paused(&self, slot: Slot) -> bool;
    /// How much the unit's clock counts, at its present rate, in so many microseconds of true time.
    fn counts_us(&self, slot: Slot, true_us: u64) -> u64;
    /// The links on which no frame passes now.
    fn barred(&self) -> &BTreeSet<(Address, Address)>;
}

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property}: {evidence}")]
pub struct Violation {
    /// The property.
    pub property: Property,
    /// What was seen.
    pub evidence: Box<Evidence>,
}

/// Whoever is shown what is tapped.
pub trait Tap: Send {
    /// Looks at a unit that is about to make a step on this input; the event of the step follows.
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        let _ = (slot, input, scene);
    }

    /// Looks at one event, and says which properties it breaks.
    fn see(
        &mut self,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
        broken: &mut dyn FnMut(Violation),
    );

    /// Looks at the end of the run, and says which properties the whole run breaks.
    fn end(&mut self, scene: &dyn ClusterView, broken: &mut dyn FnMut(Violation)) {
        let _ = (scene, broken);
    }

    /// How often each property was checked.
    fn checked(&self) -> Vec<(Property, u64)> {
        Vec::new()
    }

    /// What else it counted, by name.
    fn figures(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The fields by which one enters a unit. A lint keeps the types of the engine's machines to
    /// their two readers, but for those who hold a machine to drive and to show it.
    const DOORS: [&str; 2] = [".own", ".part"];

    #[test]
    fn who_drives_a_machine_and_shows_it_does_not_look_into_it() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = vec![src.join("drive.rs"), src.join("observe.rs")];
        for entry in std::fs::read_dir(src.join("drive")).expect("the driver's files") {
            files.push(entry.expect("a file").path());
        }
        assert!(files.len() > 10, "{files:?}");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("it reads");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let enters = |line: &&str| {
                let door = DOORS.iter().find_map(|door| Some(line.split_once(door)?.1));
                door.is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            };
            assert_eq!(code.lines().find(enters), None, "{}", file.display());
        }
    }
}
