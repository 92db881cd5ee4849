//! What a failing plan's failure hangs on: when it became inevitable, and which single event it
//! takes.

pub mod model;
pub mod nearest_passing;
pub mod point_of_no_return;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::campaign::{Failed, run_within};
use crate::catalog::Catalog;
use crate::observe::Observer;
use crate::plan::Plan;
use crate::run::{Options, VerdictKind};

/// With what plans are run, and for how long.
#[derive(Clone, Debug)]
pub struct With {
    /// What runs are checked by.
    pub options: Options,
    /// For how long at most, in real time.
    pub lasts: Duration,
    /// Runs at once.
    pub jobs: usize,
    /// A run that takes longer in real time hangs.
    pub hangs_after: Duration,
    /// Asked between runs whether to end; what is known by then stands.
    pub stop: fn() -> bool,
}

impl Default for With {
    fn default() -> Self {
        Self {
            options: Options::default(),
            lasts: Duration::from_secs(60),
            jobs: 1,
            hangs_after: crate::campaign::HANGS_AFTER,
            stop: || false,
        }
    }
}

/// Why nothing can be said of a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisError {
    /// It does not fail.
    #[error("the plan passes: there is no failure to look into")]
    Passes,
    /// It cannot be run.
    #[error("{0}")]
    Harness(String),
}

/// The wall clock of one analysis.
struct Watch<'a> {
    with: &'a With,
    began: Instant,
}

impl<'a> Watch<'a> {
    fn new(with: &'a With) -> Self {
        #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
        let began = Instant::now();
        Self { with, began }
    }

    fn is_over(&self) -> bool {
        (self.with.stop)() || self.began.elapsed() >= self.with.lasts
    }
}

/// The verdict of a plan's run.
fn fails(
    plan: &Arc<Plan>,
    catalog: &Arc<Catalog>,
    with: &With,
    others: Vec<Box<dyn Observer>>,
) -> Result<VerdictKind, AnalysisError> {
    match run_within(with.hangs_after, plan, catalog, with.options, others) {
        Ok(report) => Ok(report.verdict.kind()),
        Err(Failed::Hung(verdict)) => Ok(verdict.kind()),
        Err(Failed::Harness(why)) => Err(AnalysisError::Harness(why)),
    }
}

/// Who looks at the run of the plan of an index.
type Observers<'a> = dyn Fn(usize) -> Vec<Box<dyn Observer>> + Sync + 'a;

/// Runs plans, as many at once as there are jobs, until all are run or nothing more may be: how
/// each fails. Those that were not run are none.
fn outcomes(
    plans: &[Arc<Plan>],
    catalog: &Arc<Catalog>,
    watch: &Watch<'_>,
    observers: &Observers<'_>,
) -> Result<Vec<Option<VerdictKind>>, AnalysisError> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Ok(vec![None; plans.len()]));
    std::thread::scope(|scope| {
        for _ in 0..watch.with.jobs.max(1) {
            scope.spawn(|| {
                while !watch.is_over() {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(plan) = plans.get(index) else { return };
                    let outcome = fails(plan, catalog, watch.with, observers(index));
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    match (&mut *found, outcome) {
                        (Ok(all), Ok(property)) => all[index] = Some(property),
                        (found, Err(error)) => *found = Err(error),
                        (Err(_), Ok(_)) => return,
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
