//! What cannot go from one release to its neighbour: known, and published, before an image is
//! shipped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use skewsync::config::LineKey;
use skewsync::disposition::{Disposition, Fails, Guard};
use skewsync::grammar::Words;
use skewsync::ids::FormId;
use skewsync::image::{FormDecl, LinePattern, Refusal};
use skewsync::transform::{Pattern, SideOf, Step, Tft};

use super::and_more;
use super::way::Way;

/// A form of which not every line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The Active's release; of what was tried, the component and its level there.
    pub active: String,
    /// The Standby's release; of what was tried, the level there.
    pub standby: String,
    /// The mode.
    pub mode: String,
    /// The form.
    pub form: String,
    /// Which lines do not, and why.
    pub way: Shortfall,
}

/// Which lines of a form do not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// None goes.
    Stuck,
    /// It need not go.
    DontCare(String),
    /// Those with these values do not.
    Values(String),
    /// Those of which the rest of the group is not there do not.
    Group,
    /// Those of which another line comes to the same do not.
    Same,
    /// The peer's parser is asked, line by line.
    Asked,
    /// Those do not that the peer refuses for what else is there.
    Refused(String),
    /// Several lines, or values, decide together: such lines as this did not when they were tried.
    Tried {
        /// The smallest of them.
        line: String,
        /// Why it does not.
        cause: String,
        /// How many more did not for the same cause.
        more: usize,
    },
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, standby, mode, form, way } = self;
        write!(f, "{active} -> {standby}  {mode} / {form}  ")?;
        match way {
            Shortfall::Stuck => write!(f, "stuck"),
            Shortfall::DontCare(reason) => write!(f, "don't-care: {reason}"),
            Shortfall::Values(values) => write!(f, "stuck where {values}"),
            Shortfall::Group => write!(f, "stuck where only a part of its group is there"),
            Shortfall::Same => write!(f, "stuck where another line comes to the same"),
            Shortfall::Asked => write!(f, "asked line by line"),
            Shortfall::Refused(how) => write!(f, "stuck {how}"),
            Shortfall::Tried { line, cause, more } => {
                write!(f, "stuck are such as {line}: {cause}{}", and_more(*more))
            }
        }
    }
}

/// Appends what does not go on a way.
pub(super) fn on(way: &Way<'_>, known: &mut Vec<Known>) {
    let active = way.active;
    for (id, decl) in active.forms() {
        if !decl.lives_at(active.levels()[usize::from(decl.component.0)]) {
            continue;
        }
        let mut ways = Vec::new();
        ways_of(&way.at_active.disposition(active, id), &mut ways);
        let raised = Raised::new(way, id);
        let more = [(raised.group, Shortfall::Group), (raised.same, Shortfall::Same)];
        let more = more.into_iter().filter(|(is_so, way)| *is_so && !ways.contains(way));
        let more: Vec<Shortfall> = more.map(|(_, way)| way).collect();
        if ways.iter().all(|way| !matches!(way, Shortfall::Stuck | Shortfall::DontCare(_))) {
            ways.extend(more);
        }
        known.extend(ways.into_iter().map(|shortfall| Known {
            active: active.declarations().release.clone(),
            standby: way.standby.declarations().release.clone(),
            mode: active.mode_name(decl.mode).to_string(),
            form: decl.form.text().to_string(),
            way: shortfall,
        }));
    }
    refused(way, known);
}

/// What decides whether lines of a form go, beside their values, where the peer raises them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Raised {
    /// The other lines of their group.
    group: bool,
    /// Another line that comes to the same.
    same: bool,
}

impl Raised {
    fn new(way: &Way<'_>, form: FormId) -> Self {
        let mut raised = Self::default();
        let Some(first) = form_there(way, form) else { return raised };
        let (image, tft) = (way.standby, way.at_standby.tft());
        let mut ends = vec![first];
        for step in way.at_standby.steps() {
            let mut next = Vec::new();
            for at in ends {
                let Some(used) = tft.read_by(*step, at) else {
                    next.push(at);
                    continue;
                };
                let rule = tft.rule(used.rule);
                // What is absent, and says something, is no part that is missing.
                let needed = |of: &&Pattern| of.form != at && of.optional.is_none();
                let needed = rule.old.iter().filter(needed);
                let said = |of: &&Pattern| image.form(of.form).absent.is_none();
                raised.group |= rule.one.is_none() && needed.clone().any(|of| said(&of));
                raised.group |= rule.one == Some(SideOf::Old) && rule.old.len() > 1;
                raised.same |= rule.old[used.pattern].address.len() > rule.key.len();
                next.extend(rule.new.iter().map(|pattern| pattern.form));
            }
            ends = next;
        }
        raised
    }
}

