//! How many seeds ended when, in equal spans of real time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The length of a span at first.
const SPAN: Duration = Duration::from_millis(250);
/// Spans that are kept, at most; beyond them each becomes twice as long.
const SPANS_MAX: usize = 512;
/// Doublings that a file may claim: more than the age of the world.
const DOUBLED_MAX: u32 = 40;

/// How many seeds ended in each span of real time since the campaign began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// How often the spans were doubled.
    doubled: u32,
    /// Seeds by span; the last is not 0.
    ended: Vec<u64>,
}

impl Pace {
    /// One seed ended so long after the beginning.
    pub fn end(&mut self, after: Duration) {
        let span = after.as_millis() / SPAN.as_millis();
        while (span >> self.doubled) >= SPANS_MAX as u128 {
            self.double();
        }
        let span = (span >> self.doubled) as usize;
        if self.ended.len() <= span {
            self.ended.resize(span + 1, 0);
        }
        self.ended[span] += 1;
    }

    /// Takes in what ended elsewhere, as if both had begun at once.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.doubled < other.doubled {
            self.double();
        }
        while other.doubled < self.doubled {
            other.double();
        }
        if self.ended.len() < other.ended.len() {
            self.ended.resize(other.ended.len(), 0);
        }
        for (to, more) in self.ended.iter_mut().zip(other.ended) {
            *to = to.saturating_add(more);
        }
    }

    /// The length of a span, in seconds.
    pub fn span_seconds(&self) -> f64 {
        SPAN.as_secs_f64() * (1_u64 << self.doubled) as f64
    }

    /// Seeds by span.
    pub fn ended(&self) -> &[u64] {
        &self.ended
    }

    /// What is wrong with one that was read, if anything.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        if self.doubled > DOUBLED_MAX || self.ended.len() > SPANS_MAX {
            return Some("the pace has more, or longer, spans than there may be");
        }
        (self.ended.last() == Some(&0)).then_some("the pace ends with an empty span")
    }

    fn double(&mut self) {
        self.doubled += 1;
        let pairs = self.ended.chunks(2);
        self.ended = pairs
            .map(|pair| pair.iter().fold(0, |sum: u64, each| sum.saturating_add(*each)))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_campaign_keeps_every_seed_in_few_spans() {
        let mut pace = Pace::default();
        for second in 0..1_000 {
            pace.end(Duration::from_secs(second));
        }
        assert_eq!(pace.ended().iter().sum::<u64>(), 1_000);
        assert!(pace.ended().len() <= SPANS_MAX && pace.trouble().is_none());
        assert!((pace.span_seconds() - 2.0).abs() < 1e-9);
    }
}
