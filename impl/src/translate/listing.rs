//! What the pair must know of what did not go: the mismatched command list and the complements.
//!
//! Everything here is by words and not by ids, since it crosses to a unit that runs another image
//! and keeps it as opaque data. It decides nothing; the ladder fills it and the unit shows it.

mod codec;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::complement::{Complement, ComplementKey, Complements};
use crate::digest::{Content, Digest, Shared};

use crate::ids::{Lsn, Term};
use crate::transform::StuckCause;
pub use codec::ListingError;

/// Lines that one listing may hold; more than that is `StuckCause::Bound` for the rest.
pub const LISTED_LINES_MAX: usize = 65_536;

/// A line of the Active's running config, by words: where it stands, and the line itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListKey {
    /// The entry lines of the mode instances around it, outermost first, joined by ` / `; empty in
    /// `config`.
    pub path: Shared<str>,
    /// The line as the Active renders it.
    pub line: Shared<str>,
}

/// Why a line is not on the Standby, and since when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listed {
    /// What stands in its way.
    pub cause: StuckCause,
    /// The change that made it so; (0, 0) for what the snapshot of a bulk already held.
    pub since: (Term, Lsn),
}

/// The lines that are stuck (the MCL) and the complements, of one pair. Cheap to clone and to hash.
///
/// # Shape
/// One entry per line of the Active's config that is not on the Standby, or only in part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Listing(Shared<Entries>);

/// What a listing holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The mismatched command list.
    pub lines: BTreeMap<ListKey, Listed>,
    /// What is kept for the way back.
    pub complements: Complements,
}

/// What one change did to a listing. Applied to the listing before, it gives the listing after.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListingChange {
    /// Lines that are new in the list, or listed for another cause; `None`: no longer listed.
    pub lines: Vec<(ListKey, Option<Listed>)>,
    /// Complements that are new, or rest on other lines; `None`: discarded.
    pub complements: Vec<(ComplementKey, Option<Complement>)>,
}

impl Listing {
    /// A listing of these entries.
    pub fn new(entries: Entries) -> Self {
        Self(Shared::new(entries))
    }

    /// The lines, by place and words.
    pub fn lines(&self) -> &BTreeMap<ListKey, Listed> {
        &self.0.lines
    }

    /// The complements.
    pub fn complements(&self) -> &Complements {
        &self.0.complements
    }

    /// How many lines are listed.
    pub fn len(&self) -> usize {
        self.0.lines.len()
    }

    /// Whether nothing is listed and nothing kept.
    pub fn is_empty(&self) -> bool {
        self.0.lines.is_empty() && self.0.complements.is_empty()
    }

    /// The digest of all entries, stamps included.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The same lines, beside what is kept.
    pub fn keep(&self, kept: &Complements) -> Self {
        Self::new(Entries { lines: self.lines().clone(), complements: kept.clone() })
    }

    /// Makes the listing what it is after `change`. Applying a change twice is applying it once.
    pub fn apply(&mut self, change: &ListingChange) {
        if change.is_empty() {
            return;
        }
        let mut entries = Entries::clone(&self.0);
        for (key, listed) in &change.lines {
            match listed {
                Some(listed) => entries.lines.insert(key.clone(), listed.clone()),
                None => entries.lines.remove(key),
            };
        }
        for (key, kept) in &change.complements {
            match kept {
                Some(kept) => entries.complements.insert(key.clone(), kept.clone()),
                None => entries.complements.remove(key),
            };
        }
        *self = Self::new(entries);
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self::new(Entries::default())
    }
}

impl ListingChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.complements.is_empty()
    }

    /// The change that turns `before` into `after`.
    pub fn between(before: &Listing, after: &Listing) -> Self {
        Self {
            lines: changed(before.lines(), after.lines()),
            complements: changed(before.complements(), after.complements()),
        }
    }
}

impl Content for Entries {
    fn digest(&self) -> Digest {
        Digest::compute(&codec::canonical(self))
    }
}

/// Entries that differ, as (key, what it is after).
fn changed<K: Ord + Clone, V: PartialEq + Clone>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
) -> Vec<(K, Option<V>)> {
    let gone = before.keys().filter(|key| !after.contains_key(key)).map(|key| (key.clone(), None));
    let made = after
        .iter()
        .filter(|(key, value)| before.get(key) != Some(value))
        .map(|(key, value)| (key.clone(), Some(value.clone())));
    gone.chain(made).collect()
}
