//! SavedSurvives: after a save was reported ok for a unit, its boot finds that store or a later
//! one, through power loss at any write. What rotted on the disk since then is not promised.

use std::collections::BTreeMap;

use skewsync::ids::{Slot, WriteId};
use skewsync::message::Stamp;
use skewsync::unit::{Boot, Input, Record};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};
use crate::plan::FaultKind;

/// See the module.
#[derive(Debug, Default)]
pub struct SavedSurvives {
    written: BTreeMap<(Slot, WriteId), Stamp>,
    saved: BTreeMap<Slot, Stamp>,
    checked: u64,
}

impl SavedSurvives {
    fn boots(&mut self, slot: Slot, boot: &Boot) -> Result<(), Violation> {
        self.written.retain(|(at, _), _| *at != slot);
        if boot.lost_disk {
            self.saved.remove(&slot);
        }
        let Some(&saved) = self.saved.get(&slot) else {
            return Ok(());
        };
        self.checked += 1;
        let boots = boot.store.as_ref().map(|store| store.stamp);
        if boots.is_some_and(|found| found >= saved) {
            return Ok(());
        }
        broken(Property::SavedSurvives, Evidence::SavedLost { slot, saved, boots })
    }
}

impl Observer for SavedSurvives {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        if let What::Fault { effect: true, of: Some(fault), .. } = fact.what
            && let FaultKind::BitRot { slot, .. } = fault.kind
        {
            self.saved.remove(&Slot(slot));
        }
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Started { boot } => return self.boots(slot, boot),
            What::WriteBegan { write, record: Record::Store(store), fate: Fate::Done } => {
                self.written.insert((slot, write), store.stamp);
            }
            What::Took { input: Input::Persisted(write), .. } => {
                if let Some(stamp) = self.written.remove(&(slot, *write)) {
                    self.saved.insert(slot, stamp);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::SavedSurvives, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{Stage, boot, broken_property, idle, persists, stamp, store};
    use crate::plan::{Anchor, Fault};

    fn boots(found: Stamp, lost_disk: bool) -> Option<Property> {
        boots_after(None, found, lost_disk)
    }

    fn boots_after(rot: Option<u8>, found: Stamp, lost_disk: bool) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut SavedSurvives::default());
        let (unit, write) = (idle(Slot(0), "6.2"), WriteId(1));
        let writes = [persists(store(stamp(2, 5)))];
        stage.does(oracle, unit.clone(), &writes).unwrap();
        stage.step(oracle, unit, &Input::Persisted(write), &[]).unwrap();
        if let Some(slot) = rot {
            let (down_ms, both, bit) = (1, false, 9);
            let fault = Fault {
                at: Anchor::Instant(1),
                kind: FaultKind::BitRot { slot, down_ms, both, bit },
            };
            let (kind, effect, of) = (fault.name(), true, Some(&fault));
            stage.show(oracle, Event::Fault { kind, effect, of }).unwrap();
        }
        let mut boot = boot(found);
        boot.lost_disk = lost_disk;
        broken_property(stage.starts(oracle, Slot(0), &boot))
    }

    #[test]
    fn an_older_store_after_a_save_breaks_it() {
        assert_eq!(boots(stamp(2, 4), false), Some(Property::SavedSurvives));
    }

    #[test]
    fn what_rotted_is_not_promised_and_what_rotted_elsewhere_is() {
        assert_eq!(boots_after(Some(0), stamp(2, 4), false), None);
        assert_eq!(boots_after(Some(1), stamp(2, 4), false), Some(Property::SavedSurvives));
    }

    #[test]
    fn that_store_a_later_one_or_another_disk_breaks_nothing() {
        assert_eq!(boots(stamp(2, 5), false), None);
        assert_eq!(boots(stamp(3, 1), false), None);
        assert_eq!(boots(stamp(0, 0), true), None);
    }
}
