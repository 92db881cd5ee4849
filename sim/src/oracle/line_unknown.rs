//! Terms that the arbiter offered with the line unknown, and the units whose config was taken up
//! so: what was passed over may be in it, and what was taken over may be missing. That was said
//! then, and is said of that config once for all.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{Slot, Term};
use skewsync::message::Origin;
use skewsync::unit::{ArbiterEvent, ArbiterInput, ArbiterOutput, Role, Unit};

use crate::observe::{ClusterView, Event};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct LineUnknown {
    /// Terms that were offered so.
    terms: BTreeSet<Term>,
    /// Units whose config was taken up so.
    unsure: BTreeSet<Slot>,
    /// The latest term that each unit accepted, as long as it holds it.
    held: BTreeMap<Slot, Term>,
    /// The arbiter may not know what it told: since it lost its state, or started with one that may
    /// be older, until somebody accepts a term.
    astray: bool,
}

impl LineUnknown {
    /// Whether what the unit acts with was taken up with the line unknown.
    pub(super) fn excuses(&self, slot: Slot) -> bool {
        self.unsure.contains(&slot)
    }

    /// Whether the arbiter may have forgotten what it told.
    pub(super) const fn is_astray(&self) -> bool {
        self.astray
    }

    /// Follows a run. False: the arbiter says that the line is unknown though it lost nothing.
    pub(super) fn see(&mut self, event: &Event<'_>, scene: &dyn ClusterView) -> bool {
        match *event {
            Event::Arbiter { input, outputs, .. } => {
                self.astray |= match input {
                    ArbiterInput::StateLost { .. } => true,
                    ArbiterInput::Recovered { .. } => scene.limits().arbiter_may_go_back,
                    ArbiterInput::Message { .. } | ArbiterInput::Timer(_) => false,
                };
                return self.hear(outputs);
            }
            Event::Unit { slot, unit, .. } => self.follow(slot, unit),
            Event::Ended { slot, .. } => self.forget(slot),
            _ => {}
        }
        true
    }

    fn hear(&mut self, outputs: &[ArbiterOutput]) -> bool {
        let (mut said, mut owed) = (false, true);
        for output in outputs {
            let ArbiterOutput::Event(event) = output else {
                continue;
            };
            match event {
                ArbiterEvent::Lost | ArbiterEvent::Older { .. } => self.astray = true,
                ArbiterEvent::Accepted(_) => self.astray = false,
                ArbiterEvent::LineUnknown => {
                    said = true;
                    owed &= self.astray;
                }
                ArbiterEvent::Offered(offer) if said => {
                    self.terms.insert(offer.term);
                }
                ArbiterEvent::Offered(_)
                | ArbiterEvent::OffTheLine { .. }
                | ArbiterEvent::PassedOver(_)
                | ArbiterEvent::LeaseOver(_) => {}
            }
        }
        owed
    }

    fn follow(&mut self, slot: Slot, unit: &Unit) {
        match &unit.part {
            Role::Holder(holder) => {
                if self.held.insert(slot, holder.term) == Some(holder.term) {
                    return;
                }
                // What it goes on with is what it had.
                let another = matches!(holder.origin, Origin::Stateful { .. } | Origin::Cold);
                if another {
                    self.unsure.remove(&slot);
                }
                if self.terms.contains(&holder.term) {
                    self.unsure.insert(slot);
                }
            }
            Role::Active(active) => {
                self.held.insert(slot, active.term);
            }
            Role::Standby(standby) => {
                self.held.remove(&slot);
                if standby.replica.is_some() {
                    self.unsure.remove(&slot);
                }
            }
        }
    }

    fn forget(&mut self, slot: Slot) {
        self.held.remove(&slot);
        self.unsure.remove(&slot);
    }
}
