//! The transform function table: per form, the rules that read or write it; and the steps of a way.
//!
//! Source: seed, the TFT; a dense table by form id, where the seed has a skip list of function
//! pointers.

#[cfg(feature = "planted")]
mod planted;

use alloc::vec::Vec;

use super::group::GroupKey;
use super::rule::{Direction, Each, Rule, RuleError, SideOf};
use crate::ids::{ChangeId, ComponentId, FormId, Level, ModeId};
use crate::image::Image;

/// All rules of an image, found by form.
#[derive(Clone, Debug)]
pub struct Tft {
    rules: Vec<Rule>,
    by_form: Vec<Vec<Use>>,
    /// The rules that write what absence says, each with the mode in which it does.
    absences: Vec<(ModeId, usize)>,
    /// By form: whether it enters such a mode.
    enters_absences: Vec<bool>,
    /// The rules that have a copy in each instance, each with the entry of these.
    copies: Vec<(FormId, usize)>,
    /// The rules that move a value between the entry of a mode and a line in it.
    leaves: Vec<usize>,
    /// The rules that lose something of some groups.
    losing: Vec<usize>,
}

/// One place of a form in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The rule, by number in the family's order.
    pub rule: usize,
    /// On which side.
    pub side: SideOf,
    /// Which pattern of it.
    pub pattern: usize,
}

/// One step of a way: the changes that one component makes at one level, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The component.
    pub component: ComponentId,
    /// The level that its changes make; lowering leaves it, raising reaches it.
    pub level: Level,
    /// Which way.
    pub direction: Direction,
}

