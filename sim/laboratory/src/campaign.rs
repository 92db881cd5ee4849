//! A campaign: many seeds, one fresh thread per seed, as many at once as jobs are given. Wall clock
//! and threads are here, outside of every run.

pub mod coverage;
pub mod file;
mod fingerprint;
mod seed_result;
mod seeds;
mod summary;
mod throughput;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use skewsync_sim::catalog::Catalog;
use skewsync_sim::plan::Plan;
use skewsync_sim::record::compare;
use skewsync_sim::run::{Ending, Options, Report, Verdict, VerdictKind};
use skewsync_sim::runner::{Failed, Runner};
use skewsync_sim::worker_pool::{self, Begun, Bounds, Outcome};

use crate::draw::{self, DrawOptions};
use crate::interrupt::interrupted;
use crate::signature::Signature;
pub use fingerprint::{CODE, Fingerprint};
pub use seed_result::{RunOf, SeedResult};
pub use seeds::Seeds;
pub use summary::{Cost, Drawn, Failures, First, MergeError, Summary};
pub use throughput::Pace;

/// Of so many seeds one is run twice, and must give the same trace.
pub const AGAIN_ONE_IN: u64 = 50;

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds.
    pub seeds: Seeds,
    /// For how long at most, in real time.
    pub lasts: Option<Duration>,
    /// A seed that takes longer in real time hangs.
    pub limit: Duration,
    /// Threads.
    pub jobs: usize,
    /// What the plans are to be like.
    pub wishes: DrawOptions,
    /// What the runs are checked by.
    pub options: Options,
    /// Whether a failure ends it.
    pub ends: Ends,
}

/// Whether a failure ends a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// All seeds are run.
    Never,
    /// No seed is begun after any failure.
    AtFailure,
    /// No seed is begun after a failure of this kind.
    AtFailureOf(VerdictKind),
}

impl Campaign {
    /// Runs plans within the campaign's limit.
    pub fn runner(&self, catalog: &Arc<Catalog>) -> Runner {
        Runner::new(catalog, self.options).within(self.limit)
    }
}

impl Ends {
    fn at(&self, verdict: &Verdict) -> bool {
        match self {
            Self::Never => false,
            Self::AtFailure => !verdict.kind().passed(),
            Self::AtFailureOf(kind) => verdict.kind() == *kind,
        }
    }
}

/// A seed that did not pass.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What was established.
    pub verdict: Verdict,
    /// Virtual time of it, in microseconds.
    pub virtual_us: u64,
    /// In which roles and phase; none if the run did not come back.
    pub ending: Option<Ending>,
    /// A plan that fails so: as it was met, or, where that one does otherwise, as it was drawn.
    pub plan: Plan,
}

impl Failure {
    /// Of a run that did not pass, with a plan that fails so.
    fn from_report(seed: u64, report: Report, plan: &Plan) -> Option<Self> {
        let Report { verdict, virtual_us, ending, .. } = report;
        let failed = verdict != Verdict::Passed;
        failed.then(|| Self { seed, verdict, virtual_us, ending, plan: plan.clone() })
    }

    /// Its signature.
    pub fn signature(&self) -> Signature {
        Signature::from_verdict(&self.verdict, self.ending.as_ref(), &self.plan)
    }
}

/// What a campaign established, and what of it only the process at hand has.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// What is added up.
    pub summary: Summary,
    /// The failures of this process, in the order of their seeds.
    pub failures: Vec<Failure>,
}

