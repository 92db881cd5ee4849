//! `skewsync parse`: each line's form, or what is wrong with it.

use std::io::Write;
use std::path::PathBuf;

use skewsync::parse::{self, Mark, WalkUp};

use crate::input::{self, InputError};
use crate::{Exit, unseen};

/// Each line's form in a configuration file, or what is wrong with it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image: a file, or `meridian@6.2`.
    image: String,
    /// The configuration.
    config: PathBuf,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, InputError> {
    let image = input::image(&args.image)?;
    let file = input::config(&args.config)?;
    if file.mark == Mark::Skipped {
        writeln!(out, "{}: {}", args.config.display(), file.mark)?;
    }
    let lines: Vec<&[u8]> = file.text.split(|byte| *byte == b'\n').collect();
    let mut wrong = 0;
    for statement in parse::text(&image, image.own(), &file.text, WalkUp::Yes) {
        let at = format!("{}:{}", args.config.display(), statement.number);
        let mode = image.mode_name(statement.place.mode(&image));
        match &statement.found {
            Ok((form, words)) => {
                writeln!(out, "{at}: {mode}: {words}   {}", image.form(*form).form.text())?;
            }
            Err(trouble) => {
                wrong += 1;
                let line = String::from_utf8_lossy(lines[statement.number - 1]);
                let remark = unseen::remarks(&line).join("; ");
                let between = if remark.is_empty() { "" } else { "; it has " };
                writeln!(out, "{at}: {trouble}{between}{remark}")?;
            }
        }
    }
    Ok(if wrong == 0 { Exit::Ok } else { Exit::NotSo })
}
