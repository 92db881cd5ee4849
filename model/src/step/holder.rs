//! Offers, and the holder without a lease (PROTOCOL.md, 10.2).

use super::{Env, Out, Rule, standby};
use crate::action::Timer;
use crate::effects::Effects;
use crate::state::{Active, Cfg, Holder, Lsn, Msg, Origin, Part, Register, Session, Unit};

pub(super) fn on_message<E: Effects>(env: &Env<E>, unit: &mut Unit, msg: Msg, out: &mut Out) {
    let Part::Holder(holder) = &mut unit.part else {
        return;
    };
    match msg {
        Msg::Proceed { session } if session.term > holder.term => {
            superseded(env, unit, session, out);
        }
        Msg::Grant { boot, term, n: 0 } if boot == unit.boot && term > holder.term => {
            standby::join(env, unit, None, out);
        }
        Msg::Grant { boot, term, n }
            if boot == unit.boot
                && term == holder.term
                && holder.granted < n
                && n <= holder.renew
                && !holder.released =>
        {
            let n = if env.keeps(Rule::GrantNamesRenew) {
                n
            } else {
                holder.renew
            };
            act(unit, n);
        }
        Msg::Offer {
            boot,
            term,
            origin,
            bound,
            hello,
        } if boot == unit.boot => {
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
        standby::join(env, unit, None, out);
    }
}

fn act(unit: &mut Unit, n: u16) {
    let Part::Holder(holder) = &unit.part else {
        return;
    };
    let active = match holder.kept.clone() {
        Some(mut kept) => {
            kept.granted = n;
            kept.renew = holder.renew;
            kept
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
            attempts: 0,
            pacing: false,
        }),
    };
    unit.part = Part::Active(active);
}

/// Renew, or Release, again.
pub(super) fn ask(unit: &Unit, out: &mut Out) {
    let Part::Holder(holder) = &unit.part else {
        return;
    };
    let (boot, term, n, lsn) = (unit.boot, holder.term, holder.renew, holder.lsn);
    out.tell(if holder.released {
        Msg::Release { term, lsn }
    } else {
        Msg::Renew { boot, term, n, lsn }
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
    let taken = taken_over(unit, origin).filter(within).filter(|_| said);
    let Some((cfg, lsn)) = taken else {
        return super::decline(unit, term, out);
    };
    if matches!(unit.part, Part::Standby(_)) {
        unit.n += 1;
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
        kept: None,
    };
    unit.part = Part::Holder(holder);
    ask(unit, out);
    if !env.keeps(Rule::GrantEchoesRenew) {
        act(unit, 1);
    }
}

fn taken_over(unit: &Unit, origin: Origin) -> Option<(Cfg, Lsn)> {
    match (origin, &unit.part) {
        (Origin::Stateful(session, lsn), Part::Standby(standby)) => {
            let replica = standby.replica.as_ref()?;
            let can = replica.session == session && replica.applied >= lsn && !replica.declared;
            can.then_some((replica.cfg, replica.applied))
        }
        (Origin::Cold, Part::Standby(_) | Part::Holder(_)) => {
            let (stamp, cfg) = unit.startup;
            Some((cfg, stamp.lsn))
        }
        (Origin::Resume, Part::Holder(holder)) => holder.runs.then_some((holder.cfg, holder.lsn)),
        (Origin::Stateful(..) | Origin::Cold | Origin::Resume, _) => None,
    }
}

pub(super) fn on_timer<E>(
    env: &Env<E>,
    unit: &mut Unit,
    timer: Timer,
    out: &mut Out,
) -> Option<()> {
    let Part::Holder(holder) = &mut unit.part else {
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
        Timer::Join
        | Timer::Hello
        | Timer::Register
        | Timer::Resend
        | Timer::GiveUp
        | Timer::Pace
        | Timer::Stable => return None,
    }
    Some(())
}
