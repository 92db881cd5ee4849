//! `skewsync image try`: the way of lines between two releases, in both directions, rung by rung.
//!
//! What it comes to is data first, with the verification of `preview`; then it is shown.

mod shown;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use serde::Serialize;
use skewsync::config::Config;
use skewsync::grammar::Form;
use skewsync::image::{Family, Image, Side};
use skewsync::transform::{Direction, Step};
use skewsync::translate::{LineDisposition, Listing, Lowering, Raising};

use crate::Exit;
use crate::commands::preview::not_raised;
use crate::input::InputError;
use crate::pair::Pair;
use crate::running::{key_of, shown};

/// What separates the entry lines of the modes from the line.
const BETWEEN: &str = " / ";

/// The way of lines from one release to another.
///
/// # Shape
/// A config is a list of its lines, and of its instances that are empty, each with the entry lines
/// before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Way {
    /// The release from which they go.
    pub from: String,
    /// The release to which they go.
    pub to: String,
    /// The line that the first release does not take, and why; then nothing went.
    pub not_taken: Option<Reason>,
    /// The config that they are on the first release.
    pub on: Vec<String>,
    /// The steps down that rewrite it.
    pub lowered: Vec<Rewrite>,
    /// Lines that are not sent.
    pub stuck: Vec<Reason>,
    /// Lines that need not be sent.
    pub dont_care: Vec<Reason>,
    /// What is sent.
    pub sent: Vec<String>,
    /// Lines of what is sent that the other release does not read, or cannot raise.
    pub not_raised: Vec<Reason>,
    /// The steps up that rewrite it.
    pub raised: Vec<Rewrite>,
    /// The config that it comes to on the other release.
    pub arrived: Vec<String>,
    /// How many steps leave it as it is.
    pub other_steps: usize,
}

/// A line, and why it does not go, or need not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// The line.
    pub line: String,
    /// Why.
    pub why: String,
}

/// A step that rewrites lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Rewrite {
    /// The step: `services 3 -> 2`.
    pub step: String,
    /// The config after it.
    pub lines: Vec<String>,
    /// Why the family's author changed the syntax.
    pub why: String,
}

/// Shows the way of `lines` from release `one` to release `other` and back.
///
/// # Errors
/// See [`InputError`].
pub(super) fn run(
    family: &Family,
    [one, other]: [&str; 2],
    lines: &[String],
    json: bool,
    out: &mut dyn Write,
) -> Result<Exit, InputError> {
    let (Some(a), Some(b)) = (family.image(one), family.image(other)) else {
        let known = family.releases().collect::<Vec<_>>().join(", ");
        let missing = if family.image(one).is_none() { one } else { other };
        writeln!(out, "no release {missing}; there are: {known}")?;
        return Ok(Exit::NotSo);
    };
    let (a, b) = (Arc::new(a), Arc::new(b));
    let there = Pair::new(Arc::clone(&a), Arc::clone(&b))?;
    let back = Pair::new(b, a)?;
    // Each line begins at the root.
    let text: Vec<String> = lines.iter().map(|line| line.replace(BETWEEN, "\n")).collect();
    let text = text.join("\nend\n");
    let mut arrived: Option<Config> = None;
    let mut ways = Vec::new();
    for pair in [&there, &back] {
        let mut config = Config::factory(pair.active.levels());
        let read = config.execute(&pair.active, pair.active.own(), &text);
        // What came there goes back.
        let start = match (read, arrived.take()) {
            (Ok(_), _) => Ok(config),
            (Err(_), Some(config)) => Ok(config),
            (Err(error), None) => Err(error),
        };
        ways.push(match start {
            Ok(config) => {
                let (way, there) = Way::new(pair, &config);
                arrived = Some(there);
                way
            }
            Err(error) => {
                let line = text.lines().nth(error.number - 1).unwrap_or("").to_owned();
                let reason = Reason { line, why: error.trouble.to_string() };
                Way { not_taken: Some(reason), ..Way::between(pair) }
            }
        });
    }
    if json {
        serde_json::to_writer(&mut *out, &ways).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for way in &ways {
            way.show(out)?;
        }
    }
    let taken = ways.iter().any(|way| way.not_taken.is_none());
    let goes = ways.iter().all(Way::goes);
    Ok(if taken && goes { Exit::Ok } else { Exit::NotSo })
}

