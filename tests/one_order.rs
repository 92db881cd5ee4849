//! One order of events: a plan that lacks one event shares all that comes before it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use skewsync_lab::draw::{self, CommandCorpus, DrawOptions};
use skewsync_sim::catalog::{Catalog, load};
use skewsync_sim::hash::mix;
use skewsync_sim::plan::{Entry, Fault, Network, Plan};
use skewsync_sim::run::trace::Prefixes;
use skewsync_sim::run::{Lockstep, Options, Report};
use skewsync_sim::runner::Runner;

/// Plans of the test that is always run, and of the one that prints the figure.
const PLANS: u64 = 100;
const MANY_PLANS: u64 = 1_000;

/// An event of a plan: of its faults, or of its commands, the one with this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planned {
    Fault(usize),
    Command(usize),
}

impl Planned {
    fn all(plan: &Plan) -> Vec<Self> {
        let faults = (0..plan.faults.len()).map(Self::Fault);
        faults.chain((0..plan.commands.len()).map(Self::Command)).collect()
    }

    /// The last of those that have its anchor and its content. Only their order in the plan tells
    /// them apart: without any of them, the plan is the one without the last.
    fn last_alike(self, plan: &Plan) -> Self {
        match self {
            Self::Fault(index) => {
                let alike = |fault: &Fault| *fault == plan.faults[index];
                Self::Fault(plan.faults.iter().rposition(alike).unwrap_or(index))
            }
            Self::Command(index) => {
                let alike = |command: &Entry| *command == plan.commands[index];
                Self::Command(plan.commands.iter().rposition(alike).unwrap_or(index))
            }
        }
    }

    fn taken_out_of(self, plan: &Plan) -> Plan {
        let mut less = plan.clone();
        match self {
            Self::Fault(index) => drop(less.faults.remove(index)),
            Self::Command(index) => drop(less.commands.remove(index)),
        }
        less
    }
}

/// A run: its report, and the hash of its trace up to each event.
fn traced(plan: &Plan, catalog: &Arc<Catalog>) -> (Report, Vec<u64>) {
    let out = Arc::new(Mutex::new(Vec::new()));
    let observer = Box::new(Prefixes::new(Arc::clone(&out)));
    let options = Options { lockstep: Lockstep::Off };
    let runner = Runner::new(catalog, options);
    let report = runner.observed(&Arc::new(plan.clone()), Vec::new(), vec![observer]);
    let hashes = std::mem::take(&mut *out.lock().expect("nobody panicked"));
    (report.expect("it runs"), hashes)
}

/// Events that were observed before each planned event was done, in order; those that never were
/// are missing.
fn done(report: &Report) -> Vec<(u64, Planned)> {
    let (faults, commands) = &report.done;
    let faults = faults.iter().map(|met| (met.at.events, Planned::Fault(met.index)));
    let commands = commands.iter().map(|met| (met.at.events, Planned::Command(met.index)));
    let mut all: Vec<_> = faults.chain(commands).collect();
    all.sort_by_key(|(events, _)| *events);
    all
}

/// How many siblings were compared, and which of them part too soon.
#[derive(Debug, Default)]
struct Found {
    last: AtomicU64,
    random: AtomicU64,
    unmet: AtomicU64,
    part: Mutex<Vec<String>>,
}

/// Compares the run of a plan with those of two siblings: without the event that was done last, and
/// without any one.
fn compare(seed: u64, plan: &Plan, catalog: &Arc<Catalog>, found: &Found) {
    let (report, hashes) = traced(plan, catalog);
    let done = done(&report);
    let any = Planned::all(plan);
    let any = any.get(mix(seed) as usize % any.len().max(1)).copied();
    let last = done.last().map(|(_, planned)| *planned);
    for (planned, of) in [(last, &found.last), (any, &found.random)] {
        let Some(planned) = planned.map(|planned| planned.last_alike(plan)) else { continue };
        let met = done.iter().find(|(_, other)| *other == planned);
        let shared = met.map_or(hashes.len(), |(events, _)| *events as usize);
        let (_, sibling) = traced(&planned.taken_out_of(plan), catalog);
        let of = if met.is_some() { of } else { &found.unmet };
        of.fetch_add(1, Ordering::Relaxed);
        if sibling.get(..shared) != Some(&hashes[..shared]) {
            let same = sibling.iter().zip(&hashes).take_while(|(one, other)| one == other);
            let what = format!("seed {seed}, {planned:?}: {} of {shared}", same.count());
            found.part.lock().expect("nobody panicked").push(what);
        }
    }
}

/// Compares so many drawn plans over links, on two threads.
fn compare_all(plans: u64) -> Found {
    let catalog = Arc::new(load(&[]).expect("the bundled family loads"));
    let material = Arc::new(CommandCorpus::from_catalog(&catalog));
    let wishes = DrawOptions { material, ..DrawOptions::default() };
    let over_links = |(_, plan): &(u64, Plan)| plan.network == Network::Links;
    let drawn = (0..).map(|seed| (seed, draw::plan(seed, &wishes))).filter(over_links);
    let drawn = Mutex::new(drawn.take(plans as usize));
    let found = Found::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = drawn.lock().expect("nobody panicked").next();
                    let Some((seed, plan)) = next else { return };
                    compare(seed, &plan, &catalog, &found);
                }
            });
        }
    });
    found
}

#[test]
fn a_plan_without_one_event_shares_all_that_comes_before_it() {
    let found = compare_all(PLANS);
    assert_eq!(found.part.into_inner().expect("nobody panicked"), [""; 0]);
    assert!(found.last.into_inner() > PLANS / 2 && found.random.into_inner() > PLANS / 2);
}

#[test]
#[ignore = "3,000 runs; prints the figure"]
fn a_thousand_plans_without_one_event_share_all_that_comes_before_it() {
    let found = compare_all(MANY_PLANS);
    println!("{MANY_PLANS} drawn plans over links, one event taken out: {found:?}");
    assert_eq!(found.part.into_inner().expect("nobody panicked"), [""; 0]);
}
