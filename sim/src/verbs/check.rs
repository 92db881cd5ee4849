//! `skewlab check`: the model, searched exhaustively within printed bounds.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

use skewsync_model::scope::named;
use skewsync_model::search::{Limits, run as search};
use skewsync_model::verdict::{Report, Verdict};

use crate::exit;

/// Searches the model of the protocol within bounds, and says what was established.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The scopes; all of them without any. `list` prints their names and budgets.
    scopes: Vec<String>,
    /// The most unique states of one scope.
    #[arg(long, default_value_t = 12_000_000)]
    states_max: usize,
    /// Does not ask whether the pair converges from every state (eight bytes an edge).
    #[arg(long)]
    safety_only: bool,
}

/// Searches; 0 established, 1 violated, 2 no convergence, 6 truncated.
///
/// # Errors
/// An unknown scope, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let write = |error: std::io::Error| format!("cannot write: {error}");
    let all = named();
    if args.scopes.iter().any(|name| name == "list") {
        for (name, scope) in &all {
            writeln!(
                out,
                "{name:<12} from {:?}: {:?}",
                scope.begin, scope.budgets
            )
            .map_err(write)?;
        }
        return Ok(exit::PASSED);
    }
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = args
        .scopes
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        return Err(format!(
            "no scope {unknown}; there are: {}",
            names.join(", ")
        ));
    }
    let mut code = exit::PASSED;
    let wanted = |name: &str| args.scopes.is_empty() || args.scopes.iter().any(|of| of == name);
    for (name, scope) in all.iter().filter(|(name, _)| wanted(name)) {
        let limits = Limits {
            states_max: args.states_max,
            convergence: !args.safety_only,
        };
        let began = wall_clock();
        let terminal = std::io::stderr().is_terminal();
        let report = search(scope, &limits, &mut |progress| {
            if terminal {
                let _ = write!(
                    err,
                    "\r{name}: {} states, {} open ",
                    progress.states, progress.open
                );
            }
            ControlFlow::Continue(())
        });
        if terminal {
            let _ = write!(err, "\r\x1b[K");
        }
        let seconds = began.elapsed().as_secs_f64();
        writeln!(out, "{name}: {}", words(&report, seconds)).map_err(write)?;
        if let Verdict::Violated(found) = &report.safety {
            for step in &found.steps {
                writeln!(out, "    {step}").map_err(write)?;
            }
        }
        code = exit::graver(code, exit_of(&report, args.safety_only));
    }
    Ok(code)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a search takes; no part of its result"
)]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

const fn exit_of(report: &Report, safety_only: bool) -> u8 {
    match (&report.safety, &report.convergence) {
        (Verdict::Violated(_), _) => exit::SAFETY,
        (Verdict::Truncated(_), _) => exit::TRUNCATED,
        (Verdict::Exhausted, _) if safety_only => exit::PASSED,
        (Verdict::Exhausted, Verdict::Exhausted) => exit::PASSED,
        (Verdict::Exhausted, Verdict::Violated(_)) => exit::LIVENESS,
        (Verdict::Exhausted, Verdict::Truncated(_)) => exit::TRUNCATED,
    }
}

fn words(report: &Report, seconds: f64) -> String {
    let safety = match &report.safety {
        Verdict::Exhausted => "safety exhausted".to_owned(),
        Verdict::Violated(found) => {
            format!(
                "VIOLATED {:?} in {} steps",
                found.property,
                found.steps.len()
            )
        }
        Verdict::Truncated(cut) => format!("safety TRUNCATED by {cut:?}"),
    };
    let convergence = match &report.convergence {
        Verdict::Exhausted => "convergence exhausted".to_owned(),
        Verdict::Violated(stuck) => format!("{stuck} states NEVER CONVERGE"),
        Verdict::Truncated(_) => "convergence not established".to_owned(),
    };
    let met: Vec<String> = report
        .met
        .iter()
        .map(|(what, times)| format!("{what:?} {times}"))
        .collect();
    let rate = |count: usize| count as f64 / seconds.max(1e-9);
    format!(
        "{safety}, {convergence}; {} states, {} transitions, depth {}, {seconds:.1} s \
         ({:.0} states/s, {:.0} transitions/s)\n    met: {}",
        report.states,
        report.transitions,
        report.depth,
        rate(report.states),
        rate(report.transitions),
        met.join(", ")
    )
}
