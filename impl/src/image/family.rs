//! A family as it is written: one TOML file per component, one table of releases; its projection
//! at a release. Errors name file, line, column and words, all of them at once.

mod aliases;
mod changes;
mod problem;
mod refuses;
mod rules;
mod text;

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{
    AliasDecl, Change, CommandDecl, Component, Declarations, DontCare, Functions, Image,
    ImageError, Key, Mode, NoMeans, ROOT, RefuseDecl,
};
use text::{BulkText, CommandText, ComponentText, DontCareText, ModeText, Source, TableText};

pub use problem::{FamilyError, Origin, Problem};
pub(super) use rules::LineRule;

/// The history of a system's commands.
#[derive(Clone, Debug)]
pub struct Family {
    name: String,
    /// The profiles that it has: defaults differ by them.
    profiles: Vec<String>,
    /// The one of them that is read.
    profile: Option<String>,
    components: Vec<String>,
    releases: Vec<(String, Vec<u16>)>,
    modes: Vec<(Mode, u16, u16)>,
    commands: Vec<CommandDecl>,
    changes: Vec<Change>,
    dont_cares: Vec<(DontCare, Origin)>,
    /// Each with the place where it was declared.
    aliases: Vec<(AliasDecl, Origin)>,
    /// Each with the place where it was declared.
    refuses: Vec<(RefuseDecl, Origin)>,
    /// What it says of imported forms, as an overlay.
    rules: Vec<LineRule>,
    /// Where each command was declared.
    commands_at: Vec<Origin>,
    /// Where each change was declared.
    changes_at: Vec<Origin>,
    /// The functions that its changes may name.
    functions: Functions,
}

impl Family {
    /// Reads a family's files: (name, text) of `family.toml` and of one file per component.
    ///
    /// # Errors
    /// All that is wrong, in the order of the files.
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, Vec<FamilyError>> {
        match Self::read(files) {
            (Some(family), errors) if errors.is_empty() => Ok(family),
            (_, errors) => Err(errors),
        }
    }

    /// Reads what can be read of a family's files, and all that is wrong with the rest: a command
    /// or a change with an error is left out. None: there is no table of releases.
    pub fn read(files: &[(&str, &str)]) -> (Option<Self>, Vec<FamilyError>) {
        Self::read_profile(files, None)
    }

    /// The same, of the family in this profile; none: the first that it has.
    pub fn read_profile(
        files: &[(&str, &str)],
        profile: Option<&str>,
    ) -> (Option<Self>, Vec<FamilyError>) {
        Self::read_with(files, profile, Functions::built_in())
    }

