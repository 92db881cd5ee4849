//! The driver: feeds inputs to the machines and performs their outputs in order, without ever
//! waiting (PROTOCOL.md, section 7). It knows true time only as a number that it is told; whoever
//! runs it (`world`) carries out its orders.

mod arrive;
mod enter;
mod foreign;
mod host;
mod inject;
mod job;
mod perform;
#[cfg(test)]
mod tests;
mod timed_faults;
mod trigger;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::digest::ImageDigest;

use skewsync::ids::{BootId, Slot};
use skewsync::message::Address;
use skewsync::planted::Defect;
use skewsync::policy::Policy;
use skewsync::unit::{ArbiterInput, Input, Limits};
use skewsync_model::property::Property;

pub use host::{ArbiterHost, Arrival, Host};
pub use job::{Job, Order};
pub(crate) use perform::PAIRING_US;
pub use timed_faults::Degradation;

use crate::catalog::{Catalog, Loaded, StockError};
use crate::hash::mix;
use crate::history::{Historian, History};
use crate::observe::{Arbiter, ClusterView, Event, Observed, Tap, Unit, Violation};
use crate::plan::exemption::{self, Exemption};
use crate::plan::{Fault, FaultKind, FaultName, Network, Plan, Reseed};
use crate::world::link::{Barrier, Links, Packet};
use trigger::Triggers;
pub use trigger::{Met, Now};

/// The driver of a whole pair: both units, the arbiter, their disks, timers, inboxes, and the
/// links.
pub struct Cluster {
    limits: Limits,
    policy: Policy,
    plan: Arc<Plan>,
    catalog: Arc<Catalog>,
    hosts: Vec<Host>,
    arbiter_host: ArbiterHost,
    /// What the driver draws from.
    world: u64,
    /// The other world that is to come.
    reseed: Option<Reseed>,
    links: Links,
    triggers: Triggers,
    /// Who makes facts of it; none while it does.
    historian: Option<Box<Historian>>,
    taps: Vec<Box<dyn Tap>>,
    slots: Vec<Slot>,
    later: Vec<(u64, Job)>,
    orders: Vec<Order>,
    wakes: Vec<Address>,
    ids: BTreeMap<u64, crate::plan::MessageId>,
    now_us: u64,
    events: u64,
    steps: u64,
    commands: u64,
    /// How often each command was entered, by the hash of what it is.
    entered: BTreeMap<u64, u64>,
    pairings: u64,
    /// Cuts and clogs that took or kept no message yet, each with its kind of fault.
    idle: BTreeMap<Barrier, FaultName>,
    barriers: Barrier,
    /// Degradations that have begun.
    degradations: u64,
    calm: bool,
    /// Why runs of this plan are exempt from some properties.
    exemptions: Vec<Exemption>,
    violation: Option<Violation>,
    /// The number of the event that broke a property.
    violated_at: Option<u64>,
}

impl Cluster {
    /// A pair as the plan describes it; nothing has started.
    ///
    /// # Errors
    /// An image that the catalog does not have or that is not the plan's, a defect that this build
    /// has not.
    pub fn new(
        plan: Arc<Plan>,
        catalog: Arc<Catalog>,
        historian: Historian,
        taps: Vec<Box<dyn Tap>>,
    ) -> Result<Self, StockError> {
        let planted = catalog.planted(plan.planted.as_deref())?;
        let host = |at: usize| {
            let foreign = |fault: &Fault| {
                let of = matches!(fault.kind, FaultKind::ForeignPayload { .. });
                of && fault.slot() == Some(at as u8)
            };
            let mut host = Host::new(&plan.units[at], &catalog, planted)?;
            host.files = plan.faults.iter().any(foreign).then(Default::default);
            Ok(host)
        };
        let hosts: Vec<Host> = (0..plan.units.len()).map(host).collect::<Result<_, _>>()?;
        let slots = (0..).map(Slot).take(hosts.len()).collect();
        let older = |fault: &Fault| matches!(fault.kind, FaultKind::ArbiterOlder { .. });
        let goes_back = plan.faults.iter().any(older);
        let mut arbiter_host = ArbiterHost::new(planted);
        arbiter_host.kept = goes_back.then(Vec::new);
        let triggers = Triggers::new(&plan);
        let later =
            triggers.instants().chain([(plan.horizon_ms * 1_000, Job::FaultsStopped)]).collect();
        let mut cluster = Self {
            limits: Limits { arbiter_may_go_back: goes_back, ..catalog.limits().clone() },
            policy: catalog.policy().clone(),
            hosts,
            arbiter_host,
            world: plan.world,
            reseed: plan.reseed,
            links: Links::new(plan.world, plan.latency_us, plan.noise.clone()),
            triggers,
            historian: Some(Box::new(historian)),
            taps,
            slots,
            later,
            orders: Vec::new(),
            wakes: Vec::new(),
            ids: BTreeMap::new(),
            now_us: 0,
            events: 0,
            steps: 0,
            commands: 0,
            entered: BTreeMap::new(),
            pairings: 0,
            idle: BTreeMap::new(),
            barriers: 0,
            degradations: 0,
            calm: false,
            exemptions: Exemption::of_plan(&plan, catalog.limits()),
            violation: None,
            violated_at: None,
            plan,
            catalog,
        };
        cluster.look();
        Ok(cluster)
    }

