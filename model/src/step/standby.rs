//! The Standby (PROTOCOL.md, 10.2, Joining).

use super::{Env, Out, Rule, active, holder, queue};
use crate::action::Timer;
use crate::effects::Effects;
use crate::state::{
    Cfg, Change, Have, Keeps, Lsn, Missing, Msg, Rejection, Replica, Role, Session, Slot, Snapshot,
    Standby, StandbyPhase, Unit,
};

/// All chunks of a snapshot.
pub const fn whole(chunks: u8) -> u64 {
    (1 << chunks) - 1
}

/// A new round of joining.
pub(super) fn join<E>(env: &Env<E>, unit: &mut Unit, replica: Option<Replica>, out: &mut Out) {
    unit.n += 1;
    unit.part = Role::Standby(Standby { seat: None, replica });
    send_join(env, unit, out);
}

pub(super) fn send_join<E>(env: &Env<E>, unit: &Unit, out: &mut Out) {
    out.peer(Msg::Join {
        boot: unit.boot,
        n: round(env, unit),
        same_image: env.same_image,
        resets: unit.resets,
        other: false,
    });
}

pub(super) fn waits_for<E>(env: &Env<E>, unit: &Unit, session: Session) -> bool {
    let n = round(env, unit);
    session.term >= unit.highest && session.standby == unit.boot && session.attempt == n
}

fn round<E>(env: &Env<E>, unit: &Unit) -> u16 {
    if env.keeps(Rule::JoinCarriesRound) && env.keeps(Rule::SessionNamedOnce) { unit.n } else { 1 }
}

pub(super) fn take_seat<E>(env: &Env<E>, unit: &mut Unit, session: Session, out: &mut Out) {
    unit.highest = session.term;
    let have = if env.same_image { Have::SameImage } else { Have::Needed };
    let seat = Some((session, StandbyPhase::Ready(have)));
    let replica = holder::kept_replica(env, unit);
    unit.part = Role::Standby(Standby { seat, replica });
    out.peer(Msg::Ready { session, have });
}

fn session_of(msg: Msg) -> Option<Session> {
    match msg {
        Msg::Dump { session }
        | Msg::Compatible { session }
        | Msg::Incompatible { session }
        | Msg::Config { session, .. }
        | Msg::Chunk { session, .. }
        | Msg::BulkAccept { session, .. }
        | Msg::BulkReject { session, .. }
        | Msg::Line { session, .. }
        | Msg::Hot { session, .. }
        | Msg::Leave { session, .. } => Some(session),
        _ => None,
    }
}

pub(super) fn on_message<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    _from: Slot,
    msg: Msg,
    out: &mut Out,
) {
    match msg {
        Msg::Offer { boot, term, origin, bound, hello, .. } if boot == unit.boot => {
            return holder::on_offer(env, unit, term, (origin, bound, hello), out);
        }
        Msg::Proceed { session } => {
            let joins = matches!(&unit.part, Role::Standby(Standby { seat: None, .. }));
            if joins && waits_for(env, unit, session) {
                take_seat(env, unit, session, out);
            }
            return;
        }
        _ => {}
    }
    let Role::Standby(standby) = &mut unit.part else {
        return;
    };
    let Some((session, phase)) = &mut standby.seat else {
        return;
    };
    let Some(named) = session_of(msg) else {
        return;
    };
    if named != *session && env.keeps(Rule::SessionChecked) {
        return;
    }
    let session = *session;
    let unread = match msg {
        Msg::Leave { keeps, .. } => {
            out.peer(Msg::Left { session });
            let replica = holder::kept_replica(env, unit).filter(|_| outlives(env, keeps));
            join(env, unit, replica, out);
            None
        }
        Msg::BulkReject { lsn, rejection, keeps, .. } => {
            on_bulk_reject(env, unit, lsn, (rejection, keeps), out);
            None
        }
        Msg::Config { .. } | Msg::Chunk { .. } => on_bulk(env, (session, phase), msg, out),
        Msg::BulkAccept { lsn, .. } => on_bulk_accept(env, standby, lsn, out),
        Msg::Line { change, .. } => on_line(env, standby, change, out),
        Msg::Hot { lsn, .. } => {
            on_hot(standby, lsn, out);
            None
        }
        _ => {
            on_verdict((session, phase), msg, out);
            None
        }
    };
    if let Some(unread) = unread {
        cannot_read(env, unit, unread, out);
    }
}

