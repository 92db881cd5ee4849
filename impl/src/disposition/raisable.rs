//! What becomes of a form, as a form, on a way of steps: whole, all but some values, or nothing of
//! it.
//!
//! It is exact where each capture decides by itself; the laws hold it against lines.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::grammar::{Form, Token, spans};
use crate::ids::{FormId, ModeId};
use crate::image::{Image, Scale};
use crate::transform::{Direction, Rule, Step, Tft};

/// Values of one capture that do not go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fails {
    /// The capture's name.
    pub capture: String,
    /// Numbers that do not go: closed intervals.
    pub numbers: Vec<(i64, i64)>,
    /// Words that do not go.
    pub words: Vec<String>,
    /// No value goes: a line that has the capture does not.
    pub all: bool,
    /// Where no value goes: but these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub but: Vec<String>,
    /// Where no value goes: but those that fit one of these tokens of the form language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fits: Vec<String>,
    /// A line without the capture does not go.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub absent: bool,
    /// Of numbers only multiples of this go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiples_of: Option<u32>,
    /// Several words do not go.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub several: bool,
}

/// What becomes of a form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Raisable {
    /// No step reads it.
    Untouched,
    /// Every line of it goes, but those with these values; none: every line.
    But(Vec<Fails>),
    /// No line of it goes.
    Stuck,
}

/// A form that lines of the form at hand have become, by which rules, and the step from which on it
/// is looked at.
struct Path<'a> {
    form: FormId,
    passed: Vec<&'a Rule>,
    from: usize,
}

/// What becomes of `form` on the way of `steps`.
pub fn raisable(image: &Image, tft: &Tft, steps: &[Step], form: FormId) -> Raisable {
    if is_given_up(image, tft, steps, form) {
        return Raisable::Stuck;
    }
    let names: Vec<&str> = image.form(form).form.carried().collect();
    let mut fails: BTreeMap<Box<str>, Fails> = BTreeMap::new();
    let mut open = alloc::vec![Path { form, passed: Vec::new(), from: 0 }];
    let mut touched = false;
    // What is not sent is absent there, and a step would write what that says.
    let mut told_there = false;
    while let Some(Path { form: at, passed, from }) = open.pop() {
        let read = steps[from..].iter().enumerate().find_map(|(number, step)| {
            tft.read_by(*step, at).map(|used| (from + number, *step, used))
        });
        let Some((number, step, used)) = read else {
            continue;
        };
        touched = true;
        let rule = tft.rule(used.rule);
        let spelling = Spelling { passed, rule, direction: step.direction };
        told_there |= rule.writes_absence(step.direction);
        // Where several lines or values decide together, the unit that raises says what stays.
        let together = spelling.rules().any(Rule::decides_together);
        let alone = names.iter().filter(|_| !together);
        for name in alone {
            let failing = failing_from(image, &spelling, form, at, name);
            merge(fails.entry((*name).into()).or_default(), failing);
        }
        let passed: Vec<&Rule> = spelling.rules().collect();
        for to in rule.side(step.direction.to()) {
            open.push(Path { form: to.form, passed: passed.clone(), from: number + 1 });
        }
    }
    if !touched {
        return Raisable::Untouched;
    }
    if told_there && steps.first().is_some_and(|step| step.direction == Direction::Raise) {
        return Raisable::But(Vec::new());
    }
    let fails: Vec<Fails> = fails
        .into_iter()
        .map(|(name, fails)| Fails { capture: name.to_string(), ..fails })
        .filter(|fails| !fails.is_none())
        .collect();
    Raisable::But(fails)
}

