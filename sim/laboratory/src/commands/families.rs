//! `skewlab families`: a drawn family, for a person to read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use skewsync_families::{Context, Drawn, Operator, Rng};
use skewsync_sim::catalog::drawn;
use skewsync_sim::exit;
use skewsync_sim::plan::{Plan, What};
use strum::IntoEnumIterator as _;

use super::{files, mistakes};
use crate::draw::{self, DrawOptions, runs_on_drawn};

/// What is met fewer times in so many seeds is rare.
const OFTEN: u64 = 100;
const SEEDS: u64 = 100_000;
/// Commands that make the config.
const COMMANDS: usize = 16;

/// Writes the family of a seed, or of a name that a plan has: its files, commands of its last
/// release with the config that they make, and what of it must arrive on each other release.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The seed, or a name such as `drawn-7.s3`.
    pub family: String,
    /// The folder in which it is written; by default it is printed.
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Counts the edits of the drawn families of a campaign of so many seeds instead, from this
    /// seed on, by where they are met.
    #[arg(long, value_name = "N", conflicts_with = "out")]
    pub count: Option<u64>,
    /// Judges so many families from this seed on instead, each with a mistake in it and as it was
    /// drawn: whether `image check` refuses it, and if not, whether what arrives is what was meant.
    #[arg(long, value_name = "N", conflicts_with_all = ["out", "count"])]
    pub mistakes: Option<u64>,
}

/// Draws the family and writes it; the exit code of `exit`. Of mistakes it is that of a safety
/// property that fails, if a family as it was drawn is not accepted, or does not arrive.
///
/// # Errors
/// What cannot be written, in words.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let cannot = |error: std::io::Error| format!("cannot write: {error}");
    let seed = args.family.parse::<u64>();
    let no_seed = || format!("`{}` is no seed to count from", args.family);
    if let Some(count) = args.count {
        let seed = seed.map_err(|_| no_seed())?;
        write!(out, "{}", table(seed, count)).map_err(cannot)?;
        return Ok(exit::PASSED);
    }
    if let Some(count) = args.mistakes {
        let seed = seed.map_err(|_| no_seed())?;
        let (text, is_sound) = mistakes::told(seed, count, super::run::processors());
        write!(out, "{text}").map_err(cannot)?;
        return Ok(if is_sound { exit::PASSED } else { exit::SAFETY });
    }
    let drawn = match seed {
        Ok(seed) => Drawn::from_seed(seed),
        Err(_) => args
            .family
            .parse()
            .map_err(|_| format!("`{}` is no seed, and no name of a drawn family", args.family))?,
    };
    for (name, text) in told(&drawn) {
        match &args.out {
            Some(folder) => drop(files::keep(folder, &name, &text)?),
            None => write!(out, "== {name}\n{text}\n").map_err(cannot)?,
        }
    }
    Ok(exit::PASSED)
}

/// Where a change is met: the contexts of its edit, and one of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Edit(Context),
    /// Between the releases of the two units, in a plan with a switchover.
    Switchover,
}

/// Cells that are rare or empty, with the reason.
const RARE: &[(&[Operator], &[Context], &str)] = &[
    (
        &[Operator::Polarity, Operator::Default],
        &[Context::Keyed, Context::Ordered],
        "what absence says can be told of lines without a key alone",
    ),
    (&[Operator::Key], &[Context::Ordered], "a line of a list has its whole key"),
    (
        &[Operator::Factory, Operator::State],
        &[Context::Ordered],
        "a list has what was entered, in that order",
    ),
    (
        &[Operator::Refuse],
        &[Context::Ordered],
        "what needs others comes behind them, wherever a list has it",
    ),
    (
        &[Operator::Share],
        &[Context::Keyed, Context::Ordered],
        "of lines without a key; `half` has those with one",
    ),
    (
        &[Operator::Half, Operator::Choice, Operator::Copies],
        &[Context::Ordered],
        "an entry of a list comes of an entry, or of the words of a line",
    ),
    (
        &[Operator::Entry, Operator::Leaf],
        &[Context::Global, Context::Keyed, Context::Ordered],
        "it is of a mode, and no line",
    ),
    (
        &[Operator::Gone],
        &[Context::Global, Context::ThirdInChain],
        "it is of a mode, and goes once",
    ),
    (
        &[Operator::New, Operator::DontCare],
        &[Context::ThirdInChain],
        "what is new was not changed before",
    ),
];

