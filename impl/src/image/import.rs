//! CommandDecl sets of real software as images without history: nothing says which captures are the
//! key, so the whole line identifies a line, and `no` and a line removes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{CommandDecl, Component, Declarations, Image, ImageError, Key, Mode, NoMeans, ROOT};
use crate::grammar::Form;

/// A form as it stands in a command set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedForm {
    /// The mode's name.
    pub mode: String,
    /// The form.
    pub form: String,
    /// The component that owns it; several are separated by commas.
    pub component: String,
}

/// A mode as it stands in a command set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedMode {
    /// The mode's name, as the dump gives it.
    pub name: String,
    /// The mode that it is entered from.
    pub parent: Option<String>,
    /// The forms that enter it.
    pub enter: Vec<String>,
}

/// What was given and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What was given and not taken.
    pub given: Given,
    /// The form.
    pub form: String,
    /// Why it was not taken.
    pub why: String,
}

/// A place in what was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// A form, by its place among the forms from 0.
    Form(usize),
    /// What is said of a mode, by its name.
    Mode(String),
}

/// Components that one command set may name.
const COMPONENTS_MAX: usize = 1024;

/// The words that move between modes: no configuration.
const NAVIGATION: [&str; 4] = ["exit", "quit", "end", "exit-address-family"];

/// Whether `form` only moves between modes.
fn is_navigation(form: &str) -> bool {
    NAVIGATION.contains(&form) || (form.starts_with("exit-") && !form.contains(' '))
}

/// Makes an image of a command set.
///
/// # Shape
/// The image, and what was not taken. Navigation is left out silently.
///
/// # Errors
/// [`ImageError`] where what was taken makes no image.
pub fn import(
    name: &str,
    release: &str,
    forms: &[ImportedForm],
    modes: &[ImportedMode],
) -> Result<(Image, Vec<Rejected>), ImageError> {
    let (set, rejected) = CommandSet::read(forms, modes);
    let declarations = Declarations {
        family: name.to_string(),
        release: release.to_string(),
        imported: true,
        components: set.components,
        modes: set.modes,
        commands: set.commands.into_iter().map(|(_, command)| command).collect(),
        changes: Vec::new(),
        dont_cares: Vec::new(),
        aliases: Vec::new(),
        refuses: Vec::new(),
    };
    Ok((Image::compile(declarations)?, rejected))
}

/// What was taken of a command set.
pub(super) struct CommandSet {
    /// The components that own its forms, at level 0.
    pub(super) components: Vec<Component>,
    /// Its modes; the root first.
    pub(super) modes: Vec<Mode>,
    /// Its commands, by mode and normal form, of which nothing but the form is known.
    pub(super) commands: Vec<(Form, CommandDecl)>,
}

impl CommandSet {
    /// Reads a command set; what was not taken.
    pub(super) fn read(forms: &[ImportedForm], modes: &[ImportedMode]) -> (Self, Vec<Rejected>) {
        let mut rejected = Vec::new();
        let known = Modes::from_imported(modes, &mut rejected);
        let mut components: Vec<Component> = Vec::new();
        let mut commands: BTreeMap<(String, String), (Form, CommandDecl)> = BTreeMap::new();
        for (number, row) in forms.iter().enumerate().filter(|(_, row)| !is_navigation(&row.form)) {
            let mut refuse = |why| {
                rejected.push(Rejected { given: Given::Form(number), form: row.form.clone(), why });
            };
            if row.mode != ROOT && !known.parents.contains_key(row.mode.as_str()) {
                refuse(alloc::format!("mode {} is declared nowhere", row.mode));
                continue;
            }
            let form = match Form::parse(&row.form) {
                Ok(form) => form,
                Err(error) => {
                    refuse(alloc::format!("column {}: {error}", error.span.start + 1));
                    continue;
                }
            };
            let Some(component) = component_of(&mut components, &row.component) else {
                refuse(alloc::format!("more than {COMPONENTS_MAX} components"));
                continue;
            };
            let entered = known.enters.get(&(row.mode.as_str(), form.normal().to_string()));
            let command = CommandDecl {
                mode: row.mode.clone(),
                form: row.form.clone(),
                component,
                since: 0,
                until: None,
                key: Key::Line,
                ordered: false,
                list: None,
                enters: entered.map(ToString::to_string),
                revision: 0,
                default: None,
                no: NoMeans::Undo,
                factory: Vec::new(),
                set: Vec::new(),
                pattern: None,
            };
            let key = (row.mode.clone(), form.normal().to_string());
            commands.entry(key).or_insert((form, command));
        }
        let root = Mode { name: ROOT.to_string(), parent: None };
        let others = known.parents.iter();
        let others = others.map(|(name, parent)| Mode {
            name: name.to_string(),
            parent: Some(parent.to_string()),
        });
        let modes = core::iter::once(root).chain(others).collect();
        (Self { components, modes, commands: commands.into_values().collect() }, rejected)
    }
}

/// What is known of the modes but that of the root.
struct Modes<'a> {
    /// Each mode's parent.
    parents: BTreeMap<&'a str, &'a str>,
    /// The mode that a form enters, by the mode in which it stands and its normal form.
    enters: BTreeMap<(&'a str, String), &'a str>,
}

impl<'a> Modes<'a> {
    fn from_imported(modes: &'a [ImportedMode], rejected: &mut Vec<Rejected>) -> Self {
        let mut refuse = |mode: &ImportedMode, form: &str, why| {
            rejected.push(Rejected {
                given: Given::Mode(mode.name.clone()),
                form: form.to_string(),
                why,
            });
        };
        let names: BTreeSet<&str> = modes.iter().map(|mode| mode.name.as_str()).collect();
        let mut known = Self { parents: BTreeMap::new(), enters: BTreeMap::new() };
        for mode in modes {
            let parent = mode.parent.as_deref().unwrap_or(ROOT);
            if parent != ROOT && !names.contains(parent) {
                let why = "its parent is declared nowhere: it stands under config";
                refuse(mode, parent, why.to_string());
            }
            let parent = Some(parent).filter(|parent| names.contains(parent)).unwrap_or(ROOT);
            if mode.name != ROOT && known.parents.insert(&mode.name, parent).is_some() {
                refuse(mode, &mode.name, "the mode is declared twice".to_string());
            }
            for text in &mode.enter {
                match Form::parse(text) {
                    Ok(form) => {
                        let entry = (parent, form.normal().to_string());
                        if let Some(other) = known.enters.insert(entry, &mode.name)
                            && other != mode.name
                        {
                            refuse(mode, text, alloc::format!("it enters {other} already"));
                        }
                    }
                    Err(error) => {
                        let column = error.span.start + 1;
                        refuse(mode, text, alloc::format!("column {column}: {error}"));
                    }
                }
            }
        }
        known
    }
}

/// The component of this name; none if there are too many.
fn component_of(components: &mut Vec<Component>, name: &str) -> Option<u16> {
    let known = components.iter().position(|component| component.name == name);
    let number = known.unwrap_or(components.len());
    if number == components.len() {
        if number == COMPONENTS_MAX {
            return None;
        }
        components.push(Component { name: name.to_string(), level: 0 });
    }
    u16::try_from(number).ok()
}
