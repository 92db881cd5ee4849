//! Which lines open a text, and what the text is: the lines of a banner or a certificate are no
//! commands.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{LINE_BYTES_MAX, LineError, first_line};
use crate::grammar::{Fit, LeafId, Matcher, Resolution, TEXT_BYTES_MAX, Token, Unending};
use crate::grammar::{end, escape, string_ranges, string_word, word_ranges};
use crate::ids::FormId;
use crate::image::Image;

/// A line that opens a text.
pub(super) struct Opening<'a> {
    /// The words before the text.
    pub(super) words: Vec<Cow<'a, str>>,
    /// Where the text begins, if it does so in this line.
    from: usize,
    /// The word of its last line; none: it ends with its delimiter.
    until: Option<&'a str>,
}

/// What a line is whose words are taken to stand somewhere.
enum Reading<'a> {
    /// It opens a text.
    Opens(Opening<'a>),
    /// It is a line without one.
    Plain,
    /// It is none.
    None,
}

/// The text that `line` opens with a form of `matcher`; none: it opens none.
///
/// # Shape
/// Whether quotes make a word is decided first: what is a line with strings in quotes opens no text
/// behind a quote of theirs. Where a text can begin at several words, or the line is also one
/// without a text, words are what fits them best, as always: a keyword or a value before a text,
/// `no` before an abbreviation.
pub(super) fn of_line<'a>(
    image: &Image,
    matcher: &'a Matcher<FormId>,
    line: &'a [u8],
) -> Option<Opening<'a>> {
    matcher.texts().next()?;
    let line = &line[..line.len().min(LINE_BYTES_MAX)];
    // A string in quotes may stand before the text.
    let strings = matcher.has_strings().then(|| string_ranges(line)).flatten();
    for ranges in strings.into_iter().chain([word_ranges(line)]) {
        match of_words(image, matcher, line, &ranges) {
            Reading::Opens(opening) => return Some(opening),
            Reading::Plain => return None,
            Reading::None => {}
        }
    }
    None
}

/// What a line is whose words stand there.
fn of_words<'a>(
    image: &Image,
    matcher: &'a Matcher<FormId>,
    line: &'a [u8],
    ranges: &[Range<usize>],
) -> Reading<'a> {
    let readable = |word: &&str| !word.bytes().any(|byte| byte.is_ascii_control());
    let words = ranges.iter().map(|range| core::str::from_utf8(&line[range.clone()]));
    let words = words.map(|word| word.ok().filter(readable).map(string_word));
    // What is no text of words can only begin a text.
    let words: Vec<Cow<'a, str>> = words.map_while(|word| word).collect();
    let all: Vec<&str> = words.iter().map(|word| &**word).collect();
    let mut best: Option<(Vec<Fit>, Opening<'a>)> = None;
    for at in 1..=ranges.len().min(words.len()) {
        for token in matcher.texts() {
            let Token::Text { until } = token else { continue };
            let until = until.as_deref();
            let ends_line = at == ranges.len();
            if until.is_some() != ends_line {
                continue;
            }
            let mut given = all[..at].to_vec();
            let sample = escape(&until.map_or("#\n#".into(), |until| alloc::format!("\n{until}")));
            given.push(&sample);
            let Some(fits) = fits(image, matcher, &given) else { continue };
            if best.as_ref().is_none_or(|(before, _)| fits[..before.len()] < before[..]) {
                let from = ranges.get(at).map_or(0, |range| range.start);
                let words = words[..at].to_vec();
                best = Some((fits, Opening { words, from, until }));
            }
        }
    }
    let whole = (words.len() == ranges.len()).then(|| fits(image, matcher, &all)).flatten();
    match (best, whole) {
        (Some((text, opening)), whole) => {
            let plain = whole.is_some_and(|whole| {
                let both = text.len().min(whole.len());
                whole[..both] < text[..both]
            });
            if plain { Reading::Plain } else { Reading::Opens(opening) }
        }
        (None, Some(_)) => Reading::Plain,
        (None, None) => Reading::None,
    }
}

/// How each of `words` fits, if they are a line.
fn fits(image: &Image, matcher: &Matcher<FormId>, words: &[&str]) -> Option<Vec<Fit>> {
    let (form, taken) = match matcher.resolve(words) {
        Resolution::Match { id, words } => (&image.form(id).form, words),
        Resolution::NoMatch { .. } | Resolution::Ambiguous { .. } | Resolution::Incomplete => {
            return None;
        }
    };
    let fit = |((leaf, _), word): ((LeafId, &str), &&str)| form.leaf(leaf).token.fit(word);
    Some(taken.iter().zip(words).map(|taken| fit(taken).unwrap_or(Fit::Any)).collect())
}

impl Opening<'_> {
    /// The text as a word, and how many bytes of `rest`, which begins with the line, the line and
    /// the text take. What never ends takes all.
    pub(super) fn text(&self, rest: &[u8]) -> (Result<String, LineError>, usize) {
        let from = match self.until {
            None => self.from,
            Some(_) => first_line(rest).len(),
        };
        let bytes = &rest[from..];
        let length = match end(bytes, self.until) {
            Ok(length) => length,
            Err(Unending { by }) => return (Err(LineError::Unending { by }), rest.len()),
        };
        let behind = first_line(&bytes[length..]);
        let taken = from + length + behind.len();
        (self.word(&bytes[..length], behind.trim_ascii()), taken)
    }

    fn word(&self, text: &[u8], behind: &[u8]) -> Result<String, LineError> {
        debug_assert!(!text.is_empty(), "a text has its end at least");
        if !behind.is_empty() {
            let words = String::from_utf8_lossy(behind).into_owned();
            return Err(LineError::BehindText { words });
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(LineError::TextTooLong { bytes: text.len() });
        }
        let text = core::str::from_utf8(text).map_err(|error| {
            let at = error.valid_up_to();
            let line = text[..at].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            LineError::Binary { byte: text[at], column: line.len() + 1 }
        })?;
        Ok(escape(text))
    }
}
