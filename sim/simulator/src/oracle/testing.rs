//! A stage for the oracles' own tests: a scene of which everything can be set, machines in states
//! that a test needs, and events that it plays to one oracle, as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use skewsync::digest::{ImageDigest, Shared};

use skewsync::ids::{Attempt, BootId, CommandId, Lsn, Slot, Term, WriteId};
use skewsync::image::{Family, Image, bundled};
use skewsync::message::{
    Address, Eligible, HeldBy, Message, Missing, Origin, Redundancy, Session, Stamp, ToArbiter,
};
use skewsync::planted::Planted;
use skewsync::policy::Policy;
use skewsync::unit::env::takes_all;
use skewsync::unit::holder::{LeaseWait, Queueing};
use skewsync::unit::peer::{ActiveSession, Offered};
use skewsync::unit::queue::Queue;
use skewsync::unit::receiver::Receiver;
use skewsync::unit::register::Register;
use skewsync::unit::running::Executed;
use skewsync::unit::sender::Sender;
use skewsync::unit::standby::{self, Readiness, Replica, StandbySession};
use skewsync::unit::{
    Active, Arbiter, ArbiterEvent, ArbiterInput, ArbiterOutput, Boot, Command, Durability, Env,
    Event as Told, Holder, Input, Limits, Outcome, Output, Pairing, PairingKey, PairingSide,
    Record, Role, Running, Software, Standby, Store, Unit,
};
use skewsync_model::property::Property;

use crate::catalog::{Catalog, Loaded};
use crate::history::{Extractor, History, Observer};
use crate::observe::{ClusterView, Event, Fate, Observed, Tap, Violation};

/// The session of term 1 between the first boots of both slots.
pub(crate) const SESSION: Session =
    Session { term: Term(1), active: BootId(1), standby: BootId(1), attempt: Attempt(1) };

const SLOTS: [Slot; 2] = [Slot(0), Slot(1)];

/// What is tapped, as a test sets it.
pub(crate) struct Stage {
    pub(crate) units: [Option<Unit>; 2],
    pub(crate) arbiter: Option<Arbiter>,
    pub(crate) limits: Limits,
    pub(crate) releases: [&'static str; 2],
    pub(crate) lease_end: [Option<u64>; 2],
    pub(crate) barred: BTreeSet<(Address, Address)>,
    pub(crate) paused: [bool; 2],
    pub(crate) at_us: u64,
    number: u64,
    extractor: Extractor,
}

/// The bundled images, and those of `HALVES`, loaded once.
pub(crate) fn catalog() -> Arc<Catalog> {
    static STOCK: OnceLock<Arc<Catalog>> = OnceLock::new();
    let load = || {
        let load = |image: Arc<Image>| {
            let name = image.name();
            Loaded::new(name, Software::new(image).expect("an image loads"))
        };
        let halves = ["1", "2", "3"].map(halves).map(Arc::new);
        Arc::new(Catalog::new(bundled::images().into_iter().chain(halves).map(load)))
    };
    Arc::clone(STOCK.get_or_init(load))
}

/// A family in which two lines become one, and that one another.
const HALVES: [(&str, &str); 2] = [
    ("family.toml", include_str!("../../../../impl/reference/tests/halves/family.toml")),
    ("base.toml", include_str!("../../../../impl/reference/tests/halves/base.toml")),
];

/// A release of `HALVES`.
pub(crate) fn halves(release: &str) -> Image {
    let family = Family::parse(&HALVES).unwrap_or_else(|errors| panic!("{}", errors[0]));
    family.image(release).expect("a release")
}

/// The name of an image: of the bundled family's, the release alone is said.
fn name(release: &str) -> String {
    if release.contains('@') { release.into() } else { format!("meridian@{release}") }
}

pub(crate) fn image(release: &str) -> Arc<Loaded> {
    catalog().image(&name(release)).expect("a bundled image")
}

impl ClusterView for Stage {
    fn slots(&self) -> &[Slot] {
        &SLOTS
    }

    fn unit(&self, slot: Slot) -> Option<&Unit> {
        self.units[usize::from(slot.0)].as_ref()
    }

