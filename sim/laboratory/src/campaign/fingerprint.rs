//! Which runs a campaign is made of: summaries of other runs are not added up.

use serde::{Deserialize, Serialize};
use skewsync_sim::catalog::Catalog;
use skewsync_sim::run::{Lockstep, Options};

use crate::draw::{DrawOptions, Families};

/// Which runs a campaign is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    /// The digest of the sources from which the laboratory was built.
    pub code: String,
    /// What was asked for, in words.
    pub asked: String,
    /// Whether any plan could be drawn: then a campaign of some size must have met everything.
    pub free: bool,
    /// Whether the lockstep looks on.
    pub lockstep: bool,
}

/// The digest of the sources from which this laboratory is built.
pub const CODE: &str = env!("SKEWLAB_CODE");

impl Fingerprint {
    /// What these wishes and options ask for.
    pub fn new(wishes: &DrawOptions, options: Options, catalog: &Catalog) -> Self {
        let DrawOptions {
            pair,
            only_faults,
            planted,
            config,
            mix,
            families,
            // It follows from the images.
            material: _,
        } = wishes;
        let mut asked = vec![format!("mix {}", format!("{mix:?}").to_lowercase())];
        if *families != Families::default() {
            asked.push(format!("families {}", format!("{families:?}").to_lowercase()));
        }
        if let Some((one, other)) = pair {
            let named = |name: &String| {
                let digest = catalog.image(name).map(|image| image.digest().to_string());
                format!("{name} {:.12}", digest.unwrap_or_default())
            };
            asked.push(format!("pair {} : {}", named(one), named(other)));
        }
        if let Some(kinds) = only_faults {
            let mut kinds = kinds.clone();
            kinds.sort();
            kinds.dedup();
            let kinds: Vec<&str> = kinds.into_iter().map(Into::into).collect();
            asked.push(format!("only faults [{}]", kinds.join(" ")));
        }
        if let Some(name) = planted {
            asked.push(format!("planted {name}"));
        }
        if let Some(text) = config {
            let digest = blake3::hash(text.as_bytes()).to_hex();
            asked.push(format!("config {:.12}", digest.as_str()));
        }
        if options.lockstep == Lockstep::Off {
            asked.push("no lockstep".into());
        }
        Self {
            code: CODE.into(),
            asked: asked.join(", "),
            free: wishes.is_free(),
            lockstep: options.lockstep == Lockstep::On,
        }
    }
}
