//! Summaries as files: one JSON object, replaced as a whole, so that whoever reads it finds the old
//! or the new one.

use std::io::{Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::summary::Summary;

/// The format's number; it grows with each change that older laboratories cannot read.
pub const FORMAT: u32 = 1;
/// Greatest size of a file that is read, in bytes.
const SIZE_MAX: u64 = 256 << 20;

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    summary: &'a Summary,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    #[serde(rename = "format")]
    _format: u32,
    summary: Summary,
}

/// What is read first, whatever else there is.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// Why a file is no summary.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is larger than a summary may be.
    #[error("{size} bytes, and a summary has {SIZE_MAX} at most")]
    Size {
        /// Its size.
        size: u64,
    },
    /// It is no summary, or one that was cut.
    #[error("no summary of a campaign: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another format.
    #[error("a summary of format {found}, and this laboratory reads format {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// It contradicts itself.
    #[error("a summary that contradicts itself: {0}")]
    Contradiction(String),
}

/// Reads a summary.
///
/// # Errors
/// See [`FileError`].
pub fn read(path: &Path) -> Result<Summary, FileError> {
    let file = std::fs::File::open(path)?;
    let mut text = String::new();
    file.take(SIZE_MAX + 1).read_to_string(&mut text)?;
    let size = text.len() as u64;
    if size > SIZE_MAX {
        return Err(FileError::Size { size });
    }
    let head: Head = serde_json::from_str(&text)?;
    if head.format != FORMAT {
        return Err(FileError::Format { found: head.format });
    }
    let Found { summary, .. } = serde_json::from_str(&text)?;
    match trouble(&summary) {
        Some(trouble) => Err(FileError::Contradiction(trouble)),
        None => Ok(summary),
    }
}

/// Writes a summary in place of whatever is there.
///
/// # Errors
/// `Io`, `Json`; then what was there is still there.
pub fn write(path: &Path, summary: &Summary) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".skewlab-");
    // As any file that is written: what the user's mask leaves.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    let format = FORMAT;
    serde_json::to_writer(
        std::io::BufWriter::new(file.as_file_mut()),
        &Written { format, summary },
    )?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// What in a summary contradicts itself, if anything.
fn trouble(summary: &Summary) -> Option<String> {
    let Summary { kind, asked, ran, failed, cost, .. } = summary;
    if kind.is_none() && ran.count() > 0 {
        return Some("it has seeds, and does not say of what runs".into());
    }
    if ran.without(asked).count() > 0 {
        return Some(format!("seeds that nobody asked for: {}", ran.without(asked)));
    }
    for of in failed.values() {
        let strange = of.seeds.without(ran);
        if strange.count() > 0 {
            return Some(format!("seeds that failed and were not run: {strange}"));
        }
        if of.seeds.first() != Some(of.first.seed) {
            return Some(format!("seed {} is not the first of {}", of.first.seed, of.seeds));
        }
    }
    cost.pace.trouble().map(Into::into)
}
