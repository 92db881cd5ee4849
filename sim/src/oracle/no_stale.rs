//! NoStale: a message of another session leaves the unit's state equal, and moves nothing.

use std::hash::{Hash, Hasher};

use skewsync::ids::Slot;
use skewsync::message::{Message, Session};
use skewsync::unit::{Input, Output, Role, Unit};
use skewsync_model::property::Property;

use super::broken;
use crate::hash::StableHasher;
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoStale {
    /// The unit that is about to take a message of another session, and what its state hashes to.
    at_hand: Option<(Slot, u64)>,
    checked: u64,
}

/// Whether the unit takes messages of this session.
fn takes(unit: &Unit, session: Session) -> bool {
    let is = |of: Option<Session>| of == Some(session);
    match &unit.part {
        Role::Standby(standby) => is(standby.seat.as_ref().map(|seat| seat.session)),
        Role::Active(active) => {
            let peer = &active.peer;
            is(peer.current.as_ref().map(|current| current.session))
                || is(peer.offered.map(|offered| offered.session))
                || is(peer.leaving.map(|leaving| leaving.session))
        }
        Role::Holder(_) => false,
    }
}

fn hash(unit: &Unit) -> u64 {
    let mut mixer = StableHasher::default();
    unit.hash(&mut mixer);
    mixer.finish()
}

/// Whether an output to a message of another session is one: it tells, or says that the session is
/// over.
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
    fn before(&mut self, slot: Slot, input: &Input, scene: &dyn ClusterView) {
        self.at_hand = None;
        if let Input::Message { message, .. } = input
            && let Some(session) = message.session()
            && !matches!(message, Message::Proceed { .. })
            && let Some(unit) = scene.unit(slot)
            && !takes(unit, session)
        {
            self.at_hand = Some((slot, hash(unit)));
        }
    }

    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        if let Event::Unit { slot, input: Input::Message { message, .. }, outputs, unit, .. } =
            seen.event
            && let Some((of, before)) = self.at_hand.take()
        {
            assert_eq!(of, slot, "a step follows what was seen before it");
            self.checked += 1;
            if before != hash(unit) || !outputs.iter().all(moves_nothing) {
                return broken(
                    Property::NoStale,
                    format!("{:?} of another session moved slot {slot}", message.kind()),
                );
            }
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::NoStale, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::ids::{Attempt, Lsn};

    use super::*;
    use crate::oracle::testing::{Pair, SESSION, Stage, broken_property};

    fn hears(session: Session, after: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoStale::default());
        let unit = |lsn| Pair::of(["6.2", "6.2"], "", lsn).standby;
        stage.does(oracle, unit(1), &[]).unwrap();
        let message = Message::Hot { session, lsn: Lsn(1) };
        broken_property(stage.hears(oracle, unit(after), message, &[]))
    }

    #[test]
    fn a_message_of_another_session_that_moves_a_unit_breaks_it() {
        let stale = Session { attempt: Attempt(9), ..SESSION };
        assert_eq!(hears(stale, 2), Some(Property::NoStale));
        assert_eq!(hears(stale, 1), None);
    }

    #[test]
    fn a_message_of_the_own_session_moves_a_unit() {
        assert_eq!(hears(SESSION, 2), None);
    }
}