/// The form of the Standby that reads lines of a form of the Active's as they travel; none: no
/// form does.
fn form_there(way: &Way<'_>, form: FormId) -> Option<FormId> {
    let decl = way.active.form(form);
    let name = &way.active.declarations().components[usize::from(decl.component.0)].name;
    let mut components = way.standby.declarations().components.iter();
    let component = components.position(|component| component.name == *name)?;
    let mode = way.standby.mode(way.active.mode_name(decl.mode))?;
    way.standby.find(mode, &decl.form, way.at_standby.levels()[component])
}

/// Whether a line is said to go, or not to; none: something else decides, or it need not go.
///
/// # Shape
/// What stands in an instance that does not go may be moved out of it: only of lines in instances
/// that go it is said that they do.
pub(crate) fn foreseen(way: &Way<'_>, key: &LineKey, words: &Words) -> Option<bool> {
    let mut around = key.place.instances().iter();
    let goes = |(form, words): &(FormId, Words)| foreseen_alone(way, *form, words) == Some(true);
    let own = foreseen_alone(way, key.form, words);
    own.filter(|own| !own || around.all(goes))
}

fn foreseen_alone(way: &Way<'_>, form: FormId, words: &Words) -> Option<bool> {
    let values = way.active.form(form).form.values_of(words);
    let ends = end(way.at_active.disposition(way.active, form), &values);
    match ends {
        Foreseen::Goes if may_be_refused(way, form) => None,
        Foreseen::Goes if Raised::new(way, form) == Raised::default() => Some(true),
        Foreseen::Goes | Foreseen::DontCare | Foreseen::Else => None,
        Foreseen::Stuck => Some(false),
    }
}

/// Whether no line of a form goes, or of that of an entry around a line of it.
pub(crate) fn is_stuck(way: &Way<'_>, key: &LineKey) -> bool {
    let around = key.place.instances().iter().map(|(form, _)| *form);
    let never = |form: FormId| {
        let disposition = way.at_active.disposition(way.active, form);
        matches!(disposition, Disposition::Stuck(_) | Disposition::DontCare(_))
    };
    around.chain([key.form]).any(never)
}

/// Whether a line need not go.
pub(crate) fn cares_not(way: &Way<'_>, key: &LineKey, words: &Words) -> bool {
    let values = way.active.form(key.form).form.values_of(words);
    end(way.at_active.disposition(way.active, key.form), &values) == Foreseen::DontCare
}

/// What is said of a line beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreseen {
    Goes,
    Stuck,
    DontCare,
    /// Others than its values decide.
    Else,
}

/// What a disposition says of a line with these values.
fn end(disposition: Disposition, values: &BTreeMap<&str, Cow<'_, str>>) -> Foreseen {
    match disposition {
        Disposition::AsIs | Disposition::Lowered(_) | Disposition::Raised => Foreseen::Goes,
        Disposition::DontCare(_) => Foreseen::DontCare,
        Disposition::Stuck(_) => Foreseen::Stuck,
        Disposition::Guarded { guard: Guard::Values(fails), inside, outside } => {
            let value = |name: &str| values.get(name).map(|value| &**value);
            let fails = fails.iter().any(|fails| fails.has(value(&fails.capture)));
            end(if fails { *outside } else { *inside }, values)
        }
        Disposition::Guarded {
            guard: Guard::Group | Guard::Same | Guard::Resolve, inside, ..
        } => match end(*inside, values) {
            Foreseen::Goes => Foreseen::Else,
            other => other,
        },
    }
}

/// Appends what the Standby refuses for what else is there, and the Active does not, in the words
/// of the Active.
fn refused(way: &Way<'_>, known: &mut Vec<Known>) {
    let (active, standby) = (way.active, way.standby);
    let mut refusals = standby.refusals_at(standby.levels()).peekable();
    if refusals.peek().is_none() {
        return;
    }
    let here: Vec<&Refusal> = active.refusals_at(active.levels()).collect();
    let arrivals = arrivals(way);
    for refusal in refusals {
        let (line, other) = match refusal.without {
            true => (&refusal.first, &refusal.second),
            false => (&refusal.second, &refusal.first),
        };
        let others = sources(&arrivals, other);
        let other = said_by(way, &others, other);
        for source in sources(&arrivals, line) {
            let same = |own: &Refusal| {
                own.without == refusal.without
                    && own.is_about(source)
                    && others.iter().all(|other| own.is_about(*other))
            };
            if here.iter().any(|own| same(own)) {
                continue;
            }
            let how = if refusal.without { "without" } else { "beside" };
            let why = &refusal.why;
            known.push(Known {
                active: active.declarations().release.clone(),
                standby: standby.declarations().release.clone(),
                mode: active.mode_name(active.form(source).mode).to_string(),
                form: said_by(way, &[source], line),
                way: Shortfall::Refused(format!("{how} `{other}`: {why}")),
            });
        }
    }
}

