//! HotMeansEqual: while the register is set, S = raise(lower(A_n)) by the reference translation,
//! less what is held out, nothing missing and nothing extra; n is at or beyond every LSN that was
//! returned `replicated`; at most `hot_window` LSNs are outstanding; the MCL of both is that of
//! A_n.

use std::collections::BTreeSet;

use skewsync::config::Config;
use skewsync::translate::Listing;
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use crate::observe::Violation;

/// Lines of a difference that are said.
const SAID: usize = 4;

/// See the module.
#[derive(Debug, Default)]
pub struct HotMeansEqual;

/// The lines of a config, each with the instances around it.
pub(super) fn lines(config: &Config) -> BTreeSet<String> {
    let lines = config.lines();
    lines.map(|(key, line)| key.place.path() + line.words.text()).collect()
}

/// What the one has and the other has not, in words.
fn difference(found: &Config, wanted: &Config) -> String {
    let (found, wanted) = (lines(found), lines(wanted));
    let extra = found.difference(&wanted).map(|line| format!("extra `{line}`"));
    let missing = wanted.difference(&found).map(|line| format!("missing `{line}`"));
    let said: Vec<String> = extra.chain(missing).take(SAID).collect();
    if said.is_empty() { "another order, or other instances".into() } else { said.join(", ") }
}

/// The lines of an MCL, by words.
pub(super) fn keys(listing: &Listing) -> BTreeSet<(String, String)> {
    let keys = listing.lines().keys();
    keys.map(|key| (key.path.to_string(), key.line.to_string())).collect()
}

impl PairCheck for HotMeansEqual {
    fn property(&self) -> Property {
        Property::HotMeansEqual
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let n = point.n;
        let held: BTreeSet<(String, String)> = point
            .raising
            .map(|raising| raising.held_out(point.images.1.software().image()))
            .into_iter()
            .flatten()
            .map(|each| (each.key.path.to_string(), each.key.line.to_string()))
            .collect();
        let wanted = if held.is_empty() {
            point.digests.standby
        } else {
            point.reference_less(&held).standby.digest()
        };
        if point.s.digest() != wanted {
            let whole = point.reference_less(&held).standby;
            let what = difference(point.s, &whole);
            let what = format!("the Standby's config at LSN {n} is not the Active's: {what}");
            return broken(Property::HotMeansEqual, what);
        }
        if let Some(replicated) = point.replicated.filter(|replicated| *replicated > n) {
            let what = format!("LSN {replicated} was returned replicated, and the Standby has {n}");
            return broken(Property::HotMeansEqual, what);
        }
        if let Some(raising) = point.raising {
            let listed = keys(raising.listing());
            if listed != point.digests.listed {
                return broken(
                    Property::HotMeansEqual,
                    unlike("the Standby", &listed, &point.digests.listed),
                );
            }
        }
        let Some(acting) = point.active else {
            return Ok(());
        };
        let outstanding = acting.last.0.saturating_sub(n.0);
        if outstanding > point.hot_window {
            return broken(
                Property::HotMeansEqual,
                format!("{outstanding} LSNs are outstanding at LSN {n}"),
            );
        }
        if let Some(lowering) = point.lowering().filter(|_| acting.last == n) {
            let listed = keys(lowering.listing());
            if listed != point.digests.listed {
                return broken(
                    Property::HotMeansEqual,
                    unlike("the Active", &listed, &point.digests.listed),
                );
            }
        }
        let current = acting.session.as_ref();
        if let Some(current) = current.filter(|current| current.acked >= n) {
            let says = |(path, line): &(String, String)| {
                let between = if path.is_empty() { "" } else { " / " };
                let line = format!("{path}{between}{line}");
                current.held_out.iter().any(|held| **held == *line)
            };
            if let Some((path, line)) = held.iter().find(|held| !says(held)) {
                let what = format!("the Active does not know that `{path} {line}` is held out");
                return broken(Property::HotMeansEqual, what);
            }
        }
        Ok(())
    }
}

/// What is wrong with the list that somebody keeps.
fn unlike(
    whose: &str,
    found: &BTreeSet<(String, String)>,
    wanted: &BTreeSet<(String, String)>,
) -> String {
    let of = |(path, line): &(String, String)| format!("`{path} {line}`");
    let missing: Vec<String> = wanted.difference(found).take(SAID).map(of).collect();
    let extra: Vec<String> = found.difference(wanted).take(SAID).map(of).collect();
    format!("{whose} does not list {}, and lists {} beside", missing.join(", "), extra.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{Pair, broken_property, catalog};

    const RELEASES: [&str; 2] = ["6.1", "6.0"];
    const TEXT: &str = "interface eth0\n mtu 9216\n speed 10\n";

    fn judge(pair: Pair) -> Option<Property> {
        let mut points = Points::new(catalog(), 0, vec![Box::new(HotMeansEqual)]);
        let found = pair.judged_by(&mut points, RELEASES);
        let looked: u64 = points_looked(&points);
        assert!(looked > 0, "the pair was looked at");
        broken_property(found)
    }

    fn points_looked(points: &Points) -> u64 {
        use crate::history::Observer;
        points.checked().iter().map(|(_, times)| *times).sum()
    }

    fn pair(text: &str) -> Pair {
        Pair::of(RELEASES, text, 16)
    }

    #[test]
    fn a_pair_in_step_breaks_nothing() {
        assert_eq!(judge(pair(TEXT)), None);
    }

    #[test]
    fn a_line_too_much_or_too_little_breaks_it() {
        let more = format!("{TEXT} duplex full\n");
        assert_eq!(judge(pair(TEXT).with_replica_of(pair(&more))), Some(Property::HotMeansEqual));
        assert_eq!(judge(pair(&more).with_replica_of(pair(TEXT))), Some(Property::HotMeansEqual));
    }

    #[test]
    fn another_list_than_that_of_the_config_breaks_it() {
        let jumbo = "interface eth0\n mtu 9216\n";
        let plain = "interface eth0\n";
        assert_eq!(judge(pair(jumbo).with_replica_of(pair(plain))), Some(Property::HotMeansEqual));
    }

    #[test]
    fn more_outstanding_than_the_window_breaks_it() {
        let mut pair = pair(TEXT);
        let window = u64::from(skewsync::unit::Limits::DEFAULT.hot_window);
        let behind = pair.active.clone();
        let mut stage = crate::oracle::testing::Stage::of(RELEASES);
        let mut points = Points::new(catalog(), 0, vec![Box::new(HotMeansEqual)]);
        let register = Some(crate::oracle::testing::eligible(16));
        stage.register(&mut points, register).unwrap();
        stage.does(&mut points, behind, &[]).unwrap();
        pair.acting().last.0 += window + 1;
        stage.does(&mut points, pair.active, &[]).unwrap();
        let found = stage.does(&mut points, pair.standby, &[]);
        assert_eq!(broken_property(found), Some(Property::HotMeansEqual));
    }
}
