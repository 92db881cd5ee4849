//! What the search must find, and what it must not.

mod arbiter;
mod broken;
mod effects;
mod properties;
mod reductions;
mod rules;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use skewsync_model::effects::Table;
use skewsync_model::explorer::Explored;
use skewsync_model::property::{Property, Situation};
use skewsync_model::scope::{Begin, Budgets, Scope, pinned, plain};
use skewsync_model::search::{Limits, run};
use skewsync_model::step::Rule;
use skewsync_model::verdict::{Report, Verdict};
use stateright::{Checker, Model};

fn search(scope: &Scope<Table>) -> Report {
    let limits = Limits { states_max: 2_000_000, convergence: true };
    run(scope, &limits, &mut |_| ControlFlow::Continue(()))
}

fn none() -> Budgets {
    Budgets::default()
}

fn one_command() -> Budgets {
    Budgets { commands: 1, ..none() }
}

fn from_hot(budgets: Budgets) -> Scope<Table> {
    Scope { budgets, begin: Begin::Hot, ..plain() }
}

/// The property that fails and in how many steps; none if the scope was exhausted without.
fn violation(scope: &Scope<Table>) -> Option<(Property, usize)> {
    let limits = Limits { states_max: 4_000_000, convergence: false };
    match run(scope, &limits, &mut |_| ControlFlow::Continue(())).safety {
        Verdict::Violated(found) => Some((found.property, found.steps.len())),
        Verdict::Exhausted => None,
        Verdict::Truncated(cut) => panic!("cut short: {cut:?} without {:?}", scope.env.without),
    }
}

/// Nothing fails in the first states of a scope, which another test may exhaust. What was met.
fn is_calm(scope: &Scope<Table>) -> BTreeSet<Situation> {
    let limits = Limits { states_max: 60_000, convergence: false };
    let report = run(scope, &limits, &mut |_| ControlFlow::Continue(()));
    assert!(!matches!(report.safety, Verdict::Violated(_)), "{:?} in {scope:?}", report.safety);
    report.met.into_keys().collect()
}

/// How many states cannot converge.
fn stuck(scope: &Scope<Table>) -> usize {
    let report = search(scope);
    assert_eq!(report.safety, Verdict::Exhausted);
    match report.convergence {
        Verdict::Exhausted => 0,
        Verdict::Violated(found) => found.states,
        Verdict::Truncated(cut) => panic!("cut short: {cut:?}"),
    }
}

fn without(rule: Rule, scope: Scope<Table>) -> Scope<Table> {
    let mut scope = scope;
    scope.env.without = Some(rule);
    scope
}

#[test]
fn a_pair_without_faults_becomes_hot_from_every_state() {
    let report = search(&plain());
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
    assert_eq!(report.cycles, Verdict::Exhausted);
    assert_eq!(report.states, 291);
}

#[test]
fn each_single_fault_is_survived_and_converges() {
    let faults = [
        Budgets { crashes: 1, ..one_command() },
        Budgets { lapses: 1, ..one_command() },
        Budgets { losses: 1, ..one_command() },
        Budgets { duplicates: 1, ..one_command() },
        Budgets { holds: 1, ..one_command() },
        Budgets { give_ups: 1, ..one_command() },
        Budgets { early: 1, ..one_command() },
        Budgets { planned: 1, ..one_command() },
        Budgets { forced: 1, ..one_command() },
        Budgets { saves: 1, ..one_command() },
        Budgets { declares: 1, ..one_command() },
        Budgets { arbiter: 1, ..one_command() },
        Budgets { planned: 1, drains: 1, ..none() },
        Budgets { rejects: 1, ..one_command() },
        Budgets { disagrees: 1, ..one_command() },
        Budgets { planned: 1, waits: 1, ..one_command() },
        Budgets { give_ups: 1, waits: 1, ..one_command() },
        Budgets { garbles: 1, ..one_command() },
        Budgets { forgets: 1, ..one_command() },
        Budgets { retries: 1, ..one_command() },
    ];
    for budgets in faults {
        let report = search(&Scope { budgets, ..plain() });
        assert_eq!(report.safety, Verdict::Exhausted, "{budgets:?}");
        assert_eq!(report.convergence, Verdict::Exhausted, "{budgets:?}");
        assert_eq!(report.cycles, Verdict::Exhausted, "{budgets:?}");
        let mut counted = Scope { budgets, ..plain() };
        counted.env.max_attempts = Some(2);
        let report = search(&counted);
        assert_eq!(report.safety, Verdict::Exhausted, "counted: {budgets:?}");
        assert_eq!(report.convergence, Verdict::Exhausted, "counted: {budgets:?}");
        assert_eq!(report.cycles, Verdict::Exhausted, "counted: {budgets:?}");
    }
}

#[test]
fn a_handshake_with_dump_and_two_chunks_survives_a_crash() {
    let mut scope = Scope { budgets: Budgets { crashes: 1, ..none() }, ..plain() };
    scope.env.same_image = false;
    scope.env.chunks = 2;
    for at_hand in [false, true] {
        let report = search(&Scope { at_hand, ..scope });
        assert_eq!(report.safety, Verdict::Exhausted, "at hand: {at_hand}");
        assert_eq!(report.convergence, Verdict::Exhausted, "at hand: {at_hand}");
        assert_eq!(report.cycles, Verdict::Exhausted, "at hand: {at_hand}");
    }
}

#[test]
fn the_pinned_scope_is_exhausted_with_every_situation_met() {
    let report = search(&pinned());
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
    assert_eq!(report.cycles, Verdict::Exhausted);
    assert_eq!(report.states, PINNED_STATES);
    let expected = [
        Situation::Replicated,
        Situation::TookOverStateful,
        Situation::Resumed,
        Situation::Regranted,
        Situation::Released,
        Situation::StaleArrived,
    ];
    for situation in expected {
        assert!(report.met.contains_key(&situation), "{situation:?} was never met");
    }
}

/// Unique states of the pinned scope.
const PINNED_STATES: usize = 316_947;

#[test]
fn stateright_counts_the_same_states() {
    let checker = Explored(pinned()).checker().threads(1).spawn_bfs().join();
    assert_eq!(checker.unique_state_count(), PINNED_STATES);
    assert!(checker.discovery("safe").is_none());
}
