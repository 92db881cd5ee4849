//! A campaign's summary for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use skewsync_sim::run::Phase;
use skewsync_sim::situation::Situation;
use strum::IntoEnumIterator;

use crate::campaign::{Seeds, Summary, coverage};
use crate::report::again;
use crate::report::json::{hot, non_stutter_share};

/// The summary as text.
///
/// `dir`: the folder in which the plans of failing seeds are.
pub fn summary(summary: &Summary, dir: &Path) -> String {
    let mut text = String::new();
    let wall = summary.wall().as_secs_f64().max(1e-9);
    let seconds = summary.virtual_us as f64 / 1e6;
    line(
        &mut text,
        format_args!(
            "{}, {} failed; {:.1} virtual hours in {wall:.1} s: {:.0} seeds/s ({:.0} a \
             core), {:.0} messages/s, {:.0} steps/s",
            of_seeds(summary.seeds()),
            summary.failures(),
            seconds / 3600.0,
            summary.seeds() as f64 / wall,
            summary.seeds_per_core(),
            summary.messages as f64 / wall,
            summary.steps as f64 / wall,
        ),
    );
    line(
        &mut text,
        format_args!(
            "{} ran twice, {} differed; {:.0} messages and {:.1} faults a seed; \
             traces {:016x}",
            of_seeds(summary.again),
            summary.differing.len(),
            summary.messages as f64 / summary.seeds().max(1) as f64,
            summary.counts.faults.values().sum::<u64>() as f64 / summary.seeds().max(1) as f64,
            summary.traces,
        ),
    );
    let missing = summary.missing().count();
    if missing > 0 {
        line(
            &mut text,
            format_args!(
                "{missing} seeds that were asked for are missing: `--resume` goes on with them"
            ),
        );
    }
    if !summary.counts.exempt.is_empty() {
        let exempt = summary.counts.exempt.iter();
        let words: Vec<String> =
            exempt.map(|(reason, runs)| format!("{} {runs}", reason.name())).collect();
        line(
            &mut text,
            format_args!("runs exempt from some properties (sim/FAULTS.md): {}", words.join(", ")),
        );
    }
    if let Some(share) = non_stutter_share(summary) {
        line(
            &mut text,
            format_args!(
                "{:.1} % of steps change the model's state; {} classes of steps and {} pair \
                 states visited",
                share * 100.0,
                summary.counts.classes.len(),
                summary.counts.pair_states.len()
            ),
        );
    }
    table(&mut text, "faults", &summary.counts.faults);
    table(&mut text, "entered", &summary.counts.entries);
    pairs(&mut text, summary);
    situations(&mut text, summary);
    properties(&mut text, summary);
    unmet(&mut text, summary);
    failures(&mut text, summary, dir);
    text
}

fn line(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{what}");
}

fn table<K>(text: &mut String, title: &str, cells: &BTreeMap<(K, Phase), u64>)
where
    K: Copy + Ord + IntoEnumIterator + Into<&'static str>,
{
    let _ = write!(text, "\n{title:<18}");
    for phase in Phase::iter() {
        let _ = write!(text, "{:>12}", phase.name());
    }
    text.push('\n');
    for kind in K::iter() {
        let name: &str = kind.into();
        let _ = write!(text, "{name:<18}");
        for phase in Phase::iter() {
            let count = cells.get(&(kind, phase)).copied().unwrap_or(0);
            let _ = write!(text, "{count:>12}");
        }
        text.push('\n');
    }
}

/// How often each pair became hot, by the Active's slot.
fn pairs(text: &mut String, summary: &Summary) {
    line(
        text,
        format_args!(
            "\npairs that became hot: Active, Standby (times with the Active in slot 0, in slot 1)"
        ),
    );
    for (pair, [zero, one]) in hot(summary) {
        line(text, format_args!("  {pair:<36}{zero:>8}{one:>8}"));
    }
}

/// What was not met, with its reason; without one it counts from a size of campaign on.
fn unmet(text: &mut String, summary: &Summary) {
    let gaps = coverage::gaps(summary);
    if gaps.is_empty() {
        return;
    }
    let (explained, open): (Vec<_>, Vec<_>) = gaps.iter().partition(|gap| gap.reason().is_some());
    line(text, format_args!("\nnot met, for a reason"));
    for gap in explained {
        let reason = gap.reason().unwrap_or_default();
        line(text, format_args!("  {gap}: {reason}"));
    }
    if open.is_empty() {
        return;
    }
    let counts = if summary.is_asked() {
        "an error: exit code 6"
    } else {
        "an error from 10,000 freely drawn seeds on"
    };
    line(text, format_args!("not met ({counts})"));
    for gap in open {
        line(text, format_args!("  {gap}"));
    }
}

fn situations(text: &mut String, summary: &Summary) {
    let met =
        |situation: &Situation| summary.counts.situations.get(situation).copied().unwrap_or(0);
    line(text, format_args!("\nsituations met (times, first seed)"));
    for situation in Situation::iter() {
        if let Some(seed) = summary.met_by.get(&situation) {
            line(text, format_args!("  {:<22}{:>10}  {seed}", situation.name(), met(&situation)));
        }
    }
}

fn properties(text: &mut String, summary: &Summary) {
    line(text, format_args!("\nproperties checked"));
    let checked = summary.checked.iter().map(|(property, count)| (property.to_string(), *count));
    let figures = summary.figures.iter().map(|(name, count)| (name.clone(), *count));
    for (name, count) in checked.chain(figures) {
        line(text, format_args!("  {name:<22}{count:>12}"));
    }
}

/// So many seeds, in words.
fn of_seeds(count: u64) -> String {
    format!("{count} {}", if count == 1 { "seed" } else { "seeds" })
}

/// How many seeds, and the first of them.
fn seeds(all: &Seeds, count: u64) -> String {
    let first: Vec<String> = all.iter().take(5).map(|seed| seed.to_string()).collect();
    let more = match count - first.len() as u64 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}: {}{more}", of_seeds(count), first.join(", "))
}

fn failures(text: &mut String, summary: &Summary, dir: &Path) {
    for (signature, of) in summary.by_count() {
        let (count, first) = (of.seeds.count(), &of.first);
        line(text, format_args!("\nFAILED {signature}"));
        line(
            text,
            format_args!("  at {:.3} virtual s: {}", first.virtual_us as f64 / 1e6, first.seen),
        );
        line(text, format_args!("  {}", seeds(&of.seeds, count)));
        line(text, format_args!("  {}", again(summary, dir, first.seed)));
    }
    for error in &summary.harness {
        line(text, format_args!("\nHARNESS {error}"));
    }
    for (seed, how) in &summary.differing {
        line(text, format_args!("\nNON-DETERMINISM in seed {seed}: {}", how.trim_end()));
    }
}
