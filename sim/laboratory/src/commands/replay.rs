//! `skewlab replay`: runs a plan, and shows of the run what is asked for.

mod all;
mod drift;
mod window;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skewsync_model::property::Property;
use skewsync_sim::exit;
use skewsync_sim::record::{Entry, Recording, compare, perfetto, read_ndjson};
use skewsync_sim::run::{Lockstep, Options, Report, Verdict};
use skewsync_sim::runner::{Failed, HANGS_AFTER, Runner};
use strum::IntoEnumIterator;

use super::files;
use crate::loaded_plan::LoadedPlan;
use crate::report::failure;
use window::Window;

/// Runs a plan, twice, and says what was established: of a failure, its report.
///
/// A step is the number of an event in the run, as `--log` shows it first in each line.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan, or a kept one.
    #[arg(required_unless_present = "all")]
    pub plan: Option<PathBuf>,
    /// Runs all kept plans of a folder (by default this checkout's), and prints a table of what
    /// they establish.
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        default_missing_value = "tests/regressions",
        exclusive = true,
    )]
    pub all: Option<PathBuf>,
    /// Runs it on the sound engine: without the defect that it plants.
    #[arg(long)]
    pub sound: bool,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
    /// Tells the run step by step.
    #[arg(long)]
    pub log: bool,
    /// Tells it from this step on.
    #[arg(long, value_name = "STEP")]
    pub from: Option<u64>,
    /// Tells it up to this step.
    #[arg(long, value_name = "STEP")]
    pub to: Option<u64>,
    /// Tells it up to the step that breaks this property, or else the last that was seen to keep
    /// it.
    #[arg(long, value_name = "PROPERTY", value_parser = property)]
    pub until: Option<Property>,
    /// Tells the config lines below this path at each step that changes them; with --from or --to
    /// those steps alone.
    #[arg(long, value_name = "PATH")]
    pub state: Option<String>,
    /// Writes the run down: one JSON object a step; for a name that ends in `.json` in Chrome's
    /// trace-event format, which Perfetto (ui.perfetto.dev) shows.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Says which step is the first that differs from that of a run written down with --trace.
    #[arg(long, value_name = "TRACE")]
    pub compare: Option<PathBuf>,
    /// Writes the report of a failure to this folder, as `failure.html`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object instead of text; of a failure no report.
    #[arg(long, conflicts_with_all = ["log", "from", "to", "until", "state", "compare", "out"])]
    pub json: bool,
    /// A run that takes longer hangs, and is given up.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = HANGS_AFTER.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub limit: u64,
}

/// What a run established, as `--json` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// `passed`, or the property that fails.
    pub verdict: String,
    /// The verdict in plain words.
    pub words: String,
    /// Hash of the whole ordered trace; none if the run did not come back.
    pub trace: Option<String>,
    /// The same of the second run.
    pub again: Option<String>,
    /// Virtual time at the end, in microseconds.
    pub virtual_us: u64,
    /// Steps of all machines.
    pub steps: u64,
    /// Messages sent.
    pub messages: u64,
    /// Anchors that were never reached.
    pub drift: Vec<String>,
}

impl Told {
    fn between(report: &Report, again: &Report) -> Self {
        let trace = |of: &Report| Some(format!("{:016x}", of.trace));
        Self {
            trace: trace(report),
            again: trace(again),
            virtual_us: report.virtual_us,
            steps: report.steps,
            messages: report.messages,
            drift: report.drift.clone(),
            ..Self::hung(&report.verdict)
        }
    }