/// The dump, or what the images' comparison came to.
fn on_verdict((session, phase): (Session, &mut StandbyPhase), msg: Msg, out: &mut Out) {
    match (msg, &*phase) {
        (Msg::Dump { .. }, StandbyPhase::Ready(Have::Needed)) => *phase = StandbyPhase::Pairing,
        (
            Msg::Compatible { .. },
            StandbyPhase::Ready(Have::SameImage) | StandbyPhase::Diffed(_),
        ) => {
            *phase = StandbyPhase::Config(None, 0);
        }
        (
            Msg::Incompatible { .. },
            StandbyPhase::Ready(_) | StandbyPhase::Diffed(_) | StandbyPhase::Held,
        ) => {
            *phase = StandbyPhase::Held;
            out.peer(Msg::Down { session });
        }
        // Of another phase: it comes again when it is due.
        _ => {}
    }
}

/// The snapshot is announced, or a chunk of it comes.
fn on_bulk<E: Effects>(
    env: &Env<E>,
    (session, phase): (Session, &mut StandbyPhase),
    msg: Msg,
    out: &mut Out,
) -> Option<Unread> {
    let StandbyPhase::Config(announced, have) = phase else {
        return None;
    };
    match (msg, announced) {
        (Msg::Config { snapshot, .. }, announced @ None) => *announced = Some(snapshot),
        (Msg::Chunk { lsn, cfg, number, .. }, announced) => {
            if let Some(snapshot) = announced {
                if env.keeps(Rule::SessionNamedOnce) && snapshot.lsn != lsn {
                    return None;
                }
                if snapshot.lsn != lsn && snapshot.cfg != cfg {
                    snapshot.cfg = Cfg::TORN;
                }
            }
            *have |= 1 << number;
        }
        // It is announced already.
        _ => return None,
    }
    let have = *have;
    execute(env, out.slot, (session, phase), have, out)
}

/// The shadow is swapped in.
fn on_bulk_accept<E: Effects>(
    env: &Env<E>,
    standby: &mut Standby,
    lsn: Lsn,
    out: &mut Out,
) -> Option<Unread> {
    let Some((session, phase)) = &mut standby.seat else {
        return None;
    };
    let StandbyPhase::Shadow(shadow, kept) = phase else {
        return None;
    };
    if shadow.lsn != lsn {
        return None;
    }
    let Snapshot { lsn: applied, cfg, .. } = *shadow;
    let kept = core::mem::take(kept);
    let (term, session) = (session.term, Some(*session));
    standby.replica = Some(Replica { term, session, applied, cfg, declared: false });
    *phase = StandbyPhase::Synced(kept, None);
    apply_kept(env, out.slot, standby, out)
}

/// The shadow is refused.
fn on_bulk_reject<E>(
    env: &Env<E>,
    unit: &mut Unit,
    lsn: Lsn,
    (rejection, keeps): (Rejection, Keeps),
    out: &mut Out,
) {
    let Role::Standby(standby) = &mut unit.part else {
        return;
    };
    let Some((_, phase)) = &mut standby.seat else {
        return;
    };
    match phase {
        StandbyPhase::Shadow(shadow, _) if shadow.lsn == lsn => {
            if !outlives(env, keeps) {
                standby.replica = None;
            }
            match rejection {
                Rejection::Reset => {
                    unit.resets += 1;
                    join(env, unit, None, out);
                }
                Rejection::Rpr => *phase = StandbyPhase::Rpr,
                Rejection::Simplex => *phase = StandbyPhase::Held,
            }
        }
        StandbyPhase::Unread(unread) if *unread == lsn && rejection == Rejection::Rpr => {
            *phase = StandbyPhase::Rpr;
        }
        // Of another snapshot.
        _ => {}
    }
}

/// A line: it is applied in its order, or kept until the snapshot is swapped in.
fn on_line<E: Effects>(
    env: &Env<E>,
    standby: &mut Standby,
    change: Change,
    out: &mut Out,
) -> Option<Unread> {
    match &mut standby.seat {
        Some((session, StandbyPhase::Shadow(shadow, kept))) => {
            if !env.keeps(Rule::LineWaitsForAccept) && change.lsn == shadow.lsn + 1 {
                let (session, lsn) = (*session, change.lsn);
                out.peer(Msg::Applied { session, lsn, missing: Missing::default() });
            } else if change.lsn > shadow.lsn && change.lsn <= shadow.lsn + env.line_window {
                keep(kept, change);
            }
            None
        }
        Some((session, StandbyPhase::Synced(kept, _))) => {
            let Replica { applied, cfg, .. } = standby.replica?;
            if change.lsn <= applied {
                let missing = env.effects.lacks(out.slot, applied, cfg);
                out.peer(Msg::Applied { session: *session, lsn: applied, missing });
            } else if change.lsn <= applied + env.line_window {
                keep(kept, change);
                return apply_kept(env, out.slot, standby, out);
            }
            None
        }
        _ => None,
    }
}

