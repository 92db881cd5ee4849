//! A family as it is written: one TOML file per component, one table of releases; its projection
//! at a release. Errors name file, line, column and words, all of them at once.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::{
    Alone, Change, Command, Component, Declarations, DontCare, Image, ImageError, Key, Mode, ROOT,
    Side, ValueMaps,
};
use crate::grammar::{Form, FormError};

/// The history of a system's commands.
#[derive(Clone, Debug)]
pub struct Family {
    name: String,
    components: Vec<String>,
    releases: Vec<(String, Vec<u16>)>,
    modes: Vec<(Mode, u16, u16)>,
    commands: Vec<Command>,
    changes: Vec<Change>,
    dont_cares: Vec<DontCare>,
    /// Where each command was declared.
    commands_at: Vec<Origin>,
    /// Where each change was declared.
    changes_at: Vec<Origin>,
}

/// Where something was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// Something that is wrong in a family's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyError {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The offending words.
    pub words: String,
    /// What is wrong with them.
    pub problem: Problem,
}

/// What is wrong in a family's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is no such TOML.
    #[error("{0}")]
    Toml(String),
    /// A form cannot be read.
    #[error("{0}")]
    Form(FormError),
    /// A form stands in a string whose columns could not be told.
    #[error("a form stands in a literal string: write '..'")]
    NotLiteral,
    /// A placeholder of a form in a change has no name.
    #[error("a form that stands in a change names every capture: write `{token}$name`")]
    Unnamed {
        /// The placeholder.
        token: String,
    },
    /// The old side of a change does not live at the level below.
    #[error("no such form at {component} {level}; nearest: {nearest}")]
    NoSuchForm {
        /// The component.
        component: String,
        /// The level below the change's.
        level: u16,
        /// What comes nearest.
        nearest: String,
    },
    /// A name that is declared nowhere.
    #[error("`{name}` is declared nowhere as a {what}")]
    Unknown {
        /// What it was to be.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The family's table is missing.
    #[error("family.toml is missing: it names the family and its releases")]
    NoTable,
    /// What was declared makes no image.
    #[error("release {release}: {error}")]
    Image {
        /// The release.
        release: String,
        /// Why.
        error: ImageError,
    },
    /// Words that are read but not supported yet.
    #[error("`{0}` is not supported; the kinds of change that are: {KINDS}")]
    Unsupported(&'static str),
}

const KINDS: &str = "rename, keyword inserted, argument reorder, value map, boolean to flag, split, \
                     mode-entry rename, mode move, range narrowed or widened, removed, new";

impl fmt::Display for FamilyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            words,
            problem,
        } = self;
        write!(f, "{file}:{line}:{column}: {problem}")?;
        if words.is_empty() {
            Ok(())
        } else {
            write!(f, ": `{words}`")
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    family: String,
    /// The order of the components in the family's one order of changes.
    #[serde(default)]
    components: Vec<String>,
    release: Vec<ReleaseText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseText {
    name: String,
    levels: BTreeMap<String, u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentText {
    component: String,
    #[serde(default)]
    mode: Vec<ModeText>,
    #[serde(default)]
    command: Vec<CommandText>,
    #[serde(default)]
    commands: Vec<BulkText>,
    #[serde(default)]
    change: Vec<ChangeText>,
    #[serde(default)]
    dont_care: Vec<DontCareText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModeText {
    name: String,
    parent: Spanned<String>,
    enter: Spanned<String>,
    #[serde(default)]
    since: u16,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "said for the reader: an instance is its whole entry line"
    )]
    key: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandText {
    mode: Spanned<String>,
    form: Spanned<String>,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    since: u16,
    #[serde(default)]
    ordered: bool,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "said for the reader: a line that is not there has it"
    )]
    default: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BulkText {
    mode: Spanned<String>,
    forms: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SideText {
    mode: Spanned<String>,
    form: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeText {
    level: u16,
    why: String,
    #[serde(default)]
    old: Vec<SideText>,
    #[serde(default)]
    new: Vec<SideText>,
    #[serde(default)]
    key: Vec<String>,
    #[serde(default)]
    ordered: bool,
    #[serde(default)]
    map: ValueMaps,
    #[serde(default)]
    implied: BTreeMap<String, String>,
    #[serde(default)]
    alone: Alone,
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "said for the reader: a line that is not there has it"
    )]
    default: BTreeMap<String, toml::Value>,
    form: Option<Spanned<toml::Value>>,
    default_line: Option<Spanned<toml::Value>>,
    loses: Option<Spanned<Vec<String>>>,
    rust: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DontCareText {
    mode: Spanned<String>,
    form: Spanned<String>,
    facing: Option<String>,
    reason: String,
}

/// One file while it is read.
struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn origin(&self, at: usize) -> Origin {
        let before = &self.text[..at.min(self.text.len())];
        Origin {
            file: self.name.to_owned(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before.rsplit('\n').next().unwrap_or("").chars().count(),
        }
    }

    fn error(&self, span: Range<usize>, problem: Problem) -> FamilyError {
        let start = span.start.min(self.text.len());
        let end = span.end.clamp(start, self.text.len());
        let Origin { file, line, column } = self.origin(start);
        let words = self.text[start..end]
            .lines()
            .next()
            .unwrap_or("")
            .trim()
            .to_owned();
        FamilyError {
            file,
            line,
            column,
            words,
            problem,
        }
    }

    /// Reads a form that stands in a literal string.
    fn form(&self, text: &Spanned<String>, errors: &mut Vec<FamilyError>) -> Option<Form> {
        let span = text.span();
        if !self.text[span.clone()].starts_with('\'') {
            errors.push(self.error(span, Problem::NotLiteral));
            return None;
        }
        let offset = span.start + 1;
        self.form_at(text.get_ref(), offset, errors)
    }

    fn form_at(&self, text: &str, offset: usize, errors: &mut Vec<FamilyError>) -> Option<Form> {
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

impl Family {
    /// Reads a family's files: (name, text) of `family.toml` and of one file per component.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Vec<FamilyError>> {
        let mut errors = Vec::new();
        let table = files.iter().find(|(name, _)| *name == "family.toml");
        let Some((name, text)) = table else {
            let source = Source {
                name: "family.toml",
                text: "",
            };
            return Err(alloc::vec![source.error(0..0, Problem::NoTable)]);
        };
        let source = Source { name, text };
        let table: TableText = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            alloc::vec![source.error(span, Problem::Toml(error.message().to_string()))]
        })?;
        let mut family = Self::of_table(table, &source, &mut errors);
        let mut read = Vec::new();
        for (name, text) in files.iter().filter(|(name, _)| *name != "family.toml") {
            let source = Source { name, text };
            match toml::from_str::<ComponentText>(text) {
                Ok(component) => read.push((source, component)),
                Err(error) => {
                    let span = error.span().unwrap_or(0..0);
                    errors.push(source.error(span, Problem::Toml(error.message().to_string())));
                }
            }
        }
        for (source, component) in &read {
            family.commands_of(source, component, &mut errors);
        }
        family.changes_of(&read, &mut errors);
        family.check_names(&read, &mut errors);
        if errors.is_empty() {
            let names: Vec<String> = family.releases().map(ToOwned::to_owned).collect();
            for release in names {
                if let Err(error) =
                    Image::of(family.declarations(&release).expect("its own release"))
                {
                    errors.push(source.error(0..0, Problem::Image { release, error }));
                }
            }
        }
        if errors.is_empty() {
            Ok(family)
        } else {
            Err(errors)
        }
    }

    fn of_table(table: TableText, source: &Source<'_>, errors: &mut Vec<FamilyError>) -> Self {
        let mut components = table.components;
        for name in table
            .release
            .iter()
            .flat_map(|release| release.levels.keys())
        {
            if !components.contains(name) {
                components.push(name.clone());
            }
        }
        let mut releases = Vec::new();
        for release in table.release {
            let levels = components
                .iter()
                .map(|name| release.levels.get(name).copied())
                .collect::<Option<Vec<_>>>();
            match levels {
                Some(levels) => releases.push((release.name, levels)),
                None => {
                    let what = Problem::Unknown {
                        what: "level of every component",
                        name: release.name,
                    };
                    errors.push(source.error(0..0, what));
                }
            }
        }
        Self {
            name: table.family,
            components,
            releases,
            modes: Vec::new(),
            commands: Vec::new(),
            changes: Vec::new(),
            dont_cares: Vec::new(),
            commands_at: Vec::new(),
            changes_at: Vec::new(),
        }
    }

    fn declare(&mut self, command: Command, at: Origin) {
        self.commands.push(command);
        self.commands_at.push(at);
    }

    fn number(&self, component: &str) -> Option<u16> {
        self.components
            .iter()
            .position(|name| name == component)
            .map(|at| at as u16)
    }

    fn commands_of(
        &mut self,
        source: &Source<'_>,
        text: &ComponentText,
        errors: &mut Vec<FamilyError>,
    ) {
        let Some(component) = self.number(&text.component) else {
            let name = text.component.clone();
            errors.push(source.error(
                0..0,
                Problem::Unknown {
                    what: "component in family.toml",
                    name,
                },
            ));
            return;
        };
        let plain = |mode: &str, form: &str, since: u16, key: Vec<String>, ordered: bool| Command {
            mode: mode.to_owned(),
            form: form.to_owned(),
            component,
            since,
            until: None,
            key: Key::Captures(key),
            ordered,
            enters: None,
        };
        for mode in &text.mode {
            if source.form(&mode.enter, errors).is_some() {
                let parent = mode.parent.get_ref();
                let mut command =
                    plain(parent, mode.enter.get_ref(), mode.since, Vec::new(), false);
                command.key = Key::Line;
                command.enters = Some(mode.name.clone());
                self.declare(command, source.origin(mode.enter.span().start + 1));
            }
            let declared = Mode {
                name: mode.name.clone(),
                parent: Some(mode.parent.get_ref().clone()),
            };
            self.modes.push((declared, component, mode.since));
        }
        for command in &text.command {
            if source.form(&command.form, errors).is_some() {
                let CommandText {
                    mode,
                    form,
                    key,
                    since,
                    ordered,
                    ..
                } = command;
                let at = source.origin(form.span().start + 1);
                let form = form.get_ref();
                let command = plain(mode.get_ref(), form, *since, key.clone(), *ordered);
                self.declare(command, at);
            }
        }
        for bulk in &text.commands {
            let span = bulk.forms.span();
            let raw = &source.text[span.clone()];
            let mut offset = span.start;
            for line in raw.split_inclusive('\n') {
                let form = line.trim().trim_matches('\'').trim();
                if !form.is_empty() {
                    let at = offset + line.find(form).unwrap_or(0);
                    if source.form_at(form, at, errors).is_some() {
                        let command = plain(bulk.mode.get_ref(), form, 0, Vec::new(), false);
                        self.declare(command, source.origin(at));
                    }
                }
                offset += line.len();
            }
        }
        for dont_care in &text.dont_care {
            if source.form(&dont_care.form, errors).is_some() {
                let facing = dont_care
                    .facing
                    .as_deref()
                    .and_then(|text| text.strip_prefix("below "));
                self.dont_cares.push(DontCare {
                    component,
                    mode: dont_care.mode.get_ref().clone(),
                    form: dont_care.form.get_ref().clone(),
                    facing_below: facing.and_then(|level| level.trim().parse().ok()),
                    reason: dont_care.reason.clone(),
                });
            }
        }
    }

    /// The changes of all components, in the family's one order.
    fn changes_of(&mut self, read: &[(Source<'_>, ComponentText)], errors: &mut Vec<FamilyError>) {
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

    fn change_of(
        &mut self,
        source: &Source<'_>,
        component: u16,
        text: &ChangeText,
        errors: &mut Vec<FamilyError>,
    ) {
        let unsupported = [
            (text.form.as_ref().map(Spanned::span), "form"),
            (
                text.default_line.as_ref().map(Spanned::span),
                "default_line",
            ),
            (text.loses.as_ref().map(Spanned::span), "loses"),
            (text.rust.as_ref().map(Spanned::span), "rust"),
        ];
        for (span, word) in unsupported {
            if let Some(span) = span {
                errors.push(source.error(span, Problem::Unsupported(word)));
            }
        }
        let mut enters = None;
        let mut change = Change {
            component,
            level: text.level,
            why: text.why.clone(),
            old: Vec::new(),
            new: Vec::new(),
            map: text.map.clone(),
            implied: text.implied.clone(),
            alone: text.alone,
        };
        for side in &text.old {
            let Some(form) = self.side_form(source, side, errors) else {
                continue;
            };
            let lives = |command: &&mut Command| {
                command.component == component
                    && command.mode == *side.mode.get_ref()
                    && command.since < text.level
                    && command.until.is_none()
                    && Form::parse(&command.form).is_ok_and(|other| other == form)
            };
            if let Some(command) = self.commands.iter_mut().find(lives) {
                command.until = Some(text.level);
                enters = enters.or_else(|| command.enters.clone());
            } else {
                let problem = Problem::NoSuchForm {
                    component: self.components[usize::from(component)].clone(),
                    level: text.level.saturating_sub(1),
                    nearest: self.nearest(side.mode.get_ref(), form.normal()),
                };
                errors.push(source.error(side.form.span(), problem));
            }
            change.old.push(Side {
                mode: side.mode.get_ref().clone(),
                form: side.form.get_ref().clone(),
            });
        }
        for side in &text.new {
            if self.side_form(source, side, errors).is_none() {
                continue;
            }
            let key = if enters.is_some() {
                Key::Line
            } else {
                Key::Captures(text.key.clone())
            };
            let command = Command {
                mode: side.mode.get_ref().clone(),
                form: side.form.get_ref().clone(),
                component,
                since: text.level,
                until: None,
                key,
                ordered: text.ordered,
                enters: enters.clone(),
            };
            self.declare(command, source.origin(side.form.span().start + 1));
            change.new.push(Side {
                mode: side.mode.get_ref().clone(),
                form: side.form.get_ref().clone(),
            });
        }
        let first = text.new.iter().chain(&text.old).next();
        let at = first.map_or(0, |side| side.form.span().start + 1);
        self.changes.push(change);
        self.changes_at.push(source.origin(at));
    }

    fn side_form(
        &self,
        source: &Source<'_>,
        side: &SideText,
        errors: &mut Vec<FamilyError>,
    ) -> Option<Form> {
        let form = source.form(&side.form, errors)?;
        for leaf in form.unnamed() {
            let at = side.form.get_ref().find(&*leaf.text).unwrap_or(0);
            let start = side.form.span().start + 1 + at;
            let problem = Problem::Unnamed {
                token: leaf.text.to_string(),
            };
            errors.push(source.error(start..start + leaf.text.len(), problem));
        }
        Some(form)
    }

    /// The form of `mode` that shares the most words with `normal`.
    fn nearest(&self, mode: &str, normal: &str) -> String {
        let shared = |command: &&Command| {
            let words: Vec<&str> = command.form.split(' ').collect();
            normal
                .split(' ')
                .filter(|word| words.contains(word))
                .count()
        };
        let near = self
            .commands
            .iter()
            .filter(|command| command.mode == mode)
            .max_by_key(shared);
        near.map_or_else(
            || "none in this mode".to_owned(),
            |command| command.form.clone(),
        )
    }

    fn check_names(&self, read: &[(Source<'_>, ComponentText)], errors: &mut Vec<FamilyError>) {
        let known =
            |name: &str| name == ROOT || self.modes.iter().any(|(mode, _, _)| mode.name == name);
        for (source, text) in read {
            let modes = (text.mode.iter().map(|mode| &mode.parent))
                .chain(text.command.iter().map(|command| &command.mode))
                .chain(text.commands.iter().map(|bulk| &bulk.mode))
                .chain(text.dont_care.iter().map(|dont_care| &dont_care.mode))
                .chain(
                    text.change
                        .iter()
                        .flat_map(|c| c.old.iter().chain(&c.new).map(|side| &side.mode)),
                );
            for mode in modes.filter(|mode| !known(mode.get_ref())) {
                let problem = Problem::Unknown {
                    what: "mode",
                    name: mode.get_ref().clone(),
                };
                errors.push(source.error(mode.span(), problem));
            }
        }
    }

    /// The family's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The releases, oldest first.
    pub fn releases(&self) -> impl Iterator<Item = &str> {
        self.releases.iter().map(|(name, _)| name.as_str())
    }

    /// All commands of all levels, each with the place where it was declared.
    pub fn commands(&self) -> impl Iterator<Item = (&Command, &Origin)> {
        self.commands.iter().zip(&self.commands_at)
    }

    /// All changes in the family's one order, each with the place where it was declared.
    pub fn changes(&self) -> impl Iterator<Item = (&Change, &Origin)> {
        self.changes.iter().zip(&self.changes_at)
    }

    /// The component of this number.
    ///
    /// # Panics
    /// When there is none.
    pub fn component(&self, number: u16) -> &str {
        &self.components[usize::from(number)]
    }

    /// The level of a component in each release, oldest first.
    pub fn levels_of(&self, component: u16) -> impl Iterator<Item = u16> {
        let at = usize::from(component);
        self.releases.iter().map(move |(_, levels)| levels[at])
    }

    /// What an image of `release` declares: a release cannot know later ones.
    pub fn declarations(&self, release: &str) -> Option<Declarations> {
        let (_, levels) = self.releases.iter().find(|(name, _)| name == release)?;
        let at = |component: u16| levels[usize::from(component)];
        let components = self.components.iter().zip(levels);
        let commands = self
            .commands
            .iter()
            .filter(|command| command.since <= at(command.component));
        let root = Mode {
            name: ROOT.to_owned(),
            parent: None,
        };
        let modes = self
            .modes
            .iter()
            .filter(|(_, component, since)| *since <= at(*component));
        Some(Declarations {
            family: self.name.clone(),
            release: release.to_owned(),
            imported: false,
            components: components
                .map(|(name, level)| Component {
                    name: name.clone(),
                    level: *level,
                })
                .collect(),
            modes: core::iter::once(root)
                .chain(modes.map(|(mode, _, _)| mode.clone()))
                .collect(),
            commands: commands
                .map(|command| {
                    let until = command
                        .until
                        .filter(|until| *until <= at(command.component));
                    Command {
                        until,
                        ..command.clone()
                    }
                })
                .collect(),
            changes: self
                .changes
                .iter()
                .filter(|c| c.level <= at(c.component))
                .cloned()
                .collect(),
            dont_cares: self.dont_cares.clone(),
        })
    }

    /// The image of `release`.
    pub fn image(&self, release: &str) -> Option<Image> {
        // What makes no image was refused when the family was read.
        self.declarations(release)
            .and_then(|declarations| Image::of(declarations).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(component: &str) -> Vec<String> {
        let table = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 2 }\n";
        let read = Family::parse(&[("family.toml", table), ("a.toml", component)]);
        read.unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_errors_are_listed_with_their_place() {
        let text = "component = 'a'\n[[command]]\nmode = 'config'\nform = 'x [y'\n\
                    [[command]]\nmode = 'nowhere'\nform = \"z\"\n";
        assert_eq!(
            errors(text),
            [
                "a.toml:4:11: the bracket that opens here is never closed: `]` is missing: `[`",
                "a.toml:7:8: a form stands in a literal string: write '..': `\"z\"`",
                "a.toml:6:8: `nowhere` is declared nowhere as a mode: `'nowhere'`",
            ]
        );
    }

    #[test]
    fn an_old_side_that_does_not_live_names_the_nearest() {
        let text = "component = 'a'\n[[command]]\nmode = 'config'\nform = 'ntp server A.B.C.D$s'\n\
                    [[change]]\nlevel = 2\nwhy = 'w'\nold = [{ mode = 'config', form = 'ntp servers A.B.C.D$s' }]\n";
        let [error] = &errors(text)[..] else {
            panic!("one error")
        };
        assert!(
            error.contains("no such form at a 1; nearest: ntp server A.B.C.D$s"),
            "{error}"
        );
    }
}
