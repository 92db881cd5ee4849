//! The shrinker on the planted defects (feature `planted`): it comes to small plans, within its
//! bounds, and one that still fails alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use skewsync_lab::analysis::{With, nearest_passing, point_of_no_return};
use skewsync_lab::draw::{self, CommandCorpus, DrawOptions, Families};
use skewsync_lab::shrink::{Ended, How, Shrunk, Size, Sound, shrink};
use skewsync_lab::signature::Signature;
use skewsync_model::property::Property;
use skewsync_sim::catalog::{Catalog, load};
use skewsync_sim::plan::{Noise, Plan, Reseed};
use skewsync_sim::run::{Options, VerdictKind};
use skewsync_sim::runner::Runner;

fn catalog() -> (Arc<Catalog>, DrawOptions) {
    let catalog = load(&[]).expect("the bundled family loads");
    let material = Arc::new(CommandCorpus::from_catalog(&catalog));
    (Arc::new(catalog), DrawOptions { material, ..DrawOptions::default() })
}

/// The plan of a seed with a defect, as its run met it; it must fail.
fn failing(defect: &str, seed: u64) -> (Plan, Arc<Catalog>) {
    let (catalog, wishes) = catalog();
    let wishes = DrawOptions { planted: Some(defect.into()), ..wishes };
    let plan = draw::plan(seed, &wishes);
    let report = Runner::new(&catalog, Options::default()).run(&Arc::new(plan)).expect("it runs");
    assert!(!report.verdict.kind().passed(), "seed {seed} fails");
    (report.met, catalog)
}

fn signed(plan: &Plan, catalog: &Arc<Catalog>) -> (Signature, u64) {
    let plan = Arc::new(plan.clone());
    let report = Runner::new(catalog, Options::default()).run(&plan).expect("it runs");
    let signature = Signature::from_verdict(&report.verdict, report.ending.as_ref(), &plan);
    (signature, report.trace)
}

fn shrunken(plan: &Plan, catalog: &Arc<Catalog>, how: &How) -> Shrunk {
    shrink(plan, catalog, how, &mut |_| {}).expect("it fails")
}

/// What a result must be, however far the search came: it fails as it says, and its run gives the
/// trace that it names.
fn stands(shrunk: &Shrunk, plan: &Plan, catalog: &Arc<Catalog>) {
    let (was, _) = signed(plan, catalog);
    let (is, trace) = signed(&shrunk.plan, catalog);
    assert_eq!((&is, trace), (&shrunk.signature, shrunk.trace));
    assert_eq!((&is.property, &is.roles), (&was.property, &was.roles));
    assert_eq!(is.phase, was.phase);
}

#[test]
fn what_needs_no_fault_comes_to_none_and_what_needs_a_gap_to_one() {
    // A pair that only starts shows the first; a gap is a message that is missing, and two lines.
    for (defect, faults, commands) in [("swap-before-accept", 0, 0), ("gap-accepted", 1, 2)] {
        let (plan, catalog) = failing(defect, 4);
        let how = How { jobs: 2, sound: Sound::Passes, ..How::default() };
        let shrunk = shrunken(&plan, &catalog, &how);
        stands(&shrunk, &plan, &catalog);
        assert_eq!(shrunk.ended, Ended::Done, "{}", shrunk.words());
        assert!(shrunk.after.faults <= faults, "{}", shrunk.words());
        assert!(shrunk.after.commands <= commands, "{}", shrunk.words());
        assert_eq!(shrunk.plan.noise, Noise::default());
        assert!(shrunk.before.commands > shrunk.after.commands);
        let sound = Plan { planted: None, ..shrunk.plan.clone() };
        assert_eq!(
            signed(&sound, &catalog).0.property,
            VerdictKind::Passed,
            "the sound engine passes"
        );
    }
}

#[test]
fn a_drawn_family_shrinks_along() {
    let (catalog, wishes) = catalog();
    let planted = Some("gap-accepted".to_owned());
    let wishes = DrawOptions { planted, families: Families::Drawn, ..wishes };
    let fails = |seed| {
        let plan = Arc::new(draw::plan(seed, &wishes));
        let report = Runner::new(&catalog, Options::default()).run(&plan).expect("it runs");
        (!report.verdict.kind().passed()).then_some(report.met)
    };
    let plan = (0..60).find_map(fails).expect("a seed of few meets a gap");
    let shrunk = shrunken(&plan, &catalog, &How { jobs: 2, ..How::default() });
    stands(&shrunk, &plan, &catalog);
    // Of two lines each has a form, and each release one family.
    assert!(shrunk.after.forms < shrunk.before.forms, "{}", shrunk.words());
    assert!(shrunk.after.forms <= 4, "{}", shrunk.words());
}

