//! A plan makes a run: safety phase, then liveness phase, then a verdict.

pub mod bound;
pub mod class;
pub mod count_table;
pub mod counts;
pub mod pending;
pub mod phase;
pub mod trace;
mod verdict;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use skewsync_model::property::Property;

use crate::catalog::{Catalog, StockError};
use crate::drive::{Cluster, Met};
use crate::history::{Historian, History, Observer, Unit};
use crate::observe::Tap;
use crate::oracle::{self, lockstep};
use crate::plan::exemption::Exemption;
use crate::plan::{Entry, Fault, Network, Plan};
use crate::sync::lock;
use crate::world::node::{self, Medium};
pub use counts::Counts;
use counts::DOWN;
pub use phase::Phase;
pub use verdict::{Verdict, VerdictKind};

/// How long a pair must stay converged to count as such.
const STAY_US: u64 = 1_500_000;

/// What a run is to be checked by, beside the properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether every step is held against the model.
    pub lockstep: Lockstep,
}

/// Whether every step is held against the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockstep {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Default for Options {
    fn default() -> Self {
        Self { lockstep: Lockstep::On }
    }
}

/// How things stood at a run's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What the unit of each slot showed of itself; `DOWN` if none ran.
    pub roles: Vec<&'static str>,
    /// The image of each slot.
    pub images: Vec<String>,
    /// The pair's phase.
    pub phase: Phase,
}

impl Ending {
    fn from_history(history: &History) -> Self {
        let units = || history.units.iter();
        let role = |unit: &Unit| unit.machine.as_ref().map_or(DOWN, |it| it.shows.name());
        Self {
            roles: units().map(role).collect(),
            images: units().map(|unit| unit.image.name.to_string()).collect(),
            phase: Phase::from_history(history),
        }
    }
}

/// A run's verdict, and what was met on the way.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was established.
    pub verdict: Verdict,
    /// The number of the event that broke a property; none if no single one did.
    pub violated_at: Option<u64>,
    /// How things stood at the end; none after a panic.
    pub ending: Option<Ending>,
    /// Virtual time at the end, in microseconds.
    pub virtual_us: u64,
    /// From the last fault to convergence, in microseconds of virtual time; none if it did not
    /// converge.
    pub settled_us: Option<u64>,
    /// Messages sent.
    pub messages: u64,
    /// Steps of all machines.
    pub steps: u64,
    /// Hash of the whole ordered trace.
    pub trace: u64,
    /// What was met.
    pub counts: Counts,
    /// How often each property was checked.
    pub checked: Vec<(Property, u64)>,
    /// Further figures of oracles, by name.
    pub figures: Vec<(&'static str, u64)>,
    /// The plan with each anchor as it was met, and without what was never reached.
    pub met: Plan,
    /// Where the plan's events were done: its faults, then its commands.
    pub done: (Vec<Met>, Vec<Met>),
    /// Anchors that were never reached.
    pub drift: Vec<String>,
}

/// Who looks at a run beside its oracles, and what is made of each of these.
pub(crate) struct Watchers<'a> {
    /// Who is shown the facts.
    pub(crate) observers: Vec<Box<dyn Observer>>,
    /// Who is shown what is tapped.
    pub(crate) taps: Vec<Box<dyn Tap>>,
    /// What is made of each oracle.
    pub(crate) of_facts: &'a dyn Fn(Box<dyn Observer>) -> Box<dyn Observer>,
    /// What is made of the lockstep.
    pub(crate) of_taps: &'a dyn Fn(Box<dyn Tap>) -> Box<dyn Tap>,
}

impl Default for Watchers<'_> {
    fn default() -> Self {
        let (observers, taps) = (Vec::new(), Vec::new());
        Self { observers, taps, of_facts: &|oracle| oracle, of_taps: &|oracle| oracle }
    }
}

