//! One token of a form, and which words it takes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::list::{self, Elements};
use super::text::{has_escapes, is_string, is_text};

/// One token of a form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// A literal word; abbreviations match by prefix.
    Keyword(Box<str>),
    /// `A.B.C.D`
    Ipv4,
    /// `A.B.C.D/M`
    Ipv4Prefix,
    /// `X:X::X:X`
    Ipv6,
    /// `X:X::X:X/M`
    Ipv6Prefix,
    /// `X:X:X:X:X:X`
    Mac,
    /// `X:X:X:X:X:X/M`
    MacPrefix,
    /// `ASNUM`: an AS number, plain or dotted.
    Asn,
    /// `(min-max)`, both ends included.
    Range {
        /// The least value taken.
        min: i128,
        /// The greatest value taken.
        max: i128,
    },
    /// Any word: `WORD`, `NAME`, `IFNAME`, ...
    Variable,
    /// `"WORD"`: any word, or a string in quotes.
    String,
    /// `KIND,...`: one word that lists values, of ranges spans too.
    List(Box<Self>),
    /// `^TEXT^`: all up to the delimiter that the text begins with; `^TEXT:quit^`: the lines that
    /// follow, up to one that is this word. A line that negates has none.
    Text {
        /// The word of the last line.
        until: Option<Box<str>>,
    },
}

/// How well a word fits a token; the lesser fits better.
///
/// Source: FRRouting's precedence of token kinds: values before keywords and AS numbers before
/// variables, a keyword in full before its abbreviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// An address, prefix, MAC or number in range.
    Value,
    /// A keyword in full, or an AS number.
    Exact,
    /// A keyword abbreviated; `no` never is.
    Abbreviated,
    /// Any word.
    Any,
}

impl Token {
    /// The least and the greatest value of a range; none of another token.
    pub const fn range(&self) -> Option<(i128, i128)> {
        if let Self::Range { min, max } = self { Some((*min, *max)) } else { None }
    }

    /// How `word` fits this token, if it does.
    pub fn fit(&self, word: &str) -> Option<Fit> {
        let value = |taken: bool| taken.then_some(Fit::Value);
        match self {
            Self::Keyword(keyword) if **keyword == *word => Some(Fit::Exact),
            // What takes a line away is said in full.
            Self::Keyword(keyword) => {
                let begins = !word.is_empty() && !self.is_no() && keyword.starts_with(word);
                begins.then_some(Fit::Abbreviated)
            }
            Self::Ipv4 => value(word.parse::<Ipv4Addr>().is_ok()),
            Self::Ipv4Prefix => value(is_prefix(word, 32, |a| a.parse::<Ipv4Addr>().is_ok())),
            Self::Ipv6 => value(word.parse::<Ipv6Addr>().is_ok()),
            Self::Ipv6Prefix => value(is_prefix(word, 128, |a| a.parse::<Ipv6Addr>().is_ok())),
            Self::Mac => value(mac(word).is_some()),
            Self::MacPrefix => value(is_prefix(word, 48, |a| mac(a).is_some())),
            Self::Asn => is_asn(word).then_some(Fit::Exact),
            Self::Range { min, max } => {
                value(number(word).is_some_and(|number| (*min..=*max).contains(&number)))
            }
            Self::Variable => (!has_escapes(word)).then_some(Fit::Any),
            Self::String => (!has_escapes(word) || is_string(word)).then_some(Fit::Any),
            Self::List(of) => list::fit(of, word),
            Self::Text { until } => is_text(word, until.as_deref()).then_some(Fit::Any),
        }
    }