/// Whether a line of the form ends on the way, whatever it says. Of lines among which its values
/// choose one, another may go; and it may be without what is optional.
fn is_given_up(image: &Image, tft: &Tft, steps: &[Step], form: FormId) -> bool {
    let read = steps
        .iter()
        .enumerate()
        .find_map(|(number, step)| tft.read_by(*step, form).map(|used| (number, *step, used)));
    let before = read.map_or(steps.len(), |(number, ..)| number);
    if steps[..before].iter().any(|step| ends_mode(image, tft, *step, image.form(form).mode)) {
        return true;
    }
    let Some((number, step, used)) = read else {
        return ends(image, steps, form);
    };
    let rule = tft.rule(used.rule);
    let to = rule.side(step.direction.to());
    if to.is_empty() || rule.revised && !rule.relates() {
        return true;
    }
    let is_gone = |form: FormId| is_given_up(image, tft, &steps[number + 1..], form);
    if rule.one == Some(step.direction.to()) {
        return to.iter().all(|of| is_gone(of.form));
    }
    to.iter().any(|of| of.optional.is_none() && is_gone(of.form))
}

/// Whether a step gives a mode up, or one around it.
fn ends_mode(image: &Image, tft: &Tft, step: Step, mode: ModeId) -> bool {
    let is_within = |around: ModeId| {
        core::iter::successors(Some(mode), |mode| image.parent(*mode)).any(|mode| mode == around)
    };
    tft.ended_modes(image, step).any(is_within)
}

/// Whether the form lives no more where the steps lead, and no rule says what became of it.
fn ends(image: &Image, steps: &[Step], form: FormId) -> bool {
    let decl = image.form(form);
    steps.iter().any(|step| {
        decl.component == step.component
            && match step.direction {
                Direction::Lower => decl.since >= step.level,
                Direction::Raise => decl.until.is_some_and(|until| until <= step.level),
            }
    }) && {
        let last = steps.iter().filter(|step| step.component == decl.component);
        let mut levels = last.map(|step| match step.direction {
            Direction::Lower => step.level.0.saturating_sub(1),
            Direction::Raise => step.level.0,
        });
        let end = match steps.first().map(|step| step.direction) {
            Some(Direction::Raise) => levels.max(),
            Some(Direction::Lower) | None => levels.by_ref().min(),
        };
        end.is_some_and(|level| !decl.lives_at(crate::ids::Level(level)))
    }
}

/// The values of `name` that `rule` cannot take on from lines of `form`.
pub fn failing(
    image: &Image,
    rule: &Rule,
    direction: Direction,
    form: FormId,
    name: &str,
) -> Fails {
    let spelling = Spelling { passed: Vec::new(), rule, direction };
    failing_from(image, &spelling, form, form, name)
}

/// How values of the form at hand are spelled before and after a rule, where some rules were
/// passed already.
struct Spelling<'a> {
    passed: Vec<&'a Rule>,
    rule: &'a Rule,
    direction: Direction,
}

impl<'a> Spelling<'a> {
    fn rules(&self) -> impl DoubleEndedIterator<Item = &'a Rule> {
        self.passed.iter().copied().chain([self.rule])
    }

    /// A value before the rule, as the form at hand spells it.
    fn before(&self, name: &str, word: &str) -> String {
        let passed = self.passed.iter();
        passed.fold(word.to_string(), |word, rule| {
            rule.mapped(self.direction, name, &word).into_owned()
        })
    }

    /// A value before the rule as the form at hand spells it.
    fn origin(&self, name: &str, word: &str) -> String {
        let passed = self.passed.iter().rev();
        passed.fold(word.to_string(), |word, rule| {
            rule.mapped(self.direction.back(), name, &word).into_owned()
        })
    }

    /// A value of either column of the rule's map, or of one passed, as the form at hand spells
    /// it.
    fn special(&self, name: &str) -> Vec<String> {
        let rules: Vec<&Rule> = self.rules().collect();
        let back = |at: usize, word: &str| {
            let rules = rules[..at].iter().rev();
            rules.fold(word.to_string(), |word, rule| {
                rule.mapped(self.direction.back(), name, &word).into_owned()
            })
        };
        let words = rules.iter().enumerate();
        words
            .flat_map(|(at, rule)| {
                rule.spelled(name).flat_map(move |word| [(at, word), (at + 1, word)])
            })
            .map(|(at, word)| back(at, word))
            .collect()
    }

    /// Whether each value is spelled after the rule as the form at hand has it.
    fn as_they_are(&self, name: &str) -> bool {
        self.rules().all(|rule| {
            let scale = rule.scale(self.direction, name);
            rule.spelled(name).next().is_none() && scale.is_none() && !rule.revised
        })
    }

    /// How many times as large numbers are after the rule; none: too many times.
    fn scale(&self, name: &str) -> Option<Scale> {
        let mut scales = self.rules().filter_map(|rule| rule.scale(self.direction, name));
        scales.try_fold(Scale::ONE, Scale::then)
    }
}

