//! What was met in a run: faults by phase, situations, the busiest counts. Mergeable.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use skewsync::digest::ImageDigest;
use skewsync::unit::RfState;

use super::class::{Class, Step, Word};
use super::count_table::{self, sum};
use super::phase::Phase;
use crate::catalog::drawn;
use crate::history::{Fact, History, Observer, Unit, What};
use crate::observe::Violation;
use crate::plan::exemption::Exemption;
use crate::plan::{EntryName, FaultName};
use crate::situation::{Situation, Watcher};

/// What was met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Faults delivered with effect, by kind and the phase in which they struck.
    #[serde(with = "count_table::by_phase")]
    pub faults: BTreeMap<(FaultName, Phase), u64>,
    /// What operators entered at a unit that runs, by its name and phase.
    #[serde(with = "count_table::by_phase")]
    pub entries: BTreeMap<(EntryName, Phase), u64>,
    /// How often a pair became hot: image of the Active, image of the Standby, slot of the Active.
    #[serde(with = "count_table")]
    pub hot: BTreeMap<(String, String, u8), u64>,
    /// How often each situation was met.
    pub situations: BTreeMap<Situation, u64>,
    /// How often the pair came to stand so.
    #[serde(with = "count_table")]
    pub pair_states: BTreeMap<PairState, u64>,
    /// Steps of units by class.
    #[serde(with = "count_table")]
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
    pub images: Vec<String>,
    /// What the unit of each slot shows of itself; `DOWN` if none runs.
    pub roles: Vec<Word>,
    /// The pair's phase.
    pub phase: Phase,
}

/// The role of a slot without a unit.
pub const DOWN: &str = "DOWN";

impl Counts {
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
type PairStateNow = (Vec<(ImageDigest, Option<RfState>)>, Phase);

/// Counts.
pub struct Counter {
    counts: Counts,
    /// The phase before the event at hand: a unit that a fault ends is gone when it is told.
    phase: Phase,
    /// How the pair stood then.
    stood: Option<PairStateNow>,
    steps: BTreeMap<Step, u64>,
    watcher: Watcher,
    out: Arc<Mutex<Counts>>,
}

impl Counter {
    /// A counter of a run with these exemptions that tells `out` at the end.
    pub fn new(exemptions: &[Exemption], out: Arc<Mutex<Counts>>) -> Self {
        Self {
            counts: Counts {
                exempt: exemptions.iter().map(|exemption| (*exemption, 1)).collect(),
                ..Counts::default()
            },
            phase: Phase::Vacant,
            stood: None,
            steps: BTreeMap::new(),
            watcher: Watcher::default(),
            out,
        }
    }

    /// Counts the state that the pair came to.
    fn stand(&mut self, history: &History) {
        let role = |unit: &Unit| unit.machine.as_ref().map(|machine| machine.shows);
        let units = || history.units.iter();
        let each = units().map(|unit| (unit.image.digest, role(unit)));
        let same = self.stood.as_ref().is_some_and(|(stood, phase)| {
            *phase == self.phase && stood.iter().copied().eq(each.clone())
        });
        if same {
            return;
        }
        self.stood = Some((each.collect(), self.phase));
        let shown = |unit: &Unit| role(unit).map_or(DOWN, RfState::name).into();
        let state = PairState {
            images: units().map(|unit| drawn::counted(&unit.image.name)).collect(),
            roles: units().map(shown).collect(),
            phase: self.phase,
        };
        *self.counts.pair_states.entry(state).or_insert(0) += 1;
    }

    fn became_hot(&mut self, history: &History) {
        let Some((slot, _)) = history.active() else {
            return;
        };
        let own = history.unit(slot).into_iter();
        for (own, (_, other)) in own.zip(history.others(slot)) {
            let image = |unit: &Unit| drawn::counted(&unit.image.name);
            *self.counts.hot.entry((image(own), image(other), slot.0)).or_insert(0) += 1;
        }
    }
}

impl Observer for Counter {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match fact.what {
            What::Fault { kind, effect: true, .. } => {
                *self.counts.faults.entry((kind, self.phase)).or_insert(0) += 1;
            }
            What::Entered { what, to: Some(_), .. } => {
                let cell = (what, Phase::from_history(history));
                *self.counts.entries.entry(cell).or_insert(0) += 1;
            }
            What::Took { input, packet } => {
                self.counts.delivered += u64::from(packet.is_some());
                let unit = fact.slot().and_then(|slot| history.unit(slot));
                if let Some(machine) = unit.and_then(|unit| unit.machine.as_ref()) {
                    *self.steps.entry(Step::from_input(machine, input)).or_insert(0) += 1;
                }
            }
            What::ArbiterTook { packet, .. } => {
                self.counts.delivered += u64::from(packet.is_some());
            }
            _ => {}
        }
        // The fault that ended or suspended a machine is told next; a step is told whole.
        let settles = matches!(
            fact.what,
            What::Stepped
                | What::ArbiterStepped
                | What::Started { .. }
                | What::Suspended { suspended: false }
                | What::Sent { .. }
                | What::Undelivered { .. }
                | What::Entered { .. }
                | What::WriteEnded { .. }
                | What::Fault { .. }
                | What::FaultsStopped
        );
        if settles {
            self.phase = Phase::from_history(history);
            self.stand(history);
        }
        for situation in self.watcher.met(fact, history) {
            *self.counts.situations.entry(situation).or_insert(0) += 1;
            if situation == Situation::Hot {
                self.became_hot(history);
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &History) -> Result<(), Violation> {
        let steps = std::mem::take(&mut self.steps);
        let classes = steps.into_iter().map(|(step, count)| (step.into(), count));
        self.counts.classes = classes.collect();
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = std::mem::take(&mut self.counts);
        Ok(())
    }
}