impl Ran {
    /// Takes the outcome of a seed in, and says it.
    fn end(&mut self, seed: u64, outcome: OfSeed) -> SeedResult {
        let summary = &mut self.summary;
        let (failure, ended) = match outcome {
            Outcome::Done(Ok(Ok(one))) => {
                if one.again.is_some() {
                    summary.again += 1;
                }
                if let Some(Again::Parts(how)) = &one.again {
                    summary.differing.insert(seed, how.clone());
                }
                summary.add(seed, &one.plan, &one.report);
                let ended = one.ended(seed);
                (Failure::from_report(seed, one.report, &one.again_from), ended)
            }
            Outcome::Done(Ok(Err(error))) => return self.harness(seed, error),
            Outcome::Done(Err(_)) => return self.harness(seed, "the draw panicked".into()),
            Outcome::Hung(begun) => {
                let seconds = begun.elapsed().as_secs();
                let Some(plan) = begun.at_hand else {
                    return self.harness(seed, "the draw hangs".into());
                };
                let failure = Failure {
                    seed,
                    verdict: Verdict::Hung { seconds },
                    virtual_us: 0,
                    ending: None,
                    plan: (*plan).clone(),
                };
                let ended = SeedResult::from_verdict(seed, &failure.verdict, &plan);
                (Some(failure), ended)
            }
        };
        let Some(failure) = failure else {
            return ended;
        };
        let ended = SeedResult { signature: Some(failure.signature()), ..ended };
        summary.fail(&failure);
        self.failures.push(failure);
        ended
    }

    fn harness(&mut self, seed: u64, error: String) -> SeedResult {
        let harness = &mut self.summary.harness;
        harness.insert(format!("seed {seed}: {error}"));
        SeedResult {
            seed,
            verdict: "harness".into(),
            words: error,
            images: None,
            signature: None,
            run: None,
        }
    }
}

