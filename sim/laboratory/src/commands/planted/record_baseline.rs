//! `--keep`: looks for each defect from seed 0 on, and writes down what catches it.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use skewsync::planted::Defect;
use skewsync_sim::exit;
use skewsync_sim::run::{Lockstep, Options, VerdictKind};

use super::baseline::{AllKept, Cost, Kept, Sighting};
use super::{Bench, unwritten};
use crate::campaign::{Ends, Failure};
use crate::commands::adopt;
use crate::commands::files::{self, write};
use crate::regression::{Expect, Regression};
use crate::shrink::{self, How, Shrunk, Size, Sound};

/// Seeds that are run for each defect whatever they show, so that the table says how often it is
/// seen.
const SAMPLE: u64 = 40;
/// Seeds within which each defect must be seen.
const SEEDS_MAX: u64 = 2_000;
/// So many plans that fail are shrunk, unless one is small before.
const PLANS: usize = 4;
/// If none is small, so many more seeds are run for others.
const MORE_SEEDS: u64 = 600;
/// How often that is done.
const MORE_MAX: usize = 2;
/// A plan is small with so much in it.
const SMALL: Size = Size { faults: 3, commands: 6, forms: 0 };
/// The lines in the README of the kept plans between which the table stands.
const TABLE: [&str; 2] = ["<!-- table: skewlab planted --keep . -->", "<!-- end of the table -->"];