impl Way {
    /// The way of a config from the Active to the Standby, and what the Standby comes to.
    fn new(pair: &Pair, config: &Config) -> (Self, Config) {
        let lowering = Lowering::new(&pair.active, &pair.at_active, config);
        let mut way = Self { on: flat(config), ..Self::between(pair) };
        way.lowered = way.rewrites(&pair.active, pair.at_active.steps(), lowering.rungs());
        for line in lowering.explain(&pair.active, &pair.at_active) {
            let key = shown(&line.key);
            match line.way {
                LineDisposition::Stuck(cause) => {
                    way.stuck.push(Reason { line: key, why: cause.to_string() });
                }
                LineDisposition::DontCare { reason } => {
                    way.dont_care.push(Reason { line: key, why: reason.to_string() });
                }
                LineDisposition::AsIs
                | LineDisposition::Lowered { .. }
                | LineDisposition::Raised => {}
            }
        }
        way.sent = flat(lowering.wire_config());
        let not_raised = not_raised(pair, &lowering).into_iter();
        way.not_raised = not_raised.map(|(key, why)| Reason { line: shown(&key), why }).collect();
        let bytes = lowering.wire_bytes();
        let Ok(w) = Raising::read_w(&pair.standby, &pair.at_standby, &bytes) else {
            return (way, Config::factory(pair.standby.levels()));
        };
        let (raising, _) = Raising::new(&pair.standby, &pair.at_standby, w, Listing::default());
        way.raised = way.rewrites(&pair.standby, pair.at_standby.steps(), raising.rungs());
        way.arrived = flat(raising.config());
        (way, raising.config().clone())
    }

    /// Nothing on the way from the Active to the Standby.
    fn between(pair: &Pair) -> Self {
        let [from, to] = [&pair.active, &pair.standby];
        let release = |image: &Image| image.declarations().release.clone();
        Self { from: release(from), to: release(to), ..Self::default() }
    }

    /// Whether all that was taken arrives, or need not.
    fn goes(&self) -> bool {
        self.stuck.is_empty() && self.not_raised.is_empty()
    }

    /// Each rung that differs from the one before; those that do not are counted.
    fn rewrites(&mut self, image: &Image, steps: &[Step], rungs: &[Config]) -> Vec<Rewrite> {
        let mut rewrites = Vec::new();
        for (step, pair) in steps.iter().zip(rungs.windows(2)) {
            let lines = flat(&pair[1]);
            if flat(&pair[0]) == lines {
                self.other_steps += 1;
                continue;
            }
            let component = &image.declarations().components[usize::from(step.component.0)].name;
            let below = step.level.0.saturating_sub(1);
            let name = match step.direction {
                Direction::Lower => format!("{component} {} -> {below}", step.level.0),
                Direction::Raise => format!("{component} {below} -> {}", step.level.0),
            };
            rewrites.push(Rewrite { step: name, lines, why: changed_because(image, *step, pair) });
        }
        rewrites
    }
}

/// Why the changes of a step were made that have a form of one of these configs.
fn changed_because(image: &Image, step: Step, configs: &[Config]) -> String {
    let mut forms = BTreeSet::new();
    for config in configs {
        forms.extend(config.lines().map(|(key, _)| key.form));
        forms.extend(config.entries().filter_map(|(place, _)| place.entry_form()));
    }
    let forms: BTreeSet<&str> =
        forms.into_iter().map(|form| image.form(form).form.normal()).collect();
    let has = |side: &Side| Form::parse(&side.form).is_ok_and(|form| forms.contains(form.normal()));
    let changes = image.declarations().changes.iter();
    let mut reasons: Vec<&str> = changes
        .filter(|change| change.component == step.component.0 && change.level == step.level.0)
        .filter(|change| change.old.iter().chain(&change.new).any(has))
        .map(|change| change.why.as_str())
        .collect();
    reasons.dedup();
    reasons.join("; ")
}

/// A small config as its lines and its empty instances, each with the entries before it.
fn flat(config: &Config) -> Vec<String> {
    let lines = config.lines().map(|(key, line)| shown(&key_of(&key.place, line.words.text())));
    let empty = config
        .entries()
        .filter(|(place, _)| config.is_empty_place(place))
        .map(|(place, _)| place.path().trim_end_matches(BETWEEN).to_owned());
    lines.chain(empty).collect()
}
