//! A bounded world for scripts: nothing is lost unless the script says so, and time is the timers
//! that the script lets fire.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

use crate::digest::Shared;

use crate::config::{Line, LineKey, Prc};
use crate::ids::{BootId, CommandId, Slot, Term};
use crate::image::{Image, bundled};
use crate::message::{Address, LeaveWhy, Message, MessageKind};
use crate::planted::Planted;
use crate::policy::Policy;
use crate::unit::env::takes_all;
use crate::unit::{
    Arbiter, ArbiterInput, ArbiterOutput, ArbiterTimer, Boot, Command, Durability, Env, Event,
    Input, Limits, Outcome, Output, Pairing, PairingKey, Record, Request, RfState, Role, Software,
    Timer, Unit, active::Active,
};

/// Messages delivered at most by one call.
const MAX_DELIVERIES: usize = 20_000;

/// What the units' parsers refuse.
type Refusals = Box<dyn Fn(&LineKey, &Line) -> Option<Prc>>;

/// A message under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) message: Message,
}

pub(super) struct World {
    pub(super) software: Vec<Software>,
    pub(super) limits: Limits,
    pub(super) policy: Policy,
    pub(super) units: Vec<Option<Unit>>,
    pub(super) arbiter: Arbiter,
    pub(super) net: VecDeque<Flight>,
    pub(super) lose: BTreeSet<MessageKind>,
    pub(super) cut: BTreeSet<Slot>,
    pub(super) answers: BTreeMap<CommandId, Outcome>,
    pub(super) events: Vec<(Slot, Event)>,
    pub(super) delivered: usize,
    pub(super) persist: bool,
    pub(super) refuses: Refusals,
    /// What another engine makes of messages on their way.
    pub(super) garble: Option<fn(&mut Message)>,
    armed: BTreeSet<(Slot, Timer)>,
    arbiter_armed: BTreeSet<ArbiterTimer>,
    pairings: BTreeMap<(Slot, PairingKey), Pairing>,
    boots: Vec<Boot>,
    next_id: u64,
}

pub(super) const A: Slot = Slot(0);
pub(super) const B: Slot = Slot(1);

impl World {
    /// Two units of these bundled images, started.
    pub(super) fn new(images: [&str; 2]) -> Self {
        let image = |release| bundled::image(release).expect("a bundled release");
        Self::from_images(images.map(image))
    }

    /// Two units of these images, started.
    pub(super) fn from_images(images: [Image; 2]) -> Self {
        let software = |image| Software::new(image).expect("its changes make rules");
        let software = images.map(software).into();
        let boot = |_| Boot {
            boot: BootId(0),
            lost_disk: false,
            damaged: false,
            highest: Term(0),
            resets: 0,
            store: None,
        };
        let mut world = Self {
            software,
            limits: Limits::DEFAULT,
            policy: Policy::default(),
            units: vec![None, None],
            arbiter: Arbiter::new(),
            net: VecDeque::new(),
            lose: BTreeSet::new(),
            cut: BTreeSet::new(),
            answers: BTreeMap::new(),
            events: Vec::new(),
            delivered: 0,
            persist: true,
            refuses: Box::new(takes_all),
            garble: None,
            armed: BTreeSet::new(),
            arbiter_armed: BTreeSet::new(),
            pairings: BTreeMap::new(),
            boots: (0..2).map(boot).collect(),
            next_id: 0,
        };
        world.boot(A);
        world.boot(B);
        world
    }

    /// The same image twice, hot.
    pub(super) fn hot() -> Self {
        let mut world = Self::new(["6.2", "6.2"]);
        world.bring_up(2);
        assert_eq!(world.active_slot(), Some(A));
        assert!(world.is_hot(), "{:?}", world.units);
        world
    }

    pub(super) fn boot(&mut self, slot: Slot) {
        self.crash(slot);
        let at = usize::from(slot.0);
        self.boots[at].boot.0 += 1;
        let boot = self.boots[at].clone();
        let mut out = vec![];
        let unit = self.with_env(slot, |env| Unit::start(env, slot, &boot, &mut out));
        self.units[at] = Some(unit);
        self.perform(slot, out);
    }

    /// The disk of a unit that is down knows no term.
    pub(super) fn forget_highest(&mut self, slot: Slot) {
        self.boots[usize::from(slot.0)].highest = Term(0);
    }

    /// The units' parsers refuse lines with this word.
    pub(super) fn refuse(&mut self, word: &'static str) {
        let refuses = move |_: &LineKey, line: &Line| {
            let mut words = line.words.text().split(' ');
            words.any(|refused| refused == word).then_some(Prc::Rejected)
        };
        self.refuses = Box::new(refuses);
    }

