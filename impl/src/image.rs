//! Families and images: components, levels, modes, commands, don't-cares and changes as
//! declarations. What they do to lines is the business of `transform`.

pub mod bundled;
mod default;
mod factory;
mod family;
mod file;
mod function;
mod import;
mod kind;
mod list;
mod overlay;
mod refuse;
mod scale;
mod set;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::digest::ImageDigest;

use crate::grammar::{Form, FormError, LeafId, Matcher, Negation, Sign, Words};
use crate::ids::{ComponentId, FormId, Level, ModeId};

pub use default::{DefaultDecl, DefaultError, DefaultValues};
pub use factory::FactoryError;
pub use family::{Family, FamilyError, Origin, Problem};
pub use file::{IMAGE_BYTES_MAX, ImageFileError};
pub use function::{
    Captures, Function, FunctionCause, FunctionGroup, FunctionKeys, FunctionLine, FunctionName,
    Functions, Sample, Translate, TranslateKey,
};
pub use import::{Given, ImportedForm, ImportedMode, Rejected, import};
pub use kind::ChangeKind;
pub use list::{List, ListName};
pub use overlay::{Overlaid, OverlayError, Unsaid, import_over};
pub use refuse::{LinePattern, Refusal, RefuseDecl, RefusedLines};
pub use scale::{Scale, ScaleError};

/// The name of the root mode.
pub const ROOT: &str = "config";

/// One command of a side of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The mode's name.
    pub mode: String,
    /// The form, as declared.
    pub form: String,
    /// Whether the line says here what its `no` says on the other side.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub not: bool,
    /// A group may be without the line. Its presence is the flag of this name, if that is not
    /// empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optional: Option<String>,
    /// The capture that tells several lines of one group: of the key, a line for each word; of the
    /// entry of the mode, a copy in each instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
}

/// One of the sides of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OneSide {
    /// The forms below.
    Old,
    /// The forms from the level on.
    New,
}

/// Which captures tell one line of a form from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Key {
    /// These captures; none: the form has one line in a mode instance.
    Captures(Vec<String>),
    /// The whole line but a leading `no`, and but for a text: what is known of an imported form.
    Line,
}

/// What `no` of a line does.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum NoMeans {
    /// It takes the line away.
    #[default]
    Undo,
    /// It is a line itself, in the place of the other.
    State,
}

/// A command of an image, with the levels of its component at which it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDecl {
    /// The mode's name.
    pub mode: String,
    /// The form, as declared.
    pub form: String,
    /// Number of the component that owns it.
    pub component: u16,
    /// The first level at which it lives.
    pub since: u16,
    /// The first level at which it lives no more, within the image's history.
    pub until: Option<u16>,
    /// What identifies a line of it.
    pub key: Key,
    /// Its siblings keep entry order.
    pub ordered: bool,
    /// The list of this name keeps entry order; `$name` is the value of a key capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The name of the mode that a line of it enters.
    pub enters: Option<String>,
    /// The revision of what its words mean.
    #[serde(default, skip_serializing_if = "is_first")]
    pub revision: u16,
    /// What an absent line means; none: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultValues>,
    /// What `no` of a line does.
    #[serde(default, skip_serializing_if = "is_undo")]
    pub no: NoMeans,
    /// Lines that are there unless they are undone: for their keys absence says them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub factory: Vec<String>,
    /// Captures of several words whose order says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// Of an imported form: the pattern by which an overlay knows it. Lines of one mode instance
    /// whose forms have one pattern, and whose keys have one value, are one setting. What its
    /// absence means is still unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// A mode of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mode {
    /// The mode's name.
    pub name: String,
    /// The name of the mode it is entered from; none for the root.
    pub parent: Option<String>,
}

/// What may become of a group of which only a part is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alone {
    /// Nothing of it goes; its lines are listed.
    #[default]
    Stuck,
    /// Nothing of it goes, which is no fault: its lines are listed, and policy is not asked.
    Drop,
}

