//! A line goes whole or not at all: one of which a part would go, and a part not, is held out of
//! the first rung. Its absence says nothing there.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use super::super::ladder::{Advance, Way};
use super::super::restore::Restores;
use super::super::touched::Touched;
use super::{Arrival, Lowering};
use crate::config::LineKey;
use crate::disposition::ActivePairing;
use crate::transform::StuckCause;

impl Lowering {
    /// Carries what was touched in A on to W. What was held out is tried anew, all of it: so what
    /// is held is a function of the config, whatever came before.
    pub(super) fn carry(
        &mut self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        mut touched: Touched,
        restores: Arc<Restores>,
    ) -> Advance {
        let was_held = core::mem::take(&mut self.halves);
        touched.lines.extend(was_held.keys().cloned());
        let mut advance = self.replace(way, touched, restores);
        advance.affected.extend(was_held.keys().cloned());
        self.hold_halves(way, pairing, &mut advance);
        advance
    }

    /// Holds out the lines that go in part, until there is none. All that are known at one time are
    /// held at once: their order decides nothing.
    pub(super) fn hold_halves(
        &mut self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        advance: &mut Advance,
    ) {
        let mut tried = advance.affected.clone();
        loop {
            let halves = self.halves_among(way, pairing, &tried);
            if halves.is_empty() {
                return;
            }
            let lines: BTreeSet<LineKey> = halves.keys().cloned().collect();
            Arc::make_mut(&mut self.halves).extend(halves);
            let restores = Arc::clone(self.ladder.restores());
            let more = self.replace(way, Touched { lines, ..Touched::default() }, restores);
            tried.clone_from(&more.affected);
            advance.add(more);
        }
    }

    /// Those of these lines of which a part goes, and a part ends or waits; if there is one, those
    /// too that end for what else is said. What is held out later does not bring them back.
    fn halves_among(
        &self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        lines: &BTreeSet<LineKey>,
    ) -> BTreeMap<LineKey, StuckCause> {
        let there = lines.iter().filter(|key| self.ladder.first().line(key).is_some());
        let listed = |key: &LineKey| {
            let fate = self.ladder.fate(way, key);
            match self.arrival(way, pairing, key, &fate) {
                Arrival::Listed(cause) => Some((cause, !fate.out.is_empty())),
                Arrival::Goes | Arrival::DontCare(_) => None,
            }
        };
        held_halves(there.filter_map(|key| Some((key, listed(key)?))))
    }

    /// Puts A, less what is held out, on the first rung.
    fn replace(&mut self, way: &Way<'_>, touched: Touched, restores: Arc<Restores>) -> Advance {
        let mut first = self.a.clone();
        for key in self.halves.keys() {
            first.remove(way.image, key);
        }
        let held = Arc::new(self.halves.keys().cloned().collect());
        self.ladder.renew(way, first, touched, held, restores)
    }
}

/// Of lines that come no further, each with the reason and whether a part of it goes: those that
/// are held out.
pub(in super::super) fn held_halves<'a>(
    listed: impl Iterator<Item = (&'a LineKey, (StuckCause, bool))>,
) -> BTreeMap<LineKey, StuckCause> {
    let (mut held, mut has_half) = (BTreeMap::new(), false);
    for (key, (cause, is_half)) in listed {
        has_half |= is_half;
        if is_half || cause.is_of_others() {
            held.insert(key.clone(), cause);
        }
    }
    if has_half { held } else { BTreeMap::new() }
}
