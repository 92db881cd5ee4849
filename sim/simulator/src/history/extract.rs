//! The extractor: makes facts of what is tapped. Beside the lockstep's abstraction it is the only
//! reader of the engine's fields.
#![expect(clippy::disallowed_types, reason = "one of the two readers of the engine")]

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use skewsync::ids::{CommandId, Lsn, Slot, Term, WriteId};
use skewsync::message::{Address, Message};
use skewsync::unit::prompts::PromptKind;
use skewsync::unit::queue::Queue;
use skewsync::unit::standby::{self, Readiness};
use skewsync::unit::{self as engine, ArbiterOutput, Boot, Command, Input, Outcome, Output, peer};

use super::state::{
    Acting, ActivePhase, Arbiter, History, Holding, Image, InSession, Machine, Parted, Replica,
    Role, Seat, StandbyPhase, Unit, Waiting,
};
use super::{Fact, FactId, What};
use crate::hash::StableHasher;
use crate::observe::{ClusterView, Delivered, Event, Fate, Observed};
use crate::plan::{FaultKind, FaultName};

/// Who is shown the facts.
type Sink<'s> = dyn FnMut(&Fact<'_>, &History) + 's;

/// See the module.
#[derive(Default)]
pub struct Extractor {
    history: History,
    facts: u64,
    causes: Causes,
    /// The unit that is about to make a step.
    at_hand: Option<AtHand>,
}

/// What is known of a step before it is made.
#[derive(Clone, Copy)]
struct AtHand {
    slot: Slot,
    /// When the unit's lease ends.
    lease_end_us: Option<u64>,
    /// What its state hashes to, if it takes a message of another session.
    stray: Option<u64>,
}

/// What facts to come may be because of.
#[derive(Default)]
struct Causes {
    /// What was done last in each place.
    last: BTreeMap<Address, FactId>,
    /// The step that is told.
    step: Option<FactId>,
    /// The sending of each message, by its number.
    sent: Vec<FactId>,
    entered: BTreeMap<CommandId, FactId>,
    began: BTreeMap<(Slot, WriteId), FactId>,
    ended: BTreeMap<(Slot, WriteId), FactId>,
    struck: BTreeMap<FaultName, FactId>,
}

/// One event, as its facts are told.
struct Telling<'t, 's> {
    event: u64,
    at_us: u64,
    place: Option<Address>,
    to: &'t mut Sink<'s>,
}

impl Causes {
    /// A message of this number was sent.
    fn sends(&mut self, number: u64, id: FactId) {
        assert!(number as usize >= self.sent.len(), "messages are numbered as they are sent");
        self.sent.resize(number as usize, FactId::default());
        self.sent.push(id);
    }

    /// The sending of a message.
    fn sending(&self, number: u64) -> Option<FactId> {
        self.sent.get(number as usize).copied()
    }
}

