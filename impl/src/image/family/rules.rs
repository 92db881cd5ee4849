//! What an overlay says of imported forms that begin alike.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::ListName;
use super::text::{ComponentText, LinesText, OneOrMore, Source};
use super::{Family, FamilyError, Origin, Problem};
use crate::grammar::Pattern;

/// What is said of imported forms that begin alike.
#[derive(Clone, Debug)]
pub(crate) struct LineRule {
    modes: Vec<String>,
    /// How they begin. Its names are the keys of their lines.
    pub(crate) pattern: Pattern,
    /// Whether the whole line is the key.
    pub(crate) whole: bool,
    /// The list that the lines stand in.
    pub(crate) list: Option<String>,
    /// Where it was declared.
    pub(crate) at: Origin,
}

impl LineRule {
    /// Whether it speaks of forms of this mode.
    pub(crate) fn is_of(&self, mode: &str) -> bool {
        self.modes.iter().any(|name| match name.strip_suffix('*') {
            Some(begins) => mode.starts_with(begins),
            None => mode == name,
        })
    }
}

impl Family {
    pub(super) fn rules_of(
        &mut self,
        source: &Source<'_>,
        text: &LinesText,
        errors: &mut Vec<FamilyError>,
    ) {
        let modes = match &text.mode {
            OneOrMore::One(mode) => alloc::vec![mode.clone()],
            OneOrMore::More(modes) => modes.clone(),
        };
        let span = text.begin.span();
        let mut offset = span.start;
        for line in source.text[span].split_inclusive('\n') {
            let written = line.trim().trim_matches('\'').trim();
            let at = offset + line.find(written).unwrap_or(0);
            offset += line.len();
            if written.is_empty() {
                continue;
            }
            let pattern = match Pattern::read(written) {
                Ok(pattern) => pattern,
                Err(word) => {
                    let start = at + written.find(word).unwrap_or(0);
                    let problem = Problem::Pattern { word: word.into() };
                    errors.push(source.error(start..start + word.len(), problem));
                    continue;
                }
            };
            if let Some(list) = &text.list {
                let named = |name: &str| pattern.names().any(|own| own == name);
                for name in ListName::read(list.get_ref()).captures().filter(|name| !named(name)) {
                    let problem = Problem::ListCapture { name: name.into() };
                    errors.push(source.error(list.span(), problem));
                }
            }
            self.rules.push(LineRule {
                modes: modes.clone(),
                pattern,
                whole: text.whole,
                list: text.list.as_ref().map(|list| list.get_ref().clone()),
                at: source.origin(at),
            });
        }
    }

    /// What it says of imported forms, in the order of its files.
    pub(crate) fn rules(&self) -> &[LineRule] {
        &self.rules
    }

    /// Whether a file counts in the profile that is read.
    pub(super) fn is_of_profile(
        &self,
        source: &Source<'_>,
        text: &ComponentText,
        errors: &mut Vec<FamilyError>,
    ) -> bool {
        let Some(profile) = &text.profile else {
            return true;
        };
        if !self.profiles.contains(profile.get_ref()) {
            let name = profile.get_ref().clone();
            let what = "profile in family.toml";
            errors.push(source.error(profile.span(), Problem::Unknown { what, name }));
        }
        self.profile.as_ref() == Some(profile.get_ref())
    }

    /// The profile that is read, if it has any.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }
}
