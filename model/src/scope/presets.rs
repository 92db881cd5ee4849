//! The scopes that have names.

use super::{Begin, Budgets, Scope};
use crate::action::Durability;
use crate::effects::{Effect, Table};
use crate::state::{Cfg, Rejection};
use crate::step::Env;

/// A scope with what it is for.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name by which it is chosen.
    pub name: &'static str,
    /// What it walks, in words.
    pub about: &'static str,
    /// The scope.
    pub scope: Scope<Table>,
}

/// All rules, no faults, equal images, one key, commands that go.
pub fn plain() -> Scope<Table> {
    Scope {
        env: Env {
            effects: Table::default(),
            chunks: 1,
            same_image: true,
            hot_window: 2,
            line_window: 4,
            max_prompts: 2,
            max_queue: 2,
            max_attempts: None,
            max_line: 64,
            generations: false,
            goes_back: false,
            without: None,
        },
        budgets: Budgets::default(),
        most: u16::MAX,
        layered: false,
        renames: true,
        script: [0, 1, 2, 3],
        max_resets: 1,
        asks: None,
        excuses: true,
        async_counts: false,
        durability: Durability::Acked,
        at_hand: false,
        purge: true,
        overtaken: false,
        patient: true,
        booted: Cfg(0),
        begin: Begin::Cold,
    }
}

/// The scope that the tests pin: a planned switchover and a lease that runs out, from hot.
pub fn pinned() -> Scope<Table> {
    let budgets = Budgets { commands: 1, lapses: 1, planned: 1, ..Budgets::default() };
    Scope { budgets, begin: Begin::Hot, renames: false, ..plain() }
}

/// Every kind of fault, and both switchovers.
fn every() -> Budgets {
    Budgets {
        commands: 1,
        crashes: 1,
        losses: 1,
        duplicates: 1,
        holds: 1,
        lapses: 1,
        give_ups: 1,
        early: 1,
        renewals: 0,
        planned: 1,
        forced: 1,
        saves: 1,
        declares: 1,
        arbiter: 1,
        drains: 1,
        rejects: 1,
        disagrees: 1,
        waits: 1,
        garbles: 0,
        retries: 0,
        forgets: 0,
        disks: 0,
        older: 0,
    }
}

/// The scopes that have names.
pub fn presets() -> Vec<Preset> {
    let base = Budgets { commands: 1, ..Budgets::default() };
    let hot = |budgets| Scope { budgets, layered: true, begin: Begin::Hot, ..plain() };
    let mut dump = Scope {
        budgets: Budgets { crashes: 1, losses: 1, ..base },
        most: 2,
        layered: true,
        ..plain()
    };
    dump.env.same_image = false;
    dump.env.chunks = 2;
    let with = |effect, budgets| {
        let mut scope = hot(budgets);
        scope.env.effects = Table::from_effects(&[Effect::Carried, effect]);
        scope
    };
    let two = Budgets { commands: 2, crashes: 1, planned: 1, losses: 1, give_ups: 1, ..base };
    let counted = |budgets, effects: &[Effect]| {
        let mut scope = hot(budgets);
        scope.env.effects = Table::from_effects(effects);
        scope.env.max_attempts = Some(2);
        scope
    };
    let unread = Budgets { garbles: 1, retries: 1, lapses: 1, ..two };
    let preset = |name, about, scope| Preset { name, about, scope };
    vec![
        preset("pinned", "from hot, what the tests pin", pinned()),
        preset("dump", "from the start, two images, a snapshot in two chunks", dump),
        preset(
            "start",
            "from the start, any two of every kind of fault, both switchovers",
            Scope { budgets: every(), most: 2, layered: true, ..plain() },
        ),
        preset(
            "every",
            "from hot, any three of every kind of fault, both switchovers",
            Scope { most: 3, ..hot(every()) },
        ),
        preset(
            "late",
            "the same, any two, where what its sender has overtaken comes late all the same",
            Scope { most: 2, overtaken: true, ..hot(every()) },
        ),
        preset(
            "many",
            "from hot, any four of crashes, both switchovers and sessions given up, no command",
            Scope {
                most: 4,
                ..hot(Budgets {
                    commands: 0,
                    crashes: 1,
                    give_ups: 1,
                    planned: 1,
                    forced: 1,
                    ..base
                })
            },
        ),
        preset(
            "resets",
            "from hot, a line that cannot go, for which policy resets the Standby",
            Scope { most: 2, ..with(Effect::Listed(Some(Rejection::Reset)), two) },
        ),
        preset(
            "fails",
            "from hot, a line that fails at the Standby, which leaves hot, and rpr at the next \
             bulk",
            Scope {
                most: 2,
                ..with(Effect::Fails { leaves: true, bulk: Some(Rejection::Rpr) }, two)
            },
        ),
        preset("halves", "from hot, two lines that the Standby raises only together; any two", {
            let mut scope = hot(two);
            scope.most = 2;
            scope.env.effects =
                Table { keys: [0, 1, 0, 1], ..Table::from_effects(&[Effect::Half; 2]) };
            scope
        }),
        preset(
            "garbled",
            "from hot, any two of payloads that do not decode, crashes and the like, attempts \
             counted and paced",
            Scope { most: 2, ..counted(unread, &[]) },
        ),
        preset(
            "unreadable",
            "from hot, a line that the other engine does not read, nor a snapshot that holds it; \
             any two",
            Scope { most: 2, ..counted(unread, &[Effect::Carried, Effect::Unreadable]) },
        ),
        preset(
            "lost",
            "from hot, the arbiter loses its state, and any one of crashes, lapses, switchovers, \
             saves",
            Scope {
                most: 2,
                ..hot(Budgets {
                    forgets: 1,
                    crashes: 1,
                    lapses: 1,
                    early: 1,
                    planned: 1,
                    saves: 1,
                    ..base
                })
            },
        ),
        preset(
            "older",
            "from hot, the arbiter starts with an earlier state, and any one of lapses, \
             switchovers, give-ups",
            {
                let mut scope =
                    hot(Budgets { older: 2, lapses: 1, planned: 1, give_ups: 1, ..base });
                scope.most = 3;
                (scope.env.generations, scope.env.goes_back) = (true, true);
                scope
            },
        ),
    ]
}