/// A value that is spelled otherwise on the other side: capture -> (old value -> new value).
pub type ValueMaps = BTreeMap<String, BTreeMap<String, String>>;

/// One step of one component's syntax, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Number of the component.
    pub component: u16,
    /// The level that it makes.
    pub level: u16,
    /// Why it was made.
    pub why: String,
    /// What stood at the level below.
    pub old: Vec<Side>,
    /// What stands at this level.
    pub new: Vec<Side>,
    /// Values that are spelled otherwise.
    pub map: ValueMaps,
    /// Captures whose numbers are in another unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scale: BTreeMap<String, Scale>,
    /// Captures of the old side whose one value is said by the new side's presence.
    pub implied: BTreeMap<String, String>,
    /// Captures of which some values have no counterpart, on purpose: these lines are stuck.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<String>,
    /// Captures that the other side cannot say, or of which it has one word for several; each with
    /// the value that is written on the way back where nothing was kept, empty for none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loses: BTreeMap<String, String>,
    /// What becomes of a part of a group, and of what has no other side.
    pub alone: Alone,
    /// The side of which one line stands for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one: Option<OneSide>,
    /// The functions that say how the lines of one side become those of the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rust: Option<FunctionName>,
}

/// A form that is read, and says what other forms say: no line of it is kept, sent or rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasDecl {
    /// The mode's name.
    pub mode: String,
    /// The form, as declared.
    pub form: String,
    /// Number of the component that owns it.
    pub component: u16,
    /// The first level at which it is read.
    pub since: u16,
    /// The first level at which it is read no more, within the image's history.
    pub until: Option<u16>,
    /// What it says: all of these.
    pub reads: Vec<Side>,
    /// What it does to a list of the lines that it says; none: it says them whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListEdit>,
}

/// What a line does to a list of the line that it says: of a line that is there, only the list
/// becomes another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListEdit {
    /// Its values of this capture come to the list; its `no` takes them away.
    Adds(String),
    /// Its values of this capture go from the list; its `no` adds them.
    Takes(String),
}

impl ListEdit {
    /// The capture.
    pub fn capture(&self) -> &str {
        match self {
            Self::Adds(name) | Self::Takes(name) => name,
        }
    }
}

/// A form that need not be synchronised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DontCare {
    /// Number of the component.
    pub component: u16,
    /// The mode's name.
    pub mode: String,
    /// The form, as declared.
    pub form: String,
    /// Only facing a component below this level.
    pub facing_below: Option<u16>,
    /// Why the form need not be synchronised.
    pub reason: String,
    /// Whether no line of it is sent, though the peer may take it.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub never: bool,
}

/// A component of an image and its level there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The component's name.
    pub name: String,
    /// Its level.
    pub level: u16,
}

/// What an image declares: all that its digest covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declarations {
    /// The family's name.
    pub family: String,
    /// The release.
    pub release: String,
    /// Whether it was imported: a command set without history.
    pub imported: bool,
    /// The components in the order of the family's table.
    pub components: Vec<Component>,
    /// The modes; the root first.
    pub modes: Vec<Mode>,
    /// The commands of all levels up to the image's own.
    pub commands: Vec<CommandDecl>,
    /// The changes up to the image's own levels, in the family's one order.
    pub changes: Vec<Change>,
    /// What need not be synchronised.
    pub dont_cares: Vec<DontCare>,
    /// What is read as other commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<AliasDecl>,
    /// What is refused for what else is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuses: Vec<RefuseDecl>,
}