    fn arbiter(&self) -> Option<&Arbiter> {
        self.arbiter.as_ref()
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn image(&self, slot: Slot) -> (ImageDigest, &str) {
        static NAMES: OnceLock<BTreeMap<&str, String>> = OnceLock::new();
        let names = NAMES.get_or_init(|| {
            let all = bundled::CONFIGS.iter();
            all.map(|(release, _)| (*release, name(release))).collect()
        });
        let release = self.releases[usize::from(slot.0)];
        (image(release).digest(), names.get(release).map_or(release, String::as_str))
    }

    fn boot(&self, slot: Slot) -> Option<BootId> {
        self.unit(slot).map(|unit| unit.own.boot)
    }

    fn lease_end(&self, slot: Slot) -> Option<u64> {
        self.lease_end[usize::from(slot.0)]
    }

    fn paused(&self, slot: Slot) -> bool {
        self.paused[usize::from(slot.0)]
    }

    fn counts_us(&self, _: Slot, true_us: u64) -> u64 {
        true_us
    }

    fn barred(&self) -> &BTreeSet<(Address, Address)> {
        &self.barred
    }
}

impl Stage {
    /// Both units of 6.2 without a role, the arbiter up, the network whole.
    pub(crate) fn new() -> Self {
        Self::with_releases(["6.2", "6.2"])
    }

    /// The same with units of these releases.
    pub(crate) fn with_releases(releases: [&'static str; 2]) -> Self {
        let unit = |slot: u8| idle(Slot(slot), releases[usize::from(slot)]);
        Self {
            units: [Some(unit(0)), Some(unit(1))],
            arbiter: Some(Arbiter::new()),
            limits: Limits::DEFAULT,
            releases,
            lease_end: [None; 2],
            barred: BTreeSet::new(),
            paused: [false; 2],
            at_us: 0,
            number: 0,
            extractor: Extractor::default(),
        }
    }

    /// Nothing passes anywhere from now on.
    pub(crate) fn part(&mut self) {
        let places = || SLOTS.map(Address::Unit).into_iter().chain([Address::Arbiter]);
        let links = places().flat_map(|from| places().map(move |to| (from, to)));
        self.barred = links.filter(|(from, to)| from != to).collect();
    }

    /// What happened up to now.
    pub(crate) const fn history(&self) -> &History {
        self.extractor.history()
    }

    /// Shows the facts of an event until one breaks something. What it leaves is on the stage then.
    pub(crate) fn show(
        &mut self,
        oracle: &mut dyn Observer,
        event: Event<'_>,
    ) -> Result<(), Violation> {
        let mut extractor = std::mem::take(&mut self.extractor);
        extractor.set(self);
        if let Event::Unit { slot, input, .. } = event {
            extractor.before(slot, input, self);
        }
        let seen = self.happens(event);
        let mut found = Ok(());
        extractor.see(&seen, self, &mut |fact, history| {
            if found.is_ok() {
                found = oracle.see(fact, history);
            }
        });
        self.extractor = extractor;
        found
    }

    /// Shows an event to who looks at what is tapped.
    pub(crate) fn show_tap(
        &mut self,
        tap: &mut dyn Tap,
        event: Event<'_>,
    ) -> Result<(), Violation> {
        if let Event::Unit { slot, input, .. } = event {
            tap.before(slot, input, self);
        }
        let seen = self.happens(event);
        let mut found = Ok(());
        tap.see(&seen, self, &mut |violation| found = Err(violation));
        found
    }

    /// The event, and the stage as it leaves it.
    fn happens<'a>(&mut self, event: Event<'a>) -> Observed<'a> {
        match event {
            Event::Unit { slot, unit, .. } | Event::Started { slot, unit, .. } => {
                self.units[usize::from(slot.0)] = Some(unit.clone());
            }
            Event::Arbiter { arbiter, .. } => self.arbiter = Some(arbiter.clone()),
            _ => {}
        }
        self.number += 1;
        Observed { number: self.number, at_us: self.at_us, event }
    }

    /// The unit of `slot` makes a step with this input and these outputs, all performed, and is
    /// `unit` then.
    pub(crate) fn step(
        &mut self,
        oracle: &mut dyn Observer,
        unit: Unit,
        input: &Input,
        outputs: &[Output],
    ) -> Result<(), Violation> {
        let event = Event::Unit {
            slot: unit.own.slot,
            input,
            packet: None,
            outputs,
            fates: &vec![Fate::Done; outputs.len()],
            unit: &unit,
        };
        self.show(oracle, event)
    }

