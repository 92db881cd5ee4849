//! What the commands read: images by file or bundled name, and files within bounds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skewsync::image::{IMAGE_BYTES_MAX, Image, ImageFileError, bundled};
use skewsync::parse::{self, Mark, OtherEncoding};

/// The largest configuration that is read.
pub const CONFIG_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Why input cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file is too large.
    #[error("{}: larger than {max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        max: usize,
    },
    /// A text is not in UTF-8.
    #[error("{}: {other} {}", path.display(), path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Its encoding.
        other: OtherEncoding,
    },
    /// The Active's own image takes no line of a configuration.
    #[error("{}", nothing_taken(path, image, *refused))]
    NothingTaken {
        /// The file.
        path: PathBuf,
        /// The image.
        image: String,
        /// How many lines of the file it refuses.
        refused: usize,
    },
    /// A folder holds no file.
    #[error("{}: there is no file in this folder", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
    },
    /// A file is no image.
    #[error("{}: {error}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        error: Box<ImageFileError>,
    },
    /// There is no such bundled image.
    #[error("{name}: no such bundled image; `skewsync image list` prints them")]
    NotBundled {
        /// What was asked for.
        name: String,
    },
    /// A row of a table has no such shape.
    #[error("{}:{line}: {message}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Two images make no pair.
    #[error("{active} facing {standby}: {error}; `skewsync image check` says where it is declared")]
    Pair {
        /// The Active's image.
        active: String,
        /// The Standby's image.
        standby: String,
        /// What is wrong.
        error: String,
    },
    /// The output cannot be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}

fn nothing_taken(path: &Path, image: &str, refused: usize) -> String {
    let path = path.display();
    match refused {
        0 => format!("{path}: there is no line in it"),
        1 => format!("{path}: {image} does not take its only line"),
        _ => format!("{path}: {image} takes none of its {refused} lines"),
    }
}

/// Reads a file of at most `max` bytes.
///
/// # Errors
/// See [`InputError`].
pub fn bytes(path: &Path, max: usize) -> Result<Vec<u8>, InputError> {
    let wrong = |error| InputError::File { path: path.to_owned(), error };
    let file = File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(max as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() > max {
        return Err(InputError::TooLarge { path: path.to_owned(), max });
    }
    Ok(bytes)
}

/// A configuration as a file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// The text, without a byte order mark at its head.
    pub text: Vec<u8>,
    /// Whether there was one.
    pub mark: Mark,
}

/// Reads a configuration file.
///
/// # Errors
/// See [`InputError`].
pub fn config(path: &Path) -> Result<ConfigFile, InputError> {
    let mut bytes = bytes(path, CONFIG_BYTES_MAX)?;
    let (text, mark) = in_utf_8(path, &bytes)?;
    let begins = bytes.len() - text.len();
    bytes.drain(..begins);
    Ok(ConfigFile { text: bytes, mark })
}

/// The text of a file after its byte order mark, unless that is of another encoding than UTF-8.
fn in_utf_8<'a>(path: &Path, bytes: &'a [u8]) -> Result<(&'a [u8], Mark), InputError> {
    parse::after_mark(bytes).map_err(|other| InputError::Encoding { path: path.to_owned(), other })
}

/// These files, and for each folder among them the files in it, by name.
///
/// # Errors
/// See [`InputError`].
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let wrong = |error| InputError::File { path: path.clone(), error };
        let mut within = Vec::new();
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            let entry = entry.map_err(wrong)?.path();
            if entry.is_file() {
                within.push(entry);
            }
        }
        within.sort();
        if within.is_empty() {
            return Err(InputError::NoFiles { path: path.clone() });
        }
        files.append(&mut within);
    }
    Ok(files)
}

/// Reads a text file of at most `max` bytes.
///
/// # Errors
/// See [`InputError`].
pub fn text(path: &Path, max: usize) -> Result<String, InputError> {
    let bytes = bytes(path, max)?;
    in_utf_8(path, &bytes)?;
    String::from_utf8(bytes).map_err(|error| InputError::Row {
        path: path.to_owned(),
        line: 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        message: "not UTF-8 text".to_owned(),
    })
}

/// Loads an image: a file, or `meridian@6.2`.
///
/// # Errors
/// See [`InputError`].
pub fn image(name: &str) -> Result<Arc<Image>, InputError> {
    let path = Path::new(name);
    if !path.exists()
        && let Some((family, release)) = name.split_once('@')
    {
        let family = (family == "meridian").then(|| bundled::image(release)).flatten();
        return family
            .map(Arc::new)
            .ok_or_else(|| InputError::NotBundled { name: name.to_owned() });
    }
    let bytes = bytes(path, IMAGE_BYTES_MAX)?;
    let wrong = |error| InputError::Image { path: path.to_owned(), error: Box::new(error) };
    Ok(Arc::new(Image::decode(&bytes).map_err(wrong)?))
}
