//! Files that commands read and write.

use std::path::{Path, PathBuf};

use skewsync::parse::{Mark, after_mark};
use skewsync_sim::plan::Plan;

use crate::regression;

/// Reads a text file.
///
/// # Errors
/// In words, with the path.
pub fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a configuration file: the text after a byte order mark, and whether there was one.
///
/// # Errors
/// In words, with the path: another encoding than UTF-8, too.
pub fn config(path: &Path) -> Result<(String, Mark), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    #[expect(clippy::disallowed_methods, reason = "a verb reads what it is given")]
    let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
    let (text, mark) = after_mark(&bytes).map_err(|error| wrong(&error))?;
    let text = std::str::from_utf8(text).map_err(|error| wrong(&error))?;
    Ok((text.to_owned(), mark))
}

/// Reads a plan, or the plan of a kept one.
///
/// # Errors
/// In words, with the path.
pub fn read(path: &Path) -> Result<Plan, String> {
    regression::plan_in(&text(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file.
///
/// # Errors
/// In words, with the path.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    #[expect(clippy::disallowed_methods, reason = "a verb writes what it was asked to keep")]
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file of this name to a folder, which is made if it is not there. Gives its path.
///
/// # Errors
/// In words, with the path.
pub fn keep(dir: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let path = dir.join(name);
    write(&path, text)?;
    Ok(path)
}
