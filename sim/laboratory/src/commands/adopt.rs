//! `skewlab adopt`: keeps a plan among the regressions, with what its runs establish.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skewsync_sim::catalog::Catalog;
use skewsync_sim::exit;
use skewsync_sim::plan::Plan;

use super::files;
use crate::loaded_plan::LoadedPlan;
use crate::regression::{Expect, Regression};

/// Letters of a name at most.
const NAME_MAX: usize = 64;

/// Keeps a failing plan, with what its runs establish and why it is kept.
///
/// `cargo test --test claims regressions` runs it from then on, and `skewlab replay --all` prints
/// it. A plan with a planted defect must pass without the defect, and fail with it for ever; any
/// other plan is expected to pass once the engine is mended.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan: shrink it first.
    pub plan: PathBuf,
    /// The name of the file that keeps it: small letters, digits and hyphens.
    #[arg(long)]
    pub name: String,
    /// What it was, in a sentence.
    #[arg(long, value_name = "WORDS")]
    pub why: String,
    /// The folder of the kept plans.
    #[arg(long, value_name = "DIR", default_value = "tests/regressions")]
    pub into: PathBuf,
}

/// Keeps the plan; the exit code of `exit`.
///
/// # Errors
/// A name that is none or is taken, no words, unreadable input, a plan that passes, in words.
pub fn run(args: &Args, out: &mut dyn Write, _: &mut dyn Write) -> Result<u8, String> {
    let path = place(&args.into, &args.name)?;
    if args.why.trim().is_empty() {
        return Err("--why is empty: say in a sentence what it was".into());
    }
    let LoadedPlan { plan, catalog } = LoadedPlan::load(files::read(&args.plan)?)?;
    let mut plan = Arc::unwrap_or_clone(plan);
    // A kept plan is about the engine: a family that grows by a form does not end it.
    plan.units.iter_mut().for_each(|unit| unit.digest.clear());
    let of_file = |words: String| format!("{}: {words}", args.plan.display());
    let quiet = skewsync_sim::panic_hook::panics();
    let expect = expect(&plan, &catalog);
    drop(quiet);
    let mut expect = expect.map_err(of_file)?;
    if expect.lockstep.passed() && expect.properties.passed() {
        return Err(of_file("the plan passes: a regression is kept of a failure".into()));
    }
    let now = format!(
        "{} with the lockstep, {} by the properties alone, {} on the sound engine",
        expect.lockstep, expect.properties, expect.sound
    );
    if plan.planted.is_none() {
        expect = Expect::passes();
    } else if !expect.sound.passed() {
        return Err(of_file(format!(
            "without the planted defect the plan fails too ({}): keep it without `planted`",
            expect.sound
        )));
    }
    let kept = Regression { what: args.why.trim().into(), expect, plan };
    files::write(&path, &kept.write())?;
    let wrong = |error: std::io::Error| format!("cannot write: {error}");
    writeln!(out, "{}: {now}", path.display()).map_err(wrong)?;
    if kept.plan.planted.is_none() {
        writeln!(out, "the test command fails until the engine passes it").map_err(wrong)?;
    }
    Ok(exit::PASSED)
}

/// The file of a name that is not taken yet.
fn place(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let fits = name.chars().all(|each| letter(each) || each == '-') && name.starts_with(letter);
    if !fits || name.len() > NAME_MAX {
        return Err(format!(
            "--name {name}: a name is up to {NAME_MAX} small letters, digits and hyphens, and \
             begins with no hyphen"
        ));
    }
    if !folder.is_dir() {
        return Err(format!(
            "--into {}: there is no such folder; adopt from the checkout, or name its \
             tests/regressions",
            folder.display()
        ));
    }
    let path = folder.join(format!("{name}.toml"));
    if path.exists() {
        return Err(format!("--name {name}: {} is there already", path.display()));
    }
    Ok(path)
}

/// What the runs of a plan establish: on the sound engine, and as it stands in both ways of
/// looking.
///
/// # Errors
/// If it cannot be run.
pub(super) fn expect(plan: &Plan, catalog: &Arc<Catalog>) -> Result<Expect, String> {
    let unknown = Regression { what: String::new(), expect: Expect::passes(), plan: plan.clone() };
    let found = unknown.check(catalog, true)?;
    let lockstep = found.lockstep.ok_or("the plan was not run with the lockstep")?;
    let properties = found.properties.ok_or("the plan was not run by the properties alone")?;
    Ok(Expect { sound: found.sound, lockstep, properties, drift: found.drift })
}
