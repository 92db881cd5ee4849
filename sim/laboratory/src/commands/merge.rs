//! `skewlab merge`: the summaries of parts become the summary of the whole.

use std::io::Write;
use std::path::PathBuf;

use crate::campaign::{Summary, file};
use crate::commands::run::outcome::Outcome;

/// Adds up summaries that `run --summary` wrote: of other seeds, of the same runs, by laboratories
/// of the same sources.
///
/// Exit codes are those of `run` on all their seeds; 5 if they cannot be added up.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The summaries.
    #[arg(required = true, value_name = "FILES")]
    pub parts: Vec<PathBuf>,
    /// Where the summary of the whole is written.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// How the outcome is told.
    #[command(flatten)]
    pub outcome: Outcome,
}

/// Adds them up; the exit code of `exit`.
///
/// # Errors
/// A file that cannot be read, or that does not go with those before it, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    args.outcome.prepare()?;
    let mut whole = Summary::default();
    for path in &args.parts {
        let part = file::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        whole.merge(&part).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if let Some(path) = &args.summary {
        file::write(path, &whole).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    args.outcome.tell(&whole, &[], out, err)?;
    Ok(whole.code())
}
