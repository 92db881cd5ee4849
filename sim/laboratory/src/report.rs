//! Reports: what a campaign or a run established, for a terminal or as data.

pub mod campaign;
pub mod ci;
pub mod failure;
pub mod json;
pub mod page;
pub mod picture;
pub mod terminal;

use std::path::{Path, PathBuf};

/// Where the plan of a seed is kept.
pub fn plan_path(dir: &Path, seed: u64) -> PathBuf {
    dir.join(format!("seed-{seed}.toml"))
}