    /// Sets the clock. True time never runs backward.
    pub fn at(&mut self, now_us: u64) {
        assert!(now_us >= self.now_us, "time runs forward");
        self.now_us = now_us;
        if let Some(reseed) = self.reseed.filter(|reseed| reseed.at_us <= now_us) {
            self.reseed = None;
            self.world = reseed.world;
            self.links.reseed(reseed.world);
        }
    }

    /// Starts the machine in a place: its process is new.
    pub fn start(&mut self, place: Address) {
        if self.violation.is_some() {
            return;
        }
        match place {
            Address::Unit(slot) => self.start_unit(slot),
            Address::Arbiter => self.start_arbiter(),
        }
    }

    /// Does all that is due in a place, in a fixed order: the lease's end, then timers by when they
    /// were due (of two at one instant the one that the engine lists first), then the inbox as it
    /// was filled. When the next timer is due.
    pub fn work(&mut self, place: Address) -> Option<u64> {
        while self.violation.is_none() {
            let worked = match place {
                Address::Unit(slot) => self.work_unit(slot),
                Address::Arbiter => self.work_arbiter(),
            };
            if !worked {
                break;
            }
        }
        match place {
            Address::Unit(slot) => self.hosts[usize::from(slot.0)].next_due(),
            Address::Arbiter => self.arbiter_host.next_due(),
        }
    }

    /// Does a job whose time has come.
    pub fn job(&mut self, job: Job) {
        if self.violation.is_some() {
            return;
        }
        match job {
            Job::Deliver(packet) => self.arrive(packet),
            Job::Written { slot, life, write, durable } => {
                self.written(slot, life, write, durable);
            }
            Job::Paired { slot, life, key } => {
                let host = &mut self.hosts[usize::from(slot.0)];
                if host.life() == life {
                    host.inbox.push_back(Arrival::Input(Input::Paired(key)));
                    self.wakes.push(Address::Unit(slot));
                }
            }
            Job::Due { index, .. } => {
                if let Some(event) = self.triggers.take(index, None, self.now()) {
                    self.carry_out(event);
                }
            }
            Job::Restart { slot, life } => {
                if self.hosts[usize::from(slot.0)].ended_in(life) {
                    self.orders.push(Order::Restart(Address::Unit(slot)));
                }
            }
            Job::RestartArbiter => {
                if !self.arbiter_host.runs() {
                    self.orders.push(Order::Restart(Address::Arbiter));
                }
            }
            Job::Resume { slot, pause } => {
                if self.hosts[usize::from(slot.0)].pause == pause {
                    self.resume(slot);
                }
            }
            Job::Heal(links, barrier) => {
                self.idle.remove(&barrier);
                for (from, to) in links {
                    self.links.heal(from, to, barrier);
                }
            }
            Job::Clog(from, to, barrier) => self.block(from, to, barrier),
            Job::Unclog(from, to, barrier) => self.unclog(from, to, barrier),
            Job::DiskServes(slot) => self.hosts[usize::from(slot.0)].disk.refuse(false),
            Job::Tear { slot, life, write, bytes, down_ms } => {
                if self.hosts[usize::from(slot.0)].life() == life {
                    self.tear(slot, write, bytes, down_ms);
                }
            }
            Job::EndDegradation { slot, degradation, number } => {
                self.end_degradation(slot, degradation, number);
            }
            Job::FaultsStopped => self.calm(),
        }
    }