impl Extractor {
    /// The history up to now.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Looks at a unit that is about to make a step.
    pub fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        let Some(unit) = scene.unit(slot) else {
            return;
        };
        let known = self.history.unit(slot).and_then(Unit::role);
        let stray = match input {
            Input::Message { message, .. } => {
                let session = message.session();
                let session = session.filter(|_| !matches!(message, Message::Proceed { .. }));
                let other = session.zip(known).is_some_and(|(of, role)| !role.takes(of));
                other.then(|| hash(unit))
            }
            _ => None,
        };
        self.at_hand = Some(AtHand { slot, lease_end_us: scene.lease_end(slot), stray });
    }

    /// Makes facts of an event.
    pub fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView, to: &mut Sink<'_>) {
        let place = place(&seen.event);
        let mut telling = Telling { event: seen.number, at_us: seen.at_us, place, to };
        self.causes.step = None;
        self.around(scene, &mut telling);
        let told = &mut telling;
        match seen.event {
            Event::Started { slot, boot, outputs, fates, unit } => {
                self.images(scene);
                self.started(slot, unit, boot, told);
                self.came_out(slot, outputs, fates, told);
            }
            Event::Unit { slot, input, packet, outputs, fates, unit } => {
                let stray = self.took(slot, input, packet, told);
                if let Some(before) = stray {
                    let moved = before != hash(unit) || outputs.iter().any(is_of_timer);
                    self.say(What::Strayed { moved }, None, told);
                }
                self.became(slot, unit, input, outputs, told);
                let until_us = scene.lease_end(slot);
                self.lease(slot, until_us, told);
                self.came_out(slot, outputs, fates, told);
                self.say(What::Stepped, None, told);
            }
            Event::Arbiter { input, packet, outputs, arbiter, .. } => {
                let cause = packet.and_then(|packet| self.causes.sending(packet.number));
                self.does(What::ArbiterTook { input, packet }, cause, told);
                self.history.arbiter = Some(of_arbiter(arbiter));
                let (was, now) = (self.history.register, arbiter.register);
                if was != now {
                    self.say(What::RegisterWritten { was, now }, None, told);
                }
                self.arbiter_came_out(outputs, told);
                self.say(What::ArbiterStepped, None, told);
            }
            Event::Sent { message, number, fault } => {
                let because = self.causes.last.get(&message.from).copied();
                let what = What::Sent { message, number, fault };
                let id = self.say(what, because, told);
                self.causes.sends(number, id);
            }
            Event::Undelivered { message, number } => {
                let cause = self.causes.sending(number);
                self.say(What::Undelivered { message, number }, cause, told);
            }
            Event::Entered { id: command, what, slot } => {
                let id = self.say(What::Entered { command, what, to: slot }, None, told);
                self.causes.entered.insert(command, id);
            }
            Event::Ended { boot, lost, .. } => {
                self.does(What::Ended { boot: Some(boot), lost }, None, told);
            }
            Event::ArbiterEnded => {
                self.does(What::Ended { boot: None, lost: 0 }, None, told);
            }
            Event::Written { slot, write, durable } => {
                let cause = self.causes.began.remove(&(slot, write));
                let id = self.say(What::WriteEnded { write, durable }, cause, told);
                self.causes.ended.insert((slot, write), id);
            }
            Event::Paused { paused: suspended, .. } => {
                self.does(What::Suspended { suspended }, None, told);
            }
            Event::Fault { kind, effect, of } => {
                if let Some(FaultKind::MisapplyLine { slot, .. }) = of.map(|fault| &fault.kind) {
                    self.refresh(Slot(*slot), scene);
                }
                let cause = self.causes.struck.get(&kind).copied().filter(|_| of.is_none());
                let id = self.say(What::Fault { kind, effect, of }, cause, told);
                if of.is_some() {
                    self.causes.struck.insert(kind, id);
                }
            }
            Event::FaultsStopped => {
                self.say(What::FaultsStopped, None, told);
            }
        }
    }

    /// Looks at what is around the machines, before anything has happened there.
    pub fn look(&mut self, scene: &dyn ClusterView) {
        self.history.limits = Arc::new(scene.limits().clone());
        self.images(scene);
        let (event, at_us, place) = (0, self.history.now_us, None);
        self.around(scene, &mut Telling { event, at_us, place, to: &mut |_, _| {} });
    }

    /// The unit of a slot is what the scene has there, though no step made it so.
    pub fn refresh(&mut self, slot: Slot, scene: &dyn ClusterView) {
        match scene.unit(slot) {
            Some(unit) => {
                let known = self.history.unit(slot).and_then(Unit::role);
                let machine = of_unit(unit, known);
                self.history.stands(slot, machine);
            }
            None => {
                if let Some(unit) = self.history.unit_mut(slot) {
                    unit.machine = None;
                }
            }
        }
    }

    /// For the stage of the oracles' tests: what is there is as the scene has it, though nothing
    /// that happened made it so.
    #[cfg(test)]
    pub(crate) fn set(&mut self, scene: &dyn ClusterView) {
        self.history.limits = Arc::new(scene.limits().clone());
        self.history.arbiter = scene.arbiter().map(of_arbiter);
        self.images(scene);
        for &slot in scene.slots() {
            if let Some(unit) = self.history.unit_mut(slot) {
                unit.boot = scene.boot(slot);
            }
            self.refresh(slot, scene);
        }
    }

    /// What is around the machines: the links, the clocks, who is suspended, the leases.
    fn around(&mut self, scene: &dyn ClusterView, told: &mut Telling<'_, '_>) {
        let passed_us = told.at_us - self.history.now_us;
        self.history.now_us = told.at_us;
        if self.history.barred != *scene.barred() {
            self.history.barred.clone_from(scene.barred());
        }
        match scene.arbiter() {
            None => self.history.arbiter = None,
            Some(arbiter) if self.history.arbiter.is_none() => {
                self.history.arbiter = Some(of_arbiter(arbiter));
            }
            Some(_) => {}
        }
        for &slot in scene.slots() {
            let away = !self.history.connects(Address::Unit(slot), Address::Arbiter);
            let unit = self.history.unit_mut(slot).expect("the slot is one of the chassis");
            // What passed before it runs on it did not count.
            let ran = !std::mem::replace(&mut unit.suspended, scene.paused(slot));
            if passed_us > 0 && ran {
                unit.counted_us += scene.counts_us(slot, passed_us);
            }
            if away || unit.suspended {
                unit.parted = Parted { event: told.event, at_us: told.at_us };
            }
        }
        for &slot in scene.slots() {
            // A step is under way: its lease is what it was before it.
            let before = self.at_hand.filter(|at| at.slot == slot);
            let end_us = before.map_or_else(|| scene.lease_end(slot), |at| at.lease_end_us);
            self.lease(slot, end_us, told);
        }
    }

    /// The images that the units run, or ran last.
    fn images(&mut self, scene: &dyn ClusterView) {
        for &slot in scene.slots() {
            let (digest, name) = scene.image(slot);
            match self.history.unit_mut(slot) {
                Some(unit) if unit.image.digest == digest => {}
                Some(unit) => unit.image = Image { digest, name: name.into() },
                None => self.history.units.push(Unit::new(Image { digest, name: name.into() })),
            }
        }
    }

    fn lease(&mut self, slot: Slot, until_us: Option<u64>, told: &mut Telling<'_, '_>) {
        if self.history.unit(slot).is_some_and(|unit| unit.lease_end_us != until_us) {
            let place = told.place.replace(Address::Unit(slot));
            self.say(What::LeaseIs { until_us }, None, told);
            told.place = place;
        }
    }

    /// Tells a fact.
    fn say(&mut self, what: What<'_>, cause: Option<FactId>, told: &mut Telling<'_, '_>) -> FactId {
        self.facts += 1;
        let id = FactId(self.facts);
        let because = [self.causes.step, cause];
        let Telling { event, at_us, place, .. } = *told;
        let fact = Fact { id, event, at_us, place, because, what };
        self.history.fold(&fact);
        (told.to)(&fact, &self.history);
        id
    }

    /// Tells what is done in a place: what follows there is because of it.
    fn does(&mut self, what: What<'_>, cause: Option<FactId>, told: &mut Telling<'_, '_>) {
        let place = told.place.expect("it is done somewhere");
        self.causes.step = self.causes.last.get(&place).copied();
        let id = self.say(what, cause, told);
        self.causes.last.insert(place, id);
        self.causes.step = Some(id);
    }

    fn started(
        &mut self,
        slot: Slot,
        unit: &engine::Unit,
        boot: &Boot,
        told: &mut Telling<'_, '_>,
    ) {
        self.history.stands(slot, of_unit(unit, None));
        self.does(What::Started { boot }, None, told);
    }

    /// What a unit took; what it hashed to before, if that was a message of another session.
    fn took(
        &mut self,
        slot: Slot,
        input: &Input,
        packet: Option<Delivered>,
        told: &mut Telling<'_, '_>,
    ) -> Option<u64> {
        let causes = &self.causes;
        let cause = match input {
            Input::Command(Command { id, .. }) | Input::Operator { id, .. } => {
                causes.entered.get(id).copied()
            }
            Input::Persisted(write) | Input::PersistFailed(write) => {
                causes.ended.get(&(slot, *write)).copied()
            }
            Input::Message { .. } | Input::Timer(_) | Input::LeaseLapsed | Input::Paired(_) => {
                packet.and_then(|packet| causes.sending(packet.number))
            }
        };
        self.does(What::Took { input, packet }, cause, told);
        self.at_hand.take().and_then(|at| at.stray)
    }

    /// What a step made of a unit.
    fn became(
        &mut self,
        slot: Slot,
        unit: &engine::Unit,
        input: &Input,
        outputs: &[Output],
        told: &mut Telling<'_, '_>,
    ) {
        let known = self.history.unit(slot).and_then(Unit::role);
        let executed = executed(known, unit, input, outputs);
        let was = match known {
            Some(Role::Standby(Waiting { replica: Some(replica), .. })) => {
                Some((replica.session, replica.applied))
            }
            _ => None,
        };
        let machine = of_unit(unit, known);
        let now = match &machine.role {
            Role::Standby(Waiting { replica: Some(replica), .. }) => {
                Some((replica.session, replica.applied))
            }
            _ => None,
        };
        self.history.stands(slot, machine);
        for (term, lsn, command) in executed {
            self.say(What::Executed { term, lsn, command }, None, told);
        }
        match (was, now) {
            (Some((of, from)), Some((session, lsn))) if of == session => {
                if from != lsn {
                    self.say(What::Applied { session, from, lsn }, None, told);
                }
            }
            (_, Some((session, lsn))) => {
                self.say(What::Swapped { session, lsn }, None, told);
            }
            (_, None) => {}
        }
    }

    fn came_out(
        &mut self,
        slot: Slot,
        outputs: &[Output],
        fates: &[Fate],
        told: &mut Telling<'_, '_>,
    ) {
        for (output, fate) in outputs.iter().zip(fates) {
            let fate = *fate;
            let what = match output {
                Output::Send { to, message } => What::Sends { to: *to, message, fate },
                Output::Answer { id, outcome } => What::Answered { command: *id, outcome, fate },
                Output::Persist { write, record } => {
                    What::WriteBegan { write: *write, record, fate }
                }
                Output::Event(event) => What::Says { event, fate },
                Output::SetTimer(_)
                | Output::CancelTimer(_)
                | Output::Lease { .. }
                | Output::Pair { .. } => {
                    // That a timer is set says nothing; that it could not be does.
                    if is_of_timer(output) && fate == Fate::Done {
                        continue;
                    }
                    What::Wants { output, fate }
                }
            };
            let id = self.say(what, None, told);
            if let Output::Persist { write, .. } = output {
                self.causes.began.insert((slot, *write), id);
            }
        }
    }

    fn arbiter_came_out(&mut self, outputs: &[ArbiterOutput], told: &mut Telling<'_, '_>) {
        for output in outputs {
            let what = match output {
                ArbiterOutput::Send { to, message } => What::ArbiterSends { to: *to, message },
                ArbiterOutput::Event(event) => What::ArbiterSays { event },
                ArbiterOutput::SetTimer(_) | ArbiterOutput::CancelTimer(_) => continue,
            };
            self.say(what, None, told);
        }
    }
}

