//! Families with a mistake in them: whether `image check` refuses them, whether what arrives is
//! what was meant, and whether runs of their images break a property.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::config::render::{read_edits, render_edits};
use skewsync::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::grammar::written;
use skewsync::ids::{Lsn, Term};
use skewsync::image::{Family, Image};
use skewsync::translate::{ListKey, Lowering, Raising};
use skewsync_check as check;
use skewsync_families::{Drawn, Otherwise, Place, Rng};
use skewsync_sim::catalog::Catalog;
use skewsync_sim::oracle::same_meaning::implied;
use skewsync_sim::run::{Options, Verdict};
use skewsync_sim::runner::{Failed, Runner};

use crate::draw::{self, CommandCorpus, DrawOptions, Families};

/// Commands of one history.
const COMMANDS: usize = 16;
/// Runs of the images of one family.
const RUNS: u64 = 10;

/// What became of a family that was written so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it cannot be read, or what `image check` finds wrong with it; none: it is accepted.
    pub refused: Option<String>,
    /// What becomes of what was meant; none: nobody can read the family, or the engine fails.
    pub arrives: Option<Arrives>,
    /// What the engine fails at: it panics, a pair does not come about, what is sent is not read,
    /// or a run of its images breaks a property. Runs know the files alone, and nothing of what was
    /// meant.
    pub broken: Option<String>,
}

/// What becomes of what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrives {
    /// It arrives, and what does not is listed as it must be.
    AsMeant,
    /// Something that was meant does not arrive, and is listed.
    Listed(String),
    /// A Standby holds what was not meant, or lacks what is not listed.
    Otherwise(String),
}

impl Outcome {
    /// Whether it is accepted, and all that was meant arrives.
    pub fn is_sound(&self) -> bool {
        let arrives = self.arrives == Some(Arrives::AsMeant);
        self.refused.is_none() && arrives && self.broken.is_none()
    }
}

/// What becomes of these files of a family: histories of commands go between each two of its
/// releases, line by line, and at last from nothing; and runs of its images are judged.
pub fn judge(drawn: &Drawn, files: &[(String, String)]) -> Outcome {
    let texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let family = match Family::parse(&texts) {
        Ok(family) => family,
        Err(errors) => {
            let refused = Some(errors[0].to_string());
            return Outcome { refused, arrives: None, broken: None };
        }
    };
    let refused = check::family(&family).findings.first().map(ToString::to_string);
    let image = |release: usize| family.image(&drawn.releases()[release].name).expect("a release");
    let images: Vec<Image> = (0..drawn.releases().len()).map(image).collect();
    let arrives = match arrives(drawn, &images) {
        Ok(arrives) => arrives,
        Err(fails) => return Outcome { refused, arrives: None, broken: Some(fails) },
    };
    // What is accepted and arrives is judged by each campaign on drawn families.
    let is_sound = refused.is_none() && arrives == Arrives::AsMeant;
    let broken = (!is_sound).then(|| broken(images)).flatten();
    Outcome { refused, arrives: Some(arrives), broken }
}

/// Errors: what the engine fails at.
fn arrives(drawn: &Drawn, images: &[Image]) -> Result<Arrives, String> {
    let mut listed = None;
    let mut wrong = None;
    for (one, active) in images.iter().enumerate() {
        for (other, standby) in images.iter().enumerate() {
            let run = || history(drawn, (one, other), (active, standby));
            let found = catch_unwind(AssertUnwindSafe(run));
            let between = |what| format!("{} -> {}: {what}", one + 1, other + 1);
            match found.unwrap_or_else(|_| Err("a panic".to_owned())).map_err(between)? {
                None => {}
                Some(Otherwise::Listed(what)) => listed = listed.or_else(|| Some(between(what))),
                Some(Otherwise::Wrong(what)) => wrong = wrong.or_else(|| Some(between(what))),
            }
        }
    }
    let listed = listed.map(Arrives::Listed);
    Ok(wrong.map(Arrives::Otherwise).or(listed).unwrap_or(Arrives::AsMeant))
}

/// What a run of these images breaks; none: nothing.
fn broken(images: Vec<Image>) -> Option<String> {
    let images = images.into_iter().enumerate();
    let named = images.map(|(at, image)| (format!("release-{}", at + 1), image));
    let catalog = match Catalog::of(named) {
        Ok(catalog) => Arc::new(catalog),
        Err(error) => return Some(error.to_string()),
    };
    let material = Arc::new(CommandCorpus::from_catalog(&catalog));
    let wishes = DrawOptions { families: Families::Meridian, material, ..DrawOptions::default() };
    let runner = Runner::new(&catalog, Options::default());
    (0..RUNS).find_map(|seed| match runner.run(&Arc::new(draw::plan(seed, &wishes))) {
        Ok(report) => (report.verdict != Verdict::Passed).then(|| report.verdict.words()),
        Err(failed) => Some(Failed::words(failed)),
    })
}

