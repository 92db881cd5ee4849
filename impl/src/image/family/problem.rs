//! What is wrong in a family's files, and where.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::super::{ChangeKind, DefaultError, FactoryError, ImageError, ScaleError};
use crate::grammar::FormError;

/// Where something was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Something that is wrong in a family's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyError {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The offending words.
    pub words: String,
    /// What is wrong with them.
    pub problem: Problem,
}

/// What is wrong in a family's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is no such TOML.
    #[error("{0}")]
    Toml(String),
    /// A form cannot be read.
    #[error("{0}")]
    Form(FormError),
    /// The name of a list has a capture that is no key.
    #[error("a list of each `{name}` needs `{name}` in `key`")]
    ListCapture {
        /// The capture.
        name: String,
    },
    /// What a don't-care entry faces is no level.
    #[error("write `facing = \"below 3\"`, or leave it out: then it holds always")]
    Facing,
    /// A scale cannot be read.
    #[error("{0}")]
    Scale(ScaleError),
    /// A form stands in a string whose columns could not be told.
    #[error("a form stands in a literal string: write '..'")]
    NotLiteral,
    /// A placeholder of a form in a change has no name.
    #[error("a form that stands in a change names every capture: write `{token}$name`")]
    Unnamed {
        /// The placeholder.
        token: String,
    },
    /// The old side of a change does not live at the level below.
    #[error("no such form at {component} {level}; nearest: {nearest}")]
    NoSuchForm {
        /// The component.
        component: String,
        /// The level below the change's.
        level: u16,
        /// What comes nearest.
        nearest: String,
    },
    /// A name that is declared nowhere.
    #[error("`{name}` is declared nowhere as a {what}")]
    Unknown {
        /// What it was to be.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A text would tell lines or mode instances apart, and no line that negates has one.
    #[error("a text is no key: name what stands before it")]
    TextKey,
    /// The family's table is missing.
    #[error("family.toml is missing: it names the family and its releases")]
    NoTable,
    /// What was declared makes no image.
    #[error("release {release}: {error}")]
    Image {
        /// The release.
        release: String,
        /// What is wrong with the image.
        error: ImageError,
    },
    /// A default is none of its form.
    #[error("{0}")]
    Default(DefaultError),
    /// A line is none that a factory sets.
    #[error("{0}")]
    Factory(FactoryError),
    /// A `no` is to be a line, and there is none.
    #[error("`no = \"state\"` makes the `no` of a line a line itself: write `[no] ..`")]
    NoNo,
    /// An alias that says nothing.
    #[error("an alias says one line at least: `reads = [\"mode: form\"]`")]
    NoReads,
    /// What is added or taken is no list.
    #[error("`{name}` is no list of the form: write `KIND,...${name}`, or `KIND...${name}`")]
    NoList {
        /// The capture.
        name: String,
    },
    /// What is to be a set is no list of words.
    #[error("`{name}` takes no several words: write `KIND...${name}`")]
    NoSet {
        /// The capture.
        name: String,
    },
    /// An alias adds and takes.
    #[error("an alias adds to a list or takes from it: leave out `adds` or `takes`")]
    AddsAndTakes,
    /// An alias, or a constraint, ends before it begins.
    #[error("it holds at no level: `until` is not above `since`")]
    NeverRead,
    /// A constraint is none.
    #[error(
        "write `lines = ['..', '..']` for two that do not stand together, or `line = '..'` and \
             `without = '..'` for one that needs another"
    )]
    Refuses,
    /// A line needs another of its own list.
    #[error(
        "both are lines of one ordered list, which keeps its own order: one cannot need another \
             that may stand behind it"
    )]
    NeedsInList,
    /// A constraint speaks of a line that there is not.
    #[error("no command of this mode has such a line; nearest: {nearest}")]
    NoSuchLine {
        /// What comes nearest.
        nearest: String,
    },
    /// A word of a pattern that is none.
    #[error(
        "`{word}` is no word of a pattern: write keywords, `<a|b>`, `$name` for what tells lines \
         apart, `_` for any other value"
    )]
    Pattern {
        /// The word.
        word: String,
    },
    /// A function that the program does not have.
    #[error("`{name}` is no function of this program; it has {known}")]
    NoFunction {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// What a function says by itself.
    #[error("`{0}` says nothing beside `rust`: the function says what lines become")]
    BesideFunction(&'static str),
    /// Words that are read but not supported yet.
    #[error("`{word}` is not supported; the kinds of change that are: {}", kinds(), word = .0)]
    Unsupported(&'static str),
}

/// The kinds of change, by their names.
fn kinds() -> String {
    let kinds: Vec<String> = ChangeKind::ALL.iter().map(ChangeKind::to_string).collect();
    kinds.join(", ")
}

impl fmt::Display for FamilyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, words, problem } = self;
        write!(f, "{file}:{line}:{column}: {problem}")?;
        if words.is_empty() { Ok(()) } else { write!(f, ": `{words}`") }
    }
}
