//! Drawn families against the engine: each loads, `image check` finds nothing wrong with it, and
//! between each two of its releases the Standby holds what its release writes for the meaning, and
//! what it lacks is listed: at once, and line by line.

use std::collections::BTreeSet;

use skewsync::config::Config;
use skewsync::config::render::{read_edits, render_edits};
use skewsync::disposition::{ActivePairing, StandbyPairing, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::grammar::written;
use skewsync::ids::{Lsn, Term};
use skewsync::image::{Family, Image};
use skewsync::translate::{ListKey, Lowering, Raising};
use skewsync_check as check;
use skewsync_families::{Arrival, Drawn, Place, Rng, document};

/// Commands of one history.
const COMMANDS: usize = 24;

/// What is wrong.
type Wrong = Result<(), String>;

/// Two units, and what they hold.
struct Pair<'a> {
    active: &'a Image,
    standby: &'a Image,
    at_active: &'a ActivePairing,
    at_standby: &'a StandbyPairing,
    lowering: Lowering,
    raising: Raising,
    lsn: u64,
}

impl<'a> Pair<'a> {
    fn new(
        (active, at_active): (&'a Image, &'a ActivePairing),
        (standby, at_standby): (&'a Image, &'a StandbyPairing),
        a: &Config,
    ) -> Result<Self, String> {
        let lowering = Lowering::new(active, at_active, a);
        let w = Raising::read_w(standby, at_standby, &lowering.wire_bytes());
        let w = w.map_err(|error| format!("W is not read: {error}"))?;
        let listing = lowering.listing().clone();
        let (raising, _) = Raising::new(standby, at_standby, w, listing);
        Ok(Self { active, standby, at_active, at_standby, lowering, raising, lsn: 0 })
    }

    fn execute(&mut self, batch: &str) -> Wrong {
        let mut a = self.lowering.config().clone();
        let edits = a.execute(self.active, self.active.own(), batch);
        let edits = edits.map_err(|error| format!("A does not take it: {error}"))?;
        self.lsn += 1;
        let stamp = (Term(1), Lsn(self.lsn));
        let lowered = self.lowering.edit(self.active, self.at_active, &edits, stamp);
        let text = render_edits(self.active, &lowered.wire);
        let wire = read_edits(self.standby, self.at_standby.grammar(), &text)
            .map_err(|error| format!("a difference is not read: {error} in {text}"))?;
        self.raising.apply(self.standby, self.at_standby, &wire, &lowered.listing);
        Ok(())
    }

    /// What is listed by either side.
    fn listed(&self) -> BTreeSet<Place> {
        let place = |key: &ListKey| (key.path.to_string(), written(&key.line).into_owned());
        let lines = self.lowering.listing().lines().keys().map(place);
        // What is held out, and what waits for the rest of its group.
        let held = self.raising.held_out(self.standby).into_iter();
        let held = held.chain(self.raising.unraised(self.standby));
        lines.chain(held.map(|not| place(&not.key))).collect()
    }

    fn judge(&self, wanted: &Arrival) -> Wrong {
        let found = self.raising.config().render();
        wanted.differs(&found, &self.listed()).map_or(Ok(()), Err)
    }
}

/// A history of commands between each two releases of a family.
fn judge(drawn: &Drawn) -> Wrong {
    let files = drawn.files();
    let texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let family = Family::parse(&texts).map_err(|errors| format!("load: {}", errors[0]))?;
    let report = check::family(&family);
    if let Some(finding) = report.findings.first() {
        return Err(format!("check: {finding}"));
    }
    let image = |release: usize| family.image(&drawn.releases()[release].name).expect("a release");
    let images: Vec<Image> = (0..drawn.releases().len()).map(image).collect();
    for (one, active) in images.iter().enumerate() {
        for (other, standby) in images.iter().enumerate() {
            let dump = Dump::from_image(active).encode();
            let at_standby =
                pair_at_standby(standby, dump.as_bytes()).map_err(|e| e.to_string())?;
            let at_active =
                pair_at_active(active, at_standby.diff_bytes()).map_err(|e| e.to_string())?;
            let pairing = ((active, &at_active), (standby, &at_standby));
            history(drawn, (one, other), pairing)
                .map_err(|wrong| format!("{} -> {}: {wrong}", one + 1, other + 1))?;
        }
    }
    Ok(())
}

fn history(
    drawn: &Drawn,
    (one, other): (usize, usize),
    (at_active, at_standby): ((&Image, &ActivePairing), (&Image, &StandbyPairing)),
) -> Wrong {
    let mut rng = Rng::new(0, (one * 100 + other) as u64);
    let mut meaning = drawn.blank();
    let mut pair = Pair::new(at_active, at_standby, &Config::factory(at_active.0.levels()))?;
    let mut entered = String::new();
    for _ in 0..COMMANDS {
        let command = drawn.command(one, &mut meaning, &mut rng);
        entered.push_str(&command);
        let so_far = |wrong: String| format!("{wrong}\nafter\n{entered}");
        pair.execute(&command).map_err(so_far)?;
        let a = drawn.write(one, &meaning);
        let lines = |text: &str| document(text).into_iter().collect::<BTreeSet<_>>();
        let is = pair.lowering.config().render();
        if lines(&is) != lines(&a) {
            return Err(so_far(format!("A is\n{is}and should be\n{a}")));
        }
        let arrival = drawn.arrival(one, other, &meaning);
        let read = drawn.read(one, &a, &BTreeSet::new());
        let read = read.ok_or_else(|| so_far(format!("it does not read what it wrote:\n{a}")))?;
        pair.judge(&arrival).map_err(so_far)?;
        pair.judge(&drawn.arrival(one, other, &read))
            .map_err(|wrong| so_far(format!("it reads otherwise what it wrote: {wrong}")))?;
    }
    let scratch = Pair::new(at_active, at_standby, pair.lowering.config())?;
    scratch
        .judge(&drawn.arrival(one, other, &meaning))
        .map_err(|wrong| format!("from scratch: {wrong}\nfrom\n{entered}"))
}

fn judge_all(families: impl IntoIterator<Item = Drawn>) {
    let mut count = 0;
    let mut wrong: Vec<(String, String)> = Vec::new();
    for family in families {
        count += 1;
        wrong.extend(judge(&family).err().map(|wrong| (family.name(), wrong)));
    }
    let first = wrong.iter().take(5).map(|(name, wrong)| format!("{name}: {wrong}"));
    let first: Vec<String> = first.collect();
    assert!(wrong.is_empty(), "{} of {count} fail\n{}", wrong.len(), first.join("\n\n"));
}

#[test]
fn what_arrives_is_what_was_meant() {
    judge_all((0..300).map(Drawn::from_seed));
}

#[test]
fn what_is_left_of_a_family_is_one() {
    judge_all((0..100).map(|seed| {
        let mut rng = Rng::new(seed, 3);
        let mut family = Drawn::from_seed(seed);
        for _ in 0..1 + rng.below(8) {
            let cuts = family.possible_cuts();
            let Some(cut) = cuts.get(rng.below(cuts.len().max(1))) else { break };
            family = family.less(*cut).expect("a cut that is possible");
        }
        family
    }));
}

#[test]
#[ignore = "takes minutes: by hand, after a change of the engine or of what is drawn"]
fn what_arrives_is_what_was_meant_of_many() {
    judge_all((300..4_000).map(Drawn::from_seed));
}
