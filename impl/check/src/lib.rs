//! `image check`: what can be proved of a family before it is shipped, all findings at once.
//!
//! That old sides exist at the level below, and that every name is declared, is found when a family
//! is read ([`Family::parse`]); this is what takes its images.

mod aliases;
mod carried;
mod chain;
mod domain;
mod forms;
mod known;
mod lines;
mod say;
mod way;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use skewsync::grammar::Form;
use skewsync::image::{Change, ChangeKind, Family, FamilyError, Image, Origin};
use skewsync::transform::laws::{LawError, check_inverse};
use skewsync::transform::{RuleError, Tft};

use domain::Combined;
use lines::Step;
use way::Way;

pub use aliases::AliasError;
pub use carried::CarriedError;
pub use known::{Known, Shortfall};
pub use lines::LinesError;

/// Generated lines per form that are rendered, and read back.
pub const FORM_LINES_MAX: usize = 64;

/// What a check established.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What of the family could not be read: the rest was checked without it.
    pub unread: Vec<FamilyError>,
    /// What is wrong, by place.
    pub findings: Vec<Finding>,
    /// What cannot go between neighbouring releases: known, and to be published with the image.
    pub known: Vec<Known>,
    /// Lines that were rendered and read back.
    pub lines: usize,
    /// Pairs of forms of one mode whose languages meet; kinds and keywords decide between them.
    pub overlaps: usize,
    /// Changes whose laws held.
    pub changes: usize,
    /// Sequences of commands that were gone over one level and back.
    pub groups: usize,
    /// Changes of which not all combinations of values were tried, but all pairs.
    pub in_pairs: usize,
    /// Changes of which no lines were tried, though nothing was found of them before.
    pub untried: Vec<Untried>,
    /// What each declared change does, in the family's order.
    pub kinds: Vec<Does>,
}

/// What one declared change does; it may do several things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Does {
    /// Where it was declared.
    pub origin: Origin,
    /// The component, and the level from which it holds.
    pub from: (String, u16),
    /// The form, or the first of the change.
    pub words: String,
    /// What it does.
    pub kinds: BTreeSet<ChangeKind>,
}

/// A change of which no lines were tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untried {
    /// Where it was declared.
    pub origin: Origin,
    /// The component, and the level from which it holds.
    pub from: (String, u16),
    /// The form, or the first of the change.
    pub words: String,
    /// Why there is no image on both sides of it.
    pub why: String,
}

/// Something that is wrong in a family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Where it was declared.
    pub origin: Origin,
    /// The form, or the first of the change.
    pub words: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// A line is of two forms.
    #[error("in {release} `{line}` is ambiguous: also `{other}`, declared at {at}")]
    Ambiguous {
        /// The release.
        release: String,
        /// The line.
        line: String,
        /// The other form.
        other: String,
        /// Where that was declared.
        at: Origin,
    },
    /// A line of this form is read as one of another.
    #[error("in {release} `{line}` is read as `{other}`, declared at {at}")]
    Taken {
        /// The release.
        release: String,
        /// The line.
        line: String,
        /// The other form.
        other: String,
        /// Where that was declared.
        at: Origin,
    },
    /// A rendered line is not read back.
    #[error("in {release} the rendered line `{line}` is not read back")]
    NotRead {
        /// The release.
        release: String,
        /// The line.
        line: String,
    },
    /// Two commands of one mode are the same form at once.
    #[error("mode {mode} has this form already at level {level}, declared at {at}")]
    Twice {
        /// The mode.
        mode: String,
        /// The first level at which both live.
        level: u16,
        /// Where the other was declared.
        at: Origin,
    },
    /// Two changes of one level touch one form.
    #[error("the change at {at} touches this form at the same level: give one of them the next")]
    NotDisjoint {
        /// Where the other was declared.
        at: Origin,
    },
    /// No release has it.
    #[error("no release has {component} at level {level} or above")]
    NoRelease {
        /// The component.
        component: String,
        /// The level.
        level: u16,
    },
    /// A change cannot be compiled.
    #[error("{0}")]
    Rule(String),
    /// What a line carries would be lost or has no counterpart, and nothing says so.
    #[error("{0}")]
    Carried(CarriedError),
    /// An alias says no line, or not all of its words.
    #[error("{0}")]
    Alias(AliasError),
    /// A law does not hold, or nothing goes.
    #[error("{0}")]
    Law(String),
    /// Lines do not go as they must.
    #[error("{way}: {error}{}{}", and_more(*.more), say::after(.error.say()))]
    Lines {
        /// The component, its level at the one end, and that at the other.
        way: String,
        /// Of the smallest.
        error: LinesError,
        /// How many more are wrong for the same cause.
        more: usize,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: `{}`", self.origin, self.fault, self.words)
    }
}

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (component, level) = &self.from;
        let kinds: Vec<String> = self.kinds.iter().map(ChangeKind::to_string).collect();
        let kinds = kinds.join(", ");
        write!(f, "{component} {level}  {kinds}  `{}`  {}", self.words, self.origin)
    }
}

