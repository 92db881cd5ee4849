//! The values of each name of a side, and which of them stand together.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use skewsync::grammar::{Form, Sign, Token};
use skewsync::ids::FormId;
use skewsync::image::Image;
use skewsync::transform::Direction;

use super::{COMBINATIONS_MAX, Combined, Domain, EXAMPLES_MAX, Values, pairs};

/// Values of one name at most.
const VALUES_MAX: usize = 40;
/// Lines of a form of which those are looked at that show anything new.
const SHOWN_MAX: usize = 256;
/// Values of one kind that are tried.
const KINDS_MAX: usize = 4;
/// Keywords that are tried where any word may stand.
const KEYWORDS_MAX: usize = 8;
/// What fits other kinds, or begins as an example does, and is a word like any other.
const LIKE_OTHERS: &[&str] = &["7", "192.0.2.1", "2001:db8::1", "Example-2", "Exam"];

/// A name of a side, with its values; none: a line may be without it.
pub(super) type Named<'a> = (&'a str, Vec<Option<String>>);

impl<'a> Domain<'a> {
    /// Values that stand together: all combinations, or all pairs.
    pub(super) fn combinations(&self) -> (Vec<Values<'a>>, Combined) {
        let named = self.named();
        let bases = self.bases();
        let builds = |values: &Values<'a>| {
            if self.is_one() {
                return self.patterns.iter().any(|of| self.line(of, values).is_some());
            }
            self.group(values).is_some()
        };
        let counts = named.iter().map(|(_, values)| values.len());
        let all = counts.fold(1_usize, usize::saturating_mul);
        let mut groups: Vec<Values<'a>> = Vec::new();
        let combined = if all <= COMBINATIONS_MAX {
            groups.extend((0..all).map(|number| nth(&named, number)).filter(builds));
            Combined::All
        } else {
            groups.extend(pairs::covering(&named, &bases, &builds));
            Combined::Pairs
        };
        groups.extend(bases.into_iter().filter(builds));
        let mut seen = BTreeSet::new();
        groups.retain(|values| seen.insert(values.clone()));
        groups.truncate(COMBINATIONS_MAX);
        (groups, combined)
    }

    /// Lines of the forms as they show what these can say: values that stand together.
    fn bases(&self) -> Vec<Values<'a>> {
        let mut bases: Vec<Values<'a>> = vec![Values::new()];
        for of in &self.patterns {
            let ids = of.entries.iter().filter(|entry| self.is_meant(**entry)).chain([&of.form]);
            for id in ids {
                let shown = self.shown(*id);
                let filled = shown.iter().max_by_key(|values| values.len()).cloned();
                let filled = filled.unwrap_or_default();
                let first = bases.first().cloned().unwrap_or_default();
                bases = bases.iter().map(|base| joined(base, &filled)).collect();
                bases.extend(shown.iter().map(|values| joined(&first, values)));
            }
        }
        bases
    }

    /// The values of the lines that show what a form can say.
    fn shown(&self, id: FormId) -> Vec<Values<'a>> {
        let form: &'a Form = &self.image.form(id).form;
        let examples = form.examples(SHOWN_MAX);
        let lines = examples.iter().filter(|words| words.sign() == Sign::Positive);
        let values = lines.map(|words| {
            let values = form.values_of(words).into_iter().filter_map(|(name, value)| {
                let name = form.carried().find(|carried| *carried == name)?;
                Some((name, Cow::Owned(value.into_owned())))
            });
            values.collect::<Values<'a>>()
        });
        // Beyond the first, those that show anything new.
        let mut met: BTreeSet<(&str, Option<Cow<'a, str>>)> = BTreeSet::new();
        let values = values.enumerate().filter(|(number, values)| {
            let all = form.carried().map(|name| (name, values.get(name).cloned()));
            let new = all.filter(|of| met.insert(of.clone())).count();
            *number < EXAMPLES_MAX || new > 0
        });
        values.map(|(_, values)| values).collect()
    }

    /// Whether the change says anything of the entry of a mode around its lines.
    fn is_meant(&self, entry: FormId) -> bool {
        let change = self.change;
        let form = &self.image.form(entry).form;
        form.carried().any(|name| {
            change.map.contains_key(name)
                || change.scale.contains_key(name)
                || change.implied.contains_key(name)
                || change.loses.contains_key(name)
                || change.partial.iter().any(|partial| *partial == *name)
        })
    }

    /// The names of the side, with all values at which something may change.
    fn named(&self) -> Vec<Named<'a>> {
        let mut named: BTreeMap<&'a str, Vec<Option<String>>> = BTreeMap::new();
        for of in &self.patterns {
            let ids = of.entries.iter().filter(|entry| self.is_meant(**entry)).chain([&of.form]);
            for id in ids {
                let form: &'a Form = &self.image.form(*id).form;
                let shown = self.shown(*id);
                for name in form.carried() {
                    let values = named.entry(name).or_default();
                    let mut add = |value: Option<String>| {
                        if !values.contains(&value) && values.len() < VALUES_MAX {
                            values.push(value);
                        }
                    };
                    if !form.always_carries(name) {
                        add(None);
                    }
                    for values in &shown {
                        add(values.get(name).map(|value| value.clone().into_owned()));
                    }
                    self.values(form, name).into_iter().for_each(|value| add(Some(value)));
                }
            }
        }
        named.into_iter().collect()
    }

    /// More values of a capture: of the pairs of its map, of the other side, and such as are like
    /// others.
    fn values(&self, form: &Form, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        for leaf in form.capture(name) {
            let token = &form.leaf(leaf).token;
            match token {
                Token::Keyword(word) => values.push(word.to_string()),
                token => {
                    let alone = Form::parse(&token.to_string()).ok();
                    let lines = alone.iter().flat_map(|form| form.examples(KINDS_MAX));
                    values.extend(lines.map(|words| words.text().to_owned()));
                }
            }
        }
        for (old, new) in self.change.map.get(name).into_iter().flatten() {
            values.extend([old.clone(), new.clone()]);
        }
        for said in [&self.change.implied, &self.change.loses] {
            values.extend(said.get(name).filter(|value| !value.is_empty()).cloned());
        }
        let there = self.there.iter().filter(|form| form.carries(name));
        for form in there {
            for words in form.examples(EXAMPLES_MAX) {
                let value = words.value(form, name).map(Cow::into_owned);
                values.extend(value.into_iter().flat_map(|value| self.here(name, &value)));
            }
            for leaf in form.capture(name) {
                let token = match &form.leaf(leaf).token {
                    Token::List(of) => of,
                    token => token,
                };
                let ends = token.range().into_iter();
                let ends =
                    ends.flat_map(|(min, max)| [min - 1, min, min + 1, max - 1, max, max + 1]);
                values.extend(ends.flat_map(|end| self.here(name, &end.to_string())));
            }
        }
        for leaf in form.capture(name) {
            let leaf = form.leaf(leaf);
            if let Token::Range { min, max } = leaf.token {
                values.extend(self.multiples(name, min, max));
            }
            if matches!(leaf.token, Token::Variable | Token::String) {
                values.extend(LIKE_OTHERS.iter().map(ToString::to_string));
                values.extend(self.beside.iter().cloned());
            }
        }
        // What none of its leaves takes is nobody's line.
        let fits = |value: &String| {
            form.capture(name).iter().any(|leaf| match &form.leaf(*leaf).token {
                Token::Keyword(word) => **word == **value,
                token => token.fit(value).is_some(),
            })
        };
        values.retain(fits);
        if form.capture(name).iter().any(|leaf| form.leaf(*leaf).variadic) {
            let shown = form.examples(EXAMPLES_MAX);
            let shown = shown.iter().filter_map(|words| words.value(form, name));
            let shown = shown.map(Cow::into_owned).chain(values.clone());
            let shown: BTreeSet<String> = shown.filter(|value| !value.contains(' ')).collect();
            let shown: Vec<String> = shown.into_iter().take(3).collect();
            values.extend((2..=shown.len()).map(|count| shown[..count].join(" ")));
            values.extend(shown.first().map(|word| format!("{word} {word}")));
        }
        values
    }

    /// What a value of the other side may be on this one.
    fn here(&self, name: &str, value: &str) -> Vec<String> {
        let pairs = self.change.map.get(name).into_iter().flatten();
        let mapped = pairs.filter_map(|(old, new)| match self.way {
            Direction::Lower => (*old == *value).then(|| new.clone()),
            Direction::Raise => (*new == *value).then(|| old.clone()),
        });
        let mut values: Vec<String> = mapped.collect();
        let scale = self.change.scale.get(name).map(|scale| match self.way {
            Direction::Lower => *scale,
            Direction::Raise => scale.back(),
        });
        if let Some((scale, number)) = scale.zip(value.parse::<i128>().ok()) {
            // It is reached from above or below.
            let (least, most) = scale.back().reaching((number, number));
            values.extend([least, most].map(|number| number.to_string()));
        }
        values.push(value.to_owned());
        values
    }

    /// Of a capture in another unit: multiples of what goes at both ends, and their neighbours.
    fn multiples(&self, name: &str, min: i128, max: i128) -> Vec<String> {
        let Some(scale) = self.change.scale.get(name) else { return Vec::new() };
        let scale = match self.way {
            Direction::Lower => scale.back(),
            Direction::Raise => *scale,
        };
        let of = i128::from(scale.whole_of());
        let first = -(-min).div_euclid(of) * of;
        let last = max.div_euclid(of) * of;
        let numbers = [first, first + of, last - of, last];
        let near = numbers.into_iter().flat_map(|number| [number - 1, number, number + 1]);
        near.map(|number| number.to_string()).collect()
    }
}

