//! The way between the images of two units, gone by the engine, and by the reference beside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use skewsync::config::Config;
use skewsync::config::render::{read_edits, render_edits};
use skewsync::disposition::{
    ActivePairing, PairError, StandbyPairing, pair_at_active, pair_at_standby,
};
use skewsync::dump::Dump;
use skewsync::ids::{Lsn, Term};
use skewsync::image::Image;
use skewsync::parse::Place;
use skewsync::translate::complement::Complements;
use skewsync::translate::{ListKey, Lowering, Raising};
use skewsync_reference::Reference;

/// A way from an Active to a Standby.
pub(crate) struct Way<'a> {
    pub(crate) active: &'a Image,
    pub(crate) standby: &'a Image,
    pub(crate) at_active: ActivePairing,
    pub(crate) at_standby: StandbyPairing,
    reference: Reference<'a>,
}

/// A line by words: the entries around it, and itself.
pub(crate) type Said = (String, String);

/// What a config comes to: W and S as text, and what does not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) wire: String,
    pub(crate) standby: String,
    pub(crate) listed: BTreeSet<Said>,
    pub(crate) unraised: BTreeSet<Said>,
}

/// What the two units hold.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) lowering: Lowering,
    pub(crate) raising: Raising,
    lsn: u64,
}

impl<'a> Way<'a> {
    /// The way between two images.
    ///
    /// # Errors
    /// Why they make no pair.
    pub(crate) fn between(active: &'a Image, standby: &'a Image) -> Result<Self, PairError> {
        let dump = Dump::from_image(active).encode();
        let at_standby = pair_at_standby(standby, dump.as_bytes())?;
        let at_active = pair_at_active(active, at_standby.diff_bytes())?;
        let reference = Reference::apart(active, standby);
        Ok(Self { active, standby, at_active, at_standby, reference })
    }

    /// The same by an engine that takes the images for others, of the same forms.
    #[cfg(test)]
    pub(crate) fn mistaken(
        (active, standby): (&'a Image, &'a Image),
        (own, peer): (&Image, &Image),
    ) -> Option<Self> {
        let Way { at_active, at_standby, .. } = Way::between(own, peer).ok()?;
        let reference = Reference::apart(active, standby);
        Some(Self { active, standby, at_active, at_standby, reference })
    }

    /// What the units hold of `a`, translated from nothing beside what the Active keeps.
    ///
    /// # Errors
    /// What travels and is not read.
    pub(crate) fn at_once(&self, a: &Config, kept: Complements) -> Result<Held, String> {
        let stamp = (Term(u64::from(!kept.is_empty())), Lsn(0));
        let kept = Arc::new(kept);
        let lowering = Lowering::new_owing(self.active, &self.at_active, a, &kept, stamp);
        let w = Raising::read_w(self.standby, &self.at_standby, &lowering.wire_bytes());
        let w = w.map_err(|error| error.to_string())?;
        let listing = lowering.listing().clone();
        let (raising, refused) = Raising::new(self.standby, &self.at_standby, w, listing);
        match refused.first() {
            Some(line) => Err(format!("{}: {}", line.text(), line.cause)),
            None => Ok(Held { lowering, raising, lsn: 0 }),
        }
    }

    /// Executes commands on the Active, and sends what they change.
    ///
    /// # Errors
    /// What travels and is not read.
    pub(crate) fn execute(&self, held: &mut Held, commands: &str) -> Result<(), String> {
        let mut a = held.lowering.config().clone();
        let edits = a.execute(self.active, self.active.own(), commands);
        let edits = edits.map_err(|error| error.to_string())?;
        held.lsn += 1;
        let stamp = (Term(1), Lsn(held.lsn));
        let lowered = held.lowering.edit(self.active, &self.at_active, &edits, stamp);
        let text = render_edits(self.active, &lowered.wire);
        let wire = read_edits(self.standby, self.at_standby.grammar(), &text);
        let wire = wire.map_err(|error| error.to_string())?;
        let raised = held.raising.apply(self.standby, &self.at_standby, &wire, &lowered.listing);
        match raised.mismatches.first() {
            Some(line) => Err(format!("{}: {}", line.text(), line.cause)),
            None => Ok(()),
        }
    }

    /// What the units hold, and what does not go.
    pub(crate) fn outcome(&self, held: &Held) -> Outcome {
        let said = |key: &ListKey| (key.path.to_string(), key.line.to_string());
        let unraised = held.raising.unraised(self.standby);
        Outcome {
            wire: held.lowering.wire_config().render(),
            standby: held.raising.config().render(),
            listed: held.lowering.listing().lines().keys().map(said).collect(),
            unraised: unraised.iter().map(|line| said(&line.key)).collect(),
        }
    }

    /// The same by the reference.
    pub(crate) fn by_reference(&self, a: &Config) -> Outcome {
        let translated = self.reference.translate(a);
        Outcome {
            wire: translated.wire.render(),
            standby: translated.standby.render(),
            listed: translated.listed,
            unraised: translated.unraised,
        }
    }

    /// The lines that need not go, by the reference.
    pub(crate) fn cares_not(&self, a: &Config) -> BTreeSet<Said> {
        let fared = self.reference.translate(a).lines.into_iter();
        let left = fared.filter(|fared| fared.way == skewsync_reference::Way::DontCare);
        left.map(|fared| (fared.path, fared.line)).collect()
    }

    /// What the Standby keeps of what did not come to it, or came otherwise.
    pub(crate) fn kept(&self, held: &Held) -> Complements {
        held.raising.kept(self.standby, &self.at_standby)
    }

    /// Whether the Standby's own parser takes its config, and reads it as it is.
    ///
    /// # Errors
    /// What it refuses, or reads otherwise.
    pub(crate) fn read_by_standby(&self, held: &Held) -> Result<(), String> {
        let s = held.raising.config();
        let mut read = Config::factory(self.standby.levels());
        let executed = read.execute(self.standby, self.standby.own(), &s.render());
        executed.map_err(|error| error.to_string())?;
        if read.digest() == s.digest() {
            return Ok(());
        }
        Err(format!("it is read as {}", on_one_line(&read)))
    }
}

/// A config on one line: `interface eth0 / mtu 1500; hostname a`; of an instance in which nothing
/// stands, its entry.
pub(crate) fn on_one_line(config: &Config) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut open = vec![Place::root()];
    while let Some(place) = open.pop() {
        let mut inner = Vec::new();
        for item in config.items(&place) {
            if let Some(key) = item.line_in(&place) {
                let words = config.line(&key).map_or("", |line| line.words.text());
                lines.push(place.path() + words);
            } else if let Some(place) = item.place_in(&place) {
                if config.is_empty_place(&place) {
                    lines.push(place.path().trim_end_matches(" / ").to_string());
                }
                inner.push(place);
            }
        }
        open.extend(inner.into_iter().rev());
    }
    lines.join("; ")
}
