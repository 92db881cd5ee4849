//! How long each property was seen to hold: an oracle with somebody beside it who notes when it
//! looked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use skewsync::ids::Slot;
use skewsync::unit::Input;
use skewsync_model::property::Property;

use crate::observe::{ClusterView, Observed, Observer, Violation};

/// How long a property was seen to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertySpan {
    /// The property.
    pub property: Property,
    /// How often it was checked.
    pub checked: u64,
    /// The event at which it was last checked and held, with its time in microseconds; none: never.
    pub last: Option<(u64, u64)>,
    /// The event at which it did not hold, with its time; none: it held.
    pub broke: Option<(u64, u64)>,
    /// What was seen then, in words; empty: it held.
    pub what: String,
}

/// What is known of all properties.
pub(super) type Notes = Arc<Mutex<BTreeMap<Property, PropertySpan>>>;

/// An oracle that is watched.
pub(super) struct Watched {
    oracle: Box<dyn Observer>,
    counts: Vec<(Property, u64)>,
    notes: Notes,
    /// The latest event, with its time.
    latest: (u64, u64),
}

impl Watched {
    pub(super) fn new(oracle: Box<dyn Observer>, notes: &Notes) -> Self {
        let counts = oracle.checked();
        let mut all = notes.lock().unwrap_or_else(PoisonError::into_inner);
        for (property, _) in &counts {
            all.entry(*property).or_insert_with(|| PropertySpan::unseen(*property));
        }
        Self { oracle, counts, notes: Arc::clone(notes), latest: (0, 0) }
    }

    fn note(&mut self, found: &Result<(), Violation>) {
        let counts = self.oracle.checked();
        if counts == self.counts && found.is_ok() {
            return;
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        for (property, count) in &counts {
            let before = self.counts.iter().find(|(of, _)| of == property);
            let held = notes.entry(*property).or_insert_with(|| PropertySpan::unseen(*property));
            held.checked = *count;
            let broken = matches!(found, Err(violation) if violation.property == *property);
            if before.is_none_or(|(_, before)| before < count) && !broken {
                held.last = Some(self.latest);
            }
        }
        if let Err(violation) = found {
            let property = violation.property;
            let held = notes.entry(property).or_insert_with(|| PropertySpan::unseen(property));
            if held.broke.is_none() {
                held.broke = Some(self.latest);
                held.what.clone_from(&violation.what);
            }
        }
        self.counts = counts;
    }
}

impl PropertySpan {
    fn unseen(property: Property) -> Self {
        Self { property, checked: 0, last: None, broke: None, what: String::new() }
    }
}

impl Observer for Watched {
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        self.oracle.before(slot, input, scene);
    }

    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        self.latest = (seen.number, seen.at_us);
        let found = self.oracle.see(seen, scene);
        self.note(&found);
        found
    }

    fn end(&mut self, scene: &dyn ClusterView) -> Result<(), Violation> {
        let found = self.oracle.end(scene);
        self.note(&found);
        found
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        self.oracle.checked()
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        self.oracle.figures()
    }
}
