//! The verbs of `skewlab`, one file each. Each is a library function, so that tests call it in-process.

pub mod check;
pub mod planted;
pub mod replay;
pub mod run;
pub mod situations;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::exit;

/// The laboratory of skewsync: the engine in a deterministic world.
#[derive(Debug, Parser)]
#[command(name = "skewlab", version)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Args),
    Check(check::Args),
    Replay(replay::Args),
    Situations(situations::Args),
    Planted(planted::Args),
}

/// Does what the arguments say; the first is the program's name.
pub fn run(args: &[String], out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            let helps = !error.use_stderr();
            let to: &mut dyn Write = if helps { out } else { err };
            let _ = write!(to, "{}", error.render());
            return ExitCode::from(if helps { exit::PASSED } else { exit::USAGE });
        }
    };
    let done = match args.verb {
        Verb::Run(args) => run::run(&args, out, err),
        Verb::Check(args) => check::run(&args, out, err),
        Verb::Replay(args) => replay::run(&args, out, err),
        Verb::Situations(args) => situations::run(&args, out, err),
        Verb::Planted(args) => planted::run(&args, out, err),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(err, "skewlab: {error}");
            ExitCode::from(exit::USAGE)
        }
    }
}
