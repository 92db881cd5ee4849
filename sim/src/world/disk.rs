//! A unit's disk: what is durable, and writes that are under way. A process's end leaves them to the disk,
//! a loss of power does not.

use std::collections::VecDeque;

use skewsync::base::{BootId, Term, WriteId};
use skewsync::unit::{Boot, Record, Store};

/// Writes under way at most; a unit that has more outstanding is broken.
pub const PENDING_MAX: usize = 256;

/// Why a disk does not take a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It refuses all.
    Refused,
    /// There is no room for another startup store.
    Full,
}

/// One disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    boots: u64,
    lost: bool,
    highest: Term,
    resets: u32,
    store: Option<Store>,
    pending: VecDeque<(WriteId, Record)>,
    refuses: bool,
    full: bool,
}

impl Disk {
    /// A disk that holds a startup store.
    pub fn with(store: Option<Store>) -> Self {
        Self {
            store,
            ..Self::default()
        }
    }

    /// Counts a boot, durably, and says what the disk holds.
    pub fn boot(&mut self) -> Boot {
        self.boots += 1;
        let lost_disk = std::mem::take(&mut self.lost);
        assert!(
            self.pending.is_empty(),
            "what a former boot wrote is settled"
        );
        Boot {
            boot: BootId(self.boots),
            lost_disk,
            highest: self.highest,
            resets: self.resets,
            store: self.store.clone(),
        }
    }

    /// Begins a write; its end is an event of its own.
    ///
    /// # Errors
    /// Why the disk does not take it.
    pub fn write(&mut self, write: WriteId, record: Record) -> Result<(), Denied> {
        assert!(
            self.pending.len() < PENDING_MAX,
            "writes under way are bounded"
        );
        if self.refuses {
            return Err(Denied::Refused);
        }
        // Terms and counts are written in place.
        if self.full && matches!(record, Record::Store(_)) {
            return Err(Denied::Full);
        }
        self.pending.push_back((write, record));
        Ok(())
    }

    /// A write has become durable, and all before it. False if it is not under way any more.
    pub fn complete(&mut self, write: WriteId) -> bool {
        let Some(at) = self.pending.iter().position(|(id, _)| *id == write) else {
            return false;
        };
        for _ in 0..=at {
            self.settle();
        }
        true
    }

    /// The process ended: the writes under way become durable.
    pub fn process_ended(&mut self) {
        while !self.pending.is_empty() {
            self.settle();
        }
    }

    /// The power went: of the writes under way only the oldest `kept` are durable. How many there were.
    pub fn power_lost(&mut self, kept: usize) -> usize {
        let pending = self.pending.len();
        self.pending.truncate(kept);
        self.process_ended();
        pending
    }

    /// The disk is gone, and an empty one is in its place. `fresh` is a boot id that was never used.
    pub fn replaced(&mut self, fresh: u64) {
        *self = Self {
            boots: fresh,
            lost: true,
            ..Self::default()
        };
    }

    /// From now on writes are refused, or not.
    pub fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
    }

    /// From now on there is no room for another startup store, or there is.
    pub fn fill(&mut self, full: bool) {
        self.full = full;
    }

    /// The startup store that is durable.
    pub const fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    fn settle(&mut self) {
        let Some((_, record)) = self.pending.pop_front() else {
            return;
        };
        match record {
            Record::Highest(term) => self.highest = self.highest.max(term),
            Record::Resets(resets) => self.resets = resets,
            // Two generations, switched by rename after fsync: the old one or the new one, whole.
            Record::Store(store) => self.store = Some(store),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_loss_drops_what_was_under_way() {
        let mut disk = Disk::default();
        disk.write(WriteId(1), Record::Resets(1)).unwrap();
        disk.write(WriteId(2), Record::Resets(2)).unwrap();
        assert_eq!(disk.power_lost(1), 2);
        assert_eq!(disk.boot().resets, 1);
        assert!(!disk.complete(WriteId(2)), "it is gone");
    }

    #[test]
    fn a_process_that_ends_leaves_its_writes_to_the_disk() {
        let mut disk = Disk::default();
        disk.write(WriteId(1), Record::Highest(Term(7))).unwrap();
        disk.process_ended();
        let boot = disk.boot();
        assert_eq!((boot.highest, boot.boot), (Term(7), BootId(1)));
    }

    #[test]
    fn a_new_disk_holds_nothing_and_says_so() {
        let mut disk = Disk::default();
        disk.write(WriteId(1), Record::Resets(3)).unwrap();
        disk.process_ended();
        disk.replaced(1 << 40);
        let boot = disk.boot();
        assert!(boot.lost_disk && boot.resets == 0 && boot.boot.0 > 1 << 40);
        assert!(!disk.boot().lost_disk, "once");
    }

    #[test]
    fn a_disk_that_refuses_takes_nothing() {
        let mut disk = Disk::default();
        disk.refuse(true);
        let denied = disk.write(WriteId(1), Record::Resets(1));
        assert_eq!(denied, Err(Denied::Refused));
        disk.refuse(false);
        disk.write(WriteId(2), Record::Resets(1)).unwrap();
        assert!(disk.complete(WriteId(2)));
    }
}
