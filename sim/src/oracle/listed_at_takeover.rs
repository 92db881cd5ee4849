//! ListedAtTakeover: a new Active's first event lists exactly the lines that could not go to it;
//! and once the former one is back and has what the new one holds, it lists exactly what it held
//! beyond that.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::config::Config;
use skewsync::ids::{Lsn, Slot};
use skewsync::message::Message;
use skewsync::unit::{Event as Told, Input, Role};
use skewsync_model::property::Property;

use super::checkpoints::{PairCheck, Point};
use super::hot_means_equal::lines;
use super::{broken, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

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
        let wanted = point.digests.listed.iter().map(placed).collect();
        agrees(&told, &wanted)
    }
}

/// What the former Active says when it is back.
#[derive(Debug, Default)]
pub struct LostAtSwitchover {
    former: BTreeMap<Slot, Config>,
    checked: u64,
}

impl Observer for LostAtSwitchover {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        let (slot, unit) = match seen.event {
            Event::Unit { slot, unit, .. } => (slot, unit),
            Event::Ended { slot, .. } => {
                self.former.remove(&slot);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let Role::Standby(standby) = &unit.part else {
            self.former.remove(&slot);
            return Ok(());
        };
        for event in told(&seen.event) {
            let Told::LostAtSwitchover { lines: said } = event else {
                continue;
            };
            let (Some(former), Some(replica)) = (self.former.get(&slot), &standby.replica) else {
                return broken(
                    Property::ListedAtTakeover,
                    format!("slot {slot} lost lines that it never held"),
                );
            };
            // Lines that came early are applied in the very step, after what is lost was told.
            if bulk_at(&seen.event) != Some(replica.applied) {
                continue;
            }
            self.checked += 1;
            let now = lines(replica.receiver.raising().config());
            let wanted: BTreeSet<String> = lines(former).difference(&now).cloned().collect();
            agrees(&said.iter().map(|line| line.to_string()).collect(), &wanted)?;
        }
        match &standby.former {
            Some(former) => self.former.insert(slot, former.config.config().clone()),
            None => self.former.remove(&slot),
        };
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::ListedAtTakeover, self.checked)]
    }
}

/// The snapshot's LSN, if the step is its acceptance.
fn bulk_at(event: &Event<'_>) -> Option<Lsn> {
    match event {
        Event::Unit {
            input: Input::Message { message: Message::BulkAccept { lsn, .. }, .. },
            ..
        } => Some(*lsn),
        _ => None,
    }
}

/// A line with the modes that it stands in.
pub(super) fn placed((path, line): &(String, String)) -> String {
    let between = if path.is_empty() { "" } else { " / " };
    format!("{path}{between}{line}")
}

/// Whether what was said to be missing is what is.
pub(super) fn agrees(said: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), Violation> {
    if let Some(line) = wanted.difference(said).next() {
        return broken(
            Property::ListedAtTakeover,
            format!("`{line}` is missing, and is not listed"),
        );
    }
    match said.difference(wanted).next() {
        Some(line) => {
            broken(Property::ListedAtTakeover, format!("`{line}` is listed, and is not missing"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit::standby::{Former, Readiness};

    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{
        Pair, Stage, active, acts, broken_property, catalog, stamp, stateful,
    };

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn takes_over_saying(listed: &[&str]) -> Option<Property> {
        let mut points = Points::new(catalog(), 0, vec![Box::new(ListedAtTakeover)]);
        let mut stage = Stage::of(RELEASES);
        let text = "interface eth0\n mtu 9216\n speed 10\n";
        let former = Pair::of(RELEASES, text, 4).active;
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
        let now = Pair::of(["6.2", "6.2"], "ip routing\n", 4).standby;
        let lines = lost.iter().map(|line| skewsync::digest::Shared::text(line));
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