    fn hung(verdict: &Verdict) -> Self {
        Self {
            verdict: verdict.kind().to_string(),
            words: verdict.words(),
            trace: None,
            again: None,
            virtual_us: 0,
            steps: 0,
            messages: 0,
            drift: Vec::new(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), String> {
        let text = serde_json::to_string(self).map_err(|error| error.to_string())?;
        writeln!(out, "{text}").map_err(unwritten)
    }
}

/// Runs the plan; the exit code of `exit`.
///
/// # Errors
/// Unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    if let Some(folder) = &args.all {
        return all::run(folder, out);
    }
    let path = args.plan.as_deref().ok_or("no plan is named")?;
    let mut plan = files::read(path)?;
    if args.sound {
        plan.planted = None;
    }
    let made = LoadedPlan::load(plan)?;
    let earlier = args.compare.as_deref().map(entries_in).transpose()?;
    let lockstep = if args.no_lockstep { Lockstep::Off } else { Lockstep::On };
    let options = Options { lockstep };
    let quiet = skewsync_sim::panic_hook::panics();
    let limit = Duration::from_secs(args.limit);
    let runner = Runner::new(&made.catalog, options).within(limit);
    let ran = runner
        .recorded(&made.plan, args.state.clone())
        .and_then(|ran| Ok((ran, runner.run(&made.plan)?)));
    drop(quiet);
    let ((report, recording), again) = match ran {
        Ok(ran) => ran,
        Err(Failed::Hung(verdict)) if args.json => {
            Told::hung(&verdict).write(out)?;
            return Ok(verdict.code());
        }
        Err(Failed::Hung(verdict)) => {
            writeln!(out, "{}", verdict.words()).map_err(unwritten)?;
            return Ok(verdict.code());
        }
        Err(Failed::Harness(error)) => return Err(error),
    };
    let window = Window::from_args(args, &recording)?;
    window.tell(&recording, out).map_err(unwritten)?;
    if let Some(path) = &args.trace {
        write_trace(path, &recording)?;
    }
    if report.verdict != Verdict::Passed && !args.json {
        let failure = failure::Failure::new(&made, &report, &recording, options, limit);
        let path = path.display().to_string();
        write!(out, "{}", failure::terminal::text(&failure, &path)).map_err(unwritten)?;
        if let Some(dir) = &args.out {
            let page = failure::html::page(&failure, &path);
            let at = files::keep(dir, "failure.html", &page)?;
            writeln!(out, "report: {}", at.display()).map_err(unwritten)?;
        }
    }
    if let (Some(earlier), Some(path)) = (earlier, &args.compare) {
        tell_parting(&earlier, path, &recording, out).map_err(unwritten)?;
    }
    if args.json {
        Told::between(&report, &again).write(out)?;
    } else {
        writeln!(out, "{}", last_words(&report)).map_err(unwritten)?;
    }
    warn(&report, &recording, &again, err).map_err(unwritten)
}

/// Tells where a run parts from one that was written down.
fn tell_parting(
    earlier: &[Entry],
    path: &Path,
    recording: &Recording,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match compare::parting(earlier, &recording.entries) {
        None => writeln!(out, "every step is as in {}", path.display()),
        Some(parting) => {
            let one = path.display().to_string();
            write!(out, "{}", parting.words(&one, "this run"))
        }
    }
}

/// Says what of the plan was never reached, and whether the second run was another: the exit code.
fn warn(
    report: &Report,
    recording: &Recording,
    again: &Report,
    err: &mut dyn Write,
) -> std::io::Result<u8> {
    let mut code = report.verdict.code();
    let ended_us = recording.entries.last().map_or(0, |entry| entry.at_us);
    let (later, others): (Vec<&String>, Vec<&String>) =
        report.drift.iter().partition(|anchor| drift::is_later(anchor, ended_us));
    if !later.is_empty() {
        let (at, many) = (ended_us as f64 / 1e6, later.len());
        let anchors: Vec<String> = later.iter().map(|anchor| format!("`{anchor}`")).collect();
        let anchors = anchors.join(", ");
        writeln!(
            err,
            "skewlab: drift: the run ended at {at:.3} s, before {many} of the plan's anchors: \
             {anchors}"
        )?;
        code = exit::graver(code, exit::USAGE);
    }
    for anchor in others {
        let near = drift::near(anchor, recording);
        writeln!(err, "skewlab: drift: the anchor `{anchor}` was never reached; {near}")?;
        code = exit::graver(code, exit::USAGE);
    }
    if again.trace != report.trace {
        writeln!(err, "skewlab: the second run gave trace {:016x}", again.trace)?;
        code = exit::graver(code, exit::NONDETERMINISM);
    }
    Ok(code)
}

fn unwritten(error: std::io::Error) -> String {
    format!("cannot write: {error}")
}

/// The verdict and the figures of a run, on one line.
fn last_words(report: &Report) -> String {
    format!(
        "{}: {:.3} virtual s, {} steps, {} messages, trace {:016x}",
        report.verdict.words(),
        report.virtual_us as f64 / 1e6,
        report.steps,
        report.messages,
        report.trace
    )
}

fn entries_in(path: &Path) -> Result<Vec<Entry>, String> {
    let text = files::text(path)?;
    read_ndjson(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn write_trace(path: &Path, recording: &Recording) -> Result<(), String> {
    let chrome = path.extension().is_some_and(|ending| ending == "json");
    let text = if chrome { perfetto::trace(recording).to_string() } else { recording.ndjson() };
    files::write(path, &text)
}

fn property(word: &str) -> Result<Property, String> {
    word.parse().map_err(|_| {
        let names: Vec<&str> = Property::iter().map(Into::into).collect();
        format!("there are {}", names.join(", "))
    })
}
