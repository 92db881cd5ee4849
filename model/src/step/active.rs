//! The Active (PROTOCOL.md, 10.2, The Active's peer; Commands): what it hears, executes and sends
//! again.

mod register;
mod role;
mod session;

use super::{Answer, Env, Execution, Out, eligible, holder, queue};
use crate::action::{Durability, Timer};
use crate::effects::{Effects, Executed};
use crate::state::{
    Active, ActiveSession, Change, Keeps, Msg, Phase, Prompt, Queued, Rejection, Role, Snapshot,
    Unit,
};
use crate::step::Rule;

use register::{
    holds_prompts, on_confirm, return_replicated, return_unknown, send_register, write_register,
};
use role::drain;
use session::{
    give_up, is_used_up, on_join, on_ready, on_unreadable, reject, resend_phase, send_bulk,
    send_lines, take_applied,
};

pub(super) use role::{fall_silent, lapse, on_drain_over, on_forced, on_switchover};
pub(super) use session::{
    on_again, on_disagreement, on_incompatible, on_paired, on_policy_leave, on_rejected, on_retry,
};

/// What an Active does of itself, and what that makes possible; none: the unit does not act, or
/// cannot do it.
pub(super) fn does<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    out: &mut Out,
    act: impl FnOnce(&mut Active, &mut Out) -> Option<()>,
) -> Option<()> {
    let Role::Active(active) = &mut unit.part else {
        return None;
    };
    act(active, out)?;
    settle(env, unit, out);
    Some(())
}

pub(super) fn on_message<E: Effects>(env: &Env<E>, unit: &mut Unit, msg: Msg, out: &mut Out) {
    let boot = unit.boot;
    let Role::Active(active) = &mut unit.part else {
        return;
    };
    match msg {
        Msg::Proceed { session } => {
            if session.term > active.term {
                fall_silent(env, active, out);
                queue::refuse(&mut active.queue, out);
                return holder::superseded(env, unit, session, out);
            }
        }
        Msg::Grant { boot: to, term, n, .. } if to == boot && term == active.term => {
            if active.granted < n && n <= active.renew {
                active.granted = if env.keeps(Rule::GrantNamesRenew) { n } else { active.renew };
            }
        }
        Msg::Confirm { term, counter, .. } if term == active.term => {
            on_confirm(env, active, counter, out);
        }
        Msg::Offer { boot: to, term, .. } if to == boot && term != active.term => {
            unit.highest = unit.highest.max(term);
            super::decline(unit, term, out);
        }
        Msg::Join { boot: joined, n, resets, other, .. } => {
            on_join(env, active, boot, (joined, n, resets, other), out);
        }
        Msg::Ready { session, have } => on_ready(env, active, session, have, out),
        Msg::Left { session } => {
            active.leaving = active.leaving.filter(|(leaving, _)| *leaving != session);
        }
        other => on_session(env, active, other, out),
    }
    settle(env, unit, out);
}

fn on_session<E: Effects>(env: &Env<E>, active: &mut Active, msg: Msg, out: &mut Out) {
    let used_up = is_used_up(env, active);
    let Some(current) = &mut active.current else {
        return;
    };
    let session = current.session;
    match msg {
        Msg::Diff { session: named } if named == session => match current.phase {
            Phase::Dump | Phase::Diff => current.phase = Phase::Pairing,
            Phase::Config | Phase::Bulk(_) => out.peer(Msg::Compatible { session }),
            Phase::Held => out.peer(Msg::Incompatible { session }),
            Phase::Pairing
            | Phase::Cold
            | Phase::HotSent
            | Phase::HotAcked
            | Phase::Setting
            | Phase::Hot
            | Phase::Rejected(..) => {}
        },
        Msg::BulkDone { session: named, lsn, missing } if named == session => match current.phase {
            Phase::Bulk(snapshot) if snapshot.lsn == lsn && used_up => {
                reject(active, lsn, (Rejection::Rpr, Keeps::Replica), out);
            }
            Phase::Bulk(snapshot) if snapshot.lsn == lsn => {
                out.peer(Msg::BulkAccept { session, lsn });
                current.missing = missing;
                current.hot_at = active.last;
                current.phase = Phase::Cold;
                send_lines(env, current, out);
            }
            Phase::Rejected(judged, rejection, keeps) if judged == lsn => {
                out.peer(Msg::BulkReject { session, lsn, rejection, keeps });
            }
            phase if phase.sends_lines() => out.peer(Msg::BulkAccept { session, lsn }),
            _ => {}
        },
        Msg::Applied { session: named, lsn, missing }
            if named == session
                && current.phase.sends_lines()
                && lsn >= current.acked
                && lsn <= active.last =>
        {
            take_applied(env, current, (lsn, missing), out);
        }
        Msg::HotAck { session: named, lsn }
            if named == session && current.phase == Phase::HotSent && current.hot_at == lsn =>
        {
            current.phase = Phase::HotAcked;
        }
        Msg::Down { session: named } if named == session => current.phase = Phase::Held,
        Msg::Unreadable { session: named, lsn } if named == session => {
            on_unreadable(env, active, lsn, out);
        }
        // Of another session, or no message to an Active.
        _ => {}
    }
}

