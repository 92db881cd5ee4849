//! Leaves out: whole kinds of faults, single faults, commands, their lines.

use std::collections::BTreeSet;

use skewsync_sim::plan::{Fault, FaultName, Plan, What};

use super::AFTER_MS;
use super::search::{Held, Search};

impl Search<'_> {
    /// Ends the safety phase soon after the last that the plan does, or after the failure.
    pub(super) fn shorten(&mut self) {
        self.stage("horizon");
        let base = self.best().clone();
        let shown = self.shown();
        let ends = [shown.last_us, shown.virtual_us].map(|us| us / 1_000 + AFTER_MS);
        let sooner = ends.into_iter().filter(|ends| *ends < base.horizon_ms);
        let shorter = sooner.map(|horizon_ms| Plan { horizon_ms, ..base.clone() });
        self.first(Held::All, shorter);
    }

    /// Leaves out whatever is not needed.
    pub(super) fn leave_out(&mut self) {
        self.stage("kinds of faults");
        self.one(|plan| plan.faults.clear());
        self.leave_out_kinds();
        self.stage("faults");
        self.leave_out_of(&|plan| &mut plan.faults);
        self.stage("commands");
        self.one(|plan| plan.commands.clear());
        self.leave_out_of(&|plan| &mut plan.commands);
        self.stage("lines");
        let mut at = 0;
        while at < self.best().commands.len() && !self.is_over() {
            self.leave_out_lines(&|plan| match &mut plan.commands.get_mut(at)?.what {
                What::Config { text } => Some(text),
                What::Save
                | What::Switchover
                | What::ForcedSwitchover
                | What::Retry
                | What::ResetPeer => None,
            });
            at += 1;
        }
    }

    fn leave_out_kinds(&mut self) {
        let kinds: BTreeSet<FaultName> = self.best().faults.iter().map(Fault::name).collect();
        for kind in kinds {
            self.one(|plan| plan.faults.retain(|fault| fault.name() != kind));
        }
    }

    /// Leaves out stretches of a list: half of it, a quarter, down to single ones.
    fn leave_out_of<T>(&mut self, list: &dyn Fn(&mut Plan) -> &mut Vec<T>) {
        self.stretches(&|plan| list(plan).len(), &|plan, from, to| {
            drop(list(plan).drain(from..to));
        });
    }

    /// Leaves out lines of a text.
    pub(super) fn leave_out_lines(&mut self, text: &dyn Fn(&mut Plan) -> Option<&mut String>) {
        let lines = |plan: &mut Plan| text(plan).map_or(0, |text| text.lines().count());
        self.stretches(&lines, &|plan, from, to| {
            let Some(text) = text(plan) else { return };
            let kept = text.lines().enumerate();
            let kept = kept.filter(|(at, _)| *at < from || *at >= to);
            *text = kept.map(|(_, line)| format!("{line}\n")).collect();
        });
    }

    fn stretches(
        &mut self,
        length: &dyn Fn(&mut Plan) -> usize,
        take: &dyn Fn(&mut Plan, usize, usize),
    ) {
        let now = |search: &Self| length(&mut search.best().clone());
        let mut size = now(self).div_ceil(2);
        while size > 0 && !self.is_over() {
            let mut from = 0;
            loop {
                let (base, all) = (self.best().clone(), now(self));
                let less = (from..all).step_by(size).map(|at| {
                    let mut less = base.clone();
                    take(&mut less, at, (at + size).min(all));
                    less
                });
                let Some(index) = self.first(Held::All, less) else {
                    break;
                };
                from += index * size;
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
}
