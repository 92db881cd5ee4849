//! The lines of a change's domain, gone over one level both ways: by the engine, by the reference,
//! through the other side's parser, at once and line by line, and back.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use skewsync::config::{Config, Line, LineKey};
use skewsync::grammar::Form;
use skewsync::ids::FormId;
use skewsync::image::{Change, Image};
use skewsync::transform::{Direction, StuckCause};
use skewsync::translate::ListKey;
use skewsync::translate::complement::Complements;

use crate::domain::{Combined, Command, Domain, Kind, Scene};
use crate::known::{self, Known, Shortfall};
use crate::say;
use crate::way::{Held, Outcome, Said, Way, on_one_line};

/// Lines of a change that do not go as they must.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum LinesError {
    /// The engine and the reference make two things of them.
    #[error("{lines} becomes {engine}, and by the reference {reference}")]
    Apart {
        /// The lines.
        lines: String,
        /// What the engine makes of them.
        engine: String,
        /// What the reference makes of them.
        reference: String,
    },
    /// What arrives is not read as it was made.
    #[error("{lines} becomes {became}, which is not read so: {error}")]
    NotRead {
        /// The lines.
        lines: String,
        /// What they become.
        became: String,
        /// What its parser says.
        error: String,
    },
    /// Line by line they come to another thing than at once.
    #[error("{lines} becomes {at_once}, and line by line {by_line}")]
    ByLine {
        /// The lines, in their order.
        lines: String,
        /// What they become at once.
        at_once: String,
        /// What they become line by line.
        by_line: String,
    },
    /// What comes back is not what went.
    #[error("{lines} becomes {became} and comes back as {back}")]
    NotBack {
        /// The lines.
        lines: String,
        /// What they become.
        became: String,
        /// What these become.
        back: String,
        /// The word that would declare it.
        say: Option<&'static str>,
    },
    /// A line does not go, and nothing says so beforehand.
    #[error("{lines} does not go: {cause}; nothing says so beforehand")]
    NotKnown {
        /// The lines.
        lines: String,
        /// The mode and the form.
        form: Box<(String, String)>,
        /// Why.
        cause: String,
        /// The captures whose values it is for.
        of: Vec<String>,
        /// The word that would declare it.
        say: Option<&'static str>,
    },
    /// A line goes of which it is said that it does not.
    #[error("{lines} becomes {became}, and is said not to go")]
    Goes {
        /// The lines.
        lines: String,
        /// What they become.
        became: String,
        /// Whether that is more lines.
        is_several: bool,
    },
    /// No group of the change goes.
    #[error("no group of this change can go: {lines}: {cause}")]
    NeverGoes {
        /// The lines of the first.
        lines: String,
        /// Why it does not.
        cause: String,
        /// The word that would declare what becomes of it.
        say: Option<&'static str>,
    },
}

/// What was tried of a change.
#[derive(Default)]
pub(crate) struct Tried {
    /// What is wrong, one of a cause: the way, the smallest lines, and how many more there are.
    pub(crate) broken: Vec<(String, LinesError, usize)>,
    /// What does not go where several lines or values decide together.
    pub(crate) known: Vec<Known>,
    /// Sequences of commands that were tried.
    pub(crate) scenes: usize,
    /// Which combinations of values.
    pub(crate) combined: Combined,
}

/// One step of a component, as two images with nothing else between them.
pub(crate) struct Step<'a> {
    up: Way<'a>,
    down: Way<'a>,
}

impl<'a> Step<'a> {
    /// The step between two images.
    ///
    /// # Errors
    /// Why they make no pair.
    pub(crate) fn between(old: &'a Image, new: &'a Image) -> Result<Self, String> {
        let way =
            |active, standby| Way::between(active, standby).map_err(|error| error.to_string());
        Ok(Self { up: way(old, new)?, down: way(new, old)? })
    }

