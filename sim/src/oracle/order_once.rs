//! OrderOnce: the applied LSNs of an attempt are s+1..n without gap or repeat, after the snapshot s was
//! accepted.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::base::{Lsn, Slot};
use skewsync::message::{Message, Session};
use skewsync::unit::{Input, Part};

use super::broken;
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "OrderOnce";

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
                NAME,
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
        let from = before
            .filter(|(same, _)| *same == session)
            .map(|(_, lsn)| lsn);
        broken(
            NAME,
            format!("slot {slot} goes from {from:?} to {applied} in session {session} unlawfully"),
        )
    }
}

impl Observer for OrderOnce {
    fn see(&mut self, seen: &Seen<'_>, _: &dyn Scene) -> Result<(), Violation> {
        match seen.event {
            Event::Unit {
                slot, input, unit, ..
            } => {
                if let Input::Message { message, .. } = input {
                    self.hear(slot, message);
                }
                let Part::Standby(standby) = &unit.part else {
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

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
