//! `skewlab situations`: what each situation means, and the seed that met it.

use std::io::Write;
use std::sync::Arc;

use skewsync_model::property::Property;
use skewsync_sim::catalog;
use skewsync_sim::run::{Lockstep, Options};
use skewsync_sim::runner::HANGS_AFTER;
use skewsync_sim::situation::{Situation, witnesses};
use strum::IntoEnumIterator;

use crate::campaign::{self, Campaign, Ends, Seeds, Summary};
use crate::draw::{CommandCorpus, DrawOptions};

/// Says what each situation means, which seed meets it first, and which properties it puts to the
/// test.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many seeds are looked through, from 0 on.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
}

/// Prints them.
///
/// # Errors
/// If the bundled family cannot be loaded, or nothing can be written.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let catalog = catalog::load(&[]).map_err(|error| error.to_string())?;
    let material = CommandCorpus::from_catalog(&catalog);
    let campaign = Campaign {
        seeds: Seeds::run(0, args.seeds),
        lasts: None,
        limit: HANGS_AFTER,
        jobs: super::run::processors(),
        wishes: DrawOptions { material: Arc::new(material), ..DrawOptions::default() },
        options: Options { lockstep: Lockstep::Off },
        ends: Ends::Never,
    };
    let quiet = skewsync_sim::panic_hook::panics();
    let ran = campaign::run(&campaign, &Arc::new(catalog), Summary::default(), |_, _| {});
    let summary = ran.summary;
    drop(quiet);
    let write = |error: std::io::Error| format!("cannot write: {error}");
    for situation in Situation::iter() {
        let seed = summary.met_by.get(&situation);
        let seed = seed.map_or_else(|| "never".into(), |seed| format!("seed {seed}"));
        writeln!(out, "{:<22}{seed:<12}{}", situation.name(), situation.meaning().trim())
            .map_err(write)?;
        let tests: Vec<&str> = situation.tests().map(Into::into).collect();
        if !tests.is_empty() {
            writeln!(out, "{:<34}tests {}", "", tests.join(", ")).map_err(write)?;
        }
    }
    for property in Property::iter() {
        if let Err(reason) = witnesses(property) {
            writeln!(out, "{property}: no situation: {reason}").map_err(write)?;
        }
    }
    Ok(skewsync_sim::exit::PASSED)
}
