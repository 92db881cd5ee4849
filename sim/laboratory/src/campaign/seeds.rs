//! Sets of seeds, as the ranges that they are made of.

use std::fmt;
use std::ops::RangeInclusive;

use rangemap::RangeInclusiveSet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Ranges that are shown, at most.
const SHOWN_MAX: usize = 5;

/// A set of seeds.
///
/// # Shape
/// As data a list of `[first, last]`, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seeds(RangeInclusiveSet<u64>);

impl Seeds {
    /// So many seeds from one on; those beyond the greatest number are none.
    pub fn run(from: u64, count: u64) -> Self {
        let mut seeds = Self::default();
        if let Some(more) = count.checked_sub(1) {
            seeds.0.insert(from..=from.saturating_add(more));
        }
        seeds
    }

    /// Takes a seed in.
    pub fn insert(&mut self, seed: u64) {
        self.0.insert(seed..=seed);
    }

    /// Takes the seeds of another set in.
    pub fn unite(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        let each = self.0.iter().map(|range| range.end() - range.start());
        each.fold(0, |sum: u64, more| sum.saturating_add(more).saturating_add(1))
    }

    /// Whether it is one of them.
    pub fn contains(&self, seed: u64) -> bool {
        self.0.contains(&seed)
    }

    /// The first.
    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|range| *range.start())
    }

    /// Seeds that are in both.
    pub fn common(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).collect())
    }

    /// Those that the other set has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let gaps = self.0.iter().flat_map(|range| other.0.gaps(range));
        Self(gaps.collect())
    }

    /// The `index`th of `of` parts of about one size, from 1 on.
    ///
    /// # Panics
    /// If there is no such part.
    #[must_use]
    pub fn shard(&self, index: u64, of: u64) -> Self {
        assert!(index >= 1 && index <= of, "there is no part {index} of {of}");
        let all = u128::from(self.count());
        let bound = |index: u64| (all * u128::from(index) / u128::from(of)) as u64;
        let (mut skip, mut take) = (bound(index - 1), bound(index) - bound(index - 1));
        let mut shard = Self::default();
        for range in self.0.iter() {
            let (first, last) = (*range.start(), *range.end());
            if take == 0 {
                break;
            }
            // A range of all numbers has one more than a number can say.
            if last - first < skip {
                skip -= last - first + 1;
                continue;
            }
            let first = first + skip;
            let part = Self::run(first, take.min((last - first).saturating_add(1)));
            take -= part.count();
            skip = 0;
            shard.unite(&part);
        }
        shard
    }

    /// Each, in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.0.iter().cloned().flatten()
    }

    /// Their ranges, in order.
    pub fn ranges(&self) -> impl Iterator<Item = &RangeInclusive<u64>> {
        self.0.iter()
    }
}

impl IntoIterator for Seeds {
    type Item = u64;
    type IntoIter = std::iter::Flatten<rangemap::inclusive_set::IntoIter<u64>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

impl FromIterator<u64> for Seeds {
    fn from_iter<I: IntoIterator<Item = u64>>(seeds: I) -> Self {
        let mut set = Self::default();
        for seed in seeds {
            set.insert(seed);
        }
        set
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().take(SHOWN_MAX).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}-{}", range.start(), range.end())?;
            }
        }
        if self.0.len() > SHOWN_MAX {
            f.write_str(", ..")?;
        }
        Ok(())
    }
}

impl Serialize for Seeds {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|range| [range.start(), range.end()]))
    }
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rows: Vec<[u64; 2]> = Vec::deserialize(from)?;
        let mut seeds = Self::default();
        for [first, last] in rows {
            if first > last {
                let what = format!("seeds {first} to {last}: a range runs forward");
                return Err(D::Error::custom(what));
            }
            seeds.0.insert(first..=last);
        }
        Ok(seeds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_and_together_all() {
        let mut seeds = Seeds::run(5, 7);
        seeds.unite(&Seeds::run(100, 3));
        seeds.insert(u64::MAX);
        for of in 1..=14 {
            let mut all = Seeds::default();
            for index in 1..=of {
                let part = seeds.shard(index, of);
                assert_eq!(part.common(&all), Seeds::default());
                assert!(part.count().abs_diff(11 / of) <= 1, "{index}/{of}: {part}");
                all.unite(&part);
            }
            assert_eq!(all, seeds);
        }
    }

    #[test]
    fn what_is_missing_is_what_the_other_has_not() {
        let done: Seeds = [1, 2, 5, 9].into_iter().collect();
        let missing = Seeds::run(0, 8).without(&done);
        assert_eq!(missing.iter().collect::<Vec<_>>(), [0, 3, 4, 6, 7]);
        assert_eq!(missing.to_string(), "0, 3-4, 6-7");
        assert_eq!((missing.count(), missing.first()), (5, Some(0)));
    }

    #[test]
    fn a_range_that_runs_backward_is_refused() {
        let read: Result<Seeds, _> = serde_json::from_str("[[3, 1]]");
        let error = read.expect_err("it runs backward").to_string();
        assert!(error.contains("seeds 3 to 1"), "{error}");
    }
}