/// Runs a campaign; `progress` is told of each seed as it ends. `so_far`: what was established
/// before, of other seeds, to which it is added.
pub fn run(
    campaign: &Campaign,
    catalog: &Arc<Catalog>,
    so_far: Summary,
    mut progress: impl FnMut(&Ran, &SeedResult),
) -> Ran {
    #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
    let began = Instant::now();
    let idle = processor_time();
    let enough = Arc::new(AtomicBool::new(false));
    let work = {
        let (campaign, catalog) = (campaign.clone(), Arc::clone(catalog));
        let enough = Arc::clone(&enough);
        move |seed, at_hand: &dyn Fn(Arc<Plan>)| {
            let result = one(&campaign, &catalog, seed, at_hand);
            if let Ok(one) = &result
                && campaign.ends.at(&one.report.verdict)
            {
                enough.store(true, Ordering::Relaxed);
            }
            result
        }
    };
    let lasts = campaign.lasts;
    let stop = move || {
        let over = lasts.is_some_and(|lasts| began.elapsed() >= lasts);
        over || enough.load(Ordering::Relaxed) || interrupted()
    };
    let before = (so_far.wall(), so_far.cost.busy_us);
    let mut ran = Ran {
        summary: Summary {
            kind: Some(Fingerprint::new(&campaign.wishes, campaign.options, catalog)),
            ..so_far
        },
        failures: Vec::new(),
    };
    ran.summary.asked.unite(&campaign.seeds);
    let seeds = campaign.seeds.clone().into_iter();
    let bounds = Bounds { jobs: campaign.jobs, hangs_after: campaign.limit };
    worker_pool::run(seeds, bounds, stop, work, |seed, outcome| {
        let ended = ran.end(seed, outcome);
        let wall = before.0 + began.elapsed();
        let busy = processor_time().saturating_sub(idle);
        let cost = &mut ran.summary.cost;
        cost.pace.end(wall);
        cost.wall_us = micros(wall);
        cost.busy_us = before.1.saturating_add(micros(busy));
        progress(&ran, &ended);
    });
    ran.failures.sort_by_key(|failure| failure.seed);
    ran
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What all threads of this process have used.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What became of a seed.
type OfSeed = Outcome<std::thread::Result<Result<Box<One>, String>>, Begun<Arc<Plan>>>;

struct One {
    plan: Arc<Plan>,
    report: Report,
    /// Real time of the first run.
    took: Duration,
    again: Option<Again>,
    /// A plan that fails as this one did.
    again_from: Arc<Plan>,
}

/// What a second run of a seed gave.
enum Again {
    /// The same trace.
    Same,
    /// Another, and where it parts from the first.
    Parts(String),
}

impl One {
    fn ended(&self, seed: u64) -> SeedResult {
        let report = &self.report;
        let run = RunOf {
            virtual_us: report.virtual_us,
            settled_us: report.settled_us,
            steps: report.steps,
            messages: report.messages,
            faults: report.counts.faults.values().sum(),
            trace: format!("{:016x}", report.trace),
            took_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            twice: self.again.is_some(),
        };
        SeedResult { run: Some(run), ..SeedResult::from_verdict(seed, &report.verdict, &self.plan) }
    }
}

impl SeedResult {
    fn from_verdict(seed: u64, verdict: &Verdict, plan: &Plan) -> Self {
        Self {
            seed,
            verdict: verdict.kind().to_string(),
            words: verdict.words(),
            images: Some(plan.images()),
            signature: None,
            run: None,
        }
    }
}

fn one(
    campaign: &Campaign,
    catalog: &Arc<Catalog>,
    seed: u64,
    at_hand: &dyn Fn(Arc<Plan>),
) -> Result<Box<One>, String> {
    let plan = Arc::new(draw::plan(seed, &campaign.wishes));
    at_hand(Arc::clone(&plan));
    #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
    let began = Instant::now();
    // A run that hangs is for the pool to give up.
    let runner = Runner::new(catalog, campaign.options);
    let report = runner.run(&plan).map_err(Failed::words)?;
    let took = began.elapsed();
    // Every failure, and a share of all seeds, runs again.
    let again = seed.is_multiple_of(AGAIN_ONE_IN) || report.verdict != Verdict::Passed;
    let again = if again {
        at_hand(Arc::clone(&plan));
        let again = runner.run(&plan).map_err(Failed::words)?;
        Some(if again.trace == report.trace {
            Again::Same
        } else {
            Again::Parts(parting(&plan, &campaign.runner(catalog))?)
        })
    } else {
        None
    };
    let again_from = match &report.verdict {
        Verdict::Passed => Arc::clone(&plan),
        verdict => failing(&plan, &report.met, verdict, &runner)?,
    };
    Ok(Box::new(One { plan, report, took, again, again_from }))
}

/// Of a plan that failed, what was met of it, if that fails alike. What was met names moments by
/// what stood there first, and may come to be another run.
fn failing(
    drawn: &Arc<Plan>,
    met: &Plan,
    verdict: &Verdict,
    runner: &Runner,
) -> Result<Arc<Plan>, String> {
    let met = Arc::new(met.clone());
    let alike = runner.run(&met).map_err(Failed::words)?.verdict.kind() == verdict.kind();
    Ok(if alike { met } else { Arc::clone(drawn) })
}

/// Where two more runs of a plan part, whose first two runs gave two traces.
fn parting(plan: &Arc<Plan>, runner: &Runner) -> Result<String, String> {
    let run = || runner.recorded(plan, None).map_err(Failed::words);
    let (one, other) = (run()?.1.entries, run()?.1.entries);
    let parting = compare::parting(&one, &other);
    Ok(parting.map_or_else(
        || "two more runs of its plan did not part again".into(),
        |parting| parting.words("the first run", "the second"),
    ))
}

#[cfg(all(test, feature = "planted"))]
mod tests {
    use super::*;

    #[test]
    fn the_plan_that_is_kept_fails() {
        let wishes = DrawOptions { planted: Some("gap-accepted".into()), ..DrawOptions::default() };
        let catalog = Arc::new(skewsync_sim::catalog::load(&[]).expect("the bundled images"));
        let runner = Runner::new(&catalog, Options::default());
        let plans = (0..200).map(|seed| Arc::new(draw::plan(seed, &wishes)));
        let run = |plan: Arc<Plan>| (runner.run(&plan).expect("it runs"), plan);
        let (report, plan) = plans
            .map(run)
            .find(|(report, _)| report.verdict != Verdict::Passed)
            .expect("one fails");
        let kept = |met: &Plan| failing(&plan, met, &report.verdict, &runner).expect("it runs");
        assert_eq!(*kept(&report.met), report.met);
        let sound = Plan { planted: None, ..(*plan).clone() };
        assert_eq!(kept(&sound), plan);
    }
}
