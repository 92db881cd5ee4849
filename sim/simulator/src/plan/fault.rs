//! What can go wrong in a run.

use serde::{Deserialize, Serialize};
use strum::{
    Display, EnumCount, EnumDiscriminants, EnumIter, EnumString, IntoStaticStr, VariantNames,
};

use super::Anchor;
use super::anchor::Moment;
use super::place::{Link, Place};

/// One fault: when, and what.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// When it strikes.
    pub at: Anchor,
    /// What it is.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// The kinds of faults. Times are in milliseconds of true time.
///
/// Kept summaries and seeds count on the order: a new kind goes to the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EnumDiscriminants, Serialize, Deserialize)]
#[strum_discriminants(
    name(FaultName),
    doc = "The name of a kind of fault, as plans, tables and reports write it.",
    derive(
        PartialOrd,
        Ord,
        Hash,
        Display,
        EnumCount,
        EnumIter,
        EnumString,
        IntoStaticStr,
        VariantNames,
        Serialize,
        Deserialize
    ),
    strum(serialize_all = "kebab-case"),
    serde(rename_all = "kebab-case")
)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// The message is lost.
    Lose,
    /// The message arrives twice; the second time later by so much.
    Duplicate {
        /// How much later.
        later_ms: u64,
    },
    /// The message arrives later by so much.
    Delay {
        /// How much later.
        later_ms: u64,
    },
    /// One bit of the message is flipped.
    Corrupt {
        /// Which bit, modulo its length.
        bit: u32,
    },
    /// The message arrives as it should, and a copy is kept back until long after: into other
    /// sessions, terms and boots.
    Hold {
        /// How much later.
        later_ms: u64,
    },
    /// The message arrives later by so much, and behind one that was sent after it on its link.
    Reorder {
        /// How much later.
        later_ms: u64,
    },
    /// The unit's process ends; what it gave to the disk is written. It starts again.
    Crash {
        /// Which unit.
        slot: u8,
        /// After how long it starts again.
        down_ms: u64,
    },
    /// The unit loses power; what was not durable may be lost. It starts again.
    PowerLoss {
        /// Which unit.
        slot: u8,
        /// After how long it starts again.
        down_ms: u64,
        /// How many of the pending writes, oldest first, were kept.
        kept: u8,
    },
    /// The unit's disk is replaced by an empty one while it is down.
    DiskLost {
        /// Which unit.
        slot: u8,
        /// After how long it starts again.
        down_ms: u64,
    },
    /// The unit does not run, and neither its timers nor its inputs do; its clock does.
    Pause {
        /// Which unit.
        slot: u8,
        /// For how long.
        for_ms: u64,
    },
    /// The unit is suspended between two outputs of a step, until its lease is over.
    Stall {
        /// Which unit.
        slot: u8,
        /// How long beyond the lease's end.
        beyond_ms: u64,
    },
    /// The arbiter's process ends; its state is durable. It starts again.
    ArbiterCrash {
        /// After how long it starts again.
        down_ms: u64,
    },
    /// Nothing passes between the two slots, in either direction.
    Partition {
        /// For how long.
        for_ms: u64,
    },
    /// Nothing passes from one place to another; the other direction works.
    OneWayCut {
        /// The sender: `0`, `1` or `arbiter`.
        from: Place,
        /// The receiver.
        to: Place,
        /// For how long.
        for_ms: u64,
    },
    /// A slot and the arbiter do not hear each other.
    ArbiterAway {
        /// The slot.
        slot: u8,
        /// For how long.
        for_ms: u64,
    },
    /// What passes from one place to another is held up, and comes all at once at the end.
    Clog {
        /// The sender: `0`, `1` or `arbiter`.
        from: Place,
        /// The receiver.
        to: Place,
        /// For how long.
        for_ms: u64,
    },
    /// The unit's disk refuses writes.
    DiskRefuses {
        /// Which unit.
        slot: u8,
        /// For how long.
        for_ms: u64,
    },
    /// The unit refuses the next line that it is to execute as a Standby, or so many of the next.
    RefuseLine {
        /// Which unit.
        slot: u8,
        /// How many lines.
        #[serde(default = "one_line")]
        lines: u32,
    },
    /// A unit that is down for so long starts again with another image.
    ImageChange {
        /// Which unit.
        slot: u8,
        /// The image.
        image: String,
        /// After how long it starts again.
        down_ms: u64,
    },
    /// The unit's clock runs at another rate, which it keeps through restarts; its timers and its
    /// lease with it.
    ClockRate {
        /// Which unit.
        slot: u8,
        /// How much faster than the plan has it, in parts per million.
        ppm: i32,
        /// For how long.
        for_ms: u64,
    },
    /// The unit's clock is set: its timers and its lease end sooner by so much, or later.
    ClockStep {
        /// Which unit.
        slot: u8,
        /// How far it is set forward; less than 0: back.
        by_ms: i64,
    },
    /// Links are clogged one after the other, and freed one after the other in another order.
    SwizzleClog {
        /// The links in the order in which they are clogged, each as `0->arbiter`.
        links: Vec<Link>,
        /// The same links in the order in which they are freed.
        freed: Vec<Link>,
        /// Time between two links.
        every_ms: u64,
        /// How long all of them are clogged.
        for_ms: u64,
    },
    /// The unit's disk is full: it takes no startup store. What is written in place, terms and
    /// counts, it takes.
    DiskFull {
        /// Which unit.
        slot: u8,
        /// For how long.
        for_ms: u64,
    },
    /// Each write to the unit's disk takes longer.
    DiskSlow {
        /// Which unit.
        slot: u8,
        /// By how much.
        later_ms: u64,
        /// For how long.
        for_ms: u64,
    },
    /// The unit is busy for so long after each of its steps: what comes, and timers too, wait.
    UnitSlow {
        /// Which unit.
        slot: u8,
        /// How long it is busy.
        step_ms: u64,
        /// For how long it is slow.
        for_ms: u64,
    },
    /// The unit's process ends, and while it is down its startup store rots: it does not read any
    /// more.
    BitRot {
        /// Which unit.
        slot: u8,
        /// After how long it starts again.
        down_ms: u64,
        /// Whether both generations rot, and not the newest alone.
        #[serde(default)]
        both: bool,
        /// Which bit flips, modulo the store's length.
        bit: u32,
    },
    /// The unit loses power in the middle of the next write of its startup store. It starts again.
    TornWrite {
        /// Which unit.
        slot: u8,
        /// After how long it starts again.
        down_ms: u64,
        /// How many bytes of the store were written, modulo its length.
        bytes: u32,
    },
    /// The unit, a Standby in session, executes something that it was not sent.
    MisapplyLine {
        /// Which unit.
        slot: u8,
        /// What it executes.
        text: String,
    },
    /// The unit's engine writes one byte of a payload as the other engine does not read it.
    ForeignPayload {
        /// Which unit: the sender.
        slot: u8,
        /// Which payload.
        what: Foreign,
        /// For how long; none: for good, since engines do not change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_ms: Option<u64>,
    },
    /// The arbiter's process ends, and its disk is replaced by an empty one. It starts again.
    ArbiterLost {
        /// After how long it starts again.
        down_ms: u64,
    },
    /// The arbiter's process ends, and its disk goes back to an older state. It starts again.
    ArbiterOlder {
        /// After how long it starts again.
        down_ms: u64,
        /// How long before its end the state is from, or a little more; the first state if there is
        /// none so old.
        back_ms: u64,
    },
}

