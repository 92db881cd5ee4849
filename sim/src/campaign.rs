//! A campaign: many seeds, one fresh thread per seed, as many at once as jobs are given. Wall clock and
//! threads are here, outside of every run.

pub mod coverage;
mod office;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use office::{Outcome, Seeds};

use crate::draw::{self, Wishes};
use crate::exit;
use crate::plan::Plan;
use crate::run::{self, Ending, Options, Report, Tally, Verdict};
use crate::signature::Signature;
use crate::stock::Stock;
use crate::tap::Observer;
use crate::world::link::mix;

/// Of so many seeds one is run twice, and must give the same trace.
pub const AGAIN_ONE_IN: u64 = 50;
/// A run that takes longer in real time hangs.
pub const HANGS_AFTER: Duration = Duration::from_secs(60);

/// What a campaign is to do.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The first seed.
    pub from: u64,
    /// How many seeds.
    pub seeds: u64,
    /// For how long at most, in real time.
    pub lasts: Option<Duration>,
    /// Threads.
    pub jobs: usize,
    /// What the plans are to be like.
    pub wishes: Wishes,
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
    /// No seed is begun after a failure of this property, as [`Verdict::property`] names it.
    AtFailureOf(String),
}

impl Ends {
    fn at(&self, verdict: &Verdict) -> bool {
        match self {
            Self::Never => false,
            Self::AtFailure => verdict.property().is_some(),
            Self::AtFailureOf(property) => verdict.property() == Some(property.as_str()),
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
    /// The plan as it was met.
    pub plan: Plan,
}

impl Failure {
    /// Its signature.
    pub fn signature(&self) -> Signature {
        Signature::of(&self.verdict, self.ending.as_ref(), &self.plan)
    }
}

/// What a campaign established.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Seeds that were run.
    pub seeds: u64,
    /// Those that did not pass.
    pub failures: Vec<Failure>,
    /// Seeds that were run twice.
    pub again: u64,
    /// Seeds that gave another trace the second time.
    pub differing: Vec<u64>,
    /// Virtual time of all runs, in microseconds.
    pub virtual_us: u64,
    /// Real time.
    pub wall: Duration,
    /// Processor time of all threads of the campaign.
    pub busy: Duration,
    /// The traces of all seeds in one number: the same at one commit, whatever the order of the seeds.
    pub traces: u64,
    /// Messages sent.
    pub messages: u64,
    /// Steps of all machines.
    pub steps: u64,
    /// What was met.
    pub tally: Tally,
    /// Runs by ordered pair of images.
    pub pairs: BTreeMap<(String, String), u64>,
    /// How often each property was checked.
    pub checked: BTreeMap<&'static str, u64>,
    /// The seed that first met each situation.
    pub met_by: BTreeMap<crate::situation::Situation, u64>,
    /// Failures of the harness itself.
    pub harness: Vec<String>,
    /// Whether any plan could be drawn: then a campaign of some size must have met everything.
    pub drawn_freely: bool,
}

impl Summary {
    /// Seeds per second of processor time.
    pub fn seeds_per_core(&self) -> f64 {
        self.seeds as f64 / self.busy.as_secs_f64().max(1e-9)
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
        for failure in &self.failures {
            code = exit::graver(code, failure.verdict.code());
        }
        if self.is_asked() && !coverage::unexcused(self).is_empty() {
            code = exit::graver(code, exit::TRUNCATED);
        }
        code
    }

    /// Whether the campaign is of the size, and free enough, to have met everything.
    pub const fn is_asked(&self) -> bool {
        self.drawn_freely && self.seeds >= coverage::ASKED_FROM
    }

    fn end(&mut self, seed: u64, outcome: Outcome) {
        match outcome {
            Outcome::Done(Ok(one)) => {
                let One {
                    plan,
                    report,
                    again,
                } = *one;
                if let Some(trace) = again {
                    self.again += 1;
                    if trace != report.trace {
                        self.differing.push(seed);
                    }
                }
                self.add(seed, &plan, report);
            }
            Outcome::Done(Err(error)) => self.harness.push(format!("seed {seed}: {error}")),
            Outcome::Hung(None, _) => self.harness.push(format!("seed {seed}: the draw hangs")),
            Outcome::Hung(Some(plan), after) => {
                self.seeds += 1;
                self.failures.push(Failure {
                    seed,
                    verdict: Verdict::Hung {
                        seconds: after.as_secs(),
                    },
                    virtual_us: 0,
                    ending: None,
                    plan: (*plan).clone(),
                });
            }
        }
    }

    fn add(&mut self, seed: u64, plan: &Plan, report: Report) {
        self.seeds += 1;
        self.virtual_us += report.virtual_us;
        self.messages += report.messages;
        self.steps += report.steps;
        self.traces = self.traces.wrapping_add(mix(seed ^ report.trace));
        for situation in report.tally.situations.keys() {
            let by = self.met_by.entry(*situation).or_insert(seed);
            *by = seed.min(*by);
        }
        self.tally.merge(&report.tally);
        for (name, count) in &report.checked {
            *self.checked.entry(name).or_insert(0) += count;
        }
        let pair = (plan.units[0].image.clone(), plan.units[1].image.clone());
        *self.pairs.entry(pair).or_insert(0) += 1;
        if report.verdict != Verdict::Passed {
            let Report {
                verdict,
                virtual_us,
                ending,
                met,
                ..
            } = report;
            self.failures.push(Failure {
                seed,
                verdict,
                virtual_us,
                ending,
                plan: met,
            });
        }
    }
}

impl Verdict {
    /// The property that does not hold, in the protocol's word; `Panic` for a panic, `Hung` for a run that did not come
    /// back; none if the run passed.
    pub const fn property(&self) -> Option<&'static str> {
        match self {
            Self::Passed => None,
            Self::Violated(violation) => Some(violation.property),
            Self::Stuck { .. } => Some("Converges"),
            Self::Hung { .. } => Some("Hung"),
            Self::Panicked { .. } => Some("Panic"),
        }
    }

