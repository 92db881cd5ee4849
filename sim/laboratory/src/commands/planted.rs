//! `skewlab planted`: the planted defects, and whether the laboratory sees them.

mod baseline;
mod check;
mod detect;
mod record_baseline;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use skewsync::planted::Defect;
use skewsync_sim::catalog::{self, Catalog};
use skewsync_sim::exit;
use skewsync_sim::run::{Lockstep, Options};
use skewsync_sim::runner::HANGS_AFTER;

use crate::campaign::{self, Campaign, Ends, Ran, Seeds, Summary};
use crate::draw::{CommandCorpus, DrawOptions, Mix};

/// Prints the names of the planted defects, one a line; or checks that each is caught, or keeps
/// what catches it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Runs 200 seeds for each defect from its kept seed on, with the lockstep and by the
    /// properties alone, up to the first that fails by the expected property. Exit code 1 if a
    /// defect is not caught.
    #[arg(long, conflicts_with = "keep")]
    pub check: bool,
    /// Looks for each defect from seed 0 on, and keeps what was found in this checkout:
    /// `sim/kept.toml`, `tests/regressions/*.toml`, and the table in the README there.
    #[arg(long, value_name = "CHECKOUT")]
    pub keep: Option<PathBuf>,
    /// Counts the seeds, by the properties alone, up to the first that sees each defect, under the
    /// mixes `swarm` and `fixed`, from so many starts each.
    #[arg(
        long,
        value_name = "STARTS",
        conflicts_with_all = ["check", "keep"],
        value_parser = clap::value_parser!(u64).range(1..=1_000),
    )]
    pub detect: Option<u64>,
    /// Only these defects, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How many runs at once; by default one per processor.
    #[arg(long)]
    pub jobs: Option<usize>,
    /// One JSON object instead of a table.
    #[arg(long, requires = "check")]
    pub json: bool,
}

/// Prints the names, checks, or keeps.
///
/// # Errors
/// An unknown name, a build without the defects, what cannot be read or written.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let defects = chosen(&args.only)?;
    if !args.check && args.keep.is_none() && args.detect.is_none() {
        for defect in defects {
            writeln!(out, "{}", defect.name()).map_err(unwritten)?;
        }
        return Ok(exit::PASSED);
    }
    let bench = Bench::new(args.jobs.unwrap_or_else(super::run::processors))?;
    let quiet = skewsync_sim::panic_hook::panics();
    let code = match (&args.keep, args.detect) {
        (Some(checkout), _) => record_baseline::run(&bench, &defects, checkout, out, err)?,
        (None, Some(starts)) => detect::run(&bench, &defects, starts, out)?,
        (None, None) => check::run(&bench, &defects, args.json, out)?,
    };
    drop(quiet);
    Ok(code)
}

fn chosen(only: &[String]) -> Result<Vec<Defect>, String> {
    let named = |name: &String| {
        Defect::named(name).ok_or_else(|| {
            format!("there is no planted defect `{name}`; `skewlab planted` lists them")
        })
    };
    if only.is_empty() {
        return Ok(Defect::ALL.to_vec());
    }
    only.iter().map(named).collect()
}

fn unwritten(error: std::io::Error) -> String {
    format!("cannot write: {error}")
}

/// What campaigns on planted defects share.
struct Bench {
    catalog: Arc<Catalog>,
    material: Arc<CommandCorpus>,
    jobs: usize,
}

impl Bench {
    fn new(jobs: usize) -> Result<Self, String> {
        let catalog = catalog::load(&[]).map_err(|error| error.to_string())?;
        let material = CommandCorpus::from_catalog(&catalog);
        let any = Some(Defect::ALL[0].name());
        catalog.planted(any).map_err(|_| {
            "this build has no planted defects: `cargo run --release --features planted -- planted \
             --check`"
                .to_string()
        })?;
        Ok(Self { catalog: Arc::new(catalog), material: Arc::new(material), jobs })
    }

    /// A campaign on one defect.
    fn campaign(
        &self,
        defect: Defect,
        lockstep: Lockstep,
        from: u64,
        seeds: u64,
        ends: Ends,
    ) -> Ran {
        self.campaign_in(Mix::default(), defect, lockstep, (from, seeds), ends)
    }

    /// The same under a mix of faults.
    fn campaign_in(
        &self,
        mix: Mix,
        defect: Defect,
        lockstep: Lockstep,
        (from, seeds): (u64, u64),
        ends: Ends,
    ) -> Ran {
        let wishes = DrawOptions {
            mix,
            planted: Some(defect.name().into()),
            material: Arc::clone(&self.material),
            ..DrawOptions::default()
        };
        let campaign = Campaign {
            seeds: Seeds::run(from, seeds),
            lasts: None,
            limit: HANGS_AFTER,
            jobs: self.jobs,
            wishes,
            options: Options { lockstep },
            ends,
        };
        campaign::run(&campaign, &self.catalog, Summary::default(), |_, _| {})
    }
}
