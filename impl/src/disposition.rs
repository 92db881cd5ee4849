//! What becomes of each form on its way to this peer: computed once per pair of images, from the
//! own image and from bytes that were received, never from the peer's image.
//!
//! At the Standby: own image and the Active's dump give the answer (ADL, SDL, DCL, what it can
//! raise). At the Active: own image and that answer give the dispositions and the wire's view.

mod active;
mod answer;
mod raisable;
mod standby;

pub use active::{ActivePairing, Compatibility, Disposition, Guard, pair_at_active};
pub use answer::{ANSWER_BYTES_MAX, Answer, AnswerError, FormName, ModeForms, Raise};
pub use raisable::{Fails, Raisable, failing, raisable};
pub use standby::{PairError, StandbyPairing, pair_at_standby};

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::dump::Dump;
use crate::ids::Level;
use crate::image::{Component, Image};
use crate::transform::{RuleError, Tft};

/// What every pairing of an image needs of that image alone: worked out once.
///
/// ```
/// use skewsync::disposition::OwnSide;
/// use skewsync::image::bundled;
///
/// let (active, standby) = (bundled::image("6.2").unwrap(), bundled::image("6.1").unwrap());
/// let (at_active, at_standby) = (OwnSide::new(&active)?, OwnSide::new(&standby)?);
/// let there = at_standby.pair_at_standby(&standby, at_active.dump().encode().as_bytes())?;
/// let here = at_active.pair_at_active(&active, there.diff_bytes())?;
/// assert_eq!(here.levels(), there.levels());
/// # Ok::<(), skewsync::disposition::PairError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnSide {
    dump: Dump,
    tft: Arc<Tft>,
}

impl OwnSide {
    /// Of this image.
    ///
    /// # Errors
    /// [`RuleError`]: a change of the image makes no rule.
    pub fn new(image: &Image) -> Result<Self, RuleError> {
        Ok(Self { dump: Dump::from_image(image), tft: Arc::new(Tft::compile(image)?) })
    }

    /// The image's CLI dump.
    pub const fn dump(&self) -> &Dump {
        &self.dump
    }
}

/// The level of each of the own image's components that both sides can have: the lesser of the two.
/// A component that the peer does not have is at the level below its first change.
fn wire_levels(image: &Image, peer: &[Component]) -> Vec<Level> {
    let components = image.declarations().components.iter();
    components
        .map(|own| {
            let theirs = peer.iter().find(|component| component.name == own.name);
            Level(theirs.map_or(0, |component| component.level).min(own.level))
        })
        .collect()
}
