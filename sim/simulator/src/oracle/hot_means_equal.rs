//! HotMeansEqual: while the register is set, S = raise(lower(A_n)) by the reference translation,
//! less what is held out, nothing missing and nothing extra; n is at or beyond every LSN that was
//! returned `replicated`; at most `hot_window` LSNs are outstanding; the MCL of both is that of
//! A_n, and so are the lines of W that the Standby does not raise.

use std::collections::BTreeSet;

use skewsync::config::Config;
use skewsync::image::Image;
use skewsync::message::Stamp;
use skewsync::translate::{Listing, NotRaised, Raising};
use skewsync::unit::PairingSide;
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use super::listed_at_takeover::placed;
use super::reference::rendered;
use crate::observe::{Evidence, Violation};

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

/// What the one has and the other has not.
fn difference(at: Stamp, found: &Config, wanted: &Config) -> Evidence {
    let (lines_found, lines_wanted) = (lines(found), lines(wanted));
    if lines_found == lines_wanted {
        return other_order(at, found, wanted);
    }
    let (found, wanted) = (lines_found, lines_wanted);
    let extra: Vec<String> = found.difference(&wanted).take(SAID).cloned().collect();
    let missing = wanted.difference(&found).take(SAID - extra.len()).cloned().collect();
    Evidence::ConfigDiffers { at, extra, missing }
}

/// Where two configs of the same lines are rendered otherwise.
fn other_order(at: Stamp, found: &Config, wanted: &Config) -> Evidence {
    let (found, wanted) = (found.render(), wanted.render());
    let ends = std::iter::repeat("");
    let both = found.lines().chain(ends.clone()).zip(wanted.lines().chain(ends));
    let most = found.lines().count().max(wanted.lines().count());
    let first = both.take(most).find(|(found, wanted)| found != wanted);
    let lines = first.map(|(found, wanted)| [found.into(), wanted.into()]).unwrap_or_default();
    Evidence::StandbyOrderDiffers { at, lines: Box::new(lines) }
}

/// The lines of an MCL, by words.
pub(super) fn keys(listing: &Listing) -> BTreeSet<(String, String)> {
    let keys = listing.lines().keys();
    keys.map(|key| (key.path.to_string(), key.line.to_string())).collect()
}

/// The lines of W that a Standby does not raise, each with the modes that it stands in.
pub(super) fn unraised_by(raising: &Raising, image: &Image) -> BTreeSet<String> {
    raising.unraised(image).iter().map(NotRaised::text).collect()
}

/// What the Active lists of them, if what it was told last is of the LSN looked at, and whole.
pub(super) fn unraised_at(point: &Point<'_>) -> Option<BTreeSet<String>> {
    let current = point.active?.session.as_ref()?;
    let whole = current.acked == point.n && current.missing.further == 0;
    let lines = || current.missing.unraised.iter().map(|each| each.line.to_string()).collect();
    whole.then(lines)
}

