//! A campaign's summary for a terminal.

use std::fmt::Write as _;

use crate::campaign::Summary;
use crate::plan::fault::FAULT_KINDS;
use crate::report::json::{non_stutter_share, signatures};
use crate::run::phase::PHASES;
use crate::situation::Situation;

/// The summary as text.
pub fn summary(summary: &Summary) -> String {
    let mut text = String::new();
    let wall = summary.wall.as_secs_f64().max(1e-9);
    let seconds = summary.virtual_us as f64 / 1e6;
    line(
        &mut text,
        format_args!(
            "{} seeds, {} failed; {:.1} virtual hours in {wall:.1} s: {:.0} seeds/s ({:.0} a core), {:.0} messages/s, {:.0} steps/s",
            summary.seeds,
            summary.failures.len(),
            seconds / 3600.0,
            summary.seeds as f64 / wall,
            summary.seeds_per_core(),
            summary.messages as f64 / wall,
            summary.steps as f64 / wall,
        ),
    );
    line(
        &mut text,
        format_args!(
            "{} ran twice, {} differed; {:.0} messages and {:.1} faults a seed; traces {:016x}",
            summary.again,
            summary.differing.len(),
            summary.messages as f64 / summary.seeds.max(1) as f64,
            summary.tally.faults.values().sum::<u64>() as f64 / summary.seeds.max(1) as f64,
            summary.traces,
        ),
    );
    if let Some(share) = non_stutter_share(summary) {
        line(
            &mut text,
            format_args!("{:.1} % of steps are no stutter", share * 100.0),
        );
    }
    table(&mut text, summary);
    situations(&mut text, summary);
    properties(&mut text, summary);
    failures(&mut text, summary);
    text
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{what}");
}

fn table(text: &mut String, summary: &Summary) {
    let _ = write!(text, "\n{:<14}", "faults");
    for phase in PHASES {
        let _ = write!(text, "{:>12}", phase.name());
    }
    text.push('\n');
    for (kind, name) in FAULT_KINDS.iter().enumerate() {
        let _ = write!(text, "{name:<14}");
        for phase in PHASES {
            let count = summary
                .tally
                .faults
                .get(&(kind, phase))
                .copied()
                .unwrap_or(0);
            let _ = write!(text, "{count:>12}");
        }
        text.push('\n');
    }
}

fn situations(text: &mut String, summary: &Summary) {
    let met = |situation: &Situation| {
        summary
            .tally
            .situations
            .get(situation)
            .copied()
            .unwrap_or(0)
    };
    line(text, format_args!("\nsituations met (times, first seed)"));
    for situation in Situation::ALL {
        if let Some(seed) = summary.met_by.get(situation) {
            line(
                text,
                format_args!("  {:<22}{:>10}  {seed}", situation.name(), met(situation)),
            );
        }
    }
    let never: Vec<_> = Situation::ALL
        .iter()
        .filter(|one| met(one) == 0)
        .map(|one| one.name())
        .collect();
    if !never.is_empty() {
        line(text, format_args!("never met: {}", never.join(", ")));
    }
}

fn properties(text: &mut String, summary: &Summary) {
    line(text, format_args!("\nproperties checked"));
    for (name, count) in &summary.checked {
        line(text, format_args!("  {name:<22}{count:>12}"));
    }
}

fn failures(text: &mut String, summary: &Summary) {
    for (signature, seeds) in signatures(&summary.failures) {
        let first: Vec<String> = seeds.iter().take(5).map(u64::to_string).collect();
        line(text, format_args!("\nFAILED {signature}"));
        line(
            text,
            format_args!("  {} seeds: {}", seeds.len(), first.join(", ")),
        );
        if let Some(failure) = summary.failures.iter().find(|each| each.seed == seeds[0]) {
            line(
                text,
                format_args!(
                    "  {:.3} s: {:?}",
                    failure.virtual_us as f64 / 1e6,
                    failure.verdict
                ),
            );
        }
    }
    for error in &summary.harness {
        line(text, format_args!("\nHARNESS {error}"));
    }
    if !summary.differing.is_empty() {
        line(
            text,
            format_args!("\nNON-DETERMINISM in seeds {:?}", summary.differing),
        );
    }
}
