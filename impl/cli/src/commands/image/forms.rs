//! Command sets of real software, read from their files.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use skewsync::image::{
    Family, Given, Image, ImportedForm, ImportedMode, Rejected, Unsaid, import, import_over,
};

use super::TABLE_BYTES_MAX;
use crate::input::{self, InputError};

#[derive(Deserialize)]
struct FormRow {
    node: String,
    command: String,
    #[serde(default)]
    daemon: String,
}

#[derive(Deserialize)]
struct NodeRow {
    parent: Option<String>,
    #[serde(default)]
    enter: Vec<String>,
}

/// The modes by name; a name that stands twice is an error, where a map would keep the last.
struct NodeRows(BTreeMap<String, NodeRow>);

impl<'de> Deserialize<'de> for NodeRows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Rows;

        impl<'de> Visitor<'de> for Rows {
            type Value = NodeRows;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: mode -> parent and entering forms")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<NodeRows, A::Error> {
                let mut rows = BTreeMap::new();
                while let Some((name, row)) = from.next_entry::<String, NodeRow>()? {
                    if rows.contains_key(&name) {
                        return Err(A::Error::custom(format!("mode {name} stands here twice")));
                    }
                    rows.insert(name, row);
                }
                Ok(NodeRows(rows))
            }
        }

        from.deserialize_map(Rows)
    }
}

/// Of so many forms one may be left out before an import counts as failed: 0.5 %.
const LEFT_OUT_ONE_IN: usize = 200;

/// A command set that was read.
pub struct Imported {
    /// The image of what was taken.
    pub image: Image,
    /// What was not taken, one line each; empty if all was.
    pub report: String,
    /// Whether too much was not.
    pub too_little: bool,
    /// What the overlay says of forms that the release does not have.
    pub unsaid: Vec<Unsaid>,
    /// How many forms the overlay says nothing of; none: there is no overlay.
    pub unknown: Option<usize>,
    rejected: Vec<Rejected>,
}

/// Imports a command set from its files.
///
/// # Errors
/// See [`InputError`].
pub fn import_files(
    forms: &Path,
    nodes: &Path,
    name: &str,
    release: &str,
    overlay: Option<&Family>,
) -> Result<Imported, InputError> {
    let row = |path: &Path, line, message| InputError::Row { path: path.to_owned(), line, message };
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (at, line) in input::text(forms, TABLE_BYTES_MAX)?.lines().enumerate() {
        if !line.trim().is_empty() {
            let read: FormRow = serde_json::from_str(line)
                .map_err(|error| row(forms, at + 1, error.to_string()))?;
            lines.push(at + 1);
            rows.push(ImportedForm { mode: read.node, form: read.command, component: read.daemon });
        }
    }
    let NodeRows(read) = serde_json::from_str(&input::text(nodes, TABLE_BYTES_MAX)?)
        .map_err(|error| row(nodes, error.line(), error.to_string()))?;
    let modes: Vec<ImportedMode> = read
        .into_iter()
        .map(|(name, node)| ImportedMode { name, parent: node.parent, enter: node.enter })
        .collect();
    let mut imported =
        import_set(&rows, &modes, name, release, overlay).map_err(|error| row(forms, 0, error))?;
    let place = |given: &Given| match given {
        Given::Form(number) => format!("{}:{}: not taken", forms.display(), lines[*number]),
        Given::Mode(mode) => format!("{}: {mode}: left out", nodes.display()),
    };
    imported.tell(rows.len(), place);
    Ok(imported)
}

/// Imports a command set that was read.
///
/// # Errors
/// Why it makes no image.
pub fn import_set(
    rows: &[ImportedForm],
    modes: &[ImportedMode],
    name: &str,
    release: &str,
    overlay: Option<&Family>,
) -> Result<Imported, String> {
    let (image, rejected, unsaid, unknown) = match overlay {
        None => {
            let made = import(name, release, rows, modes);
            let (image, rejected) = made.map_err(|error| error.to_string())?;
            (image, rejected, Vec::new(), None)
        }
        Some(overlay) => {
            let made = import_over(overlay, name, release, rows, modes);
            let made = made.map_err(|error| error.to_string())?;
            (made.image, made.rejected, made.unsaid, Some(made.unknown))
        }
    };
    let report = String::new();
    Ok(Imported { image, report, too_little: false, unsaid, unknown, rejected })
}

impl Imported {
    /// Tells what was not taken, each with its place.
    pub fn tell(&mut self, rows: usize, place: impl Fn(&Given) -> String) {
        let mut left_out = 0;
        for Rejected { given, form, why } in &self.rejected {
            left_out += usize::from(matches!(given, Given::Form(_)));
            self.report += &format!("{}: {why}: `{form}`\n", place(given));
        }
        if left_out > 0 {
            self.report += &format!("{left_out} of {rows} forms were not taken\n");
        }
        self.too_little = left_out * LEFT_OUT_ONE_IN > rows;
    }
}
