//! Reads the text of a form: bytes to a tree of nodes, with the place of every error.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::form::{FormError, FormErrorKind};
use super::token::Token;

/// How deep brackets may nest.
const DEPTH_MAX: usize = 32;
/// How many tokens one form may have.
const TOKENS_MAX: usize = 1024;

/// A form's text as read, before its normal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    Token { token: Token, text: Box<str>, name: Option<Box<str>>, variadic: bool },
    Sequence(Vec<Self>),
    Choice(Vec<Self>),
    Optional(Box<Self>),
    OptionalAfterNo(Box<Self>),
    Unordered(Vec<Self>),
}

/// Reads `text` whole.
pub(super) fn read(text: &str) -> Result<Raw, FormError> {
    let mut reader = Reader { text, at: 0, depth: 0, tokens: 0 };
    let sequence = reader.sequence()?;
    reader.blank();
    if reader.at < text.len() {
        return Err(reader.unexpected("the end of the form"));
    }
    if reader.tokens == 0 {
        return Err(FormError { span: 0..text.len(), kind: FormErrorKind::Empty });
    }
    Ok(sequence)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    tokens: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn blank(&mut self) {
        let trimmed = self.rest().trim_start();
        self.at = self.text.len() - trimmed.len();
    }

    /// The word at the reader, for messages.
    fn span_here(&self) -> Range<usize> {
        let word = self.rest().split(char::is_whitespace).next().unwrap_or("");
        self.at..self.at + word.len().max(self.peek().map_or(0, char::len_utf8))
    }

    fn unexpected(&self, expected: &'static str) -> FormError {
        let span = self.span_here();
        let found = self.text[span.clone()].into();
        FormError { span, kind: FormErrorKind::Expected { expected, found } }
    }

    fn sequence(&mut self) -> Result<Raw, FormError> {
        let mut parts = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                None | Some('|' | '>' | ']' | '}') => break,
                Some(_) => {
                    if parts.iter().any(Raw::has_text) {
                        let span = self.span_here();
                        return Err(FormError { span, kind: FormErrorKind::TextNotLast });
                    }
                    let part = self.part()?;
                    let closes = matches!(part, Raw::Token { variadic: true, .. });
                    parts.push(part);
                    if closes {
                        self.blank();
                        if !matches!(self.peek(), None | Some('|' | '>' | ']' | '}')) {
                            return Err(self.unexpected("nothing after `...`"));
                        }
                    }
                }
            }
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Raw::Sequence(parts) })
    }

    fn part(&mut self) -> Result<Raw, FormError> {
        match self.peek() {
            Some('<') => self.bracket('>', Raw::Choice),
            Some('{') => self.bracket('}', Raw::Unordered),
            Some('[') => self.bracket(']', |parts| Raw::Optional(Box::new(one_of(parts)))),
            Some('!') if self.rest().starts_with("![") => {
                self.at += 1;
                self.bracket(']', |parts| Raw::OptionalAfterNo(Box::new(one_of(parts))))
            }
            _ => self.token(),
        }
    }

    fn bracket(&mut self, close: char, made: impl Fn(Vec<Raw>) -> Raw) -> Result<Raw, FormError> {
        let open = self.at;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(FormError {
                span: open..open + 1,
                kind: FormErrorKind::TooDeep { max: DEPTH_MAX },
            });
        }
        self.at += 1;
        let mut parts = Vec::new();
        loop {
            let start = self.at;
            let part = self.sequence()?;
            if part == Raw::Sequence(Vec::new()) {
                let span = start..self.at.max(start + 1).min(self.text.len());
                if self.peek().is_none() {
                    return Err(FormError {
                        span: open..open + 1,
                        kind: FormErrorKind::Unclosed { close },
                    });
                }
                return Err(FormError { span, kind: FormErrorKind::EmptyAlternative });
            }
            parts.push(part);
            match self.peek() {
                Some('|') => self.at += 1,
                Some(found) if found == close => break,
                None => {
                    return Err(FormError {
                        span: open..open + 1,
                        kind: FormErrorKind::Unclosed { close },
                    });
                }
                Some(_) => return Err(self.unexpected("`|` or the bracket's end")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        let mut node = made(parts);
        if matches!(node, Raw::Unordered(_)) && node.has_text() {
            let span = open..self.at;
            return Err(FormError { span, kind: FormErrorKind::TextNotLast });
        }
        if let Some(name) = self.name()? {
            name_last(&mut node, &name);
        }
        Ok(node)
    }

    /// `$name` behind what it names; real definitions put blanks before it.
    fn name(&mut self) -> Result<Option<Box<str>>, FormError> {
        let Some(name) = self.rest().trim_start().strip_prefix('$') else {
            return Ok(None);
        };
        self.at = self.text.len() - name.len();
        let word = self.rest();
        let end = word.find(|c: char| !(c.is_ascii_alphanumeric() || "-+_*".contains(c)));
        let name = &word[..end.unwrap_or(word.len())];
        if name.is_empty() {
            return Err(self.unexpected("a name after `$`"));
        }
        self.at += name.len();
        Ok(Some(name.into()))
    }

    fn token(&mut self) -> Result<Raw, FormError> {
        self.tokens += 1;
        if self.tokens > TOKENS_MAX {
            return Err(FormError {
                span: self.span_here(),
                kind: FormErrorKind::TooLong { max: TOKENS_MAX },
            });
        }
        let start = self.at;
        let mut token = match self.punctuated()? {
            Some(token) => token,
            None if self.peek() == Some('(') => self.range()?,
            None => self.word()?,
        };
        if token.is_text() && self.tokens == 1 {
            self.at = start;
            return Err(self.unexpected("a keyword before a text"));
        }
        let mut text: Box<str> = self.text[start..self.at].into();
        let mut name = self.name()?;
        let list = self.rest().starts_with(",...");
        let variadic = self.rest().starts_with("...");
        if list || variadic {
            if token.is_keyword() || token.is_text() || list && token == Token::String {
                return Err(self.unexpected("`...` only after a placeholder"));
            }
            self.at += if list { 4 } else { 3 };
            name = self.name()?.or(name);
        }
        if list {
            text = alloc::format!("{text},...").into();
            token = Token::List(Box::new(token));
        }
        Ok(Raw::Token { token, text, name, variadic })
    }

    /// `"WORD"`, `^TEXT^`, `^TEXT:quit^`; none: nothing of these begins here.
    fn punctuated(&mut self) -> Result<Option<Token>, FormError> {
        let Some(mark) = self.peek().filter(|mark| matches!(mark, '"' | '^')) else {
            return Ok(None);
        };
        let inner = &self.rest()[1..];
        if !inner.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            return Ok(None);
        }
        let inner = inner.find(mark).map_or("", |length| &inner[..length]);
        let (name, until) = match inner.split_once(':') {
            Some((name, until)) if mark == '^' => (name, Some(until)),
            Some(_) | None => (inner, None),
        };
        let one_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic());
        if !is_variable(name) || !until.is_none_or(one_word) {
            return Err(self.unexpected("`\"WORD\"`, `^TEXT^` or `^TEXT:quit^`"));
        }
        self.at += inner.len() + 2;
        let until = until.map(Into::into);
        Ok(Some(if mark == '"' { Token::String } else { Token::Text { until } }))
    }

    fn range(&mut self) -> Result<Token, FormError> {
        let open = self.at;
        let Some(length) = self.rest().find(')') else {
            return Err(FormError {
                span: open..open + 1,
                kind: FormErrorKind::Unclosed { close: ')' },
            });
        };
        let span = open..open + length + 1;
        let inner = &self.text[open + 1..open + length];
        let bad = || FormError {
            span: span.clone(),
            kind: FormErrorKind::Range { found: self.text[span.clone()].into() },
        };
        // The separator is a `-` behind at least one digit, so that both ends may be negative.
        let split = inner
            .char_indices()
            .skip(1)
            .find(|(at, c)| {
                *c == '-' && inner[..*at].trim_end().ends_with(|c: char| c.is_ascii_digit())
            })
            .ok_or_else(bad)?
            .0;
        let end = |text: &str| -> Option<i128> {
            let text = text.trim();
            (text.len() <= 21).then(|| text.parse::<i128>().ok()).flatten()
        };
        let (Some(min), Some(max)) = (end(&inner[..split]), end(&inner[split + 1..])) else {
            return Err(bad());
        };
        if min > max {
            return Err(bad());
        }
        self.at = span.end;
        Ok(Token::Range { min, max })
    }

    fn word(&mut self) -> Result<Token, FormError> {
        const ADDRESSES: [(&str, Token); 6] = [
            ("X:X:X:X:X:X/M", Token::MacPrefix),
            ("X:X:X:X:X:X", Token::Mac),
            ("X:X::X:X/M", Token::Ipv6Prefix),
            ("X:X::X:X", Token::Ipv6),
            ("A.B.C.D/M", Token::Ipv4Prefix),
            ("A.B.C.D", Token::Ipv4),
        ];
        for (text, token) in ADDRESSES {
            if self.rest().starts_with(text) {
                let behind = self.rest()[text.len()..].chars().next();
                if behind.is_some_and(|c| c.is_ascii_alphanumeric() || "/:-_".contains(c)) {
                    return Err(self.unexpected("`A.B.C.D`, `A.B.C.D/M` or the like, and a blank"));
                }
                self.at += text.len();
                return Ok(token);
            }
        }
        let length = self.rest().find(|c: char| c.is_whitespace() || "<>[]{}()|$!".contains(c));
        let word = &self.rest()[..length.unwrap_or(self.rest().len())];
        let word = word.strip_suffix(",...").or(word.strip_suffix("...")).unwrap_or(word);
        if word.is_empty() {
            return Err(self.unexpected("a word, a placeholder or a bracket"));
        }
        if !word.chars().all(|c| c.is_ascii_graphic()) {
            return Err(self.unexpected("a word of printable ASCII"));
        }
        self.at += word.len();
        Ok(match word {
            "ASNUM" => Token::Asn,
            _ if is_variable(word) => Token::Variable,
            _ => Token::Keyword(word.into()),
        })
    }
}