/// A command compiled.
#[derive(Clone, Debug)]
pub struct FormDecl {
    /// The mode it stands in.
    pub mode: ModeId,
    /// Its syntax.
    pub form: Form,
    /// The component that owns it.
    pub component: ComponentId,
    /// The first level at which it lives.
    pub since: Level,
    /// The first level at which it lives no more.
    pub until: Option<Level>,
    /// The leaves that identify a line; none: the whole line.
    pub key: Option<Vec<LeafId>>,
    /// The list that its lines stand in; none: their order means nothing.
    pub list: Option<List>,
    /// The mode that a line of it enters.
    pub enters: Option<ModeId>,
    /// The revision of what its words mean.
    pub revision: u16,
    /// What an absent line means.
    pub default: DefaultDecl,
    /// The line that an absent one says, where there is one of the form in an instance at most.
    pub absent: Option<Words>,
    /// What `no` of a line does.
    pub no: NoMeans,
    /// The lines that absence says for their keys.
    pub factory: Vec<Words>,
    /// The captures of several words whose order says nothing.
    pub set: Vec<Box<str>>,
    /// Of an imported form: the pattern by which an overlay knows it.
    pub pattern: Option<Box<str>>,
    /// Whether nothing is said of it but how it looks, or which words are its key.
    pub imported: bool,
}

/// An alias compiled.
#[derive(Clone, Debug)]
pub struct Alias {
    /// As of a command: what a line of it is, and where and when it is read.
    pub decl: FormDecl,
    /// What a line of it says, in order.
    pub reads: Vec<Reading>,
    /// What it does to a list of these; none: it says them whole.
    pub list: Option<ListEdit>,
}

/// One line that an alias says.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The mode it stands in.
    pub mode: ModeId,
    /// What is said, in the alias's words: a form, or a part of one.
    pub form: Form,
    /// Whether it says what the alias's `no` says.
    pub not: bool,
}

/// A family's projection at a release, compiled: what a unit loads.
///
/// ```
/// use skewsync::image::{Image, bundled};
///
/// let image = bundled::image("6.2").expect("a bundled release");
/// let again = Image::decode(image.encode().as_bytes())?;
/// assert_eq!((image.name().as_str(), image.digest()), ("meridian@6.2", again.digest()));
/// # Ok::<(), skewsync::image::ImageFileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Image {
    digest: ImageDigest,
    declarations: Declarations,
    forms: Vec<FormDecl>,
    aliases: Vec<Alias>,
    refusals: Vec<Refusal>,
    /// Of each pattern of an overlay in a mode: the forms that begin so and have keys.
    settings: BTreeMap<(ModeId, Box<str>), Vec<FormId>>,
    parents: Vec<Option<ModeId>>,
    levels: Vec<Level>,
    own: Grammar,
    /// The functions of the changes that have some, by the number of the change.
    functions: BTreeMap<usize, Function>,
}

/// The forms that live at one level per component, ready to be asked.
#[derive(Clone, Debug)]
pub struct Grammar {
    levels: Vec<Level>,
    modes: Vec<Arc<Matcher<FormId>>>,
}

/// Why declarations make no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A form cannot be read.
    #[error("mode {mode}: `{form}`: {error}")]
    Form {
        /// The mode's name.
        mode: String,
        /// The form.
        form: String,
        /// What is wrong with it.
        error: FormError,
    },
    /// A default is none of its form.
    #[error("mode {mode}: `{form}`: {error}")]
    Default {
        /// The mode's name.
        mode: String,
        /// The form.
        form: String,
        /// What is wrong with it.
        error: DefaultError,
    },
    /// A line is none that a factory sets.
    #[error("mode {mode}: `{form}`: {error}")]
    Factory {
        /// The mode's name.
        mode: String,
        /// The form.
        form: String,
        /// What is wrong with it.
        error: FactoryError,
    },
    /// A `no` is to be a line, and there is none.
    #[error("mode {mode}: `{form}`: `no = \"state\"` makes its `no` a line, and it has no `no`")]
    NoNo {
        /// The mode's name.
        mode: String,
        /// The form.
        form: String,
    },
    /// A text would tell lines or mode instances apart, and no line that negates has one.
    #[error("mode {mode}: `{form}`: a text is no key, and enters no mode")]
    TextKey {
        /// The mode's name.
        mode: String,
        /// The form.
        form: String,
    },
    /// A name that is declared nowhere.
    #[error("`{name}` is declared nowhere as a {what}")]
    Unknown {
        /// What it was to be.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A function that this program does not have, or not so.
    #[error(
        "`{}` of revision {} is no function of this program: {known}", name.name, name.revision
    )]
    Function {
        /// What the declarations name.
        name: FunctionName,
        /// What there is.
        known: String,
    },
    /// Too many of something.
    #[error("{count} {what} are beyond the bound of {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many the declarations have.
        count: usize,
        /// The bound.
        max: usize,
    },
}