/// All that a step can set in motion: bulk sync, hot, the drain, and the commands that wait.
pub(super) fn settle<E: Effects>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    progress(env, unit, out);
    while let Role::Active(active) = &mut unit.part
        && !active.queue.is_empty()
        && queue::executes(env, active)
    {
        let next = active.queue.remove(0);
        execute(env, active, next, out);
        progress(env, unit, out);
    }
}

fn progress<E: Effects>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    let slot = out.slot;
    let Role::Active(active) = &mut unit.part else {
        return;
    };
    let clear = active.register.value.is_none() && !active.register.open;
    let (last, cfg) = (active.last, active.cfg);
    let Some(current) = &mut active.current else {
        return;
    };
    let session = current.session;
    if clear && current.phase == Phase::Config {
        let snapshot =
            Snapshot { lsn: last, cfg: env.effects.carry(slot, cfg), chunks: env.chunks };
        current.phase = Phase::Bulk(snapshot);
        current.acked = last;
        current.journal.clear();
        send_bulk(session, snapshot, out);
    }
    let near = last - current.acked.min(last) <= env.hot_window;
    if current.phase == Phase::Cold && current.acked >= current.hot_at && near {
        out.peer(Msg::Hot { session, lsn: current.hot_at });
        current.phase =
            if env.keeps(Rule::HotWaitsForAck) { Phase::HotSent } else { Phase::HotAcked };
    }
    if current.phase == Phase::HotAcked && current.acked >= active.unreplicated {
        current.phase = Phase::Setting;
        let value = Some(eligible(session, 1 - slot, current.acked));
        write_register(active, value, out);
        return;
    }
    if current.phase == Phase::Hot {
        let acked = current.acked;
        return_replicated(active, acked, out);
        drain(env, unit, out);
    }
}

/// A command is executed; if its line cannot go, policy may end the session.
pub(super) fn execute<E: Effects>(
    env: &Env<E>,
    active: &mut Active,
    Queued { id, durability }: Queued,
    out: &mut Out,
) {
    let slot = out.slot;
    let waits = durability == Durability::Acked && holds_prompts(active);
    let change = Change { term: active.term, lsn: active.last + 1, id };
    match env.effects.execute(slot, active.cfg, change) {
        Executed::Refused => {
            active.last += u16::from(!env.keeps(Rule::RefusedBeforeExecuted));
            out.answers.push(Answer::Refused);
        }
        Executed::Unchanged if waits => {
            active.prompts.push(Prompt { lsn: active.last, made: false });
        }
        Executed::Unchanged => out.answers.push(Answer::Unchanged),
        Executed::Changed(cfg) => {
            active.cfg = cfg;
            active.last += 1;
            out.executed.push(Execution { slot, change, cfg });
            let mut ends = None;
            if let Some(current) = &mut active.current
                && matches!(current.phase, Phase::Bulk(_) | Phase::Cold)
                    | current.phase.sends_lines()
            {
                ends = env.effects.leaves(id);
                current.journal.push(change);
                if current.phase.sends_lines() && change.lsn <= current.acked + env.line_window {
                    out.peer(Msg::Line { session: current.session, change });
                }
            }
            if waits {
                active.prompts.push(Prompt { lsn: change.lsn, made: true });
            } else {
                if durability == Durability::Acked {
                    active.unreplicated = change.lsn;
                }
                out.answers.push(Answer::Local { lsn: change.lsn, durability });
            }
            if let Some(keeps) = ends {
                give_up(env, active, keeps, out);
            }
        }
    }
}

pub(super) fn on_timer<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    timer: Timer,
    out: &mut Out,
) -> Option<()> {
    let (boot, generation) = (unit.boot, unit.generation);
    let Role::Active(active) = &mut unit.part else {
        return None;
    };
    match timer {
        Timer::Renew => {
            active.renew += 1;
            let (term, n, lsn) = (active.term, active.renew, active.last);
            out.tell(Msg::Renew { boot, term, n, lsn, generation });
        }
        Timer::Register if active.register.open && env.keeps(Rule::ArbiterResends) => {
            send_register(active, out);
        }
        Timer::Resend => {
            if let Some(session) = active.offered {
                out.peer(Msg::Proceed { session });
            }
            if let Some((session, keeps)) = active.leaving {
                out.peer(Msg::Leave { session, keeps });
            }
            resend_phase(env, active, out);
        }
        Timer::GiveUp => {
            active.current.as_ref()?;
            give_up(env, active, Keeps::Replica, out);
        }
        Timer::Pace if active.pacing => active.pacing = false,
        Timer::Stable => {
            let hot = |current: &&mut ActiveSession| current.phase == Phase::Hot;
            let counts = env.max_attempts.is_some();
            let current = active.current.as_mut().filter(hot).filter(|_| counts)?;
            current.counted = true;
            active.attempts = 0;
        }
        Timer::Prompt => return_unknown(active, out)?,
        Timer::Register | Timer::Hello | Timer::Join | Timer::Queue | Timer::Pace => return None,
    }
    settle(env, unit, out);
    Some(())
}
