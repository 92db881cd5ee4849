//! Ordered lists: which lines of a place have an order that means something.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::Shared;
use crate::grammar::{Form, Words};

/// The list that lines of a form stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum List {
    /// All lines of their place are one: what is known of an imported form.
    Place,
    /// The lines of this form alone.
    Form,
    /// The lines of all forms that name it so.
    Named(ListName),
}

/// The name of a list: text, and captures of which each value has a list of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListName(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Capture(Box<str>),
}

impl ListName {
    /// Reads `prefix-list $name`.
    pub fn read(text: &str) -> Self {
        let part = |word: &str| match word.strip_prefix('$') {
            Some(name) => Part::Capture(name.into()),
            None => Part::Text(word.into()),
        };
        Self(text.split_whitespace().map(part).collect())
    }

    /// The captures that it names.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Capture(name) => Some(&**name),
            Part::Text(_) => None,
        })
    }

    /// The list of the line `words` of `form`.
    pub(crate) fn of(&self, form: &Form, words: &Words) -> Shared<str> {
        let values = form.values_of(words);
        let mut name = String::new();
        for part in &self.0 {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(match part {
                Part::Text(text) => text,
                Part::Capture(capture) => values.get(&**capture).map_or("", |value| value),
            });
        }
        Shared::from(name)
    }
}
