//! Faults that are injected into a unit's memory, and what a fault of its payloads needs to know of
//! it, for the laboratory only.

use super::env::{Env, PairingKey};
use super::pairing::at_standby;
use super::peer::ActivePhase;
use super::receiver::Receiver;
use super::standby::{Standby, StandbyPhase};
use super::{Role, Unit};
use crate::message::{Bytes, FileKind};

impl Unit {
    /// What a Standby that misapplies a line does, for a fault that is injected: its own config
    /// changes, and the wire config beside it does not. Whether anything changed.
    pub fn misapply(&mut self, env: &Env<'_>, text: &str) -> bool {
        let Role::Standby(Standby { seat: Some(seat), replica: Some(replica), .. }) =
            &mut self.part
        else {
            return false;
        };
        let before = replica.receiver.raising().config().digest();
        replica.receiver.misapply(env, seat.pairing.as_ref(), text);
        replica.receiver.raising().config().digest() != before
    }

    /// The file of a kind that the unit sends, and where in it the listing begins; none: it sends
    /// none. Its dump is its software's.
    pub fn outgoing(&self, kind: FileKind) -> Option<(Bytes, u64)> {
        match (kind, &self.part) {
            (FileKind::Diff, Role::Standby(standby)) => match &standby.seat.as_ref()?.phase {
                StandbyPhase::Diffed { diff, .. } => Some((diff.bytes.clone(), 0)),
                _ => None,
            },
            (FileKind::Config, Role::Active(active)) => match active.peer().phase()? {
                ActivePhase::Bulk(bulk) => Some((bulk.file.bytes.clone(), bulk.listing_at)),
                _ => None,
            },
            (FileKind::Save, Role::Active(active)) => active.saved_file(),
            (FileKind::Dump | FileKind::Diff | FileKind::Config | FileKind::Save, _) => None,
        }
    }
}

impl Receiver {
    /// What a unit that misapplies a line does: changes S without W.
    fn misapply(&mut self, env: &Env<'_>, pairing: Option<&PairingKey>, text: &str) {
        let Some(pairing) = at_standby(env, pairing) else {
            return;
        };
        let image = &env.software.image;
        let mut s = self.raising.config().clone();
        if let Ok(edits) = s.execute(image, image.own(), text) {
            self.raising.disturb(image, pairing, &edits);
        }
    }
}
