//! `skewsync image try`: one line's way between two releases, in both directions, rung by rung.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::grammar::Form;
use skewsync::image::{Family, Image, Side};
use skewsync::transform::{Direction, Step};
use skewsync::translate::{LineDisposition, Listing, Lowering, Raising};

use crate::Exit;
use crate::input::InputError;
use crate::pair::Pair;
use crate::running::{key_of, shown};

/// What separates the entry lines of the modes from the line.
const BETWEEN: &str = " / ";

/// Shows the way of `line` from release `one` to release `other` and back.
///
/// # Errors
/// See [`InputError`].
pub(super) fn run(
    family: &Family,
    [one, other]: [&str; 2],
    line: &str,
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
    let text = line.replace(BETWEEN, "\n");
    let mut taken = false;
    let mut arrived: Option<Config> = None;
    for (pair, from) in [(&there, one), (&back, other)] {
        let mut config = Config::factory(pair.active.levels());
        let read = config.execute(&pair.active, pair.active.own(), &text);
        let start = match (read, arrived.take()) {
            (Ok(_), _) => Ok(config),
            // What came there goes back.
            (Err(_), Some(config)) => Ok(config),
            (Err(error), None) => Err(error),
        };
        match start {
            Ok(config) => {
                taken = true;
                arrived = Some(way(pair, &config, out)?);
            }
            Err(error) => {
                let part = text.lines().nth(error.number - 1).unwrap_or("");
                writeln!(out, "{from} does not take `{part}`: {}", error.trouble)?;
            }
        }
    }
    Ok(if taken { Exit::Ok } else { Exit::NotSo })
}

/// Shows the way of a config from the Active to the Standby; what the Standby comes to.
fn way(pair: &Pair, config: &Config, out: &mut dyn Write) -> Result<Config, InputError> {
    let names = [&pair.active, &pair.standby].map(|image| image.declarations().release.clone());
    writeln!(out, "{} -> {}", names[0], names[1])?;
    let lowering = Lowering::new(&pair.active, &pair.at_active, config);
    row(out, &format!("on {}", names[0]), &flat(config))?;
    let mut idle = steps(out, &pair.active, pair.at_active.steps(), lowering.rungs())?;
    for line in lowering.explain(&pair.active, &pair.at_active) {
        match line.way {
            LineDisposition::Stuck(cause) => {
                row(out, "stuck", &format!("{}: {cause}", shown(&line.key)))?;
            }
            LineDisposition::DontCare { reason } => {
                row(out, "don't-care", &format!("{}: {}", shown(&line.key), &*reason))?;
            }
            LineDisposition::AsIs | LineDisposition::Lowered { .. } | LineDisposition::Raised => {}
        }
    }
    row(out, "sent", &flat(lowering.wire_config()))?;
    let bytes = lowering.wire_bytes();
    let w = match Raising::read_w(&pair.standby, &pair.at_standby, &bytes) {
        Ok(w) => w,
        Err(error) => {
            row(out, "not read there", &error.to_string())?;
            return Ok(Config::factory(pair.standby.levels()));
        }
    };
    let (raising, _) = Raising::new(&pair.standby, &pair.at_standby, w, Listing::default());
    idle += steps(out, &pair.standby, pair.at_standby.steps(), raising.rungs())?;
    for held in raising.held_out(&pair.standby) {
        row(out, "not raised", &format!("{}: {}", shown(&held.key), held.cause))?;
    }
    row(out, &format!("on {}", names[1]), &flat(raising.config()))?;
    if idle > 0 {
        writeln!(out, "  ({idle} other steps leave it as it is)")?;
    }
    Ok(raising.config().clone())
}

fn row(out: &mut dyn Write, name: &str, what: &str) -> std::io::Result<()> {
    writeln!(out, "  {name:18}  {what}")
}

/// Shows each rung that differs from the one before; how many do not.
fn steps(
    out: &mut dyn Write,
    image: &Image,
    steps: &[Step],
    rungs: &[Config],
) -> std::io::Result<usize> {
    let mut idle = 0;
    for (step, pair) in steps.iter().zip(rungs.windows(2)) {
        let made = flat(&pair[1]);
        if flat(&pair[0]) == made {
            idle += 1;
            continue;
        }
        let component = &image.declarations().components[usize::from(step.component.0)].name;
        let below = step.level.0.saturating_sub(1);
        let name = match step.direction {
            Direction::Lower => format!("{component} {} -> {below}", step.level.0),
            Direction::Raise => format!("{component} {below} -> {}", step.level.0),
        };
        let why = why(image, *step, pair);
        row(out, &name, &format!("{made}   ({why})"))?;
    }
    Ok(idle)
}

/// Why the changes of a step were made that have a form of one of these configs.
fn why(image: &Image, step: Step, configs: &[Config]) -> String {
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

/// A small config on one line: each line, and each empty instance, with the entries before it.
fn flat(config: &Config) -> String {
    let lines = config.lines().map(|(key, line)| shown(&key_of(&key.place, line.words.text())));
    let empty = config
        .entries()
        .filter(|(place, _)| config.is_empty_place(place))
        .map(|(place, _)| place.path().trim_end_matches(BETWEEN).to_owned());
    let all: Vec<String> = lines.chain(empty).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" + ") }
}
