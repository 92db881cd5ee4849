//! The journal, at the Active: the changes that its Standby lacks, as lines in a window
//! (PROTOCOL.md, sections 2 and 5).
//!
//! ```text
//!   acked .......... sent_to .......... last
//!         outstanding         to be sent
//! ```
//! Source: seed, Fig. 4 (steps 400-450).

use alloc::collections::BTreeMap;

use crate::digest::Digest;
use crate::ids::Lsn;
use crate::message::{Bytes, OnMismatch};

/// The changes after what the Standby has, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Journal {
    entries: BTreeMap<Lsn, JournalEntry>,
    /// The last line that was sent.
    sent_to: Lsn,
    /// The last change that the Standby has.
    acked: Lsn,
    /// Wire digest at that change.
    acked_digest: Digest,
}

/// A change in the journal: computed once, when the command executes; sent as often as needed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JournalEntry {
    /// Difference of the wire config.
    pub difference: Bytes,
    /// Changes of MCL and complements.
    pub listing: Bytes,
    /// Wire digest after it.
    pub digest: Digest,
    /// What the Standby does if it does not execute.
    pub on_mismatch: OnMismatch,
}

impl Journal {
    /// A journal after the snapshot of this LSN, which has this wire digest.
    pub(super) const fn after(lsn: Lsn, digest: Digest) -> Self {
        Self { entries: BTreeMap::new(), sent_to: lsn, acked: lsn, acked_digest: digest }
    }

    /// Enters a change.
    pub(super) fn append(&mut self, lsn: Lsn, entry: JournalEntry) {
        debug_assert!(lsn > self.acked, "the Standby does not have it");
        debug_assert!(
            self.entries.last_key_value().is_none_or(|(last, _)| *last < lsn),
            "changes come in order"
        );
        self.entries.insert(lsn, entry);
    }

    /// The Standby has all up to this change: so far the journal is of no more use.
    pub(super) fn acknowledge(&mut self, lsn: Lsn) {
        debug_assert!(lsn >= self.acked, "what it has it keeps");
        self.acked_digest = self.digest_at(lsn);
        self.acked = lsn;
        self.entries = self.entries.split_off(&Lsn(lsn.0 + 1));
        debug_assert!(self.entries.keys().all(|left| *left > lsn), "the rest it lacks");
    }

    /// The changes that a window of so many lines admits beyond those that were sent: they are
    /// sent now.
    pub(super) fn send_next(&mut self, window: u32) -> impl Iterator<Item = (Lsn, &JournalEntry)> {
        let edge = self.acked.0 + u64::from(window);
        let from = self.sent_to.max(self.acked).0 + 1;
        let next = self.entries.range(Lsn(from)..Lsn(from.max(edge + 1)));
        if let Some((last, _)) = next.clone().next_back() {
            self.sent_to = *last;
        }
        next.map(|(lsn, entry)| (*lsn, entry))
    }

    /// The changes that were sent and that the Standby does not have, as far as is known.
    pub(super) fn outstanding(&self) -> impl Iterator<Item = (Lsn, &JournalEntry)> {
        let from = self.acked.0 + 1;
        let sent = self.entries.range(Lsn(from)..Lsn(from.max(self.sent_to.0 + 1)));
        sent.map(|(lsn, entry)| (*lsn, entry))
    }

    /// Nothing of it is sent any more.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The wire digest that a Standby should have which is at this change.
    pub(super) fn digest_at(&self, lsn: Lsn) -> Digest {
        self.entries.get(&lsn).map_or(self.acked_digest, |entry| entry.digest)
    }

    /// The last change that the Standby has.
    pub const fn acked(&self) -> Lsn {
        self.acked
    }

    /// The changes in it.
    pub fn lsns(&self) -> impl Iterator<Item = Lsn> {
        self.entries.keys().copied()
    }

    /// How many changes are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
