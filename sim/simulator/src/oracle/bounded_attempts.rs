//! BoundedAttempts: an Active begins at most `max_attempts` sessions in sso with one boot of a
//! Standby between two of {operator action, `stable_time` hot}, each after a pause that is longer
//! by every attempt that failed; and a Standby leaves a session only when it is told, or by its
//! watchdog.

use std::collections::BTreeMap;

use skewsync::digest::ImageDigest;

use skewsync::ids::{BootId, Slot, Term};
use skewsync::message::{LeaveWhy, Message, MessageKind, Redundancy, Session};
use skewsync::unit::{Event as Told, Input, Limits, Request, Timer};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Acting, Fact, History, Observer, Role, What};
use crate::observe::{Evidence, Violation};
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
    /// The latest boot whose Join was taken: a Join of an older one is late, and counts nothing.
    latest: Option<BootId>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct BoundedAttempts {
    actives: BTreeMap<(Slot, Term), Sessions>,
    /// The message that the step at hand takes, if it takes one.
    heard: Option<MessageKind>,
    /// A clock was changed: how long a pause lasts says nothing.
    clocks: bool,
    checked: u64,
}

impl Sessions {
    /// What the Active takes.
    fn takes(&mut self, input: &Input, at_us: u64, limits: &Limits) {
        match input {
            Input::Message { message: Message::Join(call), .. } => {
                self.latest = self.latest.max(Some(call.boot));
                let left = |last: Session| call.boot == last.standby && call.n > last.attempt;
                if self.last.is_some_and(left) && self.latest == Some(call.boot) {
                    self.fails(at_us, limits);
                }
            }
            Input::Timer(Timer::Stable) => {
                (self.counted, self.failed, self.begun) = (true, 0, 0);
            }
            Input::Operator { request, .. } => {
                if *request == Request::RetrySso {
                    (self.failed, self.failed_at) = (0, None);
                }
                if matches!(request, Request::RetrySso | Request::ResetPeer) {
                    self.begun = 0;
                }
            }
            _ => {}
        }
    }

    /// The last session is over, or its Standby has left it.
    fn fails(&mut self, at_us: u64, limits: &Limits) {
        if self.last.is_some() && !std::mem::replace(&mut self.counted, true) {
            self.failed_at = Some(at_us);
            self.failed = limits.max_attempts.min(self.failed + 1);
        }
    }

    /// The last session has ended.
    fn ends(&mut self, why: LeaveWhy, at_us: u64, limits: &Limits) {
        match why {
            LeaveWhy::Operator | LeaveWhy::Retry => {
                self.begun = self.begun.saturating_sub(1);
                self.last = None;
            }
            // A new boot's session follows in the same step: its Standby restarted.
            LeaveWhy::Over => {}
            _ => self.fails(at_us, limits),
        }
    }

    /// A session begins. How long the pause was, if it is with the boot of the last one.
    fn begins(&mut self, session: Session, acting: &Acting, at_us: u64) -> Option<u64> {
        let same_boot = self.last.is_some_and(|last| last.standby == session.standby);
        if !same_boot {
            self.begun = 0;
        }
        // Its Standby may have another image by now.
        let image = acting.session.as_ref().map(|current| current.image);
        if self.image != image {
            self.failed = 0;
        }
        let paused = self.failed_at.map(|from| at_us - from);
        (self.last, self.image) = (Some(session), image);
        (self.failed_at, self.counted) = (None, false);
        self.begun += u32::from(acting.allowed == Redundancy::Sso);
        paused.filter(|_| same_boot)
    }
}

impl BoundedAttempts {
    fn sessions(&mut self, slot: Slot, acting: &Acting) -> &mut Sessions {
        self.actives.entry((slot, acting.term)).or_default()
    }

    /// An Active begins a session: one of few, and after its pause.
    fn begins(
        &mut self,
        session: Session,
        (slot, acting): (Slot, &Acting),
        at_us: u64,
        limits: &Limits,
    ) -> Result<(), Violation> {
        self.checked += 1;
        let sessions = self.sessions(slot, acting);
        let failed = sessions.failed;
        let paused = sessions.begins(session, acting, at_us);
        let (begun, most) = (sessions.begun, limits.max_attempts);
        if begun > most {
            return broken(Property::BoundedAttempts, Evidence::Attempts { begun, most });
        }
        let least_ms = u64::from(failed) * limits.retry_backoff_ms;
        let short = |paused: &u64| *paused < 10 * least_ms * PAUSE_PERCENT;
        if let Some(paused) = paused.filter(short).filter(|_| !self.clocks) {
            let ms = paused / 1_000;
            let evidence = Evidence::PauseTooShort { session, ms, failed, least_ms };
            return broken(Property::BoundedAttempts, evidence);
        }
        Ok(())
    }

    /// What a unit tells of its sessions.
    fn hears(
        &mut self,
        event: &Told,
        (slot, role): (Slot, &Role),
        at_us: u64,
        limits: &Limits,
    ) -> Result<(), Violation> {
        match (role, event) {
            (Role::Active(acting), Told::SessionEnded { why, .. }) => {
                self.sessions(slot, acting).ends(*why, at_us, limits);
                Ok(())
            }
            (Role::Active(acting), Told::SessionBegan(session)) => {
                self.begins(*session, (slot, acting), at_us, limits)
            }
            (Role::Standby(_), Told::SessionEnded { .. }) if self.heard.is_some_and(is_of_file) => {
                broken(Property::BoundedAttempts, Evidence::LeavesByItself { slot })
            }
            _ => Ok(()),
        }
    }

    /// A step of an Active is whole.
    fn stepped(&mut self, slot: Slot, acting: &Acting, at_us: u64, limits: &Limits) {
        // The last attempt has failed, and its session goes on in rpr.
        let goes_on = acting.session.is_some() && acting.allowed != Redundancy::Sso;
        if self.heard == Some(MessageKind::Unreadable) && goes_on {
            let sessions = self.sessions(slot, acting);
            sessions.fails(at_us, limits);
            sessions.failed_at = None;
        }
    }
}

/// Whether it announces a file, or is a piece of one.
const fn is_of_file(kind: MessageKind) -> bool {
    use MessageKind::{Config, ConfigChunk, Diff, Dump, SaveChunk};
    matches!(kind, Config | ConfigChunk | Diff | Dump | SaveChunk)
}

impl Observer for BoundedAttempts {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        if let What::Fault { kind, .. } = fact.what {
            self.clocks |= matches!(kind, FaultName::ClockRate | FaultName::ClockStep);
        }
        let at = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?.role()?)));
        let Some((slot, role)) = at else {
            return Ok(());
        };
        let limits = &history.limits;
        match (fact.what, role) {
            (What::Took { input, .. }, role) => {
                self.heard = match input {
                    Input::Message { message, .. } => Some(message.kind()),
                    _ => None,
                };
                if let Role::Active(acting) = role {
                    self.sessions(slot, acting).takes(input, fact.at_us, limits);
                }
            }
            (What::Says { event, .. }, role) => {
                return self.hears(event, (slot, role), fact.at_us, limits);
            }
            (What::Stepped, Role::Active(acting)) => {
                self.stepped(slot, acting, fact.at_us, limits);
            }
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
