//! Steps of the machines, and their outputs performed in order.

use std::cell::Cell;
use std::sync::Arc;

use skewsync::config::{Line, LineKey, Prc};
use skewsync::ids::{Slot, WriteId};
use skewsync::message::{Address, Message, ToArbiter};
use skewsync::planted::Defect;
use skewsync::unit::env::takes_all;
use skewsync::unit::{
    ArbiterInput, ArbiterOutput, Env, Input, Outcome, Output, PairingKey, Record,
};
use skewsync::wire;

use super::foreign::{file_of, garbled};
use super::host::{Finds, acts};
use super::{Arrival, Cluster, Job, Order};
use crate::observe::{Delivered, Event, Fate, Unit};
use crate::plan::fault::Foreign;
use crate::plan::{Fault, FaultKind, FaultName, MessageId};
use crate::world::disk::Denied;

/// How long the driver computes a pairing, in microseconds of true time.
pub(crate) const PAIRING_US: u64 = 2_000;
/// Of so many pairings that are asked for, one is computed although it is known, unless a run did
/// so before. It must come out the same.
const RECOMPUTED_ONE_IN: u64 = 10;

/// Faults of a message that take effect where it arrives, and not where it is sent.
const AT_ARRIVAL: [FaultName; 3] = [FaultName::Duplicate, FaultName::Hold, FaultName::Reorder];

/// What was sent in a step: told after it.
struct SentFrame {
    id: MessageId,
    number: u64,
    fault: Option<FaultName>,
    /// The cuts that took effect with it, by kind of fault.
    barred: Vec<FaultName>,
}

impl Cluster {
    pub(super) fn start_unit(&mut self, slot: Slot) {
        let host = &mut self.hosts[usize::from(slot.0)];
        assert!(host.unit.is_none(), "a process starts once");
        host.life += 1;
        let mut boot = host.disk.boot();
        // Planted: what is booted is not the newest that was saved.
        if host.planted.is(Defect::OlderGeneration) {
            boot.store = host.disk.older().or(boot.store);
        }
        host.boot = boot.boot;
        let mut out = Vec::new();
        let env = Env {
            software: host.image.software(),
            pairings: &|_| None,
            limits: &self.limits,
            policy: &self.policy,
            refuses: &takes_all,
            planted: host.planted,
        };
        let unit = Arc::new(Unit::start(&env, slot, &boot, &mut out));
        self.hosts[usize::from(slot.0)].unit = Some(Arc::clone(&unit));
        let mut sent = Vec::new();
        let fates = self.perform(slot, &unit, &out, None, &mut sent);
        self.steps += 1;
        let (outputs, fates) = (out.as_slice(), fates.as_slice());
        self.emit(Event::Started { slot, boot: &boot, outputs, fates, unit: &unit });
        drop(unit);
        self.tell(sent);
        self.wakes.push(Address::Unit(slot));
    }

    pub(super) fn start_arbiter(&mut self) {
        assert!(!self.arbiter_host.running, "a process starts once");
        self.arbiter_host.running = true;
        if self.arbiter_host.started {
            let (term, generation) = self.arbiter_host.used;
            let input = match self.arbiter_host.finds.take() {
                None => ArbiterInput::Recovered { term },
                Some(Finds::Older(state)) => {
                    self.arbiter_host.arbiter = Arc::new(*state);
                    ArbiterInput::Recovered { term }
                }
                Some(Finds::Nothing) => {
                    self.arbiter_host.arbiter = Arc::default();
                    ArbiterInput::StateLost { term, generation }
                }
            };
            self.step_arbiter(input, None);
        } else {
            self.look();
        }
        self.arbiter_host.started = true;
        self.wakes.push(Address::Arbiter);
    }