impl fmt::Display for Untried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, from: (component, level), words, why } = self;
        write!(f, "{component} {level}  `{words}`  {origin}: {why}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.unread {
            writeln!(f, "{error}")?;
        }
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        if !self.known.is_empty() {
            writeln!(f, "known not to go between neighbouring releases:")?;
        }
        for known in &self.known {
            writeln!(f, "  {known}")?;
        }
        if !self.kinds.is_empty() {
            writeln!(f, "what the changes do:")?;
        }
        for does in &self.kinds {
            writeln!(f, "  {does}")?;
        }
        if !self.untried.is_empty() {
            writeln!(f, "not tried, for want of an image at each end of the step:")?;
        }
        for untried in &self.untried {
            writeln!(f, "  {untried}")?;
        }
        let Self { lines, overlaps, changes, groups, in_pairs, kinds, .. } = self;
        let overlaps = counted(*overlaps, "pair of forms overlaps", "pairs of forms overlap");
        writeln!(f, "{}; {overlaps}", self.read_back(*lines))?;
        let groups = counted(*groups, "group of lines tried", "groups of lines tried");
        let in_pairs = match in_pairs {
            0 => String::from("all combinations of values"),
            count => format!("of {} all pairs of values", counted(*count, "change", "changes")),
        };
        writeln!(f, "{groups}, {in_pairs}")?;
        let changes =
            counted(*changes, "change goes there and comes back", "changes go there and come back");
        writeln!(f, "{changes}")?;
        let mut counts: BTreeMap<ChangeKind, usize> = BTreeMap::new();
        for kind in kinds.iter().flat_map(|does| &does.kinds) {
            *counts.entry(*kind).or_default() += 1;
        }
        let counts = counts.iter().map(|(kind, count)| format!("{kind} {count}"));
        writeln!(f, "kinds of change: {}", counts.collect::<Vec<_>>().join(", "))?;
        let errors = self.unread.len() + self.findings.len();
        writeln!(f, "{}", counted(errors, "error", "errors"))
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.unread.is_empty() && self.findings.is_empty()
    }

    /// How many of the lines came back as what they were, and how many are ambiguous.
    fn read_back(&self, lines: usize) -> String {
        let faults = || self.findings.iter().map(|finding| &finding.fault);
        let is_ambiguous = |fault: &&Fault| matches!(fault, Fault::Ambiguous { .. });
        let is_other = |fault: &&Fault| matches!(fault, Fault::Taken { .. });
        let is_lost = |fault: &&Fault| matches!(fault, Fault::NotRead { .. });
        let ambiguous = faults().filter(|fault| is_ambiguous(fault) || is_other(fault)).count();
        let wrong = ambiguous + faults().filter(is_lost).count();
        let named = if ambiguous == 0 { "none".to_string() } else { ambiguous.to_string() };
        let all = counted(lines, "line", "lines");
        if wrong == 0 {
            return format!("{all} read back, none ambiguous");
        }
        format!("{} of {all} read back, {named} ambiguous", lines.saturating_sub(wrong))
    }
}

/// How many more there are, if any.
fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!("; {more} more") }
}

/// A number with its noun.
fn counted(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Checks a family that was read.
pub fn family(family: &Family) -> Report {
    family_but(family, Vec::new())
}

/// Checks what could be read of a family but for these errors.
pub fn family_but(family: &Family, unread: Vec<FamilyError>) -> Report {
    let mut report = Report { unread, ..Report::default() };
    declared(family, &mut report.findings);
    let images: Vec<Image> =
        family.releases().filter_map(|release| family.image(release)).collect();
    report.kinds = family
        .changes()
        .map(|(change, at)| Does {
            origin: at.clone(),
            from: (family.component(change.component).to_string(), change.level),
            words: first_words(change),
            kinds: family.kinds(change),
        })
        .collect();
    let origins = Origins::new(family);
    let mut proven = BTreeSet::new();
    for image in &images {
        forms::check(image, &origins, &mut report);
        aliases::check(image, &origins, &mut report);
        laws(image, &origins, &mut proven, &mut report);
    }
    for pair in images.windows(2) {
        for (active, standby) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            // What makes no pairing has findings of its own.
            let way = Way::between(active, standby);
            way.iter().for_each(|way| known::on(way, &mut report.known));
        }
    }
    steps(family, &mut report);
    if report.is_sound() {
        chain::check(&images, &origins, &mut report.findings);
    }
    report.findings.sort();
    report.findings.dedup();
    report
}

