//! `skewlab run`: a campaign.

mod afresh;
mod parts;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use skewsync::parse::{self, WalkUp};

use crate::campaign::{self, Campaign, Ends, HANGS_AFTER, Kind, Ran, Summary};
use crate::draw::{Mix, Wishes};
use crate::exit;
use crate::interrupt;
use crate::plan::fault::FAULT_KINDS;
use crate::report;
use crate::run::{Lockstep, Options};
use crate::stock::{self, Stock};

/// Runs seeds: each makes a plan, each plan a run of a pair in the simulated world.
///
/// Exit codes: 0 passed; 1 a safety property fails; 2 no convergence, or a run hangs; 3 panic; 4 non-determinism; 5 usage
/// or harness; 6 a campaign of 10,000 seeds or more, with nothing asked for by --pair, --only-faults, --mix, --planted or --config,
/// left a cell of the table of faults by phase, a situation or a pair of releases unmet without a reason
/// (sim/FAULTS.md). Of several the first of 4, 3, 1, 2, 5, 6.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// How many seeds; by default 1000, or what is missing in the summary that --resume names.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: Option<u64>,
    /// The first seed; by default 0.
    #[arg(long)]
    pub from: Option<u64>,
    /// Only the i-th of n parts of the seeds, as in 2/4; `skewlab merge` adds the parts' summaries up.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<parts::Shard>,
    /// Where the summary is written, for `merge` and `--resume`: now and then, and at the end, also of a campaign that
    /// Ctrl-C or --for ends.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Goes on with the seeds that are missing in this summary, and adds to it. What else is asked for must be as it was.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// For how many seconds at most.
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub lasts: Option<u64>,
    /// How many runs at once; by default one per processor.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Only this ordered pair of releases, Active's first: `6.0:6.2`, or two images.
    #[arg(long, value_name = "A:B", conflicts_with_all = ["active", "standby"])]
    pub pair: Option<String>,
    /// Only these kinds of faults, separated by commas; `none` for none.
    #[arg(long, value_name = "KINDS")]
    pub only_faults: Option<String>,
    /// How much goes wrong.
    #[arg(long, value_enum, default_value_t)]
    pub mix: Mix,
    /// Where plans of failing seeds are written; by default a new folder among the temporary files.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Begins no further seed after the first that fails.
    #[arg(long)]
    pub fail_fast: bool,
    /// Plants a defect (needs a build with the feature `planted`).
    #[arg(long, value_name = "NAME")]
    pub planted: Option<String>,
    /// The image of slot 0.
    #[arg(long, value_name = "IMAGE", requires = "standby")]
    pub active: Option<String>,
    /// The image of slot 1.
    #[arg(long, value_name = "IMAGE", requires = "active")]
    pub standby: Option<String>,
    /// The config with which slot 0 starts.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Does not hold the steps against the model.
    #[arg(long)]
    pub no_lockstep: bool,
}

/// Runs the campaign; the exit code of `exit`.
///
/// # Errors
/// Wrong arguments, unreadable input, in words.
pub fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, String> {
    if let Some(dir) = &args.out {
        let words = |error: std::io::Error| format!("--out {}: {error}", dir.display());
        std::fs::create_dir_all(dir).map_err(words)?;
    }
    let (stock, wishes) = made_of(args)?;
    if let (Some(path), Some(left_out)) = (&args.config, left_out(&stock, &wishes)) {
        let _ = writeln!(err, "skewlab: {}: {left_out}", path.display());
    }
    stock
        .planted(args.planted.as_deref())
        .map_err(|error| error.to_string())?;
    let lockstep = if args.no_lockstep {
        Lockstep::Off
    } else {
        Lockstep::On
    };
    let options = Options { lockstep };
    let part = parts::part(args, &Kind::of(&wishes, options, &stock))?;
    let campaign = Campaign {
        seeds: part.seeds,
        limit: HANGS_AFTER,
        lasts: args.lasts.map(Duration::from_secs),
        jobs: args.jobs.map_or_else(processors, usize::from),
        wishes,
        options,
        ends: if args.fail_fast {
            Ends::AtFailure
        } else {
            Ends::Never
        },
    };
    let mut keeper = parts::Keeper::new(args);
    keeper.keep(&part.so_far)?;
    interrupt::watch()?;
    let quiet = crate::quiet::panics();
    let mut ran = with_progress(&campaign, &stock, part.so_far, &mut keeper);
    if runs_alone() {
        afresh::confirm(&mut ran, &stock, campaign.options)?;
    }
    drop(quiet);
    let kept = keeper.keep(&ran.summary);
    let write = |error: std::io::Error| format!("cannot write: {error}");
    let summary = &ran.summary;
    // What was found is said even if it cannot be kept.
    let dir = keep(args.out.as_deref(), &ran);
    let shown = dir.clone().unwrap_or_else(|_| PathBuf::from("not-kept"));
    if args.json {
        let text = serde_json::to_string(&report::json::Object::of(summary))
            .map_err(|error| error.to_string())?;
        writeln!(out, "{text}").map_err(write)?;
    } else {
        write!(out, "{}", report::terminal::summary(summary, &shown)).map_err(write)?;
    }
    if let Some(failure) = ran.failures.first().filter(|_| args.json) {
        let path = report::plan_path(&shown, failure.seed);
        let _ = writeln!(
            err,
            "skewlab: seed {} failed: {}",
            failure.seed,
            path.display()
        );
    }
    kept?;
    dir?;
    let code = summary.code();
    if interrupt::interrupted() && summary.missing().count() > 0 {
        let _ = writeln!(err, "skewlab: interrupted");
        return Ok(exit::graver(code, exit::TRUNCATED));
    }
    Ok(code)
}

