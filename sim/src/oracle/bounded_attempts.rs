//! BoundedAttempts: an Active begins at most `max_attempts` sessions in sso with one boot of a
//! Standby between two of {operator action, `stable_time` hot}, each after a pause that is longer
//! by every attempt that failed; and a Standby leaves a session only when it is told, or by its
//! watchdog.

use std::collections::BTreeMap;

use skewsync::digest::ImageDigest;

use skewsync::ids::Slot;
use skewsync::message::{LeaveWhy, Message, Redundancy, Session};
use skewsync::unit::{Active, Event as Told, Input, Limits, Request, Role, Timer};
use skewsync_model::property::Property;

use super::{broken, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};
use crate::plan::FaultName;

/// A clock within its bound makes a pause shorter by no more than so much.
const PAUSE_PERCENT: u64 = 97;

/// What is known of the sessions of one Active.
#[derive(Debug, Default)]
struct Sessions {
    last: Option<Session>,
    image: Option<ImageDigest>,
    /// When the last one ended, or its Standby was heard to have left it, before it was hot for
    /// long.
    failed_at: Option<u64>,
    /// How many ended so, since the count began anew.
    failed: u32,
    /// The end of the last session counts no more: it was hot for long, or it is counted.
    counted: bool,
    /// Sessions begun in sso with the boot of the last one.
    begun: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct BoundedAttempts {
    actives: BTreeMap<(Slot, u64), Sessions>,
    /// A clock was changed: how long a pause lasts says nothing.
    clocks: bool,
    checked: u64,
}

impl Sessions {
    /// The last session is over, or its Standby has left it.
    fn fails(&mut self, at_us: u64, limits: &Limits) {
        if self.last.is_some() && !std::mem::replace(&mut self.counted, true) {
            self.failed_at = Some(at_us);
            self.failed = limits.max_attempts.min(self.failed + 1);
        }
    }

