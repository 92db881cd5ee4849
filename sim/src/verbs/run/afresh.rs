//! Failures run again in a fresh process, from the plan as it was met: they must give the trace that they give here.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;

use crate::campaign::{Failure, Ran, run_fresh};
use crate::run::{Lockstep, Options, Verdict};
use crate::stock::Stock;

/// Failures that are run in a process of their own, at most: the first of each signature.
const AFRESH_MAX: usize = 16;

/// Runs the first failure of each signature in a fresh process; those that give another trace there differ.
///
/// # Errors
/// What keeps a process from being started, in words.
pub(super) fn confirm(ran: &mut Ran, stock: &Arc<Stock>, options: Options) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let runs = |failure: &&Failure| !matches!(failure.verdict, Verdict::Hung { .. });
    let first: Vec<Failure> = ran
        .failures
        .iter()
        .filter(runs)
        .filter(|failure| seen.insert(failure.signature()))
        .take(AFRESH_MAX)
        .cloned()
        .collect();
    for failure in first {
        let here = run_fresh(&Arc::new(failure.plan.clone()), stock, options)?.trace;
        if there(&failure, options)? != Some(here) {
            ran.summary.differing.insert(failure.seed);
        }
    }
    Ok(())
}

/// The trace of a failure's plan in a process of its own; none if that process told none.
fn there(failure: &Failure, options: Options) -> Result<Option<u64>, String> {
    let words = |error: std::io::Error| format!("a plan for another process: {error}");
    let mut plan = tempfile::NamedTempFile::with_prefix("skewlab-").map_err(words)?;
    let text = failure.plan.write();
    plan.write_all(text.as_bytes()).map_err(words)?;
    let program = std::env::current_exe().map_err(words)?;
    let mut command = Command::new(program);
    command.arg("replay").arg(plan.path());
    if options.lockstep == Lockstep::Off {
        command.arg("--no-lockstep");
    }
    let told = command.output().map_err(words)?;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let trace = text.rsplit("trace ").next().map(str::trim);
    Ok(trace.and_then(|word| u64::from_str_radix(word, 16).ok()))
}
