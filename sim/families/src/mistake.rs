//! Mistakes: what a person may forget or mix up where a family is written. Each is one edit of its
//! files; what its configs mean stays as it was meant.

use std::collections::BTreeMap;

use strum::{Display, EnumIter};

use crate::draw::Drawn;
use crate::rng::Rng;

/// A kind of mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Slip {
    /// A pair of a map is left out.
    Pair,
    /// A `key` is left out.
    Key,
    /// An alternative, or a word, of the new form is forgotten.
    Alternative,
    /// A part of the new form is forgotten.
    Part,
    /// `not` is left out.
    Not,
    /// `each` is left out.
    Each,
    /// `optional` is left out.
    Optional,
    /// `one` is left out.
    One,
    /// `implied` is left out.
    Implied,
    /// `scale` is left out.
    Scale,
    /// `partial` is left out.
    Partial,
    /// A default is left out.
    Default,
    /// `factory` is left out.
    Factory,
    /// `no` is left out.
    No,
    /// `ordered`, or `list`, is left out.
    List,
    /// Two names change places.
    Names,
    /// A range of the new form is wider.
    Range,
}

/// The files of a family with one mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistaken {
    /// The kind of the mistake.
    pub slip: Slip,
    /// The line as it should be, and as it is; empty: it is left out.
    pub lines: (String, String),
    /// The files: (name, text).
    pub files: Vec<(String, String)>,
}

/// One edit of a file.
#[derive(Clone, Debug)]
struct Edit {
    slip: Slip,
    file: usize,
    line: usize,
    now: String,
    /// A form that is another from here on, and what it is.
    form: Option<(String, String)>,
}

/// Keys of a table that can be left out, each a line of its own.
const KEYS: &[(&str, Slip)] = &[
    ("key = ", Slip::Key),
    ("one = ", Slip::One),
    ("implied = ", Slip::Implied),
    ("scale = ", Slip::Scale),
    ("partial = ", Slip::Partial),
    ("default = ", Slip::Default),
    ("factory = ", Slip::Factory),
    ("no = ", Slip::No),
    ("ordered = ", Slip::List),
    ("list = ", Slip::List),
];
/// What can be left out of a line of a side.
const WORDS: &[(&str, Slip)] =
    &[(", not = ", Slip::Not), (", each = ", Slip::Each), (", optional = ", Slip::Optional)];

impl Drawn {
    /// The files with one mistake, of a kind that fits; none: none fits.
    pub fn mistaken(&self, rng: &mut Rng) -> Option<Mistaken> {
        let mut files = self.files();
        let mut edits: BTreeMap<Slip, Vec<Edit>> = BTreeMap::new();
        for (number, (_, text)) in files.iter().enumerate().skip(1) {
            for edit in edits_of(number, text, rng) {
                edits.entry(edit.slip).or_default().push(edit);
            }
        }
        let kinds: Vec<Vec<Edit>> = edits.into_values().collect();
        if kinds.is_empty() {
            return None;
        }
        let of = rng.below(kinds.len());
        let Edit { slip, file, line, now, form } = rng.pick(&kinds[of]).clone();
        let text = &mut files[file].1;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let was = std::mem::replace(&mut lines[line], now.clone());
        if let Some((old, new)) = form {
            let later = lines.iter_mut().skip(line);
            later.for_each(|text| *text = text.replace(&quoted(&old), &quoted(&new)));
        }
        let kept = lines.iter().enumerate().filter(|(at, text)| *at != line || !text.is_empty());
        *text = kept.map(|(_, text)| format!("{text}\n")).collect();
        Some(Mistaken { slip, lines: (was, now), files })
    }
}

fn quoted(form: &str) -> String {
    format!("'{form}'")
}

/// All edits of a file that are mistakes.
fn edits_of(file: usize, text: &str, rng: &mut Rng) -> Vec<Edit> {
    let mut edits = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut is_new = false;
    for (line, words) in lines.iter().enumerate() {
        let mut add = |slip, now: String, form| edits.push(Edit { slip, file, line, now, form });
        is_new = match words {
            words if words.starts_with("new = ") => true,
            // A side goes on.
            words if words.starts_with("       {") => is_new,
            _ => false,
        };
        if let Some((_, slip)) = KEYS.iter().find(|(key, _)| words.starts_with(key)) {
            add(*slip, String::new(), None);
        }
        if words.starts_with("map = ") {
            for pair in pairs(words) {
                add(Slip::Pair, without_pair(words, pair), None);
            }
        }
        for (key, slip) in WORDS {
            if let Some(at) = words.find(key) {
                let rest = &words[at + key.len()..];
                let end = rest.find([',', ' ', '}']).unwrap_or(rest.len());
                add(*slip, format!("{}{}", &words[..at], &rest[end..]), None);
            }
        }
        let form = words.split('\'').nth(1).filter(|_| is_new);
        let Some(form) = form else { continue };
        if let Some(swapped) = swapped(form) {
            add(Slip::Names, words.replace(form, &swapped), None);
        }
        // What stands further up is another level's form, too.
        if lines[..line].iter().any(|before| before.contains(&quoted(form))) {
            continue;
        }
        for (slip, other) in other_forms(form, rng) {
            let now = words.replace(form, &other);
            add(slip, now, Some((form.to_owned(), other)));
        }
    }
    edits
}