impl Tft {
    /// The table of `image`.
    ///
    /// # Errors
    /// See [`RuleError`]; an image whose family was checked has none.
    pub fn compile(image: &Image) -> Result<Self, RuleError> {
        let changes = image.declarations().changes.iter().enumerate();
        let rules: Vec<Rule> = changes
            .map(|(number, change)| Rule::compile(image, ChangeId(number as u32), change))
            .collect::<Result<_, _>>()?;
        let mut by_form = alloc::vec![Vec::new(); image.forms().count()];
        for (number, rule) in rules.iter().enumerate() {
            for side in [SideOf::Old, SideOf::New] {
                for (pattern, line) in rule.side(side).iter().enumerate() {
                    by_form[line.form.0 as usize].push(Use { rule: number, side, pattern });
                }
            }
        }
        let writes = |rule: &Rule| {
            [Direction::Lower, Direction::Raise].map(|way| rule.writes_absence(way)).contains(&true)
        };
        let absences = rules.iter().enumerate().filter(|(_, rule)| writes(rule));
        let absences: Vec<(ModeId, usize)> = absences
            .filter_map(|(number, rule)| Some((image.form(rule.old.first()?.form).mode, number)))
            .collect();
        let enters = |mode: Option<ModeId>| absences.iter().any(|(at, _)| Some(*at) == mode);
        let enters_absences = image.forms().map(|(_, decl)| enters(decl.enters)).collect();
        let mut copies: Vec<(FormId, usize)> = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let each = rule.old.iter().chain(&rule.new);
            let each = each.filter(|of| matches!(of.each, Some(Each::Instance(_))));
            copies.extend(each.flat_map(|of| {
                let entries = of.entries.iter().chain(&of.beyond);
                entries.map(move |entry| (*entry, number))
            }));
            copies.dedup();
        }
        let leaves = rules.iter().enumerate().filter(|(_, rule)| rule.leaf().is_some());
        let leaves = leaves.map(|(number, _)| number).collect();
        let losing = rules.iter().enumerate().filter(|(_, rule)| rule.has_losses());
        let losing = losing.map(|(number, _)| number).collect();
        Ok(Self { rules, by_form, absences, enters_absences, copies, leaves, losing })
    }

    /// The rules of `step` that have a copy in each instance that `entry` enters.
    pub(crate) fn copies(&self, step: Step, entry: FormId) -> impl Iterator<Item = &Rule> {
        let here = self.copies.iter().filter(move |(of, _)| *of == entry);
        here.map(|(_, number)| &self.rules[*number])
            .filter(move |rule| rule.component == step.component && rule.level == step.level)
    }

    /// The rules of `step` that move a value between an entry and a leaf.
    pub(crate) fn leaves(&self, step: Step) -> impl Iterator<Item = &Rule> {
        let all = self.leaves.iter().map(|number| &self.rules[*number]);
        all.filter(move |rule| rule.component == step.component && rule.level == step.level)
    }

    /// Whether an instance of the config that `step` reads may have no name on the other side.
    pub(crate) fn may_lose_instances(&self, image: &Image, step: Step) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| {
            let is_here = rule.component == step.component && rule.level == step.level;
            is_here && rule.may_be_nameless(image, step.direction)
        }) || self.ended_modes(image, step).next().is_some()
    }

    /// The modes that `step` gives up: instances of them have no name there.
    pub(crate) fn ended_modes(&self, image: &Image, step: Step) -> impl Iterator<Item = ModeId> {
        let of_step = move |rule: &&Rule| {
            let is_here = rule.component == step.component && rule.level == step.level;
            is_here && rule.side(step.direction.to()).is_empty()
        };
        let ended = self.rules.iter().filter(of_step);
        ended.flat_map(move |rule| {
            let from = rule.side(step.direction.from()).iter();
            from.filter_map(|of| image.form(of.form).enters)
        })
    }

    /// The rules of `step` that lose something of some groups.
    pub(crate) fn losing(&self, step: Step) -> impl Iterator<Item = &Rule> {
        let all = self.losing.iter().map(|number| &self.rules[*number]);
        all.filter(move |rule| rule.component == step.component && rule.level == step.level)
    }

    /// The rules of `step` that write what absence says in `mode`.
    pub(crate) fn absences(&self, step: Step, mode: ModeId) -> impl Iterator<Item = &Rule> {
        let here = self.absences.iter().filter(move |(at, _)| *at == mode);
        here.map(|(_, number)| &self.rules[*number]).filter(move |rule| {
            rule.component == step.component
                && rule.level == step.level
                && rule.writes_absence(step.direction)
        })
    }

    /// The rule of this number.
    pub fn rule(&self, number: usize) -> &Rule {
        &self.rules[number]
    }

    /// All rules, in the family's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether `form` enters a mode in which `step` writes what absence says.
    pub(crate) fn enters_absences(&self, step: Step, image: &Image, form: FormId) -> bool {
        self.enters_absences[form.0 as usize]
            && image
                .form(form)
                .enters
                .is_some_and(|mode| self.absences(step, mode).next().is_some())
    }

    /// Whether any rule reads or writes `form`, or what is absent in an instance that it enters.
    pub fn concerns(&self, form: FormId) -> bool {
        !self.by_form[form.0 as usize].is_empty()
            || self.enters_absences[form.0 as usize]
            || self.copies.iter().any(|(entry, _)| *entry == form)
    }

    /// The uses of `form` in the rules of `step`.
    pub fn uses(&self, step: Step, form: FormId) -> impl Iterator<Item = Use> {
        let all = self.by_form[form.0 as usize].iter().copied();
        all.filter(move |used| {
            let rule = &self.rules[used.rule];
            rule.component == step.component && rule.level == step.level
        })
    }

    /// The use of `form` on the side that `step` reads.
    pub fn read_by(&self, step: Step, form: FormId) -> Option<Use> {
        self.uses(step, form).find(|used| used.side == step.direction.from())
    }

    /// The use of `form` on the side that `step` writes.
    pub fn written_by(&self, step: Step, form: FormId) -> Option<Use> {
        self.uses(step, form).find(|used| used.side == step.direction.to())
    }

    /// The rule that a group belongs to.
    ///
    /// # Panics
    /// When the group belongs to none, or to another family's.
    pub fn rule_of(&self, group: &GroupKey) -> &Rule {
        let change = group.change.expect("a group of a change");
        &self.rules[change.0 as usize]
    }

    /// The steps from the image's own levels to `levels`, down, in the family's order from the
    /// last.
    ///
    /// # Shape
    /// `levels` are none above the image's own. A level at which nothing changed is no step.
    pub fn steps_down(&self, image: &Image, levels: &[Level]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for rule in self.rules.iter().rev() {
            let at = usize::from(rule.component.0);
            let step =
                Step { component: rule.component, level: rule.level, direction: Direction::Lower };
            let on_the_way = levels[at] < rule.level && rule.level <= image.levels()[at];
            if on_the_way && !steps.contains(&step) {
                steps.push(step);
            }
        }
        steps
    }

    /// The same steps the other way: up from `levels` to the image's own.
    pub fn steps_up(&self, image: &Image, levels: &[Level]) -> Vec<Step> {
        let down = self.steps_down(image, levels).into_iter().rev();
        down.map(|step| Step { direction: Direction::Raise, ..step }).collect()
    }
}
