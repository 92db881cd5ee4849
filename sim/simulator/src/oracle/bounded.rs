//! Bounded: no buffer, journal, pending set or queue exceeds its bound.

use skewsync::ids::Slot;
use skewsync::unit::Limits;
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, Role, What};
use crate::observe::{Buffer, Evidence, Violation};

/// Writes under way at most: one of each kind of record, and saves.
const WRITES_MAX: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub struct Bounded {
    checked: u64,
}

fn excess(slot: Slot, role: &Role, limits: &Limits) -> Option<Evidence> {
    let over = |buffer, found: usize, bound: u32| {
        let exceeds = found > bound as usize;
        exceeds.then_some(Evidence::Exceeds { slot, buffer, found, bound })
    };
    match role {
        Role::Active(acting) => {
            let journal = acting.session.as_ref().map_or(0, |current| current.journal);
            over(Buffer::Journal, journal, limits.max_journal)
                .or_else(|| over(Buffer::Queue, acting.queue.len(), limits.max_queue))
                // Any number may wait for one LSN.
                .or_else(|| over(Buffer::Prompts, acting.prompts, limits.max_prompts))
        }
        Role::Holder(holding) => over(Buffer::HolderQueue, holding.queue.len(), limits.max_queue),
        Role::Standby(waiting) => {
            let kept = waiting.seat.map_or(0, |seat| seat.kept);
            over(Buffer::LinesKept, kept, limits.line_window)
        }
    }
}

impl Observer for Bounded {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let (What::Stepped, Some(slot)) = (fact.what, fact.slot()) else {
            return Ok(());
        };
        let Some(machine) = history.unit(slot).and_then(|unit| unit.machine.as_ref()) else {
            return Ok(());
        };
        self.checked += 1;
        if machine.writes > WRITES_MAX {
            return broken(Property::Bounded, Evidence::Writes { writes: machine.writes });
        }
        match excess(slot, &machine.role, &history.limits) {
            Some(evidence) => broken(Property::Bounded, evidence),
            None => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Bounded, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::{Slot, WriteId};
    use skewsync::unit::{Role, Unit, Write};

    use super::*;
    use crate::oracle::testing::{Stage, active, broken_property, holder, idle};

    fn seen(unit: Unit) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut Bounded::default());
        broken_property(stage.does(oracle, unit, &[]))
    }

    #[test]
    fn more_writes_or_a_longer_queue_than_the_bound_break_it() {
        let mut unit = idle(Slot(0), "6.2");
        let writes = 0..=WRITES_MAX as u64;
        unit.own.writes = writes
            .map(|write| (WriteId(write), Write::Highest(skewsync::ids::Term(write))))
            .collect();
        assert_eq!(seen(unit), Some(Property::Bounded));
        let command = skewsync::unit::Command {
            id: skewsync::ids::CommandId(1),
            text: skewsync::digest::Shared::text(""),
            durability: skewsync::unit::Durability::Acked,
        };
        let queue = |unit: &mut Unit, length: usize| {
            if let Role::Holder(holder) = &mut unit.part {
                holder.queue = vec![command.clone(); length].into();
            }
        };
        let most = Limits::DEFAULT.max_queue as usize;
        let mut unit = holder(Slot(0), 1, skewsync::message::Origin::Cold, 0);
        queue(&mut unit, most + 1);
        assert_eq!(seen(unit.clone()), Some(Property::Bounded));
        queue(&mut unit, most);
        assert_eq!(seen(unit), None);
    }

    #[test]
    fn prompts_of_one_lsn_count_each() {
        use skewsync::unit::prompts::{Prompt, PromptKind};
        let with = |prompts: usize| {
            let mut unit = active(Slot(0), 1, 5, "6.2", "");
            if let Role::Active(active) = &mut unit.part {
                let prompt = |id| Prompt {
                    id: skewsync::ids::CommandId(id as u64),
                    change: PromptKind::Nothing,
                };
                let all = (0..prompts).map(prompt).collect();
                let held = std::collections::BTreeMap::from([(skewsync::ids::Lsn(5), all)]);
                active.put_prompts(held.into());
            }
            seen(unit)
        };
        let most = Limits::DEFAULT.max_prompts as usize;
        assert_eq!(with(most), None);
        assert_eq!(with(most + 1), Some(Property::Bounded));
    }

    #[test]
    fn a_unit_that_just_started_breaks_nothing() {
        assert_eq!(seen(idle(Slot(0), "6.2")), None);
    }
}