/// A row a kind of change, a column where it is met: so many edits of the drawn families of a
/// campaign of so many seeds.
fn table(from: u64, count: u64) -> String {
    let wishes = DrawOptions::default();
    let mut counts: BTreeMap<(Operator, Column), u64> = BTreeMap::new();
    let seeds = (from..from.saturating_add(count)).filter(|seed| runs_on_drawn(*seed, &wishes));
    for seed in seeds {
        let family = Drawn::from_seed(seed);
        for edit in family.edits() {
            for context in &edit.contexts {
                *counts.entry((edit.operator, Column::Edit(*context))).or_default() += 1;
            }
        }
        let plan = draw::plan(seed, &wishes);
        let switches = plan
            .commands
            .iter()
            .any(|entry| matches!(entry.what, What::Switchover | What::ForcedSwitchover));
        let released = |slot: usize| drawn::family(&plan.units[slot].image).map(|(_, of)| of);
        if let (Some(one), Some(other), true) = (released(0), released(1), switches) {
            for edit in family.edits_between(one, other) {
                *counts.entry((edit.operator, Column::Switchover)).or_default() += 1;
            }
        }
    }
    told_counts(&counts, count)
}

/// The table, and what is rare in it.
fn told_counts(counts: &BTreeMap<(Operator, Column), u64>, seeds: u64) -> String {
    let columns: Vec<Column> =
        Context::iter().map(Column::Edit).chain([Column::Switchover]).collect();
    let name = |column: &Column| match column {
        Column::Edit(context) => context.to_string(),
        Column::Switchover => "switchover".to_owned(),
    };
    let cell = |text: String| format!("{text:>16}");
    let heads: String = columns.iter().map(|column| cell(name(column))).collect();
    let mut text = format!("{:<12}{heads}\n", "edits");
    let mut rare = String::new();
    for operator in Operator::iter() {
        let of = |column: &Column| counts.get(&(operator, *column)).copied().unwrap_or_default();
        let row: String = columns.iter().map(|column| cell(of(column).to_string())).collect();
        text.push_str(&format!("{:<12}{row}\n", operator.to_string()));
        for column in columns.iter().filter(|column| of(column) * SEEDS < OFTEN * seeds) {
            let why = RARE.iter().find(|(rare, contexts, _)| {
                let is_it = |context: &Context| Column::Edit(*context) == *column;
                rare.contains(&operator) && contexts.iter().any(is_it)
            });
            let why = why.map_or("nobody said why", |(_, _, why)| why);
            rare.push_str(&format!("  {operator}, {}: {why}\n", name(column)));
        }
    }
    if !rare.is_empty() {
        text.push_str(&format!("fewer than {OFTEN} in {SEEDS} seeds:\n{rare}"));
    }
    text
}

/// What is told of a family, as files.
fn told(drawn: &Drawn) -> Vec<(String, String)> {
    let mut files = drawn.files();
    let edits = drawn.edits().iter().map(|edit| {
        let contexts: Vec<String> = edit.contexts.iter().map(Context::to_string).collect();
        format!("{}: {}\n", edit.operator, contexts.join(", "))
    });
    files.push(("edits.txt".to_owned(), edits.collect()));
    let last = drawn.releases().len() - 1;
    let name = |release: usize| &drawn.releases()[release].name;
    let (mut meaning, mut rng) = (drawn.blank(), Rng::new(0, 0));
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

/// Writes the drawn family on which a plan runs beside it: the folder; none: it runs on none.
///
/// # Errors
/// What cannot be written, in words.
pub(super) fn beside(plan: &Plan, path: &Path) -> Result<Option<PathBuf>, String> {
    let Some((family, _)) = drawn::family(&plan.units[0].image) else {
        return Ok(None);
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder = path.with_file_name(format!("{stem}-family"));
    for (name, text) in family.files() {
        files::keep(&folder, &name, &text)?;
    }
    Ok(Some(folder))
}
