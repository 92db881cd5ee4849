//! What a Standby does not hold as it should, and what policy says of it (PROTOCOL.md, section 6).
//! What follows from it is the mode's.

use alloc::vec::Vec;

use super::mode::Hindrance;
use super::sender::StuckLine;
use super::state::Context;
use crate::digest::Shared;
use crate::message::{LeaveWhy, Mismatch, Unraised, Verdict};
use crate::policy::{Action, Cause, Question, SyncPhase};

/// What policy is asked to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// The Standby does not hold what it should.
    Lines {
        /// The phase of sync in which it was found.
        phase: SyncPhase,
        /// Why the session is to end.
        why: LeaveWhy,
        /// The lines that cannot go, if they are the cause.
        by: Option<Hindrance>,
    },
    /// A limit was met: a deadline, or a bound of what the Standby takes.
    Limit(LeaveWhy),
}

/// What policy ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enforced {
    /// Why the session is left.
    pub(super) why: LeaveWhy,
    /// What a Standby does whose snapshot is judged.
    pub(super) verdict: Verdict,
}

/// The severest action that a rule names for lines that cannot go.
pub(super) fn of_stuck(
    phase: SyncPhase,
    stuck: &[StuckLine],
    cx: &Context<'_, '_>,
) -> Option<Action> {
    let action = |each: &StuckLine| {
        let (component, form) = (Some(&*each.component), Some(&*each.form));
        Some(cx.env.policy.action(Question { phase, cause: each.cause?, component, form }))
    };
    stuck.iter().filter_map(action).max()
}

/// The severest action for lines that the Standby cannot raise, by the cause that they would have
/// had here. One that is pending is no breach, and none is refused any more.
pub(super) fn of_unraised(
    phase: SyncPhase,
    unraised: &[Unraised],
    cx: &Context<'_, '_>,
) -> Option<Action> {
    let action = |each: &Unraised| {
        let (component, form) = (Some(&*each.component), Some(&*each.form));
        Some(cx.env.policy.action(Question { phase, cause: each.cause?, component, form }))
    };
    unraised.iter().filter_map(action).max()
}

/// The severest action for lines that the Standby refused: these, and `unnamed` ones.
pub(super) fn of_refused(
    phase: SyncPhase,
    refused: &[Mismatch],
    unnamed: bool,
    cx: &Context<'_, '_>,
) -> Option<Action> {
    let action = |each: &Mismatch| {
        let (component, form) = (Some(&*each.component), Some(&*each.form));
        cx.env.policy.action(Question { phase, cause: Cause::Prc, component, form })
    };
    let unnamed = unnamed.then(|| of_cause(phase, Cause::Prc, cx));
    refused.iter().map(action).max().max(unnamed)
}

/// The action for what is of no single line.
pub(super) fn of_cause(phase: SyncPhase, cause: Cause, cx: &Context<'_, '_>) -> Action {
    cx.env.policy.action(Question::new(phase, cause))
}

/// The lines for which a rule of phase line ends the session.
pub(super) fn hindering(stuck: &[StuckLine], cx: &Context<'_, '_>) -> Hindrance {
    let ends = |each: &&StuckLine| {
        let action = of_stuck(SyncPhase::Line, core::slice::from_ref(*each), cx);
        action.is_some_and(|action| !action.stays())
    };
    Hindrance::by(stuck.iter().filter(ends).map(|each| each.line.clone()))
}

/// The lines that were dropped, as a prompt names them.
pub(super) fn dropped(stuck: &[StuckLine]) -> Vec<Shared<str>> {
    stuck.iter().map(|each| each.line.clone()).collect()
}