/// The most forms of an image.
pub const FORMS_MAX: usize = 4_000_000;
/// The most modes of an image.
pub const MODES_MAX: usize = 4_096;

impl Image {
    /// Compiles declarations.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn compile(declarations: Declarations) -> Result<Self, ImageError> {
        Self::compile_with(declarations, &Functions::built_in())
    }

    /// The same in a program that has these functions.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn compile_with(
        mut declarations: Declarations,
        functions: &Functions,
    ) -> Result<Self, ImageError> {
        let bounds = [
            ("forms", declarations.commands.len(), FORMS_MAX),
            ("modes", declarations.modes.len(), MODES_MAX),
        ];
        for (what, count, max) in bounds {
            if count > max {
                return Err(ImageError::TooMany { what, count, max });
            }
        }
        let modes: BTreeMap<&str, ModeId> = declarations
            .modes
            .iter()
            .enumerate()
            .map(|(number, mode)| (mode.name.as_str(), ModeId(number as u16)))
            .collect();
        let mode_of = |name: &str| {
            let unknown = || ImageError::Unknown { what: "mode", name: name.to_owned() };
            modes.get(name).copied().ok_or_else(unknown)
        };
        let parents = declarations
            .modes
            .iter()
            .map(|mode| mode.parent.as_deref().map(&mode_of).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let mut made = Vec::with_capacity(declarations.commands.len());
        for command in &declarations.commands {
            made.push((compile(command, &mode_of)?, command.clone()));
        }
        // Canonical order: ids are the same wherever the image is loaded.
        made.sort_by(|(a, _), (b, _)| {
            (a.mode, a.form.normal(), a.component, a.since).cmp(&(
                b.mode,
                b.form.normal(),
                b.component,
                b.since,
            ))
        });
        let (forms, commands): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        declarations.commands = commands;
        let levels: Vec<Level> = declarations.components.iter().map(|c| Level(c.level)).collect();
        let aliases = declarations.aliases.iter().map(|alias| compile_alias(alias, &mode_of));
        let aliases = aliases.collect::<Result<Vec<_>, _>>()?;
        let refusals = declarations.refuses.iter();
        let refusals = refusals
            .map(|decl| Refusal::compile(decl, mode_of(&decl.mode)?, &forms))
            .collect::<Result<_, _>>()?;
        let decls = forms.iter().chain(aliases.iter().map(|alias| &alias.decl));
        let own = Grammar::new(decls, parents.len(), &levels, None);
        let mut settings: BTreeMap<(ModeId, Box<str>), Vec<FormId>> = BTreeMap::new();
        for (number, decl) in forms.iter().enumerate().filter(|(_, decl)| decl.key.is_some()) {
            if let Some(pattern) = &decl.pattern {
                let forms = settings.entry((decl.mode, pattern.clone())).or_default();
                forms.push(FormId(number as u32));
            }
        }
        let functions = function::of_changes(&declarations.changes, functions)?;
        let digest = file::digest(&declarations);
        Ok(Self {
            digest,
            declarations,
            forms,
            aliases,
            refusals,
            settings,
            parents,
            levels,
            own,
            functions,
        })
    }

    /// The functions of a change, by its number; none: it is declarations alone.
    pub fn function(&self, change: usize) -> Option<&Function> {
        self.functions.get(&change)
    }

    /// Its identity.
    pub const fn digest(&self) -> ImageDigest {
        self.digest
    }

    /// What it declares.
    pub const fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// `family@release`.
    pub fn name(&self) -> String {
        alloc::format!("{}@{}", self.declarations.family, self.declarations.release)
    }

    /// All forms of all levels up to its own, by id.
    pub fn forms(&self) -> impl Iterator<Item = (FormId, &FormDecl)> {
        self.forms.iter().enumerate().map(|(number, form)| (FormId(number as u32), form))
    }

    /// The forms that an overlay knows as the setting of this one, itself among them; none: it is
    /// alone.
    pub fn of_one_setting(&self, form: FormId) -> impl Iterator<Item = FormId> {
        let decl = self.form(form);
        let pattern = decl.pattern.clone().filter(|_| decl.key.is_some());
        let forms = pattern.and_then(|pattern| self.settings.get(&(decl.mode, pattern)));
        forms.into_iter().flatten().copied()
    }

    /// Whether an overlay stands over imported forms.
    pub fn is_over(&self) -> bool {
        !self.declarations.imported && self.forms.iter().any(|decl| decl.imported)
    }

    /// The form `id`, or the alias.
    ///
    /// # Panics
    /// When `id` is of another image.
    pub fn form(&self, id: FormId) -> &FormDecl {
        self.alias(id).map_or_else(|| &self.forms[id.0 as usize], |alias| &alias.decl)
    }

    /// What is read as lines of other forms, of all levels up to its own, by id: none of
    /// [`Image::forms`].
    pub fn aliases(&self) -> impl Iterator<Item = (FormId, &Alias)> {
        let from = self.forms.len();
        let aliases = self.aliases.iter().enumerate();
        aliases.map(move |(number, alias)| (FormId((from + number) as u32), alias))
    }

    /// The alias `id`; none: it is a form of its own.
    pub fn alias(&self, id: FormId) -> Option<&Alias> {
        self.aliases.get((id.0 as usize).checked_sub(self.forms.len())?)
    }

    /// What is refused at these levels for what else is there.
    pub fn refusals_at(&self, levels: &[Level]) -> impl Iterator<Item = &Refusal> {
        let holds = |of: &&Refusal| of.holds_at(levels[usize::from(of.component.0)]);
        self.refusals.iter().filter(holds)
    }

    /// The mode's name.
    pub fn mode_name(&self, mode: ModeId) -> &str {
        &self.declarations.modes[usize::from(mode.0)].name
    }

    /// The mode of that name.
    pub fn mode(&self, name: &str) -> Option<ModeId> {
        let at = self.declarations.modes.iter().position(|mode| mode.name == name);
        at.map(|number| ModeId(number as u16))
    }

    /// The mode from which `mode` is entered.
    pub fn parent(&self, mode: ModeId) -> Option<ModeId> {
        self.parents[usize::from(mode.0)]
    }

    /// The level at which the words of a component at `level`, which is none above its own, began:
    /// that of the last change up to there.
    pub fn words_began(&self, component: ComponentId, level: Level) -> Level {
        let changes = self.declarations.changes.iter();
        let levels = changes.filter(|change| change.component == component.0);
        let last = levels.map(|change| Level(change.level)).filter(|of| *of <= level).max();
        last.unwrap_or_else(|| level.min(Level(1)))
    }

    /// Its own level of each component.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The forms that live at its own levels.
    pub const fn own(&self) -> &Grammar {
        &self.own
    }

    /// The forms that live at `levels`, which are none above its own.
    ///
    /// # Panics
    /// When `levels` are of another family.
    pub fn grammar(&self, levels: &[Level]) -> Grammar {
        assert_eq!(levels.len(), self.levels.len(), "levels of another family");
        let decls = self.forms.iter().chain(self.aliases.iter().map(|alias| &alias.decl));
        Grammar::new(decls, self.parents.len(), levels, Some(&self.own))
    }

    /// The form with this normal form in this mode that lives at `level` of its component.
    pub fn find(&self, mode: ModeId, form: &Form, level: Level) -> Option<FormId> {
        self.found(mode, form, |decl| decl.lives_at(level))
    }

    /// The form with this normal form in this mode that lives at its own levels.
    pub fn living(&self, mode: ModeId, form: &Form) -> Option<FormId> {
        self.found(mode, form, |decl| decl.lives_at(self.levels[usize::from(decl.component.0)]))
    }

    /// A form of this normal form in this mode, of whatever level.
    pub fn of_normal(&self, mode: ModeId, normal: &str) -> Option<&Form> {
        let from = self.from(mode, normal);
        let first = self.forms.get(from)?;
        (first.mode == mode && first.form.normal() == normal).then_some(&first.form)
    }

    /// Where the forms of this normal form in this mode begin, or would.
    fn from(&self, mode: ModeId, normal: &str) -> usize {
        self.forms.partition_point(|decl| (decl.mode, decl.form.normal()) < (mode, normal))
    }

    fn found(
        &self,
        mode: ModeId,
        form: &Form,
        wanted: impl Fn(&FormDecl) -> bool,
    ) -> Option<FormId> {
        let from = self.from(mode, form.normal());
        self.forms[from..]
            .iter()
            .take_while(|decl| decl.mode == mode && decl.form == *form)
            .position(wanted)
            .map(|at| FormId((from + at) as u32))
    }
}

