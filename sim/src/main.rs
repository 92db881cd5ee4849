//! `skewlab`: the laboratory.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    skewsync_sim::verbs::run(&args, &mut std::io::stdout(), &mut std::io::stderr())
}
