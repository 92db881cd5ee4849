//! A hash over the whole ordered trace: two runs of one plan at one commit give the same.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use crate::observe::{ClusterView, Event, Observed, Observer, Violation};
use crate::world::link::mix;

/// A hash that is the same in every process and on every machine of one word size and order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word) ^ (chunk.len() as u64) << 56);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = mix(self.0.rotate_left(5) ^ word);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Hashes every event in order.
pub struct Trace {
    hasher: Mixer,
    out: Arc<Mutex<u64>>,
}

impl Trace {
    /// A trace that tells `out` its hash at the end.
    pub fn new(out: Arc<Mutex<u64>>) -> Self {
        Self { hasher: Mixer::default(), out }
    }
}

impl Observer for Trace {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        let to = &mut self.hasher;
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
            Event::Sent { sight, number, fault } => (sight, number, fault).hash(to),
            Event::Undelivered { sight, number } => (sight, number).hash(to),
            Event::Entered { id, what, slot } => (id, what, slot).hash(to),
            Event::Ended { slot, boot, lost } => (slot, boot, lost).hash(to),
            Event::Written { slot, write, durable } => (slot, write, durable).hash(to),
            Event::Paused { slot, paused } => (slot, paused).hash(to),
            Event::Fault { kind, effect, .. } => (kind, effect).hash(to),
            Event::ArbiterEnded | Event::FaultsStopped => {}
        }
        Ok(())
    }

    fn end(&mut self, _: &dyn ClusterView) -> Result<(), Violation> {
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = self.hasher.finish();
        Ok(())
    }
}
