//! `skewlab planted`: the planted defects.

use std::io::Write;

use skewsync::planted::Defect;

/// Prints the names of the planted defects, one a line.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {}

/// Prints them.
///
/// # Errors
/// If it cannot write.
pub fn run(_: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    for defect in Defect::ALL {
        writeln!(out, "{}", defect.name()).map_err(|error| format!("cannot write: {error}"))?;
    }
    Ok(crate::exit::PASSED)
}
