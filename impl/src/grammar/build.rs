//! Makes a line of a form from named captures, and lines that show what a form takes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::form::{Form, LeafId, Node};
use super::text::escape;
use super::token::Token;
use super::words::{Sign, Words};

/// Why captures make no line of a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A capture that the form needs is missing.
    #[error("`{name}` is missing")]
    Missing {
        /// The capture's name.
        name: Box<str>,
    },
    /// A value does not fit its token.
    #[error("`{value}` does not fit {token} of `{name}`")]
    Unfit {
        /// The capture.
        name: Box<str>,
        /// Its value.
        value: Box<str>,
        /// What it was to fit.
        token: Box<str>,
    },
    /// The form cannot be negated, or not without.
    #[error("the form has no line of this sign")]
    Sign,
    /// A capture stands nowhere in the line.
    #[error("`{value}` of `{name}` has no place")]
    Unused {
        /// The capture's name.
        name: Box<str>,
        /// Its value.
        value: Box<str>,
    },
}

/// Words with their leaves, while a line is made.
type Made<'a> = Vec<(LeafId, Cow<'a, str>)>;

impl Form {
    /// The line of this form with these captures.
    ///
    /// # Shape
    /// `values` are by the names of [`Form::carried`]. Optional parts are taken where something
    /// that they carry is given. Of alternatives that can be said, the one is taken that says most
    /// of what is given, of these the one that a parser prefers for the words; if they differ in
    /// what is not given, none. Every given value must find its place.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(&self, sign: Sign, values: &[(&str, &str)]) -> Result<Words, BuildError> {
        let maker = Maker { form: self, sign, values };
        let mut made = Made::new();
        maker.node(self.root(), &mut made)?;
        let negated = made.first().is_some_and(|(_, word)| word == "no");
        if negated != (sign == Sign::No) {
            return Err(BuildError::Sign);
        }
        for (name, value) in values {
            let leaves = self.capture(name);
            if !made.iter().any(|(leaf, _)| leaves.contains(leaf)) && sign == Sign::Positive {
                let (name, value) = ((*name).into(), (*value).into());
                return Err(BuildError::Unused { name, value });
            }
        }
        Ok(Words::from_taken(made))
    }

    /// The words of these captures alone, in the form's order: what identifies a line.
    pub fn part(&self, values: &[(&str, &str)]) -> Option<Words> {
        let mut made = Made::new();
        for (name, value) in values {
            let words = value.split(' ');
            let takes = |leaf: &LeafId| {
                words.clone().all(|word| match &self.leaf(*leaf).token {
                    Token::Keyword(keyword) => **keyword == *word,
                    token => token.fit(word).is_some(),
                })
            };
            let fit = |leaf: &LeafId| {
                words.clone().map(|word| self.leaf(*leaf).token.fit(word)).collect::<Vec<_>>()
            };
            let leaf = self.capture(name).into_iter().filter(takes).min_by_key(fit)?;
            let token = &self.leaf(leaf).token;
            made.extend(words.map(|word| (leaf, token.canonical(word))));
        }
        Some(Words::from_taken(made))
    }

    /// Reads the words of a key back: of `leaves`, or of a whole line where none are named. As in a
    /// line, a word is what fits it best.
    pub fn key_words(&self, leaves: Option<&[LeafId]>, text: &str) -> Option<Words> {
        let Some(leaves) = leaves else {
            return self.words(text);
        };
        let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        let paths = self.key_paths(self.root(), leaves, &words, 0);
        let whole = paths.into_iter().filter(|(at, _)| *at == words.len()).map(|(_, path)| path);
        let fit = |path: &Vec<LeafId>| {
            let fits = path.iter().zip(&words);
            fits.map(|(leaf, word)| self.leaf(*leaf).token.fit(word)).collect::<Vec<_>>()
        };
        let path = whole.min_by_key(fit)?;
        Some(Words::from_taken(path.into_iter().zip(words).collect()))
    }

    /// The ways in which the key leaves in `node` take words from `at` on: where each ends, and the
    /// leaf of each word.
    fn key_paths(
        &self,
        node: &Node,
        key: &[LeafId],
        words: &[&str],
        at: usize,
    ) -> Vec<(usize, Vec<LeafId>)> {
        let none = || alloc::vec![(at, Vec::new())];
        let along = |parts: &[Node], may_skip: bool| {
            let mut ways = none();
            for part in parts {
                let mut longer = if may_skip { ways.clone() } else { Vec::new() };
                for (from, path) in &ways {
                    for (to, more) in self.key_paths(part, key, words, *from) {
                        longer.push((to, [path.as_slice(), &more].concat()));
                    }
                }
                longer.sort();
                longer.dedup();
                ways = longer;
            }
            ways
        };
        match node {
            Node::Leaf(id) if !key.contains(id) => none(),
            Node::Leaf(id) => {
                let leaf = self.leaf(*id);
                let takes = |word: &&&str| match &leaf.token {
                    Token::Keyword(keyword) => **keyword == ***word,
                    token => token.fit(word).is_some(),
                };
                let most = if leaf.variadic { words.len() } else { 1 };
                let taken = words[at..].iter().take(most).take_while(takes).count();
                (1..=taken).map(|many| (at + many, alloc::vec![*id; many])).collect()
            }
            Node::Sequence(parts) => along(parts, false),
            // Canonical words are in the form's order.
            Node::Unordered(parts) => along(parts, true),
            Node::Choice(parts) => {
                let ways = parts.iter().flat_map(|part| self.key_paths(part, key, words, at));
                ways.collect()
            }
            Node::Optional(part) | Node::OptionalAfterNo(part) => {
                let mut ways = self.key_paths(part, key, words, at);
                ways.extend(none());
                ways
            }
        }
    }

    /// Lines of this form that together show every alternative and both ends of every range, with
    /// and without each optional part; at most `limit`.
    pub fn examples(&self, limit: usize) -> Vec<Words> {
        let mut lines: Vec<Words> = Vec::new();
        let mut idle = 0;
        for round in 0..limit.saturating_mul(4) {
            let mut made = Made::new();
            let mut state = round as u64;
            self.example(self.root(), &mut state, &mut made);
            if made.is_empty() {
                continue;
            }
            let words = Words::from_taken(made);
            if lines.contains(&words) {
                idle += 1;
                if idle > 64 {
                    break;
                }
            } else {
                lines.push(words);
                if lines.len() == limit {
                    break;
                }
            }
        }
        lines
    }

    fn example<'a>(&'a self, node: &'a Node, state: &mut u64, made: &mut Made<'a>) {
        // Mixed radix: round 0 takes the first of everything, and each choice consumes a digit.
        let mut pick = |count: u64| {
            let digit = *state % count;
            *state /= count;
            digit
        };
        match node {
            Node::Leaf(id) if self.leaf(*id).token.is_text() => {
                if made.first().is_none_or(|(_, word)| word != "no") {
                    made.push((*id, sample_text(&self.leaf(*id).token, pick(3))));
                }
            }
            Node::Leaf(id) => {
                let word = match &self.leaf(*id).token {
                    Token::Keyword(word) => Cow::Borrowed(&**word),
                    Token::Range { min, max } => {
                        let values = [*min, *max, min.midpoint(*max)];
                        let value = values[pick(if min == max { 1 } else { 3 }) as usize];
                        Cow::Owned(value.to_string())
                    }
                    Token::String => Cow::Borrowed(sample_string(pick(3))),
                    token @ Token::List(of) => {
                        let list = sample_list(of, pick(4));
                        Cow::Owned(token.canonical(&list).into_owned())
                    }
                    token => Cow::Borrowed(sample(token, pick(2))),
                };
                made.push((*id, word));
            }
            Node::Sequence(parts) => parts.iter().for_each(|part| self.example(part, state, made)),
            Node::Choice(parts) => {
                let part = pick(parts.len() as u64) as usize;
                self.example(&parts[part], state, made);
            }
            Node::Optional(part) => {
                if pick(2) == 1 {
                    self.example(part, state, made);
                }
            }
            Node::OptionalAfterNo(part) => self.example(part, state, made),
            Node::Unordered(parts) => {
                let first = pick(parts.len() as u64) as usize;
                for (number, part) in parts.iter().enumerate() {
                    let mut pick = |count: u64| {
                        let digit = *state % count;
                        *state /= count;
                        digit
                    };
                    if number == first || pick(2) == 1 {
                        self.example(part, state, made);
                    }
                }
            }
        }
    }
}

