//! When a failure became inevitable: the plan is run again with other draws of the world from each
//! of some moments on, and how often it then fails is the curve. Where it rises, something happened
//! that decided.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use skewsync::message::Address;
use skewsync_sim::catalog::Catalog;
use skewsync_sim::hash::mix;
use skewsync_sim::history::{Fact, History, Observer, What};
use skewsync_sim::observe::Violation;
use skewsync_sim::plan::{Plan, Reseed};
use skewsync_sim::run::VerdictKind;
use skewsync_sim::runner::Runner;

use super::{AnalysisError, Watch, With, fails, outcomes};
use crate::interval::wilson;

/// Moments of a curve.
pub const MOMENTS: usize = 20;
/// Runs from each moment on.
pub const RUNS: u32 = 50;

/// How often a plan fails by the same property when the world's draws are others from a moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// The property.
    pub property: VerdictKind,
    /// The moments, in order. The first is the beginning.
    pub moments: Vec<Moment>,
    /// The moment at which it rises most, in microseconds of virtual time, if what comes before it
    /// and what comes after differ by more than chance; none: the curve is flat.
    pub rises_at_us: Option<u64>,
    /// From when on every run failed, in microseconds of virtual time; none: never.
    pub inevitable_from_us: Option<u64>,
}

/// One moment of a curve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// When the world's draws become others, in microseconds of virtual time: at this very moment,
    /// before the next event.
    pub at_us: u64,
    /// The number of the last event of the plan's own run up to then; 0: none.
    pub event: u64,
    /// That event, in a few words.
    pub what: String,
    /// Runs that were made.
    pub runs: u32,
    /// Those that failed by the property.
    pub failed: u32,
}

impl Moment {
    /// The share of runs that failed; none if there were none.
    pub fn share(&self) -> Option<f64> {
        (self.runs > 0).then(|| f64::from(self.failed) / f64::from(self.runs))
    }

    /// Between what the share is likely to be: Wilson's interval at 95 %. All, if there were no
    /// runs.
    pub fn interval(&self) -> (f64, f64) {
        wilson(self.failed.into(), self.runs.into())
    }
}

impl Curve {
    fn new(property: VerdictKind, moments: Vec<Moment>) -> Self {
        let mut curve = Self { property, moments, rises_at_us: None, inevitable_from_us: None };
        curve.rises_at_us = curve.rise();
        let all = |moment: &&Moment| moment.runs > 0 && moment.failed == moment.runs;
        let last = curve.moments.iter().rev().take_while(all).last();
        curve.inevitable_from_us = last.map(|moment| moment.at_us);
        curve
    }

    /// The moment with the greatest rise from the one before, if the intervals of the two sides are
    /// apart.
    fn rise(&self) -> Option<u64> {
        let mut best: Option<(f64, u64)> = None;
        for at in 1..self.moments.len() {
            let (before, after) = (merged(&self.moments[..at]), merged(&self.moments[at..]));
            let (Some(low), Some(high)) = (before.share(), after.share()) else {
                continue;
            };
            let apart = before.interval().1 < after.interval().0;
            if apart && best.is_none_or(|(rise, _)| high - low > rise) {
                best = Some((high - low, self.moments[at].at_us));
            }
        }
        best.map(|(_, at)| at)
    }

    /// The curve, a line a moment.
    pub fn words(&self) -> String {
        let mut text = format!("how often it fails by {} from each moment on\n", self.property);
        for moment in &self.moments {
            let (least, most) = moment.interval();
            let seconds = moment.at_us as f64 / 1e6;
            let percent = |share: f64| share * 100.0;
            text.push_str(&format!(
                "{seconds:>10.4} s {:>4} of {:<4} {:>3.0} % ({:.0} to {:.0})  {}{}\n",
                moment.failed,
                moment.runs,
                percent(moment.share().unwrap_or(0.0)),
                percent(least),
                percent(most),
                moment.what,
                if self.rises_at_us == Some(moment.at_us) { "  <- rises" } else { "" }
            ));
        }
        let flat = self.rises_at_us.is_none();
        text.push_str(match (flat, self.inevitable_from_us) {
            (true, Some(0)) => "flat: with whatever draws it fails; the plan alone decides\n",
            (true, _) => "flat: no moment decides more than chance\n",
            (false, _) => "",
        });
        text
    }
}

/// Moments as one.
fn merged(moments: &[Moment]) -> Moment {
    Moment {
        at_us: 0,
        event: 0,
        what: String::new(),
        runs: moments.iter().map(|moment| moment.runs).sum(),
        failed: moments.iter().map(|moment| moment.failed).sum(),
    }
}