/// Two or more of capitals, digits, `-`, `_`, `:`, beginning with a capital.
fn is_variable(word: &str) -> bool {
    word.len() >= 2
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_:".contains(c))
}

fn one_of(mut parts: Vec<Raw>) -> Raw {
    if parts.len() == 1 { parts.remove(0) } else { Raw::Choice(parts) }
}

/// A name behind a bracket names the last token of every branch.
fn name_last(node: &mut Raw, name: &str) {
    match node {
        Raw::Token { name: own, .. } => {
            own.get_or_insert_with(|| name.into());
        }
        Raw::Sequence(parts) => {
            if let Some(last) = parts.last_mut() {
                name_last(last, name);
            }
        }
        Raw::Choice(parts) | Raw::Unordered(parts) => {
            parts.iter_mut().for_each(|part| name_last(part, name));
        }
        Raw::Optional(part) | Raw::OptionalAfterNo(part) => name_last(part, name),
    }
}

impl Raw {
    /// Whether a text stands in it.
    fn has_text(&self) -> bool {
        match self {
            Self::Token { token, .. } => token.is_text(),
            Self::Sequence(parts) | Self::Choice(parts) | Self::Unordered(parts) => {
                parts.iter().any(Self::has_text)
            }
            Self::Optional(part) | Self::OptionalAfterNo(part) => part.has_text(),
        }
    }

