//! Where a machine runs: its process, timers, inbox, disk and clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use skewsync::digest::ImageDigest;

use skewsync::ids::{BootId, Term};
use skewsync::planted::Planted;
use skewsync::unit::{ArbiterTimer, Input, Pairing, PairingKey, RfState, Timer};

use super::Degradation;
use super::foreign::File;
use crate::catalog::{Catalog, Loaded, StockError};
use crate::observe::{Arbiter, Unit};
use crate::plan::fault::Foreign;
use crate::plan::{FaultName, UnitPlan};
use crate::world::clock::Clock;
use crate::world::disk::Disk;
use crate::world::link::Packet;

/// Packets and inputs that wait at a machine at most; later packets are lost.
pub(super) const INBOX_MAX: usize = 4_096;
/// Packets that a slot without a running unit keeps for the next one.
pub(super) const KEPT_MAX: usize = 16;

/// What waits at a unit.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// A frame.
    Packet(Packet),
    /// Anything else.
    Input(Input),
}

/// One slot: its unit, if it runs, and all that is the unit's.
pub struct Host {
    pub(super) image: Arc<Loaded>,
    first_image: ImageDigest,
    pub(super) unit: Option<Arc<Unit>>,
    pub(super) clock: Clock,
    /// The clock as the plan has it, without faults.
    pub(super) own_clock: Clock,
    pub(super) disk: Disk,
    pub(super) disk_us: u64,
    /// How much longer the disk takes for now.
    pub(super) disk_later_us: u64,
    /// When the last write that was begun ends: writes end in the order in which they began.
    pub(super) disk_busy_until: u64,
    /// How long the unit is busy after each step.
    pub(super) slow_us: u64,
    pub(super) busy_until: u64,
    pub(super) inbox: VecDeque<Arrival>,
    pub(super) timers: BTreeMap<Timer, u64>,
    pub(super) lease_end: Option<u64>,
    pub(super) renews: BTreeMap<(Term, u64), u64>,
    pub(super) pairings: BTreeMap<PairingKey, Arc<Pairing>>,
    pub(super) paused: bool,
    pub(super) pause: u64,
    pub(super) life: u64,
    pub(super) boot: BootId,
    /// How many of the next lines the unit's parser refuses.
    pub(super) refuses_lines: u32,
    /// The power goes in the middle of the next write of a store, of which so many bytes are
    /// written; the unit is down for so many milliseconds.
    pub(super) tears: Option<(u32, u64)>,
    /// Lasting faults that have struck here and changed nothing yet, by kind.
    pub(super) unseen: BTreeSet<FaultName>,
    /// Degradations under way, each with its number.
    pub(super) degradations: BTreeMap<Degradation, u64>,
    /// The payloads that its engine writes as the other does not read them, each until when.
    pub(super) foreign: BTreeMap<Foreign, Option<u64>>,
    /// The files that were sent, each with what is another engine's in it; none: no fault of the
    /// plan asks.
    pub(super) files: Option<BTreeMap<File, Option<Foreign>>>,
    pub(super) planted: Planted,
}

impl Host {
    pub(super) fn new(
        plan: &UnitPlan,
        catalog: &Catalog,
        planted: Planted,
    ) -> Result<Self, StockError> {
        let image = catalog.image(&plan.image)?;
        if !plan.digest.is_empty() && plan.digest != image.digest().to_string() {
            return Err(StockError::OtherDigest {
                image: plan.image.clone(),
                planned: plan.digest.clone(),
                found: image.digest().to_string(),
            });
        }
        let store = plan.startup.as_deref().map(|text| image.store(text));
        Ok(Self {
            first_image: image.digest(),
            image,
            unit: None,
            clock: Clock::new(plan.drift_ppm),
            own_clock: Clock::new(plan.drift_ppm),
            disk: Disk::with(store),
            disk_us: plan.disk_ms * 1_000,
            disk_later_us: 0,
            disk_busy_until: 0,
            slow_us: 0,
            busy_until: 0,
            inbox: VecDeque::new(),
            timers: BTreeMap::new(),
            lease_end: None,
            renews: BTreeMap::new(),
            pairings: BTreeMap::new(),
            paused: false,
            pause: 0,
            life: 0,
            boot: BootId(0),
            refuses_lines: 0,
            tears: None,
            unseen: BTreeSet::new(),
            degradations: BTreeMap::new(),
            foreign: BTreeMap::new(),
            files: None,
            planted,
        })
    }

    /// The unit, if it runs.
    pub fn unit(&self) -> Option<&Unit> {
        self.unit.as_deref()
    }

    /// The image that it runs, or ran last.
    pub fn image(&self) -> &Loaded {
        &self.image
    }

    /// The image with which the run began.
    pub const fn first_image(&self) -> ImageDigest {
        self.first_image
    }

    /// The boot of the unit that runs.
    pub fn boot(&self) -> Option<BootId> {
        self.unit.is_some().then_some(self.boot)
    }