/// A payload that another engine may not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foreign {
    /// The Active's CLI dump.
    Dump,
    /// The Standby's answer to it.
    Diff,
    /// The wire config of a snapshot.
    Snapshot,
    /// MCL and complements, of a snapshot or a Line.
    Listing,
    /// The difference of a Line.
    Difference,
    /// A config to be saved.
    Save,
}

const fn one_line() -> u32 {
    1
}

/// What befalls messages at random, in per mille of the messages sent. Each message's lot is drawn
/// from the plan's `world` and the message's own name, so that one fault less moves no other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Lost.
    pub lose: u32,
    /// Delivered twice.
    pub duplicate: u32,
    /// Delivered late.
    pub delay: u32,
    /// A bit flipped.
    pub corrupt: u32,
    /// Copied and held back for long.
    pub hold: u32,
    /// Delivered late, behind a later one.
    pub reorder: u32,
    /// How late, at most.
    pub late_ms_max: u64,
    /// How long a held one is kept back, at most.
    pub hold_ms_max: u64,
}

impl Noise {
    /// The rates, by name.
    pub const fn rates_mut(&mut self) -> [(&'static str, &mut u32); 6] {
        [
            ("lose", &mut self.lose),
            ("duplicate", &mut self.duplicate),
            ("delay", &mut self.delay),
            ("corrupt", &mut self.corrupt),
            ("hold", &mut self.hold),
            ("reorder", &mut self.reorder),
        ]
    }
}

/// What a kind of fault befalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Befalls {
    /// One message, as it is sent.
    Message,
    /// Links, as they are.
    Links,
    /// A unit or the arbiter.
    Machine,
}