    /// Tries a change both ways.
    pub(crate) fn tried(&self, change: &Change) -> Tried {
        let mut tried = Tried::default();
        let mut causes = Causes::new();
        for direction in [Direction::Raise, Direction::Lower] {
            self.try_way(change, direction, &mut tried, &mut causes);
        }
        let is_apart = causes.values().any(|(_, error)| matches!(error, LinesError::Apart { .. }));
        for ((direction, ..), (count, error)) in causes {
            match error {
                LinesError::NotKnown { lines: line, form, cause, of, .. }
                    if self.decides_together(change)
                        || of.iter().any(|name| change.partial.contains(name)) =>
                {
                    let (active, standby) = self.levels(change, direction);
                    let way = Shortfall::Tried { line, cause, more: count - 1 };
                    let (mode, form) = *form;
                    tried.known.push(Known { active, standby, mode, form, way });
                }
                // What goes one way as the reference does not comes back otherwise, too.
                LinesError::NotBack { .. } if is_apart => {}
                error => {
                    let (active, standby) = self.levels(change, direction);
                    tried.broken.push((format!("{active} -> {standby}"), error, count - 1));
                }
            }
        }
        tried
    }

    fn ways(&self, direction: Direction) -> (&Way<'a>, &Way<'a>) {
        match direction {
            Direction::Raise => (&self.up, &self.down),
            Direction::Lower => (&self.down, &self.up),
        }
    }

    /// Whether more than each value for itself says whether a line goes.
    fn decides_together(&self, change: &Change) -> bool {
        let mut sides = change.old.iter().chain(&change.new);
        let way = self.ways(Direction::Raise).0;
        let domain = Domain::new(change, Direction::Raise, (way.active, way.standby));
        change.one.is_some()
            || change.rust.is_some()
            || sides.any(|side| side.each.is_some() || side.optional.is_some())
            || domain.is_some_and(|domain| domain.is_revised_as_a_whole())
    }

    /// The component and its level at the one end of a way, and the level at the other.
    fn levels(&self, change: &Change, direction: Direction) -> (String, String) {
        let (way, _) = self.ways(direction);
        let number = usize::from(change.component);
        let here = &way.active.declarations().components[number];
        let there = way.standby.declarations().components[number].level;
        (format!("{} {}", here.name, here.level), there.to_string())
    }

    fn try_way(
        &self,
        change: &Change,
        direction: Direction,
        tried: &mut Tried,
        causes: &mut Causes,
    ) {
        let (way, back) = self.ways(direction);
        let Some(domain) = Domain::new(change, direction, (way.active, way.standby)) else {
            return;
        };
        let (scenes, combined) = domain.scenes();
        tried.combined = tried.combined.max(combined);
        let nothing = Config::factory(way.active.levels());
        let empty = match way.at_once(&nothing, Complements::new()) {
            Ok(empty) => empty,
            Err(error) => {
                let (lines, became) = (String::from("nothing"), String::from("nothing"));
                return add((direction, LinesError::NotRead { lines, became, error }), causes);
            }
        };
        let (mut goes, mut first) = (false, None);
        for scene in &scenes {
            let Some(a) = entered(way, scene) else { continue };
            tried.scenes += 1;
            let judged = judge((way, back), &empty, (&a, scene));
            if scene.kind == Kind::Whole {
                let stuck = judged.as_ref().ok().and_then(Option::as_ref);
                let is_some = a.lines().next().is_some() || a.entries().next().is_some();
                goes |= judged.is_ok() && stuck.is_none() && is_some;
                // What is said not to go at all is no surprise.
                let is_said = || a.lines().any(|(key, _)| known::is_stuck(way, key));
                // Nor is what the other unit needs and this one has no words for.
                let lacks = matches!(stuck, Some(StuckCause::Refused { without: true, .. }));
                if first.is_none() && !lacks && !is_said() {
                    first = stuck.map(|cause| (texts(scene), cause.clone()));
                }
            }
            let Err(error) = judged else { continue };
            goes |= !matches!(error, LinesError::NotKnown { .. });
            add((direction, error), causes);
        }
        let is_related = !change.old.is_empty() && !change.new.is_empty() && !domain.is_revised();
        if let Some((lines, cause)) = first.filter(|_| !goes && is_related) {
            let (say, cause) = (say::of_never(&cause), cause.to_string());
            add((direction, LinesError::NeverGoes { lines, cause, say }), causes);
        }
    }
}

/// What is wrong, by way and cause: how often, and the smallest.
type Causes = BTreeMap<(Direction, usize, String), (usize, LinesError)>;

