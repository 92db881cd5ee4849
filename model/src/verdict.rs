//! What a search established, per claim. A claim that was cut short does not pass.

use crate::property::{Property, Situation};

/// What cut a search short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The bound on unique states.
    States(usize),
    /// The caller stopped it, or did not ask.
    Stopped,
    /// Another claim failed first.
    Violation,
}

/// What was established about one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<V> {
    /// It holds in every state of the scope.
    Exhausted,
    /// It does not hold; the evidence.
    Violated(V),
    /// Nothing was found before the search was cut.
    Truncated(Cut),
}

impl<V> Verdict<V> {
    /// Whether the claim is established.
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Exhausted)
    }
}

/// The shortest way into a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// What failed.
    pub property: Property,
    /// What happened, in order.
    pub steps: Vec<String>,
}

/// States that miss what they are to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// How many states were met.
    pub states: usize,
    /// The shortest way into one.
    pub steps: Vec<String>,
}

/// What a search held in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes of the states that were seen: fingerprints, parents, table.
    pub visited: usize,
    /// Bytes of the edges, if they were asked for.
    pub edges: usize,
    /// The most states that waited, whole.
    pub open_most: usize,
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Unique states.
    pub states: usize,
    /// Transitions walked, those to known states included.
    pub transitions: usize,
    /// The longest shortest way.
    pub depth: usize,
    /// Safety: no property fails in any state.
    pub safety: Verdict<Counterexample>,
    /// Convergence: from every state a converged one is reached without faults.
    pub convergence: Verdict<Unreached>,
    /// Fair cycles: no schedule that is fair to each action goes round for ever without a converged
    /// state.
    pub cycles: Verdict<Unreached>,
    /// Situations that were met, with how often.
    pub met: std::collections::BTreeMap<Situation, usize>,
    /// What it held.
    pub memory: Memory,
}
