//! Fault injection: what each fault of a plan does.

use std::sync::Arc;

use skewsync::ids::{Slot, WriteId};
use skewsync::message::Address;
use skewsync::unit::Env;
use skewsync::unit::env::takes_all;

use super::host::Finds;
use super::{Cluster, Job, Order};
use crate::observe::Event;
use crate::plan::{Fault, FaultKind, FaultName, Link};
use crate::world::disk::Disk;
use crate::world::link::Barrier;

impl Cluster {
    pub(super) fn inject(&mut self, fault: &Fault) {
        if self.calm {
            return;
        }
        let kind = fault.name();
        let effect = match &fault.kind {
            FaultKind::Lose
            | FaultKind::Duplicate { .. }
            | FaultKind::Delay { .. }
            | FaultKind::Corrupt { .. }
            | FaultKind::Hold { .. }
            | FaultKind::Reorder { .. } => {
                unreachable!("a link carries out a fault of a message")
            }
            FaultKind::Crash { slot, down_ms } => self.crash(Slot(*slot), *down_ms),
            FaultKind::PowerLoss { slot, down_ms, kept } => {
                self.lose_power(Slot(*slot), *down_ms, usize::from(*kept))
            }
            FaultKind::DiskLost { slot, down_ms } => self.lose_disk(Slot(*slot), *down_ms),
            FaultKind::Pause { slot, for_ms } => self.pause(Slot(*slot), *for_ms * 1_000),
            FaultKind::Stall { slot, beyond_ms } => self.stall(Slot(*slot), *beyond_ms),
            FaultKind::ArbiterCrash { down_ms } => self.end_arbiter(*down_ms),
            FaultKind::ArbiterLost { down_ms } => {
                let ended = self.end_arbiter(*down_ms);
                if ended {
                    self.arbiter_host.finds = Some(Finds::Nothing);
                }
                ended
            }
            FaultKind::ArbiterOlder { down_ms, back_ms } => {
                let ended = self.end_arbiter(*down_ms);
                if ended {
                    let older =
                        self.arbiter_host.before(self.now_us.saturating_sub(back_ms * 1_000));
                    self.arbiter_host.finds = Some(Finds::Older(Box::new(older)));
                }
                ended
            }
            FaultKind::Partition { for_ms } => {
                let units = || self.slots.iter().map(|slot| Address::Unit(*slot));
                let links = units().flat_map(|from| units().map(move |to| (from, to)));
                let links = links.filter(|(from, to)| from != to).collect();
                self.cut(kind, links, *for_ms)
            }
            FaultKind::OneWayCut { from, to, for_ms } => {
                self.cut(kind, vec![(from.0, to.0)], *for_ms)
            }
            FaultKind::ArbiterAway { slot, for_ms } => {
                let unit = Address::Unit(Slot(*slot));
                self.cut(kind, vec![(unit, Address::Arbiter), (Address::Arbiter, unit)], *for_ms)
            }
            FaultKind::Clog { from, to, for_ms } => self.clog(kind, from.0, to.0, *for_ms),
            FaultKind::DiskRefuses { slot, for_ms } => {
                let host = &mut self.hosts[usize::from(*slot)];
                host.disk.refuse(true);
                host.unseen.insert(kind);
                self.later.push((for_ms * 1_000, Job::DiskServes(Slot(*slot))));
                false
            }
            FaultKind::RefuseLine { slot, lines } => {
                let host = &mut self.hosts[usize::from(*slot)];
                host.refuses_lines = if host.runs() { *lines } else { 0 };
                false
            }
            FaultKind::ImageChange { slot, image, down_ms } => {
                self.change_image(Slot(*slot), image, *down_ms)
            }
            FaultKind::ClockRate { slot, ppm, for_ms } => {
                self.clock_rate(Slot(*slot), *ppm, *for_ms)
            }
            FaultKind::ClockStep { slot, by_ms } => self.clock_step(Slot(*slot), *by_ms),
            FaultKind::SwizzleClog { links, freed, every_ms, for_ms } => {
                self.swizzle(kind, [links, freed], *every_ms, *for_ms)
            }
            FaultKind::DiskFull { slot, for_ms } => self.disk_full(Slot(*slot), kind, *for_ms),
            FaultKind::DiskSlow { slot, later_ms, for_ms } => {
                self.disk_slow(Slot(*slot), kind, *later_ms, *for_ms)
            }
            FaultKind::UnitSlow { slot, step_ms, for_ms } => {
                self.slow(Slot(*slot), kind, *step_ms, *for_ms)
            }
            FaultKind::BitRot { slot, down_ms, both, bit } => {
                self.rot(Slot(*slot), *down_ms, *both, *bit)
            }
            FaultKind::TornWrite { slot, down_ms, bytes } => {
                self.hosts[usize::from(*slot)].tears = Some((*bytes, *down_ms));
                false
            }
            FaultKind::MisapplyLine { slot, text } => self.misapply(Slot(*slot), text),
            FaultKind::ForeignPayload { slot, what, for_ms } => {
                let until = for_ms.map(|ms| self.now_us + ms * 1_000);
                let host = &mut self.hosts[usize::from(*slot)];
                host.foreign.insert(*what, until);
                host.unseen.insert(kind);
                false
            }
        };
        let of = Some(fault);
        self.emit(Event::Fault { kind, effect, of });
    }

