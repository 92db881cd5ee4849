//! What a release refuses of its lines for what else is in their instance.

use crate::draw::Drawn;
use crate::meaning::{Instance, Meaning, Said, Step};

/// Lines that do not stand together, or that need others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) first: usize,
    /// The setting of which a line is refused.
    pub(crate) second: usize,
    /// Beside a line of the first it is refused; or, where it needs one, without.
    pub(crate) needs: bool,
    /// It is about lines alone of which the first values of the key are equal.
    pub(crate) is_of_key: bool,
    /// The level from which it holds.
    pub(crate) since: usize,
    /// The first at which it holds no more.
    pub(crate) until: Option<usize>,
}

impl Refusal {
    /// Whether it holds at a level.
    pub(crate) fn holds_at(&self, level: usize) -> bool {
        self.since <= level && self.until.is_none_or(|until| level < until)
    }

    /// What of an instance is refused.
    fn refused<'a>(&self, instance: &'a Instance) -> impl Iterator<Item = &'a Said> {
        let Self { first, second, needs, is_of_key, .. } = *self;
        let is_there = move |said: &Said| {
            let mut others = instance.all_said().filter(|other| other.setting == first);
            others.any(|other| !is_of_key || other.key[0] == said.key[0])
        };
        let is_it = move |said: &&Said| said.setting == second && is_there(said) != needs;
        instance.all_said().filter(is_it)
    }
}

impl Drawn {
    /// What of a meaning units of these levels refuse, each with where it stands.
    pub(crate) fn refused(&self, levels: &[usize], root: &Instance) -> Vec<(Vec<Step>, Said)> {
        let mut refused = Vec::new();
        for (component, level) in self.components.iter().zip(levels) {
            let writing = &component.levels[*level];
            for refusal in component.refusals.iter().filter(|one| one.holds_at(*level)) {
                if [refusal.first, refusal.second].iter().any(|of| writing.line_of(*of).is_none()) {
                    continue;
                }
                for way in root.ways() {
                    let instance = root.at(&way).expect("a way of its own");
                    refused
                        .extend(refusal.refused(instance).map(|said| (way.clone(), said.clone())));
                }
            }
        }
        refused
    }

    /// Whether units of these levels refuse what makes one meaning of another.
    pub(crate) fn is_refused(&self, levels: &[usize], before: &Meaning, after: &Meaning) -> bool {
        let was = self.refused(levels, &before.root);
        self.refused(levels, &after.root).iter().any(|one| !was.contains(one))
    }
}
