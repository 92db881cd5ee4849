//! OrderOnce: the applied LSNs of an attempt are s+1..n without gap or repeat, after the snapshot s
//! was accepted.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::ids::{Lsn, Slot};
use skewsync::message::{Message, Session};
use skewsync::unit::{Input, Role};
use skewsync_model::property::Property;

use super::broken;
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

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
    applied: BTreeMap<Slot, (Session, Lsn)>,
    checked: u64,
}

impl OrderOnce {
    fn hear(&mut self, slot: Slot, message: &Message) {
        let Some(session) = message.session() else {
            return;
        };
        let heard = self.heard.entry((slot, session)).or_default();
        match message {
            Message::Config { lsn, .. } => heard.snapshots.insert(*lsn),
            Message::BulkAccept { lsn, .. } => heard.accepted.insert(*lsn),
            Message::Line { lsn, .. } => heard.lines.insert(*lsn),
            _ => false,
        };
    }

    fn applies(&mut self, slot: Slot, session: Session, applied: Lsn) -> Result<(), Violation> {
        let before = self.applied.insert(slot, (session, applied));
        if before == Some((session, applied)) {
            return Ok(());
        }
        self.checked += 1;
        let Some(heard) = self.heard.get(&(slot, session)) else {
            return broken(
                Property::OrderOnce,
                format!("slot {slot} holds a config of {session} unheard"),
            );
        };
        let all = |from: Lsn| (from.0 + 1..=applied.0).all(|lsn| heard.lines.contains(&Lsn(lsn)));
        let right = match before {
            Some((same, from)) if same == session => applied > from && all(from),
            _ => heard
                .accepted
                .iter()
                .any(|s| heard.snapshots.contains(s) && *s <= applied && all(*s)),
        };
        if right {
            return Ok(());
        }
        let from = before.filter(|(same, _)| *same == session);
        let Some((_, from)) = from else {
            let why = if heard.accepted.is_empty() {
                "and its bulk was not accepted"
            } else {
                "and a line between it and the accepted bulk never came"
            };
            let what = format!("slot {slot} holds LSN {applied} in session {session}, {why}");
            return broken(Property::OrderOnce, what);
        };
        let missing = (from.0 + 1..=applied.0).find(|lsn| !heard.lines.contains(&Lsn(*lsn)));
        let why = missing.map_or_else(
            || "that is no way forward".into(),
            |lsn| format!("the line of LSN {lsn} never came"),
        );
        let what = format!(
            "slot {slot} goes from LSN {from} to LSN {applied} in session {session}, and {why}"
        );
        broken(Property::OrderOnce, what)
    }
}

impl Observer for OrderOnce {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        match seen.event {
            Event::Unit { slot, input, unit, .. } => {
                if let Input::Message { message, .. } = input {
                    self.hear(slot, message);
                }
                let Role::Standby(standby) = &unit.part else {
                    self.applied.remove(&slot);
                    return Ok(());
                };
                match &standby.replica {
                    Some(replica) => self.applies(slot, replica.session, replica.applied),
                    None => {
                        self.applied.remove(&slot);
                        Ok(())
                    }
                }
            }
            Event::Ended { slot, .. } => {
                self.applied.remove(&slot);
                self.heard.retain(|(at, _), _| *at != slot);
                Ok(())
            }
            _ => Ok(()),
        }
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
        let unit = |applied| Pair::of(["6.2", "6.2"], "", applied).standby;
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
        let standby = Pair::of(["6.2", "6.2"], "", 1).standby;
        assert_eq!(broken_property(stage.does(oracle, standby, &[])), Some(Property::OrderOnce));
    }
}
