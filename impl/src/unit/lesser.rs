//! The lesser modes, at the Active: why the pair comes up in rpr or simplex, and when sso is tried
//! again (PROTOCOL.md, section 6).
//!
//! Source: seed, step 329; attempts and their pauses are ours.

use alloc::collections::BTreeSet;

use super::active::Active;
use super::bulk::severest;
use super::input::Timer;
use super::output::Event;
use super::peer::ActivePhase;
use super::sender::StuckLine;
use super::state::Context;
use crate::digest::Shared;
use crate::message::{Engine, LeaveWhy, Redundancy, Verdict};
use crate::planted::Defect;
use crate::policy::{Action, Cause, Question, SyncPhase};

/// Lines of the config that cannot go, or are more than the Standby takes, keep the pair in a
/// lesser mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hindrance {
    /// Lines that matched a rule of phase line; those that match one of phase bulk are known by it.
    pub lines: BTreeSet<Shared<str>>,
    /// Whether the last one is gone: sso is tried again at timer Backoff.
    pub gone: bool,
}

/// What policy is asked to act on: the Standby does not hold what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    /// The phase of sync in which it was found.
    pub(super) phase: SyncPhase,
    /// Why the session is to end.
    pub(super) why: LeaveWhy,
    /// The lines that cannot go, if they are the cause.
    pub(super) by: Option<Hindrance>,
}

/// What policy ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enforced {
    /// Why the session is left.
    pub(super) why: LeaveWhy,
    /// What a Standby does whose snapshot is judged.
    pub(super) verdict: Verdict,
}

impl Active {
    /// What policy orders about a Standby that does not hold what it should: the mode falls, or an
    /// ordered reset is counted. None if the session stays as it is.
    ///
    /// A reset cures no line that cannot go: it is ordered once, and the pair comes up in rpr. So it
    /// does if no reset is left.
    pub(super) fn enforce(
        &mut self,
        action: Action,
        cause: Breach,
        cx: &Context<'_, '_>,
    ) -> Option<Enforced> {
        debug_assert!(self.peer.current.is_some(), "what is broken is a session's");
        let Breach { phase, why, by } = cause;
        let enforced = match action {
            Action::Refuse | Action::Ignore | Action::DropAndWarn => return None,
            Action::ResetStandby => {
                let ordered = self.order_reset(phase, cx);
                self.lesser = why;
                if by.is_some() || !ordered {
                    self.fall(Redundancy::Rpr, why, by);
                }
                if ordered {
                    Enforced { why, verdict: Verdict::Reset }
                } else {
                    Enforced { why: LeaveWhy::Degrade, verdict: Verdict::Rpr }
                }
            }
            Action::Degrade => {
                self.fall(Redundancy::Rpr, LeaveWhy::Degrade, by);
                Enforced { why: LeaveWhy::Degrade, verdict: Verdict::Rpr }
            }
            Action::Simplex => {
                self.fall(Redundancy::Simplex, LeaveWhy::Simplex, by);
                Enforced { why: LeaveWhy::Simplex, verdict: Verdict::Simplex }
            }
        };
        debug_assert!(
            self.mode != Redundancy::Sso || enforced.verdict == Verdict::Reset,
            "only a reset leaves the pair in sso"
        );
        Some(enforced)
    }

    /// Enforces what policy orders about a session that sends lines: it is left, unless it stays.
    pub(super) fn leave_by(&mut self, action: Action, cause: Breach, cx: &mut Context<'_, '_>) {
        if let Some(Enforced { why, .. }) = self.enforce(action, cause, cx) {
            self.leave(why, cx);
        }
    }

    /// Counts an ordered reset, if there is one left.
    fn order_reset(&mut self, phase: SyncPhase, cx: &Context<'_, '_>) -> bool {
        if self.resets >= cx.env.limits.max_resets {
            return false;
        }
        let counts = phase == SyncPhase::Line || !cx.env.planted(Defect::ResetsUncounted);
        self.resets += u32::from(counts);
        debug_assert!(self.resets <= cx.env.limits.max_resets, "resets are bounded");
        true
    }

    /// A deadline was met: policy may say that the pair comes up in a lesser mode; else the session
    /// is tried again.
    pub(super) fn exceed(&mut self, why: LeaveWhy, lines: bool, cx: &mut Context<'_, '_>) {
        let phase = if lines { SyncPhase::Line } else { SyncPhase::Bulk };
        match cx.env.policy.action(Question::new(phase, Cause::Limit)) {
            Action::Simplex => self.degrade(Redundancy::Simplex, why, cx),
            Action::Degrade => self.degrade(Redundancy::Rpr, why, cx),
            Action::Refuse | Action::Ignore | Action::DropAndWarn | Action::ResetStandby => {}
        }
        self.leave(why, cx);
    }