/// What arrives otherwise than was meant in a history of commands. Errors: what the engine fails
/// at.
fn history(
    drawn: &Drawn,
    (one, other): (usize, usize),
    (active, standby): (&Image, &Image),
) -> Result<Option<Otherwise>, String> {
    let dump = Dump::from_image(active).encode();
    let at_standby =
        pair_at_standby(standby, dump.as_bytes()).map_err(|error| error.to_string())?;
    let at_active =
        pair_at_active(active, at_standby.diff_bytes()).map_err(|error| error.to_string())?;
    let of = ((active, &at_active), (standby, &at_standby));
    let mut rng = Rng::new(0, (one * 100 + other) as u64);
    let mut meaning = drawn.blank();
    let mut pair = Pair::new(of, &Config::factory(active.levels()))?;
    let (mut listed, mut wrong) = (None, None);
    for _ in 0..COMMANDS {
        let command = drawn.command(one, &mut meaning, &mut rng);
        // What A does not take changes nothing.
        pair.execute(of, &command)?;
        let a = pair.lowering.config();
        let Some(is) = drawn.read(one, &a.render(), &implied(a)) else {
            return Ok(wrong.or(listed));
        };
        meaning = is;
        let arrival = drawn.arrival(one, other, &meaning);
        let s = canonical(drawn, other, pair.raising.config());
        match arrival.otherwise(&s, &pair.listed(standby)) {
            None => {}
            Some(Otherwise::Listed(what)) => listed = Some(Otherwise::Listed(what)),
            Some(Otherwise::Wrong(what)) => {
                wrong =
                    wrong.or_else(|| Some(Otherwise::Wrong(format!("{what} after {command:?}"))));
            }
        }
    }
    let scratch = Pair::new(of, pair.lowering.config())?;
    let arrival = drawn.arrival(one, other, &meaning);
    let s = canonical(drawn, other, scratch.raising.config());
    Ok(wrong.or_else(|| arrival.otherwise(&s, &scratch.listed(standby))).or(listed))
}

/// A config as its release was to write it: without lines that say what their absence was meant to
/// say. What the release was not to take stays as it is.
fn canonical(drawn: &Drawn, release: usize, config: &Config) -> String {
    let text = config.render();
    let meaning = drawn.read(release, &text, &implied(config));
    meaning.map_or(text, |meaning| drawn.write(release, &meaning))
}

/// The images of two units, each with what it makes of the other.
type Of<'a> = ((&'a Image, &'a ActivePairing), (&'a Image, &'a StandbyPairing));

/// What two units hold.
struct Pair {
    lowering: Lowering,
    raising: Raising,
    lsn: u64,
}

impl Pair {
    fn new(
        ((active, at_active), (standby, at_standby)): Of<'_>,
        a: &Config,
    ) -> Result<Self, String> {
        let lowering = Lowering::new(active, at_active, a);
        let w = Raising::read_w(standby, at_standby, &lowering.wire_bytes());
        let w = w.map_err(|error| format!("W is not read: {error}"))?;
        let listing = lowering.listing().clone();
        let (raising, _) = Raising::new(standby, at_standby, w, listing);
        Ok(Self { lowering, raising, lsn: 0 })
    }

    /// Executes a command on A, if A takes it.
    fn execute(
        &mut self,
        ((active, at_active), (standby, at_standby)): Of<'_>,
        command: &str,
    ) -> Result<(), String> {
        let mut a = self.lowering.config().clone();
        let Ok(edits) = a.execute(active, active.own(), command) else {
            return Ok(());
        };
        self.lsn += 1;
        let stamp = (Term(1), Lsn(self.lsn));
        let lowered = self.lowering.edit(active, at_active, &edits, stamp);
        let text = render_edits(active, &lowered.wire);
        let wire = read_edits(standby, at_standby.grammar(), &text)
            .map_err(|error| format!("a difference is not read: {error} in {text}"))?;
        self.raising.apply(standby, at_standby, &wire, &lowered.listing);
        Ok(())
    }

    /// What is listed by either side.
    fn listed(&self, standby: &Image) -> BTreeSet<Place> {
        let place = |key: &ListKey| (key.path.to_string(), written(&key.line).into_owned());
        let lines = self.lowering.listing().lines().keys().map(place);
        let held = self.raising.held_out(standby).into_iter();
        let held = held.chain(self.raising.unraised(standby));
        lines.chain(held.map(|not| place(&not.key))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_as_it_was_drawn_is_harmless_and_one_that_cannot_be_read_is_refused() {
        let drawn = Drawn::from_seed(3);
        assert!(judge(&drawn, &drawn.files()).is_sound());
        let mut files = drawn.files();
        files[1].1.push_str("colour = 1\n");
        assert!(judge(&drawn, &files).refused.is_some());
    }

    #[test]
    fn a_line_that_says_another_thing_is_found() {
        // A release that writes one word for another: what arrives was not meant.
        let found = (0..200).map(Drawn::from_seed).find_map(|drawn| {
            let mut files = drawn.files();
            let line = files[1].1.lines().find(|line| line.contains(", not = true"))?.to_owned();
            files[1].1 = files[1].1.replace(&line, &line.replace(", not = true", ""));
            match judge(&drawn, &files) {
                Outcome { refused: None, arrives: Some(Arrives::Otherwise(what)), broken } => {
                    assert_eq!(broken, None, "it is another family, and a good one");
                    Some(what)
                }
                _ => None,
            }
        });
        assert!(found.is_some(), "a `not` less is told by nobody");
    }
}
