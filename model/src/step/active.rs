//! The Active and its peer (PROTOCOL.md, 10.2, The Active's peer; Commands).

use super::{Answer, Env, Out, Rule, eligible, holder};
use crate::action::{Action, Durability, Timer};
use crate::effects::{Effects, Executed};
use crate::state::{
    Active, Change, Current, Eligible, Have, Holder, Lsn, Msg, Part, Phase, Prompt, Register,
    Rejection, Session, Snapshot, Unit,
};

pub(super) fn on_message<E: Effects>(env: &Env<E>, unit: &mut Unit, msg: Msg, out: &mut Out) {
    let boot = unit.boot;
    let Part::Active(active) = &mut unit.part else {
        return;
    };
    match msg {
        Msg::Proceed { session } => {
            if session.term > active.term {
                fall_silent(env, active, out);
                return holder::superseded(env, unit, session, out);
            }
        }
        Msg::Grant { boot: to, term, n } if to == boot && term == active.term => {
            if active.granted < n && n <= active.renew {
                active.granted = if env.keeps(Rule::GrantNamesRenew) {
                    n
                } else {
                    active.renew
                };
            }
        }
        Msg::Confirm { term, counter } if term == active.term => {
            on_confirm(env, active, counter, out);
        }
        Msg::Offer { boot: to, term, .. } if to == boot && term != active.term => {
            unit.highest = unit.highest.max(term);
            out.tell(Msg::Decline { boot, term });
        }
        Msg::Join {
            boot: of,
            n,
            resets,
            ..
        } => on_join(env, active, boot, (of, n, resets), out),
        Msg::Ready { session, have } => on_ready(env, active, session, have, out),
        Msg::Left { session } => {
            active.leaving = active.leaving.filter(|leaving| *leaving != session);
        }
        other => on_session(env, active, other, out),
    }
    settle(env, unit, out);
}

fn on_session<E: Effects>(env: &Env<E>, active: &mut Active, msg: Msg, out: &mut Out) {
    let Some(current) = &mut active.current else {
        return;
    };
    let session = current.session;
    match msg {
        Msg::Diff { session: of } if of == session => match current.phase {
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
        Msg::BulkDone { session: of, lsn } if of == session => match current.phase {
            Phase::Bulk(snapshot) if snapshot.lsn == lsn => {
                out.peer(Msg::BulkAccept { session, lsn });
                current.hot_at = active.last;
                current.phase = Phase::Cold;
                send_lines(env, current, out);
            }
            Phase::Rejected(judged, rejection) if judged == lsn => {
                out.peer(Msg::BulkReject {
                    session,
                    lsn,
                    rejection,
                });
            }
            phase if phase.sends_lines() => out.peer(Msg::BulkAccept { session, lsn }),
            _ => {}
        },
        Msg::Applied { session: of, lsn }
            if of == session
                && current.phase.sends_lines()
                && lsn >= current.acked
                && lsn <= active.last =>
        {
            take_applied(env, current, lsn, out);
        }
        Msg::HotAck { session: of, lsn }
            if of == session && current.phase == Phase::HotSent && current.hot_at == lsn =>
        {
            current.phase = Phase::HotAcked;
        }
        Msg::Down { session: of } if of == session => current.phase = Phase::Held,
        Msg::Leave { session: of } if of == session => {
            out.peer(Msg::Left { session });
            leave(env, active, out);
            active.leaving = None;
        }
        // Of another session, or no message to an Active.
        _ => {}
    }
}

/// The Standby has applied up to `lsn`: the window moves.
fn take_applied<E>(env: &Env<E>, current: &mut Current, lsn: Lsn, out: &mut Out) {
    let session = current.session;
    let edge = current.acked + env.line_window;
    current.acked = lsn;
    current.journal.retain(|change| change.lsn > lsn);
    let opened = current.journal.iter().filter(|change| change.lsn > edge);
    let now = lsn + env.line_window;
    for change in opened.filter(|change| change.lsn <= now) {
        out.peer(Msg::Line {
            session,
            change: *change,
        });
    }
}

/// Policy rejects the snapshot that was executed.
pub(super) fn on_rejected<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    msg: Msg,
    rejection: Rejection,
    out: &mut Out,
) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    let current = active.current.as_mut()?;
    let session = current.session;
    let (Msg::BulkDone { session: of, lsn }, Phase::Bulk(snapshot)) = (msg, current.phase) else {
        return None;
    };
    if of != session || snapshot.lsn != lsn {
        return None;
    }
    current.phase = Phase::Rejected(lsn, rejection);
    current.journal.clear();
    active.resets += u16::from(rejection == Rejection::Reset);
    out.peer(Msg::BulkReject {
        session,
        lsn,
        rejection,
    });
    settle(env, unit, out);
    Some(())
}