fn add((direction, error): (Direction, LinesError), causes: &mut Causes) {
    let (law, cause) = error.cause();
    let key = (direction, law, cause.to_owned());
    let (count, least) = causes.entry(key).or_insert_with(|| (0, error.clone()));
    *count += 1;
    if error.lines().len() < least.lines().len() {
        *least = error;
    }
}

impl LinesError {
    /// The law that is broken, and what tells one cause from another.
    fn cause(&self) -> (usize, &str) {
        match self {
            Self::Apart { .. } => (0, ""),
            Self::NotRead { .. } => (1, ""),
            Self::ByLine { .. } => (2, ""),
            Self::NotBack { .. } => (3, ""),
            Self::NotKnown { cause, .. } => (4, cause),
            Self::Goes { .. } => (5, ""),
            Self::NeverGoes { .. } => (6, ""),
        }
    }

    /// The word of a family that would declare what was found.
    pub(crate) const fn say(&self) -> Option<&'static str> {
        match self {
            Self::Goes { is_several: true, .. } => Some(say::ONE),
            Self::Apart { .. } | Self::Goes { .. } => Some(say::REPORT),
            Self::ByLine { .. } => Some(say::ORDER),
            Self::NotBack { say, .. }
            | Self::NotKnown { say, .. }
            | Self::NeverGoes { say, .. } => *say,
            Self::NotRead { .. } => None,
        }
    }

    /// The lines of which it speaks.
    fn lines(&self) -> &str {
        match self {
            Self::Apart { lines, .. }
            | Self::NotRead { lines, .. }
            | Self::ByLine { lines, .. }
            | Self::NotBack { lines, .. }
            | Self::NotKnown { lines, .. }
            | Self::Goes { lines, .. }
            | Self::NeverGoes { lines, .. } => lines,
        }
    }
}

/// What the Active holds after commands; none: it does not take them.
fn entered(way: &Way<'_>, scene: &Scene) -> Option<Config> {
    let mut a = Config::factory(way.active.levels());
    for command in &scene.commands {
        a.execute(way.active, way.active.own(), &command.text()).ok()?;
    }
    Some(a)
}

/// The commands, as people read them.
fn texts(scene: &Scene) -> String {
    let lines: Vec<String> = scene.commands.iter().map(told).collect();
    format!("`{}`", lines.join("; "))
}

/// What becomes of a config, in the order of its commands: why some line of it does not go, if one
/// does not.
fn judge(
    (way, back): (&Way<'_>, &Way<'_>),
    empty: &Held,
    (a, scene): (&Config, &Scene),
) -> Result<Option<StuckCause>, LinesError> {
    let lines = || texts(scene);
    let held = way.at_once(a, Complements::new());
    let held = held.map_err(|error| LinesError::NotRead {
        lines: lines(),
        became: String::from("nothing"),
        error,
    })?;
    judge_held((way, back), (empty, &held), (a, scene), &lines)?;
    let unraised = held.raising.unraised(way.standby);
    let mut stuck = held.lowering.stuck().map(|(_, _, cause)| cause);
    let cause = stuck.next().or(unraised.first().map(|line| &line.cause));
    Ok(cause.cloned())
}

fn judge_held(
    (way, back): (&Way<'_>, &Way<'_>),
    (empty, held): (&Held, &Held),
    (a, scene): (&Config, &Scene),
    lines: &dyn Fn() -> String,
) -> Result<(), LinesError> {
    as_by_reference(way, held, a, lines)?;
    by_line(way, empty, scene, lines)?;
    comes_back((way, back), held, a, lines)?;
    is_known(way, held, a, lines)
}

