//! The history: what all facts up to now come to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::digest::ImageDigest;
use skewsync::ids::{BootId, CommandId, Lsn, Slot, Term};
use skewsync::message::{Address, Eligible, Missing, Origin, Redundancy, Session, Stamp, Verdict};
use skewsync::translate::complement::Complements;
use skewsync::translate::{Lowering, Raising};
use skewsync::unit::holder::Gap;
use skewsync::unit::rf_state::ReplicaShown;
use skewsync::unit::{ArbiterInput, Copies, Event as Told, Limits, Outcome, RfState, Store};
use strum::IntoStaticStr;

use super::line::LineUnknown;
use super::{Fact, What};
use crate::observe::Fate;
use crate::plan::FaultKind;

/// What all facts up to now come to.
#[derive(Debug)]
pub struct History {
    /// Virtual time in microseconds.
    pub now_us: u64,
    /// The lengths and bounds of the run.
    pub limits: Arc<Limits>,
    /// The units: that of slot n is the n-th.
    pub units: Vec<Unit>,
    /// The arbiter, if it runs.
    pub arbiter: Option<Arbiter>,
    /// What the arbiter's register held last.
    pub register: Option<Eligible>,
    /// The greatest LSN that was returned `replicated`, by term.
    pub replicated: BTreeMap<Term, Lsn>,
    /// The same less what was lawfully lost since.
    pub promised: BTreeMap<Term, Lsn>,
    /// The image of each boot.
    pub images: BTreeMap<(Slot, BootId), ImageDigest>,
    /// Which terms the arbiter offered with the line unknown.
    pub line: LineUnknown,
    /// Ordered pairs of places between which no frame passes.
    pub barred: BTreeSet<(Address, Address)>,
}

/// One slot and its unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The image that it runs, or ran last.
    pub image: Image,
    /// Its boot, if it runs.
    pub boot: Option<BootId>,
    /// Whether it is suspended, or so slow that it holds no bound in time.
    pub suspended: bool,
    /// When its lease ends, in microseconds of true time.
    pub lease_end_us: Option<u64>,
    /// When it and the arbiter last may not have reached each other.
    pub parted: Parted,
    /// What its clock has counted while it ran, in microseconds.
    pub counted_us: u64,
    /// What it is, if it runs.
    pub machine: Option<Machine>,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// The event; 0: there was none.
    pub event: u64,
    /// Virtual time in microseconds.
    pub at_us: u64,
}

/// An image, by digest and by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub digest: ImageDigest,
    /// Its name.
    pub name: Arc<str>,
}

/// What a unit is that runs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its role.
    pub role: Role,
    /// What it shows of itself.
    pub shows: RfState,
    /// What it shows of its replica.
    pub shows_replica: Option<ReplicaShown>,
    /// What it boots.
    pub store: Store,
    /// The highest term that is on its disk for certain.
    pub durable: Term,
    /// Writes under way.
    pub writes: usize,
}

/// What a unit does.
#[derive(Clone, Debug)]
pub enum Role {
    /// It has no role.
    Standby(Waiting),
    /// It has a role and no lease.
    Holder(Holding),
    /// It acts.
    Active(Acting),
}

/// A unit without a role.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its session; none: it is joining.
    pub seat: Option<Seat>,
    /// What it holds of an Active.
    pub replica: Option<Replica>,
    /// The config with which it held the role before another unit did.
    pub former: Option<Config>,
}

/// A session, at the Standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The session.
    pub session: Session,
    /// How far it is.
    pub phase: StandbyPhase,
    /// Lines that came early and are kept.
    pub kept: usize,
}

/// What a Standby holds of an Active.
#[derive(Clone, Debug)]
pub struct Replica {
    /// The session that it is of.
    pub session: Session,
    /// The last change applied.
    pub applied: Lsn,
    /// Whether it may take over with it: it has not declared itself not ready.
    pub ready: bool,
    /// Its translation; the Standby's own config is in it.
    pub raising: Raising,
}

