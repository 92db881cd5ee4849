//! OrderOnce: the applied LSNs of an attempt are s+1..n without gap or repeat, after the snapshot s
//! was accepted.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{Lsn, Slot};
use skewsync::message::{Message, Session};
use skewsync::unit::Input;
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Violation};

/// What a Standby was sent in one session.
#[derive(Debug, Default)]
struct Heard {
    snapshots: BTreeSet<Lsn>,
    accepted: BTreeSet<Lsn>,
    lines: BTreeSet<Lsn>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct OrderOnce {
    heard: BTreeMap<(Slot, Session), Heard>,
    checked: u64,
}

impl Heard {
    fn hear(&mut self, message: &Message) {
        match message {
            Message::Config { lsn, .. } => self.snapshots.insert(*lsn),
            Message::BulkAccept { lsn, .. } => self.accepted.insert(*lsn),
            Message::Line { lsn, .. } => self.lines.insert(*lsn),
            _ => false,
        };
    }

    /// The first LSN between whose line never came.
    fn missing(&self, from: Lsn, to: Lsn) -> Option<Lsn> {
        (from.0 + 1..=to.0).map(Lsn).find(|lsn| !self.lines.contains(lsn))
    }

    /// Whether an accepted snapshot, and the lines after it, come to this.
    fn comes_to(&self, lsn: Lsn) -> bool {
        let mut accepted = self.accepted.intersection(&self.snapshots);
        accepted.any(|s| *s <= lsn && self.missing(*s, lsn).is_none())
    }
}

impl OrderOnce {
    /// A Standby holds this LSN in a session; before it held `from` in it, or nothing of it.
    fn holds(
        &mut self,
        slot: Slot,
        session: Session,
        from: Option<Lsn>,
        lsn: Lsn,
    ) -> Result<(), Violation> {
        self.checked += 1;
        let Some(heard) = self.heard.get(&(slot, session)) else {
            return broken(Property::OrderOnce, Evidence::HoldsUnheard { slot, session });
        };
        let evidence = match from {
            None if heard.comes_to(lsn) => return Ok(()),
            None if heard.accepted.is_empty() => Evidence::BulkUnaccepted { slot, session, lsn },
            None => Evidence::LinesSkipped { slot, session, lsn },
            Some(from) => match heard.missing(from, lsn) {
                Some(missing) => Evidence::LineSkipped { slot, session, from, to: lsn, missing },
                None if lsn > from => return Ok(()),
                None => Evidence::GoesBack { slot, session, from, to: lsn },
            },
        };
        broken(Property::OrderOnce, evidence)
    }
}

impl Observer for OrderOnce {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        let Some(slot) = fact.slot() else {
            return Ok(());
        };
        match fact.what {
            What::Took { input: Input::Message { message, .. }, .. } => {
                if let Some(session) = message.session() {
                    self.heard.entry((slot, session)).or_default().hear(message);
                }
            }
            What::Swapped { session, lsn } => return self.holds(slot, session, None, lsn),
            What::Applied { session, from, lsn } => {
                return self.holds(slot, session, Some(from), lsn);
            }
            What::Ended { .. } => self.heard.retain(|(at, _), _| *at != slot),
            _ => {}
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::OrderOnce, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::digest::Shared;
    use skewsync::message::OnMismatch;

    use super::*;
    use crate::oracle::testing::{Pair, SESSION, Stage, broken_property};

    fn line(lsn: u64) -> Message {
        let nothing = || Shared::new(Vec::new());
        Message::Line {
            session: SESSION,
            lsn: Lsn(lsn),
            difference: nothing(),
            on_mismatch: OnMismatch::LeaveHot,
            listing: nothing(),
        }
    }

    fn applies(heard: &[Message], applied: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut OrderOnce::default());
        let (session, lsn, listed) = (SESSION, Lsn(1), 0);
        let (size, listing_at, digest) = (0, 0, skewsync::digest::Digest(1));
        let joining = crate::oracle::testing::idle(Slot(1), "6.2");
        let config = Message::Config { session, lsn, size, listing_at, digest };
        stage.hears(oracle, joining, config, &[]).unwrap();
        let unit = |applied| Pair::with_releases(["6.2", "6.2"], "", applied).standby;
        let accept = Message::BulkAccept { session, lsn, listed };
        stage.hears(oracle, unit(1), accept, &[]).unwrap();
        for message in heard {
            stage.hears(oracle, unit(1), message.clone(), &[]).unwrap();
        }
        broken_property(stage.does(oracle, unit(applied), &[]))
    }

    #[test]
    fn a_gap_or_a_step_back_breaks_it() {
        assert_eq!(applies(&[line(3)], 3), Some(Property::OrderOnce));
        assert_eq!(applies(&[], 2), Some(Property::OrderOnce));
        assert_eq!(applies(&[line(2)], 0), Some(Property::OrderOnce));
    }

    #[test]
    fn lines_after_the_accepted_snapshot_break_nothing() {
        assert_eq!(applies(&[line(2), line(3)], 3), None);
        assert_eq!(applies(&[], 1), None);
    }

    #[test]
    fn a_config_that_was_never_accepted_breaks_it() {
        let (mut stage, oracle) = (Stage::new(), &mut OrderOnce::default());
        let standby = Pair::with_releases(["6.2", "6.2"], "", 1).standby;
        assert_eq!(broken_property(stage.does(oracle, standby, &[])), Some(Property::OrderOnce));
    }
}
