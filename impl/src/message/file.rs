//! Files that travel in chunks: what is named, sent, received.

use alloc::vec::Vec;

use super::Bytes;
use crate::digest::Digest;

/// What a file is, within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// What it holds.
    pub kind: FileKind,
    /// Config: the snapshot's LSN. Save: the save's number. Else 0.
    pub ordinal: u64,
}

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// The Active's CLI dump.
    Dump,
    /// The Standby's answer to it.
    Diff,
    /// A running config in wire form.
    Config,
    /// A config to be saved.
    Save,
}

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chunk {
    /// The file.
    pub file: FileId,
    /// Bytes of the whole file.
    pub size: u64,
    /// Digest of the whole file.
    pub digest: Digest,
    /// Where the piece begins.
    pub offset: u64,
    /// The piece.
    pub bytes: Bytes,
}

/// Disjoint ranges of bytes, in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// No ranges.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The ranges in order, as (start, end); `None` if they overlap, touch or are empty.
    pub fn from_ordered(ranges: Vec<(u64, u64)>) -> Option<Self> {
        let whole = ranges.iter().all(|(start, end)| start < end);
        let apart = ranges.windows(2).all(|two| two[0].1 < two[1].0);
        (whole && apart).then_some(Self(ranges))
    }

    /// The ranges in order, as (start, end).
    pub fn as_slice(&self) -> &[(u64, u64)] {
        &self.0
    }

    /// Adds `start..end`; true if any of it is new.
    pub fn insert(&mut self, start: u64, end: u64) -> bool {
        assert!(start <= end, "a range runs forward");
        if start == end || self.covers(start, end) {
            return false;
        }
        let (mut low, mut high) = (start, end);
        self.0.retain(|&(from, to)| {
            let touches = from <= high && low <= to;
            if touches {
                low = low.min(from);
                high = high.max(to);
            }
            !touches
        });
        let at = self.0.partition_point(|&(from, _)| from < low);
        self.0.insert(at, (low, high));
        debug_assert!(self.covers(start, end), "what was inserted is covered");
        true
    }

    /// Whether all of `start..end` is in.
    pub fn covers(&self, start: u64, end: u64) -> bool {
        start == end || self.0.iter().any(|&(from, to)| from <= start && end <= to)
    }

    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from).sum()
    }

    /// Whether nothing is in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn ranges_merge_what_touches() {
        let mut ranges = Ranges::new();
        assert!(ranges.insert(0, 4));
        assert!(ranges.insert(8, 12));
        assert!(ranges.insert(4, 6));
        assert_eq!(ranges.as_slice(), [(0, 6), (8, 12)]);
        assert!(ranges.insert(5, 9));
        assert_eq!(ranges.as_slice(), [(0, 12)]);
        assert!(!ranges.insert(3, 12));
        assert_eq!(ranges.len(), 12);
    }

    #[test]
    fn ranges_out_of_order_are_refused() {
        assert_eq!(Ranges::from_ordered(vec![(0, 4), (4, 6)]), None);
        assert_eq!(Ranges::from_ordered(vec![(5, 5)]), None);
        assert!(Ranges::from_ordered(vec![(0, 4), (5, 6)]).is_some());
    }
}
