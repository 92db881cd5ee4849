//! Where a pair is to come when nothing disturbs it any more.

use super::{Bounded, Scope};
use crate::effects::Meaning;
use crate::state::{Active, Phase, Rejection, Role, Slot, StandbyPhase};

impl<E: Meaning + Clone> Scope<E> {
    /// What policy makes of the Active's config at a bulk.
    pub(super) fn judges(&self, slot: Slot, active: &Active) -> Option<Rejection> {
        let other = self.env.effects.becomes(slot, active.cfg);
        self.env.effects.judges(other)
    }

    /// Whether as many attempts have failed as there are.
    pub(super) fn is_used_up(&self, active: &Active) -> bool {
        let most = self.env.max_attempts;
        most.is_some_and(|most| active.attempts >= most)
    }

    /// Whether the pair is where it is to be: hot with nothing under way, or in the lesser mode
    /// that policy makes of its config. No prompt is held, and no command waits.
    pub fn is_converged(&self, state: &Bounded) -> bool {
        self.is_hot(state) || self.is_rightly_lesser(state)
    }

    pub(super) fn is_hot(&self, state: &Bounded) -> bool {
        let Some((slot, active)) = state.state.active() else {
            return false;
        };
        let hot = active
            .current
            .as_ref()
            .is_some_and(|current| current.phase == Phase::Hot && current.acked == active.last);
        let other = &state.state.units[usize::from(1 - slot)].part;
        hot && active.prompts.is_empty()
            && active.queue.is_empty()
            && matches!(other, Role::Standby(standby) if standby.replica.is_some())
    }

    fn is_rightly_lesser(&self, state: &Bounded) -> bool {
        let Some((slot, active)) = state.state.active() else {
            return false;
        };
        let Some(current) = &active.current else {
            return false;
        };
        let Phase::Rejected(_, rejection, _) = current.phase else {
            return false;
        };
        let right = match self.judges(slot, active) {
            _ if self.is_used_up(active) => rejection == Rejection::Rpr,
            Some(Rejection::Reset) => {
                rejection == Rejection::Rpr && active.resets >= self.max_resets
            }
            judged => judged == Some(rejection),
        };
        let sits = match rejection {
            Rejection::Reset => return false,
            Rejection::Rpr => StandbyPhase::Rpr,
            Rejection::Simplex => StandbyPhase::Held,
        };
        let other = &state.state.units[usize::from(1 - slot)].part;
        let silent = state.state.arbiter.register.is_none() && !active.register.open;
        right
            && silent
            && active.prompts.is_empty()
            && active.queue.is_empty()
            && matches!(other, Role::Standby(standby)
                if standby.seat == Some((current.session, sits)))
    }
}
