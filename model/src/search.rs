//! Breadth first over all schedules of a scope: 64-bit fingerprints, parents, edges on request.
//!
//! States are told apart by fingerprint: two in a million states collide with a probability of
//! about 3e-8, and a collision can only hide states, never invent a violation.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::ops::ControlFlow;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::action::Action;
use crate::effects::Meaning;
use crate::graph::{Class, Graph};
use crate::property::{Property, Situation};
use crate::scope::{Bounded, Move, Scope};
use crate::verdict::{Counterexample, Cut, Memory, Report, Unreached, Verdict};

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

#[derive(Default)]
struct Visited {
    table: HashTable<u32>,
    fingerprints: Vec<u64>,
    /// Parent and ordinal of the move that led here; a bit tells strikes.
    parents: Vec<u32>,
    ordinals: Vec<u16>,
}

/// Of an ordinal: the move is one of those of the armed state.
const STRIKE: u16 = 1 << 15;

impl Visited {
    /// The number of the state, and whether it is new.
    fn visit(&mut self, state: &Bounded, parent: (u32, u16)) -> (u32, bool) {
        let fingerprint = fingerprint(state);
        let known =
            self.table.find(fingerprint, |id| self.fingerprints[*id as usize] == fingerprint);
        if let Some(id) = known {
            return (*id, false);
        }
        let id = self.fingerprints.len() as u32;
        self.fingerprints.push(fingerprint);
        self.parents.push(parent.0);
        self.ordinals.push(parent.1);
        self.table.insert_unique(fingerprint, id, |id| self.fingerprints[*id as usize]);
        (id, true)
    }

    fn bytes(&self) -> usize {
        self.table.allocation_size()
            + 8 * self.fingerprints.capacity()
            + 4 * self.parents.capacity()
            + 2 * self.ordinals.capacity()
    }

    /// The most moves from the start to a state.
    fn depth(&self) -> usize {
        let mut depths = vec![0u16; self.parents.len()];
        for (id, parent) in self.parents.iter().enumerate().skip(1) {
            depths[id] = depths[*parent as usize] + 1;
        }
        depths.into_iter().max().unwrap_or(0).into()
    }

    /// The moves from the start to `id`.
    fn path<E: Meaning + Clone>(&self, scope: &Scope<E>, id: u32) -> Vec<Move> {
        let mut ordinals = Vec::new();
        let mut at = id;
        while at != 0 {
            ordinals.push(self.ordinals[at as usize]);
            at = self.parents[at as usize];
        }
        let mut state = first(scope);
        let mut path = Vec::new();
        for ordinal in ordinals.into_iter().rev() {
            let strikes = ordinal & STRIKE != 0;
            let left = state.left;
            if strikes {
                state = scope.armed(&state);
            }
            let mut moves = Vec::new();
            scope.moves(&state, &mut moves);
            let next = moves[usize::from(ordinal & !STRIKE)];
            state = scope.after(&state, &next, &mut |_| {}).expect("a move that was made");
            if strikes {
                state.left = left;
            }
            scope.rename(&mut state);
            path.push(next);
        }
        path
    }

    fn steps<E: Meaning + Clone>(&self, scope: &Scope<E>, id: u32) -> Vec<String> {
        let path = self.path(scope, id);
        path.iter().map(|step| format!("{step:?}")).collect()
    }
}

/// Numbers for moves: each is a class of its own, to which a schedule has to be fair.
#[derive(Default)]
struct Classes {
    table: HashTable<u32>,
    moves: Vec<Move>,
}

impl Classes {
    fn class(&mut self, class: Move) -> Class {
        let number = self.number(class);
        match class {
            Move::Does(Action::Timer(..) | Action::Arbiter(_)) => Class::strong(number),
            _ => Class::weak(number),
        }
    }

    fn number(&mut self, class: Move) -> u32 {
        let hash = fingerprint(&class);
        let known = self.table.find(hash, |id| self.moves[*id as usize] == class);
        if let Some(id) = known {
            return *id;
        }
        let id = self.moves.len() as u32;
        self.moves.push(class);
        let moves = &self.moves;
        self.table.insert_unique(hash, id, |id| fingerprint(&moves[*id as usize]));
        id
    }
}

/// A search while it runs.
struct Search<'a, E> {
    scope: &'a Scope<E>,
    limits: Limits,
    visited: Visited,
    open: VecDeque<(Bounded, u32)>,
    /// The most that waited.
    open_most: usize,
    transitions: usize,
    /// States of the present layer, if another follows.
    layer: Vec<(Bounded, u32)>,
    met: BTreeMap<Situation, usize>,
    classes: Classes,
    graph: Graph,
    goals: Vec<u32>,
    moves: Vec<Move>,
}

/// Walks `scope` to its end, or to the first violation, or to a limit.
pub fn run<E: Meaning + Clone>(
    scope: &Scope<E>,
    limits: &Limits,
    progress: &mut impl FnMut(Progress) -> ControlFlow<()>,
) -> Report {
    let mut search = Search {
        scope,
        limits: *limits,
        visited: Visited::default(),
        open: VecDeque::new(),
        open_most: 0,
        transitions: 0,
        layer: Vec::new(),
        met: BTreeMap::new(),
        classes: Classes::default(),
        graph: Graph::default(),
        goals: Vec::new(),
        moves: Vec::new(),
    };
    let start = first(scope);
    search.visited.visit(&start, (0, 0));
    search.open.push_back((start, 0));
    let end = search.walk(progress);
    search.report(end)
}

