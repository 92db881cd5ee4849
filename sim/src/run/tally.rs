//! What was met in a run: faults by phase, situations, the busiest counts. Mergeable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use skewsync::base::Slot;

use super::phase::{Phase, active};
use crate::plan::fault::FAULT_KINDS;
use crate::situation::{Situation, Watcher};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

/// What was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Faults delivered with effect, by kind and the phase in which they struck.
    pub faults: BTreeMap<(usize, Phase), u64>,
    /// What operators entered at a unit that runs, by index of `ENTRIES` and phase.
    pub entries: BTreeMap<(usize, Phase), u64>,
    /// How often a pair became hot: image of the Active, image of the Standby, slot of the Active.
    pub hot: BTreeMap<(String, String, u8), u64>,
    /// How often each situation was met.
    pub situations: BTreeMap<Situation, u64>,
    /// Messages delivered.
    pub delivered: u64,
}

impl Tally {
    /// Takes another run's in.
    pub fn merge(&mut self, other: &Self) {
        for (cell, count) in &other.faults {
            *self.faults.entry(*cell).or_insert(0) += count;
        }
        for (cell, count) in &other.entries {
            *self.entries.entry(*cell).or_insert(0) += count;
        }
        for (pair, count) in &other.hot {
            *self.hot.entry(pair.clone()).or_insert(0) += count;
        }
        for (situation, count) in &other.situations {
            *self.situations.entry(*situation).or_insert(0) += count;
        }
        self.delivered += other.delivered;
    }

    /// Faults delivered with effect, by kind.
    pub fn by_kind(&self) -> BTreeMap<&'static str, u64> {
        let mut kinds = BTreeMap::new();
        for ((kind, _), count) in &self.faults {
            *kinds.entry(FAULT_KINDS[*kind]).or_insert(0) += count;
        }
        kinds
    }
}

/// Counts.
pub struct Counter {
    tally: Tally,
    /// The phase before the event at hand: a unit that a fault ends is gone when it is told.
    phase: Phase,
    watcher: Watcher,
    out: Arc<Mutex<Tally>>,
}

impl Counter {
    /// A counter that tells `out` at the end.
    pub fn new(out: Arc<Mutex<Tally>>) -> Self {
        Self {
            tally: Tally::default(),
            phase: Phase::Vacant,
            watcher: Watcher::default(),
            out,
        }
    }
}

impl Counter {
    fn became_hot(&mut self, scene: &dyn Scene) {
        let acting = [Slot(0), Slot(1)]
            .into_iter()
            .find(|slot| active(scene, *slot).is_some());
        if let Some(slot) = acting {
            let image = |slot| scene.image(slot).1.to_string();
            let pair = (image(slot), image(Slot(1 - slot.0)), slot.0);
            *self.tally.hot.entry(pair).or_insert(0) += 1;
        }
    }
}

impl Observer for Counter {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        match seen.event {
            Event::Fault {
                kind, effect: true, ..
            } => {
                *self.tally.faults.entry((kind, self.phase)).or_insert(0) += 1;
            }
            Event::Entered {
                what,
                slot: Some(_),
                ..
            } => {
                let cell = (what, Phase::of(scene));
                *self.tally.entries.entry(cell).or_insert(0) += 1;
            }
            Event::Unit {
                packet: Some(_), ..
            }
            | Event::Arbiter {
                packet: Some(_), ..
            } => {
                self.tally.delivered += 1;
            }
            _ => {}
        }
        // The fault that ended or suspended a machine is told next.
        let of_fault = matches!(
            seen.event,
            Event::Ended { .. } | Event::ArbiterEnded | Event::Paused { paused: true, .. }
        );
        if !of_fault {
            self.phase = Phase::of(scene);
        }
        for situation in self.watcher.met(seen, scene) {
            *self.tally.situations.entry(situation).or_insert(0) += 1;
            if situation == Situation::Hot {
                self.became_hot(scene);
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &dyn Scene) -> Result<(), Violation> {
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = self.tally.clone();
        Ok(())
    }
}
