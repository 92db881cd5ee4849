//! Commands that wait unexecuted: for the end of a drain, for room, for the role to come back
//! (PROTOCOL.md, 10.2, Commands and Lease).

use super::active::{execute, settle};
use super::{Answer, Env, Out, Rule};
use crate::action::Durability;
use crate::effects::Effects;
use crate::state::{Active, Holder, Queued, Role, Unit};

/// A command is executed, or waits behind others, or is refused.
pub(super) fn on_command<E: Effects>(
    env: &Env<E>,
    unit: &mut Unit,
    id: u16,
    durability: Durability,
    out: &mut Out,
) -> Option<()> {
    let command = Queued { id, durability };
    match &mut unit.part {
        Role::Active(active) if active.queue.is_empty() && executes(env, active) => {
            execute(env, active, command, out);
        }
        Role::Active(active) => enqueue(env, &mut active.queue, command, out),
        Role::Holder(holder) if holder.released && !holder.refuses => {
            enqueue(env, &mut holder.queue, command, out);
            arm(env, holder);
        }
        Role::Down | Role::Standby(_) | Role::Holder(_) => out.answers.push(Answer::Refused),
    }
    settle(env, unit, out);
    Some(())
}

/// Whether a command is executed now: there is no drain, the Standby of a pair that is hot, or
/// about to be, is not too far behind, and not too many prompts are held.
pub(super) fn executes<E>(env: &Env<E>, active: &Active) -> bool {
    let hot = active.current.as_ref().filter(|current| current.phase.holds_prompts());
    let far =
        hot.is_some_and(|current| active.last - current.acked.min(active.last) >= env.hot_window);
    let counts = match hot {
        Some(_) => Rule::PromptsCount,
        None => Rule::PromptsCountInClearing,
    };
    let many = active.prompts.len() >= usize::from(env.max_prompts) && env.keeps(counts);
    !active.draining && !far && !many
}

/// A command waits, if there is room.
fn enqueue<E>(env: &Env<E>, queue: &mut Vec<Queued>, command: Queued, out: &mut Out) {
    if queue.len() < usize::from(env.max_queue) {
        queue.push(command);
    } else {
        out.answers.push(Answer::Refused);
    }
}

/// Timer Queue runs from when the first command waits.
pub(super) fn arm<E>(env: &Env<E>, holder: &mut Holder) {
    holder.timed = !holder.queue.is_empty() && env.keeps(Rule::QueueHasDeadline);
}

/// Nothing of what waits was executed, and nothing will be.
pub(super) fn refuse(queue: &mut Vec<Queued>, out: &mut Out) {
    for Queued { id, .. } in queue.drain(..) {
        out.answers.push(Answer::Refused);
        out.refused.push(id);
    }
}

/// Timer Queue: what waits has waited long enough, and so has all that would come.
pub(super) fn on_timeout<E>(env: &Env<E>, holder: &mut Holder, out: &mut Out) -> Option<()> {
    if !core::mem::take(&mut holder.timed) {
        return None;
    }
    holder.refuses = holder.released;
    if env.keeps(Rule::AnsweredLeavesQueue) {
        refuse(&mut holder.queue, out);
    } else {
        refuse(&mut holder.queue.clone(), out);
    }
    Some(())
}
