//! The own image, as a unit needs it.

use alloc::sync::Arc;

use crate::config::Prc;
use crate::digest::{ImageDigest, Shared};
use crate::disposition::{ActivePairing, OwnSide, PairError, StandbyPairing};
use crate::ids::{ComponentId, FormId};
use crate::image::Image;
use crate::message::{Bytes, Mismatch};

/// The own image, as a unit needs it: loaded once, shared by all steps.
#[derive(Clone, Debug)]
pub struct Software {
    pub(super) image: Arc<Image>,
    pub(super) own: Arc<OwnSide>,
    pub(super) dump: Bytes,
    pub(super) same_at_active: Arc<ActivePairing>,
    pub(super) same_at_standby: Arc<StandbyPairing>,
}

impl Software {
    /// What a unit needs of its image.
    ///
    /// # Errors
    /// [`PairError::Rule`]: a change of the image makes no rule.
    pub fn new(image: impl Into<Arc<Image>>) -> Result<Self, PairError> {
        let image = image.into();
        let own = Arc::new(OwnSide::new(&image)?);
        let same_at_active = Arc::new(ActivePairing::equal_by(&image, &own));
        let same_at_standby = Arc::new(StandbyPairing::equal_by(&image, &own));
        let dump = Shared::new(own.dump().encode().into_bytes());
        Ok(Self { image, own, dump, same_at_active, same_at_standby })
    }

    /// The image.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Identity of the image.
    pub fn digest(&self) -> ImageDigest {
        self.image.digest()
    }

    /// The image's CLI dump.
    pub const fn dump(&self) -> &Bytes {
        &self.dump
    }

    pub(super) fn mismatch(
        &self,
        component: ComponentId,
        form: FormId,
        line: &str,
        prc: Prc,
    ) -> Mismatch {
        Mismatch {
            component: self.component(component),
            form: Shared::text(self.image.form(form).form.normal()),
            line: Shared::text(line),
            prc,
        }
    }

    pub(super) fn component(&self, component: ComponentId) -> Shared<str> {
        let components = &self.image.declarations().components;
        Shared::text(&components[usize::from(component.0)].name)
    }
}
