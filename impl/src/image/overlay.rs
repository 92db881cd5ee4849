//! Imported command sets with what is known of them: an overlay is a family that says only what it
//! speaks of, and stands over the forms of each release that is imported.
//!
//! A form that the overlay states is taken where the release takes all lines of it, and stands for
//! the imported forms that say no more. Nothing of the forms is matched by name: only by the lines
//! that they take.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use super::import::CommandSet;
use super::{
    AliasDecl, Change, CommandDecl, Component, Declarations, DefaultValues, DontCare, Family,
    Image, ImageError, ImportedForm, ImportedMode, Key, Mode, NoMeans, Origin, Rejected,
};
use crate::grammar::{Form, Matcher, Negation, Peers, Residue, ResidueLimits, Resolution};

/// Lines of a form that are looked at to find which form fits them best.
const EXAMPLES_MAX: usize = 64;

/// An image of a command set, with what an overlay says of it.
#[derive(Clone, Debug)]
pub struct Overlaid {
    /// The image.
    pub image: Image,
    /// What of the command set was not taken.
    pub rejected: Vec<Rejected>,
    /// What the overlay says, and this release has nothing of.
    pub unsaid: Vec<Unsaid>,
    /// Imported forms of which the overlay says nothing.
    pub unknown: usize,
}

/// Something that an overlay says of forms which a release does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaid {
    /// Where it is declared.
    pub at: Origin,
    /// What it speaks of.
    pub what: String,
}

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { file, line, column } = &self.at;
        write!(f, "{file}:{line}:{column}: this release has none: {}", self.what)
    }
}

/// Why a command set and an overlay make no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The release is older than all of which the overlay knows.
    #[error("release {release} is older than all that the overlay knows: {known}")]
    Release {
        /// The release.
        release: String,
        /// Those that it knows.
        known: String,
    },
    /// What was taken makes no image.
    #[error("{0}")]
    Image(#[from] ImageError),
}

/// Makes an image of a command set and an overlay.
///
/// # Shape
/// Images of one name, overlay and profile are of one family. A release that the overlay does not
/// know has the levels of the last one that is not newer.
///
/// # Errors
/// See [`OverlayError`].
pub fn import_over(
    overlay: &Family,
    name: &str,
    release: &str,
    forms: &[ImportedForm],
    modes: &[ImportedMode],
) -> Result<Overlaid, OverlayError> {
    let known = overlay.releases().filter(|known| by_number(known, release) != Ordering::Greater);
    let like = known.max_by(|one, other| by_number(one, other));
    let declared = like.and_then(|like| overlay.declarations(like));
    let declared = declared.ok_or_else(|| OverlayError::Release {
        release: release.to_owned(),
        known: overlay.releases().collect::<Vec<_>>().join(", "),
    })?;
    let (set, rejected) = CommandSet::read(forms, modes);
    let mut made = Made::new(declared, set);
    made.settle();
    let aliases = made.aliases();
    let (commands, mut unsaid) = made.imported(overlay, &aliases);
    let dont_cares = made.dont_cares(&commands);
    unsaid.extend(made.left_out(overlay, &aliases, &dont_cares));
    unsaid.sort_by(|one, other| one.at.cmp(&other.at));
    let is_unknown = |command: &&CommandDecl| {
        command.enters.is_none() && command.pattern.is_none() && command.key == Key::Line
    };
    let unknown = commands.iter().filter(is_unknown).count();
    let Made { declared, set, .. } = made;
    let modes = all_modes(set.modes, &declared);
    let declarations = Declarations {
        family: match overlay.profile() {
            Some(profile) => alloc::format!("{name}-{profile}"),
            None => name.to_owned(),
        },
        release: release.to_owned(),
        imported: false,
        modes,
        commands: declared.commands.iter().cloned().chain(commands).collect(),
        dont_cares,
        aliases,
        ..declared
    };
    Ok(Overlaid {
        image: Image::compile_with(declarations, overlay.functions())?,
        rejected,
        unsaid,
        unknown,
    })
}

/// An image while it is made: what the overlay says at the release's levels, and its command set.
struct Made {
    declared: Declarations,
    set: CommandSet,
    /// The forms of the command set by mode.
    by_mode: BTreeMap<String, Vec<Form>>,
}

impl Made {
    fn new(mut declared: Declarations, mut set: CommandSet) -> Self {
        let mut by_mode: BTreeMap<String, Vec<Form>> = BTreeMap::new();
        for (form, command) in &set.commands {
            by_mode.entry(command.mode.clone()).or_default().push(form.clone());
        }
        // The components of the overlay first, then those that only the command set has.
        let components = &mut declared.components;
        let numbers: Vec<u16> = core::mem::take(&mut set.components)
            .into_iter()
            .map(|component| number_of(components, component))
            .collect();
        for (_, command) in &mut set.commands {
            command.component = numbers[usize::from(command.component)];
        }
        Self { declared, set, by_mode }
    }

