//! WholeOrStartup: a unit starts to act with the config that it applied as a Standby, whole, at the
//! LSN that it says; or with what it last acted with (resume, stale). Never with one that it
//! declared not ready, or that policy turned away.

use std::collections::BTreeMap;

use skewsync::digest::Digest;

use skewsync::ids::{Lsn, Slot};
use skewsync::message::{Message, Origin, RejectWhy};
use skewsync::unit::standby::{Readiness, Replica};
use skewsync::unit::{Event as Told, Input, Output, Role};
use skewsync_model::property::Property;

use super::{begins, broken, told};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct WholeOrStartup {
    /// What each unit would act with: its replica, or what it acted with last.
    held: BTreeMap<Slot, (Lsn, Digest)>,
    checked: u64,
}

/// Whether the step is that of a Standby whose config policy turned away.
fn turned_away(event: &Event<'_>) -> bool {
    let Event::Unit { input: Input::Message { message, .. }, unit, outputs, .. } = event else {
        return false;
    };
    // A message of another session changes nothing.
    let ignored =
        outputs.iter().any(|output| matches!(output, Output::Event(Told::Ignored { .. })));
    let rejected = match message {
        Message::Leave { why, .. } => !why.keeps_replica(),
        Message::BulkReject { why, .. } => *why == RejectWhy::Policy,
        _ => false,
    };
    rejected && !ignored && matches!(unit.part, Role::Standby(_))
}

impl Observer for WholeOrStartup {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        let (slot, unit) = match seen.event {
            Event::Unit { slot, unit, .. } => (slot, unit),
            Event::Ended { slot, .. } => {
                self.held.remove(&slot);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if turned_away(&seen.event) {
            self.held.remove(&slot);
        }
        match &unit.part {
            Role::Standby(standby) => {
                let ready = |of: &&Replica| of.readiness == Readiness::Ready;
                if let Some(replica) = standby.replica.as_ref().filter(ready) {
                    let config = replica.receiver.running().digest();
                    self.held.insert(slot, (replica.applied, config));
                }
            }
            Role::Active(active) => {
                let now = (active.last, active.config.digest());
                for event in told(&seen.event) {
                    let Told::Acts { origin, stamp, .. } = event else {
                        continue;
                    };
                    // What waited for the role may be executed in the very step that takes it up.
                    if *origin == Origin::Cold || active.last != stamp.lsn {
                        continue;
                    }
                    let from = self.held.get(&slot);
                    self.checked += 1;
                    let config =
                        from.filter(|(lsn, _)| *lsn == stamp.lsn).map(|(_, config)| *config);
                    if config != Some(now.1) {
                        return broken(
                            Property::WholeOrStartup,
                            format!(
                                "slot {slot} acts, {}, from a config that it never held",
                                begins(origin)
                            ),
                        );
                    }
                }
                self.held.insert(slot, now);
            }
            Role::Holder(_) => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::WholeOrStartup, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::testing::{Pair, Stage, active, acts, broken_property, stamp, stateful};

    fn takes_over_with(text: &str, lsn: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut WholeOrStartup::default());
        let standby = Pair::of(["6.2", "6.2"], "hostname r1\n", 4).standby;
        stage.does(oracle, standby, &[]).unwrap();
        let next = active(Slot(1), 2, lsn, "6.2", text);
        let says = acts(stamp(2, lsn), stateful(4), &[]);
        broken_property(stage.does(oracle, next, &[says]))
    }

    #[test]
    fn a_config_that_was_not_applied_breaks_it() {
        assert_eq!(takes_over_with("hostname r2\n", 4), Some(Property::WholeOrStartup));
        assert_eq!(takes_over_with("hostname r1\n", 5), Some(Property::WholeOrStartup));
    }

    #[test]
    fn the_config_that_was_applied_breaks_nothing() {
        assert_eq!(takes_over_with("hostname r1\n", 4), None);
    }
}
