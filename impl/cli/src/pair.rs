//! Two images facing each other, paired as two units would: each side from its own image and from
//! what the other sent.

use std::sync::Arc;

use skewsync::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::image::Image;

use crate::input::{self, InputError};

/// An Active and the Standby it faces.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The Active's image.
    pub active: Arc<Image>,
    /// The Standby's image.
    pub standby: Arc<Image>,
    /// What the Active knows of the pair.
    pub at_active: ActivePairing,
    /// What the Standby knows of the pair.
    pub at_standby: StandbyPairing,
}

impl Pair {
    /// Pairs two images.
    ///
    /// # Errors
    /// [`InputError::Pair`] where a change of an image makes no rule.
    pub fn new(active: Arc<Image>, standby: Arc<Image>) -> Result<Self, InputError> {
        let wrong = |error: &dyn core::fmt::Display| InputError::Pair {
            active: active.name(),
            standby: standby.name(),
            error: error.to_string(),
        };
        let (at_active, at_standby) = if active.digest() == standby.digest() {
            (
                ActivePairing::equal(&active).map_err(|error| wrong(&error))?,
                StandbyPairing::equal(&standby).map_err(|error| wrong(&error))?,
            )
        } else {
            let dump = Dump::from_image(&active).encode();
            let at_standby =
                pair_at_standby(&standby, dump.as_bytes()).map_err(|error| wrong(&error))?;
            let at_active =
                pair_at_active(&active, at_standby.diff_bytes()).map_err(|error| wrong(&error))?;
            (at_active, at_standby)
        };
        Ok(Self { active, standby, at_active, at_standby })
    }

    /// Pairs two images by their files or bundled names.
    ///
    /// # Errors
    /// See [`InputError`].
    pub fn load(active: &str, standby: &str) -> Result<Self, InputError> {
        Self::new(input::image(active)?, input::image(standby)?)
    }

    /// The two under names that tell them apart: releases within a family, else with the family.
    pub fn names(&self) -> (String, String) {
        let (active, standby) = (self.active.declarations(), self.standby.declarations());
        let facing = if active.family == standby.family {
            standby.release.clone()
        } else {
            format!("{} {}", standby.family, standby.release)
        };
        (format!("{} {}", active.family, active.release), facing)
    }
}
