//! A family's files as they are written.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::super::{Alone, ListName, NoMeans, OneSide, Side, ValueMaps};
use super::super::{DefaultDecl, DefaultError, DefaultValues, Key};
use super::super::{factory, set};
use super::{FamilyError, Origin, Problem};
use crate::grammar::{Form, LeafId, Negation};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableText {
    pub(super) family: String,
    /// By which the defaults differ; an image has one of them.
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    /// The order of the components in the family's one order of changes.
    #[serde(default)]
    pub(super) components: Vec<String>,
    pub(super) release: Vec<ReleaseText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseText {
    pub(super) name: String,
    pub(super) levels: BTreeMap<String, u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ComponentText {
    pub(super) component: String,
    /// The profile of which the file is; none: of all.
    pub(super) profile: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) mode: Vec<ModeText>,
    #[serde(default)]
    pub(super) command: Vec<CommandText>,
    #[serde(default)]
    pub(super) commands: Vec<BulkText>,
    #[serde(default)]
    pub(super) change: Vec<ChangeText>,
    #[serde(default)]
    pub(super) dont_care: Vec<DontCareText>,
    #[serde(default)]
    pub(super) alias: Vec<AliasText>,
    #[serde(default)]
    pub(super) refuse: Vec<RefuseText>,
    #[serde(default)]
    pub(super) lines: Vec<LinesText>,
}

/// What is said of imported forms that begin alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinesText {
    /// The modes; `bgp_*` is each that begins so.
    pub(super) mode: OneOrMore,
    /// Patterns, one a line.
    pub(super) begin: Spanned<String>,
    /// The whole line tells it from others.
    #[serde(default)]
    pub(super) whole: bool,
    pub(super) list: Option<Spanned<String>>,
}

/// A text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModeText {
    pub(super) name: String,
    pub(super) parent: Spanned<String>,
    pub(super) enter: Spanned<String>,
    #[serde(default)]
    pub(super) since: u16,
    #[serde(default)]
    pub(super) key: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandText {
    pub(super) mode: Spanned<String>,
    pub(super) form: Spanned<String>,
    #[serde(default)]
    pub(super) key: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) since: u16,
    #[serde(default)]
    pub(super) ordered: bool,
    pub(super) list: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) revision: u16,
    pub(super) default: Option<Spanned<BTreeMap<String, toml::Value>>>,
    pub(super) no: Option<Spanned<NoMeans>>,
    #[serde(default)]
    pub(super) factory: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) set: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BulkText {
    pub(super) mode: Spanned<String>,
    pub(super) forms: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SideText {
    pub(super) mode: Spanned<String>,
    pub(super) form: Spanned<String>,
    #[serde(default)]
    pub(super) not: bool,
    #[serde(default)]
    pub(super) optional: OptionalText,
    pub(super) each: Option<String>,
}

/// `true`, or the name of a flag.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OptionalText {
    May(bool),
    Flag(String),
}

impl Default for OptionalText {
    fn default() -> Self {
        Self::May(false)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeText {
    pub(super) level: u16,
    pub(super) why: String,
    #[serde(default)]
    pub(super) old: Vec<SideText>,
    #[serde(default)]
    pub(super) new: Vec<SideText>,
    #[serde(default)]
    pub(super) key: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) ordered: bool,
    pub(super) list: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) map: ValueMaps,
    #[serde(default)]
    pub(super) scale: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) implied: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) partial: Vec<String>,
    #[serde(default)]
    pub(super) alone: Alone,
    pub(super) one: Option<OneSide>,
    #[serde(default)]
    pub(super) revision: u16,
    pub(super) default: Option<Spanned<BTreeMap<String, toml::Value>>>,
    pub(super) no: Option<Spanned<NoMeans>>,
    #[serde(default)]
    pub(super) factory: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) set: Vec<Spanned<String>>,
    pub(super) form: Option<Spanned<toml::Value>>,
    pub(super) default_line: Option<Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) loses: BTreeMap<String, Spanned<String>>,
    pub(super) rust: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DontCareText {
    pub(super) mode: Spanned<String>,
    pub(super) form: Spanned<String>,
    pub(super) facing: Option<Spanned<String>>,
    pub(super) reason: String,
    #[serde(default)]
    pub(super) never: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AliasText {
    pub(super) mode: Option<Spanned<String>>,
    pub(super) form: Spanned<String>,
    pub(super) reads: Spanned<Vec<Spanned<ReadText>>>,
    pub(super) adds: Option<Spanned<String>>,
    pub(super) takes: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) since: u16,
    pub(super) until: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefuseText {
    pub(super) mode: Spanned<String>,
    pub(super) lines: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) line: Option<Spanned<String>>,
    pub(super) without: Option<Spanned<String>>,
    pub(super) why: Spanned<String>,
    #[serde(default)]
    pub(super) since: u16,
    pub(super) until: Option<u16>,
}

/// A line that an alias says: `mode: form`, or as a side of a change.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ReadText {
    Words(String),
    Side(Side),
}

