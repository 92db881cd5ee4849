//! The Active's writes of the register, and the prompts that wait for what it says.

use crate::action::Durability;
use crate::effects::Effects;
use crate::state::{Active, Eligible, Lsn, Msg, Phase, Prompt, Register};
use crate::step::{Answer, Env, Out, Rule};

pub(super) fn write_register(active: &mut Active, value: Option<Eligible>, out: &mut Out) {
    active.register = Register { counter: active.register.counter + 1, value, open: true };
    send_register(active, out);
}

pub(super) fn send_register(active: &Active, out: &mut Out) {
    let Register { counter, value, .. } = active.register;
    out.tell(Msg::SetRegister { term: active.term, counter, value });
}

pub(super) fn on_confirm<E: Effects>(
    env: &Env<E>,
    active: &mut Active,
    counter: u16,
    out: &mut Out,
) {
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

pub(super) fn return_replicated(active: &mut Active, acked: Lsn, out: &mut Out) {
    let done = active.prompts.iter().filter(|prompt| prompt.lsn <= acked);
    out.answers.extend(done.map(|prompt| match prompt.made {
        true => Answer::Replicated { lsn: prompt.lsn },
        false => Answer::Unchanged,
    }));
    active.prompts.retain(|prompt| prompt.lsn > acked);
}

fn return_local(active: &mut Active, out: &mut Out) {
    active.unreplicated =
        active.unreplicated.max(active.prompts.last().map_or(0, |prompt| prompt.lsn));
    let durability = Durability::Acked;
    out.answers.extend(active.prompts.drain(..).map(|Prompt { lsn, made }| match made {
        true => Answer::Local { lsn, durability },
        false => Answer::Unchanged,
    }));
}

/// The Confirm of a clear did not come: nothing else may be said of what waits for it.
pub(super) fn return_unknown(active: &mut Active, out: &mut Out) -> Option<()> {
    if active.prompts.is_empty() || !is_clearing(active) {
        return None;
    }
    let prompts = active.prompts.drain(..);
    out.answers.extend(prompts.map(|Prompt { lsn, .. }| Answer::Unknown { lsn }));
    Some(())
}

/// A write of none is not confirmed.
const fn is_clearing(active: &Active) -> bool {
    active.register.value.is_none() && active.register.open
}

pub(super) fn holds_prompts(active: &Active) -> bool {
    is_clearing(active)
        || active.current.as_ref().is_some_and(|current| current.phase.holds_prompts())
}

pub(super) fn clear_register<E>(env: &Env<E>, active: &mut Active, out: &mut Out) {
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