/// The curve of a plan that fails: from each of `moments` on, `runs` runs. The first moment is the
/// beginning, the others are spread over the events of the plan's own run. Within the bounds each
/// moment gets about as many runs; `progress` is told after each round of one run a moment.
///
/// # Errors
/// See [`AnalysisError`].
pub fn curve(
    plan: &Plan,
    catalog: &Arc<Catalog>,
    (moments, runs): (usize, u32),
    with: &With,
    progress: &mut dyn FnMut(u32),
) -> Result<Curve, AnalysisError> {
    let watch = Watch::new(with);
    let plan = Plan { reseed: None, ..plan.clone() };
    let events = Arc::new(Mutex::new(Vec::new()));
    let observer = Box::new(Times(Arc::clone(&events)));
    let runner = with.runner(catalog);
    let property = fails(&Arc::new(plan.clone()), &runner, vec![observer])?;
    if property.passed() {
        return Err(AnalysisError::Passes);
    }
    let events = std::mem::take(&mut *events.lock().unwrap_or_else(PoisonError::into_inner));
    let mut moments = spread(&events, moments);
    for run in 0..runs {
        if watch.is_over() {
            break;
        }
        let plans: Vec<Arc<Plan>> = moments
            .iter()
            .map(|moment| {
                let reseed = Reseed {
                    at_us: moment.at_us,
                    world: mix(plan.world ^ mix(u64::from(run) + 1)),
                };
                Arc::new(Plan { reseed: Some(reseed), ..plan.clone() })
            })
            .collect();
        let look = |plan: &Arc<Plan>, runner: &Runner| fails(plan, runner, Vec::new());
        let found = outcomes(&plans, (&runner, with.jobs), watch, look)?;
        for (moment, outcome) in moments.iter_mut().zip(found) {
            let Some(outcome) = outcome else { continue };
            moment.runs += 1;
            moment.failed += u32::from(outcome == property);
        }
        progress(run + 1);
    }
    Ok(Curve::new(property, moments))
}

/// Moments spread over events, the beginning first; no two at one time.
fn spread(events: &[(u64, u64, String)], count: usize) -> Vec<Moment> {
    let moment = |at_us, event, what| Moment { at_us, event, what, runs: 0, failed: 0 };
    let mut moments = vec![moment(0, 0, "the beginning".to_string())];
    let parts = count.saturating_sub(1).max(1);
    for part in 1..=parts {
        let Some(index) = (events.len() * part / parts).checked_sub(1) else {
            continue;
        };
        let (number, at_us, what) = &events[index];
        if moments.last().is_some_and(|last| last.at_us < *at_us) {
            moments.push(moment(*at_us, *number, what.clone()));
        }
    }
    moments.truncate(count.max(1));
    moments
}

/// Notes number, time and a few words of every event.
struct Times(Arc<Mutex<Vec<(u64, u64, String)>>>);

impl Observer for Times {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        if let Some(words) = words(fact) {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push((fact.event, fact.at_us, words));
        }
        Ok(())
    }
}

/// An event in a few words; none: another fact of it says them.
fn words(fact: &Fact<'_>) -> Option<String> {
    let at = match fact.place {
        Some(Address::Unit(slot)) => format!("slot {slot}"),
        Some(Address::Arbiter) => "the arbiter".into(),
        None => String::new(),
    };
    Some(match fact.what {
        What::Started { .. } => format!("{at} starts"),
        What::Took { packet: Some(packet), .. }
        | What::ArbiterTook { packet: Some(packet), .. } => {
            format!("deliver {}", packet.message)
        }
        What::Took { .. } | What::ArbiterTook { .. } => format!("a step of {at}"),
        What::Sent { message, .. } => format!("send {message}"),
        What::Undelivered { message, .. } => format!("not delivered: {message}"),
        What::Entered { command, what, .. } => format!("{what} is entered as command {command}"),
        What::Ended { .. } => format!("{at} ends"),
        What::WriteEnded { durable, .. } => {
            let word = if durable { "is durable" } else { "failed" };
            format!("a write of {at} {word}")
        }
        What::Suspended { suspended } => {
            let word = if suspended { "is suspended" } else { "runs on" };
            format!("{at} {word}")
        }
        What::Fault { kind, .. } => format!("the fault {kind}"),
        What::FaultsStopped => "faults stop".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at_us: u64, failed: u32) -> Moment {
        Moment { at_us, event: at_us, what: "a step".into(), runs: 50, failed }
    }

    #[test]
    fn a_curve_rises_where_the_shares_part_and_chance_is_no_rise() {
        let of = |failed: &[u32]| {
            let moments = failed.iter().enumerate();
            let moments = moments.map(|(at, failed)| moment(at as u64, *failed)).collect();
            Curve::new(VerdictKind::Hung, moments)
        };
        let step = of(&[2, 3, 2, 41, 50, 50]);
        assert_eq!((step.rises_at_us, step.inevitable_from_us), (Some(3), Some(4)));
        let chance = of(&[20, 24, 22, 25]);
        assert_eq!((chance.rises_at_us, chance.inevitable_from_us), (None, None));
        let always = of(&[50, 50, 50]);
        assert_eq!((always.rises_at_us, always.inevitable_from_us), (None, Some(0)));
        assert!(always.words().contains("the plan alone decides"));
        assert_eq!(of(&[40, 10]).rises_at_us, None, "a fall is no rise");
    }

    #[test]
    fn an_interval_holds_the_share_and_narrows_with_runs() {
        let (least, most) = moment(0, 25).interval();
        assert!(least < 0.5 && most > 0.5 && most - least < 0.3);
        assert!(moment(0, 0).interval().1 > 0.0, "none of 50 is not never");
        let none = Moment { runs: 0, ..moment(0, 0) };
        assert_eq!(none.interval(), (0.0, 1.0));
    }

    #[test]
    fn moments_are_spread_over_events_and_none_is_twice() {
        let events: Vec<(u64, u64, String)> =
            (1..=100).map(|n| (n, n / 2 * 10, String::new())).collect();
        let moments = spread(&events, 20);
        assert_eq!(moments.len(), 20);
        assert_eq!((moments[0].at_us, moments[19].event), (0, 100));
        assert!(moments.windows(2).all(|two| two[0].at_us < two[1].at_us));
        assert_eq!(spread(&[], 20).len(), 1);
    }
}