/// A unit that has a role and no lease.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The term.
    pub term: Term,
    /// Its config's last LSN.
    pub lsn: Lsn,
    /// Where its config came from.
    pub origin: Origin,
    /// Where its config stood if it outlived its session.
    pub gap: Option<Gap>,
    /// Commands that wait for the role to come back or to be gone.
    pub queue: Arc<[CommandId]>,
}

/// A unit that acts.
#[derive(Clone, Debug)]
pub struct Acting {
    /// Its term.
    pub term: Term,
    /// The last LSN.
    pub last: Lsn,
    /// The running config, at `last`.
    pub config: Config,
    /// What is kept beside it for the way back.
    pub kept: Arc<Complements>,
    /// Its Standby's session.
    pub session: Option<InSession>,
    /// A session that was offered and not taken yet.
    pub offered: Option<Session>,
    /// A session that was left and whose Standby has not said so.
    pub leaving: Option<Session>,
    /// What it shows of its Standby.
    pub shows_peer: RfState,
    /// The mode of redundancy that the pair is in.
    pub mode: Redundancy,
    /// The mode that policy and limits allow.
    pub allowed: Redundancy,
    /// Ordered resets that it counts.
    pub resets: u32,
    /// Failed attempts that it counts.
    pub attempts: u32,
    /// Whether it knows the register to be set.
    pub register_is_set: bool,
    /// Prompts that it holds.
    pub prompts: usize,
    /// Commands that wait for the end of a drain, or for room.
    pub queue: Arc<[CommandId]>,
    /// Whether a planned switchover drains.
    pub drains: bool,
    /// Whether a save is under way.
    pub saves: bool,
}

/// A session, at the Active.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The session.
    pub session: Session,
    /// The Standby's image.
    pub image: ImageDigest,
    /// How far it is.
    pub phase: ActivePhase,
    /// The translation, from the snapshot on.
    pub lowering: Option<Lowering>,
    /// Changes after what is applied.
    pub journal: usize,
    /// The last change that the Standby has.
    pub acked: Lsn,
    /// What the Standby lacks beside what is stuck here, as it said last.
    pub missing: Missing,
}

/// How far a session is, at the Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum ActivePhase {
    /// The dump goes out, the diff comes back.
    Dump,
    /// The diff comes.
    Diff,
    /// The images are paired.
    Pairing,
    /// Compatible; the register is not known to be clear yet.
    Config,
    /// The snapshot goes out.
    Bulk,
    /// Lines go out; the Standby is not asked to be hot yet.
    Cold,
    /// `Hot` was sent.
    HotSent,
    /// `HotAck` came.
    HotAcked,
    /// The register is being written.
    Setting,
    /// The register is confirmed.
    Hot,
    /// The shadow was refused.
    Rejected(Verdict),
    /// Incompatible.
    Held,
}

/// How far a session is, at the Standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum StandbyPhase {
    /// The offer was taken.
    Ready,
    /// The dump comes.
    Dump,
    /// The images are paired.
    Pairing,
    /// The diff was sent.
    Diffed,
    /// The running config comes.
    Config,
    /// Executed and verified; the Active judges.
    Shadow,
    /// The shadow is the replica; lines are applied.
    Synced,
    /// Something does not decode.
    Unread,
    /// STANDBY COLD, in session.
    Rpr,
    /// Held, or incompatible.
    Held,
}

/// The arbiter that runs.
#[derive(Clone, Debug, Default)]
pub struct Arbiter {
    /// Whether a lease runs.
    pub lease_runs: bool,
    /// Whether an offer stands.
    pub offers: bool,
    /// Whether it waits for whoever may hold a lease that it does not know of.
    pub silent: bool,
    /// What was held in an earlier term is off the line.
    pub floor: Term,
    /// The number of the latest Hello of each unit of which it knows what it said.
    pub heard: BTreeMap<Slot, u64>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            now_us: 0,
            limits: Arc::new(Limits::DEFAULT),
            units: Vec::new(),
            arbiter: None,
            register: None,
            replicated: BTreeMap::new(),
            promised: BTreeMap::new(),
            images: BTreeMap::new(),
            line: LineUnknown::default(),
            barred: BTreeSet::new(),
        }
    }
}

