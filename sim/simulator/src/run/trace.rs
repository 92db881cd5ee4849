//! A hash over the whole ordered trace: two runs of one plan at one commit give the same.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::hash::StableHasher;
use crate::observe::{ClusterView, Event, Observed, Tap, Violation};

/// Hashes every event in order.
pub struct Trace {
    hasher: StableHasher,
    out: Arc<Mutex<u64>>,
}

impl Trace {
    /// A trace that tells `out` its hash at the end.
    pub fn new(out: Arc<Mutex<u64>>) -> Self {
        Self { hasher: StableHasher::default(), out }
    }
}

impl Tap for Trace {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView, _: &mut dyn FnMut(Violation)) {
        hash(seen, &mut self.hasher);
    }

    fn end(&mut self, _: &dyn ClusterView, _: &mut dyn FnMut(Violation)) {
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = self.hasher.finish();
    }
}

/// Tells the hash of the trace up to each event, for comparing the beginnings of two runs.
pub struct Prefixes {
    hasher: StableHasher,
    out: Arc<Mutex<Vec<u64>>>,
}

impl Prefixes {
    /// Tells `out` one hash for each event, in order.
    pub fn new(out: Arc<Mutex<Vec<u64>>>) -> Self {
        Self { hasher: StableHasher::default(), out }
    }
}

impl Tap for Prefixes {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView, _: &mut dyn FnMut(Violation)) {
        hash(seen, &mut self.hasher);
        self.out.lock().unwrap_or_else(PoisonError::into_inner).push(self.hasher.finish());
    }
}

fn hash(seen: &Observed<'_>, to: &mut StableHasher) {
    (seen.number, seen.at_us).hash(to);
    std::mem::discriminant(&seen.event).hash(to);
    match seen.event {
        Event::Started { slot, boot, outputs, fates, .. } => {
            (slot, boot, outputs, fates).hash(to);
        }
        Event::Unit { slot, input, packet, outputs, fates, .. } => {
            (slot, input, packet.map(|packet| packet.number), outputs, fates).hash(to);
        }
        Event::Arbiter { input, packet, outputs, fates, .. } => {
            (input, packet.map(|packet| packet.number), outputs, fates).hash(to);
        }
        Event::Sent { message, number, fault } => (message, number, fault).hash(to),
        Event::Undelivered { message, number } => (message, number).hash(to),
        Event::Entered { id, what, slot } => (id, what, slot).hash(to),
        Event::Ended { slot, boot, lost } => (slot, boot, lost).hash(to),
        Event::Written { slot, write, durable } => (slot, write, durable).hash(to),
        Event::Paused { slot, paused } => (slot, paused).hash(to),
        Event::Fault { kind, effect, .. } => (kind, effect).hash(to),
        Event::ArbiterEnded | Event::FaultsStopped => {}
    }
}
