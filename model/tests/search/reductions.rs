//! The reductions, each switched off once with equal verdicts.

use skewsync_model::effects::Table;
use skewsync_model::scope::{Budgets, Scope, plain};

use crate::{none, one_command, search};

fn same_verdicts(with: &Scope<Table>, off: &Scope<Table>) {
    let (with, off) = (search(with), search(off));
    assert_eq!(with.safety, off.safety);
    assert_eq!(with.convergence, off.convergence);
    assert_eq!(with.cycles, off.cycles);
    assert!(off.states > with.states, "the reduction reduces");
}

#[test]
fn messages_that_nobody_can_accept_change_no_verdict() {
    let base = Scope {
        budgets: Budgets {
            crashes: 1,
            ..none()
        },
        ..plain()
    };
    let off = Scope {
        purge: false,
        ..base
    };
    same_verdicts(&base, &off);
}

#[test]
fn timers_that_do_not_wait_change_no_verdict() {
    for budgets in [
        one_command(),
        Budgets {
            crashes: 1,
            ..none()
        },
    ] {
        let base = Scope { budgets, ..plain() };
        let off = Scope {
            patient: false,
            ..base
        };
        same_verdicts(&base, &off);
    }
}