/// The values of `name`, as `origin` takes it, that a rule cannot take on from `at`.
fn failing_from(
    image: &Image,
    spelling: &Spelling<'_>,
    origin: FormId,
    at: FormId,
    name: &str,
) -> Fails {
    let Spelling { rule, direction, .. } = *spelling;
    let mut fails = Fails::default();
    let form = &image.form(at).form;
    // What was lost on the way says nothing more, though it has a place again.
    let loses = |rule: &&Rule| rule.may_lose(name) && !rule.has_place(image, direction.to(), name);
    if !form.carries(name) || spelling.passed.iter().any(loses) {
        return fails;
    }
    let says = |form: &&Form| form.carries(name);
    let to: Vec<&Form> = rule
        .side(direction.to())
        .iter()
        .flat_map(|pattern| pattern.entries.iter().chain([&pattern.form]))
        .map(|form| &image.form(*form).form)
        .filter(says)
        .collect();
    if to.is_empty() && rule.may_lose(name) {
        return fails;
    }
    let implied = rule.implied_value(name).filter(|_| direction == Direction::Raise);
    let takes = |word: &str| {
        let word = spelling.before(name, word);
        match implied {
            Some(value) => *value == *word,
            None => {
                let Ok(there) = rule.spelling(direction, name, &word) else {
                    return false;
                };
                // What comes back as another value does not go.
                let back = rule.mapped(direction.back(), name, &there);
                let says_so =
                    !rule.revised || there != *word || rule.is_paired(direction, name, &word);
                says_so
                    && (back == word || rule.may_lose(name))
                    && !to.is_empty()
                    && to.iter().all(|form| fits(form, name, &there))
            }
        }
    };
    let scale = spelling.scale(name);
    fails.all |= scale.is_none();
    let scale = scale.unwrap_or(Scale::ONE);
    let decl = image.form(origin);
    let origin = &decl.form;
    let needs = to.iter().any(|form| form.always_carries(name));
    fails.absent = match decl.filled(name) {
        Some(value) if implied.is_some() || !to.is_empty() => !takes(value),
        Some(_) | None => {
            implied.is_none() && needs && !origin.always_carries(name) && !rule.stands_for(name)
        }
    };
    for leaf in origin.capture(name) {
        let leaf = origin.leaf(leaf);
        let one = |form: &&Form| form.capture(name).iter().all(|leaf| !form.leaf(*leaf).variadic);
        fails.several |= leaf.variadic && (implied.is_some() || to.iter().any(one));
        match &leaf.token {
            Token::Keyword(word) if !takes(word) => fails.words.push(word.to_string()),
            Token::Keyword(_) => {}
            Token::Range { min, max } => {
                let special = spelling.special(name);
                let special = special.iter().filter_map(|word| word.parse().ok());
                let special: Vec<i128> =
                    special.filter(|number| (min..=max).contains(&number)).collect();
                let plain = match implied {
                    // What the number says there is another thing.
                    None if rule.revised && rule.scale(direction, name).is_none() => {
                        alloc::vec![(*min, *max)]
                    }
                    // But the one number that is said by a line being there.
                    Some(value) => {
                        let said = Some(spelling.origin(name, value)).filter(|said| takes(said));
                        let said = said.and_then(|said| said.parse::<i128>().ok());
                        less(alloc::vec![(*min, *max)], said.map(|said| (said, said)))
                    }
                    None => {
                        let open = |form: &&Form| outside(form, name, (*min, *max), scale);
                        to.iter().flat_map(open).collect()
                    }
                };
                let whole = scale.whole_of();
                fails.multiples_of = (whole > 1).then_some(whole);
                fails.numbers.extend(
                    less(plain, special.iter().map(|number| (*number, *number)))
                        .into_iter()
                        .map(bounded),
                );
                let also = special.iter().filter(|number| !takes(&number.to_string()));
                fails.numbers.extend(also.map(|number| bounded((*number, *number))));
                fails.numbers.sort_unstable();
                fails.all |= to.is_empty() && implied.is_none();
            }
            // Of a list of numbers, each must go.
            Token::List(of) if implied.is_none() && goes_as_lists(&to, name) => {
                let open = |form: &&Form| match **of {
                    Token::Range { min, max } => outside(form, name, (min, max), scale),
                    _ => Vec::new(),
                };
                fails.numbers.extend(to.iter().flat_map(open).map(bounded));
                fails.numbers.sort_unstable();
            }
            token => {
                // What a map names on the other side alone is said there by another.
                let special = spelling.special(name).into_iter();
                let taken = special.filter(|word| token.fit(word).is_some() && !takes(word));
                fails.words.extend(taken);
                fails.words.sort();
                fails.words.dedup();
                let all = |form: &&Form| {
                    form.capture(name).iter().any(|leaf| form.leaf(*leaf).token.includes(token))
                };
                match implied {
                    Some(value) => {
                        fails.all = true;
                        let said = Some(spelling.origin(name, value)).filter(|said| takes(said));
                        fails.but = said.into_iter().collect();
                    }
                    None if to.is_empty() || !to.iter().all(all) => {
                        fails.all = true;
                        // What a map names goes by it, whatever else would fit.
                        let mut named = spelling.special(name);
                        named.retain(|word| takes(word));
                        named.sort();
                        named.dedup();
                        fails.but = named;
                        fails.fits = spelling
                            .as_they_are(name)
                            .then(|| kinds(&to, name))
                            .into_iter()
                            .flatten()
                            .collect();
                    }
                    None => {}
                }
            }
        }
    }
    fails
}

