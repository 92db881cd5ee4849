//! When timers fire: only where they do something that is not known or under way already.

use super::{Bounded, Move, Scope};
use crate::action::{Action, ArbiterTimer, Timer};
use crate::effects::Meaning;
use crate::state::{Known, Msg, Phase, Role, Session, Slot, To, Unit};
use crate::step::says;

impl<E: Meaning + Clone> Scope<E> {
    /// A session that the other side does not share is given up; another costs.
    pub(super) fn give_up(
        &self,
        state: &Bounded,
        slot: Slot,
        session: Session,
        out: &mut Vec<Move>,
    ) {
        let shared = match &state.state.units[usize::from(1 - slot)].part {
            Role::Down | Role::Holder(_) => false,
            Role::Standby(standby) => {
                let joins = state.net.iter().any(|flight| flight.msg.is_session(session));
                standby.seat.as_ref().is_some_and(|(seated, _)| *seated == session) || joins
            }
            Role::Active(active) => {
                let is_session = |s: &Option<Session>| *s == Some(session);
                is_session(&active.offered)
                    || is_session(&active.leaving.map(|(session, _)| session))
                    || is_session(&active.current.as_ref().map(|c| c.session))
            }
        };
        let action = Action::Timer(slot, Timer::GiveUp);
        if !shared {
            out.push(Move::Does(action));
        } else if state.left.give_ups > 0 {
            out.push(Move::Costs(action));
        }
    }

    /// Whether a timer does something that is not known or under way already.
    pub(super) fn is_due(&self, state: &Bounded, slot: Slot, timer: Timer) -> bool {
        let arbiter = &state.state.arbiter;
        let unit = &state.state.units[usize::from(slot)];
        let other = &state.state.units[usize::from(1 - slot)].part;
        match (timer, &unit.part) {
            (Timer::Hello, _) => {
                let known = arbiter.known[usize::from(slot)];
                let known = known.filter(|known| known.boot == unit.boot);
                let unseen = unit.generation > arbiter.generation;
                // It said so, and what it was asked then is lost.
                let asked = state.net.iter().any(|flight| {
                    flight.to == To::Unit(slot) && matches!(flight.msg, Msg::Ask { .. })
                });
                let unheard = arbiter.heard & 1 << slot == 0;
                let unasked =
                    arbiter.asked.is_some_and(|asks| unheard && unit.asked < asks) && !asked;
                unseen
                    || unasked
                    || known.and_then(|known| known.said).is_none_or(|said| {
                        let active = matches!(unit.part, Role::Active(_));
                        let says = says(unit);
                        said.startup != says.startup
                            || said.replica != says.replica
                            || (said.running != says.running && !active)
                    })
            }
            (Timer::Join, Role::Standby(standby)) => {
                standby.seat.is_none() && matches!(other, Role::Active(_))
            }
            (Timer::Join, Role::Holder(_)) => matches!(other, Role::Active(_)),
            (Timer::Renew, Role::Holder(holder)) => {
                let granted = state.net.iter().any(|flight| {
                    flight.to == To::Unit(slot) && matches!(flight.msg, Msg::Grant { .. })
                });
                let heard = arbiter.offer.is_some_and(|offer| offer.term == holder.term)
                    || arbiter.holder.is_some_and(|h| h.term == holder.term && h.running);
                !granted && heard && !arbiter.silent
            }
            (Timer::Register, Role::Active(active)) => {
                let confirmed = state.net.iter().any(|flight| {
                    flight.to == To::Unit(slot) && matches!(flight.msg, Msg::Confirm { .. })
                });
                active.register.open && !confirmed
            }
            (Timer::Resend, Role::Active(active)) => {
                let owes = active.current.as_ref().is_some_and(|current| match current.phase {
                    Phase::Dump | Phase::Config | Phase::Bulk(_) | Phase::HotSent => true,
                    Phase::Cold | Phase::HotAcked | Phase::Setting | Phase::Hot => {
                        !current.journal.is_empty()
                    }
                    Phase::Diff | Phase::Pairing | Phase::Rejected(..) | Phase::Held => false,
                });
                let answers = state.net.iter().any(|flight| flight.to == To::Unit(slot));
                let hears = matches!(other, Role::Standby(_));
                hears && !answers && (owes || active.offered.is_some() || active.leaving.is_some())
            }
            (Timer::Pace, Role::Active(active)) => active.pacing,
            (Timer::Stable, Role::Active(active)) => {
                self.env.max_attempts.is_some()
                    && active.current.as_ref().is_some_and(|current| {
                        current.phase == Phase::Hot && (!current.counted || active.attempts > 0)
                    })
            }
            (Timer::Resend, Role::Standby(standby)) => {
                let answers = state.net.iter().any(|flight| flight.to == To::Unit(slot));
                standby.seat.is_some() && !answers && matches!(other, Role::Active(_))
            }
            _ => false,
        }
    }

    pub(super) fn arbiter_moves(&self, state: &Bounded, out: &mut Vec<Move>) {
        let arbiter = &state.state.arbiter;
        if arbiter.gathering {
            let hello = state.net.iter().any(|flight| matches!(flight.msg, Msg::Hello { .. }));
            let action = Action::Arbiter(ArbiterTimer::Gather);
            let known = |known: &Known| known.said.is_some();
            if !hello && arbiter.known.iter().flatten().any(known) {
                out.push(Move::Does(action));
            } else if state.left.early > 0 {
                out.push(Move::Costs(action));
            }
        }
        if let Some(offer) = arbiter.offer {
            let unit = &state.state.units[usize::from(offer.slot)];
            let reached = unit.part != Role::Down && unit.boot == offer.boot;
            let under_way = state.net.iter().any(|flight| flight.msg.is_term(offer.term));
            let wait = Action::Arbiter(ArbiterTimer::TakeoverWait);
            if !reached {
                out.push(Move::Does(wait));
            } else if state.left.early > 0 {
                out.push(Move::Costs(wait));
            }
            if reached && !under_way {
                out.push(Move::Does(Action::Arbiter(ArbiterTimer::Resend)));
            }
        }
        if arbiter.silent {
            let acts = |unit: &Unit| matches!(unit.part, Role::Active(_));
            // In true time the lease of whoever it does not know of is over before.
            if !state.state.units.iter().any(acts) {
                out.push(Move::Does(Action::Arbiter(ArbiterTimer::Lease)));
            }
            return;
        }
        if let Some(holder) = arbiter.holder.filter(|holder| holder.running) {
            let unit = &state.state.units[usize::from(holder.slot)];
            let action = Action::Arbiter(ArbiterTimer::Lease);
            match &unit.part {
                // In true time the lease of a unit ends before the arbiter's, if it counts from a
                // Renew that the arbiter has received.
                Role::Active(active)
                    if unit.boot == holder.boot
                        && active.term == holder.term
                        && active.granted <= state.renewed => {}
                Role::Holder(held) if held.term == holder.term && held.suspended.is_none() => {
                    if state.left.lapses > 0 {
                        out.push(Move::Costs(action));
                    }
                }
                Role::Active(_) | Role::Holder(_) | Role::Standby(_) | Role::Down => {
                    out.push(Move::Does(action));
                }
            }
        }
    }
}
