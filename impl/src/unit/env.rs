//! What a step may look at and never changes.

use super::limits::Limits;
use super::pairing::Pairing;
use super::software::Software;
use crate::config::{Line, LineKey, Prc};
use crate::digest::{Digest, ImageDigest};
use crate::planted::{Defect, Planted};
use crate::policy::Policy;
use crate::translate::Refuses;

/// Everything that is no part of a unit's state: its own image, the pairings that were computed for
/// it, limits, policy.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The unit's own image.
    pub software: &'a Software,
    /// The pairings that a driver computed. What a unit has been told of by `Paired`, and only
    /// that, it looks up: a catalog shared between runs changes nothing.
    pub pairings: &'a dyn Fn(&PairingKey) -> Option<&'a Pairing>,
    /// Lengths and bounds.
    pub limits: &'a Limits,
    /// What happens about lines that cannot go.
    pub policy: &'a Policy,
    /// The own parser's say about a line that is to be executed: the class of its result if it
    /// refuses. `takes_all` but for a fault that is injected.
    pub refuses: Refuses<'a>,
    /// The planted defect, if any.
    pub planted: Planted,
}

impl Env<'_> {
    /// Whether `defect` is planted; constant false without the feature.
    pub fn planted(&self, defect: Defect) -> bool {
        self.planted.is(defect)
    }
}

/// A unit that executes every line that its image takes.
pub const fn takes_all(_: &LineKey, _: &Line) -> Option<Prc> {
    None
}

/// Identity of a pairing: one side's, a pure function of the own image and of bytes that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairingKey {
    /// Whose image is `own`.
    pub side: PairingSide,
    /// The image of the unit that asks.
    pub own: ImageDigest,
    /// The peer's image.
    pub peer: ImageDigest,
    /// Digest of the bytes that came: the Active's dump, or the Standby's diff.
    pub received: Digest,
}

/// Which side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairingSide {
    /// The Standby, which diffs the dump.
    Standby,
    /// The Active, which makes dispositions of the diff.
    Active,
}