impl FormDecl {
    /// Whether it lives at `level` of its component.
    pub fn lives_at(&self, level: Level) -> bool {
        self.since <= level && self.until.is_none_or(|until| level < until)
    }

    /// Whether its `no` is a line itself.
    pub fn no_is_state(&self) -> bool {
        self.default.is_line() || self.no == NoMeans::State
    }

    /// What a line without this capture says of it; none: nobody says.
    pub fn filled(&self, name: &str) -> Option<&str> {
        let DefaultDecl::Values(values) = &self.default else {
            return None;
        };
        let here = |(leaf, _): &&(LeafId, Box<str>)| self.form.capture(name).contains(leaf);
        let value = values.iter().find(here).map(|(_, value)| &**value);
        value.filter(|_| !self.form.always_carries(name))
    }

    /// The one writing that a config keeps of a line: a part that says what its absence says is
    /// left out, and a `no` that is a line has its key alone.
    pub fn canonical(&self, words: Words) -> Words {
        let words = self.with_sets_in_order(words);
        let built = |keeps: &dyn Fn(&str, &str) -> bool| {
            let values = self.form.values_of(&words);
            let values = values.iter().filter(|(name, value)| keeps(name, value));
            let values: Vec<(&str, &str)> = values.map(|(name, value)| (*name, &**value)).collect();
            let made = self.form.build(words.sign(), &values).ok()?;
            let said = |name: &str| made.value(&self.form, name);
            values.iter().all(|(name, value)| said(name).as_deref() == Some(value)).then_some(made)
        };
        let made = match (words.sign(), &self.default) {
            (Sign::No, _) if self.no == NoMeans::State || self.factory_line(&words).is_some() => {
                let keys = self.key.as_deref().unwrap_or_default();
                let is_key =
                    |name: &str| self.form.capture(name).iter().any(|leaf| keys.contains(leaf));
                built(&|name, _| is_key(name))
            }
            (Sign::Positive, DefaultDecl::Values(_)) => {
                let is_said = |name: &str, value: &str| self.filled(name) == Some(value);
                let mut left_out = self.form.carried().filter(|name| {
                    words.value(&self.form, name).is_some_and(|value| is_said(name, &value))
                });
                // All that can be left out, or else the first of it.
                built(&|name, value| !is_said(name, value))
                    .or_else(|| left_out.find_map(|out| built(&|name, _| name != out)))
            }
            (Sign::No | Sign::Positive, _) => None,
        };
        made.unwrap_or(words)
    }