/// The Active asks to be told once h is applied.
fn on_hot(standby: &mut Standby, h: Lsn, out: &mut Out) {
    if let (Some((session, StandbyPhase::Synced(_, waits))), Some(replica)) =
        (&mut standby.seat, &standby.replica)
    {
        if replica.applied >= h {
            out.peer(Msg::HotAck { session: *session, lsn: h });
        } else {
            *waits = Some(h);
        }
    }
}

/// What does not decode at a Standby, with its number.
#[derive(Clone, Copy)]
enum Unread {
    Snapshot(Lsn),
    Line(Lsn),
}

/// Something does not decode: the Standby says so, until it is answered. What it has applied it
/// keeps.
fn cannot_read<E>(env: &Env<E>, unit: &mut Unit, unread: Unread, out: &mut Out) {
    let Role::Standby(standby) = &mut unit.part else {
        return;
    };
    let Some((session, phase)) = &mut standby.seat else {
        return;
    };
    let lsn = match unread {
        Unread::Snapshot(_) if !env.keeps(Rule::UnreadableIsSaid) => {
            return join(env, unit, None, out);
        }
        Unread::Snapshot(lsn) => lsn,
        Unread::Line(lsn) => {
            if let Some(replica) = &mut standby.replica {
                replica.declared |= !env.keeps(Rule::UnreadableKeepsReplica);
            }
            lsn
        }
    };
    *phase = StandbyPhase::Unread(lsn);
    let session = *session;
    out.peer(Msg::Unreadable { session, lsn });
}

fn outlives<E>(env: &Env<E>, keeps: Keeps) -> bool {
    keeps == Keeps::Replica || !env.keeps(Rule::PolicyDrops)
}

fn keep(kept: &mut Vec<Change>, change: Change) {
    if let Err(at) = kept.binary_search(&change) {
        kept.insert(at, change);
    }
}

fn execute<E: Effects>(
    env: &Env<E>,
    slot: Slot,
    (session, phase): (Session, &mut StandbyPhase),
    have: u64,
    out: &mut Out,
) -> Option<Unread> {
    let StandbyPhase::Config(Some(snapshot), _) = *phase else {
        return None;
    };
    if have == whole(snapshot.chunks) {
        if !env.effects.reads_whole(slot, snapshot.cfg) {
            return Some(Unread::Snapshot(snapshot.lsn));
        }
        let cfg = env.effects.take(slot, snapshot.cfg);
        let lsn = snapshot.lsn;
        *phase = StandbyPhase::Shadow(Snapshot { cfg, ..snapshot }, Vec::new());
        out.peer(Msg::BulkDone { session, lsn, missing: env.effects.lacks(slot, lsn, cfg) });
    }
    None
}

fn apply_kept<E: Effects>(
    env: &Env<E>,
    slot: Slot,
    standby: &mut Standby,
    out: &mut Out,
) -> Option<Unread> {
    let Some((session, StandbyPhase::Synced(kept, waits))) = &mut standby.seat else {
        return None;
    };
    let replica = standby.replica.as_mut()?;
    while let Some(change) =
        kept.first().copied().filter(|c| c.lsn <= replica.applied + 1 || !env.keeps(Rule::GapsWait))
    {
        kept.remove(0);
        if change.lsn > replica.applied {
            if !env.effects.reads(slot, change) {
                return Some(Unread::Line(change.lsn));
            }
            replica.cfg = env.effects.apply(slot, replica.cfg, change);
            replica.applied = change.lsn;
            let missing = env.effects.lacks(slot, change.lsn, replica.cfg);
            out.peer(Msg::Applied { session: *session, lsn: change.lsn, missing });
        }
    }
    if let Some(lsn) = waits.filter(|h| *h <= replica.applied) {
        *waits = None;
        out.peer(Msg::HotAck { session: *session, lsn });
    }
    None
}