    /// The same for an input that says nothing.
    pub(crate) fn does(
        &mut self,
        oracle: &mut dyn Observer,
        unit: Unit,
        outputs: &[Output],
    ) -> Result<(), Violation> {
        let idle = Input::Persisted(WriteId(u64::MAX));
        self.step(oracle, unit, &idle, outputs)
    }

    /// A unit hears a message.
    pub(crate) fn hears(
        &mut self,
        oracle: &mut dyn Observer,
        unit: Unit,
        message: Message,
        outputs: &[Output],
    ) -> Result<(), Violation> {
        let other = SLOTS.into_iter().find(|slot| *slot != unit.own.slot);
        let from = Address::Unit(other.expect("another unit"));
        self.step(oracle, unit, &Input::Message { from, message }, outputs)
    }

    /// The arbiter's register comes to be this.
    pub(crate) fn register(
        &mut self,
        oracle: &mut dyn Observer,
        register: Option<Eligible>,
    ) -> Result<(), Violation> {
        self.arbiter_says(oracle, register, None, &[])
    }

    /// The arbiter makes a step.
    pub(crate) fn arbiter_says(
        &mut self,
        oracle: &mut dyn Observer,
        register: Option<Eligible>,
        heard: Option<(Slot, ToArbiter)>,
        events: &[ArbiterEvent],
    ) -> Result<(), Violation> {
        let mut arbiter = Arbiter::new();
        arbiter.register = register;
        let events = events.iter().cloned().map(ArbiterOutput::Event);
        let outputs: Vec<ArbiterOutput> = events.collect();
        let input = heard.map_or(
            ArbiterInput::Timer(skewsync::unit::ArbiterTimer::Resend),
            |(from, message)| ArbiterInput::Message { from, message },
        );
        let event = Event::Arbiter {
            input: &input,
            packet: None,
            outputs: &outputs,
            fates: &vec![Fate::Done; outputs.len()],
            arbiter: &arbiter,
        };
        self.show(oracle, event)
    }

