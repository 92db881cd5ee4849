//! `skewlab why`: when a failure became inevitable, and which single event it takes.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use skewsync_sim::exit;
use skewsync_sim::run::{Lockstep, Options};

use super::files;
use crate::analysis::With;
use crate::analysis::nearest_passing::{self, NearestPassing};
use crate::analysis::point_of_no_return::{self, Curve};
use crate::interrupt;
use crate::loaded_plan::LoadedPlan;
use crate::report::failure::{self, Case, Section};

/// Tells when a plan's failure became inevitable, and the nearest plan that passes.
///
/// From each of some moments on the plan is run again with other draws of the world: what befalls
/// messages and when they arrive. How often it then fails by the same property is a curve; where it
/// rises, something happened that decided. A shrunken plan names all that its failure needs, and
/// may fail whatever is drawn: then the curve is flat, and the plan before shrinking tells more.
/// The nearest plan that passes lacks one fault or one command. Ctrl-C ends the runs; what is known
/// by then is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan, or a kept one; it must fail.
    pub plan: PathBuf,
    /// How many moments.
    #[arg(
        long,
        default_value_t = point_of_no_return::MOMENTS as u16,
        value_parser = clap::value_parser!(u16).range(1..=1_000),
    )]
    pub moments: u16,
    /// Runs from each moment on.
    #[arg(
        long,
        default_value_t = point_of_no_return::RUNS,
        value_parser = clap::value_parser!(u32).range(1..=100_000),
    )]
    pub runs: u32,
    /// For how many seconds at most, for the curve and for the nearest plan that passes each.
    #[arg(
        long = "for",
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub lasts: u64,
    /// How many runs at once; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
    /// Where the plan that passes is written.
    #[arg(long, value_name = "FILE")]
    pub nearest_passing: Option<PathBuf>,
    /// A run that takes longer hangs.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub limit: u64,
    /// Writes the report of the failure, with the curve and both runs, to this folder, as
    /// `failure.html`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Why {
    curve: Curve,
    nearest_passing: Option<NearestPassing>,
}

/// Looks into the failure; the exit code of `exit`.
///
/// # Errors
/// Unreadable input, a plan that passes, in words.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let made = LoadedPlan::load(files::read(&args.plan)?)?;
    let (plan, catalog) = (&made.plan, &made.catalog);
    let lockstep = if args.no_lockstep { Lockstep::Off } else { Lockstep::On };
    let with = With {
        options: Options { lockstep },
        lasts: Duration::from_secs(args.lasts),
        jobs: args.jobs.map_or_else(super::run::processors, usize::from),
        hangs_after: Duration::from_secs(args.limit),
        stop: interrupt::interrupted,
    };
    interrupt::watch()?;
    let wrong = |error: crate::analysis::AnalysisError| format!("{}: {error}", args.plan.display());
    let quiet = skewsync_sim::panic_hook::panics();
    let size = (usize::from(args.moments), args.runs);
    let curve =
        point_of_no_return::curve(plan, catalog, size, &with, &mut |_| {}).map_err(wrong)?;
    let nearest_passing = nearest_passing::nearest(plan, catalog, &with).map_err(wrong)?;
    drop(quiet);
    let unwritten = |error: std::io::Error| format!("cannot write: {error}");
    if let (Some(path), Some(nearest)) = (&args.nearest_passing, &nearest_passing) {
        files::write(path, &nearest.plan.write())?;
    }
    let why = Why { curve, nearest_passing };
    if args.json {
        let text = serde_json::to_string(&why).map_err(|error| error.to_string())?;
        writeln!(out, "{text}").map_err(unwritten)?;
        return Ok(exit::PASSED);
    }
    let found = [
        Section::point_of_no_return(&why.curve),
        Section::nearest_passing(
            why.nearest_passing.as_ref(),
            &made,
            with.options,
            with.hangs_after,
        )?,
    ];
    for section in &found {
        writeln!(out, "{}: {}", section.heading, section.line).map_err(unwritten)?;
        if !section.text.is_empty() {
            writeln!(out, "{}\n", section.text.trim_end()).map_err(unwritten)?;
        }
    }
    if let Some(dir) = &args.out {
        let path = args.plan.display().to_string();
        let case = Case::run(made, with.options, with.hangs_after)?;
        let page = failure::html::page(&case.failure(found.into()), &path);
        let at = files::keep(dir, "failure.html", &page)?;
        writeln!(out, "report: {}", at.display()).map_err(unwritten)?;
    }
    Ok(exit::PASSED)
}
