//! What an image refuses for what else is there: two lines that do not stand together, or a line
//! that needs another.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{FormDecl, ImageError};
use crate::grammar::{Form, Matcher, Resolution, Sign, Words, may_share_a_line, split_words};
use crate::ids::{ComponentId, FormId, Level, ModeId};

/// Lines of a form among which one is looked for.
const EXAMPLES_MAX: usize = 8;

/// A constraint between lines of one mode instance, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefuseDecl {
    /// The mode's name.
    pub mode: String,
    /// Number of the component that owns it.
    pub component: u16,
    /// The first level at which it holds.
    pub since: u16,
    /// The first level at which it holds no more, within the image's history.
    pub until: Option<u16>,
    /// Why.
    pub why: String,
    /// What is refused.
    pub what: RefusedLines,
}

/// Which lines are refused. Each is a form, or a part of one; names that both have are to be equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefusedLines {
    /// A line of each.
    Both(String, String),
    /// A line of the first where there is none of the second.
    Without(String, String),
}

/// A constraint, compiled.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The mode in whose instances it holds.
    pub mode: ModeId,
    /// The component that owns it.
    pub component: ComponentId,
    /// The first level at which it holds.
    pub since: Level,
    /// The first level at which it holds no more.
    pub until: Option<Level>,
    /// Why.
    pub why: Box<str>,
    /// Whether a line of the first is refused without one of the second; else beside one.
    pub without: bool,
    /// The first form.
    pub first: LinePattern,
    /// The second.
    pub second: LinePattern,
}

/// Lines of a mode, by their words.
#[derive(Clone, Debug)]
pub struct LinePattern {
    form: Form,
    matcher: Matcher<()>,
    of: BTreeSet<FormId>,
}

impl Refusal {
    /// Compiles a constraint between the lines of these forms.
    ///
    /// # Errors
    /// [`ImageError::Form`] where a form cannot be read.
    pub(super) fn compile(
        decl: &RefuseDecl,
        mode: ModeId,
        forms: &[FormDecl],
    ) -> Result<Self, ImageError> {
        let (RefusedLines::Both(first, second) | RefusedLines::Without(first, second)) = &decl.what;
        let pattern = |text: &String| -> Result<LinePattern, ImageError> {
            let wrong =
                |error| ImageError::Form { mode: decl.mode.clone(), form: text.clone(), error };
            Ok(LinePattern::new(Form::parse(text).map_err(wrong)?, mode, forms))
        };
        Ok(Self {
            mode,
            component: ComponentId(decl.component),
            since: Level(decl.since),
            until: decl.until.map(Level),
            why: decl.why.as_str().into(),
            without: matches!(decl.what, RefusedLines::Without(..)),
            first: pattern(first)?,
            second: pattern(second)?,
        })
    }

    /// Whether it holds at `level` of its component.
    pub fn holds_at(&self, level: Level) -> bool {
        self.since <= level && self.until.is_none_or(|until| level < until)
    }

    /// Whether it is about lines of this form.
    pub fn is_about(&self, form: FormId) -> bool {
        self.first.of.contains(&form) || self.second.of.contains(&form)
    }

    /// Whether both are lines of one form: then the one of the greater key is refused.
    pub fn is_of_one(&self) -> bool {
        self.first.form == self.second.form
    }

    /// The names that both have.
    pub fn shared(&self) -> impl Iterator<Item = &str> {
        self.first.form.carried().filter(|name| self.second.form.carries(name))
    }
}

impl LinePattern {
    fn new(form: Form, mode: ModeId, forms: &[FormDecl]) -> Self {
        let here = forms.iter().enumerate().filter(|(_, decl)| decl.mode == mode);
        let of = here.filter(|(_, decl)| may_share_a_line(&decl.form, &form));
        let of = of.map(|(number, _)| FormId(number as u32)).collect();
        Self { matcher: Matcher::from_forms([((), &form)]), form, of }
    }

    /// The form, as declared.
    pub fn text(&self) -> &str {
        self.form.text()
    }

    /// The forms that may have such a line.
    pub fn forms(&self) -> impl Iterator<Item = FormId> + '_ {
        self.of.iter().copied()
    }

    /// What a line says, by name; none: it is no such line. A line that negates is none.
    pub fn values(&self, form: FormId, words: &Words) -> Option<BTreeMap<String, String>> {
        if words.sign() == Sign::No || !self.of.contains(&form) {
            return None;
        }
        let given: Vec<&str> = split_words(words.text()).collect();
        let Resolution::Match { words: read, .. } = self.matcher.resolve(&given) else {
            return None;
        };
        // What a line has as a word of its own is no keyword of this form that is cut short.
        if read.text() != words.text() {
            return None;
        }
        let values = self.form.values_of(&read).into_iter();
        Some(values.map(|(name, value)| (name.to_owned(), value.into_owned())).collect())
    }

    /// A line with these values, and with any where they tell none; none: there is no such line.
    pub fn example(&self, values: &BTreeMap<String, String>) -> Option<Words> {
        let examples = self.form.examples(EXAMPLES_MAX);
        let example = examples.iter().find(|words| words.sign() == Sign::Positive)?;
        let mut all = self.form.values_of(example);
        let named = values.iter().filter(|(name, _)| self.form.carries(name));
        all.extend(named.map(|(name, value)| (name.as_str(), value.as_str().into())));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, &**value)).collect();
        self.form.build(Sign::Positive, &all).ok()
    }

    /// The line with these values, as far as they tell it.
    pub fn line(&self, values: &BTreeMap<String, String>) -> String {
        let named = values.iter().filter(|(name, _)| self.form.carries(name));
        let named: Vec<(&str, &str)> =
            named.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let built = self.form.build(Sign::Positive, &named);
        built.map_or_else(|_| self.form.text().to_owned(), |words| words.text().to_owned())
    }
}
