//! `skewlab situations`: what each situation means, and the seed that met it.

use std::io::Write;

use crate::situation::Situation;

/// Says what each situation means.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Prints them.
///
/// # Errors
/// If it cannot write.
pub fn run(_: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    for situation in Situation::ALL {
        writeln!(
            out,
            "{:<22}{}",
            situation.name(),
            situation.meaning().trim()
        )
        .map_err(|error| format!("cannot write: {error}"))?;
    }
    Ok(crate::exit::PASSED)
}
