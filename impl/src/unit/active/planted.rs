//! Planted defects of units that are more than a condition.

use super::super::running::Executed;
use super::super::state::Context;
use super::Active;
use crate::planted::Defect;

impl Active {
    /// The lines before the one that is refused stay, if that is planted.
    pub(super) fn keep_half(&mut self, text: &str, cx: &Context<'_, '_>) {
        if !cx.env.planted(Defect::RefusedHalf) {
            return;
        }
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut halves = ends.rev().filter_map(|end| {
            let half = self.config.execute(cx.env.software, &text[..end]);
            match half.ok()? {
                Executed::Changed(after, _) => Some(after),
                Executed::Unchanged => None,
            }
        });
        if let Some(after) = halves.next() {
            self.config = after;
        }
    }
}
