//! The nearest passing sibling of a failing plan: the same plan less one event, whose run has as much in common with the
//! failing one as can be.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{AnalysisError, Watch, With, fails, outcomes};
use crate::plan::Plan;
use crate::run::trace::Trace;
use crate::stock::Stock;
use crate::tap::{Observer, Scene, Seen, Violation};

/// A plan that passes, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sibling {
    /// The plan.
    pub plan: Plan,
    /// The fault or the command that the failing plan has beyond it, in words.
    pub without: String,
    /// The number of the first event that is not the same in both runs.
    pub parts_at: u64,
}

/// The nearest sibling that passes: of all that lack one fault or one command, the one whose run parts latest. None if all
/// of them fail, as far as they were run within the bounds.
///
/// # Errors
/// See [`AnalysisError`].
pub fn nearest(
    plan: &Plan,
    stock: &Arc<Stock>,
    with: &With,
) -> Result<Option<Sibling>, AnalysisError> {
    let watch = Watch::new(with);
    let failing = Hashes::default();
    let observer = vec![failing.observer()];
    if fails(&Arc::new(plan.clone()), stock, with, observer)?.is_none() {
        return Err(AnalysisError::Passes);
    }
    let siblings = siblings(plan);
    let plans: Vec<Arc<Plan>> = siblings.iter().map(|(plan, _)| Arc::clone(plan)).collect();
    let hashes: Vec<Hashes> = plans.iter().map(|_| Hashes::default()).collect();
    let found = outcomes(&plans, stock, &watch, &|at| vec![hashes[at].observer()])?;
    let passing = (0..plans.len()).filter(|at| found[*at] == Some(None));
    let nearest = passing.max_by_key(|at| hashes[*at].in_common(&failing));
    Ok(nearest.map(|at| Sibling {
        plan: (*plans[at]).clone(),
        without: siblings[at].1.clone(),
        parts_at: hashes[at].in_common(&failing) + 1,
    }))
}

/// The plan less each of its events, and that event in words.
fn siblings(plan: &Plan) -> Vec<(Arc<Plan>, String)> {
    let faults = (0..plan.faults.len()).map(|at| {
        let mut less = plan.clone();
        let fault = less.faults.remove(at);
        let without = format!("the fault {} ({})", fault.name(), fault.at);
        (Arc::new(less), without)
    });
    let commands = (0..plan.commands.len()).map(|at| {
        let mut less = plan.clone();
        let entry = less.commands.remove(at);
        let name = crate::plan::ENTRIES[entry.what.index()];
        (Arc::new(less), format!("the command {name} ({})", entry.at))
    });
    faults.chain(commands).collect()
}

/// The hash of a run's trace after each event.
#[derive(Clone, Debug, Default)]
struct Hashes(Arc<Mutex<Vec<u64>>>);

impl Hashes {
    fn observer(&self) -> Box<dyn Observer> {
        Box::new(Follow {
            trace: Trace::new(Arc::default()),
            hashes: Arc::clone(&self.0),
        })
    }

    /// Events that two runs have in common.
    fn in_common(&self, other: &Self) -> u64 {
        let of = |hashes: &Self| {
            let hashes = hashes.0.lock().unwrap_or_else(PoisonError::into_inner);
            hashes.clone()
        };
        let (one, other) = (of(self), of(other));
        let same = one
            .iter()
            .zip(&other)
            .take_while(|(one, other)| one == other);
        same.count() as u64
    }
}

struct Follow {
    trace: Trace,
    hashes: Arc<Mutex<Vec<u64>>>,
}

impl Observer for Follow {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        self.trace.see(seen, scene)?;
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        hashes.push(self.trace.so_far());
        Ok(())
    }
}