/// Where an event happened.
const fn place(event: &Event<'_>) -> Option<Address> {
    match event {
        Event::Started { slot, .. }
        | Event::Unit { slot, .. }
        | Event::Ended { slot, .. }
        | Event::Written { slot, .. }
        | Event::Paused { slot, .. } => Some(Address::Unit(*slot)),
        Event::Arbiter { .. } | Event::ArbiterEnded => Some(Address::Arbiter),
        Event::Sent { message, .. } => Some(message.from),
        Event::Undelivered { .. }
        | Event::Entered { .. }
        | Event::Fault { .. }
        | Event::FaultsStopped => None,
    }
}

/// Whether it sets a timer, or stops one.
const fn is_of_timer(output: &Output) -> bool {
    matches!(output, Output::SetTimer(_) | Output::CancelTimer(_))
}

fn hash(unit: &engine::Unit) -> u64 {
    let mut mixer = StableHasher::default();
    unit.hash(&mut mixer);
    mixer.finish()
}

/// The changes that a step executed: term, LSN, and the command that made it.
fn executed(
    known: Option<&Role>,
    unit: &engine::Unit,
    input: &Input,
    outputs: &[Output],
) -> Vec<(Term, Lsn, Option<CommandId>)> {
    let engine::Role::Active(active) = &unit.part else {
        return Vec::new();
    };
    let before = match known {
        Some(Role::Active(acting)) if acting.term == active.term() => acting.last,
        Some(Role::Holder(holding)) if holding.term == active.term() => holding.lsn,
        _ => active.last(),
    };
    let command = |lsn: Lsn| {
        let held = active.prompts().held().get(&lsn).into_iter().flatten();
        let mut held = held.filter(|prompt| matches!(prompt.change, PromptKind::Made { .. }));
        let answered = || {
            outputs.iter().find_map(|output| match output {
                Output::Answer { id, outcome: Outcome::Done { lsn: of, .. } } if *of == lsn => {
                    Some(*id)
                }
                _ => None,
            })
        };
        let entered = || match input {
            Input::Command(command) if lsn.0 == before.0 + 1 => Some(command.id),
            _ => None,
        };
        held.next().map(|prompt| prompt.id).or_else(answered).or_else(entered)
    };
    let after = before.0 + 1..=active.last().0;
    after.map(Lsn).map(|lsn| (active.term(), lsn, command(lsn))).collect()
}