/// Whether this process is the laboratory's own program, and can be started again.
fn runs_alone() -> bool {
    let program = std::env::current_exe();
    program.is_ok_and(|path| path.file_stem().is_some_and(|name| name == "skewlab"))
}

/// The processors of this machine.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn with_progress(
    campaign: &Campaign,
    stock: &Arc<Stock>,
    so_far: Summary,
    keeper: &mut parts::Keeper,
) -> Ran {
    if !std::io::stderr().is_terminal() {
        return campaign::run(campaign, stock, so_far, |ran| {
            keeper.keep_now_and_then(&ran.summary);
        });
    }
    let before = so_far.seeds();
    let bar = indicatif::ProgressBar::new(campaign.seeds.count());
    let ran = campaign::run(campaign, stock, so_far, |ran| {
        let summary = &ran.summary;
        keeper.keep_now_and_then(summary);
        bar.set_position(summary.seeds() - before);
        let wall = summary.wall().as_secs_f64().max(1e-9);
        let faults: u64 = summary.tally.faults.values().sum();
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

/// What the runs are made of.
fn made_of(args: &Args) -> Result<(Arc<Stock>, Wishes), String> {
    let only_faults = args.only_faults.as_deref().map(fault_names).transpose()?;
    let config = args.config.as_deref().map(read).transpose()?;
    let mut images = Vec::new();
    let mut pair = None;
    if let (Some(active), Some(standby)) = (&args.active, &args.standby) {
        images = vec![active.clone(), standby.clone()];
        pair = Some((active.clone(), standby.clone()));
    }
    if let Some(text) = &args.pair {
        let (one, other) = text
            .split_once(':')
            .ok_or_else(|| format!("--pair wants A:B, not `{text}`"))?;
        pair = Some((stock::named(one), stock::named(other)));
    }
    if config.is_some() && pair.is_none() {
        return Err("--config wants the images too: --active A --standby B, or --pair A:B".into());
    }
    let (stock, material) = stock::load(&images).map_err(|error| error.to_string())?;
    if let Some((one, other)) = &pair {
        for name in [one, other] {
            stock.image(name).map_err(|error| error.to_string())?;
        }
    }
    let planted = args.planted.clone();
    let wishes = Wishes {
        pair,
        only_faults,
        mix: args.mix,
        planted,
        config,
        material: Arc::new(material),
    };
    Ok((Arc::new(stock), wishes))
}

/// What of the startup config the image of slot 0 does not take, in words; none: it takes all of it.
fn left_out(stock: &Stock, wishes: &Wishes) -> Option<String> {
    let (config, (name, _)) = (wishes.config.as_ref()?, wishes.pair.as_ref()?);
    let loaded = stock.image(name).ok()?;
    let image = loaded.software().image();
    let read = parse::text(image, image.own(), config.as_bytes(), WalkUp::Yes);
    let wrong: Vec<(usize, String)> = read
        .iter()
        .filter_map(|of| Some((of.number, of.found.as_ref().err()?.to_string())))
        .collect();
    let (number, trouble) = wrong.first()?;
    let (left, all) = (wrong.len(), read.len());
    Some(format!(
        "{left} of {all} lines are not taken by {name} and are left out; the first: line {number}: {trouble}"
    ))
}

fn fault_names(text: &str) -> Result<Vec<String>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|name| {
            let known = FAULT_KINDS.contains(&name);
            known.then(|| name.to_string()).ok_or_else(|| {
                format!(
                    "there is no fault `{name}`; there are {}",
                    FAULT_KINDS.join(", ")
                )
            })
        })
        .collect()
}

/// Reads a text file.
///
/// # Errors
/// In words, with the path.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes the plans of failing seeds, each under its seed: unasked the first of each signature, to a new folder; to
/// `out` all that this process has. Gives the folder.
fn keep(out: Option<&Path>, ran: &Ran) -> Result<PathBuf, String> {
    let dir = keep_firsts(out, &ran.summary)?;
    if out.is_some() {
        for failure in &ran.failures {
            keep_plan(&dir, failure.seed, &failure.plan.write())?;
        }
    }
    Ok(dir)
}

/// Writes the plan of the first failure of each signature, to `out` or to a new folder. Gives the folder.
///
/// # Errors
/// What cannot be written, in words.
pub(super) fn keep_firsts(out: Option<&Path>, summary: &Summary) -> Result<PathBuf, String> {
    let dir = match out {
        Some(dir) => dir.to_owned(),
        None if summary.failed.is_empty() => return Ok(PathBuf::new()),
        None => tempfile::Builder::new()
            .prefix("skewlab-")
            .tempdir()
            .map_err(|error| format!("a folder for plans: {error}"))?
            .keep(),
    };
    std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for of in summary.failed.values() {
        keep_plan(&dir, of.first.seed, &of.first.plan)?;
    }
    Ok(dir)
}

fn keep_plan(dir: &Path, seed: u64, plan: &str) -> Result<(), String> {
    let path = report::plan_path(dir, seed);
    #[expect(
        clippy::disallowed_methods,
        reason = "a verb writes what it was asked to keep"
    )]
    std::fs::write(&path, plan).map_err(|error| format!("{}: {error}", path.display()))
}
