//! What must hold between the Active and its Standby.

use super::{History, Property, Situation};
use crate::effects::Meaning;
use crate::scope::{Bounded, Scope};
use crate::state::{Lsn, Msg, Replica, Role, Session, StandbyPhase, Unit};
use crate::step::Step;

/// Commutes, HotMeansEqual and NoSilentDrop of the state after a step.
pub(super) fn check<E: Meaning>(
    scope: &Scope<E>,
    step: &Step,
    watch: &History,
    check: &mut impl FnMut(Property, bool),
    met: &mut impl FnMut(Situation),
) {
    let Some((slot, active)) = step.state.active() else {
        return;
    };
    let Some(current) = &active.current else {
        return;
    };
    let session = current.session;
    let other = &step.state.units[usize::from(1 - slot)];
    let Role::Standby(standby) = &other.part else {
        return;
    };
    let register = step.state.arbiter.register;
    let eligible = register.filter(|register| register.session == session);
    let of_session = |replica: &Replica| replica.session == Some(session);
    let Some(replica) = standby.replica.filter(of_session) else {
        // A Standby of the register's session has swapped in: HotAck says so.
        let sits = standby.seat.as_ref().is_some_and(|(seated, _)| *seated == session);
        return check(Property::HotMeansEqual, eligible.is_none() || !sits);
    };
    let Some(made) = watch.at(active.term, replica.applied) else {
        return check(Property::Commutes, false);
    };
    let equal = replica.cfg == scope.env.effects.becomes(slot, made.cfg);
    if let Some(register) = eligible {
        let reaches = replica.applied >= register.lsn && replica.applied >= watch.replicated;
        check(Property::HotMeansEqual, equal && reaches);
        let listed = scope.env.effects.listed(replica.cfg);
        if listed != 0 {
            met(Situation::HotListing);
        }
        let missing = scope.env.effects.missing(made.cfg, replica.cfg);
        check(Property::NoSilentDrop, missing & !listed == 0);
        // What the Active lists of that change: what cannot go, and what it was told.
        let effects = &scope.env.effects;
        let stuck = effects.listed(effects.carry(slot, made.cfg));
        if current.acked == replica.applied {
            check(Property::NoSilentDrop, stuck | effects.told(current.missing) == listed);
        }
    }
    check(Property::Commutes, equal);
}

/// Up to where a unit has applied what session, the snapshot that it is to swap in included.
fn applied(unit: &Unit) -> Option<(Session, Lsn)> {
    let Role::Standby(standby) = &unit.part else {
        return None;
    };
    match &standby.seat {
        Some((session, StandbyPhase::Shadow(snapshot, _))) => Some((*session, snapshot.lsn)),
        Some(_) | None => {
            standby.replica.and_then(|replica| Some((replica.session?, replica.applied)))
        }
    }
}

/// Each LSN is applied after the one before it, and answered once.
pub(super) fn check_order_once(
    before: &Bounded,
    step: &Step,
    met: &mut impl FnMut(Situation),
) -> bool {
    (0..2u8).all(|slot| {
        let at = usize::from(slot);
        let (was, is) = (applied(&before.state.units[at]), applied(&step.state.units[at]));
        let (Some((old, from)), Some((new, to))) = (was, is) else {
            return true;
        };
        if old != new || from == to {
            return true;
        }
        met(Situation::LineApplied);
        let answered = step.sent.iter().filter_map(|flight| match flight.msg {
            Msg::Applied { session, lsn, .. } if flight.from == slot && session == new => Some(lsn),
            _ => None,
        });
        answered.eq(from + 1..=to)
    })
}

/// A store gives way only to a config that was saved later.
pub(super) fn check_saved<E: Meaning>(
    scope: &Scope<E>,
    before: &Bounded,
    step: &Step,
    watch: &History,
    met: &mut impl FnMut(Situation),
) -> bool {
    before.state.units.iter().zip(&step.state.units).all(|(old, new)| {
        let (stamp, cfg) = new.startup;
        if old.startup == new.startup {
            return true;
        }
        if !matches!(new.part, Role::Active(_)) {
            met(Situation::StoredAtPeer);
        }
        let whole = watch.at(stamp.term, stamp.lsn).is_some_and(|made| {
            cfg == made.cfg || cfg == scope.env.effects.becomes(made.slot, made.cfg)
        });
        whole && stamp >= old.startup.0
    })
}
