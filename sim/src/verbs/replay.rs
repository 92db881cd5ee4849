//! `skewlab replay`: runs a plan.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use crate::campaign::run_fresh;
use crate::exit;
use crate::plan::Plan;
use crate::run::{Lockstep, Options, Verdict};
use crate::stock;

/// Runs a plan, twice, and says what was established.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan.
    pub plan: PathBuf,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
}

/// Runs the plan; the exit code of `exit`.
///
/// # Errors
/// Unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let text = super::run::read(&args.plan)?;
    let plan = Plan::read(&text).map_err(|error| format!("{}: {error}", args.plan.display()))?;
    let plan = Arc::new(plan);
    let names: Vec<String> = plan.units.iter().map(|unit| unit.image.clone()).collect();
    let (stock, _) = stock::load(&names).map_err(|error| error.to_string())?;
    let stock = Arc::new(stock);
    let lockstep = if args.no_lockstep {
        Lockstep::Off
    } else {
        Lockstep::On
    };
    let quiet = crate::quiet::panics();
    let report = run_fresh(&plan, &stock, Options { lockstep })?;
    let again = run_fresh(&plan, &stock, Options { lockstep })?;
    drop(quiet);
    let write = |error: std::io::Error| format!("cannot write: {error}");
    writeln!(
        out,
        "{}: {:.3} virtual s, {} steps, {} messages, trace {:016x}",
        words(&report.verdict),
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

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed => "passed".into(),
        Verdict::Violated(violation) => format!("{}: {}", violation.property, violation.what),
        Verdict::Stuck { pending } => format!("Converges: waits for {pending}"),
        Verdict::Panicked { words } => format!("panic: {words}"),
    }
}