    /// One step of a unit. `cut`: a fault strikes after so many of its outputs.
    pub(super) fn step_unit(
        &mut self,
        slot: Slot,
        input: Input,
        packet: Option<Delivered>,
        cut: Option<(usize, Fault)>,
    ) {
        self.foretell(slot, &input);
        let host = &mut self.hosts[usize::from(slot.0)];
        let Some(mut unit) = host.unit.take() else {
            return;
        };
        let mut out = Vec::new();
        let left = Cell::new(host.refuses_lines);
        let refuses = |_: &LineKey, _: &Line| {
            let refused = left.get().checked_sub(1);
            refused.map(|fewer| {
                left.set(fewer);
                Prc::Rejected
            })
        };
        let pairings = std::mem::take(&mut host.pairings);
        let env = Env {
            software: host.image.software(),
            pairings: &|key: &PairingKey| pairings.get(key).map(|pairing| &**pairing),
            limits: &self.limits,
            policy: &self.policy,
            refuses: &refuses,
            planted: host.planted,
        };
        let machine = Arc::get_mut(&mut unit).expect("nobody keeps a unit beyond an event");
        machine.step(&env, input.clone(), &mut out);
        host.pairings = pairings;
        host.unit = Some(Arc::clone(&unit));
        if left.get() < host.refuses_lines {
            host.refuses_lines = left.get();
            let refused = FaultName::RefuseLine;
            self.took_effect([refused]);
        }
        let mut sent = Vec::new();
        let within = cut.as_ref().map(|(outputs, fault)| (*outputs, &fault.kind));
        let fates = self.perform(slot, &unit, &out, within, &mut sent);
        self.steps += 1;
        let host = &mut self.hosts[usize::from(slot.0)];
        host.busy_until = self.now_us + host.slow_us;
        let (outputs, seen) = (out.as_slice(), fates.as_slice());
        self.emit(Event::Unit { slot, input: &input, packet, outputs, fates: seen, unit: &unit });
        drop(unit);
        self.tell(sent);
        self.answered(&out, &fates);
        if let Some((_, fault)) = cut {
            self.inject(&fault);
        }
    }

    pub(super) fn step_arbiter(&mut self, input: ArbiterInput, packet: Option<Delivered>) {
        let mut out = Vec::new();
        let arbiter =
            Arc::get_mut(&mut self.arbiter_host.arbiter).expect("nobody keeps the arbiter");
        arbiter.step(&self.limits, self.arbiter_host.planted, input.clone(), &mut out);
        let mut sent = Vec::new();
        for output in &out {
            match output {
                ArbiterOutput::Send { to, message } => {
                    let message = Message::ToUnit(*message);
                    self.send(Address::Arbiter, Address::Unit(*to), &message, &mut sent);
                }
                ArbiterOutput::SetTimer(timer) => {
                    let due = self.now_us + timer.length_ms(&self.limits) * 1_000;
                    self.arbiter_host.timers.insert(*timer, due);
                }
                ArbiterOutput::CancelTimer(timer) => {
                    self.arbiter_host.timers.remove(timer);
                }
                ArbiterOutput::Event(_) => {}
            }
        }
        let state = &self.arbiter_host.arbiter;
        let (used, (term, generation)) = (state.used(), self.arbiter_host.used);
        self.arbiter_host.used = (term.max(used.0), generation.max(used.1));
        if let Some(kept) = &mut self.arbiter_host.kept {
            kept.push((self.now_us, state.as_ref().clone()));
        }
        self.steps += 1;
        let fates = vec![Fate::Done; out.len()];
        let arbiter = Arc::clone(&self.arbiter_host.arbiter);
        self.emit(Event::Arbiter {
            input: &input,
            packet,
            outputs: &out,
            fates: &fates,
            arbiter: &arbiter,
        });
        drop(arbiter);
        self.tell(sent);
    }

    /// Performs a step's outputs in order, as far as they get.
    fn perform(
        &mut self,
        slot: Slot,
        unit: &Unit,
        out: &[Output],
        within: Option<(usize, &FaultKind)>,
        sent: &mut Vec<SentFrame>,
    ) -> Vec<Fate> {
        let mut fates = Vec::with_capacity(out.len());
        for (index, output) in out.iter().enumerate() {
            let struck = within.filter(|(outputs, _)| index >= *outputs).map(|(_, kind)| kind);
            let stalled = matches!(struck, Some(FaultKind::Stall { .. }));
            if struck.is_some() && !stalled {
                fates.push(Fate::Cut);
                continue;
            }
            let host = &self.hosts[usize::from(slot.0)];
            // The clock is read again: a suspension within the step lasts beyond the lease's end.
            let over = host.lease_end.is_none_or(|end| end <= self.now_us || stalled);
            if over && acts(unit) && acts_as_active(output) {
                let answers = matches!(output, Output::Answer { .. });
                fates.push(if answers { Fate::Unknown } else { Fate::Late });
                if let Output::Persist { write, .. } = output {
                    // What was not written the unit learns, as of a disk that refuses it.
                    let failed = Arrival::Input(Input::PersistFailed(*write));
                    self.hosts[usize::from(slot.0)].inbox.push_back(failed);
                    self.wakes.push(Address::Unit(slot));
                }
                continue;
            }
            fates.push(Fate::Done);
            let foreign = self.foreign(slot, unit, output);
            self.perform_one(slot, foreign.as_ref().unwrap_or(output), sent);
        }
        fates
    }

