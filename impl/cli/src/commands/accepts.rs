//! `skewsync accepts`: what an image's parser makes of lines, each in its mode.

use std::io::Write;
use std::path::PathBuf;

use skewsync::parse::{self, LineError, WalkUp};

use crate::Exit;
use crate::input::{self, CONFIG_BYTES_MAX, InputError};

/// Writes `mode<TAB>line<TAB>outcome` for rows of `mode<TAB>line`; the outcome is one of match,
/// no-match, ambiguous, incomplete.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Try a line that its mode does not know in the modes around it.
    #[arg(long)]
    walk_up: bool,
    /// The image: a file, or `meridian@6.2`.
    image: String,
    /// The rows, a header first; further columns are ignored.
    lines: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, InputError> {
    let image = input::image(&args.image)?;
    let walk_up = if args.walk_up { WalkUp::Yes } else { WalkUp::No };
    let text = input::text(&args.lines, CONFIG_BYTES_MAX)?;
    if text.is_empty() {
        return Err(InputError::Row {
            path: args.lines.clone(),
            line: 1,
            message: "empty; a header row comes first, then rows of `mode<TAB>line`".to_owned(),
        });
    }
    for (at, row) in text.lines().enumerate().skip(1).filter(|(_, row)| !row.is_empty()) {
        let mut columns = row.split('\t');
        let (Some(mode), Some(line)) = (columns.next(), columns.next()) else {
            let message = "not `mode<TAB>line`".to_owned();
            return Err(InputError::Row { path: args.lines.clone(), line: at + 1, message });
        };
        let found = parse::line_in(&image, image.own(), mode, line, walk_up);
        writeln!(out, "{mode}\t{line}\t{}", outcome(found.as_ref().err()))?;
    }
    Ok(Exit::Ok)
}

const fn outcome(trouble: Option<&LineError>) -> &'static str {
    match trouble {
        None => "match",
        Some(LineError::Ambiguous { .. }) => "ambiguous",
        Some(LineError::Incomplete { .. }) => "incomplete",
        Some(
            LineError::NoMatch { .. }
            | LineError::UnknownMode { .. }
            | LineError::Binary { .. }
            | LineError::TooLong { .. }
            | LineError::Alias { .. }
            | LineError::Refused { .. }
            | LineError::Needed { .. }
            | LineError::Unending { .. }
            | LineError::TextTooLong { .. }
            | LineError::BehindText { .. }
            | LineError::SeveralLines,
        ) => "no-match",
    }
}
