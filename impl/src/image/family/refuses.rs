//! What the releases of a family refuse for what else is there.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde_spanned::Spanned;

use super::super::{CommandDecl, RefuseDecl, RefusedLines};
use super::text::{ComponentText, RefuseText, Source};
use super::{Family, FamilyError, Origin, Problem};
use crate::grammar::{Form, may_share_a_line};

impl Family {
    /// The constraints of all components; the commands of all levels are known.
    pub(super) fn refuses_of(
        &mut self,
        read: &[(Source<'_>, ComponentText)],
        errors: &mut Vec<FamilyError>,
    ) {
        for (source, text) in read {
            let Some(component) = self.number(&text.component) else {
                continue;
            };
            for refuse in &text.refuse {
                let read = self.refuse_of(source, component, refuse, errors);
                self.refuses.extend(read);
            }
        }
    }

    fn refuse_of(
        &self,
        source: &Source<'_>,
        component: u16,
        text: &RefuseText,
        errors: &mut Vec<FamilyError>,
    ) -> Option<(RefuseDecl, Origin)> {
        let before = errors.len();
        let mode = &text.mode;
        if !self.has_mode(mode.get_ref()) {
            let problem = Problem::Unknown { what: "mode", name: mode.get_ref().clone() };
            errors.push(source.error(mode.span(), problem));
        }
        if text.until.is_some_and(|until| until <= text.since) {
            errors.push(source.error(text.why.span(), Problem::NeverRead));
        }
        let pair = match (&text.lines, &text.line, &text.without) {
            (Some(lines), None, None) => match lines.get_ref().as_slice() {
                [first, second] => Some((first, second)),
                _ => None,
            },
            (None, Some(line), Some(without)) => Some((line, without)),
            _ => None,
        };
        let Some((first, second)) = pair else {
            errors.push(source.error(text.why.span(), Problem::Refuses));
            return None;
        };
        for line in [first, second] {
            self.refused_line(source, text, line, errors);
        }
        if text.without.is_some() && errors.len() == before {
            let [one, other] = [first, second].map(|line| self.lists_of(text, line.get_ref()));
            if !one.is_disjoint(&other) {
                errors.push(source.error(second.span(), Problem::NeedsInList));
            }
        }
        if errors.len() > before {
            return None;
        }
        let (one, other) = (first.get_ref().clone(), second.get_ref().clone());
        let what = match text.without {
            Some(_) => RefusedLines::Without(one, other),
            None => RefusedLines::Both(one, other),
        };
        let decl = RefuseDecl {
            mode: mode.get_ref().clone(),
            component,
            since: text.since,
            until: text.until,
            why: text.why.get_ref().clone(),
            what,
        };
        Some((decl, source.origin(first.span().start + 1)))
    }

    /// Whether a command has such a line somewhen while the constraint holds.
    fn refused_line(
        &self,
        source: &Source<'_>,
        text: &RefuseText,
        line: &Spanned<String>,
        errors: &mut Vec<FamilyError>,
    ) {
        let Some(form) = source.form(line, errors) else {
            return;
        };
        if self.commands_with(text, &form).next().is_none() {
            let nearest = self.nearest(text.mode.get_ref(), form.normal());
            errors.push(source.error(line.span(), Problem::NoSuchLine { nearest }));
        }
    }

    /// The commands that have such a line somewhen while the constraint holds.
    fn commands_with<'a>(
        &'a self,
        text: &'a RefuseText,
        form: &'a Form,
    ) -> impl Iterator<Item = &'a CommandDecl> {
        let mode = text.mode.get_ref();
        self.commands.iter().filter(move |command| {
            command.mode == *mode
                && command.until.is_none_or(|until| text.since < until)
                && text.until.is_none_or(|until| command.since < until)
                && Form::parse(&command.form).is_ok_and(|of| may_share_a_line(&of, form))
        })
    }

    /// The ordered lists in which such a line may stand: by name, or by its form.
    fn lists_of(&self, text: &RefuseText, line: &str) -> BTreeSet<String> {
        let Ok(form) = Form::parse(line) else { return BTreeSet::new() };
        let commands = self.commands_with(text, &form);
        let lists = commands.filter_map(|command| match &command.list {
            Some(name) => Some(name.clone()),
            None => command.ordered.then(|| command.form.clone()),
        });
        lists.collect()
    }

    /// All constraints of all levels, each with the place where it was declared.
    pub fn refuses(&self) -> impl Iterator<Item = (&RefuseDecl, &Origin)> {
        self.refuses.iter().map(|(refuse, at)| (refuse, at))
    }

    /// The constraints that a release of these levels has had.
    pub(super) fn refuses_at(&self, level: impl Fn(u16) -> u16) -> Vec<RefuseDecl> {
        let refuses = self.refuses().map(|(refuse, _)| refuse);
        let known = refuses.filter(|refuse| refuse.since <= level(refuse.component));
        let known = known.map(|refuse| RefuseDecl {
            until: refuse.until.filter(|until| *until <= level(refuse.component)),
            ..refuse.clone()
        });
        known.collect()
    }
}
