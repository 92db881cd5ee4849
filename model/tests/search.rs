//! What the search must find, and what it must not.

use std::ops::ControlFlow;

use skewsync_model::effects::{Effect, Table};
use skewsync_model::explorer::Explored;
use skewsync_model::property::{Property, Situation};
use skewsync_model::scope::{Begin, Budgets, Scope, pinned, plain};
use skewsync_model::search::{Limits, run};
use skewsync_model::step::Rule;
use skewsync_model::verdict::{Report, Verdict};
use stateright::{Checker, Model};

fn search(scope: &Scope<Table>) -> Report {
    let limits = Limits {
        states_max: 2_000_000,
        convergence: true,
    };
    run(scope, &limits, &mut |_| ControlFlow::Continue(()))
}

fn none() -> Budgets {
    Budgets::default()
}

fn one_command() -> Budgets {
    Budgets {
        commands: 1,
        ..none()
    }
}

fn from_hot(budgets: Budgets) -> Scope<Table> {
    Scope {
        budgets,
        begin: Begin::Hot,
        ..plain()
    }
}

/// The property that fails and in how many steps; none if the scope was exhausted without.
fn violation(scope: &Scope<Table>) -> Option<(Property, usize)> {
    match search(scope).safety {
        Verdict::Violated(found) => Some((found.property, found.steps.len())),
        Verdict::Exhausted => None,
        Verdict::Truncated(cut) => panic!("cut short: {cut:?}"),
    }
}