const fn sample(token: &Token, which: u64) -> &'static str {
    let first = which == 0;
    match token {
        Token::Ipv4 => {
            if first {
                "192.0.2.1"
            } else {
                "198.51.100.7"
            }
        }
        Token::Ipv4Prefix => {
            if first {
                "192.0.2.0/24"
            } else {
                "198.51.100.0/25"
            }
        }
        Token::Ipv6 => {
            if first {
                "2001:db8::1"
            } else {
                "2001:db8::7"
            }
        }
        Token::Ipv6Prefix => {
            if first {
                "2001:db8::/32"
            } else {
                "2001:db8:7::/48"
            }
        }
        Token::Mac => {
            if first {
                "00:00:5e:00:53:01"
            } else {
                "00:00:5e:00:53:07"
            }
        }
        Token::MacPrefix => {
            if first {
                "00:00:5e:00:53:00/40"
            } else {
                "00:00:5e:00:00:00/32"
            }
        }
        Token::Asn => {
            if first {
                "64496"
            } else {
                "64511"
            }
        }
        Token::Keyword(_)
        | Token::Range { .. }
        | Token::Variable
        | Token::String
        | Token::List(_)
        | Token::Text { .. } => {
            if first {
                "Example"
            } else {
                "Other-1"
            }
        }
    }
}

