//! What the plan has done, and what operators enter.

use skewsync::digest::Shared;

use skewsync::ids::{CommandId, Slot};
use skewsync::message::Address;
use skewsync::unit::{Command, Durability, Input, Request};

use super::trigger::PlannedEvent;
use super::{Arrival, Cluster, Host};
use crate::observe::Event;
use crate::plan::What;

impl Cluster {
    pub(super) fn deed(&mut self, deed: PlannedEvent) {
        match deed {
            PlannedEvent::Strike(fault) => self.strike(&fault),
            PlannedEvent::Enter(what) => self.enter(&what),
        }
    }

    /// An operator enters something at whichever unit acts, or at any that runs.
    pub(super) fn enter(&mut self, what: &What) {
        if self.calm {
            return;
        }
        self.commands += 1;
        let id = CommandId(self.commands);
        let durability = if self.draw(id.0) % 100 < u64::from(self.plan.acked_percent) {
            Durability::Acked
        } else {
            Durability::Async
        };
        let asks = |request| Input::Operator { id, request };
        let input = match what {
            What::Config { text } => {
                Input::Command(Command { id, text: Shared::text(text), durability })
            }
            What::Save => asks(Request::Save),
            What::Switchover => asks(Request::Switchover),
            What::ForcedSwitchover => asks(Request::ForcedSwitchover),
            What::Retry => asks(Request::RetrySso),
            What::ResetPeer => asks(Request::ResetPeer),
        };
        let bays = &mut self.bays;
        let at = bays
            .iter()
            .position(|bay| bay.acts() && !bay.paused)
            .or_else(|| bays.iter().position(Host::runs));
        let slot = at.map(|index| Slot(index as u8));
        let what = what.index();
        self.emit(Event::Entered { id, what, slot });
        if let Some(slot) = slot {
            self.bays[usize::from(slot.0)].inbox.push_back(Arrival::Input(input));
            self.wakes.push(Address::Unit(slot));
        }
    }
}
