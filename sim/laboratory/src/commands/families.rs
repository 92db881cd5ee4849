//! `skewlab families`: a drawn family, for a person to read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use skewsync_families::{Context, Drawn, Operator, Rng};
use skewsync_sim::exit;
use strum::IntoEnumIterator as _;

use super::files;

/// Commands that make the config.
const COMMANDS: usize = 16;

/// Writes the family of a seed: its files, commands of its last release with the config that they
/// make, and what of it must arrive on each other release.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The seed.
    pub seed: u64,
    /// The folder in which it is written; by default it is printed.
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Counts the edits of so many families from this seed on instead, by where they are made.
    #[arg(long, value_name = "N", conflicts_with = "out")]
    pub count: Option<u64>,
}

/// Draws the family and writes it; the exit code of `exit`.
///
/// # Errors
/// What cannot be written, in words.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let cannot = |error: std::io::Error| format!("cannot write: {error}");
    if let Some(count) = args.count {
        write!(out, "{}", table(args.seed, count)).map_err(cannot)?;
        return Ok(exit::PASSED);
    }
    for (name, text) in told(args.seed) {
        match &args.out {
            Some(folder) => drop(files::keep(folder, &name, &text)?),
            None => write!(out, "== {name}\n{text}\n").map_err(cannot)?,
        }
    }
    Ok(exit::PASSED)
}

/// A row an operator, a column a context: so many edits of so many families.
fn table(seed: u64, count: u64) -> String {
    let mut counts: BTreeMap<(Operator, Context), u64> = BTreeMap::new();
    for seed in seed..seed.saturating_add(count) {
        for edit in Drawn::from_seed(seed).edits() {
            for context in &edit.contexts {
                *counts.entry((edit.operator, *context)).or_default() += 1;
            }
        }
    }
    let cell = |text: String| format!("{text:>16}");
    let heads: String = Context::iter().map(|context| cell(context.to_string())).collect();
    let mut text = format!("{:<12}{heads}\n", "edits");
    for operator in Operator::iter() {
        let of = |context| counts.get(&(operator, context)).copied().unwrap_or_default();
        let row: String = Context::iter().map(|context| cell(of(context).to_string())).collect();
        text.push_str(&format!("{:<12}{row}\n", operator.to_string()));
    }
    text
}

/// What is told of a family, as files.
fn told(seed: u64) -> Vec<(String, String)> {
    let drawn = Drawn::from_seed(seed);
    let mut files = drawn.files();
    let edits = drawn.edits().iter().map(|edit| {
        let contexts: Vec<String> = edit.contexts.iter().map(Context::to_string).collect();
        format!("{}: {}\n", edit.operator, contexts.join(", "))
    });
    files.push(("edits.txt".to_owned(), edits.collect()));
    let last = drawn.releases().len() - 1;
    let name = |release: usize| &drawn.releases()[release].name;
    let (mut meaning, mut rng) = (drawn.blank(), Rng::new(seed, 0));
    let commands: String =
        (0..COMMANDS).map(|_| drawn.command(last, &mut meaning, &mut rng)).collect();
    files.push((format!("commands-on-{}.txt", name(last)), commands));
    files.push((format!("config-on-{}.conf", name(last)), drawn.write(last, &meaning)));
    for release in 0..last {
        let arrival = drawn.arrival(last, release, &meaning);
        files.push((format!("arrives-on-{}.conf", name(release)), arrival.text));
        let listed = arrival.listed.into_iter().map(|((path, line), _)| {
            let between = if path.is_empty() { "" } else { " / " };
            format!("{path}{between}{line}\n")
        });
        files.push((format!("listed-facing-{}.txt", name(release)), listed.collect()));
    }
    files
}