pub(super) fn run(
    bench: &Bench,
    defects: &[Defect],
    checkout: &Path,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, String> {
    let folder = checkout.join("tests/regressions");
    let (list, readme) = (checkout.join("sim/kept.toml"), folder.join("README.md"));
    let mut all: AllKept = toml::from_str(&files::text(&list)?)
        .map_err(|error| format!("{}: {error}", list.display()))?;
    let mut missed = 0;
    for defect in defects {
        let lockstep = hunt(bench, *defect, Lockstep::On);
        let properties = hunt(bench, *defect, Lockstep::Off);
        let found = [(Lockstep::Off, &properties), (Lockstep::On, &lockstep)];
        let shown = found
            .into_iter()
            .find_map(|(by, hunted)| smallest(bench, *defect, by, hunted.as_ref()?));
        let kept = Kept {
            defect: defect.name().into(),
            shrunk: shown.as_ref().map(|shown| Cost::from_shrunk(&shown.shrunk)),
            lockstep: lockstep.map(|hunted| hunted.sight),
            properties: properties.map(|hunted| hunted.sight),
        };
        writeln!(out, "{}", row(&kept)).map_err(unwritten)?;
        missed += usize::from(kept.lockstep.is_none());
        missed += usize::from(kept.properties.is_none());
        if let Some(shown) = shown {
            let kept = regression(*defect, shown);
            write(&folder.join(format!("{}.toml", defect.name())), &kept.write())?;
        } else {
            writeln!(err, "skewlab: {}: no plan is silent on the sound engine", defect.name())
                .map_err(unwritten)?;
            missed += 1;
        }
        all.put(kept);
        write(&list, &all.write())?;
        write(&readme, &with_table(&files::text(&readme)?, &all)?)?;
    }
    Ok(if missed == 0 { exit::PASSED } else { exit::SAFETY })
}

/// What was found of a defect in one way of looking.
struct Hunted {
    sight: Sighting,
    failures: Vec<Failure>,
}

fn hunt(bench: &Bench, defect: Defect, lockstep: Lockstep) -> Option<Hunted> {
    let (mut of, mut failures) = (0, Vec::new());
    while of < SEEDS_MAX && failures.is_empty() {
        let ends = if of == 0 { Ends::Never } else { Ends::AtFailure };
        let seeds = if of == 0 { SAMPLE } else { SEEDS_MAX - of };
        let ran = bench.campaign(defect, lockstep, of, seeds, ends);
        of += ran.summary.seeds().max(1);
        failures = ran.failures;
    }
    let first = failures.first()?;
    let sight = Sighting {
        property: first.verdict.kind(),
        seed: first.seed,
        failed: failures.len() as u64,
        of,
    };
    Some(Hunted { sight, failures })
}

/// A plan that shows the defect, and what it shows.
struct Shown {
    shrunk: Shrunk,
    expect: Expect,
}

fn smallest(bench: &Bench, defect: Defect, lockstep: Lockstep, hunted: &Hunted) -> Option<Shown> {
    let property = hunted.sight.property;
    let mut shown = shown_by(bench, lockstep, property, &hunted.failures);
    let mut from = hunted.sight.of;
    for _ in 0..MORE_MAX {
        if shown.iter().any(Shown::is_small) {
            break;
        }
        let more = bench.campaign(defect, lockstep, from, MORE_SEEDS, Ends::Never);
        shown.extend(shown_by(bench, lockstep, property, &more.failures));
        from += MORE_SEEDS;
    }
    let size = |shown: &Shown| {
        let length = shown.shrunk.plan.write().len();
        (!shown.is_small(), length)
    };
    shown.into_iter().min_by_key(size)
}

/// The smallest of these failures by the property, shrunk, up to the first that is small then.
fn shown_by(
    bench: &Bench,
    lockstep: Lockstep,
    property: VerdictKind,
    all: &[Failure],
) -> Vec<Shown> {
    let size = |failure: &&Failure| failure.plan.faults.len() + failure.plan.commands.len();
    let same = all.iter();
    let mut same: Vec<&Failure> =
        same.filter(|failure| failure.verdict.kind() == property).collect();
    same.sort_by_key(size);
    let how = How {
        options: Options { lockstep },
        jobs: bench.jobs,
        sound: Sound::Passes,
        ..How::default()
    };
    let mut all: Vec<Shown> = Vec::new();
    for failure in same.into_iter().take(PLANS) {
        let mut plan = failure.plan.clone();
        // The plan is about the engine: a family that grows by a form does not end it.
        plan.units.iter_mut().for_each(|unit| unit.digest.clear());
        let Ok(shrunk) = shrink::shrink(&plan, &bench.catalog, &how, &mut |_| {}) else {
            continue;
        };
        let Ok(expect) = adopt::expect(&shrunk.plan, &bench.catalog) else {
            continue;
        };
        if !expect.sound.passed() || expect.lockstep.passed() {
            continue;
        }
        all.push(Shown { shrunk, expect });
        if all.last().is_some_and(Shown::is_small) {
            break;
        }
    }
    all
}

impl Shown {
    const fn is_small(&self) -> bool {
        let after = self.shrunk.after;
        after.faults <= SMALL.faults && after.commands <= SMALL.commands
    }
}

fn regression(defect: Defect, shown: Shown) -> Regression {
    let plan = shown.shrunk.plan;
    let seed = plan.seed;
    let seed = seed.map_or_else(String::new, |seed| format!(", from seed {seed}"));
    Regression {
        what: format!("Planted defect {}{seed}: {}", defect.name(), defect.what()),
        expect: shown.expect,
        plan,
    }
}

impl Cost {
    const fn from_shrunk(shrunk: &Shrunk) -> Self {
        Self {
            before: shrunk.before,
            after: shrunk.after,
            runs: shrunk.runs,
            seconds: shrunk.seconds,
        }
    }

    /// The cells of a row: faults, commands, seconds, runs.
    fn cells(&self) -> String {
        let (before, after) = (self.before, self.after);
        format!(
            "{} -> {} | {} -> {} | {:.1} | {}",
            before.faults, after.faults, before.commands, after.commands, self.seconds, self.runs
        )
    }
}

fn row(kept: &Kept) -> String {
    let cell = |sight: &Option<Sighting>| match sight {
        Some(sight) => {
            format!("{} | {} | {} of {}", sight.property, sight.seed, sight.failed, sight.of)
        }
        None => "- | - | -".into(),
    };
    let cost = kept.shrunk.as_ref();
    format!(
        "| [`{0}`]({0}.toml) | {1} | {2} | {3} |",
        kept.defect,
        cell(&kept.lockstep),
        cell(&kept.properties),
        cost.map_or_else(|| "- | - | - | -".into(), Cost::cells)
    )
}

/// The README with the table of what is kept in the place of the former one.
fn with_table(readme: &str, all: &AllKept) -> Result<String, String> {
    let parts = readme
        .split_once(TABLE[0])
        .and_then(|(before, rest)| Some((before, rest.split_once(TABLE[1])?.1)));
    let Some((before, after)) = parts else {
        let [begins, ends] = TABLE;
        return Err(format!("the README has no place for the table: `{begins}` and `{ends}`"));
    };
    let mut table = String::from(
        "| defect | with the lockstep | first seed | failed | by the properties alone | first seed \
         | failed \
         | faults | commands | seconds | runs |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for kept in &all.kept {
        let _ = writeln!(table, "{}", row(kept));
    }
    Ok(format!("{before}{}\n{table}{}{after}", TABLE[0], TABLE[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_the_former_one_and_leaves_the_words() {
        let mut all = AllKept::default();
        all.put(Kept {
            defect: "gap-accepted".into(),
            lockstep: None,
            properties: None,
            shrunk: None,
        });
        let [begins, ends] = TABLE;
        let readme = format!("# Kept\n{begins}\nold\n{ends}\nwhy\n");
        let once = with_table(&readme, &all).expect("there is a place");
        assert!(once.starts_with("# Kept\n") && once.ends_with("\nwhy\n"), "{once}");
        assert!(once.contains("gap-accepted") && !once.contains("old"), "{once}");
        assert_eq!(with_table(&once, &all), Ok(once));
        assert!(with_table("# Kept\n", &all).is_err());
    }
}
