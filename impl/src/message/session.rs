//! What identifies a session and what is said in one.

use alloc::collections::BTreeSet;
use core::fmt;

pub use crate::config::Prc;
pub use crate::disposition::Compatibility;

use crate::digest::{Digest, ImageDigest, Shared};

use crate::ids::{Attempt, BootId, Term};
use crate::policy::Cause;

/// One attempt to bring one Standby's boot in step with one Active's boot in one term.
///
/// A message whose session is not the receiver's current or offered one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The Active's term.
    pub term: Term,
    /// The Active's boot.
    pub active: BootId,
    /// The Standby's boot.
    pub standby: BootId,
    /// The n of the Join that the session answers.
    pub attempt: Attempt,
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}/{}", self.term, self.active, self.standby, self.attempt)
    }
}

/// What a Standby says when it asks for a session. On the wire its layout is frozen for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JoinCall {
    /// The Standby's boot.
    pub boot: BootId,
    /// Its round of joining within the boot.
    pub n: Attempt,
    /// Whether the unit lost its disk, so that its boot id is a fresh value of its world.
    pub lost_disk: bool,
    /// The highest term that it has seen.
    pub highest: Term,
    /// The wire versions that it speaks.
    pub wire: WireVersions,
    /// Its image.
    pub image: ImageDigest,
    /// Ordered resets that it counts.
    pub resets: u32,
    /// Its engine.
    pub engine: Engine,
    /// What it takes at most.
    pub bounds: Bounds,
}

/// The version of an engine: two that differ may write what the other does not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Engine {
    /// Major, minor, patch; all 0: an engine that does not say.
    pub version: [u16; 3],
}

impl Engine {
    /// This engine.
    pub const OURS: Self = Self {
        version: [
            number(env!("CARGO_PKG_VERSION_MAJOR")),
            number(env!("CARGO_PKG_VERSION_MINOR")),
            number(env!("CARGO_PKG_VERSION_PATCH")),
        ],
    };
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.version;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// A number of decimal digits.
const fn number(digits: &str) -> u16 {
    let digits = digits.as_bytes();
    let (mut number, mut at) = (0, 0);
    while at < digits.len() {
        number = number * 10 + (digits[at] - b'0') as u16;
        at += 1;
    }
    number
}

/// What a receiver takes at most. The sender looks before it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of one Line: its difference and its listing; and of the lines that one answer names as
    /// not raised.
    pub line: u32,
    /// Lines that a listing names, complements that it keeps, and lines that one answer names as
    /// not raised: each of the three.
    pub listed: u32,
    /// Mismatches that one answer names; how many there are beyond is told as a number.
    pub mismatches: u32,
}

/// A payload, as operators know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payload {
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

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dump => "the dump",
            Self::Diff => "the diff",
            Self::Snapshot => "the snapshot",
            Self::Listing => "the listing",
            Self::Difference => "the difference",
            Self::Save => "the save",
        })
    }
}

/// A payload came whole, as it was sent, and does not decode here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{what} cannot be read{} by engine {engine}", at(*.offset))]
pub struct Unreadable {
    /// The payload that does not decode.
    pub what: Payload,
    /// The first byte of it that says nothing; none: the driver that read it does not say.
    pub offset: Option<u64>,
    /// The engine that cannot read it.
    pub engine: Engine,
}

impl Unreadable {
    /// This engine cannot read it.
    pub const fn here(what: Payload, offset: Option<u64>) -> Self {
        Self { what, offset, engine: Engine::OURS }
    }
}

fn at(offset: Option<u64>) -> alloc::string::String {
    offset
        .map_or_else(alloc::string::String::new, |offset| alloc::format!(" from byte {offset} on"))
}

/// A range of wire versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireVersions {
    /// The lowest.
    pub min: u16,
    /// The highest.
    pub max: u16,
}

impl WireVersions {
    /// The versions that this engine speaks.
    pub const OURS: Self = Self { min: 4, max: 4 };

    /// The highest version that both speak.
    pub fn common(self, other: Self) -> Option<u16> {
        let version = self.max.min(other.max);
        (version >= self.min && version >= other.min).then_some(version)
    }
}

/// Whether the Active's CLI dump need not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DumpAtHand {
    /// The images are the same: no dump, no diff.
    SameImage,
    /// The dump was received before: the diff comes at once.
    AtHand,
    /// It must be sent.
    Needed,
}

/// What a Standby does when a line does not execute as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnMismatch {
    /// Lists the group, holds it out of S, and goes on.
    List,
    /// Declares itself not ready before it answers.
    LeaveHot,
}

/// What a Standby does whose shadow was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Counts an ordered reset and joins again.
    Reset,
    /// Stays STANDBY COLD in session.
    Rpr,
    /// Is held in INITIALIZATION.
    Simplex,
}

/// What speaks against a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectWhy {
    /// Policy turned the config away: no older replica is kept either.
    Policy,
    /// Too many attempts ended by a limit: what the Standby holds may still be taken over with.
    Limit,
}

