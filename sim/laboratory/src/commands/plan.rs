//! `skewlab plan`: the plan of a seed.

use std::io::Write;
use std::path::PathBuf;

use skewsync_sim::exit;

use super::drawn::{Drawn, Source};
use super::files;
use crate::draw;

/// Writes the plan of a seed, to read, to edit and to replay.
///
/// With the same arguments `skewlab run` draws the same plan, and `skewlab replay` makes the same
/// run of it; what the run never meets, `replay` tells as drift. A plan with one event more or less
/// shares all that comes before it.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The seed.
    pub seed: u64,
    /// What the plan is to be like.
    #[command(flatten)]
    pub drawn: Drawn,
    /// Where it is written; by default it is printed.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Draws the plan and writes it; the exit code of `exit`.
///
/// # Errors
/// Wrong arguments, unreadable input, what cannot be written, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    let Source { wishes, notes, .. } = args.drawn.source()?;
    for note in notes {
        let _ = writeln!(err, "skewlab: {note}");
    }
    let plan = draw::plan(args.seed, &wishes).write();
    match &args.out {
        Some(path) => files::write(path, &plan)?,
        None => write!(out, "{plan}").map_err(|error| format!("cannot write: {error}"))?,
    }
    Ok(exit::PASSED)
}
