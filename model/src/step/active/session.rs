//! The Active's session: how it begins, is judged and ends, and what its phase sends.

use super::register::clear_register;
use crate::action::Action;
use crate::effects::Effects;
use crate::state::{
    Active, ActiveSession, Have, Keeps, Lsn, Missing, Msg, Phase, Rejection, Role, Session,
    Snapshot, Unit,
};
use crate::step::{Env, Out, Rule};

/// The Standby has applied up to `lsn`, and lacks this of it: the window moves.
pub(super) fn take_applied<E>(
    env: &Env<E>,
    current: &mut ActiveSession,
    (lsn, missing): (Lsn, Missing),
    out: &mut Out,
) {
    let session = current.session;
    if env.keeps(Rule::AppliedSaysMissing) {
        current.missing = missing;
    }
    let edge = current.acked + env.line_window;
    current.acked = lsn;
    current.journal.retain(|change| change.lsn > lsn);
    let opened = current.journal.iter().filter(|change| change.lsn > edge);
    let now = lsn + env.line_window;
    for change in opened.filter(|change| change.lsn <= now) {
        out.peer(Msg::Line { session, change: *change });
    }
}

/// The snapshot that was executed is rejected.
pub(in crate::step) fn on_rejected(
    active: &mut Active,
    msg: Msg,
    (rejection, keeps): (Rejection, Keeps),
    out: &mut Out,
) -> Option<()> {
    let current = active.current.as_mut()?;
    let session = current.session;
    let (Msg::BulkDone { session: done, lsn, .. }, Phase::Bulk(snapshot)) = (msg, current.phase)
    else {
        return None;
    };
    if done != session || snapshot.lsn != lsn {
        return None;
    }
    reject(active, lsn, (rejection, keeps), out);
    Some(())
}

/// The snapshot is not to be swapped in.
pub(super) fn reject(
    active: &mut Active,
    lsn: Lsn,
    (rejection, keeps): (Rejection, Keeps),
    out: &mut Out,
) {
    let Some(current) = &mut active.current else {
        return;
    };
    current.phase = Phase::Rejected(lsn, rejection, keeps);
    current.journal.clear();
    active.resets += u16::from(rejection == Rejection::Reset);
    let session = current.session;
    out.peer(Msg::BulkReject { session, lsn, rejection, keeps });
}

/// Whether as many attempts have failed as there are: the pair comes up in rpr.
pub(super) fn is_used_up<E>(env: &Env<E>, active: &Active) -> bool {
    env.max_attempts.is_some_and(|most| active.attempts >= most)
}

/// The session ends, or its Standby has left it: an attempt, unless it was hot for long.
fn count<E>(env: &Env<E>, active: &mut Active) {
    let (Some(most), Some(current)) = (env.max_attempts, &mut active.current) else {
        return;
    };
    if std::mem::replace(&mut current.counted, true) {
        return;
    }
    if env.keeps(Rule::AttemptsCount) {
        active.attempts = most.min(active.attempts + 1);
    }
    active.pacing = env.keeps(Rule::AttemptsPaced);
}

/// The Active gives its session up: an attempt.
pub(super) fn give_up<E>(env: &Env<E>, active: &mut Active, keeps: Keeps, out: &mut Out) {
    count(env, active);
    leave(env, active, keeps, out);
}

/// The Standby cannot read the snapshot, or a Line.
pub(super) fn on_unreadable<E>(env: &Env<E>, active: &mut Active, lsn: Lsn, out: &mut Out) {
    let Some(current) = &active.current else {
        return;
    };
    match current.phase {
        Phase::Bulk(snapshot) if snapshot.lsn == lsn => {
            count(env, active);
            if is_used_up(env, active) {
                active.pacing = false;
                reject(active, lsn, (Rejection::Rpr, Keeps::Replica), out);
            } else {
                leave(env, active, Keeps::Replica, out);
            }
        }
        Phase::Rejected(judged, rejection, keeps) if judged == lsn => {
            let session = current.session;
            out.peer(Msg::BulkReject { session, lsn, rejection, keeps });
        }
        phase if phase.sends_lines() && lsn > current.acked => {
            give_up(env, active, Keeps::Replica, out);
        }
        _ => {}
    }
}

