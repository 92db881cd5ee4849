//! Each property can fail, and each has been looked at where it matters.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use skewsync_model::effects::{Effect, Table};
use skewsync_model::property::{Property, Situation};
use skewsync_model::scope::{Begin, Budgets, Scope, plain};
use skewsync_model::search::{Limits, run};
use skewsync_model::state::Rejection;
use skewsync_model::step::Env;
use skewsync_model::verdict::Verdict;
use strum::IntoEnumIterator as _;

use crate::broken::{Broken, Wrong};
use crate::rules::{BOTH_DOWN, narrow, the_same_again};
use crate::{from_hot, is_calm, none, one_command};

/// In how many steps the property fails from hot, with a change that goes and one that cannot.
fn fails(wrong: Wrong, asks: Property, planned: u8) -> Option<usize> {
    let right = from_hot(Budgets { commands: 3 - planned, planned, ..none() });
    let table = match planned {
        1 => Table::from_effects(&[Effect::Carried, Effect::Listed(None)]),
        _ => Table::from_effects(&[Effect::Listed(None)]),
    };
    let scope = Scope {
        env: Env {
            max_attempts: None,
            max_line: right.env.max_line,
            generations: right.env.generations,
            goes_back: right.env.goes_back,
            effects: Broken(table, wrong),
            chunks: right.env.chunks,
            same_image: right.env.same_image,
            hot_window: right.env.hot_window,
            line_window: right.env.line_window,
            max_prompts: right.env.max_prompts,
            max_queue: right.env.max_queue,
            without: None,
        },
        asks: Some(asks),
        budgets: right.budgets,
        most: right.most,
        layered: right.layered,
        renames: right.renames,
        script: right.script,
        max_resets: right.max_resets,
        excuses: right.excuses,
        async_counts: right.async_counts,
        durability: right.durability,
        at_hand: right.at_hand,
        purge: right.purge,
        overtaken: right.overtaken,
        patient: right.patient,
        booted: right.booted,
        begin: right.begin,
    };
    let limits = Limits { states_max: 100_000, convergence: false };
    match run(&scope, &limits, &mut |_| ControlFlow::Continue(())).safety {
        Verdict::Violated(found) => {
            assert_eq!(found.property, asks);
            Some(found.steps.len())
        }
        Verdict::Exhausted => None,
        Verdict::Truncated(cut) => panic!("cut short: {cut:?}"),
    }
}

/// Properties of translation, which no rule of the protocol breaks.
#[test]
fn a_wrong_translation_breaks_what_speaks_of_it() {
    use Property::{Commutes, HotMeansEqual, ListedAtTakeover, NoSilentDrop, RoundTrip};
    let line_by_line = Wrong::LineByLine;
    assert_eq!(fails(line_by_line, Commutes, 1), Some(4));
    assert_eq!(fails(line_by_line, HotMeansEqual, 1), Some(4));
    assert_eq!(fails(line_by_line, Property::WholeOrStartup, 1), Some(12));
    assert_eq!(fails(line_by_line, ListedAtTakeover, 1), None);
    let unlisted = Wrong::Unlisted;
    assert_eq!(fails(unlisted, NoSilentDrop, 1), Some(4));
    assert_eq!(fails(unlisted, ListedAtTakeover, 1), Some(12));
    assert_eq!(fails(unlisted, RoundTrip, 2), Some(28));
    assert_eq!(fails(unlisted, Commutes, 1), None);
}

/// Scopes in which all situations are met, each with nothing failing.
fn scopes() -> Vec<Scope<Table>> {
    let with = |effects: &[Effect], budgets| {
        let mut scope = from_hot(budgets);
        scope.env.effects = Table::from_effects(effects);
        scope
    };
    let two = Budgets { commands: 2, ..none() };
    let stuck = |rejection| [Effect::Listed(Some(rejection))];
    let mut again = from_hot(two);
    again.script = [0, 0, 1, 2];
    let mut counted = with(&[Effect::Unreadable], one_command());
    counted.env.max_attempts = Some(2);
    vec![
        from_hot(Budgets { give_ups: 1, ..one_command() }),
        from_hot(Budgets { forgets: 1, ..none() }),
        from_hot(Budgets { declares: 1, crashes: 1, ..none() }),
        from_hot(Budgets { crashes: 2, ..none() }),
        from_hot(Budgets { planned: 1, crashes: 1, ..one_command() }),
        from_hot(Budgets { planned: 2, ..none() }),
        from_hot(Budgets { planned: 1, drains: 1, ..one_command() }),
        from_hot(Budgets { lapses: 1, ..one_command() }),
        from_hot(Budgets { arbiter: 1, ..none() }),
        Scope { budgets: one_command(), ..plain() },
        again,
        from_hot(Budgets { saves: 1, ..none() }),
        Scope { begin: Begin::After(BOTH_DOWN), ..plain() },
        with(&stuck(Rejection::Reset), one_command()),
        with(&stuck(Rejection::Rpr), one_command()),
        with(&stuck(Rejection::Simplex), one_command()),
        with(&[Effect::Vetoed], one_command()),
        narrow(Budgets { commands: 4, ..none() }),
        narrow(Budgets { commands: 2, lapses: 1, ..none() }),
        the_same_again(Budgets { commands: 3, give_ups: 1, waits: 1, ..none() }),
        from_hot(Budgets { planned: 1, waits: 1, ..one_command() }),
        with(&[Effect::WithLoss], Budgets { crashes: 1, ..one_command() }),
        counted,
    ]
}

#[test]
fn every_situation_is_met_and_so_every_property_has_its_witness() {
    let mut met = BTreeSet::new();
    for scope in scopes() {
        met.extend(is_calm(&scope));
    }
    let never: Vec<Situation> =
        Situation::iter().filter(|situation| !met.contains(situation)).collect();
    assert_eq!(never, []);
    for property in Property::searched() {
        let witness = property.witness().expect("a search holds it");
        assert!(met.contains(&witness), "{property}");
    }
}