/// One value, several, a span.
fn sample_list(of: &Token, which: u64) -> String {
    match of {
        Token::Range { min, max } => match which {
            0 => min.to_string(),
            1 => alloc::format!("{min},{max}"),
            2 => alloc::format!("{min}-{max}"),
            _ => alloc::format!("{},{max}", min.midpoint(*max)),
        },
        of if which.is_multiple_of(2) => sample(of, which / 2).into(),
        of => alloc::format!("{},{}", sample(of, 0), sample(of, 1)),
    }
}

/// A string in quotes, or a word.
const fn sample_string(which: u64) -> &'static str {
    match which {
        0 => "Example",
        1 => "\"two\u{1a}`\u{1a}`blanks\"",
        _ => "\"Other-1\"",
    }
}

/// A text: short, with blanks, an empty line and equal lines, with lines that are commands.
fn sample_text(token: &Token, which: u64) -> Cow<'static, str> {
    let lines = [
        "Example",
        "\n  two  blanks\n\n  two  blanks\n",
        "\nexit\nno hostname\ninterface eth0\n shutdown\nend\n",
    ];
    let lines = lines[(which as usize).min(lines.len() - 1)];
    let text = match token {
        Token::Text { until: Some(until) } => {
            let lines = lines.trim_matches('\n').split('\n');
            let lines: Vec<&str> = lines.filter(|line| line.trim() != &**until).collect();
            alloc::format!("\n{}\n  {until}", lines.join("\n"))
        }
        _ => alloc::format!("^C{lines}^C"),
    };
    Cow::Owned(escape(&text))
}

struct Maker<'a> {
    form: &'a Form,
    sign: Sign,
    values: &'a [(&'a str, &'a str)],
}

impl<'a> Maker<'a> {
    fn value(&self, id: LeafId) -> Option<(&'a str, &'a str)> {
        let leaf = self.form.leaf(id);
        let name = leaf.name.as_deref().or(leaf.implied.as_deref())?;
        self.values.iter().find(|(given, _)| *given == name).copied()
    }

    fn node(&self, node: &'a Node, made: &mut Made<'a>) -> Result<(), BuildError> {
        match node {
            Node::Leaf(id) => self.leaf(*id, made),
            Node::Sequence(parts) => parts.iter().try_for_each(|part| self.node(part, made)),
            Node::Choice(parts) => {
                made.append(&mut self.choice(parts)?);
                Ok(())
            }
            Node::Optional(part) => {
                if self.is_leading_no(part) {
                    return if self.sign == Sign::No { self.node(part, made) } else { Ok(()) };
                }
                if self.wants(part) { self.node(part, made) } else { Ok(()) }
            }
            Node::OptionalAfterNo(part) => {
                if self.sign == Sign::Positive || self.wants(part) {
                    self.node(part, made)
                } else {
                    Ok(())
                }
            }
            Node::Unordered(parts) => {
                let before = made.len();
                for part in parts.iter().filter(|part| self.wants(part)) {
                    self.node(part, made)?;
                }
                if made.len() > before { Ok(()) } else { Err(BuildError::Sign) }
            }
        }
    }

