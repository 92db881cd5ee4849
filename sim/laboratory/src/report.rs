//! Reports: what a campaign or a run established, for a terminal or as data.

pub mod campaign;
pub mod ci;
pub mod failure;
pub mod json;
pub mod page;
pub mod picture;
pub mod terminal;

use std::path::{Path, PathBuf};

use crate::campaign::Summary;

/// The command that runs a kept plan of a campaign again.
fn again(summary: &Summary, dir: &Path, seed: u64) -> String {
    let lockstep = summary.kind.as_ref().is_none_or(|kind| kind.lockstep);
    let judges = if lockstep { "" } else { " --no-lockstep" };
    format!("again: skewlab replay{judges} {}", plan_path(dir, seed).display())
}

/// Where the plan of a seed is kept.
pub fn plan_path(dir: &Path, seed: u64) -> PathBuf {
    dir.join(format!("seed-{seed}.toml"))
}
