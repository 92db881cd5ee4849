//! ListedAtTakeover, of a store: a unit that takes over from its startup store lists exactly the
//! lines that were missing in it when it was saved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::digest::Shared;

use skewsync::config::Config;
use skewsync::ids::Slot;
use skewsync::message::{Origin, Stamp};
use skewsync::translate::complement::Complements;
use skewsync::unit::{Event as Told, Record, Store};
use skewsync_model::property::Property;
use skewsync_reference::Beside;

use super::listed_at_takeover::{agrees, placed};
use super::reference;
use crate::catalog::{Catalog, Loaded};
use crate::history::{Fact, History, Observer, Unit, What};
use crate::observe::{Fate, Violation};
use crate::plan::FaultName;

/// See the module.
pub struct ListedInStore {
    catalog: Arc<Catalog>,
    /// What was saved, by the Active that saved it.
    saves: BTreeMap<Stamp, (Config, Arc<Complements>, Arc<Loaded>)>,
    /// What is missing in each unit's stores. Two of one stamp differ in their text, if the unit's
    /// image changed between them.
    missing: BTreeMap<(Slot, Stamp, Shared<str>), BTreeSet<String>>,
    /// A Standby was made to refuse lines: its store lacks more than the reference knows of.
    refuses: bool,
    checked: u64,
}

impl ListedInStore {
    /// Of units whose images are in the catalog.
    pub const fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            saves: BTreeMap::new(),
            missing: BTreeMap::new(),
            refuses: false,
            checked: 0,
        }
    }

    /// A unit writes a store.
    fn stores(&mut self, slot: Slot, unit: &Unit, store: &Store) {
        let stamp = store.stamp;
        let Ok(image) = self.catalog.image(&unit.image.name) else {
            return;
        };
        let missing = if let Some(acting) = unit.acting() {
            let (config, kept) = (acting.config.clone(), Arc::clone(&acting.kept));
            self.saves.insert(stamp, (config, kept, image));
            BTreeSet::new()
        } else {
            let Some((config, kept, from)) = self.saves.get(&stamp) else {
                return;
            };
            let beside = Beside { owed: Some(kept), puts_down: true, puts_back: true, held: None };
            let images = (from.software().image(), image.software().image());
            let digests = reference::digests(images.0, images.1, config, &beside);
            digests.listed.iter().chain(&digests.unraised).map(placed).collect()
        };
        self.missing.insert((slot, stamp, store.text.clone()), missing);
    }

    /// A unit acts from its store, and says that these lines are missing.
    fn acts(&mut self, slot: Slot, store: &Store, listed: &[Shared<str>]) -> Result<(), Violation> {
        if self.refuses {
            return Ok(());
        }
        self.checked += 1;
        let said = listed.iter().map(|line| line.to_string()).collect();
        let stored = self.missing.get(&(slot, store.stamp, store.text.clone()));
        agrees(&said, stored.unwrap_or(&BTreeSet::new()))
    }
}

impl Observer for ListedInStore {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        if let What::Fault { kind, effect: true, .. } = fact.what {
            self.refuses |= kind == FaultName::RefuseLine;
        }
        let unit = || fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)));
        match fact.what {
            What::WriteBegan { record: Record::Store(store), fate: Fate::Done, .. } => {
                if let Some((slot, unit)) = unit() {
                    self.stores(slot, unit, store);
                }
                Ok(())
            }
            What::Says { event: Told::Acts { origin: Origin::Cold, listed, .. }, .. } => {
                match unit() {
                    Some((slot, Unit { machine: Some(machine), .. })) => {
                        self.acts(slot, &machine.store, listed)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::ListedAtTakeover, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{
        Pair, Stage, active, acts, broken_property, catalog, persists, stamp, store,
    };

    const RELEASES: [&str; 2] = ["6.1", "6.0"];

    fn takes_over_saying(listed: &[&str]) -> Option<Property> {
        let mut oracle = ListedInStore::new(catalog());
        let mut stage = Stage::with_releases(RELEASES);
        let text = "interface eth0\n mtu 9216\n speed 10\n";
        let Pair { active: saves, standby } = Pair::with_releases(RELEASES, text, 4);
        let saved = || [persists(store(stamp(1, 4)))];
        stage.does(&mut oracle, saves, &saved()).unwrap();
        stage.does(&mut oracle, standby, &saved()).unwrap();
        let mut next = active(Slot(1), 2, 4, RELEASES[1], "interface eth0\n speed 10\n");
        next.own.store = store(stamp(1, 4));
        let says = acts(stamp(2, 4), Origin::Cold, listed);
        broken_property(stage.does(&mut oracle, next, &[says]))
    }

    #[test]
    fn a_successor_that_lists_less_or_more_breaks_it() {
        assert_eq!(takes_over_saying(&[]), Some(Property::ListedAtTakeover));
        let more = ["interface eth0 / mtu 9216", "interface eth0 / speed 10"];
        assert_eq!(takes_over_saying(&more), Some(Property::ListedAtTakeover));
    }

    #[test]
    fn a_successor_that_lists_what_its_store_lacks_breaks_nothing() {
        assert_eq!(takes_over_saying(&["interface eth0 / mtu 9216"]), None);
    }
}
