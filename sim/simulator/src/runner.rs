//! Runs plans. Each run is a thread of its own, which is given up if it takes too long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::catalog::Catalog;
use crate::history::Observer;
use crate::observe::Tap;
use crate::plan::Plan;
use crate::record::Recording;
use crate::record::recorder::Recorder;
use crate::run::{self, Options, Report, Verdict, Watchers};
use crate::sync::lock;
use crate::worker_pool::{self, Bounds, Outcome};

/// A run that takes longer in real time hangs.
pub const HANGS_AFTER: Duration = Duration::from_secs(60);

/// With what plans are run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// What all runs share.
    pub catalog: Arc<Catalog>,
    /// What they are checked by.
    pub options: Options,
    /// A run that takes longer in real time hangs, and is given up.
    pub limit: Duration,
}

/// Why a plan has no report.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// It ran for too long, and was given up: its thread goes on.
    Hung(Verdict),
    /// What the catalog lacks, or that the laboratory panicked.
    Harness(String),
}

impl Failed {
    /// Why, in words.
    pub fn words(self) -> String {
        match self {
            Self::Hung(verdict) => verdict.words(),
            Self::Harness(error) => error,
        }
    }
}

impl Runner {
    /// Runs without a limit.
    pub fn new(catalog: &Arc<Catalog>, options: Options) -> Self {
        Self { catalog: Arc::clone(catalog), options, limit: Duration::MAX }
    }

    /// The same with a limit.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Runs a plan.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn run(&self, plan: &Arc<Plan>) -> Result<Report, Failed> {
        self.observed(plan, Vec::new(), Vec::new())
    }

    /// The same, with others who look at it: at its facts, or at what is tapped.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn observed(
        &self,
        plan: &Arc<Plan>,
        observers: Vec<Box<dyn Observer>>,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<Report, Failed> {
        let (plan, catalog, options) = (Arc::clone(plan), self.catalog(plan)?, self.options);
        let body = move || {
            let watchers = Watchers { observers, taps, ..Watchers::default() };
            run::run(&plan, &catalog, options, watchers)
        };
        self.fresh(move || body().map_err(|error| error.to_string()))
    }

    /// The same, written down. `below`: the config path whose lines are told wherever they change.
    ///
    /// # Errors
    /// See [`Failed`].
    pub fn recorded(
        &self,
        plan: &Arc<Plan>,
        below: Option<String>,
    ) -> Result<(Report, Recording), Failed> {
        let (plan, catalog, options) = (Arc::clone(plan), self.catalog(plan)?, self.options);
        self.fresh(move || {
            let recorder = Recorder::default();
            let watchers = Watchers {
                observers: vec![recorder.observer(&catalog, below)],
                of_facts: &|oracle| recorder.watch(oracle),
                of_taps: &|oracle| recorder.watch_tap(oracle),
                ..Watchers::default()
            };
            let report =
                run::run(&plan, &catalog, options, watchers).map_err(|error| error.to_string())?;
            let ending = report.ending.as_ref();
            let images = ending.map(|ending| ending.images.clone());
            let recording = recorder.close(report.violated_at, images.unwrap_or_default());
            Ok((report, recording))
        })
    }

    /// The catalog, with the images that the plan draws.
    fn catalog(&self, plan: &Plan) -> Result<Arc<Catalog>, Failed> {
        let with = self.catalog.with_drawn(&plan.all_images());
        with.map_err(|error| Failed::Harness(error.to_string()))
    }

    /// Does something in a fresh thread: a pool's one task.
    fn fresh<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Result<T, Failed> {
        let body = Mutex::new(Some(body));
        let work = move |(), _: &dyn Fn(())| {
            let body = lock(&body).take();
            body.map(|body| body())
        };
        let bounds = Bounds { jobs: 1, hangs_after: self.limit };
        let mut ended = None;
        worker_pool::run(
            std::iter::once(()),
            bounds,
            || false,
            work,
            |(), outcome| {
                ended = Some(outcome);
            },
        );
        match ended {
            Some(Outcome::Done(Ok(Some(done)))) => done.map_err(Failed::Harness),
            Some(Outcome::Hung(_)) => {
                Err(Failed::Hung(Verdict::Hung { seconds: self.limit.as_secs() }))
            }
            _ => Err(Failed::Harness("the laboratory panicked outside of a run".into())),
        }
    }
}
