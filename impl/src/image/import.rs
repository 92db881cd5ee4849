//! Command sets of real software as images without history: nothing says which captures are the
//! key, so the whole line identifies a line, and `no` and a line removes it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Command, Component, Declarations, Image, ImageError, Key, Mode, ROOT};
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
    /// Its name.
    pub name: String,
    /// The mode that it is entered from.
    pub parent: Option<String>,
    /// The forms that enter it.
    pub enter: Vec<String>,
}

/// A form that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its place among the forms given, from 0.
    pub number: usize,
    /// The form.
    pub form: String,
    /// Why.
    pub why: String,
}

/// The words that move between modes: no configuration.
const NAVIGATION: [&str; 4] = ["exit", "quit", "end", "exit-address-family"];

/// Whether `form` only moves between modes.
fn is_navigation(form: &str) -> bool {
    NAVIGATION.contains(&form) || (form.starts_with("exit-") && !form.contains(' '))
}

/// Makes an image of a command set.
///
/// # Shape
/// The image, and the forms that were not taken. Navigation is left out silently.
///
/// # Errors
/// [`ImageError`] where what was taken makes no image.
pub fn import(
    name: &str,
    release: &str,
    forms: &[ImportedForm],
    modes: &[ImportedMode],
) -> Result<(Image, Vec<Rejected>), ImageError> {
    let known: BTreeSet<&str> = modes.iter().map(|mode| mode.name.as_str()).collect();
    let mut enters: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for mode in modes {
        let parent = mode.parent.as_deref().unwrap_or(ROOT);
        for form in mode.enter.iter().filter_map(|form| Form::parse(form).ok()) {
            enters.insert((parent, form.normal().to_string()), &mode.name);
        }
    }
    let mut components: Vec<Component> = Vec::new();
    let mut commands: BTreeMap<(String, String), Command> = BTreeMap::new();
    let mut rejected = Vec::new();
    for (number, row) in forms
        .iter()
        .enumerate()
        .filter(|(_, row)| !is_navigation(&row.form))
    {
        let form = match Form::parse(&row.form) {
            _ if row.mode != ROOT && !known.contains(row.mode.as_str()) => {
                let why = alloc::format!("mode {} is declared nowhere", row.mode);
                rejected.push(Rejected {
                    number,
                    form: row.form.clone(),
                    why,
                });
                continue;
            }
            Ok(form) => form,
            Err(error) => {
                let why = alloc::format!("column {}: {error}", error.span.start + 1);
                rejected.push(Rejected {
                    number,
                    form: row.form.clone(),
                    why,
                });
                continue;
            }
        };
        let component = component_of(&mut components, &row.component);
        let entered = enters.get(&(row.mode.as_str(), form.normal().to_string()));
        let command = Command {
            mode: row.mode.clone(),
            form: row.form.clone(),
            component,
            since: 0,
            until: None,
            key: Key::Line,
            ordered: false,
            enters: entered.map(ToString::to_string),
            revision: 0,
            default: None,
        };
        commands
            .entry((row.mode.clone(), form.normal().to_string()))
            .or_insert(command);
    }
    let root = Mode {
        name: ROOT.to_string(),
        parent: None,
    };
    let others = modes.iter().filter(|mode| mode.name != ROOT).map(|mode| {
        let parent = mode
            .parent
            .clone()
            .filter(|parent| known.contains(parent.as_str()));
        Mode {
            name: mode.name.clone(),
            parent: Some(parent.unwrap_or_else(|| ROOT.to_string())),
        }
    });
    let declarations = Declarations {
        family: name.to_string(),
        release: release.to_string(),
        imported: true,
        components,
        modes: core::iter::once(root).chain(others).collect(),
        commands: commands.into_values().collect(),
        changes: Vec::new(),
        dont_cares: Vec::new(),
    };
    Ok((Image::of(declarations)?, rejected))
}

fn component_of(components: &mut Vec<Component>, name: &str) -> u16 {
    let known = components
        .iter()
        .position(|component| component.name == name);
    let number = known.unwrap_or_else(|| {
        components.push(Component {
            name: name.to_string(),
            level: 0,
        });
        components.len() - 1
    });
    number as u16
}
