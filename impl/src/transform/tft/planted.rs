//! What the planted defects ask of a TFT.

use super::{SideOf, Step, Tft};
use crate::config::LineKey;
use crate::ids::FormId;
use crate::image::Image;

impl Tft {
    /// Forgets how to lower forms that are not `kept`.
    pub(crate) fn keep_lowering(&mut self, kept: impl Fn(FormId) -> bool) {
        for (number, uses) in self.by_form.iter_mut().enumerate() {
            if !kept(FormId(number as u32)) {
                uses.retain(|used| used.side == SideOf::Old);
            }
        }
    }

    /// The key of the one line that a line of its own kind would be on the other side of `step`.
    pub(crate) fn other_side(&self, image: &Image, step: Step, key: &LineKey) -> Option<LineKey> {
        let used = self.read_by(step, key.form)?;
        let rule = self.rule(used.rule);
        let group = rule.group_of(image, used.side, used.pattern, key);
        rule.keys(image, step.direction.to(), &group).into_iter().flatten().next()
    }
}
