//! What an absent line means: the default that a form declares, and whether it makes `no` a state.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Key;
use crate::grammar::{Form, LeafId, Negation, Sign, Words};

/// Lines of a form that are looked at to find optional words.
const EXAMPLES_MAX: usize = 16;

/// The default of a form as declared: capture -> value. None named: the line itself is the default,
/// and its `no` is a state of its own.
pub type DefaultValues = BTreeMap<String, String>;

/// The default of a form, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultDecl {
    /// An absent line says nothing.
    None,
    /// An absent line says these values, by leaf; `no` goes back to them.
    Values(Vec<(LeafId, Box<str>)>),
    /// An absent line says the line itself; its `no` is a state of its own.
    Line,
}

/// Why a default is none of its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefaultError {
    /// The form has no such capture.
    #[error("a default for `{name}`, which is no capture of the form")]
    NoCapture {
        /// The name.
        name: String,
    },
    /// The form does not take the value.
    #[error("the form does not take `{value}` as `{name}`: {allowed}")]
    Value {
        /// The capture.
        name: String,
        /// The value.
        value: String,
        /// What it takes.
        allowed: String,
    },
    /// The line itself is to be the default, and says more than its key.
    #[error(
        "`default = {{}}` makes the line itself the default, and `{name}` is no key of it: give \
         its value"
    )]
    Uncovered {
        /// The capture.
        name: String,
    },
    /// The line itself is to be the default, and there are several.
    #[error(
        "`default = {{}}` makes the line itself the default, and the form has optional words or \
         alternatives"
    )]
    Varies,
    /// The line itself is to be the default, and nothing can say otherwise.
    #[error(
        "`default = {{}}` makes the line itself the default, and the form has no `no` to say \
         otherwise"
    )]
    NoNo,
}

impl DefaultDecl {
    /// Compiles the default of a form.
    ///
    /// # Errors
    /// See [`DefaultError`].
    pub fn compile(
        form: &Form,
        key: &Key,
        default: Option<&DefaultValues>,
    ) -> Result<Self, DefaultError> {
        let Some(default) = default else {
            return Ok(Self::None);
        };
        if default.is_empty() {
            return Self::line(form, key);
        }
        let mut values = Vec::new();
        for (name, value) in default {
            let leaves = form.capture(name);
            if leaves.is_empty() {
                return Err(DefaultError::NoCapture { name: name.clone() });
            }
            let taken = leaves
                .iter()
                .map(|leaf| (*leaf, &form.leaf(*leaf).token))
                .find(|(_, token)| token.fit(value).is_some());
            let Some((leaf, token)) = taken else {
                let allowed = leaves
                    .iter()
                    .map(|leaf| form.leaf(*leaf).token.to_string())
                    .collect::<Vec<_>>()
                    .join("|");
                return Err(DefaultError::Value {
                    name: name.clone(),
                    value: value.clone(),
                    allowed,
                });
            };
            values.push((leaf, token.canonical(value).into()));
        }
        values.sort();
        Ok(Self::Values(values))
    }

    fn line(form: &Form, key: &Key) -> Result<Self, DefaultError> {
        let keys = match key {
            Key::Captures(keys) => keys.as_slice(),
            Key::Line => &[],
        };
        let unnamed = form.unnamed().map(|leaf| &*leaf.text);
        let rest = form.names().chain(unnamed).find(|name| !keys.iter().any(|key| key == name));
        if let Some(name) = rest {
            return Err(DefaultError::Uncovered { name: name.to_owned() });
        }
        if form.negation() != Negation::Optional {
            return Err(DefaultError::NoNo);
        }
        let examples = form.examples(EXAMPLES_MAX);
        let mut positive = examples.iter().filter(|words| words.sign() == Sign::Positive);
        if positive.all(|words| words.len() + 1 == form.leaves().len()) {
            Ok(Self::Line)
        } else {
            Err(DefaultError::Varies)
        }
    }

    /// The line of `form`, of which there is one in an instance at most, that an absent one says;
    /// none: it says nothing, or only what stands in an optional part.
    pub(super) fn line_of(&self, form: &Form, key: Option<&[LeafId]>) -> Option<Words> {
        if key.is_none_or(|key| !key.is_empty()) {
            return None;
        }
        let named: Vec<(&str, &str)> = match self {
            Self::None => return None,
            Self::Line => Vec::new(),
            Self::Values(values) => {
                let name = |leaf: LeafId| {
                    let leaf = form.leaf(leaf);
                    leaf.name.as_deref().or(leaf.implied.as_deref())
                };
                values.iter().filter_map(|(leaf, value)| Some((name(*leaf)?, &**value))).collect()
            }
        };
        let given = |name: &str| named.iter().any(|(given, _)| *given == name);
        let mut mandatory = form.carried().filter(|name| form.always_carries(name)).peekable();
        let says = self.is_line() || mandatory.peek().is_some();
        (says && mandatory.all(given)).then(|| form.build(Sign::Positive, &named).ok())?
    }

    /// Whether an absent line says the line itself, so that its `no` is a state of its own.
    pub const fn is_line(&self) -> bool {
        matches!(self, Self::Line)
    }
}
