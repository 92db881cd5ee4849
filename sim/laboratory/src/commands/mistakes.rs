//! `skewlab families --mistakes`: what becomes of families with a mistake in them, and of the same
//! families as they were drawn.
//!
//! A mistake may make another family that is as good as the one that was meant: `shutdown` for `no
//! shutdown`, one of two addresses for the other. Nobody can know it from the files. That such a
//! family loses nothing unsaid, and comes back, is what runs of its images judge.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use skewsync_families::{Drawn, Mistaken, Rng, Slip};
use skewsync_sim::runner::HANGS_AFTER;
use skewsync_sim::worker_pool::{self, Bounds};
use strum::IntoEnumIterator as _;

use crate::analysis::mistakes::{Arrives, Outcome, judge};
use crate::interrupt;

/// The stream of a family's numbers from which its mistake is drawn.
const STREAM: u64 = 4;
/// Findings of one kind of mistake that are shown.
const SHOWN: usize = 3;

/// What became of a seed's family, with a mistake or without.
struct Judged {
    seed: u64,
    mistaken: Option<Mistaken>,
    outcome: Outcome,
}

/// So many families from a seed on, each with a mistake and as it was drawn: what becomes of them,
/// in words, and whether all that were drawn are accepted and arrive, and none that is accepted
/// breaks a property.
pub(super) fn told(from: u64, count: u64, jobs: usize) -> (String, bool) {
    let seeds = (from..from.saturating_add(count)).flat_map(|seed| [(seed, true), (seed, false)]);
    let bounds = Bounds { jobs, hangs_after: HANGS_AFTER };
    let mut all: Vec<Judged> = Vec::new();
    let work = |(seed, with): (u64, bool), _: &dyn Fn(())| judged(seed, with);
    let quiet = skewsync_sim::panic_hook::panics();
    worker_pool::run(seeds, bounds, interrupt::interrupted, work, |(seed, with), outcome| {
        all.push(match outcome {
            worker_pool::Outcome::Done(Ok(judged)) => judged,
            worker_pool::Outcome::Done(Err(_)) => failed(seed, with, "a panic"),
            _ => failed(seed, with, "it hangs"),
        });
    });
    drop(quiet);
    all.sort_by_key(|judged| judged.seed);
    words(&all)
}

fn failed(seed: u64, with: bool, what: &str) -> Judged {
    let mistaken = if with { mistaken(seed).1 } else { None };
    let outcome = Outcome { refused: None, arrives: None, broken: Some(what.to_owned()) };
    Judged { seed, mistaken, outcome }
}

fn mistaken(seed: u64) -> (Drawn, Option<Mistaken>) {
    let drawn = Drawn::from_seed(seed);
    let mistaken = drawn.mistaken(&mut Rng::new(seed, STREAM));
    (drawn, mistaken)
}

fn judged(seed: u64, with: bool) -> Judged {
    let (drawn, mistaken) = mistaken(seed);
    let mistaken = mistaken.filter(|_| with);
    let files = mistaken.as_ref().map_or_else(|| drawn.files(), |of| of.files.clone());
    Judged { seed, outcome: judge(&drawn, &files), mistaken }
}

fn words(all: &[Judged]) -> (String, bool) {
    // A family in which there is nothing to mistake stands among the sound ones twice.
    let (with, sound): (Vec<&Judged>, Vec<&Judged>) =
        all.iter().partition(|judged| judged.mistaken.is_some());
    let names: String = COLUMNS.iter().map(|name| format!("{name:>10}")).collect();
    let mut text = format!("{:<12}{names}\n", "mistake");
    let mut shown = String::new();
    let mut row = |name: &str, of: &[&Judged]| {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut left = SHOWN;
        for judged in of {
            *counts.entry(column(&judged.outcome)).or_default() += 1;
            let Some(what) = what(judged, name).filter(|_| left > 0) else { continue };
            left -= 1;
            let _ = writeln!(shown, "  seed {}, {name}: {what}", judged.seed);
        }
        let cells = COLUMNS.map(|column| counts.get(column).copied().unwrap_or_default());
        let cells: String = cells.iter().map(|count| format!("{count:>10}")).collect();
        let _ = writeln!(text, "{name:<12}{cells}");
    };
    for slip in Slip::iter() {
        let is_it = |judged: &&&Judged| judged.mistaken.as_ref().is_some_and(|of| of.slip == slip);
        let of: Vec<&Judged> = with.iter().filter(is_it).copied().collect();
        row(&slip.to_string(), &of);
    }
    row("any", &with);
    row("none", &sound);
    if !shown.is_empty() {
        let _ = write!(text, "accepted and not as meant, or sound and not accepted:\n{shown}");
    }
    let is_sound = sound.iter().all(|judged| judged.outcome.is_sound());
    let breaks = all.iter().any(|judged| column(&judged.outcome) == "breaks");
    (text, is_sound && !breaks)
}

/// What becomes of a family: refused, and a run or what arrives shows why; refused for what nobody
/// met; accepted, and harmless, or with more that is listed, or another family; or accepted, and a
/// run breaks a property.
const COLUMNS: [&str; 6] = ["shown", "refused", "harmless", "listed", "another", "breaks"];

const fn column(outcome: &Outcome) -> &'static str {
    match (&outcome.refused, &outcome.arrives, &outcome.broken) {
        (Some(_), None | Some(Arrives::AsMeant), None) => "refused",
        (Some(_), ..) => "shown",
        (None, _, Some(_)) | (None, None, None) => "breaks",
        (None, Some(Arrives::AsMeant), None) => "harmless",
        (None, Some(Arrives::Listed(_)), None) => "listed",
        (None, Some(Arrives::Otherwise(_)), None) => "another",
    }
}

/// What is to be shown of it, if it is as it should not be.
fn what(judged: &Judged, row: &str) -> Option<String> {
    let Outcome { refused, arrives, broken } = &judged.outcome;
    let (listed, otherwise) = match arrives {
        Some(Arrives::Listed(what)) => (Some(what), None),
        Some(Arrives::Otherwise(what)) => (None, Some(what)),
        Some(Arrives::AsMeant) | None => (None, None),
    };
    match &judged.mistaken {
        None => broken.as_ref().or(refused.as_ref()).or(otherwise).or(listed).cloned(),
        Some(_) if row == "any" || refused.is_some() => None,
        Some(Mistaken { lines: (was, is), .. }) => {
            let what = broken.as_ref().or(otherwise)?;
            Some(format!("{what}\n    was: {was}\n    is:  {is}"))
        }
    }
}
