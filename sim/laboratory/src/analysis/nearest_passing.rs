//! The nearest plan that passes: a failing plan without one event, whose run has as
//! much in common with the failing one as can be.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skewsync_sim::catalog::Catalog;
use skewsync_sim::plan::{EntryName, Plan};
use skewsync_sim::record::compare;
use skewsync_sim::record::recorder::Recorder;
use skewsync_sim::runner::Runner;

use super::{AnalysisError, Watch, With, fails, outcomes};

/// A plan that passes, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearestPassing {
    /// The plan.
    pub plan: Plan,
    /// The fault or the command that the failing plan has beyond it, in words.
    pub without: String,
    /// When a place first does something else in the two runs, in microseconds of virtual time;
    /// none: nowhere.
    pub parts_at_us: Option<u64>,
}

/// The nearest plan that passes: of all that lack one fault or one command, the one whose run
/// parts latest. None if all of them fail, as far as they were run within the bounds.
///
/// # Errors
/// See [`AnalysisError`].
pub fn nearest(
    plan: &Plan,
    catalog: &Arc<Catalog>,
    with: &With,
) -> Result<Option<NearestPassing>, AnalysisError> {
    let watch = Watch::new(with);
    let failing = Recorder::default();
    let observers = vec![failing.observer(catalog, None)];
    let runner = with.runner(catalog);
    if fails(&Arc::new(plan.clone()), &runner, observers)?.passed() {
        return Err(AnalysisError::Passes);
    }
    let failing = failing.into_entries();
    let plans_without_one = without_one_event(plan);
    let plans: Vec<Arc<Plan>> =
        plans_without_one.iter().map(|(plan, _)| Arc::clone(plan)).collect();
    let look = |plan: &Arc<Plan>, runner: &Runner| {
        let recorder = Recorder::default();
        let observers = vec![recorder.observer(&runner.catalog, None)];
        Ok((fails(plan, runner, observers)?, recorder))
    };
    let found = outcomes(&plans, (&runner, with.jobs), watch, look)?;
    let nearest = found
        .into_iter()
        .enumerate()
        .filter_map(|(at, of)| of.filter(|(verdict, _)| verdict.passed()).map(|of| (at, of.1)))
        .map(|(at, recorder)| (compare::parts_at_us(&failing, &recorder.into_entries()), at))
        .max_by_key(|(parts, at)| (parts.unwrap_or(u64::MAX), *at));
    Ok(nearest.map(|(parts_at_us, at)| NearestPassing {
        plan: (*plans[at]).clone(),
        without: plans_without_one[at].1.clone(),
        parts_at_us,
    }))
}

/// The plan less each of its events, and that event in words.
fn without_one_event(plan: &Plan) -> Vec<(Arc<Plan>, String)> {
    let faults = (0..plan.faults.len()).map(|at| {
        let mut less = plan.clone();
        let fault = less.faults.remove(at);
        let without = format!("the fault {} ({})", fault.name(), fault.at);
        (Arc::new(less), without)
    });
    let commands = (0..plan.commands.len()).map(|at| {
        let mut less = plan.clone();
        let entry = less.commands.remove(at);
        let name = EntryName::from(&entry.what);
        (Arc::new(less), format!("the command {name} ({})", entry.at))
    });
    faults.chain(commands).collect()
}