impl PairCheck for HotMeansEqual {
    fn property(&self) -> Property {
        Property::HotMeansEqual
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let (n, at) = (point.n, point.stamp());
        let held: BTreeSet<(String, String)> = point
            .raising
            .map(|raising| raising.held_out(point.images.1.software().image()))
            .into_iter()
            .flatten()
            .map(|each| (each.key.path.to_string(), each.key.line.to_string()))
            .collect();
        let less = (!held.is_empty()).then(|| point.reference_less(&held));
        let wanted = less.as_ref().map_or(point.digests.standby, |less| less.standby.digest());
        if point.s.digest() != wanted {
            let whole = point.reference_less(&held).standby;
            return broken(Property::HotMeansEqual, difference(at, point.s, &whole));
        }
        let in_order = less.as_ref().map(|less| rendered(&less.standby));
        if rendered(point.s) != in_order.unwrap_or(point.digests.rendered[1]) {
            let whole = point.reference_less(&held).standby;
            return broken(Property::HotMeansEqual, other_order(at, point.s, &whole));
        }
        let unraised = less.as_ref().map_or(&point.digests.unraised, |less| &less.unraised);
        if let Some(replicated) = point.replicated.filter(|replicated| *replicated > n) {
            let change = Stamp { lsn: replicated, ..at };
            return broken(Property::HotMeansEqual, Evidence::ReplicatedBeyond { change, has: n });
        }
        if let Some(raising) = point.raising {
            lists(PairingSide::Standby, &keys(raising.listing()), &point.digests.listed)?;
            let found = unraised_by(raising, point.images.1.software().image());
            lists_unraised(PairingSide::Standby, &found, unraised)?;
        }
        let Some(acting) = point.active else {
            return Ok(());
        };
        let outstanding = acting.last.0.saturating_sub(n.0);
        if outstanding > point.hot_window {
            return broken(Property::HotMeansEqual, Evidence::Outstanding { outstanding, at });
        }
        if let Some(lowering) = point.lowering().filter(|_| acting.last == n) {
            lists(PairingSide::Active, &keys(lowering.listing()), &point.digests.listed)?;
        }
        if let Some(told) = unraised_at(point) {
            lists_unraised(PairingSide::Active, &told, unraised)?;
        }
        let current = acting.session.as_ref();
        if let Some(current) = current.filter(|current| current.acked >= n) {
            let said = current.missing.lines();
            let says = |held: &(String, String)| said.contains(&*placed(held));
            if let Some((path, line)) = held.iter().find(|held| !says(held)) {
                let (path, line) = (path.clone(), line.clone());
                return broken(Property::HotMeansEqual, Evidence::HeldOutUnknown { path, line });
            }
        }
        Ok(())
    }
}

/// The list that one side keeps is the one that is wanted.
fn lists(
    whose: PairingSide,
    found: &BTreeSet<(String, String)>,
    wanted: &BTreeSet<(String, String)>,
) -> Result<(), Violation> {
    if found == wanted {
        return Ok(());
    }
    let missing = wanted.difference(found).take(SAID).cloned().collect();
    let extra = found.difference(wanted).take(SAID).cloned().collect();
    broken(Property::HotMeansEqual, Evidence::ListDiffers { whose, missing, extra })
}

/// Of the lines of W that are not raised, one side lists those that are to be.
fn lists_unraised(
    whose: PairingSide,
    found: &BTreeSet<String>,
    wanted: &BTreeSet<(String, String)>,
) -> Result<(), Violation> {
    let with_modes = |line: String| (String::new(), line);
    let found = found.iter().cloned().map(with_modes).collect();
    lists(whose, &found, &wanted.iter().map(placed).map(with_modes).collect())
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
        Pair::with_releases(RELEASES, text, 16)
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

    /// What is told is what is not raised, no less and no more.
    #[test]
    fn another_list_than_what_is_not_raised_breaks_it() {
        const HALVES: [&str; 2] = ["halves@1", "halves@2"];
        let judge = |pair: Pair| {
            let mut points = Points::new(catalog(), 0, vec![Box::new(HotMeansEqual)]);
            broken_property(pair.judged_by(&mut points, HALVES))
        };
        let pair = |text| Pair::with_releases(HALVES, text, 16);
        let (half, whole) = ("interface e0\n rate 1\n", "interface e0\n rate 1\n burst 2\n");
        assert_eq!(judge(pair(half)), None);
        assert_eq!(judge(pair(whole)), None);
        for (text, told_of) in [(half, whole), (whole, half)] {
            let mut told = pair(text);
            told.put_missing(pair(told_of).missing().clone());
            assert_eq!(judge(told), Some(Property::HotMeansEqual), "{text}");
        }
    }

    #[test]
    fn more_outstanding_than_the_window_breaks_it() {
        let mut pair = pair(TEXT);
        let window = u64::from(skewsync::unit::Limits::DEFAULT.hot_window);
        let behind = pair.active.clone();
        let mut stage = crate::oracle::testing::Stage::with_releases(RELEASES);
        let mut points = Points::new(catalog(), 0, vec![Box::new(HotMeansEqual)]);
        let register = Some(crate::oracle::testing::eligible(16));
        stage.register(&mut points, register).unwrap();
        stage.does(&mut points, behind, &[]).unwrap();
        let last = pair.acting().last();
        pair.acting().put_last(skewsync::ids::Lsn(last.0 + window + 1));
        stage.does(&mut points, pair.active, &[]).unwrap();
        let found = stage.does(&mut points, pair.standby, &[]);
        assert_eq!(broken_property(found), Some(Property::HotMeansEqual));
    }
}
