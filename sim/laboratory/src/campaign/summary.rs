//! What a campaign established, as it is added up: summaries of disjoint seeds make the summary of
//! all of them, in whatever order and grouping they come.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skewsync_model::property::Property;
use skewsync_sim::catalog::drawn;
use skewsync_sim::exit;
use skewsync_sim::hash::mix;
use skewsync_sim::plan::{FaultName, Plan};
use skewsync_sim::run::count_table::{self, sum};
use skewsync_sim::run::{Counts, Report, Verdict};
use skewsync_sim::situation::Situation;

use super::fingerprint::Fingerprint;
use super::seeds::Seeds;
use super::throughput::Pace;
use super::{Failure, coverage};
use crate::signature::Signature;

/// What a campaign established.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Which runs; none as long as there are none.
    pub kind: Option<Fingerprint>,
    /// The seeds that were to be run.
    pub asked: Seeds,
    /// Those that were run.
    pub ran: Seeds,
    /// Seeds that were run twice.
    pub again: u64,
    /// Seeds that gave another trace the second time, each with where the runs part.
    #[serde(with = "count_table")]
    pub differing: BTreeMap<u64, String>,
    /// Virtual time of all runs, in microseconds.
    pub virtual_us: u64,
    /// The traces of all seeds in one number: the same at one commit, whatever the order of the
    /// seeds.
    pub traces: u64,
    /// Messages sent.
    pub messages: u64,
    /// Steps of all machines.
    pub steps: u64,
    /// What was met.
    pub counts: Counts,
    /// Runs by ordered pair of images.
    #[serde(with = "count_table")]
    pub pairs: BTreeMap<(String, String), u64>,
    /// How often each property was checked.
    pub checked: BTreeMap<Property, u64>,
    /// Further figures of oracles, by name.
    pub figures: BTreeMap<String, u64>,
    /// The seed that first met each situation.
    pub met_by: BTreeMap<Situation, u64>,
    /// Kinds of faults by name: in how many seeds.
    pub kinds: BTreeMap<FaultName, Drawn>,
    /// Runs that converged, by the virtual time from the last fault on, in ms.
    pub settled_ms: BTreeMap<u64, u64>,
    /// Failures by signature.
    #[serde(with = "count_table")]
    pub failed: BTreeMap<Signature, Failures>,
    /// Failures of the harness itself.
    pub harness: BTreeSet<String>,
    /// What it took.
    pub cost: Cost,
}

/// In how many seeds a kind of fault was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// In whose plan it is.
    pub drawn: u64,
    /// In which it took effect.
    pub effect: u64,
}

/// The failures of one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// Their seeds.
    pub seeds: Seeds,
    /// That of the lowest seed.
    pub first: First,
}

/// One failure, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct First {
    /// Its seed.
    pub seed: u64,
    /// What was seen, in plain words.
    pub seen: String,
    /// Virtual time of it, in microseconds.
    pub virtual_us: u64,
    /// A plan that fails so.
    pub plan: String,
}

/// What a campaign took in real time; what other runs of the same seeds need not give again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Real time, of all parts one after the other, in microseconds.
    pub wall_us: u64,
    /// Processor time of all threads, in microseconds.
    pub busy_us: u64,
    /// Seeds by when they ended.
    pub pace: Pace,
}

/// Why two summaries cannot be added up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// They were made by laboratories of other sources.
    #[error("made by a laboratory of other sources: {found}, not {expected}")]
    OtherCode {
        /// The sources of what comes.
        found: String,
        /// Those of what is there.
        expected: String,
    },
    /// They are of other runs.
    #[error("other runs: `{found}`, not `{expected}`")]
    OtherRuns {
        /// What was asked of what comes.
        found: String,
        /// What was asked of what is there.
        expected: String,
    },
    /// Seeds would count twice.
    #[error("{count} of its seeds are counted already: {seeds}")]
    Overlap {
        /// How many.
        count: u64,
        /// Which.
        seeds: Seeds,
    },
}

impl Fingerprint {
    /// Whether runs of this kind and of another may be counted together.
    ///
    /// # Errors
    /// `OtherCode`, `OtherRuns`.
    pub fn agrees(&self, other: &Self) -> Result<(), MergeError> {
        if self.code != other.code {
            return Err(MergeError::OtherCode {
                found: other.code.clone(),
                expected: self.code.clone(),
            });
        }
        if self != other {
            return Err(MergeError::OtherRuns {
                found: other.asked.clone(),
                expected: self.asked.clone(),
            });
        }
        Ok(())
    }
}

impl Summary {
    /// A summary of nothing yet.
    pub fn new(kind: Fingerprint, asked: Seeds) -> Self {
        Self { kind: Some(kind), asked, ..Self::default() }
    }

    /// How many seeds were run.
    pub fn seeds(&self) -> u64 {
        self.ran.count()
    }

    /// How many seeds failed.
    pub fn failures(&self) -> u64 {
        self.failed.values().map(|of| of.seeds.count()).sum()
    }

    /// Seeds that were to be run, and were not.
    pub fn missing(&self) -> Seeds {
        self.asked.without(&self.ran)
    }

    /// Real time.
    pub const fn wall(&self) -> Duration {
        Duration::from_micros(self.cost.wall_us)
    }

    /// Seeds per second of processor time.
    pub fn seeds_per_core(&self) -> f64 {
        self.seeds() as f64 / (self.cost.busy_us as f64 / 1e6).max(1e-9)
    }

