//! The changes of a family's components, in its one order.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_spanned::Spanned;

use super::super::{Change, CommandDecl, FunctionName, Key, Scale, Side};
use super::text::{ChangeText, ComponentText, OptionalText, SideText, Source, own_default};
use super::{Family, FamilyError, Problem};
use crate::grammar::Form;

impl Family {
    /// The changes of all components, in the family's one order.
    pub(super) fn changes_of(
        &mut self,
        read: &[(Source<'_>, ComponentText)],
        errors: &mut Vec<FamilyError>,
    ) {
        let mut order: Vec<(usize, u16, u16, usize, usize)> = Vec::new();
        for (file, (_, text)) in read.iter().enumerate() {
            let Some(component) = self.number(&text.component) else {
                continue;
            };
            for (number, change) in text.change.iter().enumerate() {
                let reached = |(_, levels): &(String, Vec<u16>)| {
                    levels[usize::from(component)] >= change.level
                };
                let release = self.releases.iter().position(reached).unwrap_or(usize::MAX);
                order.push((release, component, change.level, file, number));
            }
        }
        order.sort_unstable();
        for (_, component, _, file, number) in order {
            let (source, text) = &read[file];
            self.change_of(source, component, &text.change[number], errors);
        }
    }

    pub(super) fn change_of(
        &mut self,
        source: &Source<'_>,
        component: u16,
        text: &ChangeText,
        errors: &mut Vec<FamilyError>,
    ) {
        let before = errors.len();
        deny_unsupported(source, text, errors);
        let mut enters: Option<(String, String)> = None;
        let mut change = without_sides(component, text);
        change.rust = self.function_of(source, text, errors);
        for (name, scale) in &text.scale {
            match Scale::parse(scale.get_ref().to_string().trim_matches('"')) {
                Ok(ratio) => {
                    change.scale.insert(name.clone(), ratio);
                }
                Err(error) => errors.push(source.error(scale.span(), Problem::Scale(error))),
            }
        }
        for side in &text.old {
            let Some(form) = self.side_form(source, side, errors) else {
                continue;
            };
            if let Some(command) = self.end_command(component, text.level, side, &form) {
                let entered = command.enters.clone().map(|mode| (command.mode.clone(), mode));
                enters = enters.or(entered);
            } else {
                let problem = Problem::NoSuchForm {
                    component: self.components[usize::from(component)].clone(),
                    level: text.level.saturating_sub(1),
                    nearest: self.nearest(side.mode.get_ref(), form.normal()),
                };
                errors.push(source.error(side.form.span(), problem));
            }
            change.old.push(side_of(side));
        }
        // Beside the entry of a mode stands a line in it.
        let is_entry = |side: &SideText| {
            enters.as_ref().is_some_and(|(mode, _)| *side.mode.get_ref() == *mode)
        };
        let sides = text.new.iter();
        let made: Vec<(&SideText, Form)> =
            sides.filter_map(|side| Some((side, self.side_form(source, side, errors)?))).collect();
        let own = made.iter().filter(|(side, _)| !is_entry(side));
        let own: Vec<&Form> = own.map(|(_, form)| form).collect();
        let names = source.key(&text.key, &own, errors);
        let list = source.list(text.list.as_ref(), &names, errors);
        let key = |side: &SideText| match is_entry(side) {
            true => Key::Line,
            false => Key::Captures(names.clone()),
        };
        let keys: Vec<Key> = made.iter().map(|(side, _)| key(side)).collect();
        let forms: Vec<(&Form, &Key)> =
            made.iter().zip(&keys).map(|((_, form), key)| (form, key)).collect();
        let default =
            text.default.as_ref().and_then(|default| source.default(default, &forms, errors));
        let factory = source.factory(&text.factory, &forms, errors);
        let of_new: Vec<&Form> = made.iter().map(|(_, form)| form).collect();
        source.set(&text.set, &of_new, errors);
        let set = |form: &Form| {
            let names = text.set.iter().map(Spanned::get_ref);
            names.filter(|name| form.carries(name)).cloned().collect()
        };
        for ((side, form), factory) in made.iter().zip(factory) {
            let command = CommandDecl {
                mode: side.mode.get_ref().clone(),
                form: side.form.get_ref().clone(),
                component,
                since: text.level,
                until: None,
                key: key(side),
                ordered: text.ordered,
                list: list.clone(),
                enters: enters.as_ref().filter(|_| is_entry(side)).map(|(_, mode)| mode.clone()),
                revision: text.revision,
                default: default.as_ref().and_then(|values| own_default(form, values)),
                no: source.no(text.no.as_ref(), form, errors),
                factory,
                set: set(form),
                pattern: None,
            };
            self.declare(command, source.origin(side.form.span().start + 1));
            change.new.push(side_of(side));
        }
        let first = text.new.iter().chain(&text.old).next();
        let at = first.map_or(0, |side| side.form.span().start + 1);
        // What its forms are stands; what it says of them does not.
        if errors.len() == before {
            self.changes.push(change);
            self.changes_at.push(source.origin(at));
        }
    }

    /// The function that a change names; it says all that other words of a change say.
    fn function_of(
        &self,
        source: &Source<'_>,
        text: &ChangeText,
        errors: &mut Vec<FamilyError>,
    ) -> Option<FunctionName> {
        let name = text.rust.as_ref()?;
        let sides = || text.old.iter().chain(&text.new);
        let beside = [
            (!text.map.is_empty(), "map"),
            (!text.scale.is_empty(), "scale"),
            (!text.implied.is_empty(), "implied"),
            (text.one.is_some(), "one"),
            (sides().any(|side| side.not), "not"),
            (sides().any(|side| side.each.is_some()), "each"),
            (sides().any(|side| !matches!(side.optional, OptionalText::May(false))), "optional"),
        ];
        for (_, word) in beside.into_iter().filter(|(is_said, _)| *is_said) {
            errors.push(source.error(name.span(), Problem::BesideFunction(word)));
        }
        let Some(function) = self.functions().find(name.get_ref()) else {
            let known = self.functions().names().join(", ");
            let problem = Problem::NoFunction { name: name.get_ref().clone(), known };
            errors.push(source.error(name.span(), problem));
            return None;
        };
        Some(function.named())
    }

    /// The command of a change's old side lives no more from `level` on; none: there is none.
    fn end_command(
        &mut self,
        component: u16,
        level: u16,
        side: &SideText,
        form: &Form,
    ) -> Option<&CommandDecl> {
        let lives = |command: &&mut CommandDecl| {
            command.component == component
                && command.mode == *side.mode.get_ref()
                && command.since < level
                && command.until.is_none()
                && Form::parse(&command.form).is_ok_and(|other| other == *form)
        };
        let command = self.commands.iter_mut().find(lives)?;
        command.until = Some(level);
        Some(command)
    }

    pub(super) fn side_form(
        &self,
        source: &Source<'_>,
        side: &SideText,
        errors: &mut Vec<FamilyError>,
    ) -> Option<Form> {
        let form = source.form(&side.form, errors)?;
        for leaf in form.unnamed() {
            let at = side.form.get_ref().find(&*leaf.text).unwrap_or(0);
            let start = side.form.span().start + 1 + at;
            let problem = Problem::Unnamed { token: leaf.text.to_string() };
            errors.push(source.error(start..start + leaf.text.len(), problem));
        }
        Some(form)
    }

    /// The form of `mode` that shares the most words with `normal`.
    pub(super) fn nearest(&self, mode: &str, normal: &str) -> String {
        let shared = |command: &&CommandDecl| {
            let words: Vec<&str> = command.form.split(' ').collect();
            normal.split(' ').filter(|word| words.contains(word)).count()
        };
        let near = self.commands.iter().filter(|command| command.mode == mode).max_by_key(shared);
        near.map_or_else(|| "none in this mode".to_owned(), |command| command.form.clone())
    }
}

/// What a change may not say.
fn deny_unsupported(source: &Source<'_>, text: &ChangeText, errors: &mut Vec<FamilyError>) {
    let unsupported = [
        (text.form.as_ref().map(Spanned::span), "form"),
        (text.default_line.as_ref().map(Spanned::span), "default_line"),
    ];
    for (span, word) in unsupported {
        if let Some(span) = span {
            errors.push(source.error(span, Problem::Unsupported(word)));
        }
    }
}

/// The change but for its sides.
fn without_sides(component: u16, text: &ChangeText) -> Change {
    Change {
        component,
        level: text.level,
        why: text.why.clone(),
        old: Vec::new(),
        new: Vec::new(),
        map: text.map.clone(),
        scale: BTreeMap::new(),
        implied: text.implied.clone(),
        partial: text.partial.clone(),
        loses: text
            .loses
            .iter()
            .map(|(name, value)| (name.clone(), value.get_ref().clone()))
            .collect(),
        alone: text.alone,
        one: text.one,
        rust: None,
    }
}

fn side_of(text: &SideText) -> Side {
    Side {
        mode: text.mode.get_ref().clone(),
        form: text.form.get_ref().clone(),
        not: text.not,
        optional: match &text.optional {
            OptionalText::May(may) => may.then(String::new),
            OptionalText::Flag(name) => Some(name.clone()),
        },
        each: text.each.clone(),
    }
}
