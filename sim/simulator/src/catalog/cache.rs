//! Values that are computed once a key, whoever asks, and outside of the lock.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::sync::{Condvar, Mutex, lock, wait};

/// What is there of a key that was asked for.
#[derive(Debug)]
enum Slot<V> {
    /// One who asked computes it.
    Computing,
    Known(V),
}

/// Values by key. A value is never changed and never dropped.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    slots: Mutex<BTreeMap<K, Slot<V>>>,
    changed: Condvar,
}

impl<K: Ord + Clone, V: Clone> Cache<K, V> {
    /// The value of a key. Of several who ask at once one computes, and the others wait for it,
    /// however long that takes.
    ///
    /// # Panics
    /// As `compute`; then the next who asks computes.
    pub(crate) fn get(&self, key: &K, compute: impl FnOnce() -> V) -> V {
        let mut slots = lock(&self.slots);
        loop {
            match slots.get(key) {
                Some(Slot::Known(value)) => return value.clone(),
                Some(Slot::Computing) => slots = wait(&self.changed, slots),
                None => break,
            }
        }
        slots.insert(key.clone(), Slot::Computing);
        drop(slots);
        let computed = catch_unwind(AssertUnwindSafe(compute));
        let mut slots = lock(&self.slots);
        match &computed {
            Ok(value) => slots.insert(key.clone(), Slot::Known(value.clone())),
            Err(_) => slots.remove(key),
        };
        drop(slots);
        self.changed.notify_all();
        computed.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { slots: Mutex::new(BTreeMap::new()), changed: Condvar::new() }
    }
}
