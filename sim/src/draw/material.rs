//! What configs and commands of drawn plans are made of: per image, configs as text, and batches of lines
//! that an operator may enter.

use std::collections::BTreeMap;

use super::Stream;

/// Per image, what can be configured on it.
#[derive(Clone, Debug)]
pub struct Material {
    names: Vec<String>,
    images: BTreeMap<String, OfImage>,
}

/// What can be configured on one image.
#[derive(Clone, Debug, Default)]
pub struct OfImage {
    /// Whole configs, as text.
    pub configs: Vec<String>,
    /// Batches, as text.
    pub batches: Vec<String>,
}

impl Material {
    /// Material of these images.
    pub fn new(images: BTreeMap<String, OfImage>) -> Self {
        Self {
            names: images.keys().cloned().collect(),
            images,
        }
    }

    /// The names of the images.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn config(&self, image: &str, stream: &mut Stream) -> Option<String> {
        let configs = &self.images.get(image)?.configs;
        (!configs.is_empty()).then(|| stream.pick(configs).clone())
    }

    pub(super) fn batch(&self, image: &str, stream: &mut Stream) -> Option<String> {
        let batches = &self.images.get(image)?.batches;
        (!batches.is_empty()).then(|| stream.pick(batches).clone())
    }
}

impl Default for Material {
    fn default() -> Self {
        let of = || OfImage {
            configs: vec!["hostname r1\n".into()],
            batches: vec!["hostname r2\n".into()],
        };
        let names = ["meridian@6.0", "meridian@6.1", "meridian@6.2"];
        Self::new(
            names
                .into_iter()
                .map(|name| (name.to_string(), of()))
                .collect(),
        )
    }
}