    pub(super) fn crash(&mut self, slot: Slot) {
        self.units[usize::from(slot.0)] = None;
        self.armed.retain(|(at, _)| *at != slot);
        self.pairings.retain(|(at, _), _| *at != slot);
    }

    fn with_env<T>(&self, slot: Slot, use_env: impl FnOnce(&Env<'_>) -> T) -> T {
        let find = |key: &PairingKey| self.pairings.get(&(slot, *key));
        let env = Env {
            software: &self.software[usize::from(slot.0)],
            pairings: &find,
            limits: &self.limits,
            policy: &self.policy,
            refuses: &*self.refuses,
            planted: Planted::NONE,
        };
        use_env(&env)
    }

    /// One step of one unit.
    pub(super) fn step(&mut self, slot: Slot, input: Input) {
        let at = usize::from(slot.0);
        let Some(mut unit) = self.units[at].take() else {
            return;
        };
        let mut out = vec![];
        self.with_env(slot, |env| unit.step(env, input, &mut out));
        self.units[at] = Some(unit);
        self.perform(slot, out);
    }

    /// What a unit would do with this input in this world, of which nothing is performed.
    pub(super) fn probe(&self, slot: Slot, unit: &Unit, input: Input) -> (Unit, Vec<Output>) {
        let mut unit = unit.clone();
        let mut out = vec![];
        self.with_env(slot, |env| unit.step(env, input, &mut out));
        (unit, out)
    }

    pub(super) fn misapply(&mut self, slot: Slot, text: &str) {
        let at = usize::from(slot.0);
        let mut unit = self.units[at].take().expect("the unit is up");
        self.with_env(slot, |env| unit.misapply(env, text));
        self.units[at] = Some(unit);
    }

    fn perform(&mut self, slot: Slot, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Send { to, message } => {
                    self.net.push_back(Flight { from: Address::Unit(slot), to, message });
                }
                Output::SetTimer(timer) => {
                    self.armed.insert((slot, timer));
                }
                Output::CancelTimer(timer) => {
                    self.armed.remove(&(slot, timer));
                }
                Output::Lease { .. } => {}
                Output::Persist { write, record } => {
                    let boot = &mut self.boots[usize::from(slot.0)];
                    if !self.persist {
                        self.step(slot, Input::PersistFailed(write));
                        continue;
                    }
                    match record {
                        Record::Highest(term) => boot.highest = term,
                        Record::Resets(resets) => boot.resets = resets,
                        Record::Store(store) => boot.store = Some(store),
                    }
                    self.step(slot, Input::Persisted(write));
                }
                Output::Answer { id, outcome } => {
                    let twice = self.answers.insert(id, outcome);
                    assert_eq!(twice, None, "a command is answered once");
                }
                Output::Event(event) => self.events.push((slot, event)),
                Output::Pair { key, bytes } => {
                    let own = &self.software[usize::from(slot.0)];
                    if let Ok(pairing) = Pairing::compute(own, &key, &bytes, Planted::NONE) {
                        self.pairings.insert((slot, key), pairing);
                    }
                    self.step(slot, Input::Paired(key));
                }
            }
        }
    }

    fn step_arbiter(&mut self, input: ArbiterInput) {
        let mut out = vec![];
        self.arbiter.step(&self.limits, Planted::NONE, input, &mut out);
        for output in out {
            match output {
                ArbiterOutput::Send { to, message } => {
                    let (from, to) = (Address::Arbiter, Address::Unit(to));
                    let message = Message::ToUnit(message);
                    self.net.push_back(Flight { from, to, message });
                }
                ArbiterOutput::SetTimer(timer) => {
                    self.arbiter_armed.insert(timer);
                }
                ArbiterOutput::CancelTimer(timer) => {
                    self.arbiter_armed.remove(&timer);
                }
                ArbiterOutput::Event(_) => {}
            }
        }
    }

    /// Delivers the oldest message; false if there is none.
    pub(super) fn deliver(&mut self) -> bool {
        let Some(flight) = self.net.pop_front() else {
            return false;
        };
        let cut = [flight.from, flight.to].iter().any(|end| match end {
            Address::Unit(slot) => self.cut.contains(slot),
            Address::Arbiter => false,
        });
        if !cut && !self.lose.contains(&flight.message.kind()) {
            self.inject(flight);
        }
        true
    }

    /// Delivers this message now.
    pub(super) fn inject(&mut self, flight: Flight) {
        self.delivered += 1;
        let Flight { from, to, mut message } = flight;
        if let Some(garble) = self.garble {
            garble(&mut message);
        }
        match (from, to, message) {
            (Address::Unit(from), Address::Arbiter, Message::ToArbiter(message)) => {
                self.step_arbiter(ArbiterInput::Message { from, message });
            }
            (from, Address::Unit(to), message) => self.step(to, Input::Message { from, message }),
            (from, to, message) => panic!("no such way: {from:?} {to:?} {message:?}"),
        }
    }

    /// Delivers until nothing is under way.
    pub(super) fn settle(&mut self) {
        for _ in 0..MAX_DELIVERIES {
            if !self.deliver() {
                return;
            }
        }
        panic!("messages without end: {:?}", self.net.front());
    }

    /// Lets one timer of a unit fire, if it is armed.
    pub(super) fn fire(&mut self, slot: Slot, timer: Timer) {
        if self.armed.remove(&(slot, timer)) {
            self.step(slot, Input::Timer(timer));
        }
    }

    pub(super) fn fire_arbiter(&mut self, timer: ArbiterTimer) {
        if self.arbiter_armed.remove(&timer) {
            self.step_arbiter(ArbiterInput::Timer(timer));
        }
    }

    /// A unit acts, and after so many rounds its Standby is as near as what is lost lets it come.
    pub(super) fn bring_up(&mut self, rounds: usize) {
        self.settle();
        self.fire_arbiter(ArbiterTimer::Gather);
        self.settle();
        self.rounds(rounds);
    }

    /// Whether a unit said that it ended a session because of this.
    pub(super) fn left(&self, slot: Slot, cause: LeaveWhy) -> bool {
        self.find(slot, |event| matches!(event, Event::SessionEnded { why, .. } if *why == cause))
    }

    /// Rounds in which every short timer fires once and its messages are delivered.
    pub(super) fn rounds(&mut self, rounds: usize) {
        let short = [
            Timer::Hello,
            Timer::Join,
            Timer::Renew,
            Timer::Register,
            Timer::Resend,
            Timer::Keepalive,
            Timer::Pace,
        ];
        for _ in 0..rounds {
            for timer in [ArbiterTimer::Gather, ArbiterTimer::Resend] {
                self.fire_arbiter(timer);
            }
            for slot in [A, B] {
                for timer in short {
                    self.fire(slot, timer);
                }
            }
            self.settle();
        }
    }

    /// The lease of a unit that does not answer is over, and the other is offered the role.
    pub(super) fn lease_over(&mut self) {
        self.fire_arbiter(ArbiterTimer::Lease);
        self.settle();
        self.rounds(2);
    }

    pub(super) fn command(&mut self, slot: Slot, text: &str) -> CommandId {
        self.enter(slot, text, Durability::Acked)
    }

    pub(super) fn enter(&mut self, slot: Slot, text: &str, durability: Durability) -> CommandId {
        self.next_id += 1;
        let id = CommandId(self.next_id);
        let text = Shared::text(text);
        self.step(slot, Input::Command(Command { id, text, durability }));
        id
    }

    pub(super) fn ask(&mut self, slot: Slot, request: Request) -> CommandId {
        self.next_id += 1;
        let id = CommandId(self.next_id);
        self.step(slot, Input::Operator { id, request });
        id
    }

    pub(super) fn unit(&self, slot: Slot) -> &Unit {
        self.units[usize::from(slot.0)].as_ref().expect("the unit is up")
    }

    pub(super) fn active(&self, slot: Slot) -> &Active {
        match &self.unit(slot).part {
            Role::Active(active) => active,
            other => panic!("not the Active: {other:?}"),
        }
    }

    pub(super) fn active_slot(&self) -> Option<Slot> {
        [A, B].into_iter().find(|slot| {
            let unit = self.units[usize::from(slot.0)].as_ref();
            unit.is_some_and(|unit| matches!(unit.part, Role::Active(_)))
        })
    }

    pub(super) fn is_hot(&self) -> bool {
        self.active_slot().is_some_and(|slot| {
            let other = Slot(1 - slot.0);
            self.active(slot).is_hot() && self.unit(other).rf_state() == RfState::StandbyHot
        })
    }

    /// The config of a Standby's replica, or of a role's holder.
    pub(super) fn text(&self, slot: Slot) -> Shared<str> {
        match &self.unit(slot).part {
            Role::Active(active) => active.config().text(),
            Role::Holder(holder) => holder.config.text(),
            Role::Standby(standby) => {
                let replica = standby.replica.as_ref().expect("a replica");
                self.with_env(slot, |env| replica.receiver.running(env).text())
            }
        }
    }

    pub(super) fn find(&self, slot: Slot, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(|(at, event)| *at == slot && wanted(event))
    }
}