    fn begins(
        &mut self,
        session: Session,
        image: Option<ImageDigest>,
        at_us: u64,
        mode: Redundancy,
    ) -> Option<u64> {
        let same_boot = self.last.is_some_and(|last| last.standby == session.standby);
        if !same_boot {
            self.begun = 0;
        }
        if self.image != image {
            self.failed = 0;
        }
        let paused = self.failed_at.map(|from| at_us - from);
        (self.last, self.image) = (Some(session), image);
        (self.failed_at, self.counted) = (None, false);
        self.begun += u32::from(mode == Redundancy::Sso);
        paused.filter(|_| same_boot)
    }
}

impl BoundedAttempts {
    fn active(
        &mut self,
        seen: &Observed<'_>,
        (slot, active): (Slot, &Active),
        input: &Input,
        scene: &dyn ClusterView,
    ) -> Result<(), Violation> {
        let limits = scene.limits();
        let sessions = self.actives.entry((slot, active.term.0)).or_default();
        match input {
            Input::Message { message: Message::Join(call), .. } => {
                let left = |last: Session| (call.boot, call.n) > (last.standby, last.attempt);
                if sessions.last.is_some_and(|last| call.boot == last.standby && left(last)) {
                    sessions.fails(seen.at_us, limits);
                }
            }
            Input::Timer(Timer::Stable) => {
                (sessions.counted, sessions.failed, sessions.begun) = (true, 0, 0);
            }
            Input::Operator { request, .. } => {
                if *request == Request::RetrySso {
                    (sessions.failed, sessions.failed_at) = (0, None);
                }
                if matches!(request, Request::RetrySso | Request::ResetPeer) {
                    sessions.begun = 0;
                }
            }
            // The last attempt has failed, and its session goes on in rpr.
            Input::Message { message: Message::Unreadable { .. }, .. }
                if active.peer.current.is_some() && active.mode.is_lesser() =>
            {
                sessions.fails(seen.at_us, limits);
                sessions.failed_at = None;
            }
            _ => {}
        }
        for event in told(&seen.event) {
            match event {
                Told::SessionEnded { why: LeaveWhy::Operator | LeaveWhy::Retry, .. } => {
                    sessions.begun = sessions.begun.saturating_sub(1);
                    sessions.last = None;
                }
                // A new boot's session follows in the same step: its Standby restarted.
                Told::SessionEnded { why, .. } if *why == LeaveWhy::Over => {}
                Told::SessionEnded { .. } => sessions.fails(seen.at_us, limits),
                Told::SessionBegan(session) => {
                    self.checked += 1;
                    // Its Standby may have another image by now.
                    let image = active.peer.current.as_ref().map(|current| current.image);
                    let failed = sessions.failed;
                    let paused =
                        sessions.begins(*session, image, seen.at_us, active.mode.redundancy());
                    if sessions.begun > limits.max_attempts {
                        let (begun, most) = (sessions.begun, limits.max_attempts);
                        let what = format!("{begun} sessions of one boot in sso, of {most}");
                        return broken(Property::BoundedAttempts, what);
                    }
                    let least_ms = u64::from(failed) * limits.retry_backoff_ms;
                    let short = |paused: &u64| *paused < 10 * least_ms * PAUSE_PERCENT;
                    if let Some(paused) = paused.filter(short).filter(|_| !self.clocks) {
                        let what = format!(
                            "session {session} begins {} ms after attempt {failed} failed, and the \
                             pause is {least_ms} ms",
                            paused / 1_000
                        );
                        return broken(Property::BoundedAttempts, what);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Observer for BoundedAttempts {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Fault { kind, .. } => {
                self.clocks |= matches!(kind, FaultName::ClockRate | FaultName::ClockStep);
            }
            Event::Unit { slot, input, unit, .. } => match &unit.part {
                Role::Active(active) => return self.active(seen, (slot, active), input, scene),
                Role::Standby(_) => {
                    let file = matches!(
                        input,
                        Input::Message {
                            message: Message::Chunk { .. } | Message::Config { .. },
                            ..
                        }
                    );
                    let ends = |event: &Told| matches!(event, Told::SessionEnded { .. });
                    if file && told(&seen.event).any(ends) {
                        let what = format!("slot {slot} leaves its session by itself");
                        return broken(Property::BoundedAttempts, what);
                    }
                }
                Role::Holder(_) => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::BoundedAttempts, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::Attempt;
    use skewsync::unit::Output;

    use super::*;
    use crate::oracle::testing::{SESSION, Stage, active, broken_property, idle};

    /// Sessions that each begin so long after the one before it ended.
    fn begun(times: u32, pause_ms: impl Fn(u32) -> u64, stable: bool) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedAttempts::default());
        for time in 0..times {
            let session = Session { attempt: Attempt(time + 1), ..SESSION };
            let unit = active(Slot(0), 1, 0, "6.2", "");
            let begins = [Output::Event(Told::SessionBegan(session))];
            if let Err(violation) = stage.does(oracle, unit.clone(), &begins) {
                return Some(violation.property);
            }
            if stable {
                let hot = Input::Timer(Timer::Stable);
                stage.step(oracle, unit.clone(), &hot, &[]).unwrap();
            }
            let why = LeaveWhy::AckTimeout;
            let ends = [Output::Event(Told::SessionEnded { session, why })];
            stage.does(oracle, unit, &ends).unwrap();
            stage.at_us += 1_000 * pause_ms(time + 1);
        }
        None
    }

    #[test]
    fn more_sessions_than_attempts_break_it_unless_the_pair_was_hot_for_long() {
        let limits = Limits::DEFAULT;
        let paced = |failed: u32| u64::from(failed) * limits.retry_backoff_ms;
        let most = limits.max_attempts;
        assert_eq!(begun(most, paced, false), None);
        assert_eq!(begun(most + 1, paced, false), Some(Property::BoundedAttempts));
        assert_eq!(begun(most + 1, |_| 0, true), None);
    }

    #[test]
    fn a_pause_that_is_too_short_breaks_it() {
        let limits = Limits::DEFAULT;
        assert_eq!(begun(3, |_| limits.retry_backoff_ms, false), Some(Property::BoundedAttempts));
    }

    #[test]
    fn a_standby_that_leaves_by_itself_breaks_it() {
        let (mut stage, oracle) = (Stage::new(), &mut BoundedAttempts::default());
        let (session, why) = (SESSION, LeaveWhy::Incompatible);
        let ends = [Output::Event(Told::SessionEnded { session, why })];
        let standby = idle(Slot(1), "6.2");
        let told = Input::Timer(Timer::Watchdog);
        let seen = stage.step(oracle, standby.clone(), &told, &ends);
        assert_eq!(broken_property(seen), None);
        let config = Input::Message {
            from: skewsync::message::Address::Unit(Slot(0)),
            message: Message::Config {
                session,
                lsn: skewsync::ids::Lsn(0),
                size: 0,
                listing_at: 0,
                digest: skewsync::digest::Digest::default(),
            },
        };
        let seen = stage.step(oracle, standby, &config, &ends);
        assert_eq!(broken_property(seen), Some(Property::BoundedAttempts));
    }
}
