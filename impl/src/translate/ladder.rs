//! A translation kept in step: the configs between two changes on the way, from what goes in to
//! what comes out. Equal parts are shared.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::restore::{PutBack, Restores};
use super::stage::{Led, LineStep, Reads, Stage};
use super::touched::Touched;
use crate::config::{Config, Levels, LineKey, Place};
use crate::ids::{ChangeId, Level};
use crate::image::Image;
use crate::transform::{Rule, StuckCause};

/// The stages of a way, and what they leave alone.
pub(crate) struct Way<'a> {
    /// The own image.
    pub(crate) image: &'a Image,
    /// From the first rung to the last.
    pub(crate) stages: Vec<Stage<'a>>,
    /// The levels of the first rung's view.
    pub(crate) from: &'a [Level],
    /// The levels of the last rung's view.
    pub(crate) levels: &'a [Level],
    /// By form: whether any stage may do anything about its lines, or instances it enters.
    pub(crate) concerned: &'a [bool],
}

impl Way<'_> {
    /// Whether lines and values of a change decide together what goes.
    pub(crate) fn decides_together(&self, change: ChangeId) -> bool {
        let mut rules = self.stages.iter().filter_map(|stage| match stage {
            Stage::Step { tft, .. } => tft.rules().get(change.0 as usize),
            Stage::Gate(_) | Stage::Needs => None,
        });
        rules.next().is_some_and(Rule::decides_together)
    }
}

/// The rungs: `0` is what goes in, the last is what comes out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ladder {
    rungs: Vec<Config>,
    /// Lines that were kept out of the first rung.
    held: Arc<BTreeSet<LineKey>>,
    /// Complements that are put back on the way.
    restores: Arc<Restores>,
    /// What of them was put into each rung.
    put_back: Vec<PutBack>,
}

/// What an advance did beside the rungs.
#[derive(Default)]
pub(crate) struct Advance {
    /// What may differ in the last rung.
    pub(crate) touched: Touched,
    /// Lines of the first rung whose fate may have changed to, from or within what does not go.
    pub(crate) affected: BTreeSet<LineKey>,
    /// Instances of the first rung in which something may have changed.
    pub(crate) places: BTreeSet<Place>,
}

/// What becomes of one line of the first rung, all told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineTrace {
    /// The changes that it went through.
    pub(crate) chain: Vec<ChangeId>,
    /// The lines of the last rung that it is in.
    pub(crate) out: Vec<LineKey>,
    /// Where a part of it ended.
    pub(crate) ends: Vec<LineEnd>,
    /// Whether a part of it waits for the rest of its group.
    pub(crate) pending: bool,
    /// Whether a rung on the way says a part of it by being absent.
    pub(crate) absent: bool,
}

/// Where a part of a line ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineEnd {
    /// The rung that the stage reads which does not let it go on.
    pub(crate) rung: usize,
    /// The line that it is there.
    pub(crate) line: LineKey,
    /// Why; none: the gate holds it.
    pub(crate) cause: Option<StuckCause>,
}

impl Advance {
    /// Takes in what a later one did.
    pub(crate) fn add(&mut self, later: Self) {
        self.touched.add(later.touched);
        self.affected.extend(later.affected);
        self.places.extend(later.places);
    }
}

impl Ladder {
    /// Everything evaluated from nothing.
    pub(crate) fn build(
        way: &Way<'_>,
        first: Config,
        held: Arc<BTreeSet<LineKey>>,
        restores: Arc<Restores>,
    ) -> (Self, Advance) {
        let mut first = first;
        let none = |_: &LineKey| false;
        let put = restores.put_back(way.image, 0, &mut first, &mut Touched::default(), &none);
        let mut put_back = alloc::vec![put];
        let mut touched = Touched::from_config(&first, way.concerned);
        let levels = Levels::new(way.levels);
        let mut rungs = alloc::vec![first];
        let mut unsettled = Vec::new();
        let mut places = touched.places.clone();
        places.extend(touched.lines.iter().map(|key| key.place.clone()));
        for (number, stage) in way.stages.iter().enumerate() {
            let from = rungs.last().expect("the first rung");
            let mut next = from.in_view(&levels);
            let stages = &way.stages[..number];
            let led = Led { stages, rungs: &rungs, held: &held, restores: &restores };
            let led = [led; 2];
            let reads = Reads { image: way.image, before: None, after: from, copied: true, led };
            unsettled.push(stage.advance(reads, &mut touched, &mut next));
            let of_absence = |key: &LineKey| {
                let mut lines = BTreeSet::from([key.clone()]);
                for (stage, config) in way.stages[..=number].iter().zip(&rungs).rev() {
                    let sources = |key| stage.sources(way.image, config, key);
                    lines = lines.iter().flat_map(sources).collect();
                }
                lines.iter().all(|key| rungs[0].line(key).is_none())
            };
            let (image, rung) = (way.image, number + 1);
            put_back.push(restores.put_back(image, rung, &mut next, &mut touched, &of_absence));
            rungs.push(next);
        }
        let ladder = Self { rungs, held, restores, put_back };
        let affected = ladder.traced(way, unsettled);
        (ladder, Advance { touched, affected, places })
    }

