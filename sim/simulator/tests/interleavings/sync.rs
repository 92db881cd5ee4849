//! `crate::sync` for what this test includes: loom's locks, with a mistake of the including process
//! planted in one place where they are used.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::mistake::{self, Kind};

thread_local! {
    /// The condition variable of this interleaving. Loom's threads are one thread of the system.
    static LAST: RefCell<Option<Arc<loom::sync::Condvar>>> = const { RefCell::new(None) };
}

#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }
}

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: Option<loom::sync::MutexGuard<'a, T>>,
    /// The line that locked.
    line: u32,
    /// Whether what is guarded was read or written since.
    used: Cell<bool>,
}

impl<'a, T> MutexGuard<'a, T> {
    fn new(mutex: &'a Mutex<T>, guard: loom::sync::MutexGuard<'a, T>, line: u32) -> Self {
        Self { mutex, guard: Some(guard), line, used: Cell::new(false) }
    }

    /// The mistake: what was seen before may no longer be so.
    fn let_go(&mut self) {
        self.guard = None;
        self.guard = self.mutex.0.lock().ok();
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.used.set(true);
        self.guard.as_ref().expect("it is locked")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        if self.used.replace(true) && mistake::is_of_lock(Kind::UnlockedBeforeWrite, self.line) {
            self.let_go();
        }
        self.guard.as_mut().expect("it is locked")
    }
}

#[track_caller]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let line = Location::caller().line();
    if mistake::notifies_on_locking(line) {
        let last = LAST.with_borrow(Clone::clone);
        last.expect("a condition variable was made").notify_all();
    }
    MutexGuard::new(mutex, mutex.0.lock().expect("nobody panics"), line)
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    if mistake::is_of_lock(Kind::UnlockedBeforeWait, guard.line) {
        guard.let_go();
    }
    let (mutex, line) = (guard.mutex, guard.line);
    let guard = guard.guard.take().expect("it is locked");
    MutexGuard::new(mutex, condvar.inner.wait(guard).expect("nobody panics"), line)
}

/// Time does not pass in loom. A wait lasts until somebody notifies; the first of an interleaving
/// that may last no time at all is over at once.
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, T>,
    most: Duration,
) -> MutexGuard<'a, T> {
    if most.is_zero() && !condvar.timed_out.swap(true, Ordering::Relaxed) {
        guard.let_go();
        guard.used.set(false);
        return guard;
    }
    wait(condvar, guard)
}

#[derive(Debug)]
pub(crate) struct Condvar {
    inner: Arc<loom::sync::Condvar>,
    timed_out: AtomicBool,
}

impl Condvar {
    pub(crate) fn new() -> Self {
        let inner = Arc::new(loom::sync::Condvar::new());
        LAST.set(Some(Arc::clone(&inner)));
        Self { inner, timed_out: AtomicBool::new(false) }
    }

    #[track_caller]
    pub(crate) fn notify_one(&self) {
        if !mistake::silences(Location::caller().line()) {
            self.inner.notify_one();
        }
    }

    #[track_caller]
    pub(crate) fn notify_all(&self) {
        let line = Location::caller().line();
        if mistake::is_of_notification(Kind::NotifiesOne, line) {
            self.inner.notify_one();
        } else if !mistake::silences(line) {
            self.inner.notify_all();
        }
    }
}
