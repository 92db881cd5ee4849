//! The reductions, each switched off once with equal verdicts.

use std::collections::BTreeSet;

use skewsync_model::action::Action;
use skewsync_model::effects::Table;
use skewsync_model::property::Situation;
use skewsync_model::scope::{Bounded, Budgets, Move, Scope, pinned, plain};
use skewsync_model::verdict::Report;

use crate::{from_hot, none, one_command, search};

/// How many states there are with a reduction, and without.
fn same_verdicts(with: &Scope<Table>, off: &Scope<Table>) -> [usize; 2] {
    let (with, off) = (search(with), search(off));
    assert_eq!(with.safety, off.safety);
    assert_eq!(with.convergence, off.convergence);
    assert_eq!(with.cycles, off.cycles);
    assert!(off.states > with.states, "the reduction reduces");
    // Of a message that makes no difference nothing is met but that it arrives.
    let counts = |met: &Situation| *met != Situation::StaleArrived;
    let kinds = |report: &Report| -> Vec<_> { report.met.keys().copied().filter(counts).collect() };
    assert_eq!(kinds(&with), kinds(&off));
    [with.states, off.states]
}

/// Faults of which any two are used in one run, which the reductions have something to do with.
fn two_of_some(layered: bool) -> Scope<Table> {
    let each = if layered { 1 } else { 2 };
    let budgets = Budgets {
        crashes: each,
        lapses: each,
        give_ups: each,
        losses: each,
        forced: each,
        ..none()
    };
    Scope { most: 2, layered, ..from_hot(budgets) }
}

#[test]
fn rounds_that_are_numbered_anew_change_no_verdict() {
    let base = Scope { renames: true, ..pinned() };
    let counts = same_verdicts(&base, &pinned());
    assert_eq!(counts, [49_029, 316_947]);
}

#[test]
fn states_that_are_walked_once_for_all_that_is_left_change_no_verdict() {
    let counts = same_verdicts(&two_of_some(true), &two_of_some(false));
    assert_eq!(counts, [27_872, 28_541]);
}

#[test]
fn overtaken_messages_that_leave_change_no_verdict() {
    let off = Scope { overtaken: true, ..two_of_some(true) };
    same_verdicts(&two_of_some(true), &off);
    let base = Scope { renames: true, ..pinned() };
    let off = Scope { overtaken: true, ..base };
    same_verdicts(&base, &off);
}

#[test]
fn messages_that_nobody_can_accept_change_no_verdict() {
    let base = Scope { budgets: Budgets { crashes: 1, ..none() }, ..plain() };
    let off = Scope { purge: false, ..base };
    same_verdicts(&base, &off);
}

#[test]
fn timers_that_do_not_wait_change_no_verdict() {
    for budgets in [one_command(), Budgets { crashes: 1, ..none() }] {
        let base = Scope { budgets, ..plain() };
        let off = Scope { patient: false, ..base };
        same_verdicts(&base, &off);
    }
}

/// All states of a scope, with the move that may lead on from each.
fn walk(scope: &Scope<Table>, mut each: impl FnMut(&Bounded, &Bounded)) {
    let mut seen = BTreeSet::new();
    let mut open = vec![scope.start()];
    while let Some(state) = open.pop() {
        let mut moves = Vec::new();
        scope.moves(&state, &mut moves);
        for next in moves {
            let Some(after) = scope.after(&state, &next, &mut |_| {}) else {
                continue;
            };
            each(&state, &after);
            if seen.insert(after.clone()) {
                open.push(after);
            }
        }
    }
}

/// Nothing comes of a message that is of no use, and none of it is of use later. How many arrived.
fn comes_to_nothing(scope: &Scope<Table>) -> usize {
    let mut wastes = 0;
    walk(scope, |state, after| {
        for flight in state.net.iter().filter(|sent| !scope.is_of_use(state, sent)) {
            let stays = after.net.contains(flight);
            assert!(!stays || !scope.is_of_use(after, flight), "{flight:?} of use after {state:?}");
            let arrives = Move::Does(Action::Deliver(*flight));
            let Some(mut after) = scope.after(state, &arrives, &mut |_| {}) else {
                continue;
            };
            wastes += 1;
            let mut sent = after.net.iter().filter(|sent| !state.net.contains(sent));
            assert!(
                sent.all(|sent| !scope.is_of_use(&after, sent)),
                "{flight:?} is answered in {state:?}"
            );
            after.net.clone_from(&state.net);
            // A Decline of no use takes a number, too.
            let mut state = state.clone();
            scope.rename(&mut state);
            scope.rename(&mut after);
            assert_eq!(after, state, "{flight:?}");
        }
    });
    wastes
}

#[test]
fn what_is_of_no_use_changes_nothing_now_nor_later() {
    let each = [
        Budgets { crashes: 1, ..none() },
        Budgets { give_ups: 1, ..none() },
        Budgets { losses: 1, ..one_command() },
        Budgets { rejects: 1, ..none() },
        Budgets { lapses: 1, ..none() },
        Budgets { planned: 1, ..none() },
        Budgets { planned: 1, waits: 1, ..one_command() },
        Budgets { disagrees: 1, ..one_command() },
        Budgets { declares: 1, crashes: 1, ..none() },
        Budgets { early: 1, crashes: 1, ..none() },
        Budgets { garbles: 1, give_ups: 1, ..one_command() },
    ];
    let wastes = each.map(|budgets| {
        let mut scope = Scope { overtaken: true, purge: false, ..from_hot(budgets) };
        scope.env.max_attempts = (budgets.garbles > 0).then_some(2);
        comes_to_nothing(&scope)
    });
    assert!(wastes.iter().sum::<usize>() > 100_000, "{wastes:?}");
}
