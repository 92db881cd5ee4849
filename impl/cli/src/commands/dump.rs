//! `skewsync dump`: the CLI dump of an image.

use std::io::Write;

use skewsync::dump::Dump;

use crate::Exit;
use crate::input::{self, InputError};

/// The CLI dump of an image: mode, form, component, level, key, separated by tabs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The image: a file, or `meridian@6.2`.
    image: String,
}

/// Runs the verb.
///
/// # Errors
/// See [`InputError`].
pub fn run(args: &Args, out: &mut dyn Write) -> Result<Exit, InputError> {
    let image = input::image(&args.image)?;
    out.write_all(Dump::from_image(&image).encode().as_bytes())?;
    Ok(Exit::Ok)
}
