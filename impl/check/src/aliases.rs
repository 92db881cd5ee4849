//! Whether an alias says lines that there are, with all of its words.

use std::collections::BTreeSet;

use super::{FORM_LINES_MAX, Fault, Finding, Origins, Report};
use skewsync::grammar::{Form, Sign};
use skewsync::ids::{FormId, ModeId};
use skewsync::image::{Alias, Image};
use skewsync::parse::{self, Place};

/// What is wrong with an alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum AliasError {
    /// A word of it is in no line that it says.
    #[error("`{name}` is in no line that it says")]
    Lost {
        /// The capture, or the words of the part in brackets.
        name: String,
    },
    /// A line that it says needs a word that it does not have.
    #[error("`{form}` needs `{name}`, which the alias does not have")]
    Missing {
        /// What it says.
        form: String,
        /// The capture, or the words of the part in brackets.
        name: String,
    },
    /// What a line of it says is no line.
    #[error("in {release} `{line}` says nothing that is read: {why}")]
    Unread {
        /// The release.
        release: String,
        /// The line.
        line: String,
        /// What is wrong.
        why: String,
    },
}

pub(super) fn check(image: &Image, origins: &Origins, report: &mut Report) {
    for (id, alias) in image.aliases() {
        if !alias.decl.lives_at(image.levels()[usize::from(alias.decl.component.0)]) {
            continue;
        }
        let Some(error) = static_fault(image, alias).or_else(|| misread(image, alias)) else {
            continue;
        };
        report.findings.push(Finding {
            origin: origins.form(image, id),
            words: alias.decl.form.text().to_string(),
            fault: Fault::Alias(error),
        });
    }
}

/// What is wrong with its words, whatever their values are.
fn static_fault(image: &Image, alias: &Alias) -> Option<AliasError> {
    let own: BTreeSet<&str> = alias.decl.form.carried().collect();
    // The words of the entries around it are at hand.
    let around = path_forms(image, alias.decl.mode);
    let given: BTreeSet<&str> =
        around.into_iter().flat_map(Form::carried).chain(own.iter().copied()).collect();
    let mut said = BTreeSet::new();
    for reading in &alias.reads {
        for form in path_forms(image, reading.mode).into_iter().chain([&reading.form]) {
            said.extend(form.carried());
            let needed = form.carried().filter(|name| form.always_carries(name));
            if let Some(name) = needed.into_iter().find(|name| !given.contains(name)) {
                let (form, name) = (form.text().into(), name.into());
                return Some(AliasError::Missing { form, name });
            }
        }
    }
    let lost = own.into_iter().find(|name| !said.contains(name))?;
    Some(AliasError::Lost { name: lost.into() })
}

/// The forms of the entries that lead to `mode`.
fn path_forms(image: &Image, mode: ModeId) -> Vec<&Form> {
    let mut forms = Vec::new();
    let mut next = Some(mode);
    while let Some(mode) = next {
        forms.extend(entry(image, mode).map(|entry| &image.form(entry).form));
        next = image.parent(mode);
    }
    forms
}

/// The form that enters `mode`.
fn entry(image: &Image, mode: ModeId) -> Option<FormId> {
    let lives = |component: u16| image.levels()[usize::from(component)];
    let mut entries = image.forms().filter(|(_, decl)| decl.enters == Some(mode));
    entries.find(|(_, decl)| decl.lives_at(lives(decl.component.0))).map(|(id, _)| id)
}

/// A line of it that says what is no line.
fn misread(image: &Image, alias: &Alias) -> Option<AliasError> {
    let place = place_in(image, alias.decl.mode);
    let mut lines = alias.decl.form.examples(FORM_LINES_MAX).into_iter();
    lines.find_map(|words| {
        let error = parse::alias_says(image, image.own(), alias, &place, &words).err()?;
        Some(AliasError::Unread {
            release: image.declarations().release.clone(),
            line: words.to_string(),
            why: error.to_string(),
        })
    })
}

/// An instance of `mode`.
fn place_in(image: &Image, mode: ModeId) -> Place {
    let (Some(parent), Some(entry)) = (image.parent(mode), entry(image, mode)) else {
        return Place::root();
    };
    let examples = image.form(entry).form.examples(4);
    let positive = examples.into_iter().find(|words| words.sign() == Sign::Positive);
    let parent = place_in(image, parent);
    positive.map_or(parent.clone(), |words| parent.child(entry, words))
}