    /// The words of the alternative that is meant.
    fn choice(&self, parts: &'a [Node]) -> Result<Made<'a>, BuildError> {
        let mut failed = None;
        let mut said: Vec<Made<'a>> = Vec::new();
        for part in parts {
            let mut branch = Made::new();
            match self.node(part, &mut branch) {
                Ok(()) => said.push(branch),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if said.len() < 2 {
            return said.pop().ok_or(failed.unwrap_or(BuildError::Sign));
        }
        let given = |branch: &Made<'a>| {
            let all = branch.iter().filter(|(leaf, _)| self.given(*leaf).is_some());
            all.count()
        };
        let most = said.iter().map(given).max().unwrap_or(0);
        if most == 0 {
            let words = |branch: &Made<'a>| branch.first().map(|(_, word)| word.to_string());
            let words: Vec<_> = said.iter().filter_map(words).collect();
            return Err(BuildError::Missing {
                name: alloc::format!("<{}>", words.join("|")).into(),
            });
        }
        said.retain(|branch| given(branch) == most);
        let fit = |branch: &Made<'a>| {
            let words = branch.iter();
            words.map(|(leaf, word)| self.form.leaf(*leaf).token.fit(word)).collect::<Vec<_>>()
        };
        said.into_iter().min_by_key(fit).ok_or(BuildError::Sign)
    }

    fn leaf(&self, id: LeafId, made: &mut Made<'a>) -> Result<(), BuildError> {
        let leaf = self.form.leaf(id);
        if leaf.token.is_text() && self.sign == Sign::No {
            return Ok(());
        }
        if let Token::Keyword(word) = &leaf.token {
            // A keyword that is named is taken for that very value only.
            if let (Some(name), Some((_, value))) = (&leaf.name, self.value(id))
                && value != &**word
                && **name != *"no"
            {
                let (name, value) = (name.clone(), value.into());
                return Err(BuildError::Unfit { name, value, token: word.clone() });
            }
            made.push((id, Cow::Borrowed(&**word)));
            return Ok(());
        }
        let Some((name, value)) = self.value(id) else {
            let name = leaf.name.as_deref().or(leaf.implied.as_deref()).unwrap_or(&leaf.text);
            return Err(BuildError::Missing { name: name.into() });
        };
        let words = value.split(' ');
        let many = !leaf.variadic && words.clone().nth(1).is_some();
        for word in words {
            if many || leaf.token.fit(word).is_none() {
                let token = leaf.token.to_string().into();
                return Err(BuildError::Unfit { name: name.into(), value: value.into(), token });
            }
            made.push((id, leaf.token.canonical(word)));
        }
        Ok(())
    }

    /// The value of what the line carries here, if it is given: of a capture, or of the part that
    /// begins with this keyword.
    fn given(&self, id: LeafId) -> Option<&'a str> {
        if let Some(part) = self.form.captures().part_at(id) {
            let given = self.values.iter().find(|(name, _)| *name == &*part.name);
            return given.map(|(_, value)| *value);
        }
        let named = self.form.leaf(id).name.is_some() || !self.form.leaf(id).token.is_keyword();
        self.value(id).filter(|_| named).map(|(_, value)| value)
    }

    fn is_leading_no(&self, part: &Node) -> bool {
        matches!(part, Node::Leaf(LeafId(0))) && self.form.leaf(LeafId(0)).token.is_no()
    }

    /// Whether something is given that `node` carries.
    fn wants(&self, node: &Node) -> bool {
        match node {
            Node::Leaf(id) => match (&self.form.leaf(*id).token, self.given(*id)) {
                (Token::Keyword(word), Some(value)) => value == &**word,
                (_, given) => given.is_some(),
            },
            Node::Sequence(parts) | Node::Choice(parts) | Node::Unordered(parts) => {
                parts.iter().any(|part| self.wants(part))
            }
            Node::Optional(part) | Node::OptionalAfterNo(part) => self.wants(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_made_of_captures() {
        let form =
            Form::parse("[no] rpki cache tcp HOST$host (1-65535)$port [source A.B.C.D$source]");
        let form = form.unwrap();
        let line = form.build(Sign::Positive, &[("host", "r1"), ("port", "323")]).unwrap();
        assert_eq!(line.text(), "rpki cache tcp r1 323");
        let all = [("host", "r1"), ("port", "323"), ("source", "192.0.2.1")];
        let line = form.build(Sign::No, &all).unwrap();
        assert_eq!(line.text(), "no rpki cache tcp r1 323 source 192.0.2.1");
        let unfit = form.build(Sign::Positive, &[("host", "r1"), ("port", "0")]);
        assert!(matches!(unfit, Err(BuildError::Unfit { .. })));
        let missing = form.build(Sign::Positive, &[("host", "r1")]);
        assert_eq!(missing, Err(BuildError::Missing { name: "port".into() }));
    }

    #[test]
    fn an_alternative_is_taken_by_its_keyword() {
        let form = Form::parse("[no] logging level <debug|errors|warnings>$level").unwrap();
        let line = form.build(Sign::Positive, &[("level", "errors")]).unwrap();
        assert_eq!(line.text(), "logging level errors");
    }

    #[test]
    fn every_example_parses_back_to_itself() {
        let form = "[no] a <b|c (1-9)> {x WORD|y A.B.C.D|z} [opt X:X::X:X/M] ![last (0-3)] LINE...";
        let form = Form::parse(form).unwrap();
        let lines = form.examples(200);
        assert!(lines.len() > 100, "{} examples", lines.len());
        for line in lines {
            assert_eq!(form.words(line.text()).as_ref(), Some(&line), "{line}");
        }
    }
}