    /// Whether the release takes all that is kept of a command: its lines that do not negate, and,
    /// where a `no` is a line itself, these.
    fn takes_command(&self, command: &CommandDecl) -> bool {
        let is_state = command.no == NoMeans::State
            || command.default.as_ref().is_some_and(DefaultValues::is_empty);
        let denied = || Form::parse(&command.form).ok().and_then(|form| form.negative());
        let forms = self.by_mode.get(&command.mode).map_or(&[][..], Vec::as_slice);
        self.takes(&command.mode, &command.form)
            && (!is_state || denied().is_some_and(|form| covers(forms, &form)))
    }

    /// Whether the release takes all lines of a form that do not negate.
    fn takes(&self, mode: &str, form: &str) -> bool {
        let positive = Form::parse(form).ok().and_then(|form| form.positive());
        let forms = self.by_mode.get(mode).map_or(&[][..], Vec::as_slice);
        positive.is_some_and(|form| covers(forms, &form))
    }

    /// Leaves out what the release does not have: commands of which it does not take every line,
    /// and changes that make one of these. What such a change began with is there still.
    fn settle(&mut self) {
        loop {
            let commands = core::mem::take(&mut self.declared.commands);
            let (kept, gone): (Vec<_>, Vec<_>) = commands
                .into_iter()
                .partition(|command| command.until.is_some() || self.takes_command(command));
            self.declared.commands = kept;
            let gone: BTreeSet<(String, String)> = gone.iter().map(name_of).collect();
            let changes = core::mem::take(&mut self.declared.changes);
            let (kept, undone): (Vec<_>, Vec<_>) =
                changes.into_iter().partition(|change| !makes_one_of(change, &gone));
            self.declared.changes = kept;
            if undone.is_empty() {
                return;
            }
            for change in &undone {
                let olds = change.old.iter().map(|side| (&side.mode, normal(&side.form)));
                let olds: BTreeSet<(&String, String)> = olds.collect();
                for command in &mut self.declared.commands {
                    let is_old = command.until == Some(change.level)
                        && command.component == change.component
                        && olds.contains(&(&command.mode, normal(&command.form)));
                    if is_old {
                        command.until = None;
                    }
                }
            }
        }
    }

    /// The aliases of which the release takes each line, and each line that they say.
    fn aliases(&self) -> Vec<AliasDecl> {
        let declared = self.declared.aliases.iter().filter(|alias| {
            let says = |side: &super::Side| self.takes(&side.mode, &side.form);
            self.takes(&alias.mode, &alias.form) && alias.reads.iter().all(says)
        });
        declared.cloned().collect()
    }

    /// The imported forms that say more than the overlay's, with what its rules say of them; the
    /// rules that speak of none.
    fn imported(&self, overlay: &Family, aliases: &[AliasDecl]) -> (Vec<CommandDecl>, Vec<Unsaid>) {
        let mut stated: BTreeMap<&str, Vec<(Form, Option<&str>)>> = BTreeMap::new();
        let alive = self.declared.commands.iter().filter(|command| command.until.is_none());
        let alive = alive.map(|of| (&of.mode, of.form.clone(), of.enters.as_deref()));
        let read = aliases.iter().filter(|alias| alias.until.is_none());
        // The `no` of an alias is read, too.
        let read = read.map(|of| (&of.mode, negated(&of.form), None));
        for (mode, form, enters) in alive.chain(read) {
            if let Ok(form) = Form::parse(&form) {
                stated.entry(mode).or_default().push((form, enters));
            }
        }
        let mut used = alloc::vec![false; overlay.rules().len()];
        let mut kept = Vec::new();
        for (form, command) in &self.set.commands {
            let stated = stated.get(command.mode.as_str()).map_or(&[][..], Vec::as_slice);
            let alike = |enters: &Option<&str>| {
                command.enters.is_none() || *enters == command.enters.as_deref()
            };
            let stated: Vec<Form> = stated
                .iter()
                .filter(|(_, enters)| alike(enters))
                .map(|(form, _)| form.clone())
                .collect();
            if stands_for(&stated, form) {
                continue;
            }
            let mut command = command.clone();
            for (number, rule) in overlay.rules().iter().enumerate() {
                let named = rule.is_of(&command.mode).then(|| rule.pattern.name(form)).flatten();
                let Some(named) = named else { continue };
                used[number] = true;
                named.text().clone_into(&mut command.form);
                if command.enters.is_none() {
                    command.pattern = Some(rule.pattern.text().to_owned());
                    if !rule.whole {
                        let names: BTreeSet<&str> = rule.pattern.names().collect();
                        command.key =
                            Key::Captures(names.into_iter().map(ToOwned::to_owned).collect());
                    }
                    command.list.clone_from(&rule.list);
                }
                break;
            }
            kept.push(command);
        }
        let unused = overlay.rules().iter().zip(used).filter(|(_, used)| !used);
        let unsaid = unused
            .map(|(rule, _)| Unsaid { at: rule.at.clone(), what: rule.pattern.text().to_owned() });
        (kept, unsaid.collect())
    }