    /// Whether nothing says what its absence means, as of an imported form: a `no` that takes
    /// nothing away is a line then.
    pub const fn keeps_no(&self) -> bool {
        self.key.is_none() || self.pattern.is_some()
    }

    /// Whether a line of it says what its absence says: then a config does not keep it.
    pub fn says_absence(&self, words: &Words) -> bool {
        match (&self.default, words.sign()) {
            (_, Sign::No) if self.keeps_no_of(words) => false,
            (_, Sign::Positive) if self.factory_line(words) == Some(words) => true,
            (DefaultDecl::Line, sign) => sign == Sign::Positive,
            (DefaultDecl::None | DefaultDecl::Values(_), Sign::No) => !self.keeps_no(),
            (DefaultDecl::None, Sign::Positive) => false,
            (DefaultDecl::Values(_), Sign::Positive) => self.absent.as_ref() == Some(words),
        }
    }
}

impl Grammar {
    /// The forms that live at `levels`. Modes in which they are those of `like` are shared with it.
    fn new<'a>(
        forms: impl Iterator<Item = &'a FormDecl>,
        modes: usize,
        levels: &[Level],
        like: Option<&Self>,
    ) -> Self {
        let mut by_mode: Vec<Vec<(FormId, &FormDecl)>> = alloc::vec![Vec::new(); modes];
        for (number, decl) in forms.enumerate() {
            if decl.lives_at(levels[usize::from(decl.component.0)]) {
                by_mode[usize::from(decl.mode.0)].push((FormId(number as u32), decl));
            }
        }
        // A command set may hold the entry of a mode twice: in full, and by the name of each mode
        // that it enters. The form that says where the line leads has it. What an overlay says in
        // full goes before what is imported.
        for forms_of_mode in &mut by_mode {
            forms_of_mode.sort_by_key(|(_, decl)| (decl.enters.is_none(), decl.imported));
        }
        let modes = by_mode.into_iter().enumerate().map(|(mode, forms)| {
            let known = like.map(|like| &like.modes[mode]);
            let same = known.filter(|known| known.ids().eq(forms.iter().map(|(id, _)| *id)));
            let is_said = |decl: &FormDecl| decl.enters.is_none() && !decl.imported;
            let is_over = forms.iter().any(|(_, decl)| is_said(decl));
            let stated = forms.iter().filter(|(_, decl)| is_over && !decl.imported).count();
            let forms = forms.into_iter().map(|(id, decl)| (id, &decl.form));
            same.map_or_else(|| Arc::new(Matcher::from_stated(stated, forms)), Arc::clone)
        });
        Self { levels: levels.to_vec(), modes: modes.collect() }
    }

    /// The level of each component.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Whether another grammar has the very same forms in a mode, as far as that is known.
    pub(crate) fn has_same(&self, other: &Self, mode: ModeId) -> bool {
        Arc::ptr_eq(&self.modes[usize::from(mode.0)], &other.modes[usize::from(mode.0)])
    }

    /// The forms of one mode.
    pub fn mode(&self, mode: ModeId) -> &Matcher<FormId> {
        &self.modes[usize::from(mode.0)]
    }
}

