//! Commutes, as far as both sides' wire digests say it: what the Standby computed from its executed config
//! at an LSN of a session is what every other sight of that LSN in that session says.

use std::collections::BTreeMap;

use skewsync::base::{Digest, Lsn};
use skewsync::message::{Message, Session};
use skewsync::unit::Output;

use super::{broken, performed};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "Commutes";
/// LSNs that are remembered; older ones are past.
const REMEMBERED: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub struct Commutes {
    digests: BTreeMap<(Session, Lsn), Digest>,
    spoilt: bool,
    checked: u64,
}

impl Observer for Commutes {
    fn see(&mut self, seen: &Seen<'_>, _: &dyn Scene) -> Result<(), Violation> {
        if let Event::Fault { kind, effect: true } = seen.event {
            // A Standby that was made to refuse a line holds something else, and says so.
            self.spoilt |= crate::plan::fault::FAULT_KINDS[kind] == "refuse-line";
        }
        for output in performed(&seen.event) {
            let Output::Send { message, .. } = output else {
                continue;
            };
            let (session, lsn, digest) = match message {
                Message::Applied {
                    session,
                    lsn,
                    digest,
                    ..
                }
                | Message::BulkDone {
                    session,
                    lsn,
                    digest,
                    ..
                }
                | Message::Keepalive {
                    session,
                    lsn,
                    digest,
                    ..
                } => (*session, *lsn, *digest),
                _ => continue,
            };
            if digest == Digest::default() {
                continue;
            }
            self.checked += 1;
            let known = *self.digests.entry((session, lsn)).or_insert(digest);
            if known != digest && !self.spoilt {
                return broken(
                    NAME,
                    format!("LSN {lsn} of session {session} has wire digests {known} and {digest}"),
                );
            }
            if self.digests.len() > REMEMBERED {
                self.digests.pop_first();
            }
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
