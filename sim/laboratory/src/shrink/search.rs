//! The search: which plan is the best so far, which were tried, and whether another is as good and
//! smaller.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use skewsync_sim::catalog::Catalog;
use skewsync_sim::plan::{MessageId, Plan};
use skewsync_sim::run::{Lockstep, Options, Report, VerdictKind};
use skewsync_sim::runner::{Failed, Runner};
use skewsync_sim::worker_pool::{self, Bounds, Outcome};

use super::pin_noise::Watch;
use super::{Ended, How, Progress, ShrinkError, Shrunk, Size, Sound};
use crate::signature::Signature;

/// What one run of a plan came to, in so far as it failed and may count.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) signature: Signature,
    pub(super) trace: u64,
    /// The plan with the anchors that it met.
    pub(super) met: Plan,
    /// The messages that the noise befell, in order.
    pub(super) befallen: Vec<MessageId>,
    /// When the last of the plan's events was done, in microseconds of virtual time.
    pub(super) last_us: u64,
    /// When it ended, in microseconds of virtual time; 0 if nobody knows.
    pub(super) virtual_us: u64,
    /// Anchors that the sound engine did not reach.
    pub(super) drift: usize,
}

/// What must stay of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// All of it.
    All,
    /// All but the release pair.
    ButPair,
}

/// A search under way.
pub(super) struct Search<'a> {
    catalog: &'a Arc<Catalog>,
    how: &'a How,
    progress: &'a mut dyn FnMut(Progress),
    began: Instant,
    stage: &'static str,
    best: Plan,
    shown: Tried,
    /// What was tried, by the plan's digest; none: it does not count, whatever is held.
    tried: BTreeMap<String, Option<Tried>>,
    runs: u64,
    spared: u64,
}

impl<'a> Search<'a> {
    /// Begins with a plan that must fail.
    pub(super) fn begin(
        plan: Plan,
        catalog: &'a Arc<Catalog>,
        how: &'a How,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, ShrinkError> {
        #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
        let began = Instant::now();
        let shown = attempt(&plan, catalog, how, None)?.ok_or(ShrinkError::Passes)?;
        let mut search = Self {
            catalog,
            how,
            progress,
            began,
            stage: "as it was met",
            best: plan,
            shown,
            tried: BTreeMap::new(),
            runs: 1,
            spared: 0,
        };
        search.take_met();
        Ok(search)
    }

    /// The best plan so far.
    pub(super) const fn best(&self) -> &Plan {
        &self.best
    }

    /// What its run came to.
    pub(super) const fn shown(&self) -> &Tried {
        &self.shown
    }

    pub(super) const fn catalog(&self) -> &Arc<Catalog> {
        self.catalog
    }

    /// Names what is tried from now on.
    pub(super) fn stage(&mut self, stage: &'static str) {
        self.stage = stage;
        self.tell();
    }

    /// Whether nothing more may be run.
    pub(super) fn is_over(&self) -> bool {
        self.ended() != Ended::Done
    }

    fn ended(&self) -> Ended {
        if (self.how.stop)() {
            Ended::Interrupted
        } else if self.runs >= self.how.runs {
            Ended::Runs
        } else if self.began.elapsed() >= self.how.lasts {
            Ended::Time
        } else {
            Ended::Done
        }
    }

    /// Tries plans in order, as many at once as there are jobs; the first of them that counts is
    /// the best from now on. Which one that is does not depend on the number of jobs.
    pub(super) fn first(
        &mut self,
        held: Held,
        plans: impl IntoIterator<Item = Plan>,
    ) -> Option<usize> {
        let plans = plans.into_iter().enumerate();
        let mut plans = plans.filter(|(_, plan)| plan.check().is_ok()).peekable();
        while plans.peek().is_some() && !self.is_over() {
            let round: Vec<(usize, Plan)> = plans.by_ref().take(self.how.jobs.max(1)).collect();
            let tried = self.attempts(&round);
            self.tell();
            for ((index, plan), tried) in round.into_iter().zip(tried) {
                let Some(tried) = tried else { continue };
                if plan != self.best && self.counts(held, &tried) {
                    (self.best, self.shown) = (plan, tried);
                    self.take_met();
                    return Some(index);
                }
            }
        }
        None
    }

    /// Tries one plan.
    pub(super) fn one(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        let mut plan = self.best.clone();
        change(&mut plan);
        plan != self.best && self.first(Held::All, [plan]).is_some()
    }

    /// The plan as it was met holds nothing that was never reached, and names the anchors that
    /// were.
    fn take_met(&mut self) {
        let mut met = self.shown.met.clone();
        met.units.iter_mut().for_each(|unit| unit.digest.clear());
        if met == self.best || self.is_over() {
            return;
        }
        let tried = self.attempts(&[(0, met.clone())]).remove(0);
        if let Some(tried) = tried.filter(|tried| self.counts(Held::All, tried)) {
            (self.best, self.shown) = (met, tried);
        }
    }

    fn counts(&self, held: Held, tried: &Tried) -> bool {
        let (is, was) = (&tried.signature, &self.shown.signature);
        let same = is.property == was.property && is.roles == was.roles && is.phase == was.phase;
        let pair = held == Held::ButPair || is.pair == was.pair;
        same && pair && tried.drift <= self.shown.drift
    }

