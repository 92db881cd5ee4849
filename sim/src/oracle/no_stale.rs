//! NoStale: a message of another session leaves the unit's state equal, and moves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use skewsync::base::Slot;
use skewsync::message::{Message, Session};
use skewsync::unit::{Input, Output, Part, Unit};

use super::broken;
use crate::run::trace::Mixer;
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "NoStale";

/// See the module.
#[derive(Debug, Default)]
pub struct NoStale {
    before: BTreeMap<Slot, (u64, BTreeSet<Session>)>,
    checked: u64,
}

/// The sessions of which the unit takes messages.
fn sessions(unit: &Unit) -> BTreeSet<Session> {
    let mut sessions = BTreeSet::new();
    match &unit.part {
        Part::Standby(standby) => {
            sessions.extend(standby.seat.as_ref().map(|seat| seat.session));
            sessions.extend(standby.replica.as_ref().map(|replica| replica.session));
        }
        Part::Active(active) => {
            sessions.extend(active.peer.current.as_ref().map(|current| current.session));
            sessions.extend(active.peer.offered.map(|offered| offered.session));
            sessions.extend(active.peer.leaving.map(|leaving| leaving.session));
        }
        Part::Holder(_) => {}
    }
    sessions
}

fn hash(unit: &Unit) -> u64 {
    let mut mixer = Mixer::default();
    unit.hash(&mut mixer);
    mixer.finish()
}

/// Whether an output to a message of another session is one: it tells, or says that the session is over.
const fn moves_nothing(output: &Output) -> bool {
    match output {
        Output::Event(_) => true,
        Output::Send { message, .. } => {
            matches!(message, Message::Left { .. } | Message::Down { .. })
        }
        _ => false,
    }
}

impl Observer for NoStale {
    fn see(&mut self, seen: &Seen<'_>, _: &dyn Scene) -> Result<(), Violation> {
        let (Event::Unit { slot, unit, .. } | Event::Started { slot, unit, .. }) = seen.event
        else {
            return Ok(());
        };
        let after = hash(unit);
        if let Event::Unit {
            input: Input::Message { message, .. },
            outputs,
            ..
        } = seen.event
            && let Some(session) = message.session()
            && !matches!(message, Message::Proceed { .. })
            && let Some((before, known)) = self.before.get(&slot)
            && !known.contains(&session)
        {
            self.checked += 1;
            if *before != after || !outputs.iter().all(moves_nothing) {
                return broken(
                    NAME,
                    format!(
                        "{:?} of session {session} moved slot {slot}",
                        message.kind()
                    ),
                );
            }
        }
        self.before.insert(slot, (after, sessions(unit)));
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