    /// Whether this token is the word `no`.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Keyword(word) if **word == *"no")
    }

    /// Whether every word that fits `inner` fits this token; of lists, every element.
    pub fn includes(&self, inner: &Self) -> bool {
        match (self, inner) {
            (Self::List(outer), Self::List(inner)) => outer.includes(inner),
            (Self::List(outer), inner) => **outer != Self::Variable && outer.includes(inner),
            (Self::Variable, inner) => !matches!(inner, Self::String | Self::Text { .. }),
            (Self::String, inner) => !inner.is_text(),
            (Self::Range { min, max }, Self::Range { min: low, max: high }) => {
                min <= low && high <= max
            }
            (outer, inner) => outer == inner,
        }
    }

    /// Whether this token is a text, which ends a line.
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// Whether this token is a literal word.
    pub const fn is_keyword(&self) -> bool {
        matches!(self, Self::Keyword(_))
    }

    /// The canonical spelling of a word that fits: the keyword in full, a number without sign or
    /// leading zeros, addresses in their shortest form. A value's meaning is never changed.
    pub fn canonical<'a>(&'a self, word: &'a str) -> Cow<'a, str> {
        debug_assert!(self.fit(word).is_some(), "{word} does not fit {self}");
        match self {
            Self::Keyword(keyword) => Cow::Borrowed(keyword),
            Self::Range { .. } => number(word)
                .map_or(Cow::Borrowed(word), |number| shortest(word, format!("{number}"))),
            Self::Ipv6 => canonical_ipv6(word).map_or(Cow::Borrowed(word), |a| shortest(word, a)),
            Self::Ipv6Prefix => word
                .split_once('/')
                .and_then(|(a, m)| Some(format!("{}/{m}", canonical_ipv6(a)?)))
                .map_or(Cow::Borrowed(word), |text| shortest(word, text)),
            Self::Mac => mac(word).map_or(Cow::Borrowed(word), |text| shortest(word, text)),
            Self::MacPrefix => word
                .split_once('/')
                .and_then(|(a, m)| Some(format!("{}/{m}", mac(a)?)))
                .map_or(Cow::Borrowed(word), |text| shortest(word, text)),
            Self::List(of) => Elements::read(of, word)
                .and_then(|elements| elements.word())
                .map_or(Cow::Borrowed(word), |list| shortest(word, list)),
            Self::Ipv4
            | Self::Ipv4Prefix
            | Self::Asn
            | Self::Variable
            | Self::String
            | Self::Text { .. } => Cow::Borrowed(word),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword(keyword) => f.write_str(keyword),
            Self::Ipv4 => f.write_str("A.B.C.D"),
            Self::Ipv4Prefix => f.write_str("A.B.C.D/M"),
            Self::Ipv6 => f.write_str("X:X::X:X"),
            Self::Ipv6Prefix => f.write_str("X:X::X:X/M"),
            Self::Mac => f.write_str("X:X:X:X:X:X"),
            Self::MacPrefix => f.write_str("X:X:X:X:X:X/M"),
            Self::Asn => f.write_str("ASNUM"),
            Self::Range { min, max } => write!(f, "({min}-{max})"),
            Self::Variable => f.write_str("WORD"),
            Self::String => f.write_str("\"WORD\""),
            Self::List(of) => write!(f, "{of},..."),
            Self::Text { until: None } => f.write_str("^TEXT^"),
            Self::Text { until: Some(word) } => write!(f, "^TEXT:{word}^"),
        }
    }
}

/// The number that `word` is, sign and leading zeros allowed.
pub(super) fn number(word: &str) -> Option<i128> {
    (word.len() <= 21).then(|| word.parse::<i128>().ok()).flatten()
}

fn is_prefix(word: &str, bits_max: u32, is_address: impl Fn(&str) -> bool) -> bool {
    word.split_once('/').is_some_and(|(address, bits)| {
        let digits =
            !bits.is_empty() && bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit());
        digits && bits.parse::<u32>().is_ok_and(|bits| bits <= bits_max) && is_address(address)
    })
}

fn mac(word: &str) -> Option<String> {
    let mut text = String::with_capacity(17);
    let mut parts = 0;
    for part in word.split(':') {
        let taken = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit());
        if !taken || parts == 6 {
            return None;
        }
        if parts > 0 {
            text.push(':');
        }
        if part.len() == 1 {
            text.push('0');
        }
        text.extend(part.chars().map(|c| c.to_ascii_lowercase()));
        parts += 1;
    }
    (parts == 6).then_some(text)
}

fn is_asn(word: &str) -> bool {
    let part = |text: &str, max: u64| {
        let digits =
            !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
        digits && text.parse::<u64>().is_ok_and(|number| number <= max)
    };
    match word.split_once('.') {
        Some((high, low)) => part(high, 65_535) && part(low, 65_535),
        None => part(word, 4_294_967_295) && word != "0",
    }
}

fn canonical_ipv6(word: &str) -> Option<String> {
    word.parse::<Ipv6Addr>().ok().map(|address| format!("{address}"))
}

fn shortest<'a>(word: &'a str, canonical: String) -> Cow<'a, str> {
    if canonical == word { Cow::Borrowed(word) } else { Cow::Owned(canonical) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_fits_the_kinds_it_is_of() {
        assert_eq!(Token::Keyword("route".into()).fit("ro"), Some(Fit::Abbreviated));
        assert_eq!(Token::Ipv4.fit("10.0.0.256"), None);
        assert_eq!(Token::Ipv4Prefix.fit("10.0.0.0/33"), None);
        assert_eq!(Token::Ipv6Prefix.fit("2001:db8::/32"), Some(Fit::Value));
        assert_eq!(Token::Mac.fit("0:1b:2:3:4:FF"), Some(Fit::Value));
        assert_eq!(Token::Mac.canonical("0:1b:2:3:4:FF"), "00:1b:02:03:04:ff");
        assert_eq!(Token::Asn.fit("65000.1"), Some(Fit::Exact));
        assert_eq!(Token::Asn.fit("4294967296"), None);
        assert_eq!(Token::Range { min: -10, max: 10 }.fit("-11"), None);
        assert_eq!(Token::Range { min: 1, max: 4094 }.canonical("007"), "7");
    }
}
