//! `skewsync translate`: what would be sent of a running config.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use skewsync::parse::{self, Mark, WalkUp};
use skewsync::translate::{Explained, LineDisposition, ListKey, Lowering};

use super::preview::step;
use crate::Exit;
use crate::input::{self, InputError};
use crate::pair::Pair;
use crate::running::{Running, key_of, shown};

/// What would be sent of a running config on A to B, as a text that is read back.
///
/// Lines that A itself does not take are left out, and so are those that are stuck: `skewsync
/// preview` lists them, and so does --explain.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The Active's image: a file, or `meridian@6.2`.
    active: String,
    /// The Standby's image.
    standby: String,
    /// The running config.
    config: PathBuf,
    /// Says before each line, as a comment, which line of the running config it comes from; what is
    /// not sent stands at the end.
    #[arg(long)]
    explain: bool,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, InputError> {
    let pair = Pair::load(&args.active, &args.standby)?;
    let input::ConfigFile { text, mark } = input::config(&args.config)?;
    let file = args.config.display().to_string();
    // The output is a configuration.
    if mark == Mark::Skipped {
        writeln!(err, "skewsync: {file}: {mark}")?;
    }
    let running = Running::read(&pair.active, &text);
    let lowering = Lowering::new(&pair.active, &pair.at_active, &running.config);
    if args.explain {
        explain(&pair, &file, &running, &lowering, out)?;
    } else {
        out.write_all(&lowering.wire_bytes())?;
    }
    Ok(Exit::Ok)
}

fn explain(
    pair: &Pair,
    file: &str,
    running: &Running,
    lowering: &Lowering,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let explained = lowering.explain(&pair.active, &pair.at_active);
    let mut origins: BTreeMap<&ListKey, Vec<&Explained>> = BTreeMap::new();
    for line in &explained {
        for key in &line.out {
            origins.entry(key).or_default().push(line);
        }
    }
    let said = |key: &ListKey| running.said.get(key).map_or(0, |said| said.number);
    let bytes = lowering.wire_bytes();
    let wire = parse::text(&pair.active, pair.at_active.grammar(), &bytes, WalkUp::No);
    let keys: BTreeMap<usize, ListKey> = wire
        .into_iter()
        .filter_map(|statement| {
            let (_, words) = statement.found.ok()?;
            Some((statement.number, key_of(&statement.place, words.text())))
        })
        .collect();
    for (at, line) in String::from_utf8_lossy(&bytes).split_inclusive('\n').enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(key) = keys.get(&(at + 1)) {
            let from = origins.get(key).map_or(&[][..], Vec::as_slice);
            if from.is_empty() {
                writeln!(out, "{indent}! no line says it")?;
            }
            for line in from {
                let number = said(&line.key);
                writeln!(out, "{indent}! {file}:{number}  {}", provenance(pair, line))?;
            }
        }
        write!(out, "{line}")?;
    }
    let not_sent = explained.iter().filter_map(|line| match &line.way {
        LineDisposition::Stuck(cause) => Some((line, format!("stuck: {cause}"))),
        LineDisposition::DontCare { reason } => Some((line, format!("don't-care: {}", &**reason))),
        LineDisposition::AsIs | LineDisposition::Lowered { .. } | LineDisposition::Raised => None,
    });
    let refused = running.refused.iter();
    let refused = refused.map(|refused| {
        (refused.number, refused.line.clone(), format!("not taken: {}", refused.trouble))
    });
    let mut left: Vec<(usize, String, String)> = not_sent
        .map(|(line, why)| (said(&line.key), shown(&line.key), why))
        .chain(refused)
        .collect();
    left.sort();
    if !left.is_empty() {
        writeln!(out, "! not sent:")?;
    }
    for (number, line, why) in left {
        writeln!(out, "! {file}:{number}  {line}   {why}")?;
    }
    Ok(())
}

/// How a line of the running config came to be what is sent.
fn provenance(pair: &Pair, line: &Explained) -> String {
    match &line.way {
        LineDisposition::AsIs => "as it is".to_owned(),
        LineDisposition::Raised => "as it is, raised there".to_owned(),
        LineDisposition::Lowered { chain } if chain.is_empty() => shown(&line.key),
        LineDisposition::Lowered { chain } => {
            let steps: Vec<String> =
                chain.iter().map(|change| step(&pair.active, *change)).collect();
            format!("{}   ({})", shown(&line.key), steps.join(", "))
        }
        LineDisposition::DontCare { .. } | LineDisposition::Stuck(_) => {
            format!("a part of {}", shown(&line.key))
        }
    }
}