/// How many states cannot converge.
fn stuck(scope: &Scope<Table>) -> usize {
    let report = search(scope);
    assert_eq!(report.safety, Verdict::Exhausted);
    match report.convergence {
        Verdict::Exhausted => 0,
        Verdict::Violated(stuck) => stuck,
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
    assert_eq!(report.states, 537);
}

#[test]
fn each_single_fault_is_survived_and_converges() {
    let faults = [
        Budgets {
            crashes: 1,
            ..one_command()
        },
        Budgets {
            lapses: 1,
            ..one_command()
        },
        Budgets {
            losses: 1,
            ..one_command()
        },
        Budgets {
            duplicates: 1,
            ..one_command()
        },
        Budgets {
            holds: 1,
            ..one_command()
        },
        Budgets {
            give_ups: 1,
            ..one_command()
        },
        Budgets {
            early: 1,
            ..one_command()
        },
        Budgets {
            planned: 1,
            ..one_command()
        },
        Budgets {
            forced: 1,
            ..one_command()
        },
        Budgets {
            saves: 1,
            ..one_command()
        },
    ];
    for budgets in faults {
        let report = search(&Scope { budgets, ..plain() });
        assert_eq!(report.safety, Verdict::Exhausted, "{budgets:?}");
        assert_eq!(report.convergence, Verdict::Exhausted, "{budgets:?}");
    }
}

#[test]
fn a_handshake_with_dump_and_two_chunks_survives_a_crash() {
    let mut scope = Scope {
        budgets: Budgets {
            crashes: 1,
            ..none()
        },
        ..plain()
    };
    scope.env.same_image = false;
    scope.env.chunks = 2;
    let report = search(&scope);
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
}

#[test]
fn changes_that_do_not_go_leave_the_pair_equal() {
    for effect in [Effect::DontCare, Effect::Refused] {
        let mut scope = Scope {
            budgets: Budgets {
                crashes: 1,
                ..one_command()
            },
            ..plain()
        };
        scope.env.effects.effects[0] = effect;
        let report = search(&scope);
        assert_eq!(report.safety, Verdict::Exhausted, "{effect:?}");
        assert_eq!(report.convergence, Verdict::Exhausted, "{effect:?}");
    }
}

#[test]
fn the_pinned_scope_is_exhausted_with_every_situation_met() {
    let report = search(&pinned());
    assert_eq!(report.safety, Verdict::Exhausted);
    assert_eq!(report.convergence, Verdict::Exhausted);
    assert_eq!(report.states, PINNED_STATES);
    let expected = [
        Situation::Replicated,
        Situation::TookOverStateful,
        Situation::TookOverCold,
        Situation::Regranted,
        Situation::Released,
        Situation::StaleArrived,
    ];
    for situation in expected {
        assert!(
            report.met.contains_key(&situation),
            "{situation:?} was never met"
        );
    }
}

/// Unique states of the pinned scope.
const PINNED_STATES: usize = 433_927;

#[test]
fn stateright_counts_the_same_states() {
    let checker = Explored(pinned()).checker().threads(1).spawn_bfs().join();
    assert_eq!(checker.unique_state_count(), PINNED_STATES);
    assert!(checker.discovery("safe").is_none());
}

#[test]
fn every_situation_is_met_in_some_scope() {
    let scopes = [
        from_hot(Budgets {
            give_ups: 1,
            ..one_command()
        }),
        from_hot(Budgets {
            declares: 1,
            crashes: 1,
            ..none()
        }),
        from_hot(Budgets {
            crashes: 2,
            ..none()
        }),
        from_hot(Budgets {
            planned: 1,
            crashes: 1,
            ..none()
        }),
        from_hot(Budgets {
            lapses: 1,
            ..one_command()
        }),
        Scope {
            budgets: one_command(),
            ..plain()
        },
    ];
    let met: Vec<Report> = scopes.iter().map(search).collect();
    for situation in Situation::ALL {
        let seen = met.iter().any(|report| report.met.contains_key(&situation));
        assert!(seen, "{situation:?} was never met");
    }
}

/// The rules whose absence breaks a property: with the rule nothing fails in the same scope.
#[test]
fn each_rule_taken_away_breaks_its_property() {
    use Property::{HotMeansEqual, NoAckedLoss, NoSplitAck, PlannedLosesNothing, SingleActive};
    let command = one_command();
    let crash_in_drain = Budgets {
        planned: 1,
        crashes: 1,
        ..command
    };
    let cold = |budgets| Scope { budgets, ..plain() };
    let cases = [
        (
            Rule::GrantEchoesRenew,
            cold(Budgets { early: 1, ..none() }),
            SingleActive,
            8,
        ),
        (
            Rule::GrantNamesRenew,
            cold(Budgets {
                renewals: 2,
                losses: 1,
                ..none()
            }),
            SingleActive,
            17,
        ),
        (
            Rule::AcceptanceFixesConfig,
            from_hot(Budgets {
                crashes: 1,
                lapses: 1,
                ..command
            }),
            NoAckedLoss,
            16,
        ),
        (
            Rule::ResumeByStamp,
            from_hot(crash_in_drain),
            PlannedLosesNothing,
            12,
        ),
        (
            Rule::RunningCompete,
            from_hot(crash_in_drain),
            PlannedLosesNothing,
            12,
        ),
        (
            Rule::OnlyProceedResets,
            from_hot(crash_in_drain),
            PlannedLosesNothing,
            20,
        ),
        (
            Rule::HolderSaysWhatItRuns,
            from_hot(crash_in_drain),
            PlannedLosesNothing,
            12,
        ),
        (
            Rule::ConfirmNamesCounter,
            cold(Budgets {
                give_ups: 1,
                ..command
            }),
            NoSplitAck,
            21,
        ),
        (
            Rule::AcceptanceClears,
            from_hot(Budgets {
                crashes: 1,
                ..command
            }),
            NoSplitAck,
            6,
        ),
        (
            Rule::LineWaitsForAccept,
            from_hot(Budgets {
                give_ups: 1,
                ..command
            }),
            HotMeansEqual,
            17,
        ),
        (
            Rule::LeavingClears,
            from_hot(Budgets {
                give_ups: 1,
                ..command
            }),
            NoSplitAck,
            2,
        ),
    ];
    for (rule, scope, property, steps) in cases {
        assert_eq!(
            violation(&without(rule, scope)),
            Some((property, steps)),
            "{rule:?}"
        );
    }
}

/// The rules whose absence leaves states from which the pair never becomes hot.
#[test]
fn each_rule_taken_away_stops_convergence() {
    let cases = [
        (
            Rule::HolderJoins,
            from_hot(Budgets {
                lapses: 1,
                ..none()
            }),
        ),
        (
            Rule::RepeatedWriteConfirmed,
            Scope {
                budgets: Budgets {
                    losses: 1,
                    ..none()
                },
                ..plain()
            },
        ),
        (
            Rule::ArbiterResends,
            Scope {
                budgets: Budgets {
                    losses: 1,
                    ..none()
                },
                ..plain()
            },
        ),
        (
            Rule::JoinCarriesRound,
            Scope {
                budgets: Budgets {
                    give_ups: 1,
                    ..none()
                },
                ..plain()
            },
        ),
    ];
    for (rule, scope) in cases {
        assert_eq!(stuck(&scope), 0, "{rule:?} in force");
        assert!(stuck(&without(rule, scope)) > 0, "{rule:?} taken away");
    }
}

/// 13 and 16: what the properties themselves must say.
#[test]
fn the_properties_need_their_wording() {
    use skewsync_model::action::Durability;
    let mut scope = from_hot(one_command());
    scope.durability = Durability::Async;
    assert_eq!(violation(&scope), None);
    scope.async_counts = true;
    assert_eq!(
        violation(&scope).map(|(property, _)| property),
        Some(Property::NoSplitAck)
    );
    let mut scope = from_hot(Budgets {
        crashes: 1,
        early: 1,
        ..one_command()
    });
    assert_eq!(violation(&scope), None);
    scope.excuses = false;
    assert_eq!(
        violation(&scope).map(|(property, _)| property),
        Some(Property::NoAckedLoss)
    );
}

#[test]
fn reductions_change_no_verdict() {
    let small = Budgets {
        crashes: 1,
        ..none()
    };
    let base = Scope {
        budgets: small,
        ..plain()
    };
    let unpurged = Scope {
        purge: false,
        ..base
    };
    let (with, off) = (search(&base), search(&unpurged));
    assert_eq!(with.safety, off.safety);
    assert_eq!(with.convergence, off.convergence);
    assert!(off.states > with.states, "the reduction reduces");
}
