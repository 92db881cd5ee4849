//! The lesser modes, at the Active: why the pair comes up in rpr or simplex, and when sso is tried
//! again (PROTOCOL.md, section 6).
//!
//! Source: seed, step 329; attempts and their pauses are ours.

use super::super::breach::{Breach, Enforced, of_cause, of_stuck};
use super::super::input::Timer;
use super::super::output::Event;
use super::super::peer::{ActivePhase, ActiveSession};
use super::super::state::Context;
use super::Active;
use crate::digest::Shared;
use crate::message::{Engine, LeaveWhy, Redundancy, Verdict};
use crate::policy::{Action, Cause, SyncPhase};

impl Active {
    /// Enforces what policy orders about a session that sends lines: it is left, unless it stays.
    pub(super) fn leave_by(&mut self, action: Action, cause: Breach, cx: &mut Context<'_, '_>) {
        if let Some(Enforced { why, .. }) = self.mode.enforce(action, cause, cx) {
            self.leave(why, cx);
        }
    }

    /// A limit was met: policy may say that the pair comes up in a lesser mode. Whether the session
    /// ends is the caller's.
    pub(super) fn exceed(&mut self, phase: SyncPhase, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let action = of_cause(phase, Cause::Limit, cx);
        if self.mode.enforce(action, Breach::Limit(why), cx).is_some() {
            self.tell_degraded(cx);
        }
    }

    pub(super) fn tell_degraded(&self, cx: &mut Context<'_, '_>) {
        let peer = self.peer.current().map(ActiveSession::engine);
        let (why, own) = (self.mode.why(), Engine::OURS);
        let peer = peer.unwrap_or_default();
        cx.event(Event::Degraded { why, own, peer });
    }

    /// The session in the lesser mode looks at the lines that brought it there: once the last one
    /// is gone, sso is tried again.
    pub(super) fn note_hindrance(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = self.peer.current() else {
            return;
        };
        let reset = Verdict::Reset;
        let rejected =
            matches!(current.phase(), ActivePhase::Rejected { verdict, .. } if *verdict != reset);
        if !rejected || !self.mode.is_hindered() {
            return;
        }
        let stuck = current.stuck(cx);
        let fits = current.sender().is_none_or(|sender| sender.fits(current.bounds()));
        let bulk = of_stuck(SyncPhase::Bulk, &stuck, cx).is_none_or(Action::stays);
        let is_stuck = |line: &Shared<str>| stuck.iter().any(|each| each.line == *line);
        match self.mode.look_at_hindrance(is_stuck, fits && bulk) {
            Some(true) => cx.set(Timer::Backoff),
            Some(false) => cx.cancel(&[Timer::Backoff]),
            None => {}
        }
    }

    /// A session ends, or its Standby has left it, before it was hot for `stable_time`: an attempt
    /// has failed.
    pub(super) fn count_attempt(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        if !self.peer.current_mut().is_some_and(ActiveSession::count) {
            return;
        }
        self.mode.fail_attempt(cx);
        cx.set(Timer::Pace);
        if self.mode.is_used_up(cx) && !self.mode.is_lesser() {
            self.mode.fall(Redundancy::Rpr, why, None);
            self.tell_degraded(cx);
        }
    }

    /// The pair was hot for long: attempts count from 0.
    pub(super) fn forgive_attempts(&mut self) {
        if let Some(current) = self.peer.current_mut()
            && *current.phase() == ActivePhase::Hot
        {
            current.count();
            self.mode.forgive_attempts();
        }
    }

    /// One part of the pause after an attempt is over.
    pub(super) fn on_pace_timeout(&mut self, cx: &mut Context<'_, '_>) {
        self.mode.shorten_pause();
        if self.mode.is_pausing() {
            cx.set(Timer::Pace);
        }
    }

    /// The reason for which policy rejected the pair's config is gone.
    pub(super) fn on_backoff_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if self.mode.is_freed() && !self.mode.is_used_up(cx) {
            self.retry(cx);
        }
    }

    /// Tries sso again.
    pub(super) fn retry(&mut self, cx: &mut Context<'_, '_>) {
        self.mode.set_sso();
        let lesser = match self.peer.phase() {
            Some(ActivePhase::Rejected { .. } | ActivePhase::Held) => true,
            Some(ActivePhase::Bulk(bulk)) => bulk.empty,
            Some(
                ActivePhase::Dump(_)
                | ActivePhase::Diff(_)
                | ActivePhase::Pairing
                | ActivePhase::Config
                | ActivePhase::Cold
                | ActivePhase::HotSent
                | ActivePhase::HotAcked
                | ActivePhase::Setting
                | ActivePhase::Hot,
            )
            | None => false,
        };
        if lesser {
            self.leave(LeaveWhy::Retry, cx);
        }
    }
}