/// The keywords that may stand where a form has a word of any kind: those of the forms beside it
/// that begin as it does, in full and cut short.
pub(super) fn keywords_beside(image: &Image, forms: &[FormId]) -> Vec<String> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    let begins = |form: &Form| {
        form.leaves().iter().find(|leaf| !leaf.token.is_no()).map(|leaf| leaf.token.clone())
    };
    for own in forms.iter().map(|form| image.form(*form)) {
        let first = begins(&own.form);
        let levels = image.levels();
        let beside = image.forms().filter(|(_, decl)| {
            decl.mode == own.mode
                && begins(&decl.form) == first
                && decl.lives_at(levels[usize::from(decl.component.0)])
        });
        for (_, decl) in beside {
            let leaves = decl.form.leaves().iter().filter(|leaf| !leaf.token.is_no()).skip(1);
            for leaf in leaves {
                if let Token::Keyword(word) = &leaf.token {
                    words.insert(word.to_string());
                    let most = word.chars().count() - 1;
                    if most > 1 {
                        words.insert(word.chars().take(most).collect());
                    }
                }
            }
        }
    }
    words.into_iter().take(KEYWORDS_MAX).collect()
}

/// The values of one group, and those of more that it lacks.
fn joined<'a>(one: &Values<'a>, more: &Values<'a>) -> Values<'a> {
    let mut all = more.clone();
    all.extend(one.iter().map(|(name, value)| (*name, value.clone())));
    all
}

/// The combination of this number.
fn nth<'a>(named: &[Named<'a>], number: usize) -> Values<'a> {
    let mut rest = number;
    let mut values = Values::new();
    for (name, of) in named {
        let value = &of[rest % of.len()];
        rest /= of.len();
        if let Some(value) = value {
            values.insert(name, Cow::Owned(value.clone()));
        }
    }
    values
}