/// Whether a revision is the first, which an image does not write.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_first(revision: &u16) -> bool {
    *revision == 0
}

/// Whether a `no` takes its line away, which an image does not write.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_undo(no: &NoMeans) -> bool {
    *no == NoMeans::Undo
}

fn compile_alias(
    alias: &AliasDecl,
    mode_of: &impl Fn(&str) -> Result<ModeId, ImageError>,
) -> Result<Alias, ImageError> {
    let read = |mode: &str, form: &str| {
        let wrong = |error| ImageError::Form { mode: mode.into(), form: form.into(), error };
        Form::parse(form).map_err(wrong)
    };
    // What takes it away is read as well.
    let negated = |mode: &str, form: &str| -> Result<Form, ImageError> {
        let plain = read(mode, form)?;
        match plain.negation() {
            Negation::Never => read(mode, &alloc::format!("[no] {form}")),
            Negation::Optional | Negation::Always => Ok(plain),
        }
    };
    let reading = |side: &Side| -> Result<Reading, ImageError> {
        let form = negated(&side.mode, &side.form)?;
        Ok(Reading { mode: mode_of(&side.mode)?, form, not: side.not })
    };
    Ok(Alias {
        decl: FormDecl {
            mode: mode_of(&alias.mode)?,
            form: negated(&alias.mode, &alias.form)?,
            component: ComponentId(alias.component),
            since: Level(alias.since),
            until: alias.until.map(Level),
            key: None,
            list: None,
            absent: None,
            enters: None,
            revision: 0,
            default: DefaultDecl::None,
            no: NoMeans::Undo,
            factory: Vec::new(),
            set: Vec::new(),
            pattern: None,
            imported: false,
        },
        reads: alias.reads.iter().map(reading).collect::<Result<_, _>>()?,
        list: alias.list.clone(),
    })
}

