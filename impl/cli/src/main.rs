//! `skewsync`: the operator's commands.

use std::io::{BufWriter, Write, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = BufWriter::new(stdout().lock());
    let exit = skewsync_cli::run(std::env::args_os(), &mut out, &mut stderr().lock());
    // A reader that went away is no failure of ours.
    match out.flush() {
        Ok(()) | Err(_) => ExitCode::from(exit as u8),
    }
}
