//! Meanings: what is set, in the order in which it was set. What is not said has the state that an
//! absent line says at the level of whoever was told.

use std::collections::BTreeSet;

use crate::setting::{State, Value};

/// What is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    pub(crate) root: Instance,
}

/// What is set in one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) items: Vec<Item>,
    /// The roofs, as (component, number), that were entered.
    pub(crate) entered: BTreeSet<(usize, usize)>,
}

/// Something in an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A setting that has not the state that its absence says.
    Said(Said),
    /// An instance within.
    Within { scope: usize, name: Value, instance: Instance },
}

/// What is said of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) setting: usize,
    /// The values of its key.
    pub(crate) key: Vec<Value>,
    pub(crate) state: State,
}

/// One step of the way to an instance: the scope, and its name.
pub(crate) type Step = (usize, Value);

impl Instance {
    /// What is said of a setting.
    pub(crate) fn said(&self, setting: usize, key: &[Value]) -> Option<&State> {
        self.all_said().find(|said| said.setting == setting && said.key == key).map(|s| &s.state)
    }

    /// All that is said here, in order.
    pub(crate) fn all_said(&self) -> impl Iterator<Item = &Said> {
        self.items.iter().filter_map(|item| match item {
            Item::Said(said) => Some(said),
            Item::Within { .. } => None,
        })
    }

    /// Says it; none: what absence says. What is there keeps its place.
    pub(crate) fn say(&mut self, setting: usize, key: &[Value], state: Option<State>) {
        let place = self.items.iter().position(
            |item| matches!(item, Item::Said(said) if said.setting == setting && said.key == key),
        );
        match (place, state) {
            (Some(at), Some(state)) => {
                self.items[at] = Item::Said(Said { setting, key: key.to_vec(), state });
            }
            (Some(at), None) => {
                self.items.remove(at);
            }
            (None, Some(state)) => {
                self.items.push(Item::Said(Said { setting, key: key.to_vec(), state }));
            }
            (None, None) => {}
        }
    }

    /// Says nothing more of a setting where the first values of its key are these.
    pub(crate) fn forget(&mut self, setting: usize, key: &[Value]) {
        self.items.retain(|item| match item {
            Item::Said(said) => said.setting != setting || !said.key.starts_with(key),
            Item::Within { .. } => true,
        });
    }

    /// The instance at the end of this way; it is made where it is not there.
    pub(crate) fn enter(&mut self, way: &[Step]) -> &mut Self {
        let Some(((scope, name), rest)) = way.split_first() else {
            return self;
        };
        let is_it = |item: &Item| match item {
            Item::Within { scope: of, name: called, .. } => of == scope && called == name,
            Item::Said(_) => false,
        };
        let at = self.items.iter().position(is_it).unwrap_or_else(|| {
            let (scope, name) = (*scope, name.clone());
            self.items.push(Item::Within { scope, name, instance: Self::default() });
            self.items.len() - 1
        });
        match &mut self.items[at] {
            Item::Within { instance, .. } => instance.enter(rest),
            Item::Said(_) => unreachable!("an instance was found or made there"),
        }
    }

    /// The name of the only instance of a scope, if there is one.
    pub(crate) fn only(&self, scope: usize) -> Option<&Value> {
        self.items.iter().find_map(|item| match item {
            Item::Within { scope: of, name, .. } if *of == scope => Some(name),
            Item::Within { .. } | Item::Said(_) => None,
        })
    }

    /// Gives the instance at the end of this way another name.
    pub(crate) fn call(&mut self, way: &[Step], name: &Value) {
        let Some(((scope, called), around)) = way.split_last() else { return };
        for item in &mut self.enter(around).items {
            match item {
                Item::Within { scope: of, name: old, .. } if of == scope && old == called => {
                    *old = name.clone();
                }
                Item::Within { .. } | Item::Said(_) => {}
            }
        }
    }

    /// Takes an instance away, with all that is in it.
    pub(crate) fn leave(&mut self, step: &Step) {
        self.items.retain(|item| {
            !matches!(item, Item::Within { scope, name, .. } if (scope, name) == (&step.0, &step.1))
        });
    }

    /// The ways to all instances within, and to itself.
    pub(crate) fn ways(&self) -> Vec<Vec<Step>> {
        let mut ways = vec![Vec::new()];
        for item in &self.items {
            if let Item::Within { scope, name, instance } = item {
                let step = (*scope, name.clone());
                let within = instance.ways().into_iter();
                ways.extend(within.map(|way| [vec![step.clone()], way].concat()));
            }
        }
        ways
    }

    /// The instance at the end of this way.
    pub(crate) fn at(&self, way: &[Step]) -> Option<&Self> {
        let Some(((scope, name), rest)) = way.split_first() else {
            return Some(self);
        };
        self.items.iter().find_map(|item| match item {
            Item::Within { scope: s, name: n, instance } if s == scope && n == name => {
                instance.at(rest)
            }
            Item::Within { .. } | Item::Said(_) => None,
        })
    }
}
