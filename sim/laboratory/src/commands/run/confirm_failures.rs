//! Failures run again in a fresh process, from the plan that is kept, before they are told: they
//! must give the run that they give here, event by event.

use std::sync::Arc;

use skewsync_sim::record::{Entry, compare, read_ndjson};
use skewsync_sim::run::Verdict;
use skewsync_sim::runner::{Failed, Runner};

use crate::campaign::{Failure, Ran};
use crate::commands::replay::Told;
use crate::commands::{files, fresh_process};

/// Failures that are run in a process of their own, at most: the first of each signature.
const AFRESH_MAX: usize = 16;

/// Runs the first failure of each signature in a fresh process; those that run otherwise there
/// differ.
///
/// A run that hangs is not run again: how long it takes is no function of its plan.
///
/// # Errors
/// What keeps a process from being started, in words.
pub(super) fn confirm(ran: &mut Ran, runner: &Runner) -> Result<(), String> {
    let firsts = &ran.summary.failed;
    let first = |failure: &&Failure| {
        let of = firsts.get(&failure.signature());
        of.is_some_and(|of| of.first.seed == failure.seed)
    };
    let runs = |failure: &&Failure| !matches!(failure.verdict, Verdict::Hung { .. });
    let failures: Vec<&Failure> = ran.failures.iter().filter(runs).filter(first).collect();
    for failure in failures.into_iter().take(AFRESH_MAX) {
        let plan = Arc::new(failure.plan.clone());
        let (report, here) = runner.recorded(&plan, None).map_err(Failed::words)?;
        let there = there(failure, runner)?;
        if let Some(how) = differs(report.trace, &here.entries, there) {
            ran.summary.differing.insert(failure.seed, how);
        }
    }
    Ok(())
}

/// How a run here and one in a fresh process differ, if they do.
fn differs(
    trace: u64,
    here: &[Entry],
    there: Result<(Told, Vec<Entry>), String>,
) -> Option<String> {
    let (told, there) = match there {
        Ok(there) => there,
        Err(why) => return Some(format!("in a fresh process {why}")),
    };
    let Some(other) = told.trace else {
        return Some(format!("in a fresh process: {}", told.words));
    };
    if other == format!("{trace:016x}") {
        return None;
    }
    let parting = compare::parting(here, &there);
    Some(parting.map_or_else(
        || {
            format!(
                "in a fresh process the trace is {other}, not {trace:016x}, and no entry differs"
            )
        },
        |parting| parting.words("here", "in a fresh process"),
    ))
}

/// What a failure's plan gives in a process of its own; or why that is not known.
fn there(failure: &Failure, runner: &Runner) -> Result<Result<(Told, Vec<Entry>), String>, String> {
    let words = |error: std::io::Error| format!("files for another process: {error}");
    let dir = tempfile::tempdir().map_err(words)?;
    let trace = dir.path().join("trace");
    let told =
        match fresh_process::replay(&failure.plan, runner.options, runner.limit, Some(&trace))? {
            Ok(told) => told,
            Err(why) => return Ok(Err(why)),
        };
    // A run that did not come back has left none.
    let entries = match told.trace {
        None => Vec::new(),
        Some(_) => read_ndjson(&files::text(&trace)?).map_err(|error| error.to_string())?,
    };
    Ok(Ok((told, entries)))
}

#[cfg(test)]
mod tests {
    use skewsync_sim::record::{EventKind, Lane};

    use super::*;

    fn entries(words: &[&str]) -> Vec<Entry> {
        let entry = |(at, words): (usize, &&str)| {
            let step = at as u64 + 1;
            Entry::new(step, 7, Lane::Unit0, EventKind::Step, (*words).to_string())
        };
        words.iter().enumerate().map(entry).collect()
    }

    fn told(trace: Option<&str>) -> Told {
        Told {
            verdict: "NoAckedLoss".into(),
            words: "hung: given up".into(),
            trace: trace.map(Into::into),
            again: None,
            virtual_us: 5,
            steps: 3,
            messages: 0,
            drift: Vec::new(),
        }
    }

    #[test]
    fn the_same_run_elsewhere_does_not_differ_and_another_is_shown_from_where_it_parts() {
        let here = entries(&["starts", "sends", "hears"]);
        let differs = |there| differs(0xab, &here, there);
        let same = told(Some("00000000000000ab"));
        assert_eq!(differs(Ok((same, here.clone()))), None);

        let other = told(Some("00000000000000ac"));
        let there = entries(&["starts", "waits", "hears"]);
        let how = differs(Ok((other.clone(), there))).expect("the second entry differs");
        assert!(how.contains("starts") && how.contains("in a fresh process"), "{how}");
        let of = |mark| how.lines().find(|line| line.starts_with(mark) && line.contains("     2 "));
        assert!(of('-').is_some_and(|line| line.contains("sends")), "{how}");
        assert!(of('+').is_some_and(|line| line.contains("waits")), "{how}");

        let how = differs(Ok((other, here.clone()))).expect("the trace differs");
        assert!(how.contains("00000000000000ac") && how.contains("00000000000000ab"), "{how}");
        let how = differs(Ok((told(None), Vec::new()))).expect("it hung");
        assert!(how.contains("hung"), "{how}");
        let how = differs(Err("nothing was told".into())).expect("it told nothing");
        assert!(how.contains("nothing was told"), "{how}");
    }
}
