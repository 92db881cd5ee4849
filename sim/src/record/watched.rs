//! How long each property was seen to hold: an oracle with somebody beside it who notes when it
//! looked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use skewsync::ids::Slot;
use skewsync::unit::Input;

use crate::observe::{ClusterView, Observed, Observer, Violation};

/// How long a property was seen to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertySpan {
    /// The property.
    pub property: String,
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
pub(super) type Notes = Arc<Mutex<BTreeMap<&'static str, PropertySpan>>>;

/// An oracle that is watched.
pub(super) struct Watched {
    oracle: Box<dyn Observer>,
    counts: Vec<(&'static str, u64)>,
    notes: Notes,
    /// The latest event, with its time.
    latest: (u64, u64),
}

impl Watched {
    pub(super) fn new(oracle: Box<dyn Observer>, notes: &Notes) -> Self {
        let counts = of_properties(&*oracle);
        let mut all = notes.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, _) in &counts {
            all.entry(name).or_insert_with(|| PropertySpan::unseen(name));
        }
        Self { oracle, counts, notes: Arc::clone(notes), latest: (0, 0) }
    }

    fn note(&mut self, found: &Result<(), Violation>) {
        let counts = of_properties(&*self.oracle);
        if counts == self.counts && found.is_ok() {
            return;
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in &counts {
            let before = self.counts.iter().find(|(of, _)| of == name);
            let held = notes.entry(name).or_insert_with(|| PropertySpan::unseen(name));
            held.checked = *count;
            let broken = matches!(found, Err(violation) if violation.property == *name);
            if before.is_none_or(|(_, before)| before < count) && !broken {
                held.last = Some(self.latest);
            }
        }
        if let Err(violation) = found {
            let name = violation.property;
            let held = notes.entry(name).or_insert_with(|| PropertySpan::unseen(name));
            if held.broke.is_none() {
                held.broke = Some(self.latest);
                held.what.clone_from(&violation.what);
            }
        }
        self.counts = counts;
    }
}

/// How often each property was checked; figures of another sort, `lockstep: steps`, are left out.
fn of_properties(oracle: &dyn Observer) -> Vec<(&'static str, u64)> {
    let mut counts = oracle.checked();
    counts.retain(|(name, _)| !name.contains(": "));
    counts
}

impl PropertySpan {
    fn unseen(property: &str) -> Self {
        Self {
            property: property.to_string(),
            checked: 0,
            last: None,
            broke: None,
            what: String::new(),
        }
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

    fn checked(&self) -> Vec<(&'static str, u64)> {
        self.oracle.checked()
    }
}