/// Whether the capture is a list of numbers in each of these forms.
fn goes_as_lists(to: &[&Form], name: &str) -> bool {
    let of_numbers = |token: &Token| matches!(token, Token::List(of) if of.range().is_some());
    let is_list =
        |form: &&Form| form.capture(name).iter().all(|leaf| of_numbers(&form.leaf(*leaf).token));
    !to.is_empty() && to.iter().all(is_list)
}

/// These closed intervals less others.
pub(super) fn less(
    mut open: Vec<(i128, i128)>,
    others: impl IntoIterator<Item = (i128, i128)>,
) -> Vec<(i128, i128)> {
    for (low, high) in others {
        open = open
            .into_iter()
            .flat_map(|(min, max)| [(min, max.min(low - 1)), (min.max(high + 1), max)])
            .filter(|(min, max)| min <= max)
            .collect();
    }
    open
}

/// An interval in the numbers that travel.
fn bounded((min, max): (i128, i128)) -> (i64, i64) {
    let bound = |number: i128| {
        i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
    };
    (bound(min), bound(max))
}

/// Whether a leaf of the capture takes `word`, in full.
fn fits(form: &Form, name: &str, word: &str) -> bool {
    form.capture(name).iter().any(|leaf| match &form.leaf(*leaf).token {
        Token::Keyword(keyword) => **keyword == *word,
        token => token.fit(word).is_some(),
    })
}

/// The tokens of the capture that all of these forms have.
fn kinds(to: &[&Form], name: &str) -> Vec<String> {
    let of = |form: &Form| -> Vec<String> {
        let leaves = form.capture(name).into_iter();
        leaves.map(|leaf| form.leaf(leaf).token.to_string()).collect()
    };
    let mut all = to.iter().map(|form| of(form));
    let first = all.next().unwrap_or_default();
    all.fold(first, |kinds, more| kinds.into_iter().filter(|kind| more.contains(kind)).collect())
}

