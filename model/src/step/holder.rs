//! Offers, and the holder without a lease (PROTOCOL.md, 10.2).

use super::active::settle;
use super::{Env, Out, Rule, queue, standby};
use crate::action::Timer;
use crate::effects::Effects;
use crate::state::{Active, Cfg, Holder, Lsn, Msg, Origin, Register, Replica, Role, Session, Unit};

pub(super) fn on_message<E: Effects>(env: &Env<E>, unit: &mut Unit, msg: Msg, out: &mut Out) {
    let Role::Holder(holder) = &mut unit.part else {
        return;
    };
    match msg {
        Msg::Proceed { session } if session.term > holder.term => {
            queue::refuse(&mut holder.queue, out);
            superseded(env, unit, session, out);
        }
        Msg::Grant { boot, term, n: 0, .. } if boot == unit.boot && term > holder.term => {
            queue::refuse(&mut holder.queue, out);
            standby::join(env, unit, None, out);
        }
        Msg::Grant { boot, term, n, .. }
            if boot == unit.boot
                && term == holder.term
                && holder.granted < n
                && n <= holder.renew
                && !holder.released =>
        {
            let n = if env.keeps(Rule::GrantNamesRenew) { n } else { holder.renew };
            act(unit, n);
            settle(env, unit, out);
        }
        Msg::Offer { boot, term, origin, bound, hello, .. } if boot == unit.boot => {
            if term == holder.term {
                ask(unit, out);
            } else {
                on_offer(env, unit, term, (origin, bound, hello), out);
            }
        }
        // A holder without a lease hears nobody else.
        _ => {}
    }
}

/// A newer Active acts: this unit joins it.
pub(super) fn superseded<E>(env: &Env<E>, unit: &mut Unit, session: Session, out: &mut Out) {
    if standby::waits_for(env, unit, session) {
        standby::take_seat(env, unit, session, out);
    } else {
        unit.highest = unit.highest.max(session.term);
        let replica = kept_replica(env, unit);
        standby::join(env, unit, replica, out);
    }
}

/// What a unit can take over with once it is a Standby of another session: its replica, or the
/// config with which it acted or was to act.
pub(super) fn kept_replica<E>(env: &Env<E>, unit: &Unit) -> Option<Replica> {
    let (term, applied, cfg) = match &unit.part {
        Role::Standby(standby) => {
            return standby.replica.filter(|_| env.keeps(Rule::ReplicaOutlives));
        }
        Role::Holder(holder) if holder.runs => (holder.term, holder.lsn, holder.cfg),
        Role::Active(active) => (active.term, active.last, active.cfg),
        Role::Holder(_) | Role::Down => return None,
    };
    let own = Replica { term, session: None, applied, cfg, declared: false };
    Some(own).filter(|_| env.keeps(Rule::SupersededKeeps))
}

fn act(unit: &mut Unit, n: u16) {
    let Role::Holder(holder) = &mut unit.part else {
        return;
    };
    let queue = core::mem::take(&mut holder.queue);
    let active = match holder.suspended.take() {
        Some(mut suspended) => {
            suspended.granted = n;
            suspended.renew = holder.renew;
            suspended.queue = queue;
            suspended
        }
        None => Box::new(Active {
            term: holder.term,
            renew: holder.renew,
            granted: n,
            last: holder.lsn,
            cfg: holder.cfg,
            register: Register::default(),
            offered: None,
            current: None,
            leaving: None,
            ended: None,
            prompts: Vec::new(),
            resets: unit.resets,
            unreplicated: 0,
            draining: false,
            queue,
            attempts: 0,
            pacing: false,
        }),
    };
    unit.part = Role::Active(active);
}