#[test]
fn the_number_of_jobs_changes_no_result_and_a_second_search_finds_nothing() {
    let (plan, catalog) = failing("gap-accepted", 4);
    let with = |jobs, plan: &Plan| {
        let how = How { jobs, ..How::default() };
        shrunken(plan, &catalog, &how)
    };
    let one = with(1, &plan);
    assert_eq!(one.plan, with(3, &plan).plan);
    let again = with(1, &one.plan);
    assert_eq!(again.plan, one.plan);
    assert_eq!(again.before, one.after);
    assert!(one.spared > 0, "no plan is run twice");
}

#[test]
fn few_runs_and_no_time_leave_a_plan_that_fails_alike() {
    let (plan, catalog) = failing("gap-accepted", 0);
    let how = How { runs: 12, ..How::default() };
    let shrunk = shrunken(&plan, &catalog, &how);
    assert_eq!((shrunk.ended, shrunk.runs), (Ended::Runs, 12));
    stands(&shrunk, &plan, &catalog);
    let how = How { lasts: Duration::ZERO, ..How::default() };
    let shrunk = shrunken(&plan, &catalog, &how);
    assert_eq!((shrunk.ended, shrunk.runs), (Ended::Time, 1));
    assert_eq!(shrunk.plan, plan);
}

#[test]
fn an_interrupt_leaves_the_best_so_far() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let (plan, catalog) = failing("gap-accepted", 0);
    let how = How { stop: || ASKED.fetch_add(1, Ordering::Relaxed) > 200, ..How::default() };
    let shrunk = shrunken(&plan, &catalog, &how);
    assert_eq!(shrunk.ended, Ended::Interrupted);
    stands(&shrunk, &plan, &catalog);
    let events = |size: Size| size.faults + size.commands;
    assert!(events(shrunk.after) < events(shrunk.before), "{}", shrunk.words());
}

#[test]
fn a_curve_begins_with_the_whole_plan_redrawn_and_ends_with_the_failure() {
    let (plan, catalog) = failing("gap-accepted", 4);
    let with = With { jobs: 2, ..With::default() };
    let curve =
        point_of_no_return::curve(&plan, &catalog, (6, 8), &with, &mut |_| {}).expect("it fails");
    assert_eq!(curve.property, VerdictKind::Fails(Property::OrderOnce));
    assert!(curve.moments.iter().all(|moment| moment.runs == 8));
    // Nothing is drawn after the last event of the failing run.
    assert_eq!(curve.moments.last().and_then(|last| last.share()), Some(1.0));
    let again = point_of_no_return::curve(&plan, &catalog, (6, 8), &with, &mut |_| {});
    assert_eq!(again, Ok(curve));
}

#[test]
fn the_nearest_plan_that_passes_lacks_one_event_and_passes() {
    let (plan, catalog) = failing("gap-accepted", 4);
    let small = shrunken(&plan, &catalog, &How::default()).plan;
    let with = With::default();
    let nearest = nearest_passing::nearest(&small, &catalog, &with).expect("it fails");
    let nearest = nearest.expect("a plan that was shrunk fails with one event less no more");
    let size = |plan: &Plan| plan.faults.len() + plan.commands.len();
    assert_eq!(size(&nearest.plan) + 1, size(&small));
    assert_eq!(signed(&nearest.plan, &catalog).0.property, VerdictKind::Passed);
    assert!(nearest.parts_at_us.is_some_and(|at| at > 0));
}

#[test]
fn up_to_its_moment_a_run_is_the_same_though_it_is_reseeded() {
    let (catalog, wishes) = catalog();
    let plan = draw::plan(1, &wishes);
    let far = Reseed { at_us: 700_000_000, world: 1 };
    let near = Reseed { at_us: 0, ..far };
    let with = |reseed| Plan { reseed, ..plan.clone() };
    assert_eq!(Plan::read(&with(Some(near)).write()), Ok(with(Some(near))));
    let (_, plain) = signed(&plan, &catalog);
    assert_eq!(signed(&with(Some(far)), &catalog).1, plain);
    assert_ne!(signed(&with(Some(near)), &catalog).1, plain);
}
