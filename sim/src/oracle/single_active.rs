//! SingleActive: in true time no two units have Active effects at the same instant; granted terms strictly
//! increase, each to one (unit, boot).

use std::collections::BTreeMap;

use skewsync::base::{BootId, Slot, Term};
use skewsync::unit::{Event as Told, Output, Part};

use crate::tap::{Event, Fate, Observer, Scene, Seen, Violation};

const NAME: &str = "SingleActive";

/// See the module.
#[derive(Debug, Default)]
pub struct SingleActive {
    terms: BTreeMap<Term, (Slot, BootId)>,
    checked: u64,
}

impl SingleActive {
    fn check(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        self.checked += 1;
        let acting = [Slot(0), Slot(1)].into_iter().filter(|slot| {
            let acts = scene
                .unit(*slot)
                .is_some_and(|unit| matches!(unit.part, Part::Active(_)));
            acts && scene.lease_end(*slot).is_some_and(|end| end > seen.at_us)
        });
        if acting.count() > 1 {
            return Err(Violation {
                property: NAME,
                what: "both units act within their leases at the same instant".into(),
            });
        }
        Ok(())
    }

    fn acts(&mut self, term: Term, slot: Slot, scene: &dyn Scene) -> Result<(), Violation> {
        let Some(boot) = scene.boot(slot) else {
            return Ok(());
        };
        let greatest = self.terms.last_key_value().map(|(term, _)| *term);
        let violation = |what: String| {
            Err(Violation {
                property: NAME,
                what,
            })
        };
        match self.terms.get(&term) {
            Some(of) if *of != (slot, boot) => {
                violation(format!("term {term} was granted to two units or boots"))
            }
            None if greatest.is_some_and(|greatest| greatest > term) => {
                violation(format!("term {term} is acted in after term {greatest:?}"))
            }
            Some(_) | None => {
                self.terms.insert(term, (slot, boot));
                Ok(())
            }
        }
    }
}

impl Observer for SingleActive {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        let Event::Unit {
            slot,
            outputs,
            fates,
            ..
        } = seen.event
        else {
            return Ok(());
        };
        for (output, fate) in outputs.iter().zip(fates) {
            if let Output::Event(Told::Acts { stamp, .. }) = output
                && *fate == Fate::Done
                && scene.lease_end(slot).is_some_and(|end| end > seen.at_us)
            {
                let term = scene
                    .unit(slot)
                    .and_then(|unit| unit.term())
                    .unwrap_or(stamp.term);
                self.acts(term, slot, scene)?;
            }
        }
        self.check(seen, scene)
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
