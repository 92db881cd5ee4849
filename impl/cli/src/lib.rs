//! The commands of `skewsync`, as a library, so that tests call them in-process.

pub mod commands;
pub mod input;
pub mod pair;
pub mod running;
pub mod unseen;

use std::ffi::OsString;
use std::io::Write;

use clap::{Parser, Subcommand};

/// What a verb comes to; the number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked for is so.
    Ok = 0,
    /// What was asked for is not so: stuck lines, errors found.
    NotSo = 1,
    /// No line is stuck, and the Active's own image refuses some: nothing is known of these.
    Refused = 2,
    /// Lines are stuck, and the Active's own image refuses others.
    NotSoAndRefused = 3,
    /// Usage, or input that cannot be read.
    Usage = 5,
}

/// Configuration of redundant units that run different software versions.
#[derive(Debug, Parser)]
#[command(name = "skewsync", version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Images: build, check, try, import, list.
    #[command(subcommand)]
    Image(commands::image::Verb),
    /// Each line's form in a configuration file, or what is wrong with it.
    Parse(commands::parse::Args),
    /// What an image's parser makes of lines, each in its mode.
    Accepts(commands::accepts::Args),
    /// The CLI dump of an image.
    Dump(commands::dump::Args),
    /// The differences of two images: ADL and SDL.
    Diff(commands::diff::Args),
    Preview(commands::preview::Args),
    Translate(commands::translate::Args),
}

/// Runs one command line.
pub fn run<A>(args: A, out: &mut dyn Write, err: &mut dyn Write) -> Exit
where
    A: IntoIterator,
    A::Item: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            return said(write!(err, "{error}"), Exit::Usage);
        }
        Err(help) => return said(write!(out, "{help}"), Exit::Ok),
    };
    let result = match cli.verb {
        Verb::Image(verb) => commands::image::run(&verb, out),
        Verb::Parse(args) => commands::parse::run(&args, out),
        Verb::Accepts(args) => commands::accepts::run(&args, out),
        Verb::Dump(args) => commands::dump::run(&args, out),
        Verb::Diff(args) => commands::diff::run(&args, out),
        Verb::Preview(args) => commands::preview::run(&args, out),
        Verb::Translate(args) => commands::translate::run(&args, out, err),
    };
    match result {
        Ok(exit) => exit,
        Err(error) => said(writeln!(err, "skewsync: {error}"), Exit::Usage),
    }
}

/// A number with its noun.
pub(crate) fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// A reader that went away is no failure of ours.
fn said(written: std::io::Result<()>, exit: Exit) -> Exit {
    written.map_or(exit, |()| exit)
}
