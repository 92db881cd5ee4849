//! NoStale: a message of another session leaves the unit's state equal, and moves nothing.

use skewsync::message::{Message, MessageKind};
use skewsync::unit::Input;
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct NoStale {
    /// What the unit took, if that was a message.
    took: Option<MessageKind>,
    /// It is of another session; and whether it moved anything.
    moved: Option<bool>,
    checked: u64,
}

/// Whether what comes of a message of another session is nothing: it tells, or says that the
/// session is over.
const fn moves_nothing(what: &What<'_>) -> bool {
    match what {
        What::Sends { message, .. } => {
            matches!(message, Message::Left { .. } | Message::Down { .. })
        }
        What::Answered { .. } | What::WriteBegan { .. } | What::Wants { .. } => false,
        _ => true,
    }
}

impl Observer for NoStale {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        match fact.what {
            What::Took { input, .. } => {
                self.took = match input {
                    Input::Message { message, .. } => Some(message.kind()),
                    _ => None,
                };
                self.moved = None;
            }
            What::Strayed { moved } => self.moved = Some(moved),
            What::Stepped => {
                if let (Some(kind), Some(moved), Some(slot)) =
                    (self.took, self.moved.take(), fact.slot())
                {
                    self.checked += 1;
                    if moved {
                        return broken(Property::NoStale, Evidence::StaleMoves { kind, slot });
                    }
                }
            }
            what => self.moved = self.moved.map(|moved| moved || !moves_nothing(&what)),
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
    use skewsync::message::Session;

    use super::*;
    use crate::oracle::testing::{Pair, SESSION, Stage, broken_property};

    fn hears(session: Session, after: u64) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoStale::default());
        let unit = |lsn| Pair::with_releases(["6.2", "6.2"], "", lsn).standby;
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