impl Fault {
    /// The fault kind's name, as plans write it.
    pub fn name(&self) -> FaultName {
        (&self.kind).into()
    }

    /// Whether it befalls a single message.
    pub fn of_message(&self) -> bool {
        self.name().befalls() == Befalls::Message
    }

    /// Whether its anchor is of the sort that its kind needs.
    pub fn fits(&self) -> bool {
        match self.at {
            Anchor::Observed(moment, _) | Anchor::Next { moment, .. } => {
                matches!(moment, Moment::Send) == self.of_message()
            }
            Anchor::Instant(_) | Anchor::Answered(..) => !self.of_message(),
        }
    }

    /// The slot that it strikes, if it is a single one.
    pub const fn slot(&self) -> Option<u8> {
        match self.kind {
            FaultKind::Crash { slot, .. }
            | FaultKind::PowerLoss { slot, .. }
            | FaultKind::DiskLost { slot, .. }
            | FaultKind::Pause { slot, .. }
            | FaultKind::Stall { slot, .. }
            | FaultKind::ArbiterAway { slot, .. }
            | FaultKind::DiskRefuses { slot, .. }
            | FaultKind::RefuseLine { slot, .. }
            | FaultKind::ImageChange { slot, .. }
            | FaultKind::ClockRate { slot, .. }
            | FaultKind::ClockStep { slot, .. }
            | FaultKind::DiskFull { slot, .. }
            | FaultKind::DiskSlow { slot, .. }
            | FaultKind::UnitSlow { slot, .. }
            | FaultKind::BitRot { slot, .. }
            | FaultKind::TornWrite { slot, .. }
            | FaultKind::MisapplyLine { slot, .. }
            | FaultKind::ForeignPayload { slot, .. } => Some(slot),
            FaultKind::Lose
            | FaultKind::Duplicate { .. }
            | FaultKind::Delay { .. }
            | FaultKind::Corrupt { .. }
            | FaultKind::Hold { .. }
            | FaultKind::Reorder { .. }
            | FaultKind::ArbiterCrash { .. }
            | FaultKind::ArbiterLost { .. }
            | FaultKind::ArbiterOlder { .. }
            | FaultKind::Partition { .. }
            | FaultKind::OneWayCut { .. }
            | FaultKind::Clog { .. }
            | FaultKind::SwizzleClog { .. } => None,
        }
    }
}