    /// The disk.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether a unit runs here.
    pub const fn runs(&self) -> bool {
        self.unit.is_some()
    }

    /// Whether the unit acts as Active.
    pub fn acts(&self) -> bool {
        self.unit().is_some_and(acts)
    }

    /// Number of the life of the unit that runs.
    pub(super) const fn life(&self) -> u64 {
        self.life
    }

    pub(super) const fn ended_in(&self, life: u64) -> bool {
        self.unit.is_none() && self.life == life
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        if self.unit.is_none() || self.paused {
            return None;
        }
        let due = self.timers.values().copied().chain(self.lease_end).min();
        if self.inbox.is_empty() {
            due.map(|due| due.max(self.busy_until))
        } else {
            Some(self.busy_until)
        }
    }

    /// Whether anything is there for the unit to do.
    pub(super) fn waits(&self, now: u64) -> bool {
        let due = |at: &u64| *at <= now;
        !self.inbox.is_empty() || self.lease_end.iter().chain(self.timers.values()).any(due)
    }

    /// The timer that has been due longest, taken out.
    pub(super) fn due(&mut self, now: u64) -> Option<Timer> {
        let (&timer, &due) = self.timers.iter().min_by_key(|(_, due)| **due)?;
        if due > now {
            return None;
        }
        self.timers.remove(&timer);
        Some(timer)
    }

    /// A packet for this slot: what was sent to the last boot arrives at the next.
    pub(super) fn arrive(&mut self, packet: Packet) -> bool {
        let most = if self.unit.is_some() { INBOX_MAX } else { KEPT_MAX };
        let taken = self.inbox.len() < most;
        if taken {
            self.inbox.push_back(Arrival::Packet(packet));
        }
        taken
    }

    /// The process is gone, and what it held: its timers, its inputs, its lease.
    pub(super) fn clear(&mut self) {
        self.unit = None;
        self.timers.clear();
        self.inbox.clear();
        self.lease_end = None;
        self.renews.clear();
        self.pairings.clear();
        self.paused = false;
        self.pause += 1;
        self.refuses_lines = 0;
        self.busy_until = 0;
        self.disk_busy_until = 0;
    }
}

/// The arbiter's place. Its state is durable: a crash loses its timers and its inbox.
pub struct ArbiterHost {
    pub(super) arbiter: Arc<Arbiter>,
    /// What its disk held, and since when; none: no fault of the plan asks.
    pub(super) kept: Option<Vec<(u64, Arbiter)>>,
    /// What its disk has when it starts again, if that is not what it held.
    pub(super) finds: Option<Finds>,
    /// The greatest term that it ever used, and the greatest generation that it ever told: its
    /// world knows.
    pub(super) used: (Term, u64),
    pub(super) running: bool,
    pub(super) started: bool,
    pub(super) inbox: VecDeque<Packet>,
    pub(super) timers: BTreeMap<ArbiterTimer, u64>,
    pub(super) planted: Planted,
}

/// What the arbiter's disk has instead of its state.
#[derive(Clone, Debug)]
pub(super) enum Finds {
    /// Nothing.
    Nothing,
    /// An older state.
    Older(Box<Arbiter>),
}

impl ArbiterHost {
    pub(super) fn new(planted: Planted) -> Self {
        Self {
            arbiter: Arc::default(),
            kept: None,
            finds: None,
            used: (Term(0), 0),
            running: false,
            started: false,
            inbox: VecDeque::new(),
            timers: BTreeMap::new(),
            planted,
        }
    }

    /// What its disk held at a time; its first state if it had none.
    pub(super) fn before(&self, at_us: u64) -> Arbiter {
        let kept = self.kept.iter().flatten().rev();
        let mut older = kept.skip_while(|(since, _)| *since > at_us);
        older.next().map(|(_, state)| state.clone()).unwrap_or_default()
    }

    /// The arbiter's state.
    pub fn arbiter(&self) -> &Arbiter {
        &self.arbiter
    }

    /// Whether it runs.
    pub const fn runs(&self) -> bool {
        self.running
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        if !self.running {
            return None;
        }
        self.timers.values().copied().min()
    }

    pub(super) fn due(&mut self, now: u64) -> Option<ArbiterTimer> {
        let (&timer, &due) = self.timers.iter().min_by_key(|(_, due)| **due)?;
        if due > now {
            return None;
        }
        self.timers.remove(&timer);
        Some(timer)
    }

    pub(super) fn arrive(&mut self, packet: Packet) -> bool {
        let taken = self.running && self.inbox.len() < INBOX_MAX;
        if taken {
            self.inbox.push_back(packet);
        }
        taken
    }
}

/// Whether a unit acts as Active.
pub(super) fn acts(unit: &Unit) -> bool {
    matches!(unit.rf_state(), RfState::Active | RfState::ActiveDrain)
}