/// One file while it is read.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn origin(&self, at: usize) -> Origin {
        let before = &self.text[..at.min(self.text.len())];
        Origin {
            file: self.name.to_owned(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before.rsplit('\n').next().unwrap_or("").chars().count(),
        }
    }

    pub(super) fn error(&self, span: Range<usize>, problem: Problem) -> FamilyError {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let Origin { file, line, column } = self.origin(start);
        let words = self.text[start..end].lines().next().unwrap_or("").trim().to_owned();
        FamilyError { file, line, column, words, problem }
    }

    /// Reads a form that stands in a literal string.
    pub(super) fn form(
        &self,
        text: &Spanned<String>,
        errors: &mut Vec<FamilyError>,
    ) -> Option<Form> {
        let span = text.span();
        if !self.text[span.clone()].starts_with('\'') {
            errors.push(self.error(span, Problem::NotLiteral));
            return None;
        }
        let offset = span.start + 1;
        self.form_at(text.get_ref(), offset, errors)
    }

    /// What `no` of the lines of a form does.
    pub(super) fn no(
        &self,
        text: Option<&Spanned<NoMeans>>,
        form: &Form,
        errors: &mut Vec<FamilyError>,
    ) -> NoMeans {
        let Some(text) = text else {
            return NoMeans::Undo;
        };
        if *text.get_ref() == NoMeans::State && form.negation() != Negation::Optional {
            errors.push(self.error(text.span(), Problem::NoNo));
            return NoMeans::Undo;
        }
        *text.get_ref()
    }

    /// Reads the captures that tell the lines of each of these forms apart; what is none of each
    /// is left out.
    pub(super) fn key(
        &self,
        names: &[Spanned<String>],
        forms: &[&Form],
        errors: &mut Vec<FamilyError>,
    ) -> Vec<String> {
        let mut known = Vec::new();
        for text in names {
            let name = text.get_ref();
            let is_text = |form: &Form| {
                form.capture(name).into_iter().any(|leaf| form.leaf(leaf).token.is_text())
            };
            let problem = if forms.iter().any(|form| form.capture(name).is_empty()) {
                Some(Problem::Unknown { what: "capture", name: name.clone() })
            } else {
                forms.iter().any(|form| is_text(form)).then_some(Problem::TextKey)
            };
            match problem {
                Some(problem) => errors.push(self.error(text.span(), problem)),
                None => known.push(name.clone()),
            }
        }
        known
    }

    /// Reads the captures of several words of these forms whose order says nothing.
    pub(super) fn set(
        &self,
        names: &[Spanned<String>],
        forms: &[&Form],
        errors: &mut Vec<FamilyError>,
    ) {
        for name in names {
            if !forms.iter().any(|form| set::takes_several(form, name.get_ref())) {
                let problem = Problem::NoSet { name: name.get_ref().clone() };
                errors.push(self.error(name.span(), problem));
            }
        }
    }

    /// Reads what a factory sets of these forms, each with its key: the lines of each.
    pub(super) fn factory(
        &self,
        lines: &[Spanned<String>],
        forms: &[(&Form, &Key)],
        errors: &mut Vec<FamilyError>,
    ) -> Vec<Vec<String>> {
        let mut own: Vec<Vec<String>> = alloc::vec![Vec::new(); forms.len()];
        for text in lines {
            let mut wrong = None;
            let line = text.get_ref();
            for ((form, key), own) in forms.iter().zip(&mut own) {
                let key: Option<Vec<LeafId>> = match key {
                    Key::Line => None,
                    Key::Captures(names) => {
                        Some(names.iter().flat_map(|name| form.capture(name)).collect())
                    }
                };
                own.push(line.clone());
                match factory::compile(form, key.as_deref(), own) {
                    Ok(_) => {
                        wrong = None;
                        break;
                    }
                    Err(error) => {
                        own.pop();
                        wrong = wrong.or(Some(error));
                    }
                }
            }
            let wrong = wrong.map(|error| self.error(text.span(), Problem::Factory(error)));
            errors.extend(wrong);
        }
        own
    }

    /// Reads the name of a list whose captures are keys.
    pub(super) fn list(
        &self,
        text: Option<&Spanned<String>>,
        key: &[String],
        errors: &mut Vec<FamilyError>,
    ) -> Option<String> {
        let text = text?;
        for name in ListName::read(text.get_ref()).captures() {
            if !key.iter().any(|key| key == name) {
                let problem = Problem::ListCapture { name: name.into() };
                errors.push(self.error(text.span(), problem));
            }
        }
        Some(text.get_ref().clone())
    }

    /// Reads a default of these forms, each with its key; none if it is none of them.
    pub(super) fn default(
        &self,
        text: &Spanned<BTreeMap<String, toml::Value>>,
        forms: &[(&Form, &Key)],
        errors: &mut Vec<FamilyError>,
    ) -> Option<DefaultValues> {
        let mut values = DefaultValues::new();
        for (name, value) in text.get_ref() {
            let value = match value {
                toml::Value::String(word) => word.clone(),
                other => other.to_string(),
            };
            values.insert(name.clone(), value);
        }
        let mut fits = true;
        let declared =
            values.keys().find(|name| forms.iter().all(|(form, _)| form.capture(name).is_empty()));
        let mut wrong = declared
            .map(|name| DefaultError::NoCapture { name: name.clone() })
            .into_iter()
            .collect::<Vec<_>>();
        for (form, key) in forms {
            let own = own_default(form, &values);
            wrong.extend(DefaultDecl::compile(form, key, own.as_ref()).err());
        }
        for error in wrong {
            fits = false;
            errors.push(self.error(text.span(), Problem::Default(error)));
        }
        fits.then_some(values)
    }

    pub(super) fn form_at(
        &self,
        text: &str,
        offset: usize,
        errors: &mut Vec<FamilyError>,
    ) -> Option<Form> {
        match Form::parse(text) {
            Ok(form) => Some(form),
            Err(error) => {
                let span = offset + error.span.start..offset + error.span.end;
                errors.push(self.error(span, Problem::Form(error)));
                None
            }
        }
    }
}

/// What of a default is said of this form: of several new sides each takes the captures that it
/// has.
pub(super) fn own_default(form: &Form, values: &DefaultValues) -> Option<DefaultValues> {
    let own = values
        .iter()
        .filter(|(name, _)| !form.capture(name).is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<DefaultValues>();
    (values.is_empty() || !own.is_empty()).then_some(own)
}
