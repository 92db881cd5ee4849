//! NoForeignLine: executing a received line never gives no-match, ambiguous or incomplete, and
//! some change raises it if it is to be raised; nor does a unit reject it that nothing made refuse
//! lines, or hold others than it was sent.

use skewsync::message::{Message, Mismatch, Prc, Unraised};
use skewsync::policy::Cause;
use skewsync_model::property::Property;

use super::broken;
use crate::history::{Fact, History, Observer, What};
use crate::observe::{Evidence, Fate, Violation};
use crate::plan::FaultName;

/// See the module.
#[derive(Debug, Default)]
pub struct NoForeignLine {
    /// A unit was made to refuse lines, or to hold others than it was sent.
    refuses: bool,
    /// A unit's engine was made another one.
    foreign: bool,
    checked: u64,
}

impl NoForeignLine {
    /// What a unit says of lines that it received.
    fn judge(&mut self, message: &Message) -> Result<(), Violation> {
        let missing = match message {
            Message::Unreadable { why, .. } if !self.foreign => {
                return broken(Property::NoForeignLine, Evidence::ReceivedUnread { why: *why });
            }
            Message::BulkDone { missing, .. } | Message::Applied { missing, .. } => missing,
            _ => return Ok(()),
        };
        self.checked += 1;
        let foreign = |mismatch: &&Mismatch| match mismatch.prc {
            Prc::NoMatch | Prc::Ambiguous | Prc::Incomplete => true,
            Prc::Rejected => !self.refuses,
            // What is to go, and is not there, is a difference of another W: Commutes.
            Prc::Ok | Prc::Unchanged => false,
        };
        let refused = missing.mismatches.iter().find(foreign);
        let refused = refused.map(|Mismatch { line, prc, .. }| (line, *prc));
        let strange = |each: &&Unraised| each.cause == Some(Cause::NoTransform);
        let strange = || missing.unraised.iter().find(strange);
        let found = refused.or_else(|| strange().map(|each| (&each.line, Prc::NoMatch)));
        found.map_or(Ok(()), |(line, prc)| {
            let line = line.to_string();
            broken(Property::NoForeignLine, Evidence::ReceivedForeign { line, prc })
        })
    }
}

impl Observer for NoForeignLine {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        match fact.what {
            What::Fault { kind, effect, .. } => {
                let made_to = matches!(kind, FaultName::RefuseLine | FaultName::MisapplyLine);
                self.refuses |= effect && made_to;
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
    use skewsync::message::Missing;

    use super::*;
    use crate::observe::Event;
    use crate::oracle::testing::{SESSION, Stage, broken_property, idle, send};

    fn answered(missing: Missing, made_to_refuse: bool) -> Option<Property> {
        let (mut stage, oracle) = (Stage::new(), &mut NoForeignLine::default());
        if made_to_refuse {
            let kind = FaultName::RefuseLine;
            stage.show(oracle, Event::Fault { kind, effect: true, of: None }).unwrap();
        }
        let (session, lsn, digest) = (SESSION, Lsn(1), Digest(1));
        let applied = Message::Applied { session, lsn, digest, missing };
        broken_property(stage.does(oracle, idle(Slot(1), "6.2"), &[send(applied)]))
    }

    fn refused(prc: Prc) -> Missing {
        let (component, form) = (Shared::text("bgp"), Shared::text("x"));
        let line = Shared::text("x");
        let mismatches = Shared::new(vec![Mismatch { component, form, line, prc }]);
        Missing { mismatches, ..Missing::default() }
    }

    fn not_raised(cause: Option<Cause>) -> Missing {
        let (component, form) = (Shared::text("bgp"), Shared::text("x"));
        let line = Shared::text("x");
        let unraised = Shared::new(vec![Unraised { component, form, line, cause }]);
        Missing { unraised, ..Missing::default() }
    }

    #[test]
    fn a_line_that_the_standby_does_not_read_breaks_it() {
        for foreign in [Prc::NoMatch, Prc::Ambiguous, Prc::Incomplete] {
            assert_eq!(answered(refused(foreign), true), Some(Property::NoForeignLine));
        }
        let none = not_raised(Some(Cause::NoTransform));
        assert_eq!(answered(none, true), Some(Property::NoForeignLine));
    }

    #[test]
    fn refusing_for_no_reason_breaks_it() {
        assert_eq!(answered(refused(Prc::Rejected), false), Some(Property::NoForeignLine));
    }

    #[test]
    fn a_line_that_a_unit_was_made_to_refuse_breaks_nothing() {
        assert_eq!(answered(refused(Prc::Rejected), true), None);
    }

    #[test]
    fn a_line_that_waits_for_another_or_contradicts_one_breaks_nothing() {
        assert_eq!(answered(not_raised(None), false), None);
        assert_eq!(answered(not_raised(Some(Cause::GuardedValue)), false), None);
    }
}
