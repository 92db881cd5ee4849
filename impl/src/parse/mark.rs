//! The byte order mark at the head of a file: which encoding it says, and the text after it.
//!
//! Only for files that are read: a line at a terminal has none.

use core::fmt;

/// The mark of UTF-8.
const UTF_8: &[u8] = &[0xef, 0xbb, 0xbf];
/// The marks of UTF-32; the first begins as one of UTF-16 does.
const UTF_32: [&[u8]; 2] = [&[0xff, 0xfe, 0, 0], &[0, 0, 0xfe, 0xff]];
/// The marks of UTF-16.
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// Whether a byte order mark stood at the head of a file.
///
/// # Shape
/// Displayed, `Skipped` says so in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// None did.
    Absent,
    /// That of UTF-8 did, and is no part of the text.
    Skipped,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no byte order mark is at the head of the file",
            Self::Skipped => "the byte order mark at the head of the file is skipped",
        })
    }
}

/// A text in another encoding than UTF-8, by its byte order mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} text, by its byte order mark; convert it first: iconv -f {name} -t UTF-8")]
pub struct OtherEncoding {
    /// The encoding, as `iconv` names it.
    pub name: &'static str,
}

/// The bytes of a file after its byte order mark.
///
/// ```
/// use skewsync::parse::{Mark, after_mark};
/// assert_eq!(after_mark(b"\xef\xbb\xbfhostname r1"), Ok((&b"hostname r1"[..], Mark::Skipped)));
/// assert!(after_mark(b"\xff\xfeh\0").is_err());
/// ```
///
/// # Errors
/// [`OtherEncoding`]: the mark is that of UTF-16 or UTF-32.
pub fn after_mark(bytes: &[u8]) -> Result<(&[u8], Mark), OtherEncoding> {
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| bytes.starts_with(mark));
    if begins(&UTF_32) {
        return Err(OtherEncoding { name: "UTF-32" });
    }
    if begins(&UTF_16) {
        return Err(OtherEncoding { name: "UTF-16" });
    }
    Ok(match bytes.strip_prefix(UTF_8) {
        Some(text) => (text, Mark::Skipped),
        None => (bytes, Mark::Absent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_of_utf_8_is_skipped_and_none_elsewhere() {
        let twice = [UTF_8, UTF_8, b"x"].concat();
        assert_eq!(after_mark(&twice), Ok((&twice[3..], Mark::Skipped)));
        let later = [b"x\n", UTF_8].concat();
        assert_eq!(after_mark(&later), Ok((&later[..], Mark::Absent)));
        assert_eq!(after_mark(UTF_8), Ok((&b""[..], Mark::Skipped)));
        assert_eq!(after_mark(&UTF_8[..2]), Ok((&UTF_8[..2], Mark::Absent)));
        assert_eq!(after_mark(b""), Ok((&b""[..], Mark::Absent)));
    }

    #[test]
    fn marks_of_other_encodings_are_told_apart() {
        let name = |bytes: &[u8]| after_mark(bytes).err().map(|other| other.name);
        assert_eq!(name(b"\xff\xfeh\0"), Some("UTF-16"));
        assert_eq!(name(b"\xfe\xff\0h"), Some("UTF-16"));
        assert_eq!(name(b"\xff\xfe\0\0h\0\0\0"), Some("UTF-32"));
        assert_eq!(name(b"\0\0\xfe\xff\0\0\0h"), Some("UTF-32"));
    }
}
