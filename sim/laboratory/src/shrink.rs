//! Shrinks a failing plan, as data: leaves out of it what its failure does not need, and makes
//! plain what is left.
//!
//! Whole kinds of faults go first, then single faults, then commands and their lines; then the
//! releases come nearer to each other and the configs get smaller, a drawn family loses what is not
//! needed; then times and sizes get plain.
//! What befell messages at random becomes single faults before, each at its message. A plan
//! counts only if it fails with the same signature. The search is for a small plan, not for the
//! least.

mod family;
mod pin_noise;
mod remove;
mod search;
mod simplify;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skewsync_sim::catalog::Catalog;
use skewsync_sim::plan::Plan;
use skewsync_sim::run::Options;

use crate::signature::Signature;
use search::Search;

/// Passes over the whole plan: what one pass leaves out may let go of more.
const PASSES_MAX: usize = 6;
/// How long the safety phase goes on after the failure.
const AFTER_MS: u64 = 500;

/// How a plan is to be shrunk.
#[derive(Clone, Debug)]
pub struct How {
    /// What its runs are checked by.
    pub options: Options,
    /// Runs at most.
    pub runs: u64,
    /// For how long at most, in real time.
    pub lasts: Duration,
    /// Runs at once.
    pub jobs: usize,
    /// A run that takes longer in real time hangs.
    pub hangs_after: Duration,
    /// What the sound engine must make of the plan.
    pub sound: Sound,
    /// Asked between runs whether the search is to end; the best plan so far stands.
    pub stop: fn() -> bool,
}

/// What the sound engine must make of a plan that is shrunk with a planted defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Nothing: it is not asked.
    Unasked,
    /// It must pass, and must not drift by more anchors than it did before.
    Passes,
}

impl Default for How {
    fn default() -> Self {
        Self {
            options: Options::default(),
            runs: 5_000,
            lasts: Duration::from_secs(60),
            jobs: 1,
            hangs_after: skewsync_sim::runner::HANGS_AFTER,
            sound: Sound::Unasked,
            stop: || false,
        }
    }
}

/// How much there is in a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Its faults; beforehand with those that its noise did.
    pub faults: usize,
    /// Its commands.
    pub commands: usize,
    /// The forms of the drawn family that it runs on.
    #[serde(default, skip_serializing_if = "is_none")]
    pub forms: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Size {
    /// The size of a plan, its noise not counted.
    pub fn from_plan(plan: &Plan) -> Self {
        let forms = family::family(plan).map_or(0, |family| family.forms());
        Self { faults: plan.faults.len(), commands: plan.commands.len(), forms }
    }
}

/// Why the search for a smaller plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Nothing more can be left out or made plainer in any of the ways that are tried.
    Done,
    /// The runs were used up.
    Runs,
    /// The time was used up.
    Time,
    /// It was interrupted.
    Interrupted,
}

/// A plan that was shrunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// How it fails. The pair may be another than before (see [`shrink`]).
    pub signature: Signature,
    /// The hash of its run's trace.
    pub trace: u64,
    /// The size beforehand.
    pub before: Size,
    /// The size now.
    pub after: Size,
    /// Runs that were made.
    pub runs: u64,
    /// Runs that were spared, because the same plan had been run.
    pub spared: u64,
    /// Real time, in seconds.
    pub seconds: f64,
    /// Why the search ended.
    pub ended: Ended,
}

impl Shrunk {
    /// `38 faults -> 2, 400 commands -> 5, 31.0 s, 512 runs`.
    pub fn words(&self) -> String {
        let ended = match self.ended {
            Ended::Done => "",
            Ended::Runs => ", no more runs allowed",
            Ended::Time => ", no more time allowed",
            Ended::Interrupted => ", interrupted",
        };
        let forms = match (self.before.forms, self.after.forms) {
            (0, 0) => String::new(),
            (before, after) => format!("{before} forms -> {after}, "),
        };
        format!(
            "{} faults -> {}, {} commands -> {}, {forms}{:.1} s, {} runs{ended}",
            self.before.faults,
            self.after.faults,
            self.before.commands,
            self.after.commands,
            self.seconds,
            self.runs
        )
    }
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it tries.
    pub stage: &'static str,
    /// Runs so far.
    pub runs: u64,
    /// The size of the best plan so far.
    pub size: Size,
}

/// Why a plan cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// It does not fail.
    #[error("the plan passes: there is nothing to shrink")]
    Passes,
    /// The sound engine does not pass it.
    #[error("the sound engine does not pass the plan: {words}")]
    Unsound {
        /// What it makes of it.
        words: String,
    },
    /// It cannot be run.
    #[error("{0}")]
    Harness(String),
}

/// Shrinks a plan that fails; `progress` is told after each round of runs.
///
/// A smaller plan counts if it fails with the same [`Signature`]: property, roles, pair, phase.
/// Where the releases are what is changed, the pair is free, and property, roles and phase must
/// stay; the signature of the result then holds the pair that it came to, which holds from there
/// on.
///
/// # Errors
/// See [`ShrinkError`].
pub fn shrink(
    plan: &Plan,
    catalog: &Arc<Catalog>,
    how: &How,
    progress: &mut dyn FnMut(Progress),
) -> Result<Shrunk, ShrinkError> {
    let digests = plan.units.iter().any(|unit| !unit.digest.is_empty());
    let mut start = plan.clone();
    // The digests are those of the plan's images: while these change, they are left out.
    start.units.iter_mut().for_each(|unit| unit.digest.clear());
    let mut search = Search::begin(start, catalog, how, progress)?;
    let mut before = Size::from_plan(plan);
    before.faults += search.noise_met();
    search.shorten();
    search.settle_noise();
    for _ in 0..PASSES_MAX {
        let was = search.best().clone();
        search.leave_out();
        search.shorten();
        search.near_releases();
        search.cut_family();
        search.plain_values();
        if *search.best() == was || search.is_over() {
            break;
        }
    }
    Ok(search.end(before, digests))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{self, CommandCorpus, DrawOptions};

    #[test]
    fn a_plan_that_passes_is_not_shrunk() {
        let catalog = skewsync_sim::catalog::load(&[]).expect("the bundled images");
        let material = CommandCorpus::from_catalog(&catalog);
        let (catalog, material) = (Arc::new(catalog), Arc::new(material));
        let wishes = DrawOptions { material, ..DrawOptions::default() };
        let plan = draw::plan(2, &wishes);
        let found = shrink(&plan, &catalog, &How::default(), &mut |_| {});
        assert_eq!(found, Err(ShrinkError::Passes));
    }
}
