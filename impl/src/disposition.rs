//! What becomes of each form on its way to this peer: computed once per pair of images, from the own
//! image and from bytes that were received, never from the peer's image.
//!
//! At the Standby: own image and the Active's dump give the answer (ADL, SDL, DCL, what it can raise).
//! At the Active: own image and that answer give the dispositions and the wire's view.

mod active;
mod answer;
mod raisable;
mod standby;

pub use active::{ActivePairing, Compatibility, Disposition, Guard, pair_at_active};
pub use answer::{ANSWER_BYTES_MAX, Answer, AnswerError, FormName, ModeForms, Raise};
pub use raisable::{Fails, Raisable, raisable};
pub use standby::{PairError, StandbyPairing, pair_at_standby};

use alloc::vec::Vec;

use crate::base::Level;
use crate::image::{Component, Image};

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
