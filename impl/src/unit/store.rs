//! What a unit keeps on its disk.

use crate::digest::Shared;

use crate::ids::Term;
use crate::message::{Bytes, Stamp};

/// A startup store: what a unit boots (PROTOCOL.md, section 5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Store {
    /// The config in this unit's own image's syntax.
    pub text: Shared<str>,
    /// Where it stands in the role's history.
    pub stamp: Stamp,
    /// MCL and complements that belong to it.
    pub listing: Bytes,
    /// The config as it was where it was entered: text of the former Active's image.
    pub origin: Bytes,
}

/// One write to the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// The highest term seen.
    Highest(Term),
    /// The ordered resets.
    Resets(u32),
    /// The startup store; the older generation stays until this one is durable.
    Store(Store),
}
