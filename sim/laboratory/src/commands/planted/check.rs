//! `--check`: from its kept seed on, each defect is caught again.

use std::io::Write;

use serde::Serialize;
use skewsync::planted::Defect;
use skewsync_sim::exit;
use skewsync_sim::run::{Lockstep, VerdictKind};

use super::baseline::{AllKept, Sighting};
use super::{Bench, unwritten};
use crate::campaign::Ends;

/// Seeds from the kept one on, of which at least one must fail by the expected property.
const SEEDS: u64 = 200;

/// What became of the defects.
#[derive(Debug, Serialize)]
struct Checked {
    defects: Vec<OfDefect>,
    missed: usize,
}

#[derive(Debug, Serialize)]
struct OfDefect {
    defect: &'static str,
    lockstep: Found,
    properties: Found,
}

/// What was seen of one defect in one way of looking.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
enum Found {
    /// It was caught.
    Caught { property: VerdictKind, seed: u64, run: u64 },
    /// It was not, or not by the expected property.
    Missed { property: VerdictKind, from: u64, run: u64 },
    /// It cannot be caught so; nothing was run.
    Cannot,
    /// Nothing is kept of it.
    Unkept,
}

pub(super) fn run(
    bench: &Bench,
    defects: &[Defect],
    json: bool,
    out: &mut dyn Write,
) -> Result<u8, String> {
    let kept = AllKept::of_this_build()?;
    let mut checked = Checked { defects: Vec::new(), missed: 0 };
    if !json {
        writeln!(out, "{:<25}{:<44}by the properties alone", "defect", "with the lockstep")
            .map_err(unwritten)?;
    }
    for defect in defects {
        let of = kept.get(*defect);
        let look = |lockstep, sight: Option<&Sighting>| match sight {
            Some(sight) => look(bench, *defect, lockstep, sight),
            None => Found::Cannot,
        };
        let (lockstep, properties) = match of {
            Some(of) => (
                look(Lockstep::On, of.lockstep.as_ref()),
                look(Lockstep::Off, of.properties.as_ref()),
            ),
            None => (Found::Unkept, Found::Unkept),
        };
        let seen = !matches!(lockstep, Found::Cannot) && lockstep.is_well() && properties.is_well();
        checked.missed += usize::from(!seen);
        let row = OfDefect { defect: defect.name(), lockstep, properties };
        if !json {
            let (lockstep, properties) = (row.lockstep.words(), row.properties.words());
            writeln!(out, "{:<25}{lockstep:<44}{properties}", row.defect).map_err(unwritten)?;
        }
        checked.defects.push(row);
    }
    if json {
        let text = serde_json::to_string(&checked).map_err(|error| error.to_string())?;
        writeln!(out, "{text}").map_err(unwritten)?;
    } else {
        let (missed, all) = (checked.missed, defects.len());
        writeln!(out, "{} of {all} defects caught, {missed} missed", all - missed)
            .map_err(unwritten)?;
    }
    Ok(if checked.missed == 0 { exit::PASSED } else { exit::SAFETY })
}

fn look(bench: &Bench, defect: Defect, lockstep: Lockstep, sight: &Sighting) -> Found {
    let property = sight.property;
    let ends = Ends::AtFailureOf(property);
    let ran = bench.campaign(defect, lockstep, sight.seed, SEEDS, ends);
    let caught = ran.failures.iter().find(|failure| failure.verdict.kind() == property);
    match caught {
        Some(failure) => Found::Caught { property, seed: failure.seed, run: ran.summary.seeds() },
        None => Found::Missed { property, from: sight.seed, run: ran.summary.seeds() },
    }
}

impl Found {
    const fn is_well(&self) -> bool {
        matches!(self, Self::Caught { .. } | Self::Cannot)
    }

    fn words(&self) -> String {
        match self {
            Self::Caught { property, seed, run } => format!("{property}, seed {seed}, {run} run"),
            Self::Missed { property, from, run } => {
                format!("MISSED: no {property} in {run} seeds from {from}")
            }
            Self::Cannot => "-".into(),
            Self::Unkept => "MISSED: nothing is kept of it".into(),
        }
    }
}
