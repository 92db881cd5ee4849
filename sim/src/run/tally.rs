//! What was met in a run: faults by phase, situations, the busiest counts. Mergeable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::phase::Phase;
use crate::plan::fault::FAULT_KINDS;
use crate::situation::{Situation, Watcher};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

/// What was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Faults delivered with effect, by kind and phase.
    pub faults: BTreeMap<(usize, Phase), u64>,
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
    watcher: Watcher,
    out: Arc<Mutex<Tally>>,
}

impl Counter {
    /// A counter that tells `out` at the end.
    pub fn new(out: Arc<Mutex<Tally>>) -> Self {
        Self {
            tally: Tally::default(),
            watcher: Watcher::default(),
            out,
        }
    }
}

impl Observer for Counter {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        match seen.event {
            Event::Fault { kind, effect: true } => {
                *self
                    .tally
                    .faults
                    .entry((kind, Phase::of(scene)))
                    .or_insert(0) += 1;
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
        for situation in self.watcher.met(seen, scene) {
            *self.tally.situations.entry(situation).or_insert(0) += 1;
        }
        Ok(())
    }

    fn end(&mut self, _: &dyn Scene) -> Result<(), Violation> {
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = self.tally.clone();
        Ok(())
    }
}
