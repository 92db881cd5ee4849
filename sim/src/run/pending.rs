//! What a pair waits for, once faults and commands have stopped.

use skewsync::base::Slot;
use skewsync::message::Redundancy;
use skewsync::unit::Part;
use skewsync::unit::active::Written;
use skewsync::unit::peer::Phase as Of;

use super::phase::active;
use crate::drive::Rig;
use crate::tap::Scene;

/// What the pair waits for; none if it has converged: hot, or in the lesser mode that policy and limits
/// give.
pub fn pending(rig: &Rig) -> Option<String> {
    for slot in [Slot(0), Slot(1)] {
        if rig.unit(slot).is_none() {
            return Some(format!("the unit of slot {slot} to start"));
        }
    }
    if rig.arbiter().is_none() {
        return Some("the arbiter to start".into());
    }
    let acting: Vec<Slot> = [Slot(0), Slot(1)]
        .into_iter()
        .filter(|slot| active(rig, *slot).is_some())
        .collect();
    let [slot] = acting[..] else {
        return Some(format!("one unit to act; {} do", acting.len()));
    };
    let other = Slot(1 - slot.0);
    let (Some(active), Some(unit)) = (active(rig, slot), rig.unit(other)) else {
        return Some("a unit to act".into());
    };
    if !active.prompts.is_empty() {
        return Some(format!("{} prompts to be answered", active.prompts.len()));
    }
    if active.drain.is_some() || active.saving.is_some() {
        return Some("a switchover or a save to end".into());
    }
    let Part::Standby(standby) = &unit.part else {
        return Some(format!("the unit of slot {other} to join as a Standby"));
    };
    let Some(current) = &active.peer.current else {
        return (active.mode == Redundancy::Sso).then(|| "a session".into());
    };
    match &current.phase {
        Of::Hot => {}
        Of::Rejected { .. } | Of::Held => return None,
        phase => {
            let text = format!("{phase:?}");
            let name = text.split(['(', ' ', '{']).next().unwrap_or_default();
            return Some(format!("session {} to become hot: {name}", current.session));
        }
    }
    if active.register.written != Written::Confirmed || active.register.value.is_none() {
        return Some("the register to be confirmed".into());
    }
    let applied = standby.replica.as_ref().map(|replica| replica.applied);
    if applied != Some(active.last) {
        return Some(format!(
            "the Standby to apply up to {}; it has {applied:?}",
            active.last
        ));
    }
    None
}
