//! `skewlab replay --all`: the kept plans, each run again, as a table.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skewsync_sim::catalog::{Catalog, StockError};
use skewsync_sim::exit;
use skewsync_sim::plan::Plan;
use skewsync_sim::run::VerdictKind;

use crate::commands::files;
use crate::loaded_plan::LoadedPlan;
use crate::regression::{Checked, Regression};

/// Runs all kept plans of a folder and prints what each was to establish, and did. Those with a
/// planted defect run with it where this build has it, and without it in any build.
///
/// # Errors
/// A folder or a plan that cannot be read or run, in words.
pub(super) fn run(folder: &Path, out: &mut dyn Write) -> Result<u8, String> {
    let paths = plans(folder)?;
    let longest = paths.iter().map(|path| name(path).len()).max();
    let width = longest.unwrap_or(0).max("plan".len());
    let unwritten = |error: std::io::Error| format!("cannot write: {error}");
    writeln!(
        out,
        "{:<width$}  {:<7}{:<9}{:<9}{:<15}{:<22}properties",
        "plan", "faults", "commands", "verdict", "sound", "lockstep"
    )
    .map_err(unwritten)?;
    let (mut wrong, mut unplanted) = (0, 0);
    let quiet = skewsync_sim::panic_hook::panics();
    for path in &paths {
        let kept = read(path)?;
        let LoadedPlan { plan, catalog } = LoadedPlan::load(kept.plan.clone())?;
        let planted = plants(&plan, &catalog);
        unplanted += usize::from(!planted);
        let checked = kept
            .check(&catalog, planted)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let verdict = if checked.is_as_expected() { "ok" } else { "WRONG" };
        wrong += usize::from(!checked.is_as_expected());
        let cells = cells(&checked);
        writeln!(
            out,
            "{:<width$}  {:<7}{:<9}{verdict:<9}{:<15}{:<22}{}",
            name(path),
            kept.plan.faults.len(),
            kept.plan.commands.len(),
            cells[0],
            cells[1],
            cells[2]
        )
        .map_err(unwritten)?;
        for words in checked.wrong() {
            writeln!(out, "{:width$}  {words}", "").map_err(unwritten)?;
        }
    }
    drop(quiet);
    writeln!(out, "{} kept plans, {wrong} not as expected", paths.len()).map_err(unwritten)?;
    if unplanted > 0 {
        writeln!(
            out,
            "{unplanted} ran without their planted defect: build with `--features planted`"
        )
        .map_err(unwritten)?;
    }
    Ok(if wrong == 0 { exit::PASSED } else { exit::SAFETY })
}

/// The kept plans of a folder, by name.
///
/// # Errors
/// If it cannot be read, or holds none, in words.
fn plans(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let words = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(words)?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(words)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!("{}: no kept plan is there", folder.display()));
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Regression, String> {
    let text = files::text(path)?;
    Regression::read(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into()
}

/// Whether this build has the plan's defect, or there is none.
fn plants(plan: &Plan, catalog: &Arc<Catalog>) -> bool {
    catalog.planted(plan.planted.as_deref()) != Err(StockError::NotPlanted)
}

/// What was found: on the sound engine, with the lockstep, by the properties alone.
fn cells(checked: &Checked) -> [String; 3] {
    let cell = |found: Option<VerdictKind>| found.map_or("-", VerdictKind::name).to_string();
    [checked.sound.to_string(), cell(checked.lockstep), cell(checked.properties)]
}