/// The session is ended to be tried again, and no attempt failed.
pub(in crate::step) fn on_again<E>(
    env: &Env<E>,
    active: &mut Active,
    keeps: Keeps,
    out: &mut Out,
) -> Option<()> {
    active.current.as_ref()?;
    leave(env, active, keeps, out);
    Some(())
}

/// An operator has sso tried again.
pub(in crate::step) fn on_retry<E>(env: &Env<E>, active: &mut Active, out: &mut Out) -> Option<()> {
    active.attempts = 0;
    active.pacing = false;
    let lesser =
        |current: &ActiveSession| matches!(current.phase, Phase::Rejected(..) | Phase::Held);
    if active.current.as_ref().is_some_and(lesser) {
        leave(env, active, Keeps::Replica, out);
    }
    Some(())
}

/// What the Standby applied is not what was sent, and policy ends the session.
pub(in crate::step) fn on_disagreement<E>(
    env: &Env<E>,
    active: &mut Active,
    action: &Action,
    out: &mut Out,
) -> Option<()> {
    let Action::Disagrees(flight, counts) = action else {
        return None;
    };
    let Msg::Applied { session, lsn, missing } = flight.msg else {
        return None;
    };
    let last = active.last;
    let current = active.current.as_mut()?;
    let of_it = current.session == session && current.phase.sends_lines();
    if !of_it || lsn < current.acked || lsn > last {
        return None;
    }
    if *counts {
        take_applied(env, current, (lsn, missing), out);
    }
    give_up(env, active, Keeps::Nothing, out);
    Some(())
}

/// Policy ends the session, with what the Standby holds of it.
pub(in crate::step) fn on_policy_leave<E>(
    env: &Env<E>,
    active: &mut Active,
    out: &mut Out,
) -> Option<()> {
    active.current.as_ref()?;
    give_up(env, active, Keeps::Nothing, out);
    Some(())
}

pub(in crate::step) fn on_incompatible(unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Role::Active(active) = &mut unit.part else {
        return None;
    };
    let current = active.current.as_mut().filter(|current| current.phase == Phase::Pairing)?;
    current.phase = Phase::Held;
    out.peer(Msg::Incompatible { session: current.session });
    Some(())
}

pub(super) fn on_join<E>(
    env: &Env<E>,
    active: &mut Active,
    boot: u16,
    (of_boot, n, resets, other): (u16, u16, u16, bool),
    out: &mut Out,
) {
    let round = (of_boot, n);
    let round_of = |session: Session| (session.standby, session.attempt);
    let known = [active.offered, active.current.as_ref().map(|current| current.session)];
    if let Some(session) = known.into_iter().flatten().find(|session| round_of(*session) == round) {
        return out.peer(Msg::Proceed { session });
    }
    let ended = active.ended.filter(|_| env.keeps(Rule::SessionNamedOnce));
    let mut seen = known.into_iter().flatten().map(round_of).chain(ended);
    if seen.all(|seen| seen < round) {
        if is_paced(env, active, of_boot, other) {
            return;
        }
        if env.keeps(Rule::JoinCarriesResets) {
            active.resets = active.resets.max(resets);
        }
        let session =
            Session { term: active.term, active: boot, standby: round.0, attempt: round.1 };
        active.offered = Some(session);
        out.peer(Msg::Proceed { session });
    }
}

