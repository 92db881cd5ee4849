//! What the plan has done, and what operators enter.

use std::hash::{Hash, Hasher};

use skewsync::digest::Shared;

use skewsync::ids::{CommandId, Slot};
use skewsync::message::Address;
use skewsync::unit::{Command, Durability, Input, Request};

use super::trigger::PlannedEvent;
use super::{Arrival, Cluster, Host};
use crate::hash::StableHasher;
use crate::observe::Event;
use crate::plan::What;

impl Cluster {
    pub(super) fn carry_out(&mut self, event: PlannedEvent) {
        match event {
            PlannedEvent::Fault(fault) => self.inject(&fault),
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
        let durability = self.durability(what);
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
        let hosts = &mut self.hosts;
        let at = hosts
            .iter()
            .position(|host| host.acts() && !host.paused)
            .or_else(|| hosts.iter().position(Host::runs));
        let slot = at.map(|index| Slot(index as u8));
        let what = what.into();
        self.emit(Event::Entered { id, what, slot });
        if let Some(slot) = slot {
            self.hosts[usize::from(slot.0)].inbox.push_back(Arrival::Input(input));
            self.wakes.push(Address::Unit(slot));
        }
    }

    /// Drawn by what is entered and by how often that was entered before. The anchor is no part of
    /// it: a plan that is written as it was met has other anchors, and must run alike.
    fn durability(&mut self, what: &What) -> Durability {
        let mut name = StableHasher::default();
        what.hash(&mut name);
        let times = self.entered.entry(name.finish()).or_insert(0);
        *times += 1;
        times.hash(&mut name);
        if self.draw(name.finish()) % 100 < u64::from(self.plan.acked_percent) {
            Durability::Acked
        } else {
            Durability::Async
        }
    }
}