/// Runs a plan in this thread, which must be a fresh one: madsim's order of hash tables depends on
/// it. Only the runner calls it.
///
/// # Errors
/// What the catalog lacks.
pub(crate) fn run(
    plan: &Arc<Plan>,
    catalog: &Arc<Catalog>,
    options: Options,
    watchers: Watchers<'_>,
) -> Result<Report, StockError> {
    let counts = Arc::new(Mutex::new(Counts::default()));
    let hash = Arc::new(Mutex::new(0));
    let Watchers { mut observers, mut taps, of_facts, of_taps } = watchers;
    observers.extend(oracle::all(plan, catalog).into_iter().map(of_facts));
    if options.lockstep == Lockstep::On {
        taps.push(of_taps(Box::<lockstep::Lockstep>::default()));
    }
    let exemptions = Exemption::of_plan(plan, catalog.limits());
    observers.push(Box::new(counts::Counter::new(&exemptions, Arc::clone(&counts))));
    taps.push(Box::new(trace::Trace::new(Arc::clone(&hash))));
    let historian = Historian::new(observers);
    let cluster = Cluster::new(Arc::clone(plan), Arc::clone(catalog), historian, taps)?;
    let settled = Arc::new(Mutex::new(None));
    let judge = judge(plan, catalog, Arc::clone(&settled));
    let medium = Medium {
        seed: plan.world,
        sockets: plan.network == Network::Sockets,
        latency_us: plan.latency_us,
        loss: plan.loss.unwrap_or(0),
    };
    let ended = catch_unwind(AssertUnwindSafe(|| node::run(medium, cluster, judge)));
    let report = match ended {
        Ok((cluster, verdict)) => {
            Report { settled_us: *lock(&settled), ..Report::from_cluster(plan, cluster, verdict) }
        }
        Err(panic) => Report::of_panic(plan, words(&*panic)),
    };
    let trace = *lock(&hash);
    Ok(Report { trace, counts: lock(&counts).clone(), ..report })
}

impl Report {
    /// Of a run that came back.
    fn from_cluster(plan: &Plan, mut cluster: Cluster, verdict: Verdict) -> Self {
        cluster.end();
        let violation = cluster.violation().cloned();
        Self {
            verdict: violation.map_or(verdict, Verdict::Violated),
            violated_at: cluster.violated_at(),
            ending: Some(Ending::from_history(cluster.history())),
            virtual_us: cluster.now_us(),
            messages: cluster.messages(),
            steps: cluster.steps(),
            checked: cluster.checked(),
            figures: cluster.figures(),
            met: met(plan, &cluster),
            done: cluster.met(),
            drift: cluster.drift(),
            ..Self::of_panic(plan, String::new())
        }
    }

    /// Of a run that panicked: nothing of it is known.
    fn of_panic(plan: &Plan, words: String) -> Self {
        Self {
            verdict: Verdict::Panicked { words },
            violated_at: None,
            ending: None,
            virtual_us: 0,
            settled_us: None,
            messages: 0,
            steps: 0,
            trace: 0,
            counts: Counts::default(),
            checked: Vec::new(),
            figures: Vec::new(),
            met: plan.clone(),
            done: Default::default(),
            drift: Vec::new(),
        }
    }
}

/// Decides, four times a virtual second, whether the run is over; tells `settled` how long it took
/// to converge.
fn judge(
    plan: &Plan,
    catalog: &Arc<Catalog>,
    settled: Arc<Mutex<Option<u64>>>,
) -> impl FnMut(&mut Cluster) -> Option<Verdict> + use<> {
    let lesser = pending::Lesser::from_plan(plan, catalog.policy(), catalog.limits());
    let within_us = bound::settles_within_us(plan, catalog);
    let catalog = Arc::clone(catalog);
    let mut calm_since = None;
    let mut converged_since: Option<u64> = None;
    move |cluster| {
        if let Some(violation) = cluster.violation() {
            return Some(Verdict::Violated(violation.clone()));
        }
        if !cluster.is_calm() {
            return None;
        }
        let now = cluster.now_us();
        let since = *calm_since.get_or_insert(now);
        let Some(pending) = pending::pending(cluster.history(), &catalog, lesser) else {
            let converged = *converged_since.get_or_insert(now);
            *lock(&settled) = Some(converged - since);
            return (now - converged >= STAY_US).then_some(Verdict::Passed);
        };
        converged_since = None;
        *lock(&settled) = None;
        (now - since > within_us).then_some(Verdict::Stuck { pending })
    }
}

fn met(plan: &Plan, cluster: &Cluster) -> Plan {
    let (faults, entries) = cluster.met();
    let mut met = plan.clone();
    met.faults = faults
        .into_iter()
        .map(|met| Fault { at: met.anchor, ..plan.faults[met.index].clone() })
        .collect();
    met.commands = entries
        .into_iter()
        .map(|met| Entry { at: met.anchor, ..plan.commands[met.index].clone() })
        .collect();
    for (unit, host) in met.units.iter_mut().zip(cluster.hosts()) {
        unit.digest = host.first_image().to_string();
    }
    met
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_string()))
        .unwrap_or_else(|| "a panic without words".into())
}
