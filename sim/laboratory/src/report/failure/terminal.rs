//! The report of a failure for a terminal: the cause on the first screen.

use std::fmt::Write as _;

use skewsync_sim::plan::EntryName;
use skewsync_sim::record::recorder::told;
use skewsync_sim::record::{LineDiff, PropertySpan};

use super::Failure;
use crate::report::picture::lanes;

/// Faults, or commands, of a plan that are listed.
const LISTED_MAX: usize = 8;
/// Lines of a difference that are listed.
const UNLIKE_MAX: usize = 8;

/// The first lines of the report.
pub fn brief(failure: &Failure<'_>, path: &str) -> String {
    let mut text = failure.headline.clone() + "\n";
    text.push_str(&format!("  what should hold: {}\n", failure.meaning));
    for line in &failure.explanation {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!("model: {}\n", failure.model.words()));
    for section in &failure.more {
        text.push_str(&format!("{}: {}\n", section.heading, section.line));
    }
    text.push_str(&format!("replay: {}\n", failure.command(path)));
    text.push_str(&format!("plan: {}\n", plan_words(failure)));
    for line in plan_lines(failure) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// The report; `path` is that of the plan, for the command that replays it.
pub fn text(failure: &Failure<'_>, path: &str) -> String {
    let mut text = brief(failure, path);
    let mut say = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    let picture = failure.picture(super::CONE_MAX_TERMINAL);
    let (shown, all) = (picture.rows.len(), failure.cone.len());
    let steps = failure.recording.entries.len();
    say(&format!(
        "\nwhat led to it ({shown} rows of the {all} entries that it came of, of {steps} in the \
         run; --out DIR draws more):"
    ));
    say(lanes::text(&picture).trim_end());
    for line in contrast_lines(failure) {
        say(&line);
    }
    say(&held_words(&failure.recording.held));
    for section in failure.more.iter().filter(|section| !section.text.is_empty()) {
        say(&format!("\n{}", section.text.trim_end()));
    }
    text
}

/// The pair and the size of a plan.
pub(super) fn plan_words(failure: &Failure<'_>) -> String {
    let plan = &failure.made.plan;
    let count = |many: usize, one: &str| {
        let plural = if many == 1 { "" } else { "s" };
        format!("{many} {one}{plural}")
    };
    let planted = plan
        .planted
        .as_ref()
        .map_or_else(String::new, |name| format!(", with the planted defect {name}"));
    format!(
        "{} and {}; {}, {}{planted}",
        plan.units[0].image,
        plan.units[1].image,
        count(plan.faults.len(), "fault"),
        count(plan.commands.len(), "command"),
    )
}

/// Its faults and commands, the first few of each.
pub(super) fn plan_lines(failure: &Failure<'_>) -> Vec<String> {
    let plan = &failure.made.plan;
    let mut lines = Vec::new();
    let rest = |lines: &mut Vec<String>, all: usize, what: &str| {
        if all > LISTED_MAX {
            lines.push(format!("and {} more {what}", all - LISTED_MAX));
        }
    };
    let mut noise = plan.noise.clone();
    let rates = noise.rates_mut().into_iter().filter(|(_, rate)| **rate > 0);
    let noise: Vec<String> = rates.map(|(name, rate)| format!("{name} {rate}")).collect();
    if !noise.is_empty() {
        lines.push(format!("of a thousand messages at random: {}", noise.join(", ")));
    }
    for fault in plan.faults.iter().take(LISTED_MAX) {
        lines.push(format!("fault {} ({})", told(fault), fault.at));
    }
    rest(&mut lines, plan.faults.len(), "faults");
    for entry in plan.commands.iter().take(LISTED_MAX) {
        let what = match &entry.what {
            skewsync_sim::plan::What::Config { text } => {
                let all: Vec<&str> = text.lines().map(str::trim).collect();
                format!("\"{}\"", all.join(" / "))
            }
            other => EntryName::from(other).to_string(),
        };
        lines.push(format!("command {what} ({})", entry.at));
    }
    rest(&mut lines, plan.commands.len(), "commands");
    lines
}

/// One line in which two configs differ.
pub(super) fn unlike(unlike: &LineDiff) -> String {
    let by = |writer: &Option<skewsync_sim::record::Writer>| {
        let words = writer.as_ref().map(skewsync_sim::record::Writer::words);
        words.map_or_else(String::new, |words| format!(" by {words}"))
    };
    let path = if unlike.path.is_empty() { String::new() } else { format!("{}: ", unlike.path) };
    let wanted = match &unlike.wanted {
        Some(line) => format!("`{line}`{}", by(&unlike.wanted_by)),
        None => "nothing".into(),
    };
    let found = match &unlike.found {
        Some(line) => format!("`{line}`{}", by(&unlike.found_by)),
        None => "nothing".into(),
    };
    format!("{path}wanted {wanted}, found {found}")
}

fn contrast_lines(failure: &Failure<'_>) -> Vec<String> {
    let contrast = failure.recording.contrast.as_ref();
    let Some(contrast) = contrast.filter(|contrast| !contrast.unlike.is_empty()) else {
        return Vec::new();
    };
    let mut lines = vec![format!(
        "\nconfigs: wanted is {}, found is {}; {} lines alike, {} not, {} cannot go over",
        contrast.wanted,
        contrast.found,
        contrast.alike,
        contrast.unlike.len(),
        contrast.listed.len()
    )];
    let first = contrast.unlike.iter().take(UNLIKE_MAX);
    lines.extend(first.map(|line| format!("  {}", unlike(line))));
    if contrast.unlike.len() > UNLIKE_MAX {
        lines.push(format!("  and {} more", contrast.unlike.len() - UNLIKE_MAX));
    }
    lines
}

/// How long each property was seen to hold, the broken one first.
fn held_words(held: &[PropertySpan]) -> String {
    let seconds = |at: u64| format!("{:.3} s", at as f64 / 1e6);
    let broke = held.iter().filter_map(|held| {
        let (step, at) = held.broke?;
        let until = held.last.map_or_else(
            || "was not checked before".into(),
            |(step, at)| format!("held until {} (step {step})", seconds(at)),
        );
        Some(format!("{} {until}, broke at {} (step {step})", held.property, seconds(at)))
    });
    let kept = held.iter().filter(|held| held.broke.is_none() && held.last.is_some()).count();
    let unchecked: Vec<&str> = held
        .iter()
        .filter(|held| held.broke.is_none() && held.last.is_none())
        .map(|held| held.property.into())
        .collect();
    let mut text: Vec<String> = broke.collect();
    text.push(format!("{kept} held to the end"));
    if !unchecked.is_empty() {
        text.push(format!("never checked: {}", unchecked.join(", ")));
    }
    format!("properties: {}", text.join("; "))
}
