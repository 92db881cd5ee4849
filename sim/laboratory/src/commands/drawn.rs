//! What the plans of seeds are to be like, as arguments.

use std::path::PathBuf;
use std::sync::Arc;

use skewsync::parse::{self, Mark, WalkUp};
use skewsync_sim::catalog::{self, Catalog};
use skewsync_sim::plan::FaultName;
use strum::VariantNames;

use super::files;
use crate::draw::{CommandCorpus, DrawOptions, Families, Mix};

/// What the plans of seeds are to be like.
#[derive(Clone, Debug, clap::Args)]
pub struct Drawn {
    /// Only this ordered pair of releases, Active's first: `6.0:6.2`, or two images.
    #[arg(long, value_name = "A:B", conflicts_with_all = ["active", "standby"])]
    pub pair: Option<String>,
    /// Only these kinds of faults, separated by commas; `none` for none.
    #[arg(long, value_name = "KINDS")]
    pub only_faults: Option<String>,
    /// How much goes wrong.
    #[arg(long, value_enum, default_value_t)]
    pub mix: Mix,
    /// Which families the plans run on; without a pair.
    #[arg(long, value_enum, default_value_t)]
    pub families: Families,
    /// Plants a defect (needs a build with the feature `planted`).
    #[arg(long, value_name = "NAME")]
    pub planted: Option<String>,
    /// The image of slot 0.
    #[arg(long, value_name = "IMAGE", requires = "standby")]
    pub active: Option<String>,
    /// The image of slot 1.
    #[arg(long, value_name = "IMAGE", requires = "active")]
    pub standby: Option<String>,
    /// The config with which slot 0 starts.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What plans are drawn from.
pub(super) struct Source {
    pub(super) catalog: Arc<Catalog>,
    pub(super) wishes: DrawOptions,
    /// What is to be said of the config's file, with its path.
    pub(super) notes: Vec<String>,
}

impl Drawn {
    /// Reads the files that the arguments name.
    ///
    /// # Errors
    /// Wrong arguments, unreadable input, in words.
    pub(super) fn source(&self) -> Result<Source, String> {
        let only_faults = self.only_faults.as_deref().map(fault_names).transpose()?;
        let config = self.config.as_deref().map(files::config).transpose()?;
        let (config, mark) = config.map_or((None, Mark::Absent), |(text, mark)| (Some(text), mark));
        let mut images = Vec::new();
        let mut pair = None;
        if let (Some(active), Some(standby)) = (&self.active, &self.standby) {
            images = vec![active.clone(), standby.clone()];
            pair = Some((active.clone(), standby.clone()));
        }
        if let Some(text) = &self.pair {
            let (one, other) =
                text.split_once(':').ok_or_else(|| format!("--pair wants A:B, not `{text}`"))?;
            pair = Some((catalog::named(one), catalog::named(other)));
        }
        if config.is_some() && pair.is_none() {
            return Err(
                "--config wants the images too: --active A --standby B, or --pair A:B".into()
            );
        }
        let catalog = catalog::load(&images).map_err(|error| error.to_string())?;
        let material = CommandCorpus::from_catalog(&catalog);
        if let Some((one, other)) = &pair {
            for name in [one, other] {
                catalog.image(name).map_err(|error| error.to_string())?;
            }
        }
        let planted = self.planted.clone();
        catalog.planted(planted.as_deref()).map_err(|error| error.to_string())?;
        let material = Arc::new(material);
        let (mix, families) = (self.mix, self.families);
        let wishes = DrawOptions { pair, only_faults, mix, families, planted, config, material };
        let mut notes = Vec::new();
        if let Some(path) = &self.config {
            let mark = (mark == Mark::Skipped).then(|| mark.to_string());
            let all = mark.into_iter().chain(left_out(&catalog, &wishes));
            notes.extend(all.map(|note| format!("{}: {note}", path.display())));
        }
        Ok(Source { catalog: Arc::new(catalog), wishes, notes })
    }
}

/// What of the startup config the image of slot 0 does not take, in words; none: it takes all of
/// it.
fn left_out(catalog: &Catalog, wishes: &DrawOptions) -> Option<String> {
    let (config, (name, _)) = (wishes.config.as_ref()?, wishes.pair.as_ref()?);
    let loaded = catalog.image(name).ok()?;
    let image = loaded.software().image();
    let read = parse::text(image, image.own(), config.as_bytes(), WalkUp::Yes);
    let wrong: Vec<(usize, String)> = read
        .iter()
        .filter_map(|of| Some((of.number, of.found.as_ref().err()?.to_string())))
        .collect();
    let (number, trouble) = wrong.first()?;
    let (left, all) = (wrong.len(), read.len());
    Some(format!(
        "{left} of {all} lines are not taken by {name} and are left out; the first: line {number}: \
         {trouble}"
    ))
}

fn fault_names(text: &str) -> Result<Vec<FaultName>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|name| {
            name.parse().map_err(|_| {
                format!("there is no fault `{name}`; there are {}", FaultName::VARIANTS.join(", "))
            })
        })
        .collect()
}