/// Where what an image declares was written.
struct Origins {
    forms: BTreeMap<(String, String, u16), Origin>,
    changes: BTreeMap<ChangeName, Origin>,
}

type ChangeName = (u16, u16, Vec<(String, String)>);

impl Origins {
    fn new(family: &Family) -> Self {
        let forms = family.commands().map(|(command, at)| {
            let name = (command.mode.clone(), command.form.clone(), command.since);
            (name, at.clone())
        });
        let aliases = family.aliases().map(|(alias, at)| {
            // An image gives an alias's form a `no`.
            let form = alias.form.trim_start_matches("[no] ").to_string();
            ((alias.mode.clone(), format!("[no] {form}"), alias.since), at.clone())
        });
        let forms = forms.chain(aliases);
        let changes = family.changes().map(|(change, at)| (name_of(change), at.clone()));
        Self { forms: forms.collect(), changes: changes.collect() }
    }

    fn form(&self, image: &Image, id: skewsync::ids::FormId) -> Origin {
        let decl = image.form(id);
        let name =
            (image.mode_name(decl.mode).to_string(), decl.form.text().to_string(), decl.since.0);
        self.forms.get(&name).cloned().unwrap_or_default()
    }
}

fn name_of(change: &Change) -> ChangeName {
    let sides = change.old.iter().chain(&change.new);
    let sides = sides.map(|side| (side.mode.clone(), side.form.clone()));
    (change.component, change.level, sides.collect())
}

/// The first form of a change, of the newer side if there is one.
fn first_words(change: &Change) -> String {
    let first = change.new.iter().chain(&change.old).next();
    first.map_or_else(String::new, |side| side.form.clone())
}

/// A command as declared: its first level, the first without it, its component, and where it
/// stands.
type Declared<'a> = (u16, Option<u16>, u16, &'a Origin);

/// What can be said without an image: forms declared twice, changes that meet, levels that no
/// release has.
fn declared(family: &Family, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(&str, String), Vec<Declared<'_>>> = BTreeMap::new();
    for (command, at) in family.commands() {
        let Ok(form) = Form::parse(&command.form) else {
            continue;
        };
        let others = seen.entry((&command.mode, form.normal().to_string())).or_default();
        let both = others.iter().find(|(since, until, component, _)| {
            let apart = until.is_some_and(|until| until <= command.since)
                || command.until.is_some_and(|until| until <= *since);
            *component != command.component || !apart
        });
        if let Some((since, _, _, other)) = both {
            findings.push(Finding {
                origin: at.clone(),
                words: command.form.clone(),
                fault: Fault::Twice {
                    mode: command.mode.clone(),
                    level: command.since.max(*since),
                    at: (*other).clone(),
                },
            });
        }
        others.push((command.since, command.until, command.component, at));
    }
    let mut touched: BTreeMap<(u16, u16, &str, String), &Origin> = BTreeMap::new();
    for (change, at) in family.changes() {
        let words = first_words(change);
        if !family.levels_of(change.component).any(|level| level >= change.level) {
            findings.push(Finding {
                origin: at.clone(),
                words: words.clone(),
                fault: Fault::NoRelease {
                    component: family.component(change.component).to_string(),
                    level: change.level,
                },
            });
        }
        for side in change.old.iter().chain(&change.new) {
            let Ok(form) = Form::parse(&side.form) else {
                continue;
            };
            let name =
                (change.component, change.level, side.mode.as_str(), form.normal().to_string());
            let other = touched.insert(name, at).filter(|other| *other != at);
            findings.extend(other.map(|other| Finding {
                origin: at.clone(),
                words: side.form.clone(),
                fault: Fault::NotDisjoint { at: other.clone() },
            }));
        }
    }
}