    /// Ends a unit's process. `disk`: what becomes of its disk, and how many writes under way are
    /// lost.
    fn end_unit(
        &mut self,
        slot: Slot,
        down_ms: u64,
        disk: impl FnOnce(&mut Disk) -> Option<usize>,
    ) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() {
            return false;
        }
        let Some(lost) = disk(&mut host.disk) else {
            return false;
        };
        let boot = host.boot;
        let paused = host.paused;
        host.clear();
        let life = host.life();
        if paused {
            self.orders.push(Order::Resume(Address::Unit(slot)));
        }
        self.orders.push(Order::Kill(Address::Unit(slot)));
        self.later.push((down_ms.max(1) * 1_000, Job::Restart { slot, life }));
        self.emit(Event::Ended { slot, boot, lost });
        true
    }

    fn crash(&mut self, slot: Slot, down_ms: u64) -> bool {
        self.end_unit(slot, down_ms, |disk| {
            disk.process_ended();
            Some(0)
        })
    }

    /// The power goes too, and so many writes under way are durable.
    fn lose_power(&mut self, slot: Slot, down_ms: u64, kept: usize) -> bool {
        self.end_unit(slot, down_ms, |disk| Some(disk.power_lost(kept).saturating_sub(kept)))
    }

    pub(super) fn tear(&mut self, slot: Slot, write: WriteId, bytes: u32, down_ms: u64) {
        if !self.calm && self.end_unit(slot, down_ms, |disk| disk.torn(write, bytes)) {
            self.took_effect([FaultName::TornWrite]);
        }
    }

    /// A Standby's own config changes, and what it was sent does not.
    fn misapply(&mut self, slot: Slot, text: &str) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        let Some(mut unit) = host.unit.take() else {
            return false;
        };
        let env = Env {
            software: host.image.software(),
            pairings: &|key| host.pairings.get(key).map(|pairing| &**pairing),
            limits: &self.limits,
            policy: &self.policy,
            refuses: &takes_all,
            planted: host.planted,
        };
        let machine = Arc::get_mut(&mut unit).expect("nobody keeps a unit beyond an event");
        let changed = machine.misapply(&env, text);
        host.unit = Some(unit);
        changed
    }

    /// A unit that has no store goes on.
    fn rot(&mut self, slot: Slot, down_ms: u64, both: bool, bit: u32) -> bool {
        self.end_unit(slot, down_ms, |disk| {
            disk.process_ended();
            (disk.rot(both, bit) > 0).then_some(0)
        })
    }

    fn lose_disk(&mut self, slot: Slot, down_ms: u64) -> bool {
        if !self.lose_power(slot, down_ms, 0) {
            return false;
        }
        let host = &mut self.hosts[usize::from(slot.0)];
        // A value of the world: greater than any boot of this slot, and than those that count on
        // from them.
        let fresh = (1 << 40) * (host.life() + 1);
        host.disk.replaced(fresh);
        true
    }

    fn change_image(&mut self, slot: Slot, image: &str, down_ms: u64) -> bool {
        let Ok(image) = self.catalog.image(image) else {
            return false;
        };
        let same = self.hosts[usize::from(slot.0)].image.digest() == image.digest();
        if same || !self.crash(slot, down_ms) {
            return false;
        }
        self.hosts[usize::from(slot.0)].image = image;
        true
    }

    fn pause(&mut self, slot: Slot, for_us: u64) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() || host.paused {
            return false;
        }
        host.paused = true;
        host.pause += 1;
        let pause = host.pause;
        if !self.sockets() {
            self.orders.push(Order::Pause(Address::Unit(slot)));
        }
        self.later.push((for_us.max(1_000), Job::Resume { slot, pause }));
        self.emit(Event::Paused { slot, paused: true });
        true
    }

    pub(super) fn resume(&mut self, slot: Slot) {
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.paused {
            return;
        }
        host.paused = false;
        host.pause += 1;
        if !self.sockets() {
            self.orders.push(Order::Resume(Address::Unit(slot)));
        }
        self.wakes.push(Address::Unit(slot));
        self.emit(Event::Paused { slot, paused: false });
    }

    /// A unit that acts is suspended until after its end; what was left of the step is past.
    fn stall(&mut self, slot: Slot, beyond_ms: u64) -> bool {
        let host = &self.hosts[usize::from(slot.0)];
        let Some(end) = host.lease_end.filter(|_| host.acts()) else {
            return false;
        };
        self.pause(slot, end.saturating_sub(self.now_us) + beyond_ms * 1_000)
    }

    fn end_arbiter(&mut self, down_ms: u64) -> bool {
        if !self.arbiter_host.runs() {
            return false;
        }
        self.arbiter_host.running = false;
        self.arbiter_host.timers.clear();
        self.arbiter_host.inbox.clear();
        self.orders.push(Order::Kill(Address::Arbiter));
        self.later.push((down_ms.max(1) * 1_000, Job::RestartArbiter));
        self.emit(Event::ArbiterEnded);
        true
    }

    /// A cut has effect once it takes a message, which is told then.
    fn cut(&mut self, kind: FaultName, links: Vec<(Address, Address)>, for_ms: u64) -> bool {
        let barrier = self.barrier(kind);
        for (from, to) in &links {
            self.links.cut(*from, *to, barrier);
        }
        self.later.push((for_ms.max(1) * 1_000, Job::Heal(links, barrier)));
        false
    }

    fn barrier(&mut self, kind: FaultName) -> Barrier {
        self.barriers += 1;
        self.idle.insert(self.barriers, kind);
        self.barriers
    }

    /// A clog has effect once it keeps a message, which is told then.
    fn clog(&mut self, kind: FaultName, from: Address, to: Address, for_ms: u64) -> bool {
        let barrier = self.barrier(kind);
        self.block(from, to, barrier);
        self.later.push((for_ms.max(1) * 1_000, Job::Unclog(from, to, barrier)));
        false
    }

    pub(super) fn block(&mut self, from: Address, to: Address, barrier: Barrier) {
        if self.calm {
            return;
        }
        self.links.clog(from, to, barrier);
        if self.sockets() {
            self.orders.push(Order::SocketClog(from, to, true));
        }
    }

    /// Each of its clogs has effect by itself.
    fn swizzle(
        &mut self,
        kind: FaultName,
        [links, freed]: [&[Link]; 2],
        every_ms: u64,
        for_ms: u64,
    ) -> bool {
        let ends = |link: &Link| (link.from.0, link.to.0);
        let links: Vec<_> = links.iter().map(ends).collect();
        let barriers: Vec<Barrier> = links.iter().map(|_| self.barrier(kind)).collect();
        let mut at_ms = 1;
        for ((from, to), barrier) in links.iter().zip(&barriers) {
            self.later.push((at_ms * 1_000, Job::Clog(*from, *to, *barrier)));
            at_ms += every_ms;
        }
        at_ms += for_ms;
        for (from, to) in freed.iter().map(ends) {
            let Some(at) = links.iter().position(|link| *link == (from, to)) else {
                continue;
            };
            self.later.push((at_ms * 1_000, Job::Unclog(from, to, barriers[at])));
            at_ms += every_ms;
        }
        false
    }

    pub(super) fn unclog(&mut self, from: Address, to: Address, barrier: Barrier) {
        self.idle.remove(&barrier);
        for packet in self.links.unclog(from, to, barrier) {
            self.later.push((1_000, Job::Deliver(packet)));
        }
        if self.sockets() {
            self.orders.push(Order::SocketClog(from, to, false));
        }
    }

    /// Faults and commands stop: links are whole, disks serve, everything runs.
    pub(super) fn calm(&mut self) {
        if self.calm {
            return;
        }
        self.calm = true;
        self.triggers.stop();
        for packet in self.links.quiet() {
            self.later.push((1_000, Job::Deliver(packet)));
        }
        if self.sockets() {
            self.orders.push(Order::SocketsQuiet);
            let places = self.places();
            for from in &places {
                for to in places.iter().filter(|to| *to != from) {
                    self.orders.push(Order::SocketClog(*from, *to, false));
                }
            }
        }
        for slot in self.slots.clone() {
            self.hosts[usize::from(slot.0)].disk.refuse(false);
            self.hosts[usize::from(slot.0)].refuses_lines = 0;
            self.hosts[usize::from(slot.0)].tears = None;
            // Engines that differ go on to differ.
            self.hosts[usize::from(slot.0)].foreign.retain(|_, until| until.is_none());
            self.end_degradations(slot);
            self.resume(slot);
            let host = &self.hosts[usize::from(slot.0)];
            if !host.runs() {
                self.later.push((1_000, Job::Restart { slot, life: host.life() }));
            }
        }
        if !self.arbiter_host.runs() {
            self.later.push((1_000, Job::RestartArbiter));
        }
        self.emit(Event::FaultsStopped);
    }
}
