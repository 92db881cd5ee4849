//! Words with blanks and line breaks inside: texts up to a delimiter, and strings in quotes. Within
//! a line of words they are escaped, so that a word is a word wherever lines are split, sent, kept
//! and compared.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// The longest text, from its delimiter to its end.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Stands before an escaped byte: no word of a line that is read has it.
const ESCAPE: u8 = 0x1a;

/// Which byte is escaped: by caret notation, the one beyond 0x40.
const fn is_escaped(byte: u8) -> bool {
    byte.is_ascii_control() || byte == b' '
}

/// A text as one word.
pub(crate) fn escape(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + text.len() / 4);
    for letter in text.chars() {
        match u8::try_from(letter) {
            Ok(byte) if is_escaped(byte) => {
                word.push(char::from(ESCAPE));
                word.push(char::from(byte ^ 0x40));
            }
            Ok(_) | Err(_) => word.push(letter),
        }
    }
    word
}

/// Whether a word has something escaped.
pub(super) fn has_escapes(word: &str) -> bool {
    word.as_bytes().contains(&ESCAPE)
}

/// A word as it is written in a text; none: it is escaped otherwise than [`escape`] does.
fn unescape(word: &str) -> Option<Cow<'_, str>> {
    if !has_escapes(word) {
        return Some(Cow::Borrowed(word));
    }
    let mut text = String::with_capacity(word.len());
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        if letter != char::from(ESCAPE) {
            text.push(letter);
            continue;
        }
        let byte = u8::try_from(letters.next()?).ok()? ^ 0x40;
        if !is_escaped(byte) {
            return None;
        }
        text.push(char::from(byte));
    }
    Some(Cow::Owned(text))
}

/// A line of canonical words as a config's text has it. A text that begins on the next line follows
/// at once.
pub fn written(line: &str) -> Cow<'_, str> {
    if !has_escapes(line) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    for word in line.split(' ') {
        let word = unescape(word).unwrap_or(Cow::Borrowed(word));
        if !text.is_empty() && !word.starts_with('\n') {
            text.push(' ');
        }
        text.push_str(&word);
    }
    Cow::Owned(text)
}

/// A line of canonical words on one line, for people: line breaks and what is not seen are written
/// as in a program's string.
pub fn shown(line: &str) -> Cow<'_, str> {
    if !has_escapes(line) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    for letter in written(line).chars() {
        if letter.is_control() {
            text.extend(letter.escape_default());
        } else {
            text.push(letter);
        }
    }
    Cow::Owned(text)
}

/// Whether a word is a string in quotes, with blanks inside.
pub(super) fn is_string(word: &str) -> bool {
    let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner.and_then(unescape) else {
        return false;
    };
    !inner.contains(|letter: char| letter == '"' || letter.is_control() && letter != '\t')
}

/// Whether a word is a whole text: up to its own delimiter, or to a line that is `until`.
pub(super) fn is_text(word: &str, until: Option<&str>) -> bool {
    // An escaped byte takes two.
    if word.len() > 2 * TEXT_BYTES_MAX {
        return false;
    }
    let Some(text) = unescape(word) else {
        return false;
    };
    let begins = match until {
        Some(_) => text.starts_with('\n'),
        None => text.chars().next().is_some_and(|letter| !letter.is_ascii_whitespace()),
    };
    begins && end(text.as_bytes(), until) == Ok(text.len())
}

/// A text has no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unending {
    /// What would end it.
    pub(crate) by: String,
}

/// Where the text ends that `bytes` begin with: behind its delimiter, or behind the line `until`.
///
/// # Shape
/// A text up to a line begins with the line break before its first line. A delimiter is the first
/// letter or digit's word, `^` with a capital behind it, or else the first character: what IOS
/// takes, but for words.
pub(crate) fn end(bytes: &[u8], until: Option<&str>) -> Result<usize, Unending> {
    let by = |by: &[u8]| Unending { by: String::from_utf8_lossy(by).into_owned() };
    let Some(until) = until else {
        let delimiter = delimiter(bytes);
        let found = occurrence(bytes, delimiter).map(|at| at + delimiter.len());
        return found.ok_or_else(|| by(delimiter));
    };
    let mut from = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if from > 0 && line.trim_ascii() == until.as_bytes() {
            return Ok(from + line.trim_ascii_end().len());
        }
        from += line.len();
    }
    Err(by(until.as_bytes()))
}

/// What begins and ends the text that `bytes` begin with.
fn delimiter(bytes: &[u8]) -> &[u8] {
    let of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match bytes {
        [b'^', capital, ..] if (0x40..0x60).contains(capital) => &bytes[..2],
        [first, ..] if first.is_ascii_alphanumeric() => {
            let length = bytes.iter().position(|byte| !of_word(byte));
            &bytes[..length.unwrap_or(bytes.len())]
        }
        // A character may be of several bytes.
        [_, rest @ ..] => {
            let length = rest.iter().take_while(|byte| (0x80..0xc0).contains(*byte)).count();
            &bytes[..=length]
        }
        [] => bytes,
    }
}

