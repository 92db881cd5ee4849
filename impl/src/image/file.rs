//! An image as one closed, digested file.
//!
//! ```text
//! skewsync-image 1
//! <64 hexadecimal digits: BLAKE3 of all that follows>
//! <the declarations, TOML>
//! ```

use alloc::string::{String, ToString};
use core::fmt::Write as _;

use super::{Declarations, Functions, Image, ImageError};
use crate::digest::ImageDigest;

/// The largest image file that is read.
pub const IMAGE_BYTES_MAX: usize = 256 * 1024 * 1024;

const HEAD: &str = "skewsync-image 1\n";

/// Why a file is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageFileError {
    /// It does not begin as an image does.
    #[error(
        "not an image file: it does not begin with `skewsync-image 1`; make one with `skewsync \
         image build` or `image import-forms`"
    )]
    Head,
    /// It is of another format.
    #[error(
        "an image of format {found}, and this build reads format 1: use a build that is as new as \
         the image, or make the image again"
    )]
    Format {
        /// The format that the file names.
        found: String,
    },
    /// It is too large.
    #[error("{bytes} bytes are beyond the bound of {IMAGE_BYTES_MAX} for an image file")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is not what was written: cut short or changed.
    #[error(
        "truncated or damaged: its digest is {found}, the file says {said}; build or copy the \
         image again"
    )]
    Digest {
        /// The digest of what is there.
        found: String,
        /// The digest that the file names.
        said: String,
    },
    /// Its declarations cannot be read.
    #[error("line {line}: {message}")]
    Declarations {
        /// The line in the file.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Its declarations make no image.
    #[error("{0}")]
    Image(#[from] ImageError),
}

/// The digest of declarations: of their canonical text.
pub(super) fn digest(declarations: &Declarations) -> ImageDigest {
    ImageDigest(*blake3::hash(text(declarations).as_bytes()).as_bytes())
}

fn text(declarations: &Declarations) -> String {
    toml::to_string(declarations).expect("declarations are plain tables and strings")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

/// What is wrong with a file that does not begin as an image of this format.
fn other_format(bytes: &[u8]) -> ImageFileError {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let format = first.strip_prefix(b"skewsync-image ");
    match format.and_then(|format| core::str::from_utf8(format).ok()) {
        Some(found) if found.parse::<u32>().is_ok_and(|found| found != 1) => {
            ImageFileError::Format { found: found.to_string() }
        }
        Some(_) | None => ImageFileError::Head,
    }
}

impl Image {
    /// The image as a file's text.
    pub fn encode(&self) -> String {
        let body = text(self.declarations());
        alloc::format!("{HEAD}{}\n{body}", hex(&self.digest().0))
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// See [`ImageFileError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ImageFileError> {
        Self::decode_with(bytes, &Functions::built_in())
    }

    /// The same in a program that has these functions.
    ///
    /// # Errors
    /// See [`ImageFileError`].
    pub fn decode_with(bytes: &[u8], functions: &Functions) -> Result<Self, ImageFileError> {
        if bytes.len() > IMAGE_BYTES_MAX {
            return Err(ImageFileError::TooLarge { bytes: bytes.len() });
        }
        let body = bytes.strip_prefix(HEAD.as_bytes()).ok_or_else(|| other_format(bytes))?;
        let end =
            body.iter().take(65).position(|byte| *byte == b'\n').ok_or(ImageFileError::Head)?;
        let said = String::from_utf8_lossy(&body[..end]).into_owned();
        let body = &body[end + 1..];
        let found = hex(blake3::hash(body).as_bytes());
        if found != said {
            return Err(ImageFileError::Digest { found, said });
        }
        let text = core::str::from_utf8(body).map_err(|_| ImageFileError::Head)?;
        let declarations: Declarations = toml::from_str(text).map_err(|error| {
            let before = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 3 + text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count();
            ImageFileError::Declarations { line, message: error.message().to_string() }
        })?;
        Ok(Self::compile_with(declarations, functions)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::bundled;
    use super::*;

    #[test]
    fn an_image_comes_back_as_it_was_written() {
        let image = bundled::image("6.1").unwrap();
        let again = Image::decode(image.encode().as_bytes()).unwrap();
        assert_eq!(again.digest(), image.digest());
        assert_eq!(again.declarations(), image.declarations());
    }

    #[test]
    fn a_file_cut_anywhere_is_refused() {
        let text = bundled::image("6.1").unwrap().encode();
        for cut in [0, 5, 17, 40, 82, 83, text.len() / 2, text.len() - 1] {
            assert!(Image::decode(&text.as_bytes()[..cut]).is_err(), "cut at {cut}");
        }
    }
}
