//! Other spellings of what a line says: those that an operator may type, and that no config keeps.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use crate::rng::Rng;
use crate::setting::{Kind, State, Value};
use crate::writing::{Line, Slot, Unsayable};

/// Of so many values in a hundred, each is spelled as a config has it.
const PLAIN_PERCENT: usize = 30;

impl Line {
    /// The words that make it so, as somebody may type them.
    pub(crate) fn typed(&self, states: &[State], rng: &mut Rng) -> Result<Vec<String>, Unsayable> {
        let lines = self.text_spelled(states, &mut |slot, value| slot.typed(value, rng))?;
        let has_text = |line: &String| line.contains(['"', '\n', '^']);
        let widen = rng.chance(20);
        let wide = |line: String| match widen && !has_text(&line) {
            true => line.replace(' ', "  "),
            false => line,
        };
        Ok(lines.into_iter().map(wide).collect())
    }
}

impl Slot {
    fn typed(&self, value: &Value, rng: &mut Rng) -> Result<String, Unsayable> {
        let said = self.say(value)?;
        // What need not be said may be said.
        if said.is_empty() && self.unsaid.is_some() && rng.chance(60) {
            return Ok(self.led(self.bare().say(value)?));
        }
        if said.is_empty() || rng.chance(PLAIN_PERCENT) {
            return Ok(said);
        }
        let said = self.bare().say(value)?;
        let said = match (value, &self.takes) {
            (Value::Number(_), _) => with_zeros(&said),
            (Value::Numbers(numbers), _) => listed(numbers, rng),
            (Value::Flags(_), _) => {
                let mut words: Vec<&str> = said.split(' ').collect();
                rng.shuffle(&mut words);
                words.join(" ")
            }
            (Value::Text(_), Kind::Address6 | Kind::Host) => {
                said.parse::<Ipv6Addr>().map_or(said, |address| in_full(&address, rng))
            }
            _ => said,
        };
        Ok(self.led(said))
    }
}

/// A number with zeros before it; what is a word stays as it is.
fn with_zeros(said: &str) -> String {
    let is_number = said.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("00{said}") } else { said.to_owned() }
}

/// Numbers in one word: in any order, in pieces, some of them twice.
fn listed(numbers: &BTreeSet<i64>, rng: &mut Rng) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut rest: Vec<i64> = numbers.iter().copied().collect();
    while !rest.is_empty() {
        let first = rest[0];
        let run = rest.iter().zip(first..).take_while(|(number, next)| *number == next).count();
        let count = 1 + rng.below(run);
        let last = rest[count - 1];
        parts.push(if count == 1 { first.to_string() } else { format!("{first}-{last}") });
        // The next part may begin with what this one ends with.
        rest.drain(..count - usize::from(count > 1 && rng.chance(20)));
    }
    rng.shuffle(&mut parts);
    parts.join(",")
}

/// An address with all of its parts.
fn in_full(address: &Ipv6Addr, rng: &mut Rng) -> String {
    let parts = address.segments().map(|part| format!("{part:x}"));
    let text = parts.join(":");
    if rng.chance(50) { text.to_uppercase() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_spelling_says_the_same_numbers() {
        let numbers: BTreeSet<i64> = [1, 2, 3, 4, 7, 9, 10].into();
        for seed in 0..50 {
            let text = listed(&numbers, &mut Rng::new(seed, 0));
            let span = |part: &str| {
                let (first, last) = part.split_once('-').unwrap_or((part, part));
                first.parse::<i64>().unwrap()..=last.parse::<i64>().unwrap()
            };
            let said: BTreeSet<i64> = text.split(',').flat_map(span).collect();
            assert_eq!(said, numbers, "{text}");
        }
        assert_eq!((with_zeros("7"), with_zeros("max")), ("007".to_owned(), "max".to_owned()));
    }
}