    /// The exit code: of several outcomes the gravest.
    pub fn code(&self) -> u8 {
        let mut code = exit::PASSED;
        if !self.differing.is_empty() {
            code = exit::graver(code, exit::NONDETERMINISM);
        }
        if !self.harness.is_empty() {
            code = exit::graver(code, exit::USAGE);
        }
        for signature in self.failed.keys() {
            code = exit::graver(code, signature.code());
        }
        if self.is_asked() && !coverage::unexplained(self).is_empty() {
            code = exit::graver(code, exit::TRUNCATED);
        }
        code
    }

    /// Whether the campaign is of the size, and free enough, to have met everything.
    pub fn is_asked(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.free) && self.seeds() >= coverage::ASKED_FROM
    }

    /// Failures by signature, those of most seeds first.
    pub fn by_count(&self) -> Vec<(&Signature, &Failures)> {
        let mut failed: Vec<_> = self.failed.iter().collect();
        failed.sort_by_key(|(_, of)| std::cmp::Reverse(of.seeds.count()));
        failed
    }

    /// Takes a run in.
    pub fn add(&mut self, seed: u64, plan: &Plan, report: &Report) {
        self.asked.insert(seed);
        self.ran.insert(seed);
        self.virtual_us += report.virtual_us;
        self.messages += report.messages;
        self.steps += report.steps;
        self.traces = self.traces.wrapping_add(mix(seed ^ report.trace));
        for situation in report.counts.situations.keys() {
            let by = self.met_by.entry(*situation).or_insert(seed);
            *by = seed.min(*by);
        }
        for kind in drawn(plan) {
            self.kinds.entry(kind).or_default().drawn += 1;
        }
        for kind in report.counts.by_kind().keys() {
            self.kinds.entry(*kind).or_default().effect += 1;
        }
        if let (Verdict::Passed, Some(settled_us)) = (&report.verdict, report.settled_us) {
            *self.settled_ms.entry(settled_us / 1_000).or_insert(0) += 1;
        }
        self.counts.merge(&report.counts);
        for (property, count) in &report.checked {
            *self.checked.entry(*property).or_insert(0) += count;
        }
        for (name, count) in &report.figures {
            *self.figures.entry((*name).into()).or_insert(0) += count;
        }
        let counted = |slot: usize| drawn::counted(&plan.units[slot].image);
        let pair = (counted(0), counted(1));
        *self.pairs.entry(pair).or_insert(0) += 1;
    }

    /// Takes a failure in, of a run that was, or that did not come back.
    pub fn fail(&mut self, failure: &Failure) {
        self.asked.insert(failure.seed);
        self.ran.insert(failure.seed);
        let first = || First {
            seed: failure.seed,
            seen: failure.verdict.words(),
            virtual_us: failure.virtual_us,
            plan: failure.plan.write(),
        };
        let of = self
            .failed
            .entry(failure.signature())
            .or_insert_with(|| Failures { seeds: Seeds::default(), first: first() });
        of.seeds.insert(failure.seed);
        if failure.seed < of.first.seed {
            of.first = first();
        }
    }

    /// Takes another summary in: of the same kind of runs, and of other seeds.
    ///
    /// # Errors
    /// See [`MergeError`]; then nothing was taken in.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if let (Some(one), Some(other)) = (&self.kind, &other.kind) {
            one.agrees(other)?;
        }
        let seeds = self.ran.common(&other.ran);
        if seeds.count() > 0 {
            let count = seeds.count();
            return Err(MergeError::Overlap { count, seeds });
        }
        self.kind = self.kind.take().or_else(|| other.kind.clone());
        self.asked.unite(&other.asked);
        self.ran.unite(&other.ran);
        self.differing.extend(other.differing.clone());
        self.harness.extend(other.harness.iter().cloned());
        self.traces = self.traces.wrapping_add(other.traces);
        for (to, more) in [
            (&mut self.again, other.again),
            (&mut self.virtual_us, other.virtual_us),
            (&mut self.messages, other.messages),
            (&mut self.steps, other.steps),
            (&mut self.cost.wall_us, other.cost.wall_us),
            (&mut self.cost.busy_us, other.cost.busy_us),
        ] {
            *to = to.saturating_add(more);
        }
        self.cost.pace.merge(&other.cost.pace);
        self.counts.merge(&other.counts);
        sum(&mut self.pairs, &other.pairs);
        sum(&mut self.checked, &other.checked);
        sum(&mut self.figures, &other.figures);
        sum(&mut self.settled_ms, &other.settled_ms);
        for (situation, seed) in &other.met_by {
            let by = self.met_by.entry(*situation).or_insert(*seed);
            *by = (*seed).min(*by);
        }
        for (kind, more) in &other.kinds {
            let to = self.kinds.entry(*kind).or_default();
            to.drawn = to.drawn.saturating_add(more.drawn);
            to.effect = to.effect.saturating_add(more.effect);
        }
        for (signature, more) in &other.failed {
            match self.failed.get_mut(signature) {
                None => drop(self.failed.insert(signature.clone(), more.clone())),
                Some(of) => of.merge(more),
            }
        }
        Ok(())
    }
}

impl Failures {
    fn merge(&mut self, other: &Self) {
        self.seeds.unite(&other.seeds);
        if other.first.seed < self.first.seed {
            self.first = other.first.clone();
        }
    }
}

/// The kinds of faults that a plan has, or that its noise deals.
fn drawn(plan: &Plan) -> BTreeSet<FaultName> {
    let dealt = plan.noise.rates().into_iter().filter(|(_, rate)| *rate > 0);
    let lost = plan.loss.filter(|loss| *loss > 0).map(|_| FaultName::Lose);
    let planned = plan.faults.iter().map(skewsync_sim::plan::Fault::name);
    planned.chain(dealt.map(|(kind, _)| kind)).chain(lost).collect()
}
