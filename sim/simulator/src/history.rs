//! What happened in a run, as typed facts, and the history that folds them: who runs and acts, what
//! each unit holds, the register, what was returned `replicated`, who was in reach.
//!
//! ```text
//!   drive --tap--> extract --facts--> History, folded
//!                                     observers: oracles, counts, situations, recordings
//! ```
//!
//! Observers know the protocol's words and this history. Of the engine's fields only two readers
//! know: `extract`, and the lockstep's abstraction.

mod extract;
mod fact;
mod line;
mod state;

use skewsync_model::property::Property;

pub use extract::Extractor;
#[cfg(test)]
pub(crate) use extract::machine;
pub use fact::{Fact, FactId, What};
pub use line::LineUnknown;
pub use state::{
    Acting, ActivePhase, Arbiter, History, Holding, Image, InSession, Machine, Parted, Replica,
    Role, Seat, StandbyPhase, Unit, Waiting,
};

use crate::observe::{ClusterView, Observed, Tap, Violation};
use skewsync::ids::Slot;
use skewsync::unit::Input;

/// Whoever looks at what happens. None can change a run.
pub trait Observer: Send {
    /// Looks at a fact. The history has it folded in; what it replaced is in the fact.
    ///
    /// # Errors
    /// The property that it breaks; the run ends there.
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation>;

    /// Looks at the end of the run.
    ///
    /// # Errors
    /// The property that the whole run breaks.
    fn end(&mut self, history: &History) -> Result<(), Violation> {
        let _ = history;
        Ok(())
    }

    /// How often each property was checked.
    fn checked(&self) -> Vec<(Property, u64)> {
        Vec::new()
    }
}

/// Shows the facts of a run to observers.
#[derive(Default)]
pub struct Historian {
    extractor: Extractor,
    watches: Vec<Watch>,
}

/// An observer at work.
struct Watch {
    observer: Box<dyn Observer>,
    /// What it found in the event at hand: it sees no more facts of that event.
    found: Option<Violation>,
}

impl Historian {
    /// For these observers.
    pub fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        let watch = |observer| Watch { observer, found: None };
        let watches = observers.into_iter().map(watch).collect();
        Self { extractor: Extractor::default(), watches }
    }

    /// Looks at what is around the machines, before anything has happened there.
    pub fn look(&mut self, scene: &dyn ClusterView) {
        self.extractor.look(scene);
    }

    /// The history up to now.
    pub const fn history(&self) -> &History {
        self.extractor.history()
    }
}

impl Tap for Historian {
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        self.extractor.before(slot, input, scene);
    }

    fn see(
        &mut self,
        seen: &Observed<'_>,
        scene: &dyn ClusterView,
        broken: &mut dyn FnMut(Violation),
    ) {
        let Self { extractor, watches } = self;
        extractor.see(seen, scene, &mut |fact, history| {
            for Watch { observer, found } in &mut *watches {
                if found.is_none()
                    && let Err(violation) = observer.see(fact, history)
                {
                    *found = Some(violation);
                }
            }
        });
        watches.iter_mut().filter_map(|watch| watch.found.take()).for_each(broken);
    }

    fn end(&mut self, _: &dyn ClusterView, broken: &mut dyn FnMut(Violation)) {
        let history = self.extractor.history();
        let found = self.watches.iter_mut().filter_map(|watch| watch.observer.end(history).err());
        found.for_each(broken);
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        self.watches.iter().flat_map(|watch| watch.observer.checked()).collect()
    }
}