/// The numbers in `min..=max` that no leaf of the capture takes.
fn outside(form: &Form, name: &str, all: (i128, i128), scale: Scale) -> Vec<(i128, i128)> {
    let mut taken = Vec::new();
    for leaf in form.capture(name) {
        match &form.leaf(leaf).token {
            Token::Range { min, max } => taken.push(scale.reaching((*min, *max))),
            Token::Variable | Token::String => return Vec::new(),
            Token::List(of) => match **of {
                Token::Range { min, max } => taken.push(scale.reaching((min, max))),
                Token::Variable => return Vec::new(),
                _ => {}
            },
            Token::Keyword(_)
            | Token::Ipv4
            | Token::Ipv4Prefix
            | Token::Ipv6
            | Token::Ipv6Prefix
            | Token::Mac
            | Token::MacPrefix
            | Token::Asn
            | Token::Text { .. } => {}
        }
    }
    less(alloc::vec![all], taken)
}

fn merge(into: &mut Fails, more: Fails) {
    into.numbers.extend(more.numbers);
    into.numbers.sort_unstable();
    into.numbers.dedup();
    into.words.extend(more.words);
    into.words.sort();
    into.words.dedup();
    let (into_all, more_all) = (into.all, more.all);
    let both = |into: &mut Vec<String>, more: Vec<String>| {
        *into = match (into_all, more_all) {
            (true, true) => into.iter().filter(|word| more.contains(word)).cloned().collect(),
            (true, false) => core::mem::take(into),
            (false, _) => more,
        };
    };
    both(&mut into.but, more.but);
    both(&mut into.fits, more.fits);
    into.all |= more.all;
    into.absent |= more.absent;
    into.several |= more.several;
    into.multiples_of = into.multiples_of.max(more.multiples_of);
}

impl Fails {
    /// The numbers and words that do not go, as people read them: `1-4`, `7`, `auto`.
    pub fn values(&self) -> Vec<String> {
        let mut numbers: Vec<(i64, i64)> = Vec::new();
        for (min, max) in &self.numbers {
            match numbers.last_mut() {
                Some(last) if *min <= last.1.saturating_add(1) => last.1 = last.1.max(*max),
                Some(_) | None => numbers.push((*min, *max)),
            }
        }
        let numbers = numbers.into_iter().map(|(min, max)| {
            if min == max { min.to_string() } else { alloc::format!("{min}-{max}") }
        });
        numbers.chain(self.words.iter().cloned()).collect()
    }

    /// Whether a number is no multiple of that of which only multiples go.
    fn is_no_multiple(&self, number: Option<i64>) -> bool {
        number.zip(self.multiples_of).is_some_and(|(number, of)| number % i64::from(of) != 0)
    }

    /// Whether every line goes.
    const fn is_none(&self) -> bool {
        let Self {
            capture: _,
            numbers,
            words,
            all,
            but: _,
            fits: _,
            absent,
            several,
            multiples_of,
        } = self;
        !(*all || *absent || *several || multiples_of.is_some())
            && numbers.is_empty()
            && words.is_empty()
    }

    /// Whether this value of the capture is one that does not go; none: the line is without it.
    pub fn has(&self, value: Option<&str>) -> bool {
        let Some(value) = value else {
            return self.absent;
        };
        self.all && !self.but.iter().any(|word| *word == *value) && !self.is_fit(value)
            || self.several && value.contains(' ')
            || value.split(' ').any(|word| self.has_word(word))
    }

    /// Whether each word of a value fits a token as it is of which all values go.
    fn is_fit(&self, value: &str) -> bool {
        let kinds = self.fits.iter().filter_map(|kind| Form::parse(kind).ok());
        let kinds: Vec<Form> = kinds.collect();
        let fits = |word: &str| {
            kinds.iter().flat_map(Form::leaves).any(|leaf| match &leaf.token {
                Token::Keyword(keyword) => **keyword == *word,
                token => token.fit(word).is_some() && token.canonical(word) == word,
            })
        };
        !kinds.is_empty() && value.split(' ').all(fits)
    }

    /// Whether one word of a value does not go.
    fn has_word(&self, value: &str) -> bool {
        self.is_no_multiple(value.parse::<i64>().ok())
            || self.words.iter().any(|word| *word == *value)
            || spans(value).is_some_and(|spans| {
                let meets = |(low, high): &(i128, i128)| {
                    let mut fails = self.numbers.iter();
                    fails.any(|(min, max)| *low <= (*max).into() && i128::from(*min) <= *high)
                };
                spans.iter().any(meets)
            })
    }
}
