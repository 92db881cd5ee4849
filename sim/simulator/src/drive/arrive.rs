//! Packets arrive, and are given to the machines, with the plan's events before, within and after.

use skewsync::message::{Address, Message};
use skewsync::unit::{ArbiterInput, Input};
use skewsync::wire;

use super::{Arrival, Cluster};
use crate::observe::{Delivered, Event};
use crate::plan::{FaultName, Moment};
use crate::world::link::Packet;

impl Cluster {
    /// A packet arrives at a place: into its inbox, if there is one.
    pub(super) fn arrive(&mut self, packet: Packet) {
        let to = packet.id.to;
        if !self.links.arrives(&packet) {
            let kinds = self.effective(packet.id.from, to);
            return self.took_effect(kinds);
        }
        let taken = match to {
            Address::Unit(slot) => self.hosts[usize::from(slot.0)].arrive(packet.clone()),
            Address::Arbiter => self.arbiter_host.arrive(packet.clone()),
        };
        if taken {
            self.wakes.push(to);
            let overtaken = self.links.overtaken(&packet);
            let reorders = packet.arrives_by == Some(FaultName::Reorder);
            if overtaken || !reorders {
                self.took_effect(packet.arrives_by);
            }
        } else {
            self.emit(Event::Undelivered { message: packet.id, number: packet.number });
        }
    }

    /// Gives a packet to the machine, with the plan's events before, within and after.
    pub(super) fn deliver(&mut self, to: Address, packet: Packet) {
        for index in self.triggers.at(Moment::Before, packet.id, self.now()) {
            if let Some(event) =
                self.triggers.take(index, Some((Moment::Before, packet.id)), self.now())
            {
                self.carry_out(event);
            }
        }
        let runs = match to {
            Address::Unit(slot) => {
                let host = &self.hosts[usize::from(slot.0)];
                if host.paused {
                    self.hosts[usize::from(slot.0)].inbox.push_front(Arrival::Packet(packet));
                    return;
                }
                host.runs()
            }
            Address::Arbiter => self.arbiter_host.runs(),
        };
        let message = if runs { wire::decode(&packet.bytes).ok() } else { None };
        let Some((from, message)) = message else {
            self.emit(Event::Undelivered { message: packet.id, number: packet.number });
            return;
        };
        let Packet { id, number, copy, .. } = packet;
        let delivered = Some(Delivered { message: id, number, copy });
        match to {
            Address::Unit(slot) => {
                let cut = self.triggers.within(id, self.now());
                self.step_unit(slot, Input::Message { from, message }, delivered, cut);
            }
            Address::Arbiter => {
                let (Address::Unit(from), Message::ToArbiter(message)) = (from, message) else {
                    self.emit(Event::Undelivered { message: id, number });
                    return;
                };
                self.step_arbiter(ArbiterInput::Message { from, message }, delivered);
            }
        }
        for index in self.triggers.at(Moment::After, id, self.now()) {
            if let Some(event) = self.triggers.take(index, Some((Moment::After, id)), self.now()) {
                self.carry_out(event);
            }
        }
    }
}