/// What the Standby applied is not what was sent, and policy ends the session.
pub(super) fn on_disagreement<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    action: &Action,
    out: &mut Out,
) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    let Action::Disagrees(flight, counts) = action else {
        return None;
    };
    let Msg::Applied { session, lsn } = flight.msg else {
        return None;
    };
    let last = active.last;
    let current = active.current.as_mut()?;
    let of_it = current.session == session && current.phase.sends_lines();
    if !of_it || lsn < current.acked || lsn > last {
        return None;
    }
    if *counts {
        take_applied(env, current, lsn, out);
    }
    leave(env, active, out);
    settle(env, unit, out);
    Some(())
}

pub(super) fn on_incompatible(unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    let current = active
        .current
        .as_mut()
        .filter(|current| current.phase == Phase::Pairing)?;
    current.phase = Phase::Held;
    out.peer(Msg::Incompatible {
        session: current.session,
    });
    Some(())
}

pub(super) fn on_drain_over<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    out: &mut Out,
) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    if !core::mem::take(&mut active.draining) {
        return None;
    }
    settle(env, unit, out);
    Some(())
}

fn on_join<E>(
    env: &Env<E>,
    active: &mut Active,
    boot: u16,
    (of_boot, n, resets): (u16, u16, u16),
    out: &mut Out,
) {
    let round = (of_boot, n);
    let of = |session: Session| (session.standby, session.attempt);
    let known = [
        active.offered,
        active.current.as_ref().map(|current| current.session),
    ];
    if let Some(session) = known
        .into_iter()
        .flatten()
        .find(|session| of(*session) == round)
    {
        return out.peer(Msg::Proceed { session });
    }
    let ended = active.ended.filter(|_| env.keeps(Rule::SessionNamedOnce));
    let mut seen = known.into_iter().flatten().map(of).chain(ended);
    if seen.all(|seen| seen < round) {
        if env.keeps(Rule::JoinCarriesResets) {
            active.resets = active.resets.max(resets);
        }
        let session = Session {
            term: active.term,
            active: boot,
            standby: round.0,
            attempt: round.1,
        };
        active.offered = Some(session);
        out.peer(Msg::Proceed { session });
    }
}

fn on_ready<E: Effects>(
    env: &Env<E>,
    active: &mut Active,
    session: Session,
    have: Have,
    out: &mut Out,
) {
    if let Some(current) = active
        .current
        .as_ref()
        .filter(|current| current.session == session)
    {
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
    let phase = match have {
        Have::SameImage => Phase::Config,
        Have::AtHand => Phase::Diff,
        Have::Needed => Phase::Dump,
    };
    let current = Current {
        session,
        phase,
        journal: Vec::new(),
        acked: 0,
        hot_at: 0,
    };
    active.current = Some(current);
    clear_register(env, active, out);
    match have {
        Have::SameImage => out.peer(Msg::Compatible { session }),
        Have::Needed => out.peer(Msg::Dump { session }),
        Have::AtHand => {}
    }
}

pub(super) fn on_paired<E: Effects>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    let current = active
        .current
        .as_mut()
        .filter(|current| current.phase == Phase::Pairing)?;
    current.phase = Phase::Config;
    out.peer(Msg::Compatible {
        session: current.session,
    });
    settle(env, unit, out);
    Some(())
}

/// All that a step can set in motion: bulk sync, hot, the drain.
fn settle<E: Effects>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    let slot = out.slot;
    let Part::Active(active) = &mut unit.part else {
        return;
    };
    let clear = active.register.value.is_none() && !active.register.open;
    let (last, cfg) = (active.last, active.cfg);
    let Some(current) = &mut active.current else {
        return;
    };
    let session = current.session;
    if clear && current.phase == Phase::Config {
        let snapshot = Snapshot {
            lsn: last,
            cfg: env.effects.carry(slot, cfg),
            chunks: env.chunks,
        };
        current.phase = Phase::Bulk(snapshot);
        current.acked = last;
        current.journal.clear();
        send_bulk(session, snapshot, out);
    }
    let near = last - current.acked.min(last) <= env.hot_window;
    if current.phase == Phase::Cold && current.acked >= current.hot_at && near {
        out.peer(Msg::Hot {
            session,
            lsn: current.hot_at,
        });
        current.phase = if env.keeps(Rule::HotWaitsForAck) {
            Phase::HotSent
        } else {
            Phase::HotAcked
        };
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

fn drain<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    let slot = out.slot;
    let Part::Active(active) = &mut unit.part else {
        return;
    };
    let Some(current) = active.current.as_ref().filter(|_| active.draining) else {
        return;
    };
    if current.acked < active.last || !active.prompts.is_empty() || active.register.open {
        return;
    }
    let (session, last) = (current.session, active.last);
    if active.register.value.is_some_and(|value| value.lsn == last) {
        release(env, unit, out);
    } else {
        write_register(active, Some(eligible(session, 1 - slot, last)), out);
    }
}