/// The mode of redundancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Redundancy {
    /// The Standby keeps the running config.
    Sso,
    /// The Standby boots its startup store when it takes over.
    Rpr,
    /// There is no Standby.
    Simplex,
}

/// Whether the arbiter's register names the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldBy {
    /// It was confirmed for this session.
    Register,
    /// Not, or not yet.
    Nobody,
}

/// A line that a Standby did not execute as expected, by names, since ids differ between images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mismatch {
    /// The component's name.
    pub component: Shared<str>,
    /// The form's normal form.
    pub form: Shared<str>,
    /// The line, with the modes that it stands in.
    pub line: Shared<str>,
    /// What the parser returned.
    pub prc: Prc,
}

impl crate::digest::Content for [Mismatch] {
    fn digest(&self) -> Digest {
        let mut bytes = alloc::vec::Vec::new();
        for each in self {
            for part in [&each.component, &each.form, &each.line] {
                bytes.extend_from_slice(&part.digest().0.to_le_bytes());
            }
            bytes.push(each.prc as u8);
        }
        Digest::compute(&bytes)
    }
}

/// A line of the wire config that is in no line of the Standby's config, though nothing refused it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unraised {
    /// The component's name.
    pub component: Shared<str>,
    /// The form's normal form.
    pub form: Shared<str>,
    /// The line, with the modes that it stands in.
    pub line: Shared<str>,
    /// As what policy is asked about it; none: it is pending, which is no fault.
    pub cause: Option<Cause>,
}

impl Unraised {
    /// Bytes of its words, as what it takes in a message.
    pub fn size(&self) -> u64 {
        [&self.component, &self.form, &self.line].map(|words| words.len() as u64).iter().sum()
    }
}

impl crate::digest::Content for [Unraised] {
    fn digest(&self) -> Digest {
        let mut bytes = alloc::vec::Vec::new();
        for each in self {
            for part in [&each.component, &each.form, &each.line] {
                bytes.extend_from_slice(&part.digest().0.to_le_bytes());
            }
            bytes.push(each.cause.map_or(0, |cause| cause as u8 + 1));
        }
        Digest::compute(&bytes)
    }
}

/// What of the wire config a Standby lacks: the whole of it, after some change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// Lines that it did not execute as expected, bounded.
    pub mismatches: Shared<[Mismatch]>,
    /// Lines that no change raises, or not yet, bounded.
    pub unraised: Shared<[Unraised]>,
    /// How many lines there are beside those that are named.
    pub further: u32,
}

impl Missing {
    /// The lines that are named, each once.
    pub fn lines(&self) -> BTreeSet<&str> {
        let mismatches = self.mismatches.iter().map(|each| &*each.line);
        mismatches.chain(self.unraised.iter().map(|each| &*each.line)).collect()
    }

    /// How many lines there are, named or not.
    pub fn count(&self) -> u32 {
        self.lines().len() as u32 + self.further
    }
}

impl Default for Missing {
    /// Nothing is.
    fn default() -> Self {
        Self {
            mismatches: Shared::new(alloc::vec::Vec::new()),
            unraised: Shared::new(alloc::vec::Vec::new()),
            further: 0,
        }
    }
}

/// Why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaveWhy {
    /// Nothing was heard for the watchdog's time.
    Watchdog,
    /// A prompt was held for `ack_timeout`.
    AckTimeout,
    /// The journal overflowed.
    JournalFull,
    /// A phase took longer than its deadline.
    Deadline,
    /// The wire digests differ.
    DigestMismatch,
    /// A line's parser return code was not the expected one.
    PrcMismatch,
    /// A line cannot go, and policy says that the pair leaves hot.
    Stuck,
    /// Policy, or a limit, says that the pair goes to rpr.
    Degrade,
    /// The images are incompatible.
    Incompatible,
    /// Policy holds the Standby.
    Simplex,
    /// An operator asked for it.
    Operator,
    /// The session is over, or was never the receiver's.
    Over,
    /// Sso is tried again.
    Retry,
    /// A payload does not decode.
    Unreadable,
    /// Something is more than the other unit takes.
    Bound,
}

impl LeaveWhy {
    /// Whether the Standby's replica may still be taken over with. What policy turned away, or is
    /// known to differ, is not to be chosen by a machine.
    pub const fn keeps_replica(self) -> bool {
        match self {
            Self::Watchdog
            | Self::AckTimeout
            | Self::JournalFull
            | Self::Deadline
            | Self::Incompatible
            | Self::Over
            | Self::Retry
            | Self::Unreadable
            | Self::Bound => true,
            Self::DigestMismatch
            | Self::PrcMismatch
            | Self::Stuck
            | Self::Degrade
            | Self::Simplex
            | Self::Operator => false,
        }
    }
}

/// The result of one unit's part of a `save`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaveResult {
    /// Durable.
    Ok,
    /// The disk refused it.
    Disk,
    /// It does not decode there.
    Unreadable,
    /// No answer came in time, or the unit is away.
    NoAnswer,
    /// It is more than the unit takes: it was not sent.
    TooLarge,
}
