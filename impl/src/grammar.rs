//! Forms: one command as syntax. The form language, its normal form, the matcher, the comparison of
//! forms by the language they accept. It knows nothing of modes or images.
//!
//! The language is the one of FRRouting's command definitions: keywords, `A.B.C.D`, `A.B.C.D/M`,
//! `X:X::X:X`, `X:X::X:X/M`, `X:X:X:X:X:X`, `ASNUM`, `(1-4094)`, variables such as `WORD`,
//! `VAR...`, `<a|b>`, `[x]`, `{a|b}` (one or more, any order, each once), `![x]` (optional only
//! after `no`) and `$name`. Beyond it there are texts over several lines, `^TEXT^` and
//! `^TEXT:quit^`, and strings, `"WORD"`.

mod build;
mod captures;
mod form;
mod list;
mod matcher;
mod pattern;
mod reader;
mod residue;
mod text;
mod token;
mod words;

pub use build::BuildError;
pub use form::{FORM_BYTES_MAX, Form, FormError, FormErrorKind, Leaf, LeafId, Negation};
pub(crate) use list::spans;
pub use matcher::{Matcher, Resolution, WORDS_MAX};
pub use pattern::Pattern;
pub use residue::{Peers, Residue, ResidueLimits, ValueSet, may_share_a_line, residue};
pub use text::{TEXT_BYTES_MAX, shown, written};
pub(crate) use text::{
    Unending, end, escape, split_strings, string_ranges, string_word, word_ranges,
};
pub use token::{Fit, Token};
pub use words::{Sign, Words, split_words};