/// Whether a Join of a newer round is not answered yet. It says that its Standby has left the
/// session, if it is of the same boot.
fn is_paced<E>(env: &Env<E>, active: &mut Active, of_boot: u16, other: bool) -> bool {
    let current = active.current.as_ref();
    let latest = current.map(|current| current.session.standby);
    let latest = latest.or(active.ended.map(|(boot, _)| boot));
    if other {
        active.attempts = 0;
        active.pacing = false;
    } else if latest.is_some_and(|boot| boot != of_boot) {
        let most = env.max_attempts.map_or(0, |most| most.saturating_sub(1));
        active.attempts = active.attempts.min(most);
        active.pacing = false;
    } else {
        count(env, active);
    }
    active.pacing
}

pub(super) fn on_ready<E: Effects>(
    env: &Env<E>,
    active: &mut Active,
    session: Session,
    have: Have,
    out: &mut Out,
) {
    if let Some(current) = active.current.as_ref().filter(|current| current.session == session) {
        if matches!(current.phase, Phase::Config | Phase::Bulk(_)) {
            out.peer(Msg::Compatible { session });
        }
        return resend_phase(env, active, out);
    }
    if active.offered != Some(session) {
        return;
    }
    end_current(active);
    active.offered = None;
    active.leaving = None;
    active.pacing = false;
    let phase = match have {
        Have::SameImage => Phase::Config,
        Have::AtHand => Phase::Diff,
        Have::Needed => Phase::Dump,
    };
    let current = ActiveSession {
        session,
        phase,
        journal: Vec::new(),
        acked: 0,
        missing: Missing::default(),
        hot_at: 0,
        counted: false,
    };
    active.current = Some(current);
    clear_register(env, active, out);
    active.draining = false;
    match have {
        Have::SameImage => out.peer(Msg::Compatible { session }),
        Have::Needed => out.peer(Msg::Dump { session }),
        Have::AtHand => {}
    }
}

pub(in crate::step) fn on_paired(active: &mut Active, out: &mut Out) -> Option<()> {
    let current = active.current.as_mut().filter(|current| current.phase == Phase::Pairing)?;
    current.phase = Phase::Config;
    out.peer(Msg::Compatible { session: current.session });
    Some(())
}

fn end_current(active: &mut Active) {
    if let Some(current) = active.current.take() {
        let round = (current.session.standby, current.session.attempt);
        active.ended = active.ended.max(Some(round));
    }
}

pub(super) fn leave<E>(env: &Env<E>, active: &mut Active, keeps: Keeps, out: &mut Out) {
    let Some(current) = &active.current else {
        return;
    };
    let session = current.session;
    end_current(active);
    out.peer(Msg::Leave { session, keeps });
    active.leaving = Some((session, keeps));
    clear_register(env, active, out);
    active.draining = false;
}

pub(super) fn send_bulk(session: Session, snapshot: Snapshot, out: &mut Out) {
    out.peer(Msg::Config { session, snapshot });
    for number in 0..snapshot.chunks {
        out.peer(Msg::Chunk { session, lsn: snapshot.lsn, cfg: snapshot.cfg, number });
    }
}

pub(super) fn send_lines<E>(env: &Env<E>, current: &ActiveSession, out: &mut Out) {
    let session = current.session;
    let edge = current.acked + env.line_window;
    for change in current.journal.iter().filter(|change| change.lsn <= edge) {
        out.peer(Msg::Line { session, change: *change });
    }
}

pub(super) fn resend_phase<E>(env: &Env<E>, active: &Active, out: &mut Out) {
    let Some(current) = &active.current else {
        return;
    };
    let session = current.session;
    match current.phase {
        Phase::Dump => out.peer(Msg::Dump { session }),
        Phase::Config => out.peer(Msg::Compatible { session }),
        Phase::Bulk(snapshot) => send_bulk(session, snapshot, out),
        Phase::HotSent => {
            out.peer(Msg::Hot { session, lsn: current.hot_at });
            send_lines(env, current, out);
        }
        Phase::Cold | Phase::HotAcked | Phase::Setting | Phase::Hot => {
            send_lines(env, current, out);
        }
        Phase::Diff | Phase::Pairing | Phase::Rejected(..) | Phase::Held => {}
    }
}
