//! A unit's disk: what is durable, and writes that are under way. A process's end leaves them to
//! the disk, a loss of power does not. The startup store has two generations; counters and terms
//! are of the size that a disk writes whole, and are kept in more than one copy, as a real unit
//! would.

use std::collections::VecDeque;

use skewsync::ids::{BootId, Term, WriteId};
use skewsync::unit::{Boot, Record, Store};

use super::generation::Generation;

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
    /// Two places for the startup store: a new one goes where the newest that reads is not.
    stores: [Generation; 2],
    pending: VecDeque<(WriteId, Record)>,
    refuses: bool,
    full: bool,
}

impl Disk {
    /// A disk that holds a startup store.
    pub fn with(store: Option<Store>) -> Self {
        let mut disk = Self::default();
        if let Some(store) = store {
            disk.stores[0] = Generation::write(1, &store);
        }
        disk
    }

    /// Counts a boot, durably, and says what the disk holds.
    pub fn boot(&mut self) -> Boot {
        self.boots += 1;
        let lost_disk = std::mem::take(&mut self.lost);
        assert!(self.pending.is_empty(), "what a former boot wrote is settled");
        Boot {
            boot: BootId(self.boots),
            lost_disk,
            highest: self.highest,
            resets: self.resets,
            damaged: self.is_damaged(),
            store: self.newest().map(|(_, _, store)| store),
        }
    }

    /// Begins a write; its end is an event of its own.
    ///
    /// # Errors
    /// Why the disk does not take it.
    pub fn write(&mut self, write: WriteId, record: Record) -> Result<(), Denied> {
        assert!(self.pending.len() < PENDING_MAX, "writes under way are bounded");
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

    /// The power went: of the writes under way only the oldest `kept` are durable. How many there
    /// were.
    pub fn power_lost(&mut self, kept: usize) -> usize {
        let pending = self.pending.len();
        self.pending.truncate(kept);
        self.process_ended();
        pending
    }

    /// The disk is gone, and an empty one is in its place. `fresh` is a boot id that was never
    /// used.
    pub fn replaced(&mut self, fresh: u64) {
        *self = Self { boots: fresh, lost: true, ..Self::default() };
    }

    /// From now on writes are refused, or not.
    pub fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
    }

    /// From now on there is no room for another startup store, or there is.
    pub fn fill(&mut self, full: bool) {
        self.full = full;
    }

    /// The power went while this write of a store was under way: what came before it is durable,
    /// and of itself only the first bytes are, so many, modulo its length. How many writes were
    /// lost; none if it is not under way.
    pub fn torn(&mut self, write: WriteId, bytes: u32) -> Option<usize> {
        let at = self.pending.iter().position(|(id, _)| *id == write)?;
        for _ in 0..at {
            self.settle();
        }
        let lost = self.pending.len();
        if let Some((_, Record::Store(store))) = self.pending.pop_front() {
            let (place, number) = self.next();
            self.stores[place].torn(&Generation::write(number, &store), bytes);
        }
        self.pending.clear();
        Some(lost)
    }

    /// A bit of the newest store that reads flips, or of all: how many.
    pub fn rot(&mut self, all: bool, bit: u32) -> usize {
        let Some((newest, ..)) = self.newest() else {
            return 0;
        };
        let mut rotten = 0;
        for (place, store) in self.stores.iter_mut().enumerate() {
            if place == newest || (all && !store.is_empty()) {
                let was_rotten = store.read().is_none();
                store.rot(bit);
                // The same bit twice is whole again, and rot heals nothing.
                if was_rotten && store.read().is_some() {
                    store.rot(bit.wrapping_add(1));
                }
                rotten += 1;
            }
        }
        rotten
    }

    /// The newest store that reads: its place, its number, and what it is.
    fn newest(&self) -> Option<(usize, u64, Store)> {
        let read = self.stores.iter().enumerate().filter_map(|(place, store)| {
            let (number, store) = store.read()?;
            Some((place, number, store))
        });
        read.max_by_key(|(_, number, _)| *number)
    }

    /// The store that is not the newest one that reads.
    pub fn older(&self) -> Option<Store> {
        let (newest, ..) = self.newest()?;
        let (_, older) = self.stores[1 - newest].read()?;
        Some(older)
    }

    /// Whether there is a store that does not read.
    fn is_damaged(&self) -> bool {
        let damaged = |store: &Generation| !store.is_empty() && store.read().is_none();
        self.stores.iter().any(damaged)
    }

    /// Where the next store goes, and its number.
    fn next(&self) -> (usize, u64) {
        self.newest().map_or((0, 1), |(place, number, _)| (1 - place, number + 1))
    }

    fn settle(&mut self) {
        let Some((_, record)) = self.pending.pop_front() else {
            return;
        };
        match record {
            Record::Highest(term) => self.highest = self.highest.max(term),
            Record::Resets(resets) => self.resets = resets,
            Record::Store(store) => {
                let (place, number) = self.next();
                self.stores[place] = Generation::write(number, &store);
            }
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

    fn saved(disk: &mut Disk, write: u64, text: &str) {
        disk.write(WriteId(write), record(text)).unwrap();
        assert!(disk.complete(WriteId(write)));
    }

    fn record(text: &str) -> Record {
        Record::Store(store(text))
    }

    fn store(text: &str) -> Store {
        use skewsync::digest::Shared;
        Store {
            text: Shared::text(text),
            stamp: skewsync::message::Stamp::default(),
            listing: Shared::new(Vec::new()),
            origin: Shared::new(Vec::new()),
        }
    }

    fn boots(disk: &mut Disk) -> (Option<String>, bool) {
        let boot = disk.boot();
        let text = boot.store.map(|store| store.text.to_string());
        (text, boot.damaged)
    }

    #[test]
    fn a_write_that_is_torn_leaves_the_store_before_it() {
        for bytes in [0, 1, 40, 60, 1_000] {
            let mut disk = Disk::with(Some(store("one")));
            saved(&mut disk, 1, "two");
            disk.write(WriteId(2), Record::Resets(4)).unwrap();
            disk.write(WriteId(3), record("three")).unwrap();
            assert_eq!(disk.torn(WriteId(3), bytes), Some(1));
            let (text, _) = boots(&mut disk);
            assert_eq!(text.as_deref(), Some("two"), "{bytes} bytes");
            assert_eq!(disk.boot().resets, 4, "what came before is durable");
            saved(&mut disk, 4, "four");
            assert_eq!(boots(&mut disk), (Some("four".into()), false));
        }
    }

    #[test]
    fn a_store_that_rots_leaves_the_one_before_it_or_none() {
        let mut disk = Disk::with(Some(store("one")));
        saved(&mut disk, 1, "two");
        let mut other = disk.clone();
        assert_eq!(disk.rot(false, 777), 1);
        assert_eq!(boots(&mut disk), (Some("one".into()), true));
        assert_eq!(other.rot(true, 777), 2);
        assert_eq!(boots(&mut other), (None, true));
        assert_eq!(Disk::default().rot(true, 777), 0, "there is nothing");
    }
}
