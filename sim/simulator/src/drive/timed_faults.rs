//! Faults of one unit that last: its clock runs at another rate, its disk is full or slow, it is
//! slow itself. Each ends by itself, or when faults stop.

use skewsync::ids::Slot;
use skewsync::message::Address;
use strum::IntoEnumIterator;

use super::{Cluster, Host, Job};
use crate::plan::FaultName;
use crate::world::clock::Clock;

/// How a unit may be degraded for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumIter)]
pub enum Degradation {
    /// Its clock runs at another rate.
    ClockRate,
    /// Its disk takes no startup store.
    DiskFull,
    /// Its disk takes longer.
    DiskSlow,
    /// It is busy after each step.
    Slow,
}

impl Cluster {
    /// Begins a degradation that lasts so long; an earlier one of its sort ends by it.
    fn begin_degradation(&mut self, slot: Slot, degradation: Degradation, for_ms: u64) {
        self.degradations += 1;
        let number = self.degradations;
        let host = &mut self.hosts[usize::from(slot.0)];
        host.degradations.insert(degradation, number);
        let end = Job::EndDegradation { slot, degradation, number };
        self.later.push((for_ms.max(1) * 1_000, end));
    }

    pub(super) fn clock_rate(&mut self, slot: Slot, ppm: i32, for_ms: u64) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() || ppm == 0 {
            return false;
        }
        let clock = host.own_clock.faster(ppm);
        self.sets_clock(slot, clock);
        self.begin_degradation(slot, Degradation::ClockRate, for_ms);
        true
    }

    fn sets_clock(&mut self, slot: Slot, clock: Clock) {
        let now = self.now_us;
        self.hosts[usize::from(slot.0)].sets_clock(clock, now);
        self.wakes.push(Address::Unit(slot));
    }

    /// The clock is set: forward, or back if `by_ms` is below 0.
    pub(super) fn clock_step(&mut self, slot: Slot, by_ms: i64) -> bool {
        let now = self.now_us;
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() || by_ms == 0 {
            return false;
        }
        host.steps_clock(by_ms.saturating_mul(1_000), now);
        self.wakes.push(Address::Unit(slot));
        true
    }

    /// A disk that is full takes effect with the first store that it does not take.
    pub(super) fn disk_full(&mut self, slot: Slot, kind: FaultName, for_ms: u64) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        host.disk.fill(true);
        host.unseen.insert(kind);
        self.begin_degradation(slot, Degradation::DiskFull, for_ms);
        false
    }

    /// A disk that is slow takes effect with the first write that it is slow with.
    pub(super) fn disk_slow(
        &mut self,
        slot: Slot,
        kind: FaultName,
        later_ms: u64,
        for_ms: u64,
    ) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        host.disk_later_us = later_ms * 1_000;
        host.unseen.insert(kind);
        self.begin_degradation(slot, Degradation::DiskSlow, for_ms);
        false
    }

    /// A slow unit takes effect with the first thing that waits for it.
    pub(super) fn slow(&mut self, slot: Slot, kind: FaultName, step_ms: u64, for_ms: u64) -> bool {
        let host = &mut self.hosts[usize::from(slot.0)];
        if !host.runs() {
            return false;
        }
        host.slow_us = step_ms * 1_000;
        host.unseen.insert(kind);
        self.begin_degradation(slot, Degradation::Slow, for_ms);
        false
    }

    /// Ends a degradation, unless another of its sort has begun since.
    pub(super) fn end_degradation(&mut self, slot: Slot, degradation: Degradation, number: u64) {
        let host = &mut self.hosts[usize::from(slot.0)];
        if host.degradations.get(&degradation) == Some(&number) {
            self.undo_degradation(slot, degradation);
        }
    }

    fn undo_degradation(&mut self, slot: Slot, degradation: Degradation) {
        let host = &mut self.hosts[usize::from(slot.0)];
        host.degradations.remove(&degradation);
        match degradation {
            Degradation::ClockRate => {
                let own = host.own_clock;
                self.sets_clock(slot, own);
            }
            Degradation::DiskFull => host.disk.fill(false),
            Degradation::DiskSlow => host.disk_later_us = 0,
            Degradation::Slow => {
                host.slow_us = 0;
                host.busy_until = 0;
                self.wakes.push(Address::Unit(slot));
            }
        }
    }

    /// Ends all degradations of a unit.
    pub(super) fn end_degradations(&mut self, slot: Slot) {
        for degradation in Degradation::iter() {
            if self.hosts[usize::from(slot.0)].degradations.contains_key(&degradation) {
                self.undo_degradation(slot, degradation);
            }
        }
    }
}

impl Host {
    /// The clock runs at another rate from now on: what is left of timers and lease, and how long
    /// ago a Renew was sent, is as much by its own count.
    fn sets_clock(&mut self, clock: Clock, now: u64) {
        let left = |due: &mut u64, from: Clock| {
            *due = now + from.as_on(clock, due.saturating_sub(now));
        };
        let from = std::mem::replace(&mut self.clock, clock);
        self.timers.values_mut().for_each(|due| left(due, from));
        if let Some(end) = &mut self.lease_end {
            left(end, from);
        }
        for sent in self.renews.values_mut() {
            *sent = now.saturating_sub(from.as_on(clock, now - *sent));
        }
    }

    fn steps_clock(&mut self, by_us: i64, now: u64) {
        let back = |at: &mut u64| *at = at.saturating_add_signed(by_us.saturating_neg());
        for due in self.timers.values_mut().chain(&mut self.lease_end) {
            back(due);
            *due = now.max(*due);
        }
        for sent in self.renews.values_mut() {
            back(sent);
            *sent = now.min(*sent);
        }
    }
}