    /// The exit code of a single run.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Passed => exit::PASSED,
            Self::Violated(_) => exit::SAFETY,
            Self::Stuck { .. } | Self::Hung { .. } => exit::LIVENESS,
            Self::Panicked { .. } => exit::PANIC,
        }
    }
}

/// Runs one plan in a fresh thread.
///
/// # Errors
/// What the stock lacks, or that the thread could not be had.
pub fn run_fresh(plan: &Arc<Plan>, stock: &Arc<Stock>, options: Options) -> Result<Report, String> {
    run_watched(plan, stock, options, Vec::new())
}

/// The same, with further observers.
///
/// # Errors
/// As [`run_fresh`].
pub fn run_watched(
    plan: &Arc<Plan>,
    stock: &Arc<Stock>,
    options: Options,
    others: Vec<Box<dyn Observer>>,
) -> Result<Report, String> {
    let (plan, stock) = (Arc::clone(plan), Arc::clone(stock));
    let body =
        move || run::run_seen(&plan, &stock, options, others).map_err(|error| error.to_string());
    #[expect(
        clippy::disallowed_methods,
        reason = "one fresh thread per seed, outside of every run"
    )]
    let thread = std::thread::spawn(body);
    thread
        .join()
        .unwrap_or_else(|_| Err("the laboratory panicked outside of a run".into()))
}

/// Why a plan has no report.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// It ran for too long, and was given up: its thread goes on.
    Hung(Verdict),
    /// What the stock lacks, or that the thread could not be had.
    Harness(String),
}

/// The same within so much real time.
///
/// # Errors
/// See [`Failed`].
pub fn run_within(
    limit: Duration,
    plan: &Arc<Plan>,
    stock: &Arc<Stock>,
    options: Options,
    others: Vec<Box<dyn Observer>>,
) -> Result<Report, Failed> {
    let (plan, stock) = (Arc::clone(plan), Arc::clone(stock));
    let (sender, receiver) = channel();
    // Nobody hears it any more once it was given up.
    let body = move || drop(sender.send(run_watched(&plan, &stock, options, others)));
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread that may hang, outside of every run"
    )]
    std::thread::spawn(body);
    match receiver.recv_timeout(limit) {
        Ok(report) => report.map_err(Failed::Harness),
        Err(RecvTimeoutError::Timeout) => Err(Failed::Hung(Verdict::Hung {
            seconds: limit.as_secs(),
        })),
        Err(RecvTimeoutError::Disconnected) => Err(Failed::Harness(
            "the laboratory panicked outside of a run".into(),
        )),
    }
}

/// Runs a campaign; `progress` is told after each seed.
pub fn run(campaign: &Campaign, stock: &Arc<Stock>, mut progress: impl FnMut(&Summary)) -> Summary {
    #[expect(
        clippy::disallowed_methods,
        reason = "wall clock, outside of every run"
    )]
    let began = Instant::now();
    let idle = processor_time();
    let seeds = Seeds {
        from: campaign.from,
        count: campaign.seeds,
        lasts: campaign.lasts,
        hangs_after: HANGS_AFTER,
        enough: Arc::default(),
    };
    let work = {
        let (campaign, stock) = (campaign.clone(), Arc::clone(stock));
        let enough = Arc::clone(&seeds.enough);
        move |seed, at_hand: &dyn Fn(&Arc<Plan>)| {
            let result = one(&campaign, &stock, seed, at_hand);
            if let Ok(one) = &result
                && campaign.ends.at(&one.report.verdict)
            {
                enough.store(true, Ordering::Relaxed);
            }
            result
        }
    };
    let mut summary = Summary {
        drawn_freely: campaign.wishes.is_free(),
        ..Summary::default()
    };
    office::work(seeds, campaign.jobs, Arc::new(work), |seed, outcome| {
        summary.end(seed, outcome);
        summary.wall = began.elapsed();
        summary.busy = processor_time().saturating_sub(idle);
        progress(&summary);
    });
    summary.failures.sort_by_key(|failure| failure.seed);
    summary.differing.sort_unstable();
    summary
}

/// What all threads of this process have used.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

struct One {
    plan: Arc<Plan>,
    report: Report,
    again: Option<u64>,
}

fn one(
    campaign: &Campaign,
    stock: &Arc<Stock>,
    seed: u64,
    at_hand: &dyn Fn(&Arc<Plan>),
) -> Result<Box<One>, String> {
    let plan = Arc::new(draw::plan(seed, &campaign.wishes));
    at_hand(&plan);
    let report = run_fresh(&plan, stock, campaign.options)?;
    // Every failure, and a share of all seeds, runs again.
    let again = seed.is_multiple_of(AGAIN_ONE_IN) || report.verdict != Verdict::Passed;
    let again = if again {
        at_hand(&plan);
        Some(run_fresh(&plan, stock, campaign.options)?.trace)
    } else {
        None
    };
    Ok(Box::new(One {
        plan,
        report,
        again,
    }))
}