    /// Bytes came over the world's own sockets.
    pub fn socket(&mut self, bytes: &[u8]) {
        let Some((number, frame)) = bytes.split_first_chunk::<8>() else {
            return;
        };
        let number = u64::from_le_bytes(*number);
        let Some(id) = self.ids.get(&number).copied() else {
            return;
        };
        if self.violation.is_none() {
            self.arrive(Packet { id, copy: 0, number, arrives_by: None, bytes: frame.into() });
        }
    }

    /// What is to be told later, each with its delay in microseconds.
    pub fn take_later(&mut self) -> Vec<(u64, Job)> {
        std::mem::take(&mut self.later)
    }

    /// What is to be done to nodes.
    pub fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Where there is something to do.
    pub fn take_wakes(&mut self) -> Vec<Address> {
        std::mem::take(&mut self.wakes)
    }

    /// The first property that did not hold.
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// The number of the event that broke it; none if the whole run did.
    pub const fn violated_at(&self) -> Option<u64> {
        self.violated_at
    }

    /// Ends the run: asks every observer about the whole.
    pub fn end(&mut self) {
        self.show(|tap, scene, broken| tap.end(scene, broken));
    }

    /// Shows something to everybody who looks. Whether it was the first that broke a property.
    fn show(
        &mut self,
        show: impl Fn(&mut dyn Tap, &dyn ClusterView, &mut dyn FnMut(Violation)),
    ) -> bool {
        let mut historian = self.historian.take();
        let mut taps = std::mem::take(&mut self.taps);
        let mut first = None;
        let mut broken = |violation: Violation| {
            if !exemption::covers(&self.exemptions, violation.property) {
                first.get_or_insert(violation);
            }
        };
        if let Some(historian) = &mut historian {
            show(&mut **historian, self, &mut broken);
        }
        for tap in &mut taps {
            show(&mut **tap, self, &mut broken);
        }
        (self.historian, self.taps) = (historian, taps);
        let is_first = self.violation.is_none() && first.is_some();
        self.violation = self.violation.take().or(first);
        is_first
    }

    /// How often each property was checked.
    pub fn checked(&self) -> Vec<(Property, u64)> {
        let taps = self.taps.iter().flat_map(|tap| tap.checked());
        let facts = self.historian.iter().flat_map(|historian| historian.checked());
        facts.chain(taps).collect()
    }

