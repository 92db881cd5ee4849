//! What a failing plan's failure hangs on: when it became inevitable, and which single event it
//! takes.

pub mod mistakes;
pub mod model;
pub mod nearest_passing;
pub mod point_of_no_return;

use std::sync::Arc;
use std::time::{Duration, Instant};

use skewsync_sim::catalog::Catalog;
use skewsync_sim::history::Observer;
use skewsync_sim::plan::Plan;
use skewsync_sim::run::{Options, VerdictKind};
use skewsync_sim::runner::{Failed, HANGS_AFTER, Runner};
use skewsync_sim::worker_pool::{self, Bounds, Outcome};

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
            hangs_after: HANGS_AFTER,
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

impl With {
    fn runner(&self, catalog: &Arc<Catalog>) -> Runner {
        Runner::new(catalog, self.options).within(self.hangs_after)
    }
}

/// The wall clock of one analysis.
#[derive(Clone, Copy)]
struct Watch {
    began: Instant,
    lasts: Duration,
    stop: fn() -> bool,
}

impl Watch {
    fn new(with: &With) -> Self {
        #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
        let began = Instant::now();
        Self { began, lasts: with.lasts, stop: with.stop }
    }

    fn is_over(self) -> bool {
        (self.stop)() || self.began.elapsed() >= self.lasts
    }
}

/// The verdict of a plan's run.
fn fails(
    plan: &Arc<Plan>,
    runner: &Runner,
    others: Vec<Box<dyn Observer>>,
) -> Result<VerdictKind, AnalysisError> {
    match runner.observed(plan, others, Vec::new()) {
        Ok(report) => Ok(report.verdict.kind()),
        Err(Failed::Hung(verdict)) => Ok(verdict.kind()),
        Err(Failed::Harness(why)) => Err(AnalysisError::Harness(why)),
    }
}

/// Looks at plans, as many at once as there are jobs, until all are looked at or nothing more may
/// be: what `look` makes of each, which runs it. Those that were not run are none.
fn outcomes<T: Clone + Send + 'static>(
    plans: &[Arc<Plan>],
    (runner, jobs): (&Runner, usize),
    watch: Watch,
    look: impl Fn(&Arc<Plan>, &Runner) -> Result<T, AnalysisError> + Send + Sync + 'static,
) -> Result<Vec<Option<T>>, AnalysisError> {
    let mut found = Ok(vec![None; plans.len()]);
    // A run that hangs is for the runner to give up.
    let bounds = Bounds { jobs, hangs_after: Duration::MAX };
    let (all, runner) = (plans.to_vec(), runner.clone());
    let look = move |at: usize, _: &dyn Fn(())| look(&all[at], &runner);
    worker_pool::run(
        0..plans.len(),
        bounds,
        move || watch.is_over(),
        look,
        |at, outcome| {
            let error = match (&mut found, outcome) {
                (Ok(found), Outcome::Done(Ok(Ok(of)))) => {
                    found[at] = Some(of);
                    return;
                }
                (Err(_), _) => return,
                (_, Outcome::Done(Ok(Err(error)))) => error,
                _ => AnalysisError::Harness("the laboratory panicked outside of a run".into()),
            };
            found = Err(error);
        },
    );
    found
}