    /// What is sent as another engine writes it, if the unit's is one.
    fn foreign(&mut self, slot: Slot, unit: &Unit, output: &Output) -> Option<Output> {
        let host = &self.hosts[usize::from(slot.0)];
        let Output::Send { to, message } = output else {
            return None;
        };
        let file = file_of(message);
        let lasts = |until: &Option<u64>| until.is_none_or(|until| self.now_us < until);
        let mut now = host.foreign.iter().filter(|(_, until)| lasts(until));
        // A file is written by one engine, however often its pieces are sent.
        let what = match (file, &host.files) {
            (Some(file), Some(files)) if files.contains_key(&file) => files[&file],
            (None, _) | (_, Some(_) | None) => {
                let fits = |what: &Foreign| garbled(message, unit, &host.image, *what).is_some();
                now.find(|(what, _)| fits(what)).map(|(what, _)| *what)
            }
        };
        let message = what.and_then(|what| garbled(message, unit, &host.image, what));
        if let (Some(file), Some(files)) = (file, &mut self.hosts[usize::from(slot.0)].files) {
            files.entry(file).or_insert(what);
        }
        let message = message?;
        self.came_to_bear(slot, &[FaultName::ForeignPayload]);
        Some(Output::Send { to: *to, message })
    }

    fn perform_one(&mut self, slot: Slot, output: &Output, sent: &mut Vec<SentFrame>) {
        let at = usize::from(slot.0);
        match output {
            Output::Send { to, message } => {
                if let Message::ToArbiter(ToArbiter::Renew { term, n, .. }) = message {
                    // The lease counts from the first time that this very Renew was sent.
                    self.hosts[at].renews.entry((*term, *n)).or_insert(self.now_us);
                }
                self.send(Address::Unit(slot), *to, message, sent);
            }
            Output::SetTimer(timer) => {
                let host = &mut self.hosts[at];
                let length = host.clock.true_us(timer.length_ms(&self.limits) * 1_000);
                host.timers.insert(*timer, self.now_us + length);
            }
            Output::CancelTimer(timer) => {
                self.hosts[at].timers.remove(timer);
            }
            Output::Lease { term, n } => {
                let lease_us = self.limits.lease_ms * 1_000;
                let host = &mut self.hosts[at];
                let from = host.renews.get(&(*term, *n)).copied();
                // A Grant that answers no Renew of this life gives no lease, unless one is planted.
                let from = from.unwrap_or(self.now_us);
                host.lease_end = Some(from + host.clock.true_us(lease_us));
                host.renews.retain(|renew, _| *renew > (*term, *n));
            }
            Output::Persist { write, record } => self.persist(slot, *write, record.clone()),
            Output::Pair { key, bytes } => self.pair(slot, *key, bytes),
            Output::Answer { .. } | Output::Event(_) => {}
        }
    }

    fn persist(&mut self, slot: Slot, write: WriteId, record: Record) {
        let host = &mut self.hosts[usize::from(slot.0)];
        let slow = if host.disk_later_us > 0 { Some(FaultName::DiskSlow) } else { None };
        let is_store = matches!(record, Record::Store(_));
        let refused = match host.disk.write(write, record) {
            Ok(()) => None,
            Err(Denied::Refused) => Some(FaultName::DiskRefuses),
            Err(Denied::Full) => Some(FaultName::DiskFull),
        };
        let ends = self.now_us + host.disk_us + host.disk_later_us;
        // One after the other: what is due at one instant is ordered by lot.
        let ends = ends.max(host.disk_busy_until + 1_000);
        host.disk_busy_until = ends;
        let life = host.life;
        if refused.is_none()
            && is_store
            && let Some((bytes, down_ms)) = host.tears.take()
        {
            let tear = Job::Tear { slot, life, write, bytes, down_ms };
            self.later.push(((ends - self.now_us) / 2, tear));
        }
        self.later.push((
            ends - self.now_us,
            Job::Written { slot, life, write, durable: refused.is_none() },
        ));
        let kinds: Vec<FaultName> = refused.into_iter().chain(slow).collect();
        self.came_to_bear(slot, &kinds);
    }

    /// Lasting faults of a unit change something: the first time it is told.
    pub(super) fn came_to_bear(&mut self, slot: Slot, kinds: &[FaultName]) {
        let unseen = &mut self.hosts[usize::from(slot.0)].unseen;
        let first: Vec<FaultName> =
            kinds.iter().copied().filter(|kind| unseen.remove(kind)).collect();
        self.took_effect(first);
    }

