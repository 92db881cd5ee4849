//! Leaves out of a failing plan what it does not need, one pass after another: enough to read it, no search for
//! the least.

use std::sync::Arc;

use super::Bench;
use crate::campaign::run_fresh;
use crate::plan::{Anchor, Noise, Plan};
use crate::regression::{PASSED, word};
use crate::run::{Lockstep, Options};

/// Milliseconds that the safety phase goes on after the failure.
const AFTER_MS: u64 = 500;
/// Passes over the whole plan.
const PASSES: usize = 2;

/// What a plan that is cut must go on to show.
pub(super) struct Wanted<'a> {
    pub(super) bench: &'a Bench,
    pub(super) lockstep: Lockstep,
    pub(super) property: &'a str,
}

impl Wanted<'_> {
    /// What a run of the plan establishes.
    ///
    /// # Errors
    /// If it cannot run.
    pub(super) fn verdict(&self, plan: &Plan, lockstep: Lockstep) -> Result<&'static str, String> {
        let plan = Arc::new(plan.clone());
        let report = run_fresh(&plan, &self.bench.stock, Options { lockstep })?;
        Ok(word(&report.verdict))
    }

    /// What the sound engine makes of it: the verdict, and the anchors that it never reaches.
    ///
    /// # Errors
    /// If it cannot run.
    pub(super) fn sound(&self, plan: &Plan) -> Result<(&'static str, Vec<String>), String> {
        let plan = Arc::new(Plan {
            planted: None,
            ..plan.clone()
        });
        let lockstep = Lockstep::On;
        let report = run_fresh(&plan, &self.bench.stock, Options { lockstep })?;
        Ok((word(&report.verdict), report.drift))
    }

    /// Whether the plan fails as it should, and is silent and whole on the sound engine.
    fn shows(&self, plan: &Plan) -> bool {
        let fails = self.verdict(plan, self.lockstep) == Ok(self.property);
        fails && self.sound(plan) == Ok((PASSED, Vec::new()))
    }
}

/// The plan with less in it. `failed_ms`: when it fails; none if it never converges.
pub(super) fn cut(mut plan: Plan, failed_ms: Option<u64>, wanted: &Wanted<'_>) -> Plan {
    let last = last_instant(&plan);
    let ends = failed_ms.unwrap_or(last) + AFTER_MS;
    attempt(&mut plan, wanted, |plan| {
        plan.horizon_ms = ends.min(plan.horizon_ms);
    });
    attempt(&mut plan, wanted, |plan| plan.noise = Noise::default());
    for _ in 0..PASSES {
        let before = plan.clone();
        cut_list(&mut plan, wanted, |plan| &mut plan.commands);
        cut_list(&mut plan, wanted, |plan| &mut plan.faults);
        cut_values(&mut plan, wanted);
        if plan == before {
            break;
        }
    }
    plan
}

fn last_instant(plan: &Plan) -> u64 {
    let faults = plan.faults.iter().map(|fault| fault.at);
    let all = faults.chain(plan.commands.iter().map(|entry| entry.at));
    let instants = all.map(|at| match at {
        Anchor::Instant(ms) | Anchor::Next { from_ms: ms, .. } => ms,
        Anchor::Seen(..) | Anchor::Answered(..) => 0,
    });
    instants.max().unwrap_or(0)
}

fn attempt(plan: &mut Plan, wanted: &Wanted<'_>, change: impl FnOnce(&mut Plan)) {
    let mut less = plan.clone();
    change(&mut less);
    if less != *plan && less.check().is_ok() && wanted.shows(&less) {
        *plan = less;
    }
}

/// Takes out runs of entries: half of them, a quarter, down to single ones.
fn cut_list<T>(plan: &mut Plan, wanted: &Wanted<'_>, list: impl Fn(&mut Plan) -> &mut Vec<T>) {
    let mut size = list(plan).len();
    while size > 0 {
        let mut at = 0;
        while at < list(plan).len() {
            let before = list(plan).len();
            attempt(plan, wanted, |plan| {
                let list = list(plan);
                let to = (at + size).min(list.len());
                list.drain(at..to);
            });
            if list(plan).len() == before {
                at += size;
            }
        }
        size /= 2;
    }
}

fn cut_values(plan: &mut Plan, wanted: &Wanted<'_>) {
    let rates: [fn(&mut Noise) -> &mut u32; 6] = [
        |noise| &mut noise.lose,
        |noise| &mut noise.duplicate,
        |noise| &mut noise.delay,
        |noise| &mut noise.corrupt,
        |noise| &mut noise.hold,
        |noise| &mut noise.reorder,
    ];
    for rate in rates {
        attempt(plan, wanted, |plan| *rate(&mut plan.noise) = 0);
    }
    attempt(plan, wanted, |plan| plan.loss = plan.loss.map(|_| 0));
    for slot in 0..plan.units.len() {
        attempt(plan, wanted, |plan| plan.units[slot].startup = None);
        attempt(plan, wanted, |plan| plan.units[slot].drift_ppm = 0);
    }
}
