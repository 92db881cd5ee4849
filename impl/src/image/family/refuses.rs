//! What the releases of a family refuse for what else is there.

use alloc::vec::Vec;

use serde_spanned::Spanned;

use super::super::{RefuseDecl, RefusedLines};
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
        line: &Spanned<alloc::string::String>,
        errors: &mut Vec<FamilyError>,
    ) {
        let Some(form) = source.form(line, errors) else {
            return;
        };
        let mode = text.mode.get_ref();
        let mut commands = self.commands.iter().filter(|command| command.mode == *mode);
        let has = commands.any(|command| {
            let of = Form::parse(&command.form);
            command.until.is_none_or(|until| text.since < until)
                && text.until.is_none_or(|until| command.since < until)
                && of.is_ok_and(|of| may_share_a_line(&of, &form))
        });
        if !has {
            let nearest = self.nearest(mode, form.normal());
            errors.push(source.error(line.span(), Problem::NoSuchLine { nearest }));
        }
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
