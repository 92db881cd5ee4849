//! What all runs share: images as loaded, and pairings by key. Values are immutable and a function
//! of their key, so that sharing them between runs and threads changes no run.

mod cache;
pub mod drawn;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skewsync::digest::{ImageDigest, Shared};
use skewsync::image::{Image, bundled};
use skewsync::planted::{Defect, Planted};
use skewsync::policy::Policy;
use skewsync::unit::{Limits, Pairing, PairingKey, Software, Store, TooSmall};

use crate::sync::{Mutex, lock};
use cache::Cache;

/// An image, loaded.
#[derive(Debug)]
pub struct Loaded {
    name: String,
    software: Software,
}

impl Loaded {
    /// An image under its name.
    pub const fn new(name: String, software: Software) -> Self {
        Self { name, software }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its digest.
    pub fn digest(&self) -> ImageDigest {
        self.software.digest()
    }

    /// What a unit needs of it.
    pub const fn software(&self) -> &Software {
        &self.software
    }

    /// A startup store that holds this text, as an operator would have put it there before the
    /// first boot.
    pub fn store(&self, text: &str) -> Store {
        Store {
            text: Shared::text(text),
            stamp: skewsync::message::Stamp::default(),
            listing: Shared::new(Vec::new()),
            origin: Shared::new(Vec::new()),
        }
    }
}

/// Which pairing it is: the defect that is planted, and the key.
type PairingId = (Planted, PairingKey);

/// Pairings that were computed; none: the bytes make none.
type Pairings = Cache<PairingId, Option<Arc<Pairing>>>;

/// All that runs share.
#[derive(Debug, Default)]
pub struct Catalog {
    images: BTreeMap<String, Arc<Loaded>>,
    pairings: Pairings,
    /// Those that were computed a second time, and came out the same.
    recomputed: Mutex<BTreeSet<PairingId>>,
    limits: Limits,
    policy: Policy,
}

/// Why a plan cannot run with this catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// There is no such image.
    #[error("there is no image `{image}`; there are {known}")]
    NoImage {
        /// The name.
        image: String,
        /// Those that there are.
        known: String,
    },
    /// The image cannot be loaded.
    #[error("image `{image}`: {why}")]
    Unreadable {
        /// Its name, or its file.
        image: String,
        /// What is wrong.
        why: String,
    },
    /// The image is not the one for which the plan was made.
    #[error("drift: image `{image}` has digest {found}, and the plan was made for {planned}")]
    OtherDigest {
        /// The name.
        image: String,
        /// The plan's digest.
        planned: String,
        /// The image's.
        found: String,
    },
    /// There is no such defect.
    #[error("there is no planted defect `{name}`; `skewlab planted` lists them")]
    NoDefect {
        /// The name.
        name: String,
    },
    /// This build has no defects.
    #[error("this build has no planted defects: build it with `--features planted`")]
    NotPlanted,
}

impl Catalog {
    /// A catalog of these images.
    pub fn new(images: impl IntoIterator<Item = Loaded>) -> Self {
        let images =
            images.into_iter().map(|image| (image.name.clone(), Arc::new(image))).collect();
        Self { images, ..Self::default() }
    }

    /// A catalog of these images under these names.
    ///
    /// # Errors
    /// An image that cannot be loaded.
    pub fn of(images: impl IntoIterator<Item = (String, Image)>) -> Result<Self, StockError> {
        let images = images.into_iter().map(|(name, image)| loaded(name, Arc::new(image)));
        Ok(Self::new(images.collect::<Result<Vec<_>, _>>()?))
    }

    /// The same with other lengths and bounds.
    ///
    /// # Errors
    /// If they do not fit each other.
    pub fn with_limits(self, limits: Limits) -> Result<Self, TooSmall> {
        limits.check()?;
        Ok(Self { limits, ..self })
    }

    /// This catalog, or one that also has the drawn images among these names. Such images, and
    /// their pairings, live as long as a run: a campaign draws a family a seed.
    ///
    /// # Errors
    /// A drawn image that cannot be loaded.
    pub fn with_drawn(self: &Arc<Self>, names: &[String]) -> Result<Arc<Self>, StockError> {
        let missing = names.iter().filter(|name| !self.images.contains_key(*name));
        let drawn = missing.filter_map(|name| Some((name.clone(), drawn::image(name)?)));
        let drawn: Vec<(String, Image)> = drawn.collect();
        if drawn.is_empty() {
            return Ok(Arc::clone(self));
        }
        let mut images = self.images.clone();
        for (name, image) in drawn {
            let image = loaded(name.clone(), Arc::new(image))?;
            images.insert(name, Arc::new(image));
        }
        let (limits, policy) = (self.limits.clone(), self.policy.clone());
        Ok(Arc::new(Self { images, limits, policy, ..Self::default() }))
    }