    fn pair(&mut self, slot: Slot, key: PairingKey, bytes: &[u8]) {
        self.pairings += 1;
        let again = (self.pairings + self.plan.world).is_multiple_of(RECOMPUTED_ONE_IN);
        let host = &mut self.hosts[usize::from(slot.0)];
        if let Some(pairing) =
            self.catalog.pairing(host.image.software(), key, bytes, again, host.planted)
        {
            host.pairings.insert(key, pairing);
        }
        let life = host.life;
        self.later.push((PAIRING_US, Job::Paired { slot, life, key }));
    }

    fn send(&mut self, from: Address, to: Address, message: &Message, sent: &mut Vec<SentFrame>) {
        let id = self.links.name(from, to, message.kind(), attempt(message));
        let bytes = wire::encode(from, message);
        let aimed = self.triggers.send(id, self.now());
        let mut copies = Vec::new();
        let outcome = self.links.send(id, bytes, aimed.as_ref(), &mut copies);
        let number = self.links.sent();
        // Over madsim's sockets a clog keeps a message where it is sent.
        let barred =
            if outcome.cut || self.sockets() { self.effective(from, to) } else { Vec::new() };
        sent.push(SentFrame { id, number, fault: outcome.fault, barred });
        if self.sockets() {
            for (_, packet) in copies {
                self.ids.insert(packet.number, id);
                let mut bytes = packet.number.to_le_bytes().to_vec();
                bytes.extend_from_slice(&packet.bytes);
                self.orders.push(Order::Socket { from, to, bytes });
            }
        } else {
            let copies = copies.into_iter();
            self.later.extend(copies.map(|(delay, packet)| (delay, Job::Deliver(packet))));
        }
    }

    pub(super) fn written(&mut self, slot: Slot, life: u64, write: WriteId, durable: bool) {
        let host = &mut self.hosts[usize::from(slot.0)];
        if host.life != life || host.unit.is_none() {
            return;
        }
        let durable = durable && host.disk.complete(write);
        let input = if durable { Input::Persisted(write) } else { Input::PersistFailed(write) };
        host.inbox.push_back(Arrival::Input(input));
        self.wakes.push(Address::Unit(slot));
        self.emit(Event::Written { slot, write, durable });
    }

    fn tell(&mut self, sent: Vec<SentFrame>) {
        for SentFrame { id, number, fault, barred } in sent {
            self.emit(Event::Sent { message: id, number, fault });
            // What arrives twice, late or behind another takes effect where it arrives.
            self.took_effect(fault.filter(|kind| !AT_ARRIVAL.contains(kind)));
            self.took_effect(barred);
        }
    }

    /// The cuts and clogs of a link that had no effect before, by kind of fault: now they have.
    pub(super) fn effective(&mut self, from: Address, to: Address) -> Vec<FaultName> {
        if self.idle.is_empty() {
            return Vec::new();
        }
        let barriers: Vec<_> = self.links.barriers(from, to).collect();
        let kinds = barriers.iter().filter_map(|barrier| self.idle.remove(barrier));
        kinds.collect()
    }

    /// Says that faults of these kinds changed something now.
    pub(super) fn took_effect(&mut self, kinds: impl IntoIterator<Item = FaultName>) {
        for kind in kinds {
            if !self.calm {
                let (effect, of) = (true, None);
                self.emit(Event::Fault { kind, effect, of });
            }
        }
    }

    /// Events that wait for an answer.
    fn answered(&mut self, out: &[Output], fates: &[Fate]) {
        for (output, fate) in out.iter().zip(fates) {
            let Output::Answer { outcome: Outcome::Done { term, lsn, .. }, .. } = output else {
                continue;
            };
            if *fate != Fate::Done {
                continue;
            }
            for index in self.triggers.answered(term.0, lsn.0) {
                if let Some(event) = self.triggers.take(index, None, self.now()) {
                    self.carry_out(event);
                }
            }
        }
    }
}

/// Whether an effect of a unit that acts may only happen within its lease. That nothing was done,
/// or that nothing is known, anybody may say.
const fn acts_as_active(output: &Output) -> bool {
    match output {
        Output::Send { message, .. } => !matches!(
            message,
            Message::ToArbiter(ToArbiter::Hello { .. } | ToArbiter::Renew { .. })
        ),
        Output::Answer { outcome, .. } => {
            !matches!(outcome, Outcome::Refused(_) | Outcome::Unknown)
        }
        Output::Persist { .. } => true,
        Output::SetTimer(_)
        | Output::CancelTimer(_)
        | Output::Lease { .. }
        | Output::Pair { .. }
        | Output::Event(_) => false,
    }
}

/// The attempt that a message's name carries: its session's, or its Join's; 0 for the arbiter's.
fn attempt(message: &Message) -> u32 {
    match message {
        Message::Join(call) => call.n.0,
        other => other.session().map_or(0, |session| session.attempt.0),
    }
}