impl Unit {
    /// A slot with this image in which nothing runs.
    pub(super) const fn new(image: Image) -> Self {
        Self {
            image,
            boot: None,
            suspended: false,
            lease_end_us: None,
            parted: Parted { event: 0, at_us: 0 },
            counted_us: 0,
            machine: None,
        }
    }

    /// Its role, if it runs.
    pub fn role(&self) -> Option<&Role> {
        self.machine.as_ref().map(|machine| &machine.role)
    }

    /// What it acts with, if it acts.
    pub fn acting(&self) -> Option<&Acting> {
        match self.role()? {
            Role::Active(acting) => Some(acting),
            Role::Standby(_) | Role::Holder(_) => None,
        }
    }

    /// What it waits with, if it has no role.
    pub fn waiting(&self) -> Option<&Waiting> {
        match self.role()? {
            Role::Standby(waiting) => Some(waiting),
            Role::Active(_) | Role::Holder(_) => None,
        }
    }

    /// Whether it acts within its lease.
    pub fn acts_at(&self, now_us: u64) -> bool {
        self.acting().is_some() && self.lease_end_us.is_some_and(|end| end > now_us)
    }
}

impl Role {
    /// Whether the unit takes messages of this session.
    pub fn takes(&self, session: Session) -> bool {
        let is = |of: Option<Session>| of == Some(session);
        match self {
            Self::Standby(waiting) => is(waiting.seat.map(|seat| seat.session)),
            Self::Active(acting) => {
                let current = acting.session.as_ref().map(|current| current.session);
                is(current) || is(acting.offered) || is(acting.leaving)
            }
            Self::Holder(_) => false,
        }
    }
}

impl Acting {
    /// The stamp of its config.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.term, lsn: self.last }
    }
}

impl Replica {
    /// The Standby's config.
    pub fn config(&self) -> &Config {
        self.raising.config()
    }

    /// The stamp of the config.
    pub const fn stamp(&self) -> Stamp {
        Stamp { term: self.session.term, lsn: self.applied }
    }
}

impl ActivePhase {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl StandbyPhase {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl History {
    /// A slot and its unit; none: the chassis has no such slot.
    pub fn unit(&self, slot: Slot) -> Option<&Unit> {
        self.units.get(usize::from(slot.0))
    }

    pub(super) fn unit_mut(&mut self, slot: Slot) -> Option<&mut Unit> {
        self.units.get_mut(usize::from(slot.0))
    }

    /// The slots and their units.
    pub fn slots(&self) -> impl Iterator<Item = (Slot, &Unit)> {
        (0..).map(Slot).zip(&self.units)
    }

    /// What the unit of a slot acts with, if it acts.
    pub fn acting_in(&self, slot: Slot) -> Option<&Acting> {
        self.unit(slot)?.acting()
    }

    /// The unit that acts, and its slot: the first, if there are more.
    pub fn active(&self) -> Option<(Slot, &Acting)> {
        self.slots().find_map(|(slot, unit)| Some((slot, unit.acting()?)))
    }

    /// The units that act within their leases.
    pub fn acting(&self) -> impl Iterator<Item = Slot> {
        let acts = |(_, unit): &(Slot, &Unit)| unit.acts_at(self.now_us);
        self.slots().filter(acts).map(|(slot, _)| slot)
    }

    /// The other units.
    pub fn others(&self, slot: Slot) -> impl Iterator<Item = (Slot, &Unit)> {
        self.slots().filter(move |(of, _)| *of != slot)
    }

    /// The boot of a unit, if it runs.
    pub fn boot(&self, slot: Slot) -> Option<BootId> {
        self.unit(slot)?.boot
    }