    /// The image of a name.
    ///
    /// # Errors
    /// `NoImage`.
    pub fn image(&self, name: &str) -> Result<Arc<Loaded>, StockError> {
        self.images.get(name).cloned().ok_or_else(|| StockError::NoImage {
            image: name.into(),
            known: self.images.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// The images, by name.
    pub fn images(&self) -> impl Iterator<Item = (&str, &Image)> {
        self.images.iter().map(|(name, image)| (&**name, image.software().image()))
    }

    /// The names of the images; those of one family in the order of their releases.
    pub fn names(&self) -> Vec<String> {
        self.images.keys().cloned().collect()
    }

    /// The image of a digest, whatever its name.
    pub fn by_digest(&self, digest: ImageDigest) -> Option<&Arc<Loaded>> {
        self.images.values().find(|image| image.digest() == digest)
    }

    /// The defect of a name, as a run needs it.
    ///
    /// # Errors
    /// `NoDefect`, `NotPlanted`.
    pub fn planted(&self, name: Option<&str>) -> Result<Planted, StockError> {
        let Some(name) = name else {
            return Ok(Planted::NONE);
        };
        let defect =
            Defect::named(name).ok_or_else(|| StockError::NoDefect { name: name.into() })?;
        plant(defect)
    }

    /// The lengths and bounds of all runs.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The policy of all runs.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The pairing of a key, computed once per process. `again`: once more, although it is known;
    /// it must come out the same. A third time would say nothing new, and between large images it
    /// costs more than the rest of a run.
    ///
    /// # Panics
    /// If it comes out otherwise: then it is no function of its key.
    pub fn pairing(
        &self,
        software: &Software,
        key: PairingKey,
        bytes: &[u8],
        again: bool,
        planted: Planted,
    ) -> Option<Arc<Pairing>> {
        let compute = || Pairing::compute(software, &key, bytes, planted).ok().map(Arc::new);
        let id = (planted, key);
        let mut is_new = false;
        let pairing = self.pairings.get(&id, || {
            is_new = true;
            compute()
        });
        if again && !is_new && lock(&self.recomputed).insert(id) {
            assert_eq!(
                pairing.as_deref().map(diff_of),
                compute().as_deref().map(diff_of),
                "a pairing is a function of its key"
            );
        }
        pairing
    }
}

/// What of a pairing can be compared: the Standby's bytes, the Active's verdict.
fn diff_of(pairing: &Pairing) -> String {
    match pairing {
        Pairing::Standby { diff, .. } => diff.digest().to_string(),
        Pairing::Active(_) => format!("{:?}", pairing.verdict()),
    }
}

#[cfg(feature = "planted")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it is an error")]
fn plant(defect: Defect) -> Result<Planted, StockError> {
    Ok(Planted::defect(defect))
}

#[cfg(not(feature = "planted"))]
const fn plant(_: Defect) -> Result<Planted, StockError> {
    Err(StockError::NotPlanted)
}

/// The name under which an image is known: a bare release is one of the bundled family.
pub fn named(word: &str) -> String {
    let release = word
        .chars()
        .all(|letter| letter.is_ascii_digit() || matches!(letter, 'm' | '-') || letter == '.');
    if release { format!("meridian@{word}") } else { word.into() }
}

/// The catalog of the bundled family, or of these images.
///
/// # Errors
/// An image that cannot be had.
pub fn load(names: &[String]) -> Result<Catalog, StockError> {
    let all = bundled::images();
    let of_family = |name: &String| all.iter().any(|image| image.name() == *name);
    let mut images: Vec<(String, Arc<Image>)> = Vec::new();
    if names.is_empty() || names.iter().any(of_family) {
        images.extend(all.iter().map(|image| (image.name(), Arc::clone(image))));
    }
    for name in names {
        if !images.iter().any(|(known, _)| known == name) {
            let image = drawn::image(name).map_or_else(|| file(name), Ok)?;
            images.push((name.clone(), Arc::new(image)));
        }
    }
    let loaded = images.into_iter().map(|(name, image)| loaded(name, image));
    Ok(Catalog::new(loaded.collect::<Result<Vec<_>, _>>()?))
}

/// An image, loaded.
fn loaded(name: String, image: Arc<Image>) -> Result<Loaded, StockError> {
    let software = Software::new(image)
        .map_err(|error| StockError::Unreadable { image: name.clone(), why: error.to_string() })?;
    Ok(Loaded::new(name, software))
}

/// The image in a file.
fn file(name: &str) -> Result<Image, StockError> {
    let why = |why: String| StockError::Unreadable { image: name.into(), why };
    #[expect(clippy::disallowed_methods, reason = "an image is named by its file")]
    let bytes = std::fs::read(name).map_err(|error| why(error.to_string()))?;
    Image::decode(&bytes).map_err(|error| why(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewsync::digest::Digest;
    use skewsync::dump::Dump;
    use skewsync::unit::PairingSide;

    #[test]
    fn a_pairing_is_computed_a_second_time_and_not_a_third() {
        let catalog = load(&[]).expect("the bundled family");
        let [active, standby] =
            ["meridian@6.1", "meridian@6.2"].map(|name| catalog.image(name).expect("bundled"));
        let dump = Dump::from_image(active.software().image()).encode();
        let key = PairingKey {
            own: standby.digest(),
            side: PairingSide::Standby,
            peer: active.digest(),
            received: Digest::compute(dump.as_bytes()),
        };
        let again = |again: bool| {
            let software = standby.software();
            catalog.pairing(software, key, dump.as_bytes(), again, Planted::NONE).expect("a pair");
            lock(&catalog.recomputed).len()
        };
        assert_eq!(again(true), 0, "the first time it is no second");
        assert_eq!(again(false), 0, "nobody asked for it");
        assert_eq!(again(true), 1);
        assert_eq!(again(true), 1);
    }
}
