//! How long each property was seen to hold: an oracle with somebody beside it who notes when it
//! looked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use skewsync::ids::Slot;
use skewsync::unit::Input;
use skewsync_model::property::Property;

use crate::history::{Fact, History, Observer};
use crate::observe::{ClusterView, Evidence, Observed, Tap, Violation};
use crate::sync::lock;

/// How long a property was seen to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertySpan {
    /// The property.
    pub property: Property,
    /// How often it was checked.
    pub checked: u64,
    /// The event at which it was last checked and held, with its time in microseconds; none: never.
    pub last: Option<(u64, u64)>,
    /// The event at which it did not hold, with its time; none: it held.
    pub broke: Option<(u64, u64)>,
    /// What was seen then; none: it held.
    pub evidence: Option<Evidence>,
}

/// What is known of all properties.
pub(super) type Notes = Arc<Mutex<BTreeMap<Property, PropertySpan>>>;

/// An oracle that is watched.
pub(super) struct Watched<O: ?Sized> {
    notes: Notes,
    counts: Vec<(Property, u64)>,
    /// The latest event, with its time.
    latest: (u64, u64),
    /// When each property was last seen to hold before it.
    before: BTreeMap<Property, Option<(u64, u64)>>,
    oracle: Box<O>,
}

impl Watched<dyn Observer> {
    pub(super) fn of_facts(oracle: Box<dyn Observer>, notes: &Notes) -> Self {
        let counts = begin(oracle.checked(), notes);
        let before = BTreeMap::new();
        Self { notes: Arc::clone(notes), counts, latest: (0, 0), before, oracle }
    }
}

impl Watched<dyn Tap> {
    pub(super) fn of_taps(oracle: Box<dyn Tap>, notes: &Notes) -> Self {
        let counts = begin(oracle.checked(), notes);
        let before = BTreeMap::new();
        Self { notes: Arc::clone(notes), counts, latest: (0, 0), before, oracle }
    }
}

/// Properties of which nothing is known yet.
fn begin(counts: Vec<(Property, u64)>, notes: &Notes) -> Vec<(Property, u64)> {
    let mut all = lock(notes);
    for (property, _) in &counts {
        all.entry(*property).or_insert_with(|| PropertySpan::unseen(*property));
    }
    drop(all);
    counts
}

impl<O: ?Sized> Watched<O> {
    /// The oracle has looked, and counts this now.
    fn note(&mut self, counts: Vec<(Property, u64)>, found: Option<&Violation>) {
        if counts == self.counts && found.is_none() {
            return;
        }
        let mut notes = lock(&self.notes);
        for (property, count) in &counts {
            let before = self.counts.iter().find(|(of, _)| of == property);
            let held = notes.entry(*property).or_insert_with(|| PropertySpan::unseen(*property));
            held.checked = *count;
            let broken = found.is_some_and(|violation| violation.property == *property);
            let looked = before.is_none_or(|(_, before)| before < count) && !broken;
            if looked && held.last != Some(self.latest) {
                self.before.insert(*property, held.last);
                held.last = Some(self.latest);
            }
        }
        if let Some(Violation { property, evidence }) = found {
            let held = notes.entry(*property).or_insert_with(|| PropertySpan::unseen(*property));
            // It was looked at in this event, and did not hold at its end.
            if held.last == Some(self.latest) {
                held.last = self.before.get(property).copied().flatten();
            }
            if held.broke.is_none() {
                held.broke = Some(self.latest);
                held.evidence = Some((**evidence).clone());
            }
        }
        self.counts = counts;
    }
}

impl PropertySpan {
    fn unseen(property: Property) -> Self {
        Self { property, checked: 0, last: None, broke: None, evidence: None }
    }
}

impl Observer for Watched<dyn Observer> {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        self.latest = (fact.event, fact.at_us);
        let found = self.oracle.see(fact, history);
        self.note(self.oracle.checked(), found.as_ref().err());
        found
    }

    fn end(&mut self, history: &History) -> Result<(), Violation> {
        let found = self.oracle.end(history);
        self.note(self.oracle.checked(), found.as_ref().err());
        found
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        self.oracle.checked()
    }
}

impl Tap for Watched<dyn Tap> {
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        self.oracle.before(slot, input, scene);
    }

    fn see(
        &mut self,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
        broken: &mut dyn FnMut(Violation),
    ) {
        self.latest = (seen.number, seen.at_us);
        let mut first = None;
        self.oracle.see(seen, scene, &mut |violation| {
            first.get_or_insert_with(|| violation.clone());
            broken(violation);
        });
        self.note(self.oracle.checked(), first.as_ref());
    }

    fn end(&mut self, scene: &dyn ClusterView, broken: &mut dyn FnMut(Violation)) {
        self.oracle.end(scene, broken);
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        self.oracle.checked()
    }

    fn figures(&self) -> Vec<(&'static str, u64)> {
        self.oracle.figures()
    }
}
