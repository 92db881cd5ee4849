//! `skewsync preview`: what of a running config reaches the facing image.

mod judged;
mod suggest;

use std::io::Write;
use std::path::PathBuf;

pub use judged::{Absent, Changed, DontCare, NotTaken, Overwritten, Preview, Remark, Stuck};
pub(super) use judged::{not_raised, step};
use skewsync::parse::Mark;

use crate::input::{self, InputError};
use crate::pair::Pair;
use crate::{Exit, counted};

/// What of a running config on A reaches B: counts, and the lines that are stuck, with their
/// places, the reasons, and what would go.
///
/// Exits with 0 when no line is stuck, with 1 when one is. Lines that A itself does not take are
/// reported apart and are in no count; they add 2 to the exit code. A config of which A takes no
/// line is an error: exit code 5.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The Active's image: a file, or `meridian@6.2`.
    active: String,
    /// The Standby's image.
    standby: String,
    /// The running config; several, or folders of them, are looked at one by one.
    #[arg(required = true)]
    configs: Vec<PathBuf>,
    /// One JSON object a config instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, InputError> {
    let pair = Pair::load(&args.active, &args.standby)?;
    let files = input::files(&args.configs)?;
    let (mut looked_at, mut stuck, mut refused) = (0, 0, 0);
    let mut nothing_taken = None;
    for (number, file) in files.iter().enumerate() {
        let config = input::config(file)?;
        let mut preview = Preview::new(&pair, &file.display().to_string(), &config.text);
        preview.byte_order_mark_skipped = config.mark == Mark::Skipped;
        suggest::suggest(&pair, &config.text, &mut preview);
        looked_at += preview.lines;
        stuck += preview.stuck.len();
        refused += preview.not_taken.len();
        if preview.taken == 0 && nothing_taken.is_none() {
            nothing_taken = Some(InputError::NothingTaken {
                path: file.clone(),
                image: preview.active.clone(),
                refused: preview.not_taken.len(),
            });
        }
        if args.json {
            serde_json::to_writer(&mut *out, &preview).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            if number > 0 {
                writeln!(out)?;
            }
            write(&preview, out)?;
        }
    }
    if files.len() > 1 && !args.json {
        let lines = counted(looked_at, "line", "lines");
        let refused = match refused {
            0 => String::new(),
            count => format!(", {count} not taken"),
        };
        writeln!(out, "\n{} configs: {lines}, {stuck} stuck{refused}", files.len())?;
    }
    match (nothing_taken, stuck, refused) {
        (Some(error), _, _) => Err(error),
        (None, 0, 0) => Ok(Exit::Ok),
        (None, _, 0) => Ok(Exit::NotSo),
        (None, 0, _) => Ok(Exit::Refused),
        (None, _, _) => Ok(Exit::NotSoAndRefused),
    }
}

/// A line with its place and its mode: the first column of every list.
fn placed(preview: &Preview, line: usize, at: &str, text: &str) -> String {
    let within = if at.is_empty() { text.to_owned() } else { format!("{at} / {text}") };
    format!("{}:{line}  {within}", preview.config)
}