    /// Whether frames pass between two places in both ways.
    pub fn connects(&self, one: Address, other: Address) -> bool {
        ![(one, other), (other, one)].iter().any(|link| self.barred.contains(link))
    }

    /// Whether frames pass everywhere now.
    pub fn whole(&self) -> bool {
        self.barred.is_empty()
    }

    /// For how long a unit and the arbiter have reached each other, as far as is known.
    pub fn in_reach_us(&self, slot: Slot) -> u64 {
        self.unit(slot).map_or(0, |unit| self.now_us - unit.parted.at_us)
    }

    /// Folds a fact in.
    pub(super) fn fold(&mut self, fact: &Fact<'_>) {
        let now = Parted { event: fact.event, at_us: fact.at_us };
        let slot = fact.slot();
        let unit = slot.and_then(|slot| self.units.get_mut(usize::from(slot.0)));
        match fact.what {
            What::Started { boot } => {
                if let (Some(slot), Some(unit)) = (slot, unit) {
                    unit.parted = now;
                    unit.boot = Some(boot.boot);
                    self.images.insert((slot, boot.boot), unit.image.digest);
                }
            }
            What::Ended { boot: None, .. } => {
                self.arbiter = None;
                self.units.iter_mut().for_each(|unit| unit.parted = now);
            }
            What::Ended { boot: Some(_), .. } => {
                if let (Some(slot), Some(unit)) = (slot, unit) {
                    unit.parted = now;
                    unit.boot = None;
                    unit.machine = None;
                    self.line.forget(slot);
                }
            }
            What::Suspended { .. } => {
                if let Some(unit) = unit {
                    unit.parted = now;
                }
            }
            // What it waited counts for nothing on a clock that is set back.
            What::Fault { of: Some(fault), .. } => {
                if let FaultKind::ClockStep { slot, by_ms } = fault.kind
                    && by_ms < 0
                    && let Some(unit) = self.unit_mut(Slot(slot))
                {
                    let back_us = 1_000 * by_ms.unsigned_abs();
                    unit.counted_us = unit.counted_us.saturating_sub(back_us);
                }
            }
            What::LeaseIs { until_us } => {
                if let Some(unit) = unit {
                    unit.lease_end_us = until_us;
                }
            }
            What::Sent { message, fault: Some(_), .. } | What::Undelivered { message, .. } => {
                let ends = (message.from, message.to);
                if let (Address::Arbiter, Address::Unit(slot))
                | (Address::Unit(slot), Address::Arbiter) = ends
                    && let Some(unit) = self.unit_mut(slot)
                {
                    unit.parted = now;
                }
            }
            What::ArbiterTook { input, .. } => {
                if matches!(input, ArbiterInput::Recovered { .. } | ArbiterInput::StateLost { .. })
                {
                    self.units.iter_mut().for_each(|unit| unit.parted = now);
                }
                self.line.takes(input, &self.limits);
            }
            What::ArbiterSays { event } => self.line.hears(event),
            What::RegisterWritten { now, .. } => self.register = now,
            What::Answered {
                outcome: Outcome::Done { term, lsn, place: Copies::Replicated, .. },
                fate: Fate::Done,
                ..
            } => {
                for returned in [&mut self.replicated, &mut self.promised] {
                    let most = returned.entry(*term).or_insert(*lsn);
                    *most = (*most).max(*lsn);
                }
            }
            What::Says { event: Told::Acts { stamp, origin, .. }, .. }
                if !matches!(origin, Origin::Stateful { .. }) =>
            {
                // A lawful loss is past: what goes on from here is the config that was taken up.
                self.promised.retain(|_, lsn| *lsn <= stamp.lsn);
            }
            _ => {}
        }
    }

    /// The unit is this from now on.
    pub(super) fn stands(&mut self, slot: Slot, machine: Machine) {
        self.line.follow(slot, &machine.role);
        let unit = self.unit_mut(slot).expect("the slot is one of the chassis");
        unit.machine = Some(machine);
    }
}