impl FaultName {
    /// The name as text.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it befalls.
    pub const fn befalls(self) -> Befalls {
        match self {
            Self::Lose
            | Self::Duplicate
            | Self::Delay
            | Self::Corrupt
            | Self::Hold
            | Self::Reorder => Befalls::Message,
            Self::Partition
            | Self::OneWayCut
            | Self::ArbiterAway
            | Self::Clog
            | Self::SwizzleClog => Befalls::Links,
            Self::Crash
            | Self::PowerLoss
            | Self::DiskLost
            | Self::Pause
            | Self::Stall
            | Self::ArbiterCrash
            | Self::DiskRefuses
            | Self::RefuseLine
            | Self::ImageChange
            | Self::ClockRate
            | Self::ClockStep
            | Self::DiskFull
            | Self::DiskSlow
            | Self::UnitSlow
            | Self::BitRot
            | Self::TornWrite
            | Self::MisapplyLine
            | Self::ForeignPayload
            | Self::ArbiterLost
            | Self::ArbiterOlder => Befalls::Machine,
        }
    }
}

impl Noise {
    /// How often each kind of fault befalls a message, in per mille.
    pub const fn rates(&self) -> [(FaultName, u32); 6] {
        [
            (FaultName::Lose, self.lose),
            (FaultName::Duplicate, self.duplicate),
            (FaultName::Delay, self.delay),
            (FaultName::Corrupt, self.corrupt),
            (FaultName::Hold, self.hold),
            (FaultName::Reorder, self.reorder),
        ]
    }
}

impl FaultKind {
    /// What of it contradicts itself, in words.
    ///
    /// # Errors
    /// Those words.
    pub fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::SwizzleClog { links, freed, .. } => {
                let sorted = |links: &[Link]| {
                    let mut links = links.to_vec();
                    links.sort_unstable();
                    links
                };
                let (clogged, freed) = (sorted(links), sorted(freed));
                if clogged.windows(2).any(|two| two[0] == two[1]) {
                    return Err("a swizzle-clog names a link once");
                }
                if clogged != freed {
                    return Err("a swizzle-clog frees the links that it clogs");
                }
                Ok(())
            }
            Self::ClockRate { ppm, .. } if ppm.unsigned_abs() > PPM_MAX => {
                Err("a clock's rate changes by 500000 ppm at most")
            }
            Self::OneWayCut { from, to, .. } | Self::Clog { from, to, .. } if from == to => {
                Err("a link is between two places")
            }
            _ => Ok(()),
        }
    }
}

/// By how much a plan may change the rate of a clock, beside its drift: it goes on running forward.
pub const PPM_MAX: u32 = 500_000;

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn names_are_those_that_plans_write() {
        let fault = Fault {
            at: Anchor::Instant(3),
            kind: FaultKind::PowerLoss { slot: 1, down_ms: 5, kept: 0 },
        };
        let text = toml::to_string(&fault).expect("a fault is representable");
        assert!(text.contains("kind = \"power-loss\""), "{text}");
        assert_eq!(fault.name(), FaultName::PowerLoss);
        assert_eq!(fault.name().to_string(), "power-loss");
    }

    #[test]
    fn the_kinds_that_befall_a_message_are_those_of_noise() {
        let table = toml::Table::try_from(Noise::default()).expect("a noise is representable");
        for name in FaultName::iter() {
            let befalls = name.befalls() == Befalls::Message;
            assert_eq!(table.contains_key(name.name()), befalls, "{name}");
            let rated = Noise::default().rates().iter().any(|(rated, _)| *rated == name);
            assert_eq!(rated, befalls, "{name}");
        }
    }

    #[test]
    fn a_swizzle_clog_frees_what_it_clogs() {
        let of = |links: &[&str], freed: &[&str]| {
            let read = |word: &&str| word.parse::<Link>().expect("a link");
            let words = |of: &[&str]| of.iter().map(read).collect();
            let kind = FaultKind::SwizzleClog {
                links: words(links),
                freed: words(freed),
                every_ms: 1,
                for_ms: 1,
            };
            kind.check()
        };
        assert_eq!(of(&["0->1", "1->arbiter"], &["1->arbiter", "0->1"]), Ok(()));
        assert!(of(&["0->1"], &["1->0"]).is_err());
        assert!(of(&["0->1", "0->1"], &["0->1", "0->1"]).is_err());
    }
}