    /// What each plan comes to: from what was tried, or from a run, all of them at once.
    fn attempts(&mut self, plans: &[(usize, Plan)]) -> Vec<Option<Tried>> {
        let digests: Vec<String> = plans.iter().map(|(_, plan)| plan.digest()).collect();
        let property = self.shown.signature.property;
        let fresh = (0..plans.len()).filter(|at| !self.tried.contains_key(&digests[*at]));
        let mut fresh: BTreeMap<usize, Option<Tried>> = fresh.map(|at| (at, None)).collect();
        // A run that hangs is for the runner to give up.
        let bounds = Bounds { jobs: fresh.len(), hangs_after: Duration::MAX };
        let (catalog, how, all) = (Arc::clone(self.catalog), self.how.clone(), plans.to_vec());
        // A plan that cannot be run does not count.
        let attempt = move |at: usize, _: &dyn Fn(())| {
            attempt(&all[at].1, &catalog, &how, Some(property)).unwrap_or(None)
        };
        let tasks: Vec<usize> = fresh.keys().copied().collect();
        worker_pool::run(
            tasks.into_iter(),
            bounds,
            || false,
            attempt,
            |at, outcome| {
                if let Outcome::Done(Ok(tried)) = outcome {
                    fresh.insert(at, tried);
                }
            },
        );
        self.runs += fresh.len() as u64;
        self.spared += (plans.len() - fresh.len()) as u64;
        self.tried.extend(fresh.into_iter().map(|(at, tried)| (digests[at].clone(), tried)));
        let found = |digest| self.tried.get(digest).cloned().flatten();
        digests.iter().map(found).collect()
    }

    fn tell(&mut self) {
        (self.progress)(Progress {
            stage: self.stage,
            runs: self.runs,
            size: Size::from_plan(&self.best),
        });
    }

    /// The result.
    pub(super) fn end(self, before: Size, digests: bool) -> Shrunk {
        let ended = self.ended();
        let mut plan = self.best;
        if digests {
            for (unit, met) in plan.units.iter_mut().zip(&self.shown.met.units) {
                unit.digest.clone_from(&met.digest);
            }
        }
        Shrunk {
            after: Size::from_plan(&plan),
            plan,
            signature: self.shown.signature,
            trace: self.shown.trace,
            before,
            runs: self.runs,
            spared: self.spared,
            seconds: self.began.elapsed().as_secs_f64(),
            ended,
        }
    }
}

/// Runs a plan; none if it passes, or does not fail by this property. Where the sound engine is
/// asked, none too if it does not pass, which is an error where no property is named: then the plan
/// is the one to begin with.
fn attempt(
    plan: &Plan,
    catalog: &Arc<Catalog>,
    how: &How,
    property: Option<VerdictKind>,
) -> Result<Option<Tried>, ShrinkError> {
    let plan = Arc::new(plan.clone());
    let out = Arc::new(Mutex::new(Vec::new()));
    let watch = Watch::if_noisy(&plan, Arc::clone(&out)).into_iter().collect();
    let runner = Runner::new(catalog, how.options).within(how.hangs_after);
    let ran = runner.observed(&plan, watch, Vec::new());
    let take = || out.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut tried = match ran {
        Ok(report) => Tried {
            signature: Signature::from_verdict(&report.verdict, report.ending.as_ref(), &plan),
            trace: report.trace,
            last_us: last_us(&report),
            met: report.met,
            befallen: take(),
            virtual_us: report.virtual_us,
            drift: 0,
        },
        Err(Failed::Hung(verdict)) => Tried {
            signature: Signature::from_verdict(&verdict, None, &plan),
            trace: 0,
            last_us: 0,
            met: (*plan).clone(),
            befallen: take(),
            virtual_us: 0,
            drift: 0,
        },
        Err(Failed::Harness(why)) => return Err(ShrinkError::Harness(why)),
    };
    let found = tried.signature.property;
    let fails = !found.passed() && property.is_none_or(|wanted| wanted == found);
    if !fails || how.sound == Sound::Unasked {
        return Ok(fails.then_some(tried));
    }
    match sound(&plan, catalog, how) {
        Ok(drift) => tried.drift = drift,
        Err(error) if property.is_none() => return Err(error),
        Err(_) => return Ok(None),
    }
    Ok(Some(tried))
}

/// When the last of the plan's events was done.
fn last_us(report: &Report) -> u64 {
    let (faults, commands) = &report.done;
    faults.iter().chain(commands).map(|met| met.at.us).max().unwrap_or(0)
}

/// How many anchors the sound engine does not reach; it must pass.
fn sound(plan: &Plan, catalog: &Arc<Catalog>, how: &How) -> Result<usize, ShrinkError> {
    let plan = Arc::new(Plan { planted: None, ..plan.clone() });
    let options = Options { lockstep: Lockstep::On };
    let runner = Runner::new(catalog, options).within(how.hangs_after);
    let words = match runner.run(&plan) {
        Ok(report) if report.verdict.kind().passed() => return Ok(report.drift.len()),
        Ok(report) => report.verdict.words(),
        Err(Failed::Hung(verdict)) => verdict.words(),
        Err(Failed::Harness(why)) => return Err(ShrinkError::Harness(why)),
    };
    Err(ShrinkError::Unsound { words })
}