/// Where the delimiter that begins `bytes` stands again: one that is a word, as a word.
fn occurrence(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    let of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let word = of_word(delimiter.first());
    let mut from = delimiter.len();
    while from > 0 && from + delimiter.len() <= bytes.len() {
        let next = bytes[from..].iter().position(|byte| *byte == delimiter[0])?;
        let at = from + next;
        let behind = bytes.get(at + delimiter.len());
        let whole = !word || !of_word(bytes.get(at - 1)) && !of_word(behind);
        if whole && bytes[at..].starts_with(delimiter) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The words of a line, a string in quotes as one word; none: there is no string with a blank.
pub(crate) fn split_strings(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let ranges = string_ranges(line.as_bytes())?;
    Some(ranges.into_iter().map(|range| string_word(&line[range])).collect())
}

/// A word of a line, or a string in quotes as one word.
pub(crate) fn string_word(text: &str) -> Cow<'_, str> {
    let has_blanks = text.bytes().any(|byte| byte.is_ascii_whitespace());
    if has_blanks { Cow::Owned(escape(text)) } else { Cow::Borrowed(text) }
}

/// Where the words of a line stand, a string in quotes as one; none: there is no string with a
/// blank.
pub(crate) fn string_ranges(line: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut any = false;
    for range in word_ranges(line) {
        // What lies in a string that was taken.
        if ranges.last().is_some_and(|before| before.end > range.start) {
            continue;
        }
        let rest = &line[range.start..];
        let inner = rest.strip_prefix(b"\"");
        let closes = inner.and_then(|inner| inner.iter().position(|byte| *byte == b'"'));
        let string = closes.map(|at| at + 2).filter(|end| {
            let behind = rest.get(*end);
            behind.is_none_or(u8::is_ascii_whitespace) && *end > range.len()
        });
        any |= string.is_some();
        let end = string.map_or(range.end, |length| range.start + length);
        ranges.push(range.start..end);
    }
    any.then_some(ranges)
}

/// Where the words of a line stand.
pub(crate) fn word_ranges(line: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for word in line.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            ranges.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ended(text: &str, until: Option<&str>) -> Option<usize> {
        end(text.as_bytes(), until).ok()
    }

    #[test]
    fn a_text_ends_at_the_delimiter_that_it_begins_with() {
        assert_eq!(ended("^C\n a^b C\n^C rest", None), Some(12));
        assert_eq!(ended("#hello#", None), Some(7));
        assert_eq!(ended("##", None), Some(2));
        assert_eq!(ended("^text^", None), Some(6));
        assert_eq!(ended("\u{3}\nx\n\u{3}", None), Some(5));
        assert_eq!(ended("§ x § y", None), Some(7));
        assert_eq!(ended("EOF\nGEOFF\nEOF\n", None), Some(13));
        assert_eq!(end(b"^C\nx", None), Err(Unending { by: "^C".into() }));
        assert_eq!(end(b"EOF\nGEOFF", None), Err(Unending { by: "EOF".into() }));
    }

    #[test]
    fn a_text_ends_with_a_line_that_is_the_word() {
        assert_eq!(ended("\n a quit\n\n  quit \r\nmore", Some("quit")), Some(16));
        assert_eq!(ended("\nquit", Some("quit")), Some(5));
        assert_eq!(ended("\nquitter\n", Some("quit")), None);
    }

    #[test]
    fn a_string_is_one_word_where_it_ends_as_one() {
        let split = |line| split_strings(line).map(|words| words.join("|"));
        assert_eq!(split("a \"b  c\" d").unwrap(), "a|\"b\u{1a}`\u{1a}`c\"|d");
        assert_eq!(split("a \"b c"), None);
        assert_eq!(split("a \"b\" c"), None);
        assert_eq!(split("a \"b c\"d"), None);
        assert_eq!(split("a 5\" b \"c d\"").unwrap(), "a|5\"|b|\"c\u{1a}`d\"");
    }

    #[test]
    fn what_another_escaped_otherwise_is_no_text() {
        assert!(is_text("#\u{1a}J#", None));
        for word in ["#\u{1a}", "#\u{1a}a#", "#\u{1a}##", "#a#b", "\u{1a}J#a#", "#", ""] {
            assert!(!is_text(word, None), "{word:?}");
        }
        assert!(is_string("\"a\u{1a}`b\"") && !is_string("\"a\u{1a}Jb\"") && !is_string("\""));
    }

    proptest! {
        #[test]
        fn a_text_is_a_word_and_comes_back(text in "[a-c \t\r\n\u{1a}\u{7f}\u{1}é\"^#`]{0,40}") {
            let word = escape(&text);
            prop_assert!(!word.contains(|letter: char| letter.is_ascii_whitespace()));
            prop_assert_eq!(unescape(&word).unwrap(), text.as_str());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            for until in [None, Some("quit")] {
                if let Ok(end) = end(&bytes, until) {
                    prop_assert!(0 < end && end <= bytes.len());
                }
            }
            let line = String::from_utf8_lossy(&bytes);
            let _ = split_strings(&line);
            let _ = (written(&line).len(), shown(&line).len());
        }
    }
}