/// What one unit holds comes back to the other as it was, but for what need not go.
fn comes_back(
    (way, back): (&Way<'_>, &Way<'_>),
    held: &Held,
    a: &Config,
    lines: &dyn Fn() -> String,
) -> Result<(), LinesError> {
    let again = back.at_once(held.raising.config(), way.kept(held));
    let came_back = again.as_ref().map(|again| again.raising.config());
    // By its form or its values; what it became on the way the reference knows.
    let cares_not = OnceCell::new();
    let cares_not = |key: &LineKey, line: &Line| {
        let named = || way.cares_not(a);
        known::cares_not(way, key, &line.words)
            || cares_not.get_or_init(named).contains(&said(key, line))
    };
    let is_kept = |config: &Config| {
        let unlike = |of: &Config, other: &Config| {
            let mut lines = of.lines().filter(|(key, line)| other.line(key) != Some(line));
            lines.any(|(key, line)| !cares_not(key, line))
        };
        let lists = |of: &Config| -> Vec<Vec<LineKey>> {
            let lists = of.lists().map(|(_, keys)| {
                let needs = |key: &LineKey| of.line(key).is_some_and(|line| !cares_not(key, line));
                keys.into_iter().filter(needs).collect::<Vec<_>>()
            });
            lists.filter(|keys| !keys.is_empty()).collect()
        };
        !unlike(config, a) && !unlike(a, config) && lists(config) == lists(a)
    };
    if !came_back.is_ok_and(is_kept) {
        let (back, say) = match came_back {
            Ok(config) => {
                let needed = a.lines().filter(|(key, line)| !cares_not(key, line));
                let needed: Vec<(LineKey, Line)> =
                    needed.map(|(key, line)| (key.clone(), line.clone())).collect();
                let say = say::of_way_back(way.active, &needed, config);
                (format!("`{}`", on_one_line(config)), say)
            }
            Err(error) => (error.clone(), None),
        };
        let became = format!("`{}`", on_one_line(held.raising.config()));
        return Err(LinesError::NotBack { lines: lines(), became, back, say });
    }
    Ok(())
}

/// A line by words: the entries around it, and itself.
fn said(key: &LineKey, line: &Line) -> Said {
    (key.place.path().trim_end_matches(" / ").to_string(), line.words.text().to_string())
}

/// Whether commands come to what the reference says, are read so by the other side's parser, and
/// come back.
///
/// # Errors
/// What does not hold, with the form of the first line that is another then.
pub(crate) fn there_and_back(
    (way, back): (&Way<'_>, &Way<'_>),
    scene: &Scene,
) -> Result<(), (LinesError, Option<FormId>)> {
    let Some(a) = entered(way, scene) else { return Ok(()) };
    let lines = || texts(scene);
    let held = way.at_once(&a, Complements::new()).map_err(|error| {
        let became = String::from("nothing");
        (LinesError::NotRead { lines: lines(), became, error }, None)
    })?;
    as_by_reference(way, &held, &a, &lines).map_err(|error| (error, None))?;
    comes_back((way, back), &held, &a, &lines).map_err(|error| {
        let again = back.at_once(held.raising.config(), way.kept(&held)).ok();
        let again = again.as_ref().map(|again| again.raising.config());
        let unlike = |one: &Config, other: &Config| {
            let mut lines = one.lines().filter(|(key, line)| other.line(key) != Some(line));
            lines.next().map(|(key, _)| key.form)
        };
        let form = again.and_then(|again| unlike(again, &a).or_else(|| unlike(&a, again)));
        (error, form)
    })
}

/// Engine and reference come to the same, and the other side's parser reads it so.
fn as_by_reference(
    way: &Way<'_>,
    held: &Held,
    a: &Config,
    lines: &dyn Fn() -> String,
) -> Result<(), LinesError> {
    let outcome = way.outcome(held);
    let reference = way.by_reference(a);
    if outcome != reference {
        let (engine, reference) = differing(&outcome, &reference);
        return Err(LinesError::Apart { lines: lines(), engine, reference });
    }
    way.read_by_standby(held).map_err(|error| LinesError::NotRead {
        lines: lines(),
        became: format!("`{}`", on_one_line(held.raising.config())),
        error,
    })
}

/// Line by line, each line added and then removed again, it is as at once.
fn by_line(
    way: &Way<'_>,
    empty: &Held,
    scene: &Scene,
    lines: &dyn Fn() -> String,
) -> Result<(), LinesError> {
    let undone = scene.commands.iter().filter_map(|command| command.undone(way.active));
    let mut held = empty.clone();
    let mut entered: Vec<String> = Vec::new();
    let all: Vec<Command> = scene.commands.iter().cloned().chain(undone).collect();
    for (number, command) in all.iter().enumerate() {
        let mut after = held.clone();
        let sent = way.execute(&mut after, &command.text());
        entered.push(told(command));
        let wrong = |by_line: String, at_once: String| {
            let lines = if number < scene.commands.len() {
                lines()
            } else {
                format!("`{}`", entered.join("; "))
            };
            LinesError::ByLine { lines, at_once, by_line }
        };
        match sent {
            Ok(()) => held = after,
            // What its unit does not take changes nothing.
            Err(_) if is_refused(way, &held, command) => continue,
            Err(error) => return Err(wrong(error, String::from("something that is read"))),
        }
        // Its beginnings are tried as groups of their own.
        if number + 1 < scene.commands.len() {
            continue;
        }
        let at_once = way.at_once(held.lowering.config(), Complements::new());
        let at_once = at_once.map_err(|error| wrong(String::from("nothing"), error))?;
        let (one, other) = (way.outcome(&held), way.outcome(&at_once));
        if one != other {
            let (by_line, at_once) = differing(&one, &other);
            return Err(wrong(by_line, at_once));
        }
    }
    Ok(())
}

