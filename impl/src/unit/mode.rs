//! The mode of redundancy that policy and limits allow a pair, and what is counted for it: failed
//! attempts, and ordered resets (PROTOCOL.md, section 6).
//!
//! ```text
//!          fall, by policy, by a bound, or once all attempts have failed
//!   Sso ------------------------------------------------------------------> Rpr | Simplex
//!    ^                                                                           |
//!    +---------------------------------------------------------------------------+
//!      its lines are gone, an operator asks, the Standby is another boot or image
//! ```
//! Source: seed, step 329; attempts and their pauses are ours.

use alloc::collections::BTreeSet;

use super::breach::{Breach, Enforced};
use super::state::Context;
use crate::digest::Shared;
use crate::message::{LeaveWhy, Redundancy, Verdict};
use crate::planted::Defect;
use crate::policy::{Action, SyncPhase};

/// The mode, why it is a lesser one, and what was counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode {
    redundancy: Redundancy,
    /// Why the mode is a lesser one, if it is.
    why: LeaveWhy,
    hindrance: Option<Hindrance>,
    /// Sessions that ended before they were hot for `stable_time`, since the count began anew.
    attempts: u32,
    /// How often the timer Pace is still to fire before a Join is answered.
    pace: u32,
    resets: Resets,
}

/// Ordered resets, as the Active counts them; the Standby's own count is in its Join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Resets {
    count: u32,
    /// Whether what a Join tells counts no more: an operator, or a time of being hot, forgave it in
    /// this term, and this unit orders every reset since.
    forgave: bool,
}

/// Lines of the config that cannot go, or are more than the Standby takes, keep the pair in a
/// lesser mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hindrance {
    /// Lines that matched a rule of phase line; those that match one of phase bulk are known by it.
    lines: BTreeSet<Shared<str>>,
    /// Whether the last one is gone: sso is tried again at timer Backoff.
    gone: bool,
}

impl Mode {
    /// The mode of an Active that begins; its unit was ordered to reset this often.
    pub const fn new(resets: u32) -> Self {
        Self {
            redundancy: Redundancy::Sso,
            why: LeaveWhy::Over,
            hindrance: None,
            attempts: 0,
            pace: 0,
            resets: Resets { count: resets, forgave: false },
        }
    }

    /// The pair is to be in a lesser mode, until its lines hinder no more if they do.
    pub fn fall(&mut self, to: Redundancy, why: LeaveWhy, by: Option<Hindrance>) {
        debug_assert_ne!(to, Redundancy::Sso, "it falls to a lesser mode");
        self.redundancy = to;
        self.why = why;
        self.hindrance = by;
        self.check();
    }

