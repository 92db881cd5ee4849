//! How the Active loses its role: drained, forced, or with its lease.

use super::register::write_register;
use super::{holder, queue};
use crate::state::{Active, Holder, Phase, Prompt, Role, Unit};
use crate::step::{Answer, Env, Out, Rule, eligible};

pub(in crate::step) fn on_drain_over(active: &mut Active) -> Option<()> {
    core::mem::take(&mut active.draining).then_some(())
}

pub(super) fn drain<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) {
    let slot = out.slot;
    let Role::Active(active) = &mut unit.part else {
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
    let Role::Active(active) = &mut unit.part else {
        return;
    };
    fall_silent(env, active, out);
    unit.n += 1;
    let mut holder = Holder {
        term: active.term,
        renew: active.renew,
        granted: active.granted,
        released: true,
        runs: true,
        cfg: active.cfg,
        lsn: active.last,
        suspended: None,
        queue: core::mem::take(&mut active.queue),
        timed: false,
        refuses: false,
    };
    queue::arm(env, &mut holder);
    unit.part = Role::Holder(holder);
    holder::ask(unit, out);
}

pub(in crate::step) fn on_switchover(active: &mut Active) -> Option<()> {
    if !is_hot(active) || active.draining {
        return None;
    }
    active.draining = true;
    Some(())
}

pub(in crate::step) fn on_forced<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Role::Active(active) = &unit.part else {
        return None;
    };
    if !is_hot(active) {
        return None;
    }
    release(env, unit, out);
    Some(())
}

fn is_hot(active: &Active) -> bool {
    let hot = active.current.as_ref().is_some_and(|current| current.phase == Phase::Hot);
    hot && active.register.value.is_some() && !active.register.open
}

/// All prompts return `unknown`.
pub(in crate::step) fn fall_silent<E>(env: &Env<E>, active: &mut Active, out: &mut Out) {
    let prompts = active.prompts.drain(..);
    if env.keeps(Rule::LossAnswers) {
        out.answers.extend(prompts.map(|Prompt { lsn, .. }| Answer::Unknown { lsn }));
    } else {
        drop(prompts);
    }
    active.draining = false;
}

pub(in crate::step) fn lapse<E>(env: &Env<E>, unit: &mut Unit, out: &mut Out) -> Option<()> {
    let Role::Active(active) = &mut unit.part else {
        return None;
    };
    fall_silent(env, active, out);
    if env.keeps(Rule::LapseRefusesQueue) {
        queue::refuse(&mut active.queue, out);
    }
    unit.n += 1;
    let queue = core::mem::take(&mut active.queue);
    unit.part = Role::Holder(Holder {
        term: active.term,
        renew: active.renew,
        granted: active.granted,
        released: false,
        runs: true,
        cfg: active.cfg,
        lsn: active.last,
        suspended: Some(active.clone()),
        queue,
        timed: false,
        refuses: false,
    });
    Some(())
}