/// Whether the Active does not take a command.
fn is_refused(way: &Way<'_>, held: &Held, command: &Command) -> bool {
    let mut a = held.lowering.config().clone();
    a.execute(way.active, way.active.own(), &command.text()).is_err()
}

/// What does not go is what is said not to go.
fn is_known(
    way: &Way<'_>,
    held: &Held,
    a: &Config,
    lines: &dyn Fn() -> String,
) -> Result<(), LinesError> {
    let listed = held.lowering.stuck().map(|(key, _, cause)| (key.clone(), cause.clone()));
    let unraised = held.raising.unraised(way.standby);
    let unraised = unraised.into_iter().map(|line| (line.key, line.cause));
    let stuck: BTreeMap<ListKey, StuckCause> = listed.chain(unraised).collect();
    for (key, line) in a.lines() {
        let said = known::foreseen(way, key, &line.words);
        let found = stuck.iter().find(|(listed, _)| {
            *listed.line == *line.words.text()
                && *listed.path == *key.place.path().trim_end_matches(" / ")
        });
        match (said, found) {
            (Some(true), Some((_, cause))) => {
                let decl = way.active.form(key.form);
                let mode = way.active.mode_name(decl.mode).to_string();
                let form = Box::new((mode, decl.form.text().to_string()));
                let of = blamed(cause, &decl.form);
                let (say, cause) = (say::of_stuck(cause), kind_of(cause));
                return Err(LinesError::NotKnown { lines: lines(), form, cause, of, say });
            }
            (Some(false), None) => {
                let became = format!("`{}`", on_one_line(held.raising.config()));
                let is_several = held.raising.config().lines().count() > a.lines().count();
                return Err(LinesError::Goes { lines: lines(), became, is_several });
            }
            (Some(_) | None, _) => {}
        }
    }
    Ok(())
}

/// The captures of a line for whose values it does not go.
fn blamed(cause: &StuckCause, form: &Form) -> Vec<String> {
    match cause {
        StuckCause::Value { capture, .. } => vec![capture.to_string()],
        StuckCause::Resolves | StuckCause::Unverified => {
            form.carried().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// A cause without the values of which it speaks.
fn kind_of(cause: &StuckCause) -> String {
    match cause {
        StuckCause::Value { capture, .. } => format!("{} does not go", &**capture),
        StuckCause::Refused { why, .. } => why.to_string(),
        cause => cause.to_string(),
    }
}

/// A command with the entries around it.
fn told(command: &Command) -> String {
    command.place.path() + command.words.text()
}

/// What of two outcomes differs first, in words.
fn differing(one: &Outcome, other: &Outcome) -> (String, String) {
    let text = |text: &str| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        format!("`{}`", lines.join("; "))
    };
    let said = |of: &BTreeSet<(String, String)>| {
        let line = |(path, line): &(String, String)| match &**path {
            "" => line.clone(),
            path => format!("{path} / {line}"),
        };
        format!("`{}`", of.iter().map(line).collect::<Vec<_>>().join("; "))
    };
    if one.standby != other.standby {
        return (text(&one.standby), text(&other.standby));
    }
    if one.wire != other.wire {
        return (format!("{} sent", text(&one.wire)), format!("{} sent", text(&other.wire)));
    }
    let (listed, others) = match one.listed == other.listed {
        false => (&one.listed, &other.listed),
        true => (&one.unraised, &other.unraised),
    };
    (format!("{} listed", said(listed)), format!("{} listed", said(others)))
}

#[cfg(test)]
mod tests;
