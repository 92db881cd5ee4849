//! HotMeansEqual, as far as the machines themselves say it, without the reference: the Standby that
//! the register names, while it sits in that session, holds that session's config up to the
//! register's LSN; and whatever is listed at the Active is listed at the Standby that has applied
//! as much.

use skewsync::ids::Slot;
use skewsync::message::Eligible;
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Acting, Fact, History, Observer, Unit, Waiting, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct PairAgrees {
    checked: u64,
}

impl PairAgrees {
    /// The register names a Standby.
    fn holds(&mut self, eligible: Eligible, history: &History) -> Result<(), Violation> {
        let Eligible { session, slot, lsn } = eligible;
        let Some(waiting) = history.unit(slot).and_then(Unit::waiting) else {
            return Ok(());
        };
        let sits = waiting.seat.is_some_and(|seat| seat.session == session);
        if !sits || history.boot(slot) != Some(session.standby) {
            return Ok(());
        }
        self.checked += 1;
        let replica = waiting.replica.as_ref();
        let held = replica.filter(|replica| replica.session == session);
        match held.map(|replica| replica.applied) {
            Some(applied) if applied >= lsn => Ok(()),
            held => {
                let evidence = Evidence::NamedHoldsLess { named: eligible, held };
                broken(Property::HotMeansEqual, evidence)
            }
        }
    }

    /// A Standby made a step beside an Active.
    fn lists(&mut self, slot: Slot, waiting: &Waiting, acting: &Acting) -> Result<(), Violation> {
        let (Some(replica), Some(current)) = (&waiting.replica, &acting.session) else {
            return Ok(());
        };
        let Some(lowering) = &current.lowering else {
            return Ok(());
        };
        if replica.session != current.session || replica.applied != acting.last {
            return Ok(());
        }
        self.checked += 1;
        let here = replica.raising.listing().lines();
        let there = lowering.listing().lines();
        match there.keys().find(|key| !here.contains_key(*key)) {
            Some(key) => {
                let (path, line) = (key.path.to_string(), key.line.to_string());
                let at = acting.stamp();
                let evidence = Evidence::ListedAtActiveAlone { path, line, at, slot };
                broken(Property::HotMeansEqual, evidence)
            }
            None => Ok(()),
        }
    }
}

impl Observer for PairAgrees {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match (fact.what, fact.slot()) {
            (What::ArbiterStepped, _) => match history.register {
                Some(eligible) => self.holds(eligible, history),
                None => Ok(()),
            },
            (What::Stepped, Some(slot)) => {
                let Some(waiting) = history.unit(slot).and_then(Unit::waiting) else {
                    return Ok(());
                };
                let mut acting = history.others(slot).filter_map(|(_, unit)| unit.acting());
                acting.try_for_each(|acting| self.lists(slot, waiting, acting))
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::HotMeansEqual, self.checked)]
    }
}