/// What a unit is.
#[cfg(test)]
pub(crate) fn machine(unit: &engine::Unit) -> Machine {
    of_unit(unit, None)
}

/// What a unit is. `known`: what it was before the step.
fn of_unit(unit: &engine::Unit, known: Option<&Role>) -> Machine {
    Machine {
        role: match &unit.part {
            engine::Role::Standby(standby) => Role::Standby(of_standby(standby)),
            engine::Role::Holder(holder) => Role::Holder(Holding {
                term: holder.term,
                lsn: holder.lsn,
                origin: holder.origin,
                gap: holder.gap,
                queue: queue(&holder.queue, known),
            }),
            engine::Role::Active(active) => Role::Active(of_active(active, known)),
        },
        shows: unit.rf_state(),
        shows_replica: unit.replica_shown(),
        store: unit.own.store.clone(),
        durable: unit.own.durable,
        writes: unit.own.writes.len(),
    }
}

fn of_standby(standby: &engine::Standby) -> Waiting {
    Waiting {
        seat: standby.seat.as_ref().map(|seat| {
            let kept = match &seat.phase {
                standby::StandbyPhase::Synced { kept, .. } => kept.len(),
                _ => 0,
            };
            Seat { session: seat.session, phase: standby_phase(&seat.phase), kept }
        }),
        replica: standby.replica.as_ref().map(|replica| Replica {
            session: replica.session,
            applied: replica.applied,
            ready: replica.readiness == Readiness::Ready,
            raising: replica.receiver.raising().clone(),
        }),
        former: standby.former.as_ref().map(|former| former.config.config().clone()),
    }
}