/// Renew, or Release, again.
pub(super) fn ask(unit: &Unit, out: &mut Out) {
    let Role::Holder(holder) = &unit.part else {
        return;
    };
    let (boot, generation) = (unit.boot, unit.generation);
    let (term, n, lsn) = (holder.term, holder.renew, holder.lsn);
    out.tell(if holder.released {
        Msg::Release { term, lsn }
    } else {
        Msg::Renew { boot, term, n, lsn, generation }
    });
}

pub(super) fn on_offer<E>(
    env: &Env<E>,
    unit: &mut Unit,
    term: u16,
    (origin, bound, hello): (Origin, Option<Lsn>, u16),
    out: &mut Out,
) {
    if term <= unit.highest {
        return super::decline(unit, term, out);
    }
    unit.highest = term;
    let within = |(_, lsn): &(Cfg, Lsn)| bound.is_none_or(|bound| *lsn <= bound);
    let said = origin != Origin::Cold || hello >= unit.since || !env.keeps(Rule::ColdNamesHello);
    let taken = taken_over(env, unit, origin).filter(within).filter(|_| said);
    let Some((cfg, lsn)) = taken else {
        return super::decline(unit, term, out);
    };
    let (mut queue, timed) = match &mut unit.part {
        Role::Holder(holder) => (core::mem::take(&mut holder.queue), holder.timed),
        Role::Down | Role::Standby(_) | Role::Active(_) => {
            unit.n += 1;
            (Vec::new(), false)
        }
    };
    // The config at which they were entered is gone.
    if origin != Origin::Resume {
        queue::refuse(&mut queue, out);
    }
    let runs = origin != Origin::Cold && env.keeps(Rule::AcceptanceFixesConfig);
    let holder = Holder {
        term,
        renew: 1,
        granted: 0,
        released: false,
        runs,
        cfg,
        lsn,
        suspended: None,
        timed: timed && !queue.is_empty(),
        queue,
        refuses: false,
    };
    unit.part = Role::Holder(holder);
    ask(unit, out);
    if !env.keeps(Rule::GrantEchoesRenew) {
        act(unit, 1);
    }
}

fn taken_over<E>(env: &Env<E>, unit: &Unit, origin: Origin) -> Option<(Cfg, Lsn)> {
    match (origin, &unit.part) {
        (Origin::Stateful(session, lsn), Role::Standby(standby)) => {
            let replica = standby.replica.as_ref()?;
            let can =
                replica.session == Some(session) && replica.applied >= lsn && !replica.declared;
            can.then_some((replica.cfg, replica.applied))
        }
        (Origin::Stale(stamp), Role::Standby(standby)) => {
            let replica = standby.replica.as_ref()?;
            let ready = !replica.declared || !env.keeps(Rule::DeclaredDeclines);
            (ready && replica.stamp() >= stamp).then_some((replica.cfg, replica.applied))
        }
        (Origin::Cold, Role::Standby(_) | Role::Holder(_)) => {
            let (stamp, cfg) = unit.startup;
            Some((cfg, stamp.lsn))
        }
        (Origin::Resume, Role::Holder(holder)) => holder.runs.then_some((holder.cfg, holder.lsn)),
        (Origin::Stateful(..) | Origin::Cold | Origin::Resume | Origin::Stale(_), _) => None,
    }
}

pub(super) fn on_timer<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    timer: Timer,
    out: &mut Out,
) -> Option<()> {
    let Role::Holder(holder) = &mut unit.part else {
        return None;
    };
    match timer {
        Timer::Renew => {
            if holder.released && !env.keeps(Rule::ArbiterResends) {
                return None;
            }
            if !holder.released {
                holder.renew += 1;
            }
            ask(unit, out);
        }
        Timer::Join if env.keeps(Rule::HolderJoins) => standby::send_join(env, unit, out),
        Timer::Queue => queue::on_timeout(env, holder, out)?,
        Timer::Join
        | Timer::Hello
        | Timer::Register
        | Timer::Resend
        | Timer::GiveUp
        | Timer::Prompt
        | Timer::Pace
        | Timer::Stable => return None,
    }
    Some(())
}