    /// The same in a program that has these functions.
    pub fn read_with(
        files: &[(&str, &str)],
        profile: Option<&str>,
        functions: Functions,
    ) -> (Option<Self>, Vec<FamilyError>) {
        let mut errors = Vec::new();
        let table = files.iter().find(|(name, _)| *name == "family.toml");
        let Some((name, text)) = table else {
            let source = Source { name: "family.toml", text: "" };
            return (None, alloc::vec![source.error(0..0, Problem::NoTable)]);
        };
        let source = Source { name, text };
        let table: TableText = match toml::from_str(text) {
            Ok(table) => table,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let problem = Problem::Toml(error.message().to_string());
                return (None, alloc::vec![source.error(span, problem)]);
            }
        };
        let profiles = table.profiles.clone();
        let mut family = Self::of_table(table, &source, &mut errors);
        family.functions = functions;
        if let Some(wanted) = profile.filter(|wanted| !profiles.iter().any(|name| name == wanted)) {
            let what = if profiles.is_empty() { "profile: there are none" } else { "profile" };
            let problem = Problem::Unknown { what, name: wanted.to_owned() };
            errors.push(source.error(0..0, problem));
        }
        family.profile = profile.map(ToOwned::to_owned).or_else(|| profiles.first().cloned());
        family.profiles = profiles;
        let mut read = Vec::new();
        for (name, text) in files.iter().filter(|(name, _)| *name != "family.toml") {
            let source = Source { name, text };
            match toml::from_str::<ComponentText>(text) {
                Ok(component) => {
                    if family.is_of_profile(&source, &component, &mut errors) {
                        read.push((source, component));
                    }
                }
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
        family.aliases_of(&read, &mut errors);
        family.refuses_of(&read, &mut errors);
        family.check_names(&read, &mut errors);
        if errors.is_empty() {
            let names: Vec<String> = family.releases().map(ToOwned::to_owned).collect();
            for release in names {
                let declarations = family.declarations(&release).expect("its own release");
                if let Err(error) = Image::compile_with(declarations, &family.functions) {
                    errors.push(source.error(0..0, Problem::Image { release, error }));
                }
            }
        }
        (Some(family), errors)
    }

    fn of_table(table: TableText, source: &Source<'_>, errors: &mut Vec<FamilyError>) -> Self {
        let mut components = table.components;
        for name in table.release.iter().flat_map(|release| release.levels.keys()) {
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
                    let what =
                        Problem::Unknown { what: "level of every component", name: release.name };
                    errors.push(source.error(0..0, what));
                }
            }
        }
        Self {
            name: table.family,
            profiles: Vec::new(),
            profile: None,
            components,
            releases,
            modes: Vec::new(),
            commands: Vec::new(),
            changes: Vec::new(),
            dont_cares: Vec::new(),
            aliases: Vec::new(),
            refuses: Vec::new(),
            rules: Vec::new(),
            commands_at: Vec::new(),
            changes_at: Vec::new(),
            functions: Functions::built_in(),
        }
    }

    fn declare(&mut self, command: CommandDecl, at: Origin) {
        self.commands.push(command);
        self.commands_at.push(at);
    }

    fn number(&self, component: &str) -> Option<u16> {
        self.components.iter().position(|name| name == component).map(|at| at as u16)
    }

    fn commands_of(
        &mut self,
        source: &Source<'_>,
        text: &ComponentText,
        errors: &mut Vec<FamilyError>,
    ) {
        let Some(component) = self.number(&text.component) else {
            let name = text.component.clone();
            errors.push(
                source.error(0..0, Problem::Unknown { what: "component in family.toml", name }),
            );
            return;
        };
        for mode in &text.mode {
            self.mode_of(source, component, mode, errors);
        }
        for command in &text.command {
            self.command_of(source, component, command, errors);
        }
        for bulk in &text.commands {
            self.forms_of(source, component, bulk, errors);
        }
        for text in &text.dont_care {
            let facing_below = match &text.facing {
                None => None,
                Some(facing) => {
                    let level = facing.get_ref().strip_prefix("below ");
                    let level = level.and_then(|level| level.trim().parse().ok());
                    if level.is_none() {
                        errors.push(source.error(facing.span(), Problem::Facing));
                        continue;
                    }
                    level
                }
            };
            if source.form(&text.form, errors).is_some() {
                let at = source.origin(text.form.span().start + 1);
                self.dont_cares.push((dont_care(component, text, facing_below), at));
            }
        }
        for lines in &text.lines {
            self.rules_of(source, lines, errors);
        }
    }

    /// A mode, and the command that enters it.
    fn mode_of(
        &mut self,
        source: &Source<'_>,
        component: u16,
        text: &ModeText,
        errors: &mut Vec<FamilyError>,
    ) {
        let parent = text.parent.get_ref();
        if let Some(form) = source.form(&text.enter, errors) {
            // An instance is its whole entry line: what is named is for the reader.
            source.key(&text.key, &[&form], errors);
            let command = CommandDecl {
                since: text.since,
                key: Key::Line,
                enters: Some(text.name.clone()),
                ..plain_command(component, parent, text.enter.get_ref())
            };
            self.declare(command, source.origin(text.enter.span().start + 1));
        }
        let mode = Mode { name: text.name.clone(), parent: Some(parent.clone()) };
        self.modes.push((mode, component, text.since));
    }

    /// A command with all that can be said of one.
    fn command_of(
        &mut self,
        source: &Source<'_>,
        component: u16,
        text: &CommandText,
        errors: &mut Vec<FamilyError>,
    ) {
        let Some(read) = source.form(&text.form, errors) else {
            return;
        };
        let CommandText {
            mode,
            form,
            key,
            since,
            ordered,
            list,
            revision,
            default,
            no,
            factory,
            set,
        } = text;
        let key = source.key(key, &[&read], errors);
        let list = source.list(list.as_ref(), &key, errors);
        let key = Key::Captures(key);
        let factory = source.factory(factory, &[(&read, &key)], errors).concat();
        source.set(set, &[&read], errors);
        let default = default.as_ref();
        let default = default.and_then(|text| source.default(text, &[(&read, &key)], errors));
        let command = CommandDecl {
            since: *since,
            key,
            ordered: *ordered,
            list,
            revision: *revision,
            default,
            no: source.no(no.as_ref(), &read, errors),
            factory,
            set: set.iter().map(|name| name.get_ref().clone()).collect(),
            ..plain_command(component, mode.get_ref(), form.get_ref())
        };
        self.declare(command, source.origin(form.span().start + 1));
    }

    /// Commands of which nothing but the form is said, one a line.
    fn forms_of(
        &mut self,
        source: &Source<'_>,
        component: u16,
        text: &BulkText,
        errors: &mut Vec<FamilyError>,
    ) {
        let span = text.forms.span();
        let mut offset = span.start;
        for line in source.text[span].split_inclusive('\n') {
            let form = line.trim().trim_matches('\'').trim();
            if !form.is_empty() {
                let at = offset + line.find(form).unwrap_or(0);
                if source.form_at(form, at, errors).is_some() {
                    let command = plain_command(component, text.mode.get_ref(), form);
                    self.declare(command, source.origin(at));
                }
            }
            offset += line.len();
        }
    }

    fn check_names(&self, read: &[(Source<'_>, ComponentText)], errors: &mut Vec<FamilyError>) {
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
            for mode in modes.filter(|mode| !self.has_mode(mode.get_ref())) {
                let problem = Problem::Unknown { what: "mode", name: mode.get_ref().clone() };
                errors.push(source.error(mode.span(), problem));
            }
        }
    }

    /// The functions that its changes may name.
    pub(super) const fn functions(&self) -> &Functions {
        &self.functions
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
    pub fn commands(&self) -> impl Iterator<Item = (&CommandDecl, &Origin)> {
        self.commands.iter().zip(&self.commands_at)
    }

    /// All changes in the family's one order, each with the place where it was declared.
    pub fn changes(&self) -> impl Iterator<Item = (&Change, &Origin)> {
        self.changes.iter().zip(&self.changes_at)
    }

    /// All don't-care entries, each with the place where it was declared.
    pub(super) fn dont_cares(&self) -> impl Iterator<Item = (&DontCare, &Origin)> {
        self.dont_cares.iter().map(|(entry, at)| (entry, at))
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
        Some(self.declarations_at(release, levels))
    }

    /// What an image of these levels, one for each component, declares.
    fn declarations_at(&self, release: &str, levels: &[u16]) -> Declarations {
        let at = |component: u16| levels[usize::from(component)];
        let components = self.components.iter().zip(levels);
        let commands =
            self.commands.iter().filter(|command| command.since <= at(command.component));
        let root = Mode { name: ROOT.to_owned(), parent: None };
        let modes = self.modes.iter().filter(|(_, component, since)| *since <= at(*component));
        Declarations {
            family: self.name.clone(),
            release: release.to_owned(),
            imported: false,
            components: components
                .map(|(name, level)| Component { name: name.clone(), level: *level })
                .collect(),
            modes: core::iter::once(root).chain(modes.map(|(mode, _, _)| mode.clone())).collect(),
            commands: commands
                .map(|command| {
                    let until = command.until.filter(|until| *until <= at(command.component));
                    CommandDecl { until, ..command.clone() }
                })
                .collect(),
            changes: self.changes.iter().filter(|c| c.level <= at(c.component)).cloned().collect(),
            dont_cares: self.dont_cares().map(|(entry, _)| entry.clone()).collect(),
            aliases: self.aliases_at(at),
            refuses: self.refuses_at(at),
        }
    }

    /// The image of `release`.
    pub fn image(&self, release: &str) -> Option<Image> {
        // What makes no image was refused when the family was read.
        let declarations = self.declarations(release)?;
        Image::compile_with(declarations, &self.functions).ok()
    }

    /// The image of `release`, but with a component at another level: what a way through that level
    /// may pass. None: there is no such release.
    ///
    /// # Errors
    /// What makes no image so.
    pub fn image_at(
        &self,
        release: &str,
        component: u16,
        at: u16,
    ) -> Option<Result<Image, ImageError>> {
        let (release, levels) = self.releases.iter().find(|(name, _)| name == release)?;
        let mut levels = levels.clone();
        levels[usize::from(component)] = at;
        let declarations = self.declarations_at(release, &levels);
        Some(Image::compile_with(declarations, &self.functions))
    }
}

/// A command of which nothing but its form is said.
fn plain_command(component: u16, mode: &str, form: &str) -> CommandDecl {
    CommandDecl {
        mode: mode.to_owned(),
        form: form.to_owned(),
        component,
        since: 0,
        until: None,
        key: Key::Captures(Vec::new()),
        ordered: false,
        list: None,
        enters: None,
        revision: 0,
        default: None,
        no: NoMeans::Undo,
        factory: Vec::new(),
        set: Vec::new(),
        pattern: None,
    }
}

fn dont_care(component: u16, text: &DontCareText, facing_below: Option<u16>) -> DontCare {
    DontCare {
        component,
        mode: text.mode.get_ref().clone(),
        form: text.form.get_ref().clone(),
        facing_below,
        reason: text.reason.clone(),
        never: text.never,
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
    fn a_facing_that_is_no_level_is_an_error() {
        let dont_care = |facing: &str| {
            alloc::format!(
                "component = 'a'\n[[command]]\nmode = 'config'\nform = 'x'\n[[dont_care]]\n\
                 mode = 'config'\nform = 'x'\nreason = 'r'\nfacing = '{facing}'\n"
            )
        };
        for facing in ["under 2", "below", "below x", "2"] {
            let found = errors(&dont_care(facing));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with("a.toml:9:10: write `facing"), "{found:?}");
        }
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
    fn a_key_that_is_no_capture_is_refused_where_it_stands_each_in_one_wave() {
        let text = "component = 'a'\n[[mode]]\nname = 'm'\nparent = 'config'\nenter = 'm \
                    WORD$name'\nkey = ['nam']\n[[command]]\nmode = 'm'\nform = 'x \
                    WORD$a'\nkey = ['a', 'b']\n[[command]]\nmode = 'm'\nform = 'y \
                    ^TEXT$t^'\nkey = ['t']\n[[change]]\nlevel = 2\nwhy = 'w'\nold = [{ mode \
                    = 'm', form = 'x WORD$a' }]\nnew = [{ mode = 'm', form = 'z WORD$a' }]\nkey \
                    = ['c']\n";
        let found = errors(text);
        let at = |line: &str| found.iter().any(|error| error.starts_with(line));
        assert!(at("a.toml:6:8: `nam` is declared nowhere as a capture"), "{found:#?}");
        assert!(at("a.toml:10:13: `b` is declared nowhere as a capture"), "{found:#?}");
        assert!(at("a.toml:20:8: `c` is declared nowhere as a capture"), "{found:#?}");
        assert_eq!(found.len(), 4, "{found:#?}");
    }

    #[test]
    fn an_old_side_that_does_not_live_names_the_nearest() {
        let text = "component = 'a'\n[[command]]\nmode = 'config'\nform = 'ntp server A.B.C.D$s'\n\
                    [[change]]\nlevel = 2\nwhy = 'w'\nold = [{ mode = 'config', form = 'ntp \
                    servers A.B.C.D$s' }]\n";
        let [error] = &errors(text)[..] else { panic!("one error") };
        assert!(error.contains("no such form at a 1; nearest: ntp server A.B.C.D$s"), "{error}");
    }

    #[test]
    fn a_default_that_is_none_of_its_form_is_refused_where_it_stands() {
        let command = |form: &str, default: &str| {
            alloc::format!(
                "component = 'a'\n[[command]]\nmode = 'config'\nform = '{form}'\ndefault = \
                 {default}\n"
            )
        };
        for (form, default, says) in [
            ("[no] x (1-9)$n", "{ m = 3 }", "a default for `m`, which is no capture"),
            ("[no] x (1-9)$n", "{ n = 30 }", "does not take `30` as `n`: (1-9)"),
            ("[no] x (1-9)$n", "{}", "`n` is no key of it: give its value"),
            ("[no] x [y]", "{}", "optional words or alternatives"),
            ("x", "{}", "has no `no` to say otherwise"),
        ] {
            let errors = errors(&command(form, default));
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].starts_with("a.toml:5:11: "), "{errors:?}");
            assert!(errors[0].contains(says), "{errors:?}");
        }
    }
}