fn write(preview: &Preview, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{} on {}, facing {}:   {}",
        preview.config,
        preview.active,
        preview.standby,
        counted(preview.lines, "line", "lines")
    )?;
    writeln!(
        out,
        "  {} as they are   {} lowered   {} raised   {} don't-care   {} stuck",
        preview.as_is,
        preview.lowered.len(),
        preview.raised.len(),
        preview.dont_care.len(),
        preview.stuck.len()
    )?;
    if preview.byte_order_mark_skipped {
        writeln!(out, "  {}", Mark::Skipped)?;
    }
    if preview.said_again > 0 {
        let one = "more says again, or undoes, what other lines say";
        let more = "more say again, or undo, what other lines say";
        writeln!(out, "  {}", counted(preview.said_again, one, more))?;
    }
    if preview.keys_unknown {
        let told = "an imported command set knows no keys and no defaults: of lines that replace \
                    each other all are kept, in their order";
        writeln!(out, "  {told}")?;
    }
    if preview.unsaid_by_overlay > 0 {
        let one = "line of a form of which the overlay says nothing: it is kept in its order";
        let more = "lines of forms of which the overlay says nothing: they are kept in their order";
        writeln!(out, "  {}", counted(preview.unsaid_by_overlay, one, more))?;
    }
    let stuck = preview.stuck.iter().map(|stuck| {
        let first = placed(preview, stuck.line, &stuck.at, &stuck.text);
        let instead = stuck.instead.iter().map(|line| format!("   try: {line}"));
        let instead: String = instead.collect();
        let form = format!("form: {}", stuck.form);
        [first, format!("{}{instead}", stuck.why), form]
    });
    list(out, "stuck", stuck)?;
    let lowered = preview.lowered.iter();
    list(out, "lowered", lowered.map(|change| changed(preview, change)))?;
    let absent = preview.absent.iter();
    let absent = absent.map(|absent| {
        let how = if absent.there { "made there as" } else { "sent as" };
        [format!("(absent)  {how} `{}`", absent.text)]
    });
    list(out, "said by no line here, and by a line there", absent)?;
    let raised = preview.raised.iter().map(|raised| {
        let first = placed(preview, raised.line, &raised.at, &raised.text);
        [first, format!("({})", raised.steps.join(", "))]
    });
    list(out, "raised there", raised)?;
    let dont_care = preview.dont_care.iter().map(|line| {
        let first = placed(preview, line.line, &line.at, &line.text);
        [first, line.reason.clone()]
    });
    list(out, "don't-care", dont_care)?;
    let overwritten = preview.overwritten.iter().map(|line| {
        let first = placed(preview, line.line, "", &line.text);
        [first, format!("by {}", placed(preview, line.by_line, "", &line.by))]
    });
    list(out, "overwritten, or taken away, by a later line", overwritten)?;
    let remarks = preview.remarks.iter().map(|line| {
        let first = format!("{}:{}  {}", preview.config, line.line, line.text);
        [first, line.what.clone()]
    });
    list(out, "taken as written, with something that is easily overlooked", remarks)?;
    let not_taken = preview.not_taken.iter().map(|line| {
        let first = format!("{}:{}  {}", preview.config, line.line, line.text);
        [first, line.why.clone()]
    });
    let heading = format!("not taken by {} itself, and in no count", preview.active);
    list(out, &heading, not_taken)
}

fn changed(preview: &Preview, change: &Changed) -> [String; 2] {
    let into = change.into.join(" + ");
    let becomes = match (into.is_empty(), change.steps.is_empty()) {
        (false, _) => into,
        (true, true) => "told by what is in it".to_owned(),
        (true, false) => "(absent): what no line says there is that".to_owned(),
    };
    let first = placed(preview, change.line, &change.at, &change.text);
    let steps = change.steps.join(", ");
    let steps = if steps.is_empty() { steps } else { format!("   ({steps})") };
    [first, format!("->  {becomes}{steps}")]
}

/// A list under its heading, the columns aligned; the third stands on a line of its own.
fn list<const N: usize>(
    out: &mut dyn Write,
    heading: &str,
    rows: impl Iterator<Item = [String; N]>,
) -> std::io::Result<()> {
    /// Beyond it the second column is not aligned.
    const WIDTH_MAX: usize = 72;
    let rows: Vec<[String; N]> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}:")?;
    let widths = rows.iter().map(|row| row[0].chars().count());
    let width = widths.filter(|width| *width <= WIDTH_MAX).max().unwrap_or(0);
    for row in &rows {
        match row.as_slice() {
            [first, second, rest @ ..] => {
                writeln!(out, "  {first:width$}   {second}")?;
                for more in rest {
                    writeln!(out, "      {more}")?;
                }
            }
            all => writeln!(out, "  {}", all.concat())?,
        }
    }
    Ok(())
}
