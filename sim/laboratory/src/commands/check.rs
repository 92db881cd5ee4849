//! `skewlab check`: the model, searched exhaustively within printed bounds.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

use skewsync_model::property::{ELSEWHERE, Property};
use skewsync_model::scope::{Preset, presets};
use skewsync_model::search::{Limits, run as search};
use skewsync_model::verdict::{Memory, Report, Unreached, Verdict};
use skewsync_sim::exit;
use strum::IntoEnumIterator;

/// Searches the model of the protocol within bounds, and says what was established.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The scopes; all of them without any. `list` prints their names and budgets, `properties`
    /// what is checked, and what only the simulation can check.
    scopes: Vec<String>,
    /// The most unique states of one scope.
    #[arg(long, default_value_t = 40_000_000)]
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
    let all = presets();
    match args.scopes.first().map(String::as_str) {
        Some("list") => {
            list(&all, out).map_err(write)?;
            return Ok(exit::PASSED);
        }
        Some("properties") => {
            properties(out).map_err(write)?;
            return Ok(exit::PASSED);
        }
        Some(_) | None => {}
    }
    let names: Vec<&str> = all.iter().map(|named| named.name).collect();
    if let Some(unknown) = args.scopes.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(format!(
            "no scope {unknown}; there are: {}, and the words list and properties",
            names.join(", ")
        ));
    }
    let mut code = exit::PASSED;
    let wanted = |name: &str| args.scopes.is_empty() || args.scopes.iter().any(|of| of == name);
    for Preset { name, scope, .. } in all.iter().filter(|named| wanted(named.name)) {
        let limits = Limits { states_max: args.states_max, convergence: !args.safety_only };
        let began = wall_clock();
        let terminal = std::io::stderr().is_terminal();
        let report = search(scope, &limits, &mut |progress| {
            if terminal {
                let _ =
                    write!(err, "\r{name}: {} states, {} open ", progress.states, progress.open);
            }
            ControlFlow::Continue(())
        });
        if terminal {
            let _ = write!(err, "\r\x1b[K");
        }
        let seconds = began.elapsed().as_secs_f64();
        writeln!(out, "{name}: {}", words(&report, seconds)).map_err(write)?;
        for step in evidence(&report) {
            writeln!(out, "    {step}").map_err(write)?;
        }
        code = exit::graver(code, exit_of(&report, args.safety_only));
    }
    Ok(code)
}

#[expect(clippy::disallowed_methods, reason = "how long a search takes; no part of its result")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

fn list(all: &[Preset], out: &mut dyn Write) -> std::io::Result<()> {
    for Preset { name, about, scope } in all {
        writeln!(out, "{name}: {about}")?;
        let most = match (scope.most, scope.layered) {
            (u16::MAX, _) => String::new(),
            (most, false) => format!(", at most {most} of them in one run, commands apart"),
            (most, true) => {
                format!(
                    "; any {most} of these kinds in one run, twice the same too, commands apart"
                )
            }
        };
        writeln!(out, "    {}{most}", scope.budgets)?;
    }
    writeln!(
        out,
        "not searched: a second role, an upgrade, images that are incompatible, the drain's queue \
         (its commands are \
         entered after the drain), Keepalive, writes that are torn"
    )
}

fn properties(out: &mut dyn Write) -> std::io::Result<()> {
    for property in Property::iter() {
        let Ok(witness) = property.witness() else { continue };
        writeln!(out, "{property:<20} says nothing where {witness:?} was never met")?;
    }
    writeln!(out, "only in the simulation:")?;
    for property in Property::iter() {
        if let Err(why) = property.witness() {
            writeln!(out, "{property}: {why}")?;
        }
    }
    for (property, part, why) in ELSEWHERE {
        writeln!(out, "{property} ({part}): {why}")?;
    }
    Ok(())
}

fn evidence(report: &Report) -> &[String] {
    match (&report.safety, &report.convergence, &report.cycles) {
        (Verdict::Violated(found), _, _) => &found.steps,
        (_, Verdict::Violated(found), _) | (_, _, Verdict::Violated(found)) => &found.steps,
        _ => &[],
    }
}

const fn exit_of(report: &Report, safety_only: bool) -> u8 {
    match (&report.safety, &report.convergence, &report.cycles) {
        (Verdict::Violated(_), _, _) => exit::SAFETY,
        (Verdict::Truncated(_), _, _) => exit::TRUNCATED,
        (Verdict::Exhausted, _, _) if safety_only => exit::PASSED,
        (Verdict::Exhausted, Verdict::Exhausted, Verdict::Exhausted) => exit::PASSED,
        (_, Verdict::Violated(_), _) | (_, _, Verdict::Violated(_)) => exit::LIVENESS,
        (_, Verdict::Truncated(_), _) | (_, _, Verdict::Truncated(_)) => exit::TRUNCATED,
    }
}

fn words(report: &Report, seconds: f64) -> String {
    let safety = match &report.safety {
        Verdict::Exhausted => "safety exhausted".to_owned(),
        Verdict::Violated(found) => {
            format!("VIOLATED {} in {} steps", found.property, found.steps.len())
        }
        Verdict::Truncated(cut) => format!("safety TRUNCATED by {cut:?}"),
    };
    let unreached = |name: &str, verdict: &Verdict<Unreached>, fails: &str| match verdict {
        Verdict::Exhausted => format!("{name} exhausted"),
        Verdict::Violated(found) => format!("{} states {fails}", found.states),
        Verdict::Truncated(_) => format!("{name} not established"),
    };
    let convergence = unreached("convergence", &report.convergence, "NEVER CONVERGE");
    let cycles = unreached("fair cycles", &report.cycles, "LIE ON FAIR CYCLES");
    let met: Vec<String> =
        report.met.iter().map(|(what, times)| format!("{what:?} {times}")).collect();
    let rate = |count: usize| count as f64 / seconds.max(1e-9);
    let Memory { visited, edges, open_most } = report.memory;
    let each = |bytes: usize| bytes / report.states.max(1);
    format!(
        "{safety}, {convergence}, {cycles}\n    {} states, {} transitions, depth {}, {seconds:.1} \
         s \
         ({:.0} states/s, {:.0} transitions/s); {} bytes a state, {} more for edges, {open_most} \
         states at most waiting \
         whole\n    met: {}",
        report.states,
        report.transitions,
        report.depth,
        rate(report.states),
        rate(report.transitions),
        each(visited),
        each(edges),
        met.join(", ")
    )
}