pub(super) fn on_timer<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    timer: Timer,
    out: &mut Out,
) -> Option<()> {
    let Role::Standby(standby) = &mut unit.part else {
        return None;
    };
    match (timer, &standby.seat) {
        (Timer::Join, None) => send_join(env, unit, out),
        (Timer::GiveUp, Some(_)) => {
            let replica = standby.replica;
            join(env, unit, replica, out);
        }
        (Timer::Resend, Some((session, phase))) => {
            let session = *session;
            match phase {
                StandbyPhase::Ready(have) => out.peer(Msg::Ready { session, have: *have }),
                StandbyPhase::Diffed(have) => {
                    if *have == Have::AtHand {
                        out.peer(Msg::Ready { session, have: Have::AtHand });
                    }
                    out.peer(Msg::Diff { session });
                }
                StandbyPhase::Shadow(snapshot, _) => {
                    let Snapshot { lsn, cfg, .. } = *snapshot;
                    let missing = env.effects.lacks(out.slot, lsn, cfg);
                    out.peer(Msg::BulkDone { session, lsn, missing });
                }
                StandbyPhase::Unread(lsn) => out.peer(Msg::Unreadable { session, lsn: *lsn }),
                StandbyPhase::Pairing
                | StandbyPhase::Config(..)
                | StandbyPhase::Synced(..)
                | StandbyPhase::Rpr
                | StandbyPhase::Held => return None,
            }
        }
        _ => return None,
    }
    Some(())
}

/// What arrives does not decode: it is said. Only what would have been executed now is looked at.
pub(super) fn on_unread<E>(env: &Env<E>, unit: &mut Unit, msg: Msg, out: &mut Out) -> Option<()> {
    let Role::Standby(standby) = &unit.part else {
        return None;
    };
    let (session, phase) = standby.seat.as_ref()?;
    if session_of(msg) != Some(*session) {
        return None;
    }
    let unread = match (msg, phase) {
        (Msg::Config { snapshot, .. }, StandbyPhase::Config(None, have))
            if *have == whole(snapshot.chunks) =>
        {
            Unread::Snapshot(snapshot.lsn)
        }
        (Msg::Chunk { lsn, number, .. }, StandbyPhase::Config(Some(snapshot), have))
            if snapshot.lsn == lsn && *have | 1 << number == whole(snapshot.chunks) =>
        {
            Unread::Snapshot(lsn)
        }
        (Msg::Line { change, .. }, StandbyPhase::Synced(..)) => {
            let next = standby.replica.as_ref()?.applied + 1;
            (change.lsn == next).then_some(Unread::Line(next))?
        }
        _ => return None,
    };
    cannot_read(env, unit, unread, out);
    Some(())
}

/// The offered session is taken by a Standby that has the Active's dump: the diff goes at once.
pub(super) fn on_at_hand<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    msg: Msg,
    out: &mut Out,
) -> Option<()> {
    let Msg::Proceed { session } = msg else {
        return None;
    };
    match &unit.part {
        Role::Standby(Standby { seat: None, .. }) if waits_for(env, unit, session) => {
            take_seat(env, unit, session, out);
        }
        Role::Holder(holder) if session.term > holder.term && waits_for(env, unit, session) => {
            if let Role::Holder(holder) = &mut unit.part {
                queue::refuse(&mut holder.queue, out);
            }
            take_seat(env, unit, session, out);
        }
        Role::Active(active) if session.term > active.term && waits_for(env, unit, session) => {
            if let Role::Active(active) = &mut unit.part {
                active::fall_silent(env, active, out);
                queue::refuse(&mut active.queue, out);
            }
            take_seat(env, unit, session, out);
        }
        Role::Down | Role::Standby(_) | Role::Holder(_) | Role::Active(_) => return None,
    }
    let Role::Standby(standby) = &mut unit.part else {
        return None;
    };
    let (_, phase) = standby.seat.as_mut()?;
    *phase = StandbyPhase::Diffed(Have::AtHand);
    out.sent.pop();
    let have = Have::AtHand;
    out.peer(Msg::Ready { session, have });
    out.peer(Msg::Diff { session });
    Some(())
}

pub(super) fn on_incompatible(unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Role::Standby(standby) = &mut unit.part else {
        return None;
    };
    let Some((session, phase @ StandbyPhase::Pairing)) = &mut standby.seat else {
        return None;
    };
    *phase = StandbyPhase::Held;
    out.peer(Msg::Down { session: *session });
    Some(())
}

pub(super) fn on_paired(unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Role::Standby(standby) = &mut unit.part else {
        return None;
    };
    let Some((session, phase @ StandbyPhase::Pairing)) = &mut standby.seat else {
        return None;
    };
    *phase = StandbyPhase::Diffed(Have::Needed);
    out.peer(Msg::Diff { session: *session });
    Some(())
}
