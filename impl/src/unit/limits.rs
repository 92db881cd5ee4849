//! Bounds and lengths: what a run may choose, and what a step never changes.

use crate::ids::Slot;
use crate::message::Bounds;
use crate::translate::listing::LISTED_LINES_MAX;

/// Lengths of timers, and bounds of everything that is kept. One value serves units and arbiter.
///
/// What comes from outside is checked by [`Limits::check`] before a unit runs by it.
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
    /// How long a prompt waits for the Standby, and a command for room.
    pub ack_timeout_ms: u64,
    /// How long a prompt waits for the Confirm of a clear.
    pub prompt_wait_ms: u64,
    /// How long commands wait at a unit that released the role.
    pub queue_timeout_ms: u64,
    /// How long a phase of a session may take.
    pub deadline_ms: u64,
    /// How long a planned switchover may drain.
    pub drain_timeout_ms: u64,
    /// How long a `save` waits for the other unit.
    pub save_timeout_ms: u64,
    /// How long rpr lasts before sso is tried again, where it is; and how long the Active answers
    /// no Join after an attempt that failed, once for each attempt that failed before it and for
    /// this one.
    pub retry_backoff_ms: u64,
    /// Hot for so long, ordered resets and failed attempts are forgotten.
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
    /// Commands that wait unexecuted: in a drain, for room, or for a role that was released.
    pub max_queue: u32,
    /// Prompts that are held.
    pub max_prompts: u32,
    /// Mismatches that one answer names.
    pub max_mismatches: u32,
    /// Bytes of one Line, its difference and its listing; and of the lines that one answer names as
    /// not raised.
    pub max_line: u32,
    /// Lines that a listing names, complements that it keeps, and lines that one answer names as
    /// not raised: each of the three.
    pub max_listed: u32,
    /// Accepted terms that the arbiter's line of history tells apart.
    pub max_accepted: u32,
    /// The arbiter's disk may go back to an older state: after each start it waits for a lease
    /// before it grants or offers anything.
    pub arbiter_may_go_back: bool,
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
    /// Any diff entry without transform or don't-care entry makes the images incompatible (the
    /// seed).
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
        prompt_wait_ms: 4_040,
        queue_timeout_ms: 12_000,
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
        max_prompts: 256,
        max_mismatches: 64,
        max_line: 8 << 20,
        max_listed: LISTED_LINES_MAX as u32,
        max_accepted: 64,
        arbiter_may_go_back: false,
        max_attempts: 5,
        max_resets: 3,
        verify: Verify::Configured,
    };

    /// How long the arbiter waits for a lease: longer than any unit's clock within drift takes it
    /// to be.
    ///
    /// # Units
    /// Milliseconds of the arbiter.
    pub const fn arbiter_lease_ms(&self) -> u64 {
        let drift = self.lease_ms as u128 * self.max_drift_ppm as u128;
        self.lease_ms.saturating_add(drift.div_ceil(1_000_000) as u64)
    }

    /// Whether the lengths and bounds fit each other.
    ///
    /// # Errors
    /// The first field that is less than another one, or the protocol, asks of it.
    pub const fn check(&self) -> Result<(), TooSmall> {
        let demands = self.demands();
        let mut at = 0;
        while at < demands.len() {
            if demands[at].value < demands[at].least {
                return Err(demands[at]);
            }
            at += 1;
        }
        Ok(())
    }

    /// What is asked of each field, with its value.
    const fn demands(&self) -> [TooSmall; 28] {
        const TIMER: &str = "a timer runs for a while";
        const HOLDS: &str = "there is room for one";
        [
            at_least("units", self.units as u64, 2, "a pair is two units"),
            at_least("join_ms", self.join_ms, 1, TIMER),
            at_least("hello_ms", self.hello_ms, 1, TIMER),
            at_least("renew_ms", self.renew_ms, 1, TIMER),
            at_least("resend_ms", self.resend_ms, 1, TIMER),
            at_least(
                "lease_ms",
                self.lease_ms,
                self.renew_ms.saturating_mul(3).saturating_add(1),
                "two Renews may be lost: more than three times renew_ms",
            ),
            at_least("takeover_wait_ms", self.takeover_wait_ms, 1, TIMER),
            at_least("gather_ms", self.gather_ms, 1, TIMER),
            at_least("keepalive_ms", self.keepalive_ms, 1, TIMER),
            at_least(
                "watchdog_ms",
                self.watchdog_ms,
                self.keepalive_ms.saturating_mul(3).saturating_add(1),
                "two Keepalives may be lost: more than three times keepalive_ms",
            ),
            at_least("ack_timeout_ms", self.ack_timeout_ms, 2, "the timer runs for half of it"),
            at_least("prompt_wait_ms", self.prompt_wait_ms, 1, TIMER),
            at_least(
                "queue_timeout_ms",
                self.queue_timeout_ms,
                self.handed_back_within_ms(),
                "a role that is handed back comes within the arbiter's lease, 2 takeover_wait_ms, \
                 gather_ms and 4 resend_ms",
            ),
            at_least("deadline_ms", self.deadline_ms, 1, TIMER),
            at_least("drain_timeout_ms", self.drain_timeout_ms, 1, TIMER),
            at_least("save_timeout_ms", self.save_timeout_ms, 1, TIMER),
            at_least("retry_backoff_ms", self.retry_backoff_ms, 1, TIMER),
            at_least("stable_time_ms", self.stable_time_ms, 1, TIMER),
            at_least("max_chunk", self.max_chunk as u64, 1, HOLDS),
            at_least("max_accepted", self.max_accepted as u64, 1, HOLDS),
            at_least("max_file", self.max_file, 1, HOLDS),
            at_least("chunk_window", self.chunk_window as u64, 1, HOLDS),
            at_least("max_batch", self.max_batch as u64, 1, HOLDS),
            at_least("hot_window", self.hot_window as u64, 1, HOLDS),
            at_least(
                "line_window",
                self.line_window as u64,
                self.hot_window as u64,
                "what a hot pair may have outstanding is sent: hot_window",
            ),
            at_least(
                "max_journal",
                self.max_journal as u64,
                self.line_window as u64,
                "what is sent is kept: line_window",
            ),
            at_least(
                "max_prompts",
                self.max_prompts as u64,
                self.hot_window as u64,
                "each change of a full window may have a prompt: hot_window",
            ),
            at_least(
                "max_prompts",
                self.max_prompts as u64,
                self.max_queue as u64,
                "what waits for room finds it at once when prompts return: max_queue",
            ),
        ]
    }

    /// Within how long a role that was released and not taken is back: the arbiter hears of the
    /// Release or takes the lease for over, two Offers are waited for, and messages are sent again.
    const fn handed_back_within_ms(&self) -> u64 {
        self.arbiter_lease_ms()
            .saturating_add(self.takeover_wait_ms.saturating_mul(2))
            .saturating_add(self.gather_ms)
            .saturating_add(self.resend_ms.saturating_mul(4))
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

/// A length or bound that does not fit the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}, and must be at least {least}: {why}")]
pub struct TooSmall {
    /// The field of [`Limits`].
    pub field: &'static str,
    /// What it is.
    pub value: u64,
    /// What it must be at least.
    pub least: u64,
    /// What asks that of it.
    pub why: &'static str,
}

const fn at_least(field: &'static str, value: u64, least: u64, why: &'static str) -> TooSmall {
    TooSmall { field, value, least, why }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

const _: () = assert!(Limits::DEFAULT.check().is_ok());
const _: () = assert!(Limits::DEFAULT.prompt_wait_ms == Limits::DEFAULT.arbiter_lease_ms());

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn with(change: impl FnOnce(&mut Limits)) -> Result<(), TooSmall> {
        let mut limits = Limits::DEFAULT;
        change(&mut limits);
        limits.check()
    }

    #[test]
    fn lengths_that_do_not_fit_are_named_with_what_they_must_be() {
        let found = with(|limits| limits.queue_timeout_ms = 10_639);
        let error = found.expect_err("a normal hand-back takes longer");
        assert_eq!((error.value, error.least), (10_639, 10_640));
        assert!(error.to_string().starts_with(
            "queue_timeout_ms is 10639, and must be at least 10640: a role that is handed back"
        ));
        assert_eq!(with(|limits| limits.queue_timeout_ms = 10_640), Ok(()));
    }

    #[test]
    fn each_relation_is_checked() {
        let field = |change: fn(&mut Limits)| with(change).expect_err("too small").field;
        assert_eq!(field(|limits| limits.units = 1), "units");
        assert_eq!(field(|limits| limits.lease_ms = 3_000), "lease_ms");
        assert_eq!(field(|limits| limits.keepalive_ms = 1_667), "watchdog_ms");
        assert_eq!(field(|limits| limits.ack_timeout_ms = 1), "ack_timeout_ms");
        assert_eq!(field(|limits| limits.hot_window = 65), "line_window");
        assert_eq!(field(|limits| limits.max_journal = 63), "max_journal");
        assert_eq!(field(|limits| limits.max_prompts = 15), "max_prompts");
        assert_eq!(field(|limits| limits.max_queue = 257), "max_prompts");
        assert_eq!(field(|limits| limits.resend_ms = 0), "resend_ms");
        let far = with(|limits| limits.takeover_wait_ms = u64::MAX);
        assert_eq!(far.expect_err("too far").field, "queue_timeout_ms");
    }
}
