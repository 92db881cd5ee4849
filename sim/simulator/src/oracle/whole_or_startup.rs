//! WholeOrStartup: a unit starts to act with the config that it applied as a Standby, whole, at the
//! LSN that it says; or with what it last acted with (resume, stale). Never with one that it
//! declared not ready, or that policy turned away.

use std::collections::BTreeMap;

use skewsync::digest::Digest;

use skewsync::ids::{Lsn, Slot};
use skewsync::message::{Message, Origin, RejectWhy, Stamp};
use skewsync::unit::{Event as Told, Input};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Acting, Fact, History, Observer, Role, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct WholeOrStartup {
    /// What each unit would act with: its replica, or what it acted with last.
    held: BTreeMap<Slot, (Lsn, Digest)>,
    /// By the step at hand policy turns the unit's config away.
    turned_away: bool,
    checked: u64,
}

/// Whether policy turns the config of a Standby away that takes this.
fn turns_away(input: &Input) -> bool {
    let Input::Message { message, .. } = input else {
        return false;
    };
    match message {
        Message::Leave { why, .. } => !why.keeps_replica(),
        Message::BulkReject { why, .. } => *why == RejectWhy::Policy,
        _ => false,
    }
}

impl WholeOrStartup {
    /// A unit begins to act.
    fn acts(
        &mut self,
        slot: Slot,
        stamp: Stamp,
        origin: &Origin,
        acting: &Acting,
    ) -> Result<(), Violation> {
        // What waited for the role may be executed in the very step that takes it up.
        if *origin == Origin::Cold || acting.last != stamp.lsn {
            return Ok(());
        }
        self.checked += 1;
        if self.held.get(&slot) == Some(&(stamp.lsn, acting.config.digest())) {
            return Ok(());
        }
        let evidence = Evidence::ActsFromUnheld { slot, origin: *origin };
        broken(Property::WholeOrStartup, evidence)
    }

    /// A unit made a step, and is this.
    fn follow(&mut self, slot: Slot, role: &Role) {
        match role {
            Role::Standby(waiting) => {
                if self.turned_away {
                    self.held.remove(&slot);
                }
                if let Some(replica) = waiting.replica.as_ref().filter(|replica| replica.ready) {
                    self.held.insert(slot, (replica.applied, replica.config().digest()));
                }
            }
            Role::Active(acting) => {
                self.held.insert(slot, (acting.last, acting.config.digest()));
            }
            Role::Holder(_) => {}
        }
    }
}

impl Observer for WholeOrStartup {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        let Some((slot, unit)) = fact.slot().and_then(|slot| Some((slot, history.unit(slot)?)))
        else {
            return Ok(());
        };
        match fact.what {
            What::Took { input, .. } => self.turned_away = turns_away(input),
            // A message of another session changes nothing.
            What::Says { event: Told::Ignored { .. }, .. } => self.turned_away = false,
            What::Says { event: Told::Acts { origin, stamp, .. }, .. } => {
                if let Some(acting) = unit.acting() {
                    return self.acts(slot, *stamp, origin, acting);
                }
            }
            What::Stepped => {
                if let Some(role) = unit.role() {
                    self.follow(slot, role);
                }
            }
            What::Ended { .. } => {
                self.held.remove(&slot);
            }
            _ => {}
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
        let standby = Pair::with_releases(["6.2", "6.2"], "hostname r1\n", 4).standby;
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
