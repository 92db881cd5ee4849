//! What the reference makes of a config, by its digests: computed once per process.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use skewsync::config::Config;
use skewsync::digest::{Digest, ImageDigest};
use skewsync::image::Image;
use skewsync_reference::{Beside, Reference};

use crate::hash::StableHasher;

/// The digests of what a config comes to, and its MCL.
#[derive(Clone, Debug)]
pub struct Digests {
    /// Of the wire config.
    pub wire: Digest,
    /// Of the Standby's config.
    pub standby: Digest,
    /// Of both as they are rendered, order included.
    pub rendered: [Digest; 2],
    /// As in [`Translated`](skewsync_reference::Translated).
    pub listed: BTreeSet<(String, String)>,
    /// As in [`Translated`](skewsync_reference::Translated).
    pub unraised: BTreeSet<(String, String)>,
}

/// What an image pair is known by.
type PairKey = (ImageDigest, ImageDigest);
/// Digests by images and config.
type SumsByConfig = BTreeMap<(PairKey, Digest, u64), Arc<Digests>>;

/// A function of its key, so that sharing it between runs and threads changes no run.
static SUMS: Mutex<SumsByConfig> = Mutex::new(BTreeMap::new());
/// Digests that are remembered at most, of some two hundred bytes each.
const SUMS_MAX: usize = 65_536;

/// What `a` comes to, computed once per process.
pub fn digests(active: &Image, standby: &Image, a: &Config, beside: &Beside<'_>) -> Arc<Digests> {
    let mut mixer = StableHasher::default();
    // Which instances were entered is no part of a config's digest, nor is order outside of lists.
    a.hash(&mut mixer);
    (beside.owed, beside.puts_down, beside.puts_back, beside.held).hash(&mut mixer);
    let pair = (active.digest(), standby.digest());
    let key = (pair, rendered(a), mixer.finish());
    let known = |digests: &Mutex<SumsByConfig>| {
        let digests = digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.get(&key).cloned()
    };
    if let Some(known) = known(&SUMS) {
        return known;
    }
    let translated = Reference::between(active, standby).translate_beside(a, beside);
    let made = Arc::new(Digests {
        rendered: [rendered(&translated.wire), rendered(&translated.standby)],
        wire: translated.wire.digest(),
        standby: translated.standby.digest(),
        listed: translated.listed,
        unraised: translated.unraised,
    });
    let mut digests = SUMS.lock().unwrap_or_else(PoisonError::into_inner);
    if digests.len() >= SUMS_MAX {
        digests.clear();
    }
    digests.insert(key, Arc::clone(&made));
    made
}

/// The digest of a config as it is rendered.
pub fn rendered(config: &Config) -> Digest {
    Digest::compute(config.render().as_bytes())
}
