//! `skewlab shrink`: makes a failing plan small.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use skewsync_sim::catalog::Catalog;
use skewsync_sim::exit;
use skewsync_sim::plan::Plan;
use skewsync_sim::run::{Lockstep, Options, VerdictKind};
use skewsync_sim::runner::HANGS_AFTER;

use super::{families, files, fresh_process};
use crate::interrupt;
use crate::loaded_plan::LoadedPlan;
use crate::report::failure::{self, Case, Section};
use crate::shrink::{self, How, Progress, Shrunk, Sound};

/// Fresh processes in which a shrunken plan is run again.
const AFRESH: usize = 3;

/// Leaves out of a failing plan what its failure does not need, and makes plain what is left.
///
/// A smaller plan counts if it fails by the same property, in the same roles, release pair and
/// phase; where releases are brought nearer to each other, the pair is free. Ctrl-C ends the
/// search, and the best plan so far is written. The result is run three times in fresh processes
/// and must give the same trace there.
///
/// Exit codes: 0 if it was shrunk (as far as the bounds allowed); 4 if a fresh process gave another
/// trace; 5 usage, or a plan that does not fail.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan, or a kept one.
    pub plan: PathBuf,
    /// Runs at most.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5_000,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub runs: u64,
    /// For how many seconds at most.
    #[arg(
        long = "for",
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub lasts: u64,
    /// Where the plan is written; by default beside the given one, as `NAME-shrunk.toml`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How many runs at once; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
    /// Demands that the engine without the planted defect passes the plan, as kept plans must.
    #[arg(long)]
    pub sound: bool,
    /// A run that takes longer hangs.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub limit: u64,
    /// Writes the report of the shrunken failure to this folder, as `failure.html`.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// Shrinks the plan and writes the result; the exit code of `exit`.
///
/// # Errors
/// Unreadable input, a plan that does not fail, a file that cannot be written, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let LoadedPlan { plan, catalog } = LoadedPlan::load(files::read(&args.plan)?)?;
    let lockstep = if args.no_lockstep { Lockstep::Off } else { Lockstep::On };
    let how = How {
        options: Options { lockstep },
        runs: args.runs,
        lasts: Duration::from_secs(args.lasts),
        jobs: args.jobs.map_or_else(super::run::processors, usize::from),
        hangs_after: Duration::from_secs(args.limit),
        sound: if args.sound { Sound::Passes } else { Sound::Unasked },
        stop: interrupt::interrupted,
    };
    interrupt::watch()?;
    let shrunk = watched(&plan, &catalog, &how)
        .map_err(|error| format!("{}: {error}", args.plan.display()))?;
    let path = args.out.clone().unwrap_or_else(|| beside(&args.plan));
    files::write(&path, &shrunk.plan.write())?;
    let unwritten = |error: std::io::Error| format!("cannot write: {error}");
    if args.json {
        let text = serde_json::to_string(&shrunk).map_err(|error| error.to_string())?;
        writeln!(out, "{text}").map_err(unwritten)?;
    } else {
        let family = families::beside(&shrunk.plan, &path)?;
        let more = family.map(|folder| Section::family(&shrunk.plan, &folder));
        let more = more.into_iter().collect();
        let told = told(&shrunk, &catalog, how.options, how.hangs_after, more)?;
        write!(out, "{}", told.brief(&path)).map_err(unwritten)?;
        if let Some(dir) = &args.report {
            let at = files::keep(dir, "failure.html", &told.page(&path))?;
            writeln!(out, "report: {}", at.display()).map_err(unwritten)?;
        }
    }
    let differ = differing(&shrunk, how.options)?;
    for trace in &differ {
        let here = shrunk.trace;
        writeln!(err, "skewlab: a fresh process gave trace {trace}, and this one gave {here:016x}")
            .map_err(unwritten)?;
    }
    Ok(if differ.is_empty() { exit::PASSED } else { exit::NONDETERMINISM })
}

/// The search, with its progress on a terminal.
pub(super) fn watched(plan: &Plan, catalog: &Arc<Catalog>, how: &How) -> Result<Shrunk, String> {
    let quiet = skewsync_sim::panic_hook::panics();
    let bar = std::io::stderr().is_terminal().then(indicatif::ProgressBar::new_spinner);
    let mut told = |progress: Progress| {
        let Some(bar) = &bar else { return };
        bar.set_message(format!(
            "{}: {} faults, {} commands after {} runs",
            progress.stage, progress.size.faults, progress.size.commands, progress.runs
        ));
        bar.tick();
    };
    let shrunk = shrink::shrink(plan, catalog, how, &mut told);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    drop(quiet);
    shrunk.map_err(|error| error.to_string())
}

/// The traces that fresh processes gave in the place of the plan's, in words; none in a process
/// that is not the laboratory's own program.
pub(super) fn differing(shrunk: &Shrunk, options: Options) -> Result<Vec<String>, String> {
    let mut differ = Vec::new();
    if !fresh_process::is_possible() || shrunk.signature.property == VerdictKind::Hung {
        return Ok(differ);
    }
    for _ in 0..AFRESH {
        let told = fresh_process::replay(&shrunk.plan, options, HANGS_AFTER, None)?;
        let trace = told.ok().and_then(|told| told.trace);
        if trace.as_ref() != Some(&format!("{:016x}", shrunk.trace)) {
            differ.push(trace.unwrap_or_else(|| "none".into()));
        }
    }
    Ok(differ)
}

/// A shrunken failure, as it is told.
pub(super) struct Small {
    case: Case,
    more: Vec<Section>,
}

/// What is told of a shrunken failure: its run, how far the search came, and further facts.
pub(super) fn told(
    shrunk: &Shrunk,
    catalog: &Arc<Catalog>,
    options: Options,
    limit: Duration,
    mut more: Vec<Section>,
) -> Result<Small, String> {
    let made = LoadedPlan { plan: Arc::new(shrunk.plan.clone()), catalog: Arc::clone(catalog) };
    more.insert(0, Section::shrunk(shrunk));
    let case = Case::run(made, options, limit)?;
    Ok(Small { case, more })
}

impl Small {
    /// The first lines of its report.
    pub(super) fn brief(&self, path: &Path) -> String {
        let failure = self.case.failure(self.more.clone());
        failure::terminal::brief(&failure, &path.display().to_string())
    }

    /// The page of its report.
    pub(super) fn page(&self, path: &Path) -> String {
        let failure = self.case.failure(self.more.clone());
        failure::html::page(&failure, &path.display().to_string())
    }
}

fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-shrunk.toml"))
}