fn release<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    let Part::Active(active) = &mut unit.part else {
        return;
    };
    fall_silent(env, active, out);
    unit.n += 1;
    unit.part = Part::Holder(Holder {
        term: active.term,
        renew: active.renew,
        granted: active.granted,
        released: true,
        runs: true,
        cfg: active.cfg,
        lsn: active.last,
        kept: None,
    });
    holder::ask(unit, out);
}

pub(super) fn on_switchover<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    out: &mut Out,
) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    if !is_hot(active) || active.draining {
        return None;
    }
    active.draining = true;
    settle(env, unit, out);
    Some(())
}

pub(super) fn on_forced<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Part::Active(active) = &unit.part else {
        return None;
    };
    if !is_hot(active) {
        return None;
    }
    release(env, unit, out);
    Some(())
}

fn is_hot(active: &Active) -> bool {
    let hot = active
        .current
        .as_ref()
        .is_some_and(|current| current.phase == Phase::Hot);
    hot && active.register.value.is_some() && !active.register.open
}

/// All prompts return `unknown`.
pub(super) fn fall_silent<E>(env: &Env<E>, active: &mut Active, out: &mut Out) {
    let prompts = active.prompts.drain(..);
    if env.keeps(Rule::LossAnswers) {
        out.answers
            .extend(prompts.map(|Prompt { lsn, .. }| Answer::Unknown { lsn }));
    } else {
        drop(prompts);
    }
    active.draining = false;
}

pub(super) fn lapse<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    fall_silent(env, active, out);
    unit.n += 1;
    unit.part = Part::Holder(Holder {
        term: active.term,
        renew: active.renew,
        granted: active.granted,
        released: false,
        runs: true,
        cfg: active.cfg,
        lsn: active.last,
        kept: Some(active.clone()),
    });
    Some(())
}

fn write_register(active: &mut Active, value: Option<Eligible>, out: &mut Out) {
    active.register = Register {
        counter: active.register.counter + 1,
        value,
        open: true,
    };
    send_register(active, out);
}

fn send_register(active: &Active, out: &mut Out) {
    let Register { counter, value, .. } = active.register;
    out.tell(Msg::SetRegister {
        term: active.term,
        counter,
        value,
    });
}

fn on_confirm<E: Effects>(env: &Env<E>, active: &mut Active, counter: u16, out: &mut Out) {
    let latest = counter == active.register.counter || !env.keeps(Rule::ConfirmNamesCounter);
    if !latest || !active.register.open {
        return;
    }
    active.register.open = false;
    if active.register.value.is_none() {
        return_local(active, out);
    } else if let Some(current) = &mut active.current
        && current.phase == Phase::Setting
    {
        current.phase = Phase::Hot;
    }
}

fn return_replicated(active: &mut Active, acked: Lsn, out: &mut Out) {
    let done = active.prompts.iter().filter(|prompt| prompt.lsn <= acked);
    out.answers.extend(done.map(|prompt| match prompt.made {
        true => Answer::Replicated { lsn: prompt.lsn },
        false => Answer::Unchanged,
    }));
    active.prompts.retain(|prompt| prompt.lsn > acked);
}

fn return_local(active: &mut Active, out: &mut Out) {
    active.unreplicated = active
        .unreplicated
        .max(active.prompts.last().map_or(0, |prompt| prompt.lsn));
    let durability = Durability::Acked;
    out.answers.extend(
        active
            .prompts
            .drain(..)
            .map(|Prompt { lsn, made }| match made {
                true => Answer::Local { lsn, durability },
                false => Answer::Unchanged,
            }),
    );
}

fn holds_prompts(active: &Active) -> bool {
    let clearing = active.register.value.is_none() && active.register.open;
    clearing
        || active
            .current
            .as_ref()
            .is_some_and(|current| current.phase.holds_prompts())
}

fn clear_register<E>(env: &Env<E>, active: &mut Active, out: &mut Out) {
    if !env.keeps(Rule::LeavingClears) {
        active.register.value = None;
        active.register.open = false;
    }
    if active.register.value.is_some() {
        write_register(active, None, out);
    } else if !holds_prompts(active) {
        return_local(active, out);
    }
}

