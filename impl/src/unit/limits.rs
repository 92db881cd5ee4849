//! Bounds and lengths: what a run may choose, and what a step never changes.

use crate::base::Slot;
use crate::message::Bounds;
use crate::translate::listing::LISTED_LINES_MAX;

/// Lengths of timers, and bounds of everything that is kept. One value serves units and arbiter.
///
/// # Units
/// Fields that end in `_ms` are milliseconds on the clock of whoever arms the timer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limits {
    /// Units in the chassis; their slots are 0 to this less 1.
    pub units: u8,
    /// A unit without a session asks again.
    pub join_ms: u64,
    /// A unit says Hello again.
    pub hello_ms: u64,
    /// A lease is asked for again; a fraction of `lease_ms`.
    pub renew_ms: u64,
    /// What was not answered is sent again.
    pub resend_ms: u64,
    /// How long a unit acts on one Grant, from the sending of its Renew.
    pub lease_ms: u64,
    /// How much faster than true time a clock may run, in millionths.
    pub max_drift_ppm: u32,
    /// How long an Offer stands.
    pub takeover_wait_ms: u64,
    /// How long the arbiter gathers Hellos before it offers.
    pub gather_ms: u64,
    /// A session of which nothing was heard is over.
    pub watchdog_ms: u64,
    /// Both say that the session is alive.
    pub keepalive_ms: u64,
    /// How long a prompt waits for the Standby.
    pub ack_timeout_ms: u64,
    /// How long a phase of a session may take.
    pub deadline_ms: u64,
    /// How long a planned switchover may drain.
    pub drain_timeout_ms: u64,
    /// How long a `save` waits for the other unit.
    pub save_timeout_ms: u64,
    /// How long rpr lasts before sso is tried again, where it is; and how long the Active answers no Join after
    /// an attempt that failed, once for each attempt that failed before it and for this one.
    pub retry_backoff_ms: u64,
    /// Hot for so long, ordered resets are forgotten.
    pub stable_time_ms: u64,
    /// Bytes of one chunk.
    pub max_chunk: u32,
    /// Bytes of one file.
    pub max_file: u64,
    /// Chunks under way at once.
    pub chunk_window: u32,
    /// Bytes of one command or batch.
    pub max_batch: u32,
    /// Lines under way at once, and kept out of order.
    pub line_window: u32,
    /// LSNs outstanding at most, to become hot.
    pub hot_window: u32,
    /// Entries of the journal.
    pub max_journal: u32,
    /// Commands that wait in a drain, or for room in the window.
    pub max_queue: u32,
    /// Mismatches that one answer names.
    pub max_mismatches: u32,
    /// Bytes of one Line, its difference and its listing.
    pub max_line: u32,
    /// Lines that a listing names, and complements that it keeps: each of the two.
    pub max_listed: u32,
    /// Sessions that end before they were hot for `stable_time`, before the pair comes up in rpr.
    pub max_attempts: u32,
    /// Ordered resets before the pair comes up in rpr.
    pub max_resets: u32,
    /// Which lines compatibility asks about.
    pub verify: Verify,
}

/// Which lines compatibility asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verify {
    /// Any diff entry without transform or don't-care entry makes the images incompatible (the seed).
    Strict,
    /// Only lines that the running config holds.
    Configured,
}

impl Limits {
    /// Two units, with the lengths that operators of redundant routers know.
    pub const DEFAULT: Self = Self {
        units: 2,
        join_ms: 500,
        hello_ms: 1_000,
        renew_ms: 1_000,
        resend_ms: 400,
        lease_ms: 4_000,
        max_drift_ppm: 10_000,
        takeover_wait_ms: 2_000,
        gather_ms: 1_000,
        watchdog_ms: 5_000,
        keepalive_ms: 1_000,
        ack_timeout_ms: 3_000,
        deadline_ms: 30_000,
        drain_timeout_ms: 5_000,
        save_timeout_ms: 10_000,
        retry_backoff_ms: 3_000,
        stable_time_ms: 60_000,
        max_chunk: 64 * 1024,
        max_file: 1 << 30,
        chunk_window: 64,
        max_batch: 64 * 1024,
        line_window: 64,
        hot_window: 16,
        max_journal: 4_096,
        max_queue: 64,
        max_mismatches: 64,
        max_line: 8 << 20,
        max_listed: LISTED_LINES_MAX as u32,
        max_attempts: 5,
        max_resets: 3,
        verify: Verify::Configured,
    };

    /// How long the arbiter waits for a lease: longer than any unit's clock within drift takes it to be.
    ///
    /// # Units
    /// Milliseconds of the arbiter.
    pub fn arbiter_lease_ms(&self) -> u64 {
        let drift = self.lease_ms * u64::from(self.max_drift_ppm);
        self.lease_ms + drift.div_ceil(1_000_000)
    }

    /// What a unit takes at most, as it tells the other.
    pub const fn bounds(&self) -> Bounds {
        Bounds {
            file: self.max_file,
            line: self.max_line,
            listed: self.max_listed,
            mismatches: self.max_mismatches,
        }
    }

    /// The slots of the other units.
    pub fn others(&self, own: Slot) -> impl Iterator<Item = Slot> + use<> {
        (0..self.units).map(Slot).filter(move |slot| *slot != own)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const _: () = assert!(Limits::DEFAULT.renew_ms * 3 < Limits::DEFAULT.lease_ms);
const _: () = assert!(Limits::DEFAULT.keepalive_ms * 3 < Limits::DEFAULT.watchdog_ms);
const _: () = assert!(Limits::DEFAULT.hot_window <= Limits::DEFAULT.line_window);