    /// A unit starts with this on its disk.
    pub(crate) fn starts(
        &mut self,
        oracle: &mut dyn Observer,
        slot: Slot,
        boot: &Boot,
    ) -> Result<(), Violation> {
        let (unit, _) = started(slot, self.releases[usize::from(slot.0)], boot);
        let event = Event::Started { slot, boot, outputs: &[], fates: &[], unit: &unit };
        self.show(oracle, event)
    }
}

/// The register as it names slot 1 in `SESSION`.
pub(crate) fn eligible(lsn: u64) -> Eligible {
    Eligible { session: SESSION, slot: Slot(1), lsn: Lsn(lsn) }
}

/// What a disk holds whose store has this stamp.
pub(crate) fn boot(stamp: Stamp) -> Boot {
    Boot {
        boot: BootId(2),
        lost_disk: false,
        damaged: false,
        highest: Term(0),
        resets: 0,
        store: Some(store(stamp)),
    }
}

pub(crate) fn store(stamp: Stamp) -> Store {
    Store {
        text: Shared::text(""),
        stamp,
        listing: Shared::new(Vec::new()),
        origin: Shared::new(Vec::new()),
    }
}

/// Its first write.
pub(crate) fn persists(store: Store) -> Output {
    Output::Persist { write: WriteId(1), record: Record::Store(store) }
}

pub(crate) fn stamp(term: u64, lsn: u64) -> Stamp {
    Stamp { term: Term(term), lsn: Lsn(lsn) }
}

/// A unit that says that it acts.
pub(crate) fn acts(stamp: Stamp, origin: Origin, listed: &[&str]) -> Output {
    Output::Event(Told::Acts {
        stamp,
        origin,
        listed: listed.iter().map(|line| Shared::text(line)).collect(),
        gap: None,
    })
}

/// A stateful takeover from `SESSION`.
pub(crate) fn stateful(lsn: u64) -> Origin {
    Origin::Stateful { session: SESSION, lsn: Lsn(lsn) }
}

/// A command as a terminal enters it.
pub(crate) fn command(id: u64) -> Input {
    Input::Command(Command {
        id: CommandId(id),
        text: Shared::text("hostname r1"),
        durability: Durability::Acked,
    })
}

pub(crate) fn answer(id: u64, outcome: Outcome) -> Output {
    Output::Answer { id: CommandId(id), outcome }
}

/// A message to the other unit.
pub(crate) fn send(message: Message) -> Output {
    Output::Send { to: Address::Unit(Slot(1)), message }
}

fn with_env<T>(
    release: &str,
    pairings: &BTreeMap<PairingKey, Pairing>,
    act: impl FnOnce(&Env<'_>) -> T,
) -> T {
    let image = image(release);
    act(&Env {
        software: image.software(),
        pairings: &|key: &PairingKey| pairings.get(key),
        limits: &Limits::DEFAULT,
        policy: &Policy::default(),
        refuses: &takes_all,
        planted: Planted::NONE,
    })
}

/// A unit that starts with this on its disk, and what comes of it.
pub(crate) fn started(slot: Slot, release: &str, boot: &Boot) -> (Unit, Vec<Output>) {
    let mut outputs = Vec::new();
    let unit =
        with_env(release, &BTreeMap::new(), |env| Unit::start(env, slot, boot, &mut outputs));
    (unit, outputs)
}

/// A unit without a role.
pub(crate) fn idle(slot: Slot, release: &str) -> Unit {
    let boot = Boot {
        boot: BootId(1),
        lost_disk: false,
        damaged: false,
        highest: Term(0),
        resets: 0,
        store: None,
    };
    started(slot, release, &boot).0
}

/// The config that these lines make.
pub(crate) fn running(release: &str, text: &str) -> Running {
    let image = image(release);
    let factory = Running::factory(image.software());
    match factory.execute(image.software(), text) {
        Ok(Executed::Changed(running, _)) => running,
        Ok(Executed::Unchanged) => factory,
        Err(mismatch) => panic!("{mismatch:?}"),
    }
}

/// A unit that acts in `term`, with this config at `last`.
pub(crate) fn active(slot: Slot, term: u64, last: u64, release: &str, text: &str) -> Unit {
    let active = Active::new(Term(term), 1, 1, Lsn(last), running(release, text), 0);
    Unit { part: Role::Active(Box::new(active)), ..idle(slot, release) }
}

/// A unit that took up `term` with this origin, at `lsn`, and has no lease yet.
pub(crate) fn holder(slot: Slot, term: u64, origin: Origin, lsn: u64) -> Unit {
    let holder = Holder {
        term: Term(term),
        n_renew: 1,
        granted: 0,
        waits: None,
        origin,
        config: running("6.2", ""),
        lsn: Lsn(lsn),
        listed: Vec::new(),
        gap: None,
        suspended: None,
        lease: LeaseWait::Lease,
        queue: Queue::default(),
        queueing: Queueing::Open,
    };
    Unit { part: Role::Holder(holder), ..idle(slot, "6.2") }
}

/// Pairs two images, as Active and Standby do: the keys of what each computes.
fn pair(
    here: &Loaded,
    there: &Loaded,
    pairings: &mut BTreeMap<PairingKey, Pairing>,
) -> (PairingKey, PairingKey) {
    let key = |side, own: &Loaded, peer: &Loaded, received| PairingKey {
        side,
        own: own.digest(),
        peer: peer.digest(),
        received,
    };
    let dump = here.software().dump();
    let at_standby = key(PairingSide::Standby, there, here, dump.digest());
    let pairing = Pairing::compute(there.software(), &at_standby, dump, Planted::NONE);
    let pairing = pairing.expect("the images pair");
    let Pairing::Standby { diff, .. } = &pairing else { panic!("the Standby's pairing") };
    let diff = diff.clone();
    pairings.insert(at_standby, pairing);
    let at_active = key(PairingSide::Active, here, there, diff.digest());
    let pairing = Pairing::compute(here.software(), &at_active, &diff, Planted::NONE);
    pairings.insert(at_active, pairing.expect("the images pair"));
    (at_active, at_standby)
}

/// An Active in slot 0 and its Standby in slot 1, in `SESSION`, hot at one LSN.
pub(crate) struct Pair {
    pub(crate) active: Unit,
    pub(crate) standby: Unit,
}

impl Pair {
    /// An Active with this config, and what bulk sync makes of it at the Standby.
    pub(crate) fn with_releases(releases: [&'static str; 2], text: &str, lsn: u64) -> Self {
        let mut active = active(Slot(0), 1, lsn, releases[0], text);
        let (here, there) = (image(releases[0]), image(releases[1]));
        let mut pairings = BTreeMap::new();
        let keys = (here.digest() != there.digest()).then(|| pair(&here, &there, &mut pairings));
        let Role::Active(of) = &mut active.part else { panic!("an Active") };
        let sender = with_env(releases[0], &pairings, |env| {
            let pairing = keys.as_ref().map(|(at_active, _)| at_active);
            Sender::new(env, pairing, of.config(), stamp(1, lsn)).expect("a translation")
        });
        let (bytes, listing_at) = sender.file(Planted::NONE);
        let (receiver, unraised) = with_env(releases[1], &pairings, |env| {
            let pairing = keys.as_ref().map(|(_, at_standby)| at_standby);
            let (receiver, missing) =
                Receiver::from_file(env, pairing, &bytes, listing_at).expect("a config");
            assert_eq!(missing, []);
            let unraised = receiver.unraised(env);
            (receiver, unraised)
        });
        let with = Offered {
            session: SESSION,
            slot: Slot(1),
            image: there.digest(),
            engine: skewsync::message::Engine::OURS,
            bounds: Limits::DEFAULT.bounds(),
            wire: 1,
        };
        let at_active = keys.map(|(at_active, _)| at_active);
        let mut session = ActiveSession::hot(with, at_active, sender, Lsn(lsn));
        session.put_missing(Missing { unraised: Shared::new(unraised), ..Missing::default() });
        of.put_session(session);
        of.put_register(Register::confirmed(0, Some(eligible(lsn))));
        let seat = StandbySession {
            session: SESSION,
            active: Slot(0),
            image: here.digest(),
            engine: skewsync::message::Engine::OURS,
            bounds: Limits::DEFAULT.bounds(),
            pairing: keys.map(|(_, at_standby)| at_standby),
            phase: standby::StandbyPhase::Synced { kept: BTreeMap::new(), hot: None },
            told: (1, HeldBy::Register, Redundancy::Sso),
            saving: None,
            saving_file: None,
            saved: None,
            replica: None,
        };
        let replica = Replica {
            session: SESSION,
            applied: Lsn(lsn),
            heard: Lsn(lsn),
            receiver,
            readiness: Readiness::Ready,
        };
        let part = Role::Standby(Standby {
            seat: Some(Box::new(seat)),
            replica: Some(replica),
            former: None,
        });
        Self { active, standby: Unit { part, ..idle(Slot(1), releases[1]) } }
    }

    /// The Active's part.
    pub(crate) fn acting(&mut self) -> &mut Active {
        match &mut self.active.part {
            Role::Active(active) => active,
            Role::Standby(_) | Role::Holder(_) => panic!("an Active"),
        }
    }

    /// What the Active was told that the Standby lacks.
    pub(crate) fn missing(&mut self) -> &Missing {
        self.acting().peer().current().expect("in session").missing()
    }

    /// The Active was told this.
    pub(crate) fn put_missing(&mut self, missing: Missing) {
        let mut session = self.acting().peer().current().expect("in session").clone();
        session.put_missing(missing);
        self.acting().put_session(session);
    }

    /// What the Standby holds.
    pub(crate) fn replica(&mut self) -> &mut Replica {
        match &mut self.standby.part {
            Role::Standby(standby) => standby.replica.as_mut().expect("a replica"),
            Role::Active(_) | Role::Holder(_) => panic!("a Standby"),
        }
    }

    /// Gives the Standby what another one holds, at the same LSN.
    pub(crate) fn with_replica_of(mut self, mut other: Self) -> Self {
        let applied = self.replica().applied;
        let receiver = other.replica().receiver.clone();
        *self.replica() = Replica {
            session: SESSION,
            applied,
            heard: applied,
            receiver,
            readiness: Readiness::Ready,
        };
        self
    }

    /// Plays the pair on a stage with the register set, and ends the run there.
    pub(crate) fn judged_by(
        self,
        oracle: &mut dyn Observer,
        releases: [&'static str; 2],
    ) -> Result<(), Violation> {
        let mut stage = Stage::with_releases(releases);
        let Self { active, standby } = self;
        let lsn = match &active.part {
            Role::Active(active) => active.last().0,
            Role::Standby(_) | Role::Holder(_) => 0,
        };
        stage.register(oracle, Some(eligible(lsn)))?;
        stage.does(oracle, standby, &[])?;
        stage.does(oracle, active, &[])?;
        oracle.end(stage.history())
    }
}

/// What a violation is of.
pub(crate) fn broken_property(found: Result<(), Violation>) -> Option<Property> {
    found.err().map(|violation| violation.property)
}
