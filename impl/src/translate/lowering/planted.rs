//! Planted defects of lowering.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::ladder::Way;
use super::Lowering;
use crate::config::{Edit, LineKey};
use crate::disposition::ActivePairing;
use crate::planted::Defect;

impl Lowering {
    /// Does to an edit's difference what the planted defect does.
    pub(super) fn plant(
        &mut self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        before: &Self,
        edits: &[Edit],
        wire: &mut Vec<Edit>,
    ) {
        if pairing.defect().is(Defect::GuardedLeavesOld) {
            self.leave_old(way, before, wire);
        }
        if pairing.defect().is(Defect::NoOfUnsent) {
            wire.extend(self.unsent(way, pairing, before, &removed(edits)));
        }
    }

    /// What a line was sent as stays, though its new value cannot go.
    fn leave_old(&mut self, way: &Way<'_>, before: &Self, wire: &mut Vec<Edit>) {
        let mut w = self.ladder.last().clone();
        wire.retain(|edit| {
            let Edit::Unset(key) = edit else { return true };
            let origins = before.ladder.origins(way, key);
            let gone = origins.iter().all(|origin| self.config().line(origin).is_none());
            if let Some(line) = before.wire_config().line(key).filter(|_| !gone) {
                w.put(way.image, key, line.clone());
            }
            gone
        });
        self.ladder.put_last(w);
    }

    /// `no` of the lines that went without ever having been sent.
    fn unsent(
        &self,
        way: &Way<'_>,
        pairing: &ActivePairing,
        before: &Self,
        touched: &BTreeSet<LineKey>,
    ) -> Vec<Edit> {
        let went = touched
            .iter()
            .filter(|key| before.config().line(key).is_some() && self.config().line(key).is_none());
        let unsent = went.filter(|key| before.ladder.fate(way, key).out.is_empty());
        let said = unsent.flat_map(|key| {
            let steps = pairing.steps().iter();
            steps
                .filter_map(|step| pairing.tft().other_side(way.image, *step, key))
                .collect::<Vec<_>>()
        });
        said.filter(|key| {
            let decl = way.image.form(key.form);
            decl.lives_at(pairing.levels()[usize::from(decl.component.0)])
        })
        .map(Edit::Unset)
        .collect()
    }
}

/// The lines that edits take away.
fn removed(edits: &[Edit]) -> BTreeSet<LineKey> {
    let unset = edits.iter().filter_map(|edit| match edit {
        Edit::Unset(key) => Some(key.clone()),
        Edit::Leave(_) | Edit::Enter { .. } | Edit::Set { .. } => None,
    });
    unset.collect()
}
