//! HotMeansEqual, as far as the machines themselves say it, without the reference: the Standby that
//! the register names, while it sits in that session, holds that session's config up to the
//! register's LSN; and whatever is listed at the Active is listed at the Standby that has applied
//! as much.

use skewsync::ids::Slot;
use skewsync::message::Eligible;
use skewsync::unit::{Active, Role, Standby, Unit};
use skewsync_model::property::Property;

use super::broken;
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct PairAgrees {
    checked: u64,
}

impl PairAgrees {
    /// The register was written, or the Standby made a step.
    fn holds(&mut self, eligible: Eligible, scene: &dyn ClusterView) -> Result<(), Violation> {
        let Eligible { session, slot, lsn } = eligible;
        let Some(standby) = scene.unit(slot).and_then(standby) else {
            return Ok(());
        };
        let sits = standby.seat.as_ref().is_some_and(|seat| seat.session == session);
        if !sits || scene.boot(slot) != Some(session.standby) {
            return Ok(());
        }
        self.checked += 1;
        let replica = standby.replica.as_ref();
        let held = replica.filter(|replica| replica.session == session);
        match held.map(|replica| replica.applied) {
            Some(applied) if applied >= lsn => Ok(()),
            held => {
                let held =
                    held.map_or_else(|| "nothing of it".into(), |held| format!("LSN {held}"));
                let named = format!("the register names session {session} at LSN {lsn}");
                broken(Property::HotMeansEqual, format!("{named}, and slot {slot} holds {held}"))
            }
        }
    }

    fn lists(&mut self, slot: Slot, standby: &Standby, active: &Active) -> Result<(), Violation> {
        let (Some(replica), Some(current)) = (&standby.replica, &active.peer.current) else {
            return Ok(());
        };
        let Some(sender) = &current.sender else {
            return Ok(());
        };
        if replica.session != current.session || replica.applied != active.last {
            return Ok(());
        }
        self.checked += 1;
        let here = replica.receiver.raising().listing().lines();
        let there = sender.lowering().listing().lines();
        match there.keys().find(|key| !here.contains_key(*key)) {
            Some(key) => broken(
                Property::HotMeansEqual,
                format!(
                    "`{} {}` is listed at the Active at LSN {}, and not at slot {slot}",
                    &*key.path, &*key.line, active.last
                ),
            ),
            None => Ok(()),
        }
    }
}

fn standby(unit: &Unit) -> Option<&Standby> {
    match &unit.part {
        Role::Standby(standby) => Some(standby),
        Role::Active(_) | Role::Holder(_) => None,
    }
}

impl Observer for PairAgrees {
    fn see(&mut self, seen: &Observed<'_>, scene: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Arbiter { arbiter, .. } => match arbiter.register {
                Some(eligible) => self.holds(eligible, scene),
                None => Ok(()),
            },
            Event::Unit { slot, unit, .. } => {
                let other = scene.unit(Slot(1 - slot.0)).map(|unit| &unit.part);
                match (standby(unit), other) {
                    (Some(standby), Some(Role::Active(active))) => {
                        self.lists(slot, standby, active)
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::HotMeansEqual, self.checked)]
    }
}