/// Whether the Standby may refuse lines of a form of the Active's for what else is there.
fn may_be_refused(way: &Way<'_>, form: FormId) -> bool {
    let mut refusals = way.standby.refusals_at(way.standby.levels()).peekable();
    refusals.peek().is_some() && {
        let there = arrives(way, form);
        refusals.any(|refusal| there.iter().any(|form| refusal.is_about(*form)))
    }
}

/// The forms of the Active, each with those of the Standby as whose lines its own arrive.
fn arrivals(way: &Way<'_>) -> Vec<(FormId, Vec<FormId>)> {
    let levels = way.active.levels();
    let lives = |decl: &FormDecl| decl.lives_at(levels[usize::from(decl.component.0)]);
    let living = way.active.forms().filter(|(_, decl)| lives(decl));
    living.map(|(form, _)| (form, arrives(way, form))).collect()
}

/// The forms of the Standby as whose lines those of a form of the Active's arrive.
fn arrives(way: &Way<'_>, form: FormId) -> Vec<FormId> {
    let sent = ends(way.at_active.tft(), way.at_active.steps(), form);
    let there = sent.into_iter().filter_map(|form| form_there(way, form));
    let up = |form| ends(way.at_standby.tft(), way.at_standby.steps(), form);
    there.flat_map(up).collect()
}

/// What lines of a form become on the way of these steps.
fn ends(tft: &Tft, steps: &[Step], form: FormId) -> Vec<FormId> {
    steps.iter().fold(vec![form], |ends, step| {
        let next = ends.into_iter().flat_map(|at| match tft.read_by(*step, at) {
            Some(used) => {
                let to = tft.rule(used.rule).side(step.direction.to());
                to.iter().map(|pattern| pattern.form).collect()
            }
            None => vec![at],
        });
        next.collect()
    })
}

/// The forms of the Active whose lines arrive as lines of a pattern.
fn sources(arrivals: &[(FormId, Vec<FormId>)], line: &LinePattern) -> Vec<FormId> {
    let of: Vec<FormId> = line.forms().collect();
    let arrive = arrivals.iter().filter(|(_, there)| there.iter().any(|form| of.contains(form)));
    arrive.map(|(form, _)| *form).collect()
}

/// A pattern in the Active's words: as it stands, where the forms are the same on both sides.
fn said_by(way: &Way<'_>, sources: &[FormId], line: &LinePattern) -> String {
    let form = |form: FormId| &way.active.form(form).form;
    let same =
        |source: &&FormId| line.forms().any(|own| way.standby.form(own).form == *form(**source));
    match sources.iter().find(|source| !same(source)) {
        Some(other) => form(*other).text().to_string(),
        None => line.text().to_string(),
    }
}

fn ways_of(disposition: &Disposition, ways: &mut Vec<Shortfall>) {
    match disposition {
        Disposition::AsIs | Disposition::Lowered(_) | Disposition::Raised => {}
        Disposition::DontCare(reason) => ways.push(Shortfall::DontCare(reason.to_string())),
        Disposition::Stuck(_) => ways.push(Shortfall::Stuck),
        Disposition::Guarded { guard, inside, .. } => {
            ways.push(match guard {
                Guard::Values(fails) => {
                    let values = fails.iter().map(failing);
                    Shortfall::Values(values.collect::<Vec<_>>().join(" or "))
                }
                Guard::Group => Shortfall::Group,
                Guard::Same => Shortfall::Same,
                Guard::Resolve => Shortfall::Asked,
            });
            ways_of(inside, ways);
        }
    }
}

fn failing(fails: &Fails) -> String {
    let mut values = fails.values();
    if fails.all {
        let but: Vec<&str> = fails.but.iter().chain(&fails.fits).map(|word| &**word).collect();
        let but = but.join(", ");
        let is_any = but.is_empty();
        values = vec![if is_any { "given".into() } else { format!("not {but}") }];
    }
    let no_multiple = |of| format!("no multiple of {of}");
    values.extend(fails.multiples_of.map(no_multiple));
    values.extend(fails.several.then(|| "several words".to_string()));
    values.extend(fails.absent.then(|| "missing".to_string()));
    format!("{} is {}", fails.capture, values.join("|"))
}
