//! Terms that the arbiter offered with the line unknown, and the units whose config was taken up
//! so: what was passed over may be in it, and what was taken over may be missing. That was said
//! then, and is said of that config once for all.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{Slot, Term};
use skewsync::message::Origin;
use skewsync::unit::{ArbiterEvent, ArbiterInput, Limits};

use super::Role;

/// See the module.
#[derive(Debug, Default)]
pub struct LineUnknown {
    /// Terms that were offered so.
    terms: BTreeSet<Term>,
    /// Units whose config was taken up so.
    unsure: BTreeSet<Slot>,
    /// The latest term that each unit accepted, as long as it holds it.
    held: BTreeMap<Slot, Term>,
    /// The arbiter may not know what it told: since it lost its state, or started with one that may
    /// be older, until somebody accepts a term.
    astray: bool,
    /// It says so in the step at hand.
    said: bool,
}

impl LineUnknown {
    /// Whether what the unit acts with was taken up with the line unknown.
    pub fn excuses(&self, slot: Slot) -> bool {
        self.unsure.contains(&slot)
    }

    /// Whether the arbiter may have forgotten what it told.
    pub const fn is_astray(&self) -> bool {
        self.astray
    }

    /// The arbiter takes an input.
    pub(super) const fn takes(&mut self, input: &ArbiterInput, limits: &Limits) {
        self.said = false;
        self.astray |= match input {
            ArbiterInput::StateLost { .. } => true,
            ArbiterInput::Recovered { .. } => limits.arbiter_may_go_back,
            ArbiterInput::Message { .. } | ArbiterInput::Timer(_) => false,
        };
    }

    /// The arbiter tells what it does.
    pub(super) fn hears(&mut self, event: &ArbiterEvent) {
        match event {
            ArbiterEvent::Lost | ArbiterEvent::Older { .. } => self.astray = true,
            ArbiterEvent::Accepted(_) => self.astray = false,
            ArbiterEvent::LineUnknown => self.said = true,
            ArbiterEvent::Offered(offer) => {
                if self.said {
                    self.terms.insert(offer.term);
                }
            }
            ArbiterEvent::OffTheLine { .. }
            | ArbiterEvent::PassedOver(_)
            | ArbiterEvent::LeaseOver(_) => {}
        }
    }

    /// A unit's role is this from now on.
    pub(super) fn follow(&mut self, slot: Slot, role: &Role) {
        match role {
            Role::Holder(holding) => {
                if self.held.insert(slot, holding.term) == Some(holding.term) {
                    return;
                }
                // What it goes on with is what it had.
                let another = matches!(holding.origin, Origin::Stateful { .. } | Origin::Cold);
                if another {
                    self.unsure.remove(&slot);
                }
                if self.terms.contains(&holding.term) {
                    self.unsure.insert(slot);
                }
            }
            Role::Active(acting) => {
                self.held.insert(slot, acting.term);
            }
            Role::Standby(waiting) => {
                self.held.remove(&slot);
                if waiting.replica.is_some() {
                    self.unsure.remove(&slot);
                }
            }
        }
    }

    /// A unit's process ended.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.held.remove(&slot);
        self.unsure.remove(&slot);
    }
}
