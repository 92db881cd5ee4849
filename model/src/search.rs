//! Breadth first over all schedules of a scope: 64-bit fingerprints, parents, edges on request.
//!
//! States are told apart by fingerprint: two in a million states collide with a probability of about
//! 3e-8, and a collision can only hide states, never invent a violation.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::effects::Effects;
use crate::graph::stuck;
use crate::property::converged;
use crate::scope::{Bounded, Move, Scope};
use crate::verdict::{Counterexample, Cut, Report, Verdict};

/// What bounds a search.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unique states.
    pub states_max: usize,
    /// Whether convergence is asked for: eight bytes an edge.
    pub convergence: bool,
}

/// What goes on, now and then.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Unique states so far.
    pub states: usize,
    /// Transitions so far.
    pub transitions: usize,
    /// States that wait.
    pub open: usize,
}

/// How many states lie between two reports of progress.
const REPORT_EVERY: usize = 1 << 16;

/// The fingerprint of a state.
fn fingerprint(state: &impl Hash) -> u64 {
    FixedState::default().hash_one(state)
}

struct Visited {
    table: HashTable<u32>,
    fingerprints: Vec<u64>,
    /// Parent and ordinal of the move that led here.
    parents: Vec<(u32, u16)>,
}

impl Visited {
    /// The number of the state, and whether it is new.
    fn visit(&mut self, state: &Bounded, parent: (u32, u16)) -> (u32, bool) {
        let fingerprint = fingerprint(state);
        let known = self.table.find(fingerprint, |id| {
            self.fingerprints[*id as usize] == fingerprint
        });
        if let Some(id) = known {
            return (*id, false);
        }
        let id = self.fingerprints.len() as u32;
        self.fingerprints.push(fingerprint);
        self.parents.push(parent);
        self.table
            .insert_unique(fingerprint, id, |id| self.fingerprints[*id as usize]);
        (id, true)
    }

    /// The moves from the start to `id`.
    fn path<E: Effects + Clone>(&self, scope: &Scope<E>, id: u32) -> Vec<Move> {
        let mut ordinals = Vec::new();
        let mut at = id;
        while at != 0 {
            let (parent, ordinal) = self.parents[at as usize];
            ordinals.push(ordinal);
            at = parent;
        }
        let mut state = scope.start();
        let mut path = Vec::new();
        for ordinal in ordinals.into_iter().rev() {
            let mut moves = Vec::new();
            scope.moves(&state, &mut moves);
            let next = moves[usize::from(ordinal)];
            state = scope
                .after(&state, &next, &mut |_| {})
                .expect("a move that was made");
            path.push(next);
        }
        path
    }
}

/// Walks `scope` to its end, or to the first violation, or to a limit.
pub fn run<E: Effects + Clone>(
    scope: &Scope<E>,
    limits: &Limits,
    progress: &mut impl FnMut(Progress) -> std::ops::ControlFlow<()>,
) -> Report {
    let mut visited = Visited {
        table: HashTable::new(),
        fingerprints: Vec::new(),
        parents: Vec::new(),
    };
    let start = scope.start();
    visited.visit(&start, (0, 0));
    let mut open = VecDeque::from([(start, 0u32, 0u32)]);
    let (mut transitions, mut depth) = (0, 0);
    let mut met = BTreeMap::new();
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut goals: Vec<u32> = Vec::new();
    let mut moves = Vec::new();
    let mut cut = None;
    let mut violated = None;
    'search: while let Some((state, id, at)) = open.pop_front() {
        depth = depth.max(at as usize);
        if converged(&state) {
            goals.push(id);
        }
        moves.clear();
        scope.moves(&state, &mut moves);
        for (ordinal, next) in moves.iter().enumerate() {
            let mut note = |situation| *met.entry(situation).or_insert(0) += 1;
            let Some(after) = scope.after(&state, next, &mut note) else {
                continue;
            };
            transitions += 1;
            let (to, is_new) = visited.visit(&after, (id, ordinal as u16));
            if limits.convergence && next.is_free() {
                edges.push((id, to));
            }
            if let Some(property) = after.bad {
                let steps = visited
                    .path(scope, to)
                    .iter()
                    .map(|step| format!("{step:?}"))
                    .collect();
                violated = Some(Counterexample { property, steps });
                break 'search;
            }
            if is_new {
                open.push_back((after, to, at + 1));
            }
        }
        let states = visited.fingerprints.len();
        if states >= limits.states_max {
            cut = Some(Cut::States(limits.states_max));
            break;
        }
        if states % REPORT_EVERY < moves.len()
            && progress(Progress {
                states,
                transitions,
                open: open.len(),
            })
            .is_break()
        {
            cut = Some(Cut::Stopped);
            break;
        }
    }
    let states = visited.fingerprints.len();
    let convergence = match (&violated, cut, limits.convergence) {
        (None, None, true) => match stuck(states, &edges, &goals).len() {
            0 => Verdict::Exhausted,
            left => Verdict::Violated(left),
        },
        (_, Some(cut), _) => Verdict::Truncated(cut),
        _ => Verdict::Truncated(Cut::Stopped),
    };
    let safety = match (violated, cut) {
        (Some(found), _) => Verdict::Violated(found),
        (None, Some(cut)) => Verdict::Truncated(cut),
        (None, None) => Verdict::Exhausted,
    };
    Report {
        states,
        transitions,
        depth,
        safety,
        convergence,
        met,
    }
}

/// The moves from the start to a state from which no converged one is reached; none if there is none.
pub fn stuck_path<E: Effects + Clone>(scope: &Scope<E>, states_max: usize) -> Option<Vec<Move>> {
    let mut visited = Visited {
        table: HashTable::new(),
        fingerprints: Vec::new(),
        parents: Vec::new(),
    };
    let start = scope.start();
    visited.visit(&start, (0, 0));
    let mut open = VecDeque::from([(start, 0u32)]);
    let (mut edges, mut goals, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((state, id)) = open.pop_front() {
        if converged(&state) {
            goals.push(id);
        }
        moves.clear();
        scope.moves(&state, &mut moves);
        for (ordinal, next) in moves.iter().enumerate() {
            let Some(after) = scope.after(&state, next, &mut |_| {}) else {
                continue;
            };
            let (to, is_new) = visited.visit(&after, (id, ordinal as u16));
            if next.is_free() {
                edges.push((id, to));
            }
            if is_new && visited.fingerprints.len() < states_max {
                open.push_back((after, to));
            }
        }
    }
    let first = stuck(visited.fingerprints.len(), &edges, &goals)
        .into_iter()
        .min()?;
    Some(visited.path(scope, first))
}
