//! Bounded: no buffer, journal, pending set or queue exceeds its bound.

use skewsync::unit::{Limits, Part, standby};

use super::broken;
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "Bounded";
/// Writes under way at most: one of each kind of record, and saves.
const WRITES_MAX: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub struct Bounded {
    checked: u64,
}

fn excess(part: &Part, limits: &Limits) -> Option<String> {
    let over = |what: &str, found: usize, bound: u32| {
        (found > bound as usize).then(|| format!("{what}: {found}, and the bound is {bound}"))
    };
    match part {
        Part::Active(active) => {
            let journal = active
                .peer
                .current
                .as_ref()
                .map_or(0, |current| current.journal.len());
            let queue = active.drain.as_ref().map_or(0, |drain| drain.queue.len());
            over("journal", journal, limits.max_journal)
                .or_else(|| over("drain's queue", queue, limits.max_queue))
                .or_else(|| over("prompts", active.prompts.len(), limits.max_journal))
        }
        Part::Holder(holder) => over("holder's queue", holder.queue.len(), limits.max_queue),
        Part::Standby(standby) => match standby.seat.as_ref().map(|seat| &seat.phase) {
            Some(standby::Phase::Synced { kept, .. }) => {
                over("lines kept", kept.len(), limits.line_window)
            }
            _ => None,
        },
    }
}

impl Observer for Bounded {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        let Event::Unit { slot, unit, .. } = seen.event else {
            return Ok(());
        };
        self.checked += 1;
        if unit.own.writes.len() > WRITES_MAX {
            return broken(NAME, format!("{} writes under way", unit.own.writes.len()));
        }
        match excess(&unit.part, scene.limits()) {
            Some(what) => broken(NAME, format!("slot {slot}: {what}")),
            None => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