    /// Further figures of the observers, by name.
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        self.taps.iter().flat_map(|tap| tap.figures()).collect()
    }

    /// Steps of all machines.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Messages sent.
    pub const fn messages(&self) -> u64 {
        self.links.sent()
    }

    /// Whether the liveness phase has begun.
    pub const fn is_calm(&self) -> bool {
        self.calm
    }

    /// What the driver draws from now.
    pub const fn world(&self) -> u64 {
        self.world
    }

    /// Virtual time in microseconds.
    pub const fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The faults and the commands that were done, with their anchors as they were met: what a
    /// written plan holds. Those that are missing were never reached.
    pub fn met(&self) -> (Vec<Met>, Vec<Met>) {
        self.triggers.met()
    }

    /// The anchors that were never reached, as the plan writes them.
    pub fn drift(&self) -> Vec<String> {
        self.triggers.unmet()
    }

    /// The hosts of the units, by slot.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The places of the chassis.
    pub fn places(&self) -> Vec<Address> {
        let units = self.slots.iter().map(|slot| Address::Unit(*slot));
        std::iter::once(Address::Arbiter).chain(units).collect()
    }

    /// The arbiter's host.
    pub const fn arbiter_host(&self) -> &ArbiterHost {
        &self.arbiter_host
    }

    /// What happened up to now.
    ///
    /// # Panics
    /// While something is shown.
    pub fn history(&self) -> &History {
        self.historian.as_ref().expect("nothing is shown meanwhile").history()
    }

    /// The history begins with what is there.
    fn look(&mut self) {
        let mut historian = self.historian.take();
        if let Some(historian) = &mut historian {
            historian.look(self);
        }
        self.historian = historian;
    }

    /// Shows a unit before it makes a step.
    fn foretell(&mut self, slot: Slot, input: &Input) {
        self.show(|tap, scene, _| tap.before(slot, input, scene));
    }

    pub(crate) fn emit(&mut self, event: Event<'_>) {
        self.events += 1;
        let seen = Observed { number: self.events, at_us: self.now_us, event };
        if self.show(|tap, scene, broken| tap.see(&seen, scene, broken)) {
            self.violated_at = Some(seen.number);
        }
    }

    fn work_unit(&mut self, slot: Slot) -> bool {
        let now = self.now_us;
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() || host.paused {
            return false;
        }
        if host.busy_until > now {
            if host.waits(now) {
                self.came_to_bear(slot, &[FaultName::UnitSlow]);
            }
            return false;
        }
        let host = &mut self.hosts[usize::from(slot.0)];
        // Planted: what was queued comes before the timers that are due.
        let queue_first = host.planted.is(Defect::TimersAfterQueue);
        if queue_first && let Some(arrival) = host.inbox.pop_front() {
            self.take_in(slot, arrival);
            return true;
        }
        if host.lease_end.is_some_and(|end| end <= now) {
            host.lease_end = None;
            self.step_unit(slot, Input::LeaseLapsed, None, None);
        } else if let Some(timer) = host.due(now) {
            self.step_unit(slot, Input::Timer(timer), None, None);
        } else if let Some(arrival) = host.inbox.pop_front() {
            self.take_in(slot, arrival);
        } else {
            return false;
        }
        true
    }

    fn take_in(&mut self, slot: Slot, arrival: Arrival) {
        match arrival {
            Arrival::Input(input) => self.step_unit(slot, input, None, None),
            Arrival::Packet(packet) => self.deliver(Address::Unit(slot), packet),
        }
    }

    fn work_arbiter(&mut self) -> bool {
        if !self.arbiter_host.runs() {
            return false;
        }
        if let Some(timer) = self.arbiter_host.due(self.now_us) {
            self.step_arbiter(ArbiterInput::Timer(timer), None);
        } else if let Some(packet) = self.arbiter_host.inbox.pop_front() {
            self.deliver(Address::Arbiter, packet);
        } else {
            return false;
        }
        true
    }

    /// A number that the plan's world and `about` decide.
    const fn draw(&self, about: u64) -> u64 {
        mix(self.world ^ about.rotate_left(32))
    }

    /// Where the run is.
    const fn now(&self) -> Now {
        Now { us: self.now_us, events: self.events }
    }

    fn sockets(&self) -> bool {
        self.plan.network == Network::Sockets
    }
}

impl ClusterView for Cluster {
    fn slots(&self) -> &[Slot] {
        &self.slots
    }

    fn unit(&self, slot: Slot) -> Option<&Unit> {
        self.hosts[usize::from(slot.0)].unit()
    }

    fn arbiter(&self) -> Option<&Arbiter> {
        self.arbiter_host.runs().then(|| self.arbiter_host.arbiter())
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn image(&self, slot: Slot) -> (ImageDigest, &str) {
        let image: &Loaded = self.hosts[usize::from(slot.0)].image();
        (image.digest(), image.name())
    }

    fn boot(&self, slot: Slot) -> Option<BootId> {
        self.hosts[usize::from(slot.0)].boot()
    }

    fn lease_end(&self, slot: Slot) -> Option<u64> {
        self.hosts[usize::from(slot.0)].lease_end
    }

    fn paused(&self, slot: Slot) -> bool {
        let host = &self.hosts[usize::from(slot.0)];
        host.paused || host.slow_us > 0
    }

    fn counts_us(&self, slot: Slot, true_us: u64) -> u64 {
        self.hosts[usize::from(slot.0)].clock.counts_us(true_us)
    }

    fn barred(&self) -> &BTreeSet<(Address, Address)> {
        self.links.barred()
    }
}
