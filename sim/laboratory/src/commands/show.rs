//! `skewlab show`: the picture of any run.

use std::io::Write;
use std::path::{Path, PathBuf};

use maud::{PreEscaped, html};
use skewsync_sim::record::cone;
use skewsync_sim::run::{Lockstep, Options};
use skewsync_sim::runner::{Failed, HANGS_AFTER, Runner};

use super::files;
use crate::draw::{self, DrawOptions};
use crate::loaded_plan::LoadedPlan;
use crate::report::page;
use crate::report::picture::{Picture, lanes, svg};

/// Shows the picture of a run in space and time, a passing one too.
///
/// Exits with 0 whatever the run established: `replay` judges.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A seed, as `run` draws it by default, or the file of a plan.
    #[arg(value_name = "SEED|PLAN")]
    pub what: String,
    /// Rows at most, the last ones; what is left out are renewals, keepalives and writes.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: u32,
    /// Draws it to this folder too, as `show.html`.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Shows the run.
///
/// # Errors
/// Unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let plan = match args.what.parse() {
        Ok(seed) => draw::plan(seed, &DrawOptions::default()),
        Err(_) => files::read(Path::new(&args.what))?,
    };
    let made = LoadedPlan::load(plan)?;
    let options = Options { lockstep: Lockstep::Off };
    let quiet = skewsync_sim::panic_hook::panics();
    let ran = Runner::new(&made.catalog, options).within(HANGS_AFTER).recorded(&made.plan, None);
    drop(quiet);
    let (report, recording) = ran.map_err(Failed::words)?;
    let all = (0..recording.entries.len()).collect();
    let shown = cone::telling(&recording.entries, &all, args.rows as usize);
    let broken = recording.violated_at.and_then(|_| recording.last_of_interest());
    let picture = Picture::from_entries(&recording.entries, &shown, broken);
    let verdict = report.verdict.words();
    let entries = recording.entries.len();
    let words = format!(
        "{}: {verdict}; {:.3} virtual s; {} rows of {entries} entries",
        recording.images.join(" and "),
        report.virtual_us as f64 / 1e6,
        picture.rows.len(),
    );
    let unwritten = |error: std::io::Error| format!("cannot write: {error}");
    write!(out, "{words}\n\n{}", lanes::text(&picture)).map_err(unwritten)?;
    if let Some(dir) = &args.out {
        let title = format!("skewlab show {}", args.what);
        let body = html! {
            style { (PreEscaped(svg::STYLE)) }
            h1 { (title) }
            p { (words) "." }
            (svg::markup(&picture, &words))
        };
        let at = files::keep(dir, "show.html", &page::page(&title, body))?;
        writeln!(out, "picture: {}", at.display()).map_err(unwritten)?;
    }
    Ok(skewsync_sim::exit::PASSED)
}
