//! `skewlab replay`: runs a plan.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::campaign::{Failed, HANGS_AFTER, run_within};
use crate::exit;
use crate::plan::FaultKind;
use crate::regression;
use crate::report::chronicle::Chronicle;
use crate::run::{Lockstep, Options};
use crate::stock;
use crate::tap::Observer;

/// Runs a plan, twice, and says what was established.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan, or a kept one.
    pub plan: PathBuf,
    /// Runs it on the sound engine: without the defect that it plants.
    #[arg(long)]
    pub sound: bool,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
    /// Tells the run event by event.
    #[arg(long)]
    pub tell: bool,
    /// A run that takes longer hangs, and is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = HANGS_AFTER.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
}

/// Runs the plan; the exit code of `exit`.
///
/// # Errors
/// Unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let text = super::run::read(&args.plan)?;
    let mut plan =
        regression::plan_in(&text).map_err(|error| format!("{}: {error}", args.plan.display()))?;
    if args.sound {
        plan.planted = None;
    }
    let plan = Arc::new(plan);
    let changes = plan.faults.iter().filter_map(|fault| match &fault.kind {
        FaultKind::ImageChange { image, .. } => Some(image.clone()),
        _ => None,
    });
    let names: Vec<String> = plan
        .units
        .iter()
        .map(|unit| unit.image.clone())
        .chain(changes)
        .collect();
    let (stock, _) = stock::load(&names).map_err(|error| error.to_string())?;
    let stock = Arc::new(stock);
    let lockstep = if args.no_lockstep {
        Lockstep::Off
    } else {
        Lockstep::On
    };
    let quiet = crate::quiet::panics();
    let story = Arc::new(Mutex::new(String::new()));
    let observers = || -> Vec<Box<dyn Observer>> {
        let chronicle = Chronicle::new(Arc::clone(&story));
        if args.tell {
            vec![Box::new(chronicle)]
        } else {
            Vec::new()
        }
    };
    let limit = Duration::from_secs(args.limit);
    let within = |observers| run_within(limit, &plan, &stock, Options { lockstep }, observers);
    let ran = within(observers()).and_then(|report| Ok((report, within(Vec::new())?)));
    drop(quiet);
    let story = story.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = write!(out, "{story}");
    let write = |error: std::io::Error| format!("cannot write: {error}");
    let (report, again) = match ran {
        Ok(reports) => reports,
        Err(Failed::Hung(verdict)) => {
            writeln!(out, "{}", verdict.words()).map_err(write)?;
            return Ok(verdict.code());
        }
        Err(Failed::Harness(error)) => return Err(error),
    };
    writeln!(
        out,
        "{}: {:.3} virtual s, {} steps, {} messages, trace {:016x}",
        report.verdict.words(),
        report.virtual_us as f64 / 1e6,
        report.steps,
        report.messages,
        report.trace
    )
    .map_err(write)?;
    let mut code = report.verdict.code();
    for anchor in &report.drift {
        writeln!(
            err,
            "skewlab: drift: the anchor `{anchor}` was never reached"
        )
        .map_err(write)?;
        code = exit::graver(code, exit::USAGE);
    }
    if again.trace != report.trace {
        writeln!(
            err,
            "skewlab: the second run gave trace {:016x}",
            again.trace
        )
        .map_err(write)?;
        code = exit::graver(code, exit::NONDETERMINISM);
    }
    Ok(code)
}
