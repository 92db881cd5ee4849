//! What becomes of a change on the other side: every effect, before and after a change that goes,
//! of the same key and of another.

use skewsync_model::effects::{Effect, Table};
use skewsync_model::scope::{Budgets, Scope};
use skewsync_model::state::Rejection;
use skewsync_model::verdict::Verdict;

use crate::{from_hot, none, search};

/// With a change that goes, in both orders and with both keys: nothing fails, and the pair comes to
/// where it is to be.
fn holds(effect: Effect, keys: &[[u8; 4]]) {
    for keys in keys.iter().copied() {
        for script in [[0, 1, 2, 3], [1, 0, 2, 3]] {
            for (planned, crashes) in [(1, 0), (0, 1)] {
                let budgets = Budgets { commands: 2, planned, crashes, ..none() };
                let mut scope = Scope { script, ..from_hot(budgets) };
                scope.env.effects =
                    Table { keys, ..Table::from_effects(&[Effect::Carried, effect]) };
                let report = search(&scope);
                assert_eq!(report.safety, Verdict::Exhausted, "{scope:?}");
                assert_eq!(report.convergence, Verdict::Exhausted, "{scope:?}");
                assert_eq!(report.cycles, Verdict::Exhausted, "{scope:?}");
            }
        }
    }
}

#[test]
fn what_goes_in_part_or_not_at_all_leaves_the_pair_equal() {
    for effect in [Effect::WithLoss, Effect::DontCare, Effect::Listed(None), Effect::Vetoed] {
        holds(effect, &[[0, 0, 0, 0], [0, 1, 0, 0]]);
    }
}

/// Both halves, in both orders, and one of them that another line takes away.
#[test]
fn half_of_a_merge_is_listed_at_both_units_until_the_rest_comes() {
    holds(Effect::Half, &[[0, 1, 0, 0]]);
    for effects in [[Effect::Half, Effect::Half, Effect::Carried], [Effect::Half; 3]] {
        for (planned, crashes) in [(1, 0), (0, 1)] {
            let budgets = Budgets { commands: 3, planned, crashes, ..none() };
            let mut scope = from_hot(budgets);
            scope.env.effects = Table { keys: [0, 1, 0, 0], ..Table::from_effects(&effects) };
            let report = search(&scope);
            assert_eq!(report.safety, Verdict::Exhausted, "{scope:?}");
            assert_eq!(report.convergence, Verdict::Exhausted, "{scope:?}");
            assert_eq!(report.cycles, Verdict::Exhausted, "{scope:?}");
        }
    }
}

#[test]
fn a_line_that_cannot_go_leads_to_what_policy_says() {
    for rejection in [Rejection::Reset, Rejection::Rpr, Rejection::Simplex] {
        holds(Effect::Listed(Some(rejection)), &[[0, 0, 0, 0]]);
    }
}

#[test]
fn a_line_that_fails_at_the_peer_is_held_out_or_ends_hot() {
    for leaves in [false, true] {
        for bulk in [None, Some(Rejection::Reset), Some(Rejection::Rpr), Some(Rejection::Simplex)] {
            holds(Effect::Fails { leaves, bulk }, &[[0, 0, 0, 0]]);
        }
    }
}
