//! NoForeignLine: executing a received line never gives no-match, ambiguous or incomplete; nor does
//! a unit that nothing made refuse it reject it.

use skewsync::message::{Message, Mismatch, Prc};
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};
use crate::plan::FaultName;

/// See the module.
#[derive(Debug, Default)]
pub struct NoForeignLine {
    /// A unit was made to refuse lines.
    refuses: bool,
    /// A unit's engine was made another one.
    foreign: bool,
    checked: u64,
}

impl NoForeignLine {
    /// What a unit says of lines that it received.
    fn judge(&mut self, message: &Message) -> Result<(), Violation> {
        let mismatches = match message {
            Message::Unreadable { why, .. } if !self.foreign => {
                return broken(Property::NoForeignLine, Evidence::ReceivedUnread { why: *why });
            }
            Message::BulkDone { mismatches, .. } | Message::Applied { mismatches, .. } => {
                mismatches
            }
            _ => return Ok(()),
        };
        self.checked += 1;
        let foreign = |mismatch: &&Mismatch| match mismatch.prc {
            Prc::NoMatch | Prc::Ambiguous | Prc::Incomplete => true,
            Prc::Rejected => !self.refuses,
            // What is to go, and is not there, is a difference of another W: Commutes.
            Prc::Ok | Prc::Unchanged => false,
        };
        match mismatches.iter().find(foreign) {
            Some(Mismatch { line, prc, .. }) => {
                let (line, prc) = (line.to_string(), *prc);
                broken(Property::NoForeignLine, Evidence::ReceivedForeign { line, prc })
            }
            None => Ok(()),
        }
    }
}

impl Observer for NoForeignLine {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        match fact.what {
            What::Fault { kind, effect, .. } => {
                self.refuses |= effect && kind == FaultName::RefuseLine;
                self.foreign |= kind == FaultName::ForeignPayload;
                Ok(())
            }
            What::Sends { message, fate: Fate::Done, .. } => self.judge(message),
            _ => Ok(()),
        }
    }

    fn checked(&self) -> Vec<(Property, u64)> {
        vec![(Property::NoForeignLine, self.checked)]
    }
}

#[cfg(test)]
mod tests {
    use skewsync::digest::{Digest, Shared};
    use skewsync::ids::{Lsn, Slot};

    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{SESSION, Stage, broken_property, idle, send};

    fn answered(prc: Prc, made_to_refuse: bool) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoForeignLine::default());
        if made_to_refuse {
            let kind = FaultName::RefuseLine;
            stage.show(oracle, Event::Fault { kind, effect: true, of: None }).unwrap();
        }
        let (component, form) = (Shared::text("bgp"), Shared::text("x"));
        let line = Shared::text("x");
        let mismatches = Shared::new(vec![Mismatch { component, form, line, prc }]);
        let (session, lsn, digest) = (SESSION, Lsn(1), Digest(1));
        let applied = Message::Applied { session, lsn, digest, mismatches, further: 0 };
        broken_property(stage.does(oracle, idle(Slot(1), "6.2"), &[send(applied)]))
    }

    #[test]
    fn a_line_that_the_standby_does_not_read_breaks_it() {
        for foreign in [Prc::NoMatch, Prc::Ambiguous, Prc::Incomplete] {
            assert_eq!(answered(foreign, true), Some(Property::NoForeignLine));
        }
    }

    #[test]
    fn refusing_for_no_reason_breaks_it() {
        assert_eq!(answered(Prc::Rejected, false), Some(Property::NoForeignLine));
    }

    #[test]
    fn a_line_that_a_unit_was_made_to_refuse_breaks_nothing() {
        assert_eq!(answered(Prc::Rejected, true), None);
    }
}
