//! What was met in a run: faults by phase, situations, the busiest counts. Mergeable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use skewsync::digest::ImageDigest;
use skewsync::ids::Slot;
use skewsync::unit::{Input, RfState};

use super::class::{Class, Step, Word};
use super::counts::{self, sum};
use super::phase::{Phase, active};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};
use crate::plan::exemption::Exemption;
use crate::plan::{EntryName, FaultName};
use crate::situation::{Situation, Watcher};

/// What was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Faults delivered with effect, by kind and the phase in which they struck.
    #[serde(with = "counts::by_phase")]
    pub faults: BTreeMap<(FaultName, Phase), u64>,
    /// What operators entered at a unit that runs, by its name and phase.
    #[serde(with = "counts::by_phase")]
    pub entries: BTreeMap<(EntryName, Phase), u64>,
    /// How often a pair became hot: image of the Active, image of the Standby, slot of the Active.
    #[serde(with = "counts")]
    pub hot: BTreeMap<(String, String, u8), u64>,
    /// How often each situation was met.
    pub situations: BTreeMap<Situation, u64>,
    /// How often the pair came to stand so.
    #[serde(with = "counts")]
    pub pair_states: BTreeMap<PairState, u64>,
    /// Steps of units by class.
    #[serde(with = "counts")]
    pub classes: BTreeMap<Class, u64>,
    /// Runs that are exempt from some properties, by the reason.
    pub exempt: BTreeMap<Exemption, u64>,
    /// Messages delivered.
    pub delivered: u64,
}

/// How a pair stands: images, roles, phase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairState {
    /// The image of each slot.
    pub images: [String; 2],
    /// What the unit of each slot shows of itself; `DOWN` if none runs.
    pub roles: [Word; 2],
    /// The pair's phase.
    pub phase: Phase,
}

/// The role of a slot without a unit.
pub const DOWN: &str = "DOWN";

impl Tally {
    /// Takes another run's in.
    pub fn merge(&mut self, other: &Self) {
        sum(&mut self.faults, &other.faults);
        sum(&mut self.entries, &other.entries);
        sum(&mut self.hot, &other.hot);
        sum(&mut self.situations, &other.situations);
        sum(&mut self.pair_states, &other.pair_states);
        sum(&mut self.classes, &other.classes);
        sum(&mut self.exempt, &other.exempt);
        self.delivered = self.delivered.saturating_add(other.delivered);
    }

    /// Faults delivered with effect, by kind.
    pub fn by_kind(&self) -> BTreeMap<FaultName, u64> {
        let mut kinds = BTreeMap::new();
        for ((kind, _), count) in &self.faults {
            *kinds.entry(*kind).or_insert(0) += count;
        }
        kinds
    }
}

/// The state of a pair, as it is compared after each event.
type PairStateNow = ([ImageDigest; 2], [Option<RfState>; 2], Phase);

/// Counts.
pub struct Counter {
    tally: Tally,
    /// The phase before the event at hand: a unit that a fault ends is gone when it is told.
    phase: Phase,
    /// How the pair stood then.
    stood: Option<PairStateNow>,
    steps: BTreeMap<Step, u64>,
    watcher: Watcher,
    out: Arc<Mutex<Tally>>,
}

impl Counter {
    /// A counter of a run with these exemptions that tells `out` at the end.
    pub fn new(exemptions: &[Exemption], out: Arc<Mutex<Tally>>) -> Self {
        Self {
            tally: Tally {
                exempt: exemptions.iter().map(|exemption| (*exemption, 1)).collect(),
                ..Tally::default()
            },
            phase: Phase::Vacant,
            stood: None,
            steps: BTreeMap::new(),
            watcher: Watcher::default(),
            out,
        }
    }
}

impl Counter {
    /// Counts the state that the pair came to.
    fn stand(&mut self, scene: &dyn ClusterView) {
        let both = [Slot(0), Slot(1)];
        let roles = both.map(|slot| Some(scene.unit(slot)?.rf_state()));
        let stood = (both.map(|slot| scene.image(slot).0), roles, self.phase);
        if self.stood == Some(stood) {
            return;
        }
        self.stood = Some(stood);
        let state = PairState {
            images: both.map(|slot| scene.image(slot).1.to_string()),
            roles: roles.map(|role| role.map_or(DOWN, RfState::name).into()),
            phase: self.phase,
        };
        *self.tally.pair_states.entry(state).or_insert(0) += 1;
    }

    fn became_hot(&mut self, scene: &dyn ClusterView) {
        let acting = [Slot(0), Slot(1)].into_iter().find(|slot| active(scene, *slot).is_some());
        if let Some(slot) = acting {
            let image = |slot| scene.image(slot).1.to_string();
            let pair = (image(slot), image(Slot(1 - slot.0)), slot.0);
            *self.tally.hot.entry(pair).or_insert(0) += 1;
        }
    }
}

impl Observer for Counter {
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        if let Some(unit) = scene.unit(slot) {
            *self.steps.entry(Step::of(unit, input)).or_insert(0) += 1;
        }
    }

    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Fault { kind, effect: true, .. } => {
                *self.tally.faults.entry((kind, self.phase)).or_insert(0) += 1;
            }
            Event::Entered { what, slot: Some(_), .. } => {
                let cell = (what, Phase::of(scene));
                *self.tally.entries.entry(cell).or_insert(0) += 1;
            }
            Event::Unit { packet: Some(_), .. } | Event::Arbiter { packet: Some(_), .. } => {
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
            self.stand(scene);
        }
        for situation in self.watcher.met(seen, scene) {
            *self.tally.situations.entry(situation).or_insert(0) += 1;
            if situation == Situation::Hot {
                self.became_hot(scene);
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &dyn ClusterView) -> Result<(), Violation> {
        let steps = std::mem::take(&mut self.steps);
        let classes = steps.into_iter().map(|(step, count)| (step.into(), count));
        self.tally.classes = classes.collect();
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut self.tally);
        Ok(())
    }
}