/// The laws of the changes that no earlier release had.
fn laws(image: &Image, origins: &Origins, proven: &mut BTreeSet<ChangeName>, report: &mut Report) {
    let changes = &image.declarations().changes;
    let finding = |number: usize, fault: Fault| {
        let change = &changes[number];
        Finding {
            origin: origins.changes.get(&name_of(change)).cloned().unwrap_or_default(),
            words: first_words(change),
            fault,
        }
    };
    let tft = match Tft::compile(image) {
        Ok(tft) => tft,
        Err(error) => {
            report.findings.push(finding(at_fault(image), Fault::Rule(error.to_string())));
            return;
        }
    };
    for (number, rule) in tft.rules().iter().enumerate() {
        if !proven.insert(name_of(&changes[number])) {
            continue;
        }
        let uncarried = carried::check(image, rule, &changes[number]);
        if !uncarried.is_empty() {
            // What its lines come to follows from these.
            let errors = uncarried.into_iter();
            report.findings.extend(errors.map(|error| finding(number, Fault::Carried(error))));
            continue;
        }
        // Of the laws the samples of functions alone: all else the domain has, and more.
        let broken = check_inverse(image, rule, 0).into_iter();
        let broken = broken.filter(|error| matches!(error, LawError::Sample { .. }));
        let broken: Vec<LawError> = broken.collect();
        report.changes += usize::from(broken.is_empty());
        for (at, error) in broken.iter().enumerate() {
            if broken[..at].iter().any(|earlier| earlier.is_like(error)) {
                continue;
            }
            let more = broken[at + 1..].iter().filter(|later| later.is_like(error)).count();
            let more = and_more(more);
            report.findings.push(finding(number, Fault::Law(format!("{error}{more}"))));
        }
    }
}

/// The lines of the changes of which nothing is wrong so far, level by level.
fn steps(family: &Family, report: &mut Report) {
    let wrong: BTreeSet<Origin> =
        report.findings.iter().map(|finding| finding.origin.clone()).collect();
    let mut by_step: BTreeMap<(u16, u16), Vec<(&Change, &Origin)>> = BTreeMap::new();
    for (change, at) in family.changes().filter(|(_, at)| !wrong.contains(at)) {
        by_step.entry((change.component, change.level)).or_default().push((change, at));
    }
    for ((component, level), changes) in by_step {
        let tried = on_step(family, (component, level), &mut |step| {
            for (change, at) in &changes {
                try_on(step, change, at, report);
            }
        });
        let Err(why) = tried else { continue };
        report.changes = report.changes.saturating_sub(changes.len());
        report.untried.extend(changes.into_iter().map(|(change, at)| Untried {
            origin: at.clone(),
            from: (family.component(component).to_string(), level),
            words: first_words(change),
            why: why.clone(),
        }));
    }
}

/// Calls `each` with the step of a component to a level, once: all else is as in the first release
/// that has the level; or as in the one before, of which a way to the level comes; or as in a later
/// one. What no release has is no step.
///
/// # Errors
/// Why the images make no pair.
fn on_step(
    family: &Family,
    (component, level): (u16, u16),
    each: &mut dyn FnMut(&Step<'_>),
) -> Result<(), String> {
    let first = family.levels_of(component).position(|of| of >= level);
    let (Some(first), Some(below)) = (first, level.checked_sub(1)) else { return Ok(()) };
    let releases: Vec<&str> = family.releases().collect();
    let others = first.checked_sub(1).into_iter().chain(first + 1..releases.len());
    let mut found = Ok(());
    for release in std::iter::once(first).chain(others) {
        let image = |at: u16| {
            let image = family.image_at(releases[release], component, at);
            image.expect("a release of the family").map_err(|error| error.to_string())
        };
        let images = image(below).and_then(|old| Ok((old, image(level)?)));
        let tried = images.and_then(|(old, new)| {
            each(&Step::between(&old, &new)?);
            Ok(())
        });
        match tried {
            Ok(()) => return Ok(()),
            Err(error) => found = found.and(Err(error)),
        }
    }
    found
}

/// Tries a change on its lines.
fn try_on(step: &Step<'_>, change: &Change, at: &Origin, report: &mut Report) {
    let tried = step.tried(change);
    report.groups += tried.scenes;
    report.known.extend(tried.known);
    report.changes = report.changes.saturating_sub(usize::from(!tried.broken.is_empty()));
    report.in_pairs += usize::from(tried.combined == Combined::Pairs);
    report.findings.extend(tried.broken.into_iter().map(|(way, error, more)| Finding {
        origin: at.clone(),
        words: first_words(change),
        fault: Fault::Lines { way, error, more },
    }));
}

/// The first change that makes no rule.
fn at_fault(image: &Image) -> usize {
    use skewsync::ids::ChangeId;
    use skewsync::transform::Rule;
    let changes = image.declarations().changes.iter().enumerate();
    let refused = |(number, change)| -> Option<RuleError> {
        Rule::compile(image, ChangeId(number as u32), change).err()
    };
    changes
        .map(|(number, change)| (number, refused((number, change))))
        .find(|(_, error)| error.is_some())
        .map_or(0, |(number, _)| number)
}

#[cfg(test)]
mod tests;
