//! What a unit does whose memory a fault changes.

use super::{Raising, way_down};
use crate::config::Edit;
use crate::disposition::StandbyPairing;
use crate::image::Image;

impl Raising {
    /// Changes S without W: what a unit that misapplies a line does. The wire digest shows it.
    pub(crate) fn disturb(&mut self, image: &Image, pairing: &StandbyPairing, edits: &[Edit]) {
        self.down.edit(&way_down(image, pairing), edits);
        self.up.put_last(self.down.first().clone());
    }
}
