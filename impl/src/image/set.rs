//! Captures of several words whose order says nothing: one writing of them is kept.

use alloc::string::String;
use alloc::vec::Vec;

use super::FormDecl;
use crate::grammar::{Form, Words};

/// Whether a form takes several words for a capture, by blanks.
pub(super) fn takes_several(form: &Form, name: &str) -> bool {
    let leaves = form.capture(name);
    !leaves.is_empty() && leaves.iter().all(|leaf| form.leaf(*leaf).variadic)
}

/// These words in order, each once: numbers by their size, if all are numbers, else by their text.
fn sorted(value: &str) -> String {
    let mut words: Vec<&str> = value.split(' ').collect();
    let numbers: Option<Vec<u128>> = words.iter().map(|word| word.parse().ok()).collect();
    match numbers {
        Some(_) => words.sort_by_key(|word| (word.parse::<u128>().ok(), *word)),
        None => words.sort_unstable(),
    }
    words.dedup();
    words.join(" ")
}

impl FormDecl {
    /// The same line with the words of its sets in order.
    pub(super) fn with_sets_in_order(&self, words: Words) -> Words {
        if self.set.is_empty() {
            return words;
        }
        let mut values = self.form.values_of(&words);
        for name in &self.set {
            if let Some(value) = values.get_mut(&**name) {
                *value = sorted(value).into();
            }
        }
        let values: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
        self.form.build(words.sign(), &values).unwrap_or(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_each_stands_once() {
        assert_eq!(sorted("b a b"), "a b");
        assert_eq!(sorted("10 9 100 9"), "9 10 100");
        assert_eq!(sorted("10 9 a"), "10 9 a");
    }
}