/// The pairs of a map, each as it is written.
fn pairs(map: &str) -> Vec<&str> {
    let inner = map.split('{').skip(2).filter_map(|table| table.split('}').next());
    inner
        .flat_map(|table| table.split(','))
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .collect()
}

/// A map without a pair; empty: it was its only one.
fn without_pair(map: &str, pair: &str) -> String {
    if pairs(map).len() == 1 {
        return String::new();
    }
    let alone = format!("{{ {pair} }}");
    let is_alone = map.contains(&alone);
    let less = if is_alone {
        // The table of its capture goes along.
        let at = map.find(&alone).expect("it was found");
        let begins = map[..at].rfind(['{', ',']).map_or(0, |at| at + 1);
        format!("{}{}", &map[..begins], &map[at + alone.len()..])
    } else {
        map.replacen(&format!("{pair}, "), "", 1).replacen(&format!(", {pair}"), "", 1)
    };
    less.replace("{,", "{").replace(", }", " }").replace(",,", ",")
}

/// A form in which the first two names have changed places; none: it has not two.
fn swapped(form: &str) -> Option<String> {
    let ends = |at: usize| {
        let rest = &form[at..];
        at + rest.find([' ', ']', '>', '}', '|']).unwrap_or(rest.len())
    };
    let names: Vec<(usize, usize)> =
        form.match_indices('$').map(|(at, _)| (at + 1, ends(at))).collect();
    let (one, other) = (*names.first()?, *names.get(1)?);
    let name = |(from, to): (usize, usize)| &form[from..to];
    Some(format!(
        "{}{}{}{}{}",
        &form[..one.0],
        name(other),
        &form[one.1..other.0],
        name(one),
        &form[other.1..]
    ))
}

/// Forms that somebody may have written in the place of this one.
fn other_forms(form: &str, rng: &mut Rng) -> Vec<(Slip, String)> {
    let mut forms = Vec::new();
    for (open, _) in form.match_indices('<') {
        let Some(close) = form[open..].find('>').map(|at| open + at) else { continue };
        let mut words: Vec<&str> = form[open + 1..close].split('|').collect();
        if words.len() > 1 {
            words.remove(rng.below(words.len()));
            let other = format!("{}{}{}", &form[..=open], words.join("|"), &form[close..]);
            forms.push((Slip::Alternative, other));
        }
    }
    for (open, _) in form.match_indices(" [") {
        let mut depth = 0;
        let close = form[open..].find(|letter| {
            depth += i32::from(letter == '[') - i32::from(letter == ']');
            letter == ']' && depth == 0
        });
        if let Some(close) = close {
            forms.push((Slip::Part, format!("{}{}", &form[..open], &form[open + close + 1..])));
        }
    }
    for (open, _) in form.match_indices('(') {
        let Some(close) = form[open..].find(')').map(|at| open + at) else { continue };
        let range = form[open + 1..close].split_once('-');
        let most = range.and_then(|(_, most)| most.parse::<i64>().ok());
        if let (Some((least, _)), Some(most)) = (range, most) {
            let other = format!("{}{least}-{}{}", &form[..=open], 2 * most, &form[close..]);
            forms.push((Slip::Range, other));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use strum::IntoEnumIterator as _;

    #[test]
    fn each_kind_of_mistake_is_drawn_and_changes_the_files() {
        let mut met = BTreeSet::new();
        for seed in 0..400 {
            let family = Drawn::from_seed(seed);
            let Some(mistaken) = family.mistaken(&mut Rng::new(seed, 5)) else { continue };
            assert_ne!(mistaken.files, family.files(), "{:?}", mistaken.lines);
            met.insert(mistaken.slip);
        }
        let all: BTreeSet<Slip> = Slip::iter().collect();
        assert_eq!(met, all);
    }

    #[test]
    fn a_pair_goes_with_its_table_if_it_is_alone_there() {
        let map = r#"map = { a = { x = "y" }, b = { u = "v", w = "z" } }"#;
        assert_eq!(pairs(map), [r#"x = "y""#, r#"u = "v""#, r#"w = "z""#]);
        assert_eq!(without_pair(map, r#"x = "y""#), r#"map = { b = { u = "v", w = "z" } }"#);
        assert_eq!(
            without_pair(map, r#"w = "z""#),
            r#"map = { a = { x = "y" }, b = { u = "v" } }"#
        );
        assert_eq!(without_pair(r#"map = { a = { x = "y" } }"#, r#"x = "y""#), "");
    }

    #[test]
    fn two_names_change_places() {
        assert_eq!(
            swapped("[no] x WORD$a [y (1-9)$bc]").as_deref(),
            Some("[no] x WORD$bc [y (1-9)$a]")
        );
        assert_eq!(swapped("[no] x WORD$a"), None);
    }
}
