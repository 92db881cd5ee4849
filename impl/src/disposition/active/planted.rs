//! Planted defects of the Active's dispositions.

use alloc::sync::Arc;

use super::{ActivePairing, Gate};
use crate::ids::FormId;
use crate::image::Image;
use crate::planted::Defect;

impl ActivePairing {
    /// Treats what is not on the ADL as executable on the Standby, if that is planted.
    pub(super) fn forget_sdl(&mut self, image: &Image) {
        if self.planted.is(Defect::AdlWithoutSdl) && !self.is_equal() {
            // What is on no list counts as executable: forms that the own image has had meanwhile.
            let own = |form: FormId| {
                let decl = image.form(form);
                decl.lives_at(image.levels()[usize::from(decl.component.0)])
            };
            Arc::make_mut(&mut self.tft).keep_lowering(own);
            for (form, _) in image.forms().filter(|(form, _)| !own(*form)) {
                self.verdicts[form.0 as usize] = Gate::Goes;
                self.made[form.0 as usize] = false;
            }
        }
    }
}