    /// What policy orders about a Standby that does not hold what it should: the mode falls, or an
    /// ordered reset is counted. None if the session stays as it is.
    ///
    /// A reset cures no line that cannot go: it is ordered once, and the pair comes up in rpr. So
    /// it does if no reset is left.
    pub(super) fn enforce(
        &mut self,
        action: Action,
        cause: Breach,
        cx: &Context<'_, '_>,
    ) -> Option<Enforced> {
        let (phase, why, by) = match cause {
            Breach::Lines { phase, why, by } => (phase, why, by),
            Breach::Limit(why) => return self.fall_at_limit(action, why),
        };
        let enforced = match action {
            Action::Refuse | Action::Ignore | Action::DropAndWarn => return None,
            Action::ResetStandby => {
                let ordered = self.order_reset(phase, cx);
                self.why = why;
                if why == LeaveWhy::Stuck || !ordered {
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
            self.is_lesser() || enforced.verdict == Verdict::Reset,
            "only a reset leaves the pair in sso"
        );
        Some(enforced)
    }

    /// A reset cures no limit: none is ordered. Of what is more than the Standby takes nothing can
    /// be sent, so that every action below simplex is rpr.
    fn fall_at_limit(&mut self, action: Action, why: LeaveWhy) -> Option<Enforced> {
        let bound = why == LeaveWhy::Bound;
        debug_assert!(bound || why == LeaveWhy::Deadline, "one of the limits");
        let (to, verdict) = match action {
            Action::Simplex => (Redundancy::Simplex, Verdict::Simplex),
            Action::Degrade => (Redundancy::Rpr, Verdict::Rpr),
            Action::Refuse | Action::Ignore | Action::DropAndWarn | Action::ResetStandby
                if bound =>
            {
                (Redundancy::Rpr, Verdict::Rpr)
            }
            Action::Refuse | Action::Ignore | Action::DropAndWarn | Action::ResetStandby => {
                return None;
            }
        };
        self.fall(to, why, bound.then(Hindrance::default));
        debug_assert!(self.is_lesser(), "it has fallen");
        Some(Enforced { why, verdict })
    }

    /// Counts an ordered reset, if there is one left.
    fn order_reset(&mut self, phase: SyncPhase, cx: &Context<'_, '_>) -> bool {
        let most = cx.env.limits.max_resets;
        if self.resets.count >= most {
            return false;
        }
        let counts = phase == SyncPhase::Line || !cx.env.planted(Defect::ResetsUncounted);
        self.resets.count += u32::from(counts);
        debug_assert!(self.resets.count <= most, "resets are bounded");
        true
    }

    /// A Standby tells how many ordered resets it counted.
    pub(super) fn learn_resets(&mut self, told: u32) {
        let before = self.resets.count;
        if !self.resets.forgave {
            self.resets.count = before.max(told);
        }
        debug_assert!(self.resets.count >= before, "what is told takes none away");
    }

    /// Ordered resets count from 0 again.
    pub(super) const fn forgive_resets(&mut self) {
        self.resets = Resets { count: 0, forgave: true };
    }

    /// An attempt has failed; the next one waits.
    pub(super) fn fail_attempt(&mut self, cx: &Context<'_, '_>) {
        let most = cx.env.limits.max_attempts;
        if !cx.env.planted(Defect::AttemptsUncounted) {
            self.attempts = most.min(self.attempts + 1);
        }
        self.pace = self.attempts;
        debug_assert!(self.attempts <= most, "attempts are bounded");
        debug_assert!(self.pace <= most, "so is the pause");
    }

    /// Attempts count from 0.
    pub(super) const fn forgive_attempts(&mut self) {
        self.attempts = 0;
    }

    /// Joins are answered at once again.
    pub(super) const fn end_pause(&mut self) {
        self.pace = 0;
    }

    /// One part of the pause is over.
    pub(super) const fn shorten_pause(&mut self) {
        self.pace = self.pace.saturating_sub(1);
    }

    /// Sso is tried again.
    pub(super) fn set_sso(&mut self) {
        self.redundancy = Redundancy::Sso;
        self.hindrance = None;
        self.check();
    }

    /// A Standby of another image or engine: nothing that failed says anything of it.
    pub(super) fn begin_anew(&mut self) {
        self.set_sso();
        self.attempts = 0;
        self.pace = 0;
        debug_assert!(!self.is_lesser() && !self.is_pausing(), "it begins anew");
    }

    /// A new boot of the Standby is a reason to try sso again, once.
    pub(super) fn try_once_more(&mut self, max_attempts: u32) {
        self.set_sso();
        self.attempts = self.attempts.min(max_attempts.saturating_sub(1));
        self.pace = 0;
        debug_assert!(max_attempts == 0 || self.attempts < max_attempts, "one attempt is left");
    }

    /// More lines keep the pair in its lesser mode, if lines do.
    pub(super) fn add_hindering(&mut self, more: &Hindrance) {
        if let Some(hindrance) = &mut self.hindrance {
            hindrance.lines.extend(more.lines.iter().cloned());
        }
        self.check();
    }

    /// Looks at the lines that keep the pair in its lesser mode: those that are `stuck` still stay.
    /// `fits`: all but they may go. Whether the last one is gone, if that is news.
    pub(super) fn look_at_hindrance(
        &mut self,
        is_stuck: impl Fn(&Shared<str>) -> bool,
        fits: bool,
    ) -> Option<bool> {
        let hindrance = self.hindrance.as_mut()?;
        hindrance.lines.retain(is_stuck);
        let gone = fits && hindrance.lines.is_empty();
        (gone != core::mem::replace(&mut hindrance.gone, gone)).then_some(gone)
    }

    /// The mode that policy and limits allow.
    pub const fn redundancy(&self) -> Redundancy {
        self.redundancy
    }

    /// Whether it is less than sso.
    pub fn is_lesser(&self) -> bool {
        self.redundancy != Redundancy::Sso
    }

    /// Why the mode is a lesser one, if it is.
    pub const fn why(&self) -> LeaveWhy {
        self.why
    }

    /// Ordered resets that were counted.
    pub const fn resets(&self) -> u32 {
        self.resets.count
    }

    /// Attempts that failed, since the count began anew.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether as many attempts have failed as there are.
    pub(super) const fn is_used_up(&self, cx: &Context<'_, '_>) -> bool {
        self.attempts >= cx.env.limits.max_attempts
    }

    /// Whether a Join waits for the end of a pause.
    pub const fn is_pausing(&self) -> bool {
        self.pace > 0
    }

    /// Whether lines keep the pair in its lesser mode.
    pub(super) const fn is_hindered(&self) -> bool {
        self.hindrance.is_some()
    }

    /// Whether the last line is gone that kept the pair in its lesser mode.
    pub(super) fn is_freed(&self) -> bool {
        self.hindrance.as_ref().is_some_and(|hindrance| hindrance.gone)
    }

    fn check(&self) {
        debug_assert!(self.is_lesser() || self.hindrance.is_none(), "lines hinder a lesser mode");
    }
}

impl Hindrance {
    /// By these lines.
    pub(super) fn by(lines: impl Iterator<Item = Shared<str>>) -> Self {
        Self { lines: lines.collect(), gone: false }
    }
}
