//! Changes whose lines are translated by a pair of functions in Rust: what such a pair is, and how
//! it is found by the name that a family gives. What it makes is held against the same law as what
//! declarations make.

mod prefix;
mod route_distinguisher;

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Change, ImageError, OneSide};
use crate::grammar::Sign;

/// Captures by their names; what a line does not have is not among them.
pub type Captures = BTreeMap<String, String>;

/// Lines of a group on one side, to lines of the other.
pub type Translate = fn(&FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause>;

/// The captures that tell lines of one side apart, to those of the other; none: no line of the
/// other side has the like.
pub type TranslateKey = fn(&Captures) -> Option<Captures>;

/// A pair of functions that a component registers beside its forms, for one change.
///
/// # Shape
/// Both are pure: the same lines give the same lines, on every unit and at any time. What they
/// leave out they need not take back: such a group is stuck.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// The name that a family gives.
    pub name: &'static str,
    /// Which one of this name: another one for each other behaviour. Images are of one.
    pub revision: u16,
    /// From the new side to the old.
    pub lower: Translate,
    /// From the old side to the new.
    pub raise: Translate,
    /// How what tells lines apart is called on the other side. None: a group is all lines whose
    /// common captures are equal, as without a function.
    pub keys: Option<FunctionKeys>,
    /// Groups that go: each is asked of a family that uses the pair.
    pub samples: fn() -> Vec<Sample>,
}

/// How what tells lines apart is called on the other side.
#[derive(Clone, Copy, Debug)]
pub struct FunctionKeys {
    /// From the new side to the old.
    pub lower: TranslateKey,
    /// From the old side to the new.
    pub raise: TranslateKey,
}

/// What a function reads: the lines of one group, on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionGroup {
    /// The captures of the mode instances that all lines of the group are in.
    pub around: Captures,
    /// The lines.
    pub lines: Vec<FunctionLine>,
}

/// One line that a function reads, or makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionLine {
    /// Which form of its side it is of, as the change lists them, from 0.
    pub form: usize,
    /// Its sign. Of a `no` only what tells it apart may be there.
    pub sign: Sign,
    /// Its captures, and those of the instances that it alone is in.
    pub captures: Captures,
}

/// A group that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The side that it is of.
    pub side: OneSide,
    /// Its lines.
    pub lines: Vec<FunctionLine>,
}

/// Why a group does not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionCause {
    /// For a value.
    Value {
        /// The capture.
        capture: String,
        /// What would go; empty if that is not known.
        allowed: String,
    },
    /// A line of this form, as the change lists them, is missing. It may still come.
    Missing {
        /// Which form of the side that is read, from 0.
        form: usize,
    },
    /// The lines contradict each other.
    Conflict,
}

/// A function as an image names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionName {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: u16,
}

/// The functions that a program has.
///
/// ```
/// use skewsync::image::Functions;
///
/// let functions = Functions::built_in();
/// assert!(functions.find("prefix").is_some());
/// assert!(functions.find("no-such").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Functions(Cow<'static, [Function]>);

/// Those that every program has.
const BUILT_IN: &[Function] = &[prefix::FUNCTION, route_distinguisher::FUNCTION];

impl Functions {
    /// Those that every program has.
    pub const fn built_in() -> Self {
        Self(Cow::Borrowed(BUILT_IN))
    }

    /// These besides; of two with one name the later one counts.
    #[must_use]
    pub fn with(mut self, more: impl IntoIterator<Item = Function>) -> Self {
        self.0.to_mut().extend(more);
        self
    }

    /// The function of this name.
    pub fn find(&self, name: &str) -> Option<&Function> {
        self.0.iter().rev().find(|function| function.name == name)
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.0.iter().map(|function| function.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Function {
    /// How an image names it.
    pub fn named(&self) -> FunctionName {
        FunctionName { name: self.name.into(), revision: self.revision }
    }
}

/// The functions that changes name, by the number of the change.
pub(super) fn of_changes(
    changes: &[Change],
    functions: &Functions,
) -> Result<BTreeMap<usize, Function>, ImageError> {
    let named = changes.iter().enumerate();
    let named = named.filter_map(|(number, change)| Some((number, change.rust.as_ref()?)));
    let found = |(number, name): (usize, &FunctionName)| {
        let function = functions.find(&name.name);
        match function.filter(|function| function.revision == name.revision) {
            Some(function) => Ok((number, *function)),
            None => {
                let known = function.map_or_else(
                    || alloc::format!("it has {}", functions.names().join(", ")),
                    |function| alloc::format!("it has revision {}", function.revision),
                );
                Err(ImageError::Function { name: name.clone(), known })
            }
        }
    };
    named.map(found).collect()
}

/// What a function does that is about each line for itself, and about these captures of it: the
/// others stay as they are.
fn each_line(
    group: &FunctionGroup,
    translate: impl Fn(&Captures) -> Result<Captures, FunctionCause>,
) -> Result<Vec<FunctionLine>, FunctionCause> {
    let line = |line: &FunctionLine| {
        Ok(FunctionLine { captures: translate(&line.captures)?, ..line.clone() })
    };
    group.lines.iter().map(line).collect()
}

/// A group of one line with these captures.
fn sample(side: OneSide, captures: &[(&str, &str)]) -> Sample {
    let captures = captures.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let line = FunctionLine { form: 0, sign: Sign::Positive, captures: captures.collect() };
    Sample { side, lines: alloc::vec![line] }
}

/// The cause that a value is.
fn unfit(capture: &str, allowed: &str) -> FunctionCause {
    FunctionCause::Value { capture: capture.into(), allowed: allowed.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_the_built_in_functions_come_back() {
        for function in BUILT_IN {
            assert!(!(function.samples)().is_empty(), "{}", function.name);
            for Sample { side, lines } in (function.samples)() {
                let (there, back) = match side {
                    OneSide::Old => (function.raise, function.lower),
                    OneSide::New => (function.lower, function.raise),
                };
                let group = FunctionGroup { lines, ..FunctionGroup::default() };
                let made = FunctionGroup { lines: there(&group).unwrap(), ..group.clone() };
                assert_eq!(back(&made).unwrap(), group.lines, "{}", function.name);
                assert_ne!(made, group);
            }
        }
    }

    #[test]
    fn a_later_function_of_a_name_counts() {
        let newer = Function { revision: 9, ..BUILT_IN[0] };
        let functions = Functions::built_in().with([newer]);
        assert_eq!(functions.find(newer.name).unwrap().revision, 9);
        assert_eq!(functions.names(), Functions::built_in().names());
    }
}