    /// All rungs, from what goes in to what comes out.
    pub(crate) fn rungs(&self) -> &[Config] {
        &self.rungs
    }

    /// What goes in.
    pub(crate) fn first(&self) -> &Config {
        &self.rungs[0]
    }

    /// What comes out.
    pub(crate) fn last(&self) -> &Config {
        self.rungs.last().expect("a ladder has a rung")
    }

    /// Makes the last rung another, without any reason in those before it.
    #[cfg(any(test, feature = "faults", feature = "planted"))]
    pub(crate) fn put_last(&mut self, config: Config) {
        *self.rungs.last_mut().expect("a ladder has a rung") = config;
    }

    /// Applies edits to the first rung, and carries them on.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn edit(&mut self, way: &Way<'_>, edits: &[crate::config::Edit]) -> Advance {
        let mut first = self.rungs[0].clone();
        let touched = Touched::from_edits(way.image, &mut first, edits);
        let (held, restores) = (Arc::clone(&self.held), Arc::clone(&self.restores));
        self.renew(way, first, touched, held, restores)
    }

    /// The same with what is put back on the way. Where anything is, or was, all is evaluated from
    /// nothing: it may go or come with any line.
    pub(crate) fn renew(
        &mut self,
        way: &Way<'_>,
        first: Config,
        touched: Touched,
        held: Arc<BTreeSet<LineKey>>,
        restores: Arc<Restores>,
    ) -> Advance {
        if self.restores.is_empty() && restores.is_empty() {
            return self.replace(way, first, touched, held);
        }
        let (ladder, mut advance) = Self::build(way, first, held, restores);
        let before = core::mem::replace(self, ladder);
        advance.touched.add(Touched::of_all(&[before.last(), self.last()]));
        let all = Touched::of_all(&[before.first(), self.first()]);
        advance.affected.extend(all.lines.into_iter().chain(touched.lines));
        advance.places.extend(all.places.into_iter().chain(touched.places));
        advance
    }

    /// Makes `first` the first rung, out of which lines are held; `touched` names all in which it
    /// differs from the present one.
    pub(crate) fn replace(
        &mut self,
        way: &Way<'_>,
        first: Config,
        touched: Touched,
        held: Arc<BTreeSet<LineKey>>,
    ) -> Advance {
        assert_eq!(self.rungs.len(), way.stages.len() + 1, "a ladder of another way");
        assert!(self.restores.is_empty(), "with what is put back, a ladder is built anew");
        let (restores, put_back) = (Arc::clone(&self.restores), self.put_back.clone());
        let before = core::mem::replace(self, Self { rungs: Vec::new(), held, restores, put_back });
        self.rungs.push(first);
        let mut touched = touched;
        let mut places = touched.places.clone();
        places.extend(touched.lines.iter().map(|key| key.place.clone()));
        let mut unsettled = Vec::new();
        for (number, stage) in way.stages.iter().enumerate() {
            let (was, after) = (&before.rungs[number], &self.rungs[number]);
            // Where this stage left all as it was, the next rung begins as a copy again.
            let copied = was.shares(&before.rungs[number + 1]);
            let mut next = before.rungs[number + 1].clone();
            if copied {
                next = after.in_view_of(&next);
            }
            let led = [&before, &*self].map(|ladder| ladder.led(&way.stages[..number]));
            let reads = Reads { image: way.image, before: Some(was), after, copied, led };
            unsettled.push(stage.advance(reads, &mut touched, &mut next));
            self.rungs.push(next);
        }
        let mut affected = before.traced(way, unsettled.clone());
        affected.extend(self.traced(way, unsettled));
        Advance { touched, affected, places }
    }

    /// What led to the rung that comes after these stages.
    pub(super) fn led<'a>(&'a self, stages: &'a [Stage<'a>]) -> Led<'a> {
        Led { stages, rungs: &self.rungs, held: &self.held, restores: &self.restores }
    }

    /// What is put back on the way.
    pub(crate) const fn restores(&self) -> &Arc<Restores> {
        &self.restores
    }

    /// Whether anything was put back.
    pub(crate) fn puts_back(&self) -> bool {
        self.put_back.iter().any(|put| *put != PutBack::default())
    }

    /// Whether all lines of the last rung stand so in the last rung of another.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.last().lines().all(|(key, line)| other.last().line(key) == Some(line))
    }

    /// What was put into a rung.
    pub(crate) fn put_into(&self, rung: usize) -> &PutBack {
        &self.put_back[rung]
    }

    /// The lines of the first rung from which these came, given by the stage that reads them.
    fn traced(&self, way: &Way<'_>, mut by_stage: Vec<BTreeSet<LineKey>>) -> BTreeSet<LineKey> {
        for number in (1..by_stage.len()).rev() {
            let (earlier, later) = by_stage.split_at_mut(number);
            let stage = way.stages[number - 1];
            for key in &later[0] {
                earlier[number - 1].extend(stage.sources(way.image, &self.rungs[number - 1], key));
            }
        }
        by_stage.into_iter().next().unwrap_or_default()
    }

    /// The lines of the first rung from which a line of the last came.
    pub(crate) fn origins(&self, way: &Way<'_>, key: &LineKey) -> BTreeSet<LineKey> {
        self.origins_from(way, way.stages.len(), BTreeSet::from([key.clone()]))
    }

    /// The lines of the first rung from which these of a rung came.
    fn origins_from(
        &self,
        way: &Way<'_>,
        rung: usize,
        mut lines: BTreeSet<LineKey>,
    ) -> BTreeSet<LineKey> {
        for (number, stage) in way.stages[..rung].iter().enumerate().rev() {
            let config = &self.rungs[number];
            lines = lines.iter().flat_map(|key| stage.sources(way.image, config, key)).collect();
        }
        lines.retain(|key| self.first().line(key).is_some());
        lines
    }

    /// The other lines of the first rung that stand in one group with a line where that ends.
    pub(crate) fn beside(&self, way: &Way<'_>, key: &LineKey) -> BTreeSet<LineKey> {
        let ends = self.fate(way, key).ends.into_iter();
        let mut lines: BTreeSet<LineKey> = ends
            .flat_map(|end| {
                let config = &self.rungs[end.rung];
                let group = way.stages[end.rung].group_members(way.image, config, &end.line);
                self.origins_from(way, end.rung, group)
            })
            .collect();
        lines.remove(key);
        lines
    }

    /// What becomes of the line `key` of the first rung.
    pub(crate) fn fate(&self, way: &Way<'_>, key: &LineKey) -> LineTrace {
        self.fate_from(way, 0, key)
    }

    /// The same of a line of another rung.
    pub(crate) fn fate_from(&self, way: &Way<'_>, rung: usize, key: &LineKey) -> LineTrace {
        let mut fate = LineTrace { out: alloc::vec![key.clone()], ..LineTrace::default() };
        for (number, stage) in way.stages.iter().enumerate().skip(rung) {
            let config = &self.rungs[number];
            let led = self.led(&way.stages[..number]);
            for key in core::mem::take(&mut fate.out) {
                match stage.fate(way.image, config, led, &key) {
                    LineStep::Passes(key) => fate.out.push(key),
                    LineStep::Becomes { change, out } => {
                        fate.chain.push(change);
                        fate.out.extend(out);
                    }
                    LineStep::Pending => fate.pending = true,
                    LineStep::Held => {
                        fate.ends.push(LineEnd { rung: number, line: key, cause: None });
                    }
                    LineStep::Stuck(cause) => {
                        fate.ends.push(LineEnd { rung: number, line: key, cause: Some(cause) });
                    }
                }
            }
            let next = &self.rungs[number + 1];
            fate.absent |= fate.out.iter().any(|key| next.line(key).is_none());
        }
        // What is said there by being absent is no line.
        fate.out.retain(|key| self.last().line(key).is_some());
        fate
    }

    /// What the last stage reads.
    pub(crate) fn before_last(&self) -> &Config {
        &self.rungs[self.rungs.len().saturating_sub(2)]
    }

    /// Why an instance of the first rung is named nowhere on the way; none: it is.
    pub(crate) fn why_gone(&self, way: &Way<'_>, place: &Place) -> Option<StuckCause> {
        let mut at = place.clone();
        for (stage, rung) in way.stages.iter().zip(&self.rungs) {
            if let Some(cause) = stage.why_gone(way.image, rung, &at) {
                return Some(cause);
            }
            at = stage.place_passes_as(way.image, rung, &at)?;
        }
        None
    }

    /// Where an instance of the first rung stands in the last, if its own entry got there.
    pub(crate) fn place_in_last(&self, way: &Way<'_>, place: &Place) -> Option<Place> {
        self.place_in_last_from(way, 0, place)
    }

    /// The same of an instance of another rung.
    pub(crate) fn place_in_last_from(
        &self,
        way: &Way<'_>,
        rung: usize,
        place: &Place,
    ) -> Option<Place> {
        let mut at = Some(place.clone());
        for (stage, rung) in way.stages.iter().zip(&self.rungs).skip(rung) {
            at = at.and_then(|place| stage.place_passes_as(way.image, rung, &place));
        }
        at.filter(|place| self.last().entry(place).is_some())
    }

    /// The instance of the first rung ends in this rung, as this instance; none: it goes.
    pub(crate) fn place_ends(&self, way: &Way<'_>, place: &Place) -> Option<(usize, Place)> {
        let mut at = place.clone();
        for (number, stage) in way.stages.iter().enumerate() {
            match stage.place_passes_as(way.image, &self.rungs[number], &at) {
                Some(next) if self.rungs[number + 1].entry(&next).is_some() => at = next,
                Some(_) | None => return Some((number, at)),
            }
        }
        None
    }
}
