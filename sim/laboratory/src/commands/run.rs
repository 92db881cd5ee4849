//! `skewlab run`: a campaign.

mod confirm_failures;
mod ndjson;
pub mod outcome;
mod shards;
mod shrink_failures;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use skewsync_sim::catalog::Catalog;
use skewsync_sim::exit;
use skewsync_sim::run::{Lockstep, Options};
use skewsync_sim::runner::HANGS_AFTER;

use super::drawn::{Drawn, Source};
use super::fresh_process;
use crate::campaign::{self, Campaign, Ends, Fingerprint, Ran, SeedResult, Summary};
use crate::interrupt;
use outcome::Outcome;

/// Runs seeds: each makes a plan, each plan a run of a pair in the simulated world.
///
/// Exit codes: 0 passed; 1 a safety property fails; 2 no convergence, or a run hangs; 3 panic; 4
/// non-determinism; 5 usage or harness; 6 a campaign of 10,000 seeds or more, with nothing asked
/// for by --pair, --only-faults, --mix, --planted or --config, left a cell of the table of faults
/// by phase, a situation or a pair of releases unmet without a reason (sim/FAULTS.md). Of several
/// the first of 4, 3, 1, 2, 5, 6.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many seeds; by default 1000, or what is missing in the summary that --resume names.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// The first seed; by default 0.
    #[arg(long)]
    pub from: Option<u64>,
    /// Only the i-th of n parts of the seeds, as in 2/4; `skewlab merge` adds the parts' summaries
    /// up.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<shards::Shard>,
    /// Where the summary is written, for `merge` and `--resume`: now and then, and at the end, also
    /// of a campaign that Ctrl-C or --for ends.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Goes on with the seeds that are missing in this summary, and adds to it. What else is asked
    /// for must be as it was.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// For how many seconds at most; seeds that were begun are ended.
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub lasts: Option<u64>,
    /// A seed that takes longer in real time hangs, and is given up.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = HANGS_AFTER.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..),
    )]
    pub limit: u64,
    /// How many runs at once; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// What the plans are to be like.
    #[command(flatten)]
    pub drawn: Drawn,
    /// How the outcome is told.
    #[command(flatten)]
    pub outcome: Outcome,
    /// Where one JSON object a line is written for each seed, in the order in which they end;
    /// --resume adds to it.
    #[arg(long, value_name = "FILE")]
    pub ndjson: Option<PathBuf>,
    /// Begins no further seed after the first that fails.
    #[arg(long)]
    pub fail_fast: bool,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
    /// Does not shrink the first failure of each signature.
    #[arg(long)]
    pub no_shrink: bool,
}

/// Runs the campaign; the exit code of `exit`.
///
/// # Errors
/// Wrong arguments, unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    args.outcome.prepare()?;
    let Source { catalog, wishes, notes } = args.drawn.source()?;
    for note in notes {
        let _ = writeln!(err, "skewlab: {note}");
    }
    let lockstep = if args.no_lockstep { Lockstep::Off } else { Lockstep::On };
    let options = Options { lockstep };
    let part = shards::part(args, &Fingerprint::new(&wishes, options, &catalog))?;
    let campaign = Campaign {
        seeds: part.seeds,
        limit: Duration::from_secs(args.limit),
        lasts: args.lasts.map(Duration::from_secs),
        jobs: args.jobs.map_or_else(processors, usize::from),
        wishes,
        options,
        ends: if args.fail_fast { Ends::AtFailure } else { Ends::Never },
    };
    let mut keeper = shards::Keeper::new(args);
    keeper.keep(&part.so_far)?;
    let mut lines = ndjson::Lines::new(args)?;
    interrupt::watch()?;
    let quiet = skewsync_sim::panic_hook::panics();
    let mut ran = with_progress(&campaign, &catalog, part.so_far, |ran, ended| {
        keeper.keep_now_and_then(&ran.summary);
        lines.write(ended);
    });
    // What follows may take a while, and be interrupted too; whether it is kept is asked at the
    // end.
    let _ = keeper.keep(&ran.summary);
    let confirmed = if fresh_process::is_possible() {
        confirm_failures::confirm(&mut ran, &campaign.runner(&catalog))
    } else {
        Ok(())
    };
    drop(quiet);
    let summary = &ran.summary;
    // What was found is said even if it cannot be kept.
    let kept = keeper.keep(summary);
    let told = args.outcome.tell(summary, &ran.failures, out, err);
    let dir = confirmed.and(kept).and(lines.end()).and(told)?;
    let mut code = summary.code();
    if !args.no_shrink {
        let with =
            shrink_failures::With { catalog: &catalog, options, jobs: campaign.jobs, dir: &dir };
        let told: &mut dyn Write = if args.outcome.json { err } else { out };
        if shrink_failures::firsts(&ran, &with, told)? > 0 {
            code = exit::graver(code, exit::NONDETERMINISM);
        }
    }
    if interrupt::interrupted() && summary.missing().count() > 0 {
        let _ = writeln!(err, "skewlab: interrupted");
        return Ok(exit::graver(code, exit::TRUNCATED));
    }
    Ok(code)
}

/// The processors of this machine.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn with_progress(
    campaign: &Campaign,
    catalog: &Arc<Catalog>,
    so_far: Summary,
    mut each: impl FnMut(&Ran, &SeedResult),
) -> Ran {
    if !std::io::stderr().is_terminal() {
        return campaign::run(campaign, catalog, so_far, each);
    }
    let before = so_far.seeds();
    let bar = indicatif::ProgressBar::new(campaign.seeds.count());
    let ran = campaign::run(campaign, catalog, so_far, |ran, ended| {
        each(ran, ended);
        let summary = &ran.summary;
        bar.set_position(summary.seeds() - before);
        let wall = summary.wall().as_secs_f64().max(1e-9);
        let faults: u64 = summary.counts.faults.values().sum();
        bar.set_message(format!(
            "{:.0} seeds/s, {:.1} virtual hours, {faults} faults, {} failed",
            summary.seeds() as f64 / wall,
            summary.virtual_us as f64 / 3.6e9,
            summary.failures(),
        ));
    });
    bar.finish_and_clear();
    ran
}
