//! Commutes, as far as both sides' wire digests say it: what the Standby computed from its executed config at an
//! LSN is what every other sight of that LSN facing that image says, in whatever session: one came to it line by
//! line, another from nothing. And a difference takes away only what stood in W before it.

use std::collections::BTreeMap;

use skewsync::base::{BootId, Digest, ImageDigest, Lsn, Slot, Term};
use skewsync::message::{Message, Prc, Session};
use skewsync::unit::{Output, Part};

use super::{broken, performed};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "Commutes";
/// LSNs that are remembered; older ones are past.
const REMEMBERED: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub struct Commutes {
    /// The image of each boot.
    images: BTreeMap<(Slot, BootId), ImageDigest>,
    /// The wire digest of a change, facing a Standby's image.
    digests: BTreeMap<(Term, Lsn, ImageDigest), Digest>,
    spoilt: bool,
    checked: u64,
}

impl Commutes {
    /// The image of the session's Standby, by one side's step.
    fn faced(&self, session: Session, event: &Event<'_>) -> Option<ImageDigest> {
        let Event::Unit { slot, unit, .. } = *event else {
            return None;
        };
        let standby = match unit.part {
            Part::Active(_) => Slot(1 - slot.0),
            Part::Standby(_) | Part::Holder(_) => slot,
        };
        self.images.get(&(standby, session.standby)).copied()
    }
}

impl Observer for Commutes {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        if let Event::Started { slot, boot, .. } = seen.event {
            self.images.insert((slot, boot.boot), scene.image(slot).0);
        }
        if let Event::Fault { kind, effect: true } = seen.event {
            // A Standby that was made to refuse a line holds something else, and says so.
            self.spoilt |= crate::plan::fault::FAULT_KINDS[kind] == "refuse-line";
        }
        for output in performed(&seen.event) {
            let Output::Send { message, .. } = output else {
                continue;
            };
            if let Message::Applied {
                lsn, mismatches, ..
            } = message
                && let Some(idle) = mismatches.iter().find(|each| each.prc == Prc::Unchanged)
            {
                let what = format!("LSN {lsn} takes `{}` away, which W never held", &*idle.line);
                return broken(NAME, what);
            }
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
            let image = self.faced(session, &seen.event);
            let Some(image) = image.filter(|_| digest != Digest::default()) else {
                continue;
            };
            self.checked += 1;
            let change = (session.term, lsn, image);
            let known = *self.digests.entry(change).or_insert(digest);
            if known != digest && !self.spoilt {
                return broken(
                    NAME,
                    format!(
                        "LSN {lsn}, now of session {session}, has wire digests {known} and {digest}"
                    ),
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
