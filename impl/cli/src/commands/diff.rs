//! `skewsync diff`: ADL and SDL of two images.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use skewsync::diff::{Diff, DiffEntry};
use skewsync::dump::{Dump, Header};

use crate::Exit;
use crate::input::{self, InputError};

/// The differences of two images, the Active's first: ADL and SDL, with counts by mode and
/// component.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The Active's image: a file, or `meridian@6.2`.
    active: String,
    /// The Standby's image.
    standby: String,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    mode: String,
    form: String,
    component: String,
    what: String,
}

#[derive(Serialize)]
struct Side {
    image: String,
    forms: usize,
    entries: Vec<Listed>,
    by_mode: BTreeMap<String, usize>,
    by_component: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Report {
    adl: Side,
    sdl: Side,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, InputError> {
    let active = Dump::from_image(&*input::image(&args.active)?);
    let standby = Dump::from_image(&*input::image(&args.standby)?);
    let diff = Diff::between(&active, &standby);
    let report = Report {
        adl: side(&active, &diff.active, &diff.adl),
        sdl: side(&standby, &diff.standby, &diff.sdl),
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(Exit::Ok);
    }
    for (name, side, list) in [("ADL", &report.adl, &diff.adl), ("SDL", &report.sdl, &diff.sdl)] {
        writeln!(out, "{name}: {} of the {} forms of {}", list.len(), side.forms, side.image)?;
        for entry in list {
            writeln!(out, "  {entry}")?;
        }
        for (what, counts) in [("mode", &side.by_mode), ("component", &side.by_component)] {
            let counts: Vec<String> =
                counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
            if !counts.is_empty() {
                writeln!(out, "  by {what}: {}", counts.join(", "))?;
            }
        }
    }
    Ok(Exit::Ok)
}

fn side(dump: &Dump, header: &Header, list: &[DiffEntry]) -> Side {
    let component =
        |entry: &DiffEntry| header.components[usize::from(entry.entry.component)].name.clone();
    let mut by_mode = BTreeMap::new();
    let mut by_component = BTreeMap::new();
    for entry in list {
        *by_mode.entry(entry.entry.mode.clone()).or_default() += 1;
        *by_component.entry(component(entry)).or_default() += 1;
    }
    let entries = list.iter().map(|entry| Listed {
        mode: entry.entry.mode.clone(),
        form: entry.entry.form.normal().to_owned(),
        component: component(entry),
        what: entry.to_string(),
    });
    Side {
        image: format!("{}@{}", header.family, header.release),
        forms: dump.entries.len(),
        entries: entries.collect(),
        by_mode,
        by_component,
    }
}