    /// Something is more than the Standby takes. Nothing of it can be sent, so that every action
    /// below simplex is rpr.
    pub(super) fn bound(&mut self, phase: SyncPhase, cx: &mut Context<'_, '_>) {
        let action = cx.env.policy.action(Question::new(phase, Cause::Limit));
        let mode = if action == Action::Simplex { Redundancy::Simplex } else { Redundancy::Rpr };
        self.degrade(mode, LeaveWhy::Bound, cx);
        self.hindrance = Some(Hindrance::default());
    }

    /// The pair is to come up in a lesser mode.
    fn degrade(&mut self, mode: Redundancy, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        self.fall(mode, why, None);
        self.tell_degraded(cx);
    }

    pub(super) fn tell_degraded(&self, cx: &mut Context<'_, '_>) {
        let peer = self.peer.current.as_ref().map(|current| current.engine);
        let (why, own) = (self.lesser, Engine::OURS);
        let peer = peer.unwrap_or_default();
        cx.event(Event::Degraded { why, own, peer });
    }

    /// The lines for which a rule of phase line ends the session.
    pub(super) fn hindering(stuck: &[StuckLine], cx: &Context<'_, '_>) -> Hindrance {
        let ends = |each: &&StuckLine| {
            let action = severest(SyncPhase::Line, core::slice::from_ref(*each), cx);
            action.is_some_and(|action| !action.stays())
        };
        let lines = stuck.iter().filter(ends).map(|each| each.line.clone());
        Hindrance { lines: lines.collect(), gone: false }
    }

    /// The pair is to be in a lesser mode, until its lines hinder no more if they do.
    pub(super) fn fall(&mut self, mode: Redundancy, why: LeaveWhy, by: Option<Hindrance>) {
        self.mode = mode;
        self.lesser = why;
        self.hindrance = by;
    }

    /// The session in the lesser mode looks at the lines that brought it there: once the last one
    /// is gone, sso is tried again.
    pub(super) fn note_hindrance(&mut self, cx: &mut Context<'_, '_>) {
        let Some(current) = &self.peer.current else {
            return;
        };
        let rejected = matches!(current.phase, ActivePhase::Rejected { verdict, .. } if verdict != Verdict::Reset);
        let Some(hindrance) = self.hindrance.as_mut().filter(|_| rejected) else {
            return;
        };
        let stuck = current.stuck(cx);
        let sender = current.sender.as_ref();
        let fits = sender.is_none_or(|sender| sender.fits(current.bounds));
        let bulk = severest(SyncPhase::Bulk, &stuck, cx).is_none_or(Action::stays);
        let is_stuck = |line: &Shared<str>| stuck.iter().any(|each| each.line == *line);
        hindrance.lines.retain(is_stuck);
        let gone = fits && bulk && hindrance.lines.is_empty();
        if gone != core::mem::replace(&mut hindrance.gone, gone) {
            if gone {
                cx.set(Timer::Backoff);
            } else {
                cx.cancel(&[Timer::Backoff]);
            }
        }
    }

    /// Sso is tried again.
    pub(super) fn set_sso(&mut self) {
        self.mode = Redundancy::Sso;
        self.hindrance = None;
    }

    /// A session ends, or its Standby has left it, before it was hot for `stable_time`: an attempt
    /// has failed.
    pub(super) fn count_attempt(&mut self, why: LeaveWhy, cx: &mut Context<'_, '_>) {
        let Some(current) = &mut self.peer.current else {
            return;
        };
        if core::mem::replace(&mut current.counted, true) {
            return;
        }
        let most = cx.env.limits.max_attempts;
        if !cx.env.planted(Defect::AttemptsUncounted) {
            self.attempts = most.min(self.attempts + 1);
        }
        self.pace = self.attempts;
        cx.set(Timer::Pace);
        if self.is_used_up(cx) && self.mode == Redundancy::Sso {
            self.degrade(Redundancy::Rpr, why, cx);
        }
    }

    /// Whether as many attempts have failed as there are.
    pub(super) const fn is_used_up(&self, cx: &Context<'_, '_>) -> bool {
        self.attempts >= cx.env.limits.max_attempts
    }

    /// The pair was hot for long: attempts count from 0.
    pub(super) fn forgive_attempts(&mut self) {
        if let Some(current) = &mut self.peer.current
            && current.phase == ActivePhase::Hot
        {
            current.counted = true;
            self.attempts = 0;
        }
    }

    /// One part of the pause after an attempt is over.
    pub(super) fn on_pace_timeout(&mut self, cx: &mut Context<'_, '_>) {
        self.pace = self.pace.saturating_sub(1);
        if self.pace > 0 {
            cx.set(Timer::Pace);
        }
    }

    /// The reason for which policy rejected the pair's config is gone.
    pub(super) fn on_backoff_timeout(&mut self, cx: &mut Context<'_, '_>) {
        if self.hindrance.as_ref().is_some_and(|hindrance| hindrance.gone) && !self.is_used_up(cx) {
            self.retry(cx);
        }
    }

    /// Tries sso again.
    pub(super) fn retry(&mut self, cx: &mut Context<'_, '_>) {
        self.set_sso();
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