fn of_active(active: &engine::Active, known: Option<&Role>) -> Acting {
    let peer = active.peer();
    Acting {
        term: active.term(),
        last: active.last(),
        config: active.config().config().clone(),
        kept: Arc::clone(active.config().kept()),
        session: peer.current().map(|current| InSession {
            session: current.session(),
            image: current.image(),
            phase: active_phase(current.phase()),
            lowering: current.sender().map(|sender| sender.lowering().clone()),
            journal: current.journal().len(),
            acked: current.acked(),
            missing: current.missing().clone(),
        }),
        offered: peer.offered().map(|offered| offered.session),
        leaving: peer.leaving().map(|leaving| leaving.session),
        shows_peer: active.peer_rf_state(),
        mode: active.redundancy(),
        allowed: active.mode().redundancy(),
        resets: active.mode().resets(),
        attempts: active.mode().attempts(),
        register_is_set: active.register().is_set(),
        prompts: active.prompts().count(),
        queue: queue(active.queue(), known),
        drains: active.drains(),
        saves: active.saves(),
    }
}

/// The ids of commands that wait; the very list of before if it is the same.
fn queue(waits: &Queue, known: Option<&Role>) -> Arc<[CommandId]> {
    let known = match known {
        Some(Role::Active(Acting { queue, .. }) | Role::Holder(Holding { queue, .. })) => queue,
        Some(Role::Standby(_)) | None => &Arc::default(),
    };
    let ids = || waits.iter().map(|command| command.id);
    if known.iter().copied().eq(ids()) { Arc::clone(known) } else { ids().collect() }
}