fn compile(
    command: &CommandDecl,
    mode_of: &impl Fn(&str) -> Result<ModeId, ImageError>,
) -> Result<FormDecl, ImageError> {
    let form = Form::parse(&command.form).map_err(|error| ImageError::Form {
        mode: command.mode.clone(),
        form: command.form.clone(),
        error,
    })?;
    let is_text = |id: &LeafId| form.leaf(*id).token.is_text();
    let leaves = || (0..form.leaves().len() as u16).map(LeafId);
    let has_text = leaves().any(|id| is_text(&id));
    let key = match &command.key {
        Key::Line if has_text => {
            Some(leaves().filter(|id| !is_text(id) && !form.is_sign(*id)).collect())
        }
        Key::Line => None,
        Key::Captures(names) => {
            let mut leaves = Vec::new();
            for name in names {
                let found = form.capture(name);
                if found.is_empty() {
                    return Err(ImageError::Unknown { what: "capture", name: name.clone() });
                }
                leaves.extend(found);
            }
            Some(leaves)
        }
    };
    if has_text && command.enters.is_some() || key.iter().flatten().any(is_text) {
        let (mode, form) = (command.mode.clone(), command.form.clone());
        return Err(ImageError::TextKey { mode, form });
    }
    if command.no == NoMeans::State && form.negation() != Negation::Optional {
        return Err(ImageError::NoNo { mode: command.mode.clone(), form: command.form.clone() });
    }
    let default =
        DefaultDecl::compile(&form, &command.key, command.default.as_ref()).map_err(|error| {
            ImageError::Default { mode: command.mode.clone(), form: command.form.clone(), error }
        })?;
    let factory = factory::compile(&form, key.as_deref(), &command.factory).map_err(|error| {
        ImageError::Factory { mode: command.mode.clone(), form: command.form.clone(), error }
    })?;
    if let Some(name) = command.set.iter().find(|name| !set::takes_several(&form, name)) {
        let what = "capture of several words";
        return Err(ImageError::Unknown { what, name: name.clone() });
    }
    let list = match &command.list {
        Some(name) => {
            let name = ListName::read(name);
            let unknown = name.captures().find(|name| form.capture(name).is_empty());
            if let Some(unknown) = unknown {
                return Err(ImageError::Unknown { what: "capture", name: unknown.into() });
            }
            Some(List::Named(name))
        }
        None if command.ordered => Some(List::Form),
        // Of an imported line nothing says what its order means.
        None if key.is_none() && command.enters.is_none() && command.pattern.is_none() => {
            Some(List::Place)
        }
        None => None,
    };
    let absent = default.line_of(&form, key.as_deref());
    let mut decl = FormDecl {
        mode: mode_of(&command.mode)?,
        component: ComponentId(command.component),
        since: Level(command.since),
        until: command.until.map(Level),
        list,
        enters: command.enters.as_deref().map(mode_of).transpose()?,
        revision: command.revision,
        absent: None,
        no: command.no,
        factory,
        set: command.set.iter().map(|name| name.as_str().into()).collect(),
        pattern: command.pattern.as_deref().map(Into::into),
        imported: command.enters.is_none()
            && (command.pattern.is_some() || command.key == Key::Line),
        form,
        key,
        default,
    };
    decl.absent = absent.map(|words| decl.canonical(words));
    let factory = core::mem::take(&mut decl.factory).into_iter();
    decl.factory = factory.map(|words| decl.canonical(words)).collect();
    Ok(decl)
}
