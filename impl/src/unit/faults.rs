//! Faults that are injected into a unit's memory, for the laboratory only.

use super::env::{Env, PairingKey};
use super::pairing::at_standby;
use super::receiver::Receiver;
use super::standby::Standby;
use super::{Role, Unit};

impl Unit {
    /// What a Standby that misapplies a line does, for a fault that is injected: its own config
    /// changes, and the wire config beside it does not.
    pub fn misapply(&mut self, env: &Env<'_>, text: &str) {
        if let Role::Standby(Standby { seat: Some(seat), replica: Some(replica), .. }) =
            &mut self.part
        {
            replica.receiver.misapply(env, seat.pairing.as_ref(), text);
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
