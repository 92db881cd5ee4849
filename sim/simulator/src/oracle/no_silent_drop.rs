//! NoSilentDrop: every line of A_n is in the Standby's config, on the don't-care list, or in the
//! MCL of the Active and of the eligible Standby; a line of W that the Standby does not raise is
//! listed by the Standby, and by the Active once it was told of that LSN.

use skewsync::unit::PairingSide;
use skewsync_model::property::Property;
use skewsync_reference::Way;
use std::collections::BTreeSet;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use super::hot_means_equal::{keys, unraised_at, unraised_by};
use super::listed_at_takeover::placed;
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoSilentDrop;

impl PairCheck for NoSilentDrop {
    fn property(&self) -> Property {
        Property::NoSilentDrop
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let there = point.raising.map(|raising| keys(raising.listing()));
        let at_n = point.active.is_some_and(|acting| acting.last == point.n);
        let here = point.lowering().filter(|_| at_n);
        let here = here.map(|lowering| keys(lowering.listing()));
        for (whose, list) in [(PairingSide::Active, &here), (PairingSide::Standby, &there)] {
            let missing = |list: &BTreeSet<(String, String)>| {
                point.digests.listed.difference(list).next().cloned()
            };
            if let Some((path, line)) = list.as_ref().and_then(missing) {
                let evidence = Evidence::UnlistedBy { whose, path, line };
                return broken(Property::NoSilentDrop, evidence);
            }
        }
        let image = point.images.1.software().image();
        let held = point.raising.map(|raising| raising.held_out(image).len());
        if held.unwrap_or(0) == 0 {
            let there = point.raising.map(|raising| unraised_by(raising, image));
            let told = unraised_at(point);
            for (whose, list) in [(PairingSide::Active, told), (PairingSide::Standby, there)] {
                let unlisted = |list: BTreeSet<String>| {
                    let wanted = &point.digests.unraised;
                    wanted.iter().find(|line| !list.contains(&placed(line))).cloned()
                };
                if let Some((path, line)) = list.and_then(unlisted) {
                    let evidence = Evidence::UnlistedBy { whose, path, line };
                    return broken(Property::NoSilentDrop, evidence);
                }
            }
        }
        if point.s.digest() == point.digests.standby {
            return Ok(());
        }
        for fared in point.reference_less(&BTreeSet::new()).lines {
            let Way::Goes(keys) = &fared.way else {
                continue;
            };
            let gone = keys.iter().any(|key| point.s.line(key).is_none());
            let key = (fared.path, fared.line);
            let listed =
                |list: &Option<BTreeSet<_>>| list.as_ref().is_none_or(|list| list.contains(&key));
            if gone && held.unwrap_or(0) == 0 && !(listed(&here) && listed(&there)) {
                let (path, line) = key;
                return broken(Property::NoSilentDrop, Evidence::Dropped { path, line });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{Pair, broken_property, catalog};
    use skewsync::message::Missing;

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn judge(pair: Pair) -> Option<Property> {
        let mut points = Points::new(catalog(), 0, vec![Box::new(NoSilentDrop)]);
        broken_property(pair.judged_by(&mut points, RELEASES))
    }

    fn pair(text: &str) -> Pair {
        Pair::with_releases(RELEASES, text, 16)
    }

    #[test]
    fn a_line_that_neither_went_nor_is_listed_breaks_it() {
        let whole = "interface eth0\n speed 10\n duplex full\n";
        let part = "interface eth0\n speed 10\n";
        assert_eq!(judge(pair(whole).with_replica_of(pair(part))), Some(Property::NoSilentDrop));
    }

    #[test]
    fn a_list_that_only_the_active_has_breaks_it() {
        let jumbo = "interface eth0\n mtu 9216\n";
        let plain = "interface eth0\n";
        assert_eq!(judge(pair(jumbo).with_replica_of(pair(plain))), Some(Property::NoSilentDrop));
    }

    #[test]
    fn lines_that_went_and_lines_that_are_listed_break_nothing() {
        assert_eq!(judge(pair("interface eth0\n mtu 9216\n speed 10\n")), None);
    }

    #[test]
    fn half_of_a_merge_is_listed_by_both_or_breaks_it() {
        const HALVES: [&str; 2] = ["halves@1", "halves@2"];
        let judge = |pair: Pair| {
            let mut points = Points::new(catalog(), 0, vec![Box::new(NoSilentDrop)]);
            broken_property(pair.judged_by(&mut points, HALVES))
        };
        let half = || Pair::with_releases(HALVES, "interface e0\n rate 1\n", 16);
        assert_eq!(judge(half()), None);
        let mut untold = half();
        untold.put_missing(Missing::default());
        assert_eq!(judge(untold), Some(Property::NoSilentDrop));
        let other = Pair::with_releases(HALVES, "interface e0\n", 16);
        assert_eq!(judge(half().with_replica_of(other)), Some(Property::NoSilentDrop));
    }
}
