//! What a moment of a run came of: its causal cone.

use std::collections::BTreeSet;

use skewsync::message::MessageKind;

use super::{Entry, EventKind, Mark};

/// The indices of the entries that the entry `of` came of, itself among them, of all faults before
/// it, of the answers that were given on the way, and of what changed a role.
pub fn behind(entries: &[Entry], of: usize) -> BTreeSet<usize> {
    let mut cone = BTreeSet::new();
    let mut open = vec![of];
    let faults = entries.iter().enumerate().take(of + 1);
    open.extend(
        faults
            .filter(|(_, entry)| {
                entry.sort == EventKind::Fault
                    || entry.message.as_ref().is_some_and(|m| m.fault.is_some())
            })
            .map(|(index, _)| index),
    );
    while let Some(index) = open.pop() {
        if index < entries.len() && cone.insert(index) {
            open.extend(&entries[index].after);
        }
    }
    // What the terminal was told in these steps, and who acted meanwhile, is what a reader wants to
    // know beside them.
    let beside: Vec<usize> = entries
        .iter()
        .enumerate()
        .take(of + 1)
        .filter(|(_, entry)| {
            let told = entry.sort == EventKind::Answer
                && entry.after.iter().any(|step| cone.contains(step));
            told || has_role(entry)
        })
        .map(|(index, _)| index)
        .collect();
    cone.extend(beside);
    cone
}

fn has_role(entry: &Entry) -> bool {
    let is = |mark: &Mark| matches!(mark, Mark::Role { .. });
    entry.marks.iter().any(is)
}

const fn is_routine(kind: MessageKind) -> bool {
    use MessageKind::{Grant, Hello, Join, Keepalive, Renew};
    matches!(kind, Keepalive | Renew | Grant | Hello | Join)
}

/// The part of a cone that tells something: what changed a state, moved a command or an LSN, or was
/// a fault; and the messages between such entries; and its last entry, whatever it is. At most so
/// many entries, the latest.
pub fn telling(entries: &[Entry], cone: &BTreeSet<usize>, most: usize) -> BTreeSet<usize> {
    let tells = |index: &&usize| {
        let entry = &entries[**index];
        let carries = entry.message.as_ref();
        match entry.sort {
            EventKind::Fault
            | EventKind::Start
            | EventKind::End
            | EventKind::Pause
            | EventKind::FaultsStopped => true,
            EventKind::Entered | EventKind::Answer => true,
            EventKind::Written => false,
            EventKind::Sent | EventKind::Undelivered => {
                carries.is_some_and(|m| m.fault.is_some() || !is_routine(m.kind))
            }
            EventKind::Step => {
                !entry.marks.is_empty()
                    || carries.is_some_and(|m| !is_routine(m.kind))
                    || (carries.is_none() && !entry.timer)
            }
        }
    };
    let is_last = |index: &&usize| Some(*index) == cone.last();
    let tells = |index: &&usize| is_last(index) || tells(index);
    let mut kept: Vec<usize> = cone.iter().filter(tells).copied().collect();
    if kept.len() > most {
        // Faults stay, whatever else goes.
        let is_fault = |index: &usize| entries[*index].sort == EventKind::Fault;
        let from = kept.len() - most;
        let late = kept.split_off(from);
        kept.retain(is_fault);
        kept.extend(late);
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Lane;
    use super::*;

    fn entry(step: u64, sort: EventKind, after: &[usize]) -> Entry {
        Entry { after: after.to_vec(), ..Entry::new(step, step, Lane::World, sort, String::new()) }
    }

    #[test]
    fn a_cone_is_what_an_entry_came_of_and_every_fault_before_it() {
        let entries = [
            entry(1, EventKind::Start, &[]),
            entry(2, EventKind::Fault, &[]),
            entry(3, EventKind::Step, &[0]),
            entry(4, EventKind::Step, &[]),
            entry(5, EventKind::Step, &[2]),
            entry(6, EventKind::Fault, &[]),
        ];
        assert_eq!(behind(&entries, 4), BTreeSet::from([0, 1, 2, 4]));
    }

    #[test]
    fn faults_stay_where_a_cone_is_cut() {
        let entries: Vec<Entry> = (0..10)
            .map(|step| {
                entry(step, if step == 1 { EventKind::Fault } else { EventKind::Start }, &[])
            })
            .collect();
        let cone = (0..10).collect();
        assert_eq!(telling(&entries, &cone, 3), BTreeSet::from([1, 7, 8, 9]));
    }
}
