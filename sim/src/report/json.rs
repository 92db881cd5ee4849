//! A campaign's summary as one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::campaign::{Failure, Summary};
use crate::run::Verdict;
use crate::situation::Situation;

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
    faults: BTreeMap<&'static str, u64>,
    faults_by_phase: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    pairs: BTreeMap<String, u64>,
    situations: BTreeMap<&'static str, u64>,
    properties: BTreeMap<&'static str, u64>,
    non_stutter_share: Option<f64>,
    signatures: BTreeMap<String, Vec<u64>>,
    run_twice: u64,
    differing: Vec<u64>,
}

impl Object {
    /// The object of a summary.
    pub fn of(summary: &Summary) -> Self {
        let mut faults_by_phase: BTreeMap<_, BTreeMap<_, u64>> = BTreeMap::new();
        for ((kind, phase), count) in &summary.tally.faults {
            let row = faults_by_phase
                .entry(crate::plan::fault::FAULT_KINDS[*kind])
                .or_default();
            row.insert(phase.name(), *count);
        }
        let met = |situation: &Situation| summary.tally.situations.get(situation).copied();
        Self {
            seeds: summary.seeds,
            failed: summary.failures.len() as u64,
            virtual_seconds: summary.virtual_us as f64 / 1e6,
            wall_seconds: summary.wall.as_secs_f64(),
            processor_seconds: summary.busy.as_secs_f64(),
            seeds_per_core_second: summary.seeds_per_core(),
            traces: format!("{:016x}", summary.traces),
            messages: summary.messages,
            steps: summary.steps,
            faults: summary.tally.by_kind(),
            faults_by_phase,
            pairs: summary
                .pairs
                .iter()
                .map(|((one, other), count)| (format!("{one} {other}"), *count))
                .collect(),
            situations: Situation::ALL
                .iter()
                .map(|situation| (situation.name(), met(situation).unwrap_or(0)))
                .collect(),
            properties: summary.checked.clone(),
            non_stutter_share: non_stutter_share(summary),
            signatures: signatures(&summary.failures),
            run_twice: summary.again,
            differing: summary.differing.clone(),
        }
    }
}

/// The share of steps that are no stutter, if the lockstep counted them.
pub fn non_stutter_share(summary: &Summary) -> Option<f64> {
    let stutters = *summary.checked.get("lockstep: stutters")?;
    let steps = *summary.checked.get("lockstep: steps")?;
    (steps > 0).then(|| 1.0 - stutters as f64 / steps as f64)
}

/// Failures by signature: what failed, in which roles and images.
pub fn signatures(failures: &[Failure]) -> BTreeMap<String, Vec<u64>> {
    let mut signatures: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for failure in failures {
        signatures
            .entry(signature(failure))
            .or_default()
            .push(failure.seed);
    }
    signatures
}

/// A failure's signature: property, images, and what was seen, without its numbers.
pub fn signature(failure: &Failure) -> String {
    match &failure.verdict {
        Verdict::Passed => "passed".to_string(),
        Verdict::Violated(violation) => {
            format!("{}: {}", violation.property, plain(&violation.what))
        }
        Verdict::Stuck { pending } => format!("Converges: waits for {}", plain(pending)),
        Verdict::Panicked { words } => format!("panic: {}", plain(words)),
    }
}

/// A text without its numbers, so that seeds which fail alike are counted together.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars().take(160) {
        let letter = if letter.is_ascii_digit() { '#' } else { letter };
        if !(letter == '#' && plain.ends_with('#')) {
            plain.push(letter);
        }
    }
    plain
}