const fn active_phase(phase: &peer::ActivePhase) -> ActivePhase {
    match phase {
        peer::ActivePhase::Dump(_) => ActivePhase::Dump,
        peer::ActivePhase::Diff(_) => ActivePhase::Diff,
        peer::ActivePhase::Pairing => ActivePhase::Pairing,
        peer::ActivePhase::Config => ActivePhase::Config,
        peer::ActivePhase::Bulk(_) => ActivePhase::Bulk,
        peer::ActivePhase::Cold => ActivePhase::Cold,
        peer::ActivePhase::HotSent => ActivePhase::HotSent,
        peer::ActivePhase::HotAcked => ActivePhase::HotAcked,
        peer::ActivePhase::Setting => ActivePhase::Setting,
        peer::ActivePhase::Hot => ActivePhase::Hot,
        peer::ActivePhase::Rejected { verdict, .. } => ActivePhase::Rejected(*verdict),
        peer::ActivePhase::Held => ActivePhase::Held,
    }
}

const fn standby_phase(phase: &standby::StandbyPhase) -> StandbyPhase {
    match phase {
        standby::StandbyPhase::Ready { .. } => StandbyPhase::Ready,
        standby::StandbyPhase::Dump(_) => StandbyPhase::Dump,
        standby::StandbyPhase::Pairing => StandbyPhase::Pairing,
        standby::StandbyPhase::Diffed { .. } => StandbyPhase::Diffed,
        standby::StandbyPhase::Config { .. } => StandbyPhase::Config,
        standby::StandbyPhase::Shadow(_) => StandbyPhase::Shadow,
        standby::StandbyPhase::Synced { .. } => StandbyPhase::Synced,
        standby::StandbyPhase::Unread { .. } => StandbyPhase::Unread,
        standby::StandbyPhase::Rpr => StandbyPhase::Rpr,
        standby::StandbyPhase::Held => StandbyPhase::Held,
    }
}

fn of_arbiter(arbiter: &engine::Arbiter) -> Arbiter {
    let heard = arbiter.known.iter().filter(|(_, known)| known.said.is_some());
    Arbiter {
        lease_runs: arbiter.runs(),
        offers: arbiter.offer.is_some(),
        silent: arbiter.silent,
        floor: arbiter.floor,
        heard: heard.map(|(slot, known)| (*slot, known.hello)).collect(),
    }
}