    /// The don't-care entries: for each that is declared, the forms of which it names all lines.
    fn dont_cares(&self, imported: &[CommandDecl]) -> Vec<DontCare> {
        let alive = self.declared.commands.iter().chain(imported);
        let alive: Vec<(&CommandDecl, Form)> = alive
            .filter(|command| command.until.is_none())
            .filter_map(|command| Some((command, Form::parse(&command.form).ok()?)))
            .collect();
        let mut found = Vec::new();
        for entry in &self.declared.dont_cares {
            let Ok(form) = Form::parse(&entry.form) else { continue };
            let named = alive.iter().filter(|(command, own)| {
                command.mode == entry.mode && covers(core::slice::from_ref(&form), own)
            });
            found.extend(
                named.map(|(command, _)| DontCare { form: command.form.clone(), ..entry.clone() }),
            );
        }
        found
    }

    /// What the overlay declares at these levels, and was left out.
    fn left_out(
        &self,
        overlay: &Family,
        aliases: &[AliasDecl],
        dont_cares: &[DontCare],
    ) -> Vec<Unsaid> {
        let level = |component: u16| self.declared.components[usize::from(component)].level;
        let unsaid = |at: &Origin, what: &str| Unsaid { at: at.clone(), what: what.to_owned() };
        let kept: BTreeSet<(String, String)> = self.declared.commands.iter().map(name_of).collect();
        let commands = overlay.commands().filter(|(command, _)| {
            let lives = command.until.is_none_or(|until| until > level(command.component));
            command.since <= level(command.component) && lives && !kept.contains(&name_of(command))
        });
        let read = overlay.aliases().filter(|(alias, _)| {
            let lives = alias.until.is_none_or(|until| until > level(alias.component));
            alias.since <= level(alias.component)
                && lives
                && !aliases.iter().any(|kept| kept.mode == alias.mode && kept.form == alias.form)
        });
        let cared_not = overlay.dont_cares().filter(|(entry, _)| {
            !dont_cares.iter().any(|kept| kept.mode == entry.mode && kept.reason == entry.reason)
        });
        commands
            .map(|(command, at)| unsaid(at, &command.form))
            .chain(read.map(|(alias, at)| unsaid(at, &alias.form)))
            .chain(cared_not.map(|(entry, at)| unsaid(at, &entry.form)))
            .collect()
    }
}

/// Whether every line of `form` is one of these.
fn covers(forms: &[Form], form: &Form) -> bool {
    Peers::new(forms).residue(form, &ResidueLimits::default()) == Residue::None
}

/// Whether every line of `form` is one of these, and none of them fits it better: a keyword is no
/// value, though a placeholder takes it.
fn stands_for(stated: &[Form], form: &Form) -> bool {
    if !covers(stated, form) {
        return false;
    }
    let forms = stated.iter().map(|stated| (true, stated)).chain([(false, form)]);
    let matcher = Matcher::from_stated(stated.len(), forms);
    form.examples(EXAMPLES_MAX).iter().all(|words| {
        let words: Vec<&str> = words.iter().map(|(_, word)| word).collect();
        matches!(matcher.resolve(&words), Resolution::Match { id: true, .. })
    })
}

/// A form of which a `no` is read, too.
fn negated(form: &str) -> String {
    match Form::parse(form).map(|form| form.negation()) {
        Ok(Negation::Never) => alloc::format!("[no] {form}"),
        _ => form.to_owned(),
    }
}

fn normal(form: &str) -> String {
    Form::parse(form).map_or_else(|_| form.to_owned(), |form| form.normal().to_string())
}

fn name_of(command: &CommandDecl) -> (String, String) {
    (command.mode.clone(), normal(&command.form))
}

fn makes_one_of(change: &Change, gone: &BTreeSet<(String, String)>) -> bool {
    change.new.iter().any(|side| gone.contains(&(side.mode.clone(), normal(&side.form))))
}

/// The number of a component of this name, which is added if there is none.
fn number_of(components: &mut Vec<Component>, component: Component) -> u16 {
    let known = components.iter().position(|own| own.name == component.name);
    let number = known.unwrap_or(components.len());
    if known.is_none() {
        components.push(component);
    }
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// The modes of a command set, and those in which only forms of other levels stand.
fn all_modes(mut modes: Vec<Mode>, declared: &Declarations) -> Vec<Mode> {
    for mode in &declared.modes {
        if !modes.iter().any(|own| own.name == mode.name) {
            modes.push(mode.clone());
        }
    }
    modes
}

/// Releases by the numbers in them: 8.4.4 is older than 10.0.
fn by_number(one: &str, other: &str) -> Ordering {
    let numbers = |release: &str| -> Vec<u64> {
        let parts = release.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    numbers(one).cmp(&numbers(other)).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests;
