//! The aliases of a family's components: what is read as other commands.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use serde_spanned::Spanned;

use super::super::{AliasDecl, ListEdit, ROOT, Side};
use super::text::{AliasText, ComponentText, ReadText, Source};
use super::{Family, FamilyError, Origin, Problem};
use crate::grammar::Form;

impl Family {
    /// The aliases of all components; the commands of all levels are known.
    pub(super) fn aliases_of(
        &mut self,
        read: &[(Source<'_>, ComponentText)],
        errors: &mut Vec<FamilyError>,
    ) {
        for (source, text) in read {
            let Some(component) = self.number(&text.component) else {
                continue;
            };
            for alias in &text.alias {
                if let Some(alias) = self.alias_of(source, component, alias, errors) {
                    self.aliases.push(alias);
                }
            }
        }
    }

    fn alias_of(
        &self,
        source: &Source<'_>,
        component: u16,
        text: &AliasText,
        errors: &mut Vec<FamilyError>,
    ) -> Option<(AliasDecl, Origin)> {
        let before = errors.len();
        let form = source.form(&text.form, errors);
        let list = list_edit(source, text, form.as_ref(), errors);
        if text.until.is_some_and(|until| until <= text.since) {
            errors.push(source.error(text.form.span(), Problem::NeverRead));
        }
        if text.reads.get_ref().is_empty() {
            errors.push(source.error(text.reads.span(), Problem::NoReads));
        }
        let reads = text.reads.get_ref().iter();
        let reads: Vec<Side> =
            reads.filter_map(|side| self.read_side(source, side, errors)).collect();
        let mode = match &text.mode {
            Some(mode) if !self.has_mode(mode.get_ref()) => {
                let problem = Problem::Unknown { what: "mode", name: mode.get_ref().clone() };
                errors.push(source.error(mode.span(), problem));
                None
            }
            Some(mode) => Some(mode.get_ref().clone()),
            None => reads.first().map(|side| side.mode.clone()),
        };
        let mode = mode.filter(|_| errors.len() == before)?;
        let form = text.form.get_ref().clone();
        let AliasText { since, until, .. } = *text;
        let decl = AliasDecl { mode, form, component, since, until, reads, list };
        Some((decl, source.origin(text.form.span().start + 1)))
    }

    /// A line that an alias says. Whether there is such a command, the check says.
    fn read_side(
        &self,
        source: &Source<'_>,
        text: &Spanned<ReadText>,
        errors: &mut Vec<FamilyError>,
    ) -> Option<Side> {
        let side = match text.get_ref() {
            ReadText::Side(side) => side.clone(),
            ReadText::Words(words) => {
                let named = words.split_once(": ").filter(|(mode, _)| !mode.contains(' '));
                let (mode, form) = named.unwrap_or((ROOT, words));
                Side { mode: mode.to_owned(), form: form.trim().to_owned(), ..Side::default() }
            }
        };
        let problem = match Form::parse(&side.form) {
            Err(error) => Problem::Form(error),
            Ok(_) if !self.has_mode(&side.mode) => {
                Problem::Unknown { what: "mode", name: side.mode.clone() }
            }
            Ok(_) => return Some(side),
        };
        errors.push(source.error(text.span(), problem));
        None
    }

    pub(super) fn has_mode(&self, name: &str) -> bool {
        name == ROOT || self.modes.iter().any(|(mode, _, _)| mode.name == name)
    }

    /// All aliases of all levels, each with the place where it was declared.
    pub fn aliases(&self) -> impl Iterator<Item = (&AliasDecl, &Origin)> {
        self.aliases.iter().map(|(alias, at)| (alias, at))
    }

    /// The aliases that a release of these levels has had.
    pub(super) fn aliases_at(&self, level: impl Fn(u16) -> u16) -> Vec<AliasDecl> {
        let aliases = self.aliases().map(|(alias, _)| alias);
        let known = aliases.filter(|alias| alias.since <= level(alias.component));
        let known = known.map(|alias| AliasDecl {
            until: alias.until.filter(|until| *until <= level(alias.component)),
            ..alias.clone()
        });
        known.collect()
    }
}

/// What an alias does to a list, which its form must have.
fn list_edit(
    source: &Source<'_>,
    text: &AliasText,
    form: Option<&Form>,
    errors: &mut Vec<FamilyError>,
) -> Option<ListEdit> {
    let (name, edit) = match (&text.adds, &text.takes) {
        (None, None) => return None,
        (Some(name), None) => (name, ListEdit::Adds(name.get_ref().clone())),
        (None, Some(name)) => (name, ListEdit::Takes(name.get_ref().clone())),
        (Some(_), Some(takes)) => {
            errors.push(source.error(takes.span(), Problem::AddsAndTakes));
            return None;
        }
    };
    if form.is_some_and(|form| form.list(name.get_ref()).is_none()) {
        let problem = Problem::NoList { name: name.get_ref().clone() };
        errors.push(source.error(name.span(), problem));
    }
    Some(edit)
}
