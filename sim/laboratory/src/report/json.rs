//! A campaign's summary as one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;
use skewsync_model::property::Property;
use skewsync_sim::plan::FaultName;
use skewsync_sim::run::Phase;
use skewsync_sim::situation::Situation;
use strum::IntoEnumIterator;

use crate::campaign::{Drawn, Failures, Summary, coverage};
use crate::signature::Signature;

/// The object that `--json` writes.
#[derive(Clone, Debug, Serialize)]
pub struct Object {
    seeds: u64,
    failed: u64,
    virtual_seconds: f64,
    wall_seconds: f64,
    processor_seconds: f64,
    seeds_per_core_second: f64,
    traces: String,
    messages: u64,
    steps: u64,
    faults: BTreeMap<FaultName, u64>,
    kinds: BTreeMap<FaultName, Drawn>,
    faults_by_phase: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    entries_by_phase: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    pairs: BTreeMap<String, u64>,
    hot: BTreeMap<String, [u64; 2]>,
    unmet: BTreeMap<String, Option<&'static str>>,
    situations: BTreeMap<&'static str, u64>,
    classes: usize,
    pair_states: usize,
    settled_ms: BTreeMap<u64, u64>,
    properties: BTreeMap<Property, u64>,
    figures: BTreeMap<String, u64>,
    non_stutter_share: Option<f64>,
    signatures: Vec<Signed>,
    run_twice: u64,
    differing: BTreeMap<u64, String>,
}

impl Object {
    /// The object of a summary.
    pub fn from_summary(summary: &Summary) -> Self {
        let met = |situation: &Situation| summary.counts.situations.get(situation).copied();
        Self {
            seeds: summary.seeds(),
            failed: summary.failures(),
            virtual_seconds: summary.virtual_us as f64 / 1e6,
            wall_seconds: summary.wall().as_secs_f64(),
            processor_seconds: summary.cost.busy_us as f64 / 1e6,
            seeds_per_core_second: summary.seeds_per_core(),
            traces: format!("{:016x}", summary.traces),
            messages: summary.messages,
            steps: summary.steps,
            faults: summary.counts.by_kind(),
            kinds: summary.kinds.clone(),
            faults_by_phase: by_phase(&summary.counts.faults),
            entries_by_phase: by_phase(&summary.counts.entries),
            pairs: summary
                .pairs
                .iter()
                .map(|((one, other), count)| (format!("{one} {other}"), *count))
                .collect(),
            hot: hot(summary),
            unmet: coverage::gaps(summary)
                .iter()
                .map(|gap| (gap.to_string(), gap.reason()))
                .collect(),
            situations: Situation::iter()
                .map(|situation| (situation.name(), met(&situation).unwrap_or(0)))
                .collect(),
            classes: summary.counts.classes.len(),
            pair_states: summary.counts.pair_states.len(),
            settled_ms: summary.settled_ms.clone(),
            properties: summary.checked.clone(),
            figures: summary.figures.clone(),
            non_stutter_share: non_stutter_share(summary),
            signatures: signatures(summary),
            run_twice: summary.again,
            differing: summary.differing.clone(),
        }
    }
}

/// How often each pair of images became hot, Active's first, by the Active's slot.
pub fn hot(summary: &Summary) -> BTreeMap<String, [u64; 2]> {
    let mut pairs: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for ((active, standby, slot), count) in &summary.counts.hot {
        pairs.entry(format!("{active} {standby}")).or_default()[usize::from(*slot)] += count;
    }
    pairs
}

/// The share of steps that are no stutter, if the lockstep counted them.
pub fn non_stutter_share(summary: &Summary) -> Option<f64> {
    let stutters = *summary.figures.get("lockstep: stutters")?;
    let steps = *summary.figures.get("lockstep: steps")?;
    (steps > 0).then(|| 1.0 - stutters as f64 / steps as f64)
}

/// The failures of one signature.
#[derive(Clone, Debug, Serialize)]
struct Signed {
    /// What they have in common.
    #[serde(flatten)]
    signature: Signature,
    /// What was seen in the first, in plain words.
    seen: String,
    /// Its virtual time, in seconds.
    at_seconds: f64,
    /// Their seeds, in order.
    seeds: Vec<u64>,
}

/// Failures by signature, those of most seeds first.
fn signatures(summary: &Summary) -> Vec<Signed> {
    let signed = |(signature, of): (&Signature, &Failures)| Signed {
        signature: signature.clone(),
        seen: of.first.seen.clone(),
        at_seconds: of.first.virtual_us as f64 / 1e6,
        seeds: of.seeds.iter().collect(),
    };
    summary.by_count().into_iter().map(signed).collect()
}

fn by_phase<K: Copy + Into<&'static str>>(
    cells: &BTreeMap<(K, Phase), u64>,
) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let mut rows: BTreeMap<_, BTreeMap<_, u64>> = BTreeMap::new();
    for ((kind, phase), count) in cells {
        let row = rows.entry((*kind).into()).or_default();
        row.insert(phase.name(), *count);
    }
    rows
}