fn end_current(active: &mut Active) {
    if let Some(current) = active.current.take() {
        let round = (current.session.standby, current.session.attempt);
        active.ended = active.ended.max(Some(round));
    }
}

fn leave<E>(env: &Env<E>, active: &mut Active, out: &mut Out) {
    let Some(current) = &active.current else {
        return;
    };
    let session = current.session;
    end_current(active);
    out.peer(Msg::Leave { session });
    active.leaving = Some(session);
    clear_register(env, active, out);
    active.draining = false;
}

pub(super) fn on_command<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    id: u16,
    durability: Durability,
    out: &mut Out,
) -> Option<()> {
    let slot = out.slot;
    let Part::Active(active) = &mut unit.part else {
        out.answers.push(Answer::Refused);
        return Some(());
    };
    if active.draining {
        return None;
    }
    let waits = durability == Durability::Acked && holds_prompts(active);
    let change = Change {
        term: active.term,
        lsn: active.last + 1,
        id,
    };
    match env.effects.execute(slot, active.cfg, change) {
        Executed::Refused => {
            active.last += u16::from(!env.keeps(Rule::RefusedBeforeExecuted));
            out.answers.push(Answer::Refused);
        }
        Executed::Unchanged if waits => active.prompts.push(Prompt {
            lsn: active.last,
            made: false,
        }),
        Executed::Unchanged => out.answers.push(Answer::Unchanged),
        Executed::Changed(cfg) => {
            active.cfg = cfg;
            active.last += 1;
            if let Some(current) = &mut active.current
                && matches!(current.phase, Phase::Bulk(_) | Phase::Cold)
                    | current.phase.sends_lines()
            {
                current.journal.push(change);
                if current.phase.sends_lines() && change.lsn <= current.acked + env.line_window {
                    out.peer(Msg::Line {
                        session: current.session,
                        change,
                    });
                }
            }
            if waits {
                active.prompts.push(Prompt {
                    lsn: change.lsn,
                    made: true,
                });
            } else {
                if durability == Durability::Acked {
                    active.unreplicated = change.lsn;
                }
                out.answers.push(Answer::Local {
                    lsn: change.lsn,
                    durability,
                });
            }
        }
    }
    settle(env, unit, out);
    Some(())
}

pub(super) fn on_timer<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    timer: Timer,
    out: &mut Out,
) -> Option<()> {
    let boot = unit.boot;
    let Part::Active(active) = &mut unit.part else {
        return None;
    };
    match timer {
        Timer::Renew => {
            active.renew += 1;
            let (term, n, lsn) = (active.term, active.renew, active.last);
            out.tell(Msg::Renew { boot, term, n, lsn });
        }
        Timer::Register if active.register.open && env.keeps(Rule::ArbiterResends) => {
            send_register(active, out);
        }
        Timer::Resend => {
            if let Some(session) = active.offered {
                out.peer(Msg::Proceed { session });
            }
            if let Some(session) = active.leaving {
                out.peer(Msg::Leave { session });
            }
            resend_phase(env, active, out);
        }
        Timer::GiveUp => {
            active.current.as_ref()?;
            leave(env, active, out);
        }
        Timer::Register | Timer::Hello | Timer::Join => return None,
    }
    settle(env, unit, out);
    Some(())
}

fn send_bulk(session: Session, snapshot: Snapshot, out: &mut Out) {
    out.peer(Msg::Config { session, snapshot });
    for number in 0..snapshot.chunks {
        out.peer(Msg::Chunk {
            session,
            lsn: snapshot.lsn,
            cfg: snapshot.cfg,
            number,
        });
    }
}

fn send_lines<E>(env: &Env<E>, current: &Current, out: &mut Out) {
    let session = current.session;
    let edge = current.acked + env.line_window;
    for change in current.journal.iter().filter(|change| change.lsn <= edge) {
        out.peer(Msg::Line {
            session,
            change: *change,
        });
    }
}

fn resend_phase<E>(env: &Env<E>, active: &Active, out: &mut Out) {
    let Some(current) = &active.current else {
        return;
    };
    let session = current.session;
    match current.phase {
        Phase::Dump => out.peer(Msg::Dump { session }),
        Phase::Config => out.peer(Msg::Compatible { session }),
        Phase::Bulk(snapshot) => send_bulk(session, snapshot, out),
        Phase::HotSent => {
            out.peer(Msg::Hot {
                session,
                lsn: current.hot_at,
            });
            send_lines(env, current, out);
        }
        Phase::Cold | Phase::HotAcked | Phase::Setting | Phase::Hot => {
            send_lines(env, current, out);
        }
        Phase::Diff | Phase::Pairing | Phase::Rejected(..) | Phase::Held => {}
    }
}