    /// The normal text: names dropped, placeholders by kind, alternatives sorted, nesting flat.
    pub(super) fn normal(&self) -> String {
        let join =
            |parts: &[Self], by: &str| parts.iter().map(Self::normal).collect::<Vec<_>>().join(by);
        match self {
            Self::Token { token, variadic, .. } => {
                alloc::format!("{token}{}", if *variadic { "..." } else { "" })
            }
            Self::Sequence(parts) => join(parts, " "),
            Self::Choice(parts) => alloc::format!("<{}>", join(parts, "|")),
            Self::Unordered(parts) => alloc::format!("{{{}}}", join(parts, "|")),
            Self::Optional(part) => alloc::format!("[{}]", bare(part)),
            Self::OptionalAfterNo(part) => alloc::format!("![{}]", bare(part)),
        }
    }

    /// Puts alternatives into the order of their normal texts and takes nesting out.
    pub(super) fn ordered(self) -> Self {
        let sorted = |parts: Vec<Self>, flatten: bool| {
            let mut flat = Vec::new();
            for part in parts.into_iter().map(Self::ordered) {
                match part {
                    Self::Choice(inner) if flatten => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            flat.sort_by_cached_key(Self::normal);
            flat.dedup_by_key(|part| part.normal());
            flat
        };
        match self {
            Self::Token { .. } => self,
            Self::Sequence(parts) => {
                let mut flat = Vec::new();
                for part in parts.into_iter().map(Self::ordered) {
                    match part {
                        Self::Sequence(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                Self::Sequence(flat)
            }
            Self::Choice(parts) => one_of(sorted(parts, true)),
            Self::Unordered(parts) => Self::Unordered(sorted(parts, true)),
            Self::Optional(part) => match part.ordered() {
                Self::Optional(inner) => Self::Optional(inner),
                inner => Self::Optional(Box::new(inner)),
            },
            Self::OptionalAfterNo(part) => Self::OptionalAfterNo(Box::new(part.ordered())),
        }
    }
}

/// `[<a|b>]` is written `[a|b]`.
fn bare(part: &Raw) -> String {
    match part {
        Raw::Choice(parts) => parts.iter().map(Raw::normal).collect::<Vec<_>>().join("|"),
        other => other.normal(),
    }
}
