//! RoundTrip: after two stateful switchovers without an edit between them the config is what it
//! was, lines, values and order: what could not go was kept, and comes back. What need not go is
//! not kept.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::digest::ImageDigest;

use skewsync::config::{Config, LineKey, ListId};
use skewsync::ids::Lsn;
use skewsync::parse::Place;
use skewsync_model::property::Property;
use skewsync_reference::Way;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use super::hot_means_equal::lines;
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct RoundTrip {
    /// The switchover before.
    before: Option<Switchover>,
    checked: u64,
}

/// A stateful switchover.
#[derive(Debug)]
struct Switchover {
    /// The LSN at which it was.
    at: Lsn,
    /// The images of the former Active and of the new one.
    images: (ImageDigest, ImageDigest),
    /// The former Active's config.
    from: Config,
    /// The new one's.
    to: Config,
    /// The lines of `from` that need not go.
    left: BTreeSet<String>,
    /// Whether the new one put nothing back since it refuses a line of it.
    refuses_back: bool,
    /// Whether the former Active was given something for the way back, not put back as yet.
    owes: bool,
    /// Whether something is put back on this way.
    puts_back: bool,
}

/// The ordered lists of a config, each in its order.
fn lists(config: &Config) -> BTreeMap<(Place, ListId), Vec<String>> {
    let words = |key: &LineKey| config.line(key).map(|line| line.words.text().to_string());
    let lists = config.lists();
    lists.map(|(id, lines)| (id.clone(), lines.iter().filter_map(words).collect())).collect()
}

impl Switchover {
    fn at_point(point: &Point<'_>) -> Self {
        let (active, standby) = point.images;
        let fared = point.reference_less(&BTreeSet::new()).lines.into_iter();
        let left = fared.filter(|fared| fared.way == Way::DontCare);
        let left = left.map(|fared| match fared.path.as_str() {
            "" => fared.line,
            path => format!("{path} / {}", fared.line),
        });
        Self {
            at: point.n,
            images: (active.digest(), standby.digest()),
            from: point.a.clone(),
            to: point.s.clone(),
            left: left.collect(),
            refuses_back: point.refuses_back,
            owes: point.beside.owed.is_some_and(|owed| !owed.is_empty()),
            puts_back: point.beside.puts_down || point.beside.puts_back,
        }
    }

    /// Whether `next` leads back to the image that this one left, and nothing was edited meanwhile.
    fn is_undone_by(&self, next: &Self) -> bool {
        let back = (next.images.1, next.images.0) == self.images;
        back && next.at == self.at && next.from.digest() == self.to.digest()
    }
}

impl RoundTrip {
    fn check(first: &Switchover, next: &Switchover) -> Result<(), Violation> {
        let (was, is) = (lines(&first.from), lines(&next.to));
        // What was owed before may come back now. Where a unit refuses what is put back, a line
        // that was away says by its absence what it did not.
        let may_come = first.owes || next.refuses_back;
        if let Some(line) = is.difference(&was).next().filter(|_| !may_come) {
            return broken(Property::RoundTrip, Evidence::ComesBack { line: line.clone() });
        }
        // All is put back or nothing, and what was owed before may not fit beside what came since.
        let stays_owed = next.refuses_back || first.owes && !next.puts_back;
        let mut gone = was.difference(&is).filter(|line| !first.left.contains(*line));
        if let Some(line) = gone.next().filter(|_| !stays_owed) {
            return broken(Property::RoundTrip, Evidence::StaysAway { line: line.clone() });
        }
        // Of what both have; what came or stays away is judged above.
        let was = lists(&first.from);
        for (name, list) in lists(&next.to) {
            let was: Vec<&String> = was.get(&name).into_iter().flatten().collect();
            let kept = was.iter().copied().filter(|line| list.contains(line));
            if !kept.eq(list.iter().filter(|line| was.contains(line))) {
                return broken(Property::RoundTrip, Evidence::OrderDiffers { path: name.0.path() });
            }
        }
        Ok(())
    }
}

impl PairCheck for RoundTrip {
    fn property(&self) -> Property {
        Property::RoundTrip
    }

    fn checked(&self) -> Option<u64> {
        Some(self.checked)
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        if point.told.is_none() {
            return Ok(());
        }
        let next = Switchover::at_point(point);
        if let Some(first) = self.before.take()
            && first.is_undone_by(&next)
        {
            self.checked += 1;
            Self::check(&first, &next)?;
        }
        self.before = Some(next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{Stage, active, acts, broken_property, catalog, stamp, stateful};
    use skewsync::ids::{BootId, Slot, Term};
    use skewsync::message::{Origin, Session};

    const RELEASES: [&str; 2] = ["6.1", "6.0"];
    const THERE: &str = "interface eth0\n speed 10\n";

    /// To slot 1 with `THERE`, and back to slot 0 with `back` at `lsn`.
    fn there_and_back(from: &str, back: &str, lsn: u64) -> (Option<Property>, u64) {
        let mut points = Points::new(catalog(), 0, vec![Box::<RoundTrip>::default()]);
        let mut stage = Stage::with_releases(RELEASES);
        let one = active(Slot(0), 1, 4, RELEASES[0], from);
        stage.does(&mut points, one, &[]).unwrap();
        let other = active(Slot(1), 2, 4, RELEASES[1], THERE);
        let says = acts(stamp(2, 4), stateful(4), &[]);
        stage.does(&mut points, other, &[says]).unwrap();
        if lsn > 4 {
            let edited = active(Slot(1), 2, lsn, RELEASES[1], THERE);
            stage.does(&mut points, edited, &[]).unwrap();
        }
        let session = Session {
            term: Term(2),
            active: BootId(1),
            standby: BootId(1),
            attempt: skewsync::ids::Attempt(2),
        };
        let origin = Origin::Stateful { session, lsn: Lsn(lsn) };
        let again = active(Slot(0), 3, lsn, RELEASES[0], back);
        let found = stage.does(&mut points, again, &[acts(stamp(3, lsn), origin, &[])]);
        let times = crate::history::Observer::checked(&points);
        (broken_property(found), times.iter().map(|(_, times)| *times).sum())
    }

    #[test]
    fn a_line_that_does_not_come_back_or_comes_anew_breaks_it() {
        assert_eq!(there_and_back(THERE, "interface eth0\n", 4).0, Some(Property::RoundTrip));
        let more = "interface eth0\n speed 10\n duplex full\n";
        assert_eq!(there_and_back(THERE, more, 4).0, Some(Property::RoundTrip));
    }

    #[test]
    fn what_could_not_go_comes_back_or_breaks_it() {
        let jumbo = "interface eth0\n mtu 9216\n speed 10\n";
        assert_eq!(there_and_back(jumbo, THERE, 4), (Some(Property::RoundTrip), 1));
        assert_eq!(there_and_back(jumbo, jumbo, 4), (None, 1));
    }

    #[test]
    fn an_edit_between_is_no_round_trip() {
        assert_eq!(there_and_back(THERE, "interface eth0\n", 5), (None, 0));
    }
}