/// The state at which a search begins.
fn first<E: Meaning + Clone>(scope: &Scope<E>) -> Bounded {
    let mut start = scope.start();
    scope.rename(&mut start);
    start
}

/// How a walk ended.
enum End {
    Exhausted,
    Cut(Cut),
    Violated(u32, Property),
}

impl<E: Meaning + Clone> Search<'_, E> {
    /// Layer by layer: what is reached with one fault more begins the next.
    fn walk(&mut self, progress: &mut impl FnMut(Progress) -> ControlFlow<()>) -> End {
        let most = if self.scope.layered { self.scope.most } else { 0 };
        let (mut id, mut reported) = (0, 0);
        for faults in 0..=most {
            // States wait in the order of their numbers.
            while let Some((state, at)) = self.open.pop_front() {
                assert_eq!(at, id, "states are walked in the order of their numbers");
                if let Some(end) = self.expand(&state, id) {
                    return end;
                }
                if faults < most {
                    self.layer.push((state, id));
                }
                id += 1;
                if let Some(cut) = self.tells(&mut reported, progress) {
                    return End::Cut(cut);
                }
            }
            for (state, id) in std::mem::take(&mut self.layer) {
                if let Some(end) = self.strike(&state, id) {
                    return end;
                }
                if let Some(cut) = self.tells(&mut reported, progress) {
                    return End::Cut(cut);
                }
            }
        }
        End::Exhausted
    }

    /// Counts, says how far it is now and then, and whether it is to stop.
    fn tells(
        &mut self,
        reported: &mut usize,
        progress: &mut impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Option<Cut> {
        let open = self.open.len() + self.layer.len();
        self.open_most = self.open_most.max(open);
        let states = self.visited.fingerprints.len();
        if states >= self.limits.states_max {
            return Some(Cut::States(self.limits.states_max));
        }
        if states - *reported >= REPORT_EVERY {
            *reported = states;
            let transitions = self.transitions;
            let now = Progress { states, transitions, open };
            return progress(now).is_break().then_some(Cut::Stopped);
        }
        None
    }

    /// One fault more.
    fn strike(&mut self, state: &Bounded, id: u32) -> Option<End> {
        let mut end = None;
        let Self { scope, visited, open, transitions, met, .. } = self;
        let mut note = |situation| *met.entry(situation).or_insert(0) += 1;
        scope.strikes(state, &mut note, &mut |ordinal, mut after| {
            scope.rename(&mut after);
            *transitions += 1;
            let (to, is_new) = visited.visit(&after, (id, ordinal as u16 | STRIKE));
            if let Some(property) = after.bad {
                end = end.take().or(Some(End::Violated(to, property)));
            } else if is_new {
                open.push_back((after, to));
            }
        });
        end
    }

    fn expand(&mut self, state: &Bounded, id: u32) -> Option<End> {
        if self.limits.convergence {
            self.graph.begin();
            if self.scope.is_converged(state) {
                self.goals.push(id);
            }
        }
        let mut moves = std::mem::take(&mut self.moves);
        moves.clear();
        self.scope.moves(state, &mut moves);
        let mut end = None;
        for (ordinal, next) in moves.iter().enumerate() {
            let met = &mut self.met;
            let mut note = |situation| *met.entry(situation).or_insert(0) += 1;
            let Some(mut after) = self.scope.after(state, next, &mut note) else {
                continue;
            };
            let renames = self.scope.rename(&mut after);
            self.transitions += 1;
            let (to, is_new) = self.visited.visit(&after, (id, ordinal as u16));
            if self.limits.convergence && next.is_free() {
                let class = self.classes.class(*next);
                let class = if renames { class.renaming() } else { class };
                self.graph.edge(to, class);
            }
            if let Some(property) = after.bad {
                end = Some(End::Violated(to, property));
                break;
            }
            if is_new {
                self.open.push_back((after, to));
            }
        }
        self.moves = moves;
        end
    }

    fn report(self, end: End) -> Report {
        let states = self.visited.fingerprints.len();
        let depth = self.visited.depth();
        let memory = Memory {
            visited: self.visited.bytes(),
            edges: self.graph.bytes(),
            open_most: self.open_most,
        };
        let unreached = |found: Vec<u32>| match found.iter().min() {
            None => Verdict::Exhausted,
            Some(first) => Verdict::Violated(Unreached {
                states: found.len(),
                steps: self.visited.steps(self.scope, *first),
            }),
        };
        let (safety, convergence, cycles) = match end {
            End::Violated(id, property) => {
                let steps = self.visited.steps(self.scope, id);
                let found = Counterexample { property, steps };
                let cut = Cut::Violation;
                (Verdict::Violated(found), Verdict::Truncated(cut), Verdict::Truncated(cut))
            }
            End::Cut(cut) => {
                (Verdict::Truncated(cut), Verdict::Truncated(cut), Verdict::Truncated(cut))
            }
            End::Exhausted if !self.limits.convergence => (
                Verdict::Exhausted,
                Verdict::Truncated(Cut::Stopped),
                Verdict::Truncated(Cut::Stopped),
            ),
            End::Exhausted => {
                let cycles = self.graph.fair_cycles(&self.goals);
                let in_cycles = cycles.into_iter().flatten();
                (
                    Verdict::Exhausted,
                    unreached(self.graph.stuck(&self.goals)),
                    unreached(in_cycles.collect()),
                )
            }
        };
        Report {
            states,
            transitions: self.transitions,
            depth,
            safety,
            convergence,
            cycles,
            met: self.met,
            memory,
        }
    }
}
