//! Commutes: W, as it was kept in step at both sides, is W from scratch, by the reference
//! translation; and what the Standby computed from its executed config at an LSN is what every
//! other sight of that LSN facing that image says, in whatever session: one came to it line by
//! line, another from nothing. Order is compared as it is rendered. And a difference takes away
//! only what stood in W before it.

use std::collections::BTreeMap;

use skewsync::digest::{Digest, ImageDigest};

use skewsync::ids::{Lsn, Slot, Term};
use skewsync::message::{Message, Prc, Session, Stamp};
use skewsync::translate::{Lowering, Raising};
use skewsync::unit::PairingSide;
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use super::reference::rendered;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};
use crate::plan::FaultName;

/// LSNs that are remembered; older ones are past.
const REMEMBERED: usize = 256;

/// Against a translation from scratch.
#[derive(Debug, Default)]
pub struct FromScratch;

impl PairCheck for FromScratch {
    fn property(&self) -> Property {
        Property::Commutes
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let (at, wanted) = (point.stamp(), point.digests.wire);
        let at_n = point.active.is_some_and(|acting| acting.last == point.n);
        let standby = point.raising.map(Raising::wire_config);
        let active = point.lowering().filter(|_| at_n).map(Lowering::wire_config);
        for (whose, config) in [(PairingSide::Standby, standby), (PairingSide::Active, active)] {
            let Some(config) = config else {
                continue;
            };
            let found = config.digest();
            if found != wanted {
                let evidence = Evidence::WireDiffers { whose, at, found, wanted };
                return broken(Property::Commutes, evidence);
            }
            if rendered(config) != point.digests.rendered[0] {
                return broken(Property::Commutes, Evidence::WireOrderDiffers { whose, at });
            }
        }
        Ok(())
    }
}

/// At each sight.
#[derive(Debug, Default)]
pub struct Commutes {
    /// The wire digest of a change, facing a Standby's image.
    digests: BTreeMap<(Term, Lsn, ImageDigest), Digest>,
    spoilt: bool,
    checked: u64,
}

/// The image of the session's Standby, by one side of it.
fn faced(slot: Slot, session: Session, history: &History) -> Option<ImageDigest> {
    let of = |slot| history.images.get(&(slot, session.standby)).copied();
    match history.acting_in(slot) {
        Some(_) => history.others(slot).find_map(|(other, _)| of(other)),
        None => of(slot),
    }
}

impl Commutes {
    /// A unit says what it has.
    fn judge(&mut self, slot: Slot, message: &Message, history: &History) -> Result<(), Violation> {
        if let Message::Applied { session, lsn, missing, .. } = message
            && let Some(idle) = missing.mismatches.iter().find(|each| each.prc == Prc::Unchanged)
        {
            let change = Stamp { term: session.term, lsn: *lsn };
            let line = idle.line.to_string();
            return broken(Property::Commutes, Evidence::TakesNothingAway { change, line });
        }
        let (session, lsn, digest) = match message {
            Message::Applied { session, lsn, digest, .. }
            | Message::BulkDone { session, lsn, digest, .. }
            | Message::Keepalive { session, lsn, digest, .. } => (*session, *lsn, *digest),
            _ => return Ok(()),
        };
        let image = faced(slot, session, history).filter(|_| digest != Digest::default());
        let Some(image) = image else {
            return Ok(());
        };
        self.checked += 1;
        let known = *self.digests.entry((session.term, lsn, image)).or_insert(digest);
        if known != digest && !self.spoilt {
            let evidence = Evidence::TwoDigests { lsn, session, known, found: digest };
            return broken(Property::Commutes, evidence);
        }
        if self.digests.len() > REMEMBERED {
            self.digests.pop_first();
        }
        Ok(())
    }
}

impl Observer for Commutes {
    fn see(&mut self, fact: &Fact<'_>, history: &History) -> Result<(), Violation> {
        match (fact.what, fact.slot()) {
            // A Standby that was made to refuse a line holds something else, and says so.
            (What::Fault { kind: FaultName::RefuseLine, effect: true, .. }, _) => {
                self.spoilt = true;
                Ok(())
            }
            (What::Sends { message, fate: Fate::Done, .. }, Some(slot)) => {
                self.judge(slot, message, history)
            }
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::Commutes, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::message::{Missing, Stamp};
    use skewsync::unit::Output;

    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{Pair, SESSION, Stage, broken_property, catalog, idle, send};

    fn applied(digest: u128) -> Output {
        let (session, lsn, digest) = (SESSION, Lsn(3), Digest(digest));
        send(Message::Applied { session, lsn, digest, missing: Missing::default() })
    }

    #[test]
    fn another_digest_of_the_same_lsn_breaks_it() {
        for (digest, found) in [(8, Some(Property::Commutes)), (7, None)] {
            let (mut stage, oracle) = (Stage::new(), &mut Commutes::default());
            let unit = idle(Slot(1), "6.2");
            let mut boot = crate::oracle::testing::boot(Stamp::default());
            boot.boot = SESSION.standby;
            stage.starts(oracle, Slot(1), &boot).unwrap();
            stage.does(oracle, unit.clone(), &[applied(7)]).unwrap();
            let again = stage.does(oracle, unit, &[applied(digest)]);
            assert_eq!(broken_property(again), found);
        }
    }

    #[test]
    fn a_w_that_is_not_the_one_from_scratch_breaks_it() {
        let releases = ["6.2", "6.0"];
        let points = || Points::new(catalog(), 0, vec![Box::new(FromScratch)]);
        let pair = |text| Pair::with_releases(releases, text, 16);
        let right = "router pim\n rp 192.0.2.1\n";
        let two = ["hostname r1\nntp server 192.0.2.1\n", "ntp server 192.0.2.1\nhostname r1\n"]
            .map(pair);
        let [first, second] = two;
        let turned = first.with_replica_of(second).judged_by(&mut points(), releases);
        assert_eq!(broken_property(turned), Some(Property::Commutes), "the order is another");
        assert_eq!(pair(right).judged_by(&mut points(), releases), Ok(()));
        let wrong = pair(right).with_replica_of(pair("hostname r1\n"));
        let found = wrong.judged_by(&mut points(), releases);
        assert_eq!(broken_property(found), Some(Property::Commutes));
        let mut wrong = pair(right);
        let mut other = pair("hostname r1\n");
        let other = other.acting().peer().current().expect("a session").clone();
        wrong.acting().put_session(other);
        let found = wrong.judged_by(&mut points(), releases);
        assert_eq!(broken_property(found), Some(Property::Commutes));
    }
}
