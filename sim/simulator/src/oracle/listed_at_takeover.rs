//! ListedAtTakeover: a new Active's first event lists exactly the lines that could not go to it;
//! and once the former one is back and has what the new one holds, it lists exactly what it held
//! beyond that.

use std::collections::BTreeSet;

use skewsync::digest::Shared;

use skewsync::config::Config;
use skewsync::ids::{Lsn, Slot};
use skewsync::message::Message;
use skewsync::unit::{Event as Told, Input};
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use super::hot_means_equal::lines;
use super::reference::Digests;
use crate::history::{Fact, History, Observer, Unit, What};
use crate::observe::{Evidence, Violation};

/// What the new Active says.
#[derive(Debug, Default)]
pub struct ListedAtTakeover;

impl PairCheck for ListedAtTakeover {
    fn property(&self) -> Property {
        Property::ListedAtTakeover
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let Some(told) = point.told else {
            return Ok(());
        };
        let told: BTreeSet<String> = told.iter().map(|line| line.to_string()).collect();
        let Digests { listed, unraised, .. } = &*point.digests;
        let wanted = listed.iter().chain(unraised).map(placed).collect();
        agrees(&told, &wanted)
    }
}

/// What the former Active says when it is back.
#[derive(Debug, Default)]
pub struct LostAtSwitchover {
    /// What the unit that makes a step held as Active, before another unit was it.
    former: Option<Config>,
    /// The snapshot's LSN, if the step is its acceptance.
    bulk_at: Option<Lsn>,
    checked: u64,
}

impl LostAtSwitchover {
    /// A unit takes an input.
    fn takes(&mut self, unit: &Unit, input: &Input) {
        self.former = unit.waiting().and_then(|waiting| waiting.former.clone());
        self.bulk_at = match input {
            Input::Message { message: Message::BulkAccept { lsn, .. }, .. } => Some(*lsn),
            _ => None,
        };
    }

    /// A Standby says that these lines of its own are gone.
    fn says(&mut self, slot: Slot, unit: &Unit, said: &[Shared<str>]) -> Result<(), Violation> {
        let Some(waiting) = unit.waiting() else {
            return Ok(());
        };
        let (Some(former), Some(replica)) = (&self.former, &waiting.replica) else {
            return broken(Property::ListedAtTakeover, Evidence::LostUnheld { slot });
        };
        // Lines that came early are applied in the very step, after what is lost was told.
        if self.bulk_at != Some(replica.applied) {
            return Ok(());
        }
        self.checked += 1;
        let now = lines(replica.config());
        let wanted: BTreeSet<String> = lines(former).difference(&now).cloned().collect();
        agrees(&said.iter().map(|line| line.to_string()).collect(), &wanted)
    }
}

impl Observer for LostAtSwitchover {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some((slot, unit)) = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)))
        else {
            return Ok(());
        };
        match fact.what {
            What::Took { input, .. } => self.takes(unit, input),
            What::Says { event: Told::LostAtSwitchover { lines }, .. } => {
                return self.says(slot, unit, lines);
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::ListedAtTakeover, self.checked)]
    }
}

/// A line with the modes that it stands in.
pub(super) fn placed((path, line): &(String, String)) -> String {
    let between = if path.is_empty() { "" } else { " / " };
    format!("{path}{between}{line}")
}

/// Whether what was said to be missing is what is.
pub(super) fn agrees(said: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), Violation> {
    let line = |line: Option<&String>| line.cloned();
    let unlisted = line(wanted.difference(said).next());
    let unmissed = || line(said.difference(wanted).next());
    let evidence = unlisted
        .map(|line| Evidence::MissingUnlisted { line })
        .or_else(|| unmissed().map(|line| Evidence::ListedUnmissed { line }));
    evidence.map_or(Ok(()), |evidence| broken(Property::ListedAtTakeover, evidence))
}

#[cfg(test)]
mod tests {
    use skewsync::unit::Role;
    use skewsync::unit::standby::{Former, Readiness};

    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{
        Pair, Stage, active, acts, broken_property, catalog, stamp, stateful,
    };

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn takes_over_saying(listed: &[&str]) -> Option<Property> {
        let mut points = Points::new(catalog(), 0, vec![Box::new(ListedAtTakeover)]);
        let mut stage = Stage::with_releases(RELEASES);
        let text = "interface eth0\n mtu 9216\n speed 10\n";
        let former = Pair::with_releases(RELEASES, text, 4).active;
        stage.does(&mut points, former, &[]).unwrap();
        let next = active(Slot(1), 2, 4, RELEASES[1], "interface eth0\n speed 10\n");
        let says = acts(stamp(2, 4), stateful(4), listed);
        broken_property(stage.does(&mut points, next, &[says]))
    }

    #[test]
    fn a_successor_that_lists_less_or_more_breaks_it() {
        assert_eq!(takes_over_saying(&[]), Some(Property::ListedAtTakeover));
        let more = ["interface eth0 / mtu 9216", "interface eth0 / speed 10"];
        assert_eq!(takes_over_saying(&more), Some(Property::ListedAtTakeover));
    }

    #[test]
    fn a_successor_that_lists_what_is_missing_breaks_nothing() {
        assert_eq!(takes_over_saying(&["interface eth0 / mtu 9216"]), None);
    }

    fn comes_back_saying(lost: &[&str], at: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut LostAtSwitchover::default());
        let mut before = crate::oracle::testing::idle(Slot(1), "6.2");
        if let Role::Standby(standby) = &mut before.part {
            let text = "hostname r1\nip routing\n";
            standby.former = Some(Former {
                stamp: stamp(1, 4),
                config: crate::oracle::testing::running("6.2", text),
                listed: Vec::new(),
                readiness: Readiness::Ready,
            });
        }
        stage.does(oracle, before, &[]).unwrap();
        let now = Pair::with_releases(["6.2", "6.2"], "ip routing\n", 4).standby;
        let lines = lost.iter().map(|line| Shared::text(line));
        let says = Told::LostAtSwitchover { lines: lines.collect() };
        let (session, lsn, listed) = (crate::oracle::testing::SESSION, Lsn(at), 0);
        let accept = Message::BulkAccept { session, lsn, listed };
        let says = [skewsync::unit::Output::Event(says)];
        broken_property(stage.hears(oracle, now, accept, &says))
    }

    #[test]
    fn what_a_former_active_lost_is_listed_exactly() {
        assert_eq!(comes_back_saying(&["hostname r1"], 4), None);
        assert_eq!(comes_back_saying(&[], 4), Some(Property::ListedAtTakeover));
        assert_eq!(
            comes_back_saying(&["hostname r1", "ip routing"], 4),
            Some(Property::ListedAtTakeover)
        );
        // Another step's lines may have changed it again.
        assert_eq!(comes_back_saying(&[], 3), None);
    }
}
