//! How many times a number becomes as large by a change.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A ratio of two positive numbers: the new number is `times / over` times the old one.
///
/// # Shape
/// In lowest terms; neither exceeds [`Scale::MAX`]. Written `1000`, `1000/1` or `1/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale {
    times: u32,
    over: u32,
}

/// What is no scale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no scale: write a positive number, or two as `1/8`, none above {max}",
    max = Scale::MAX
)]
pub struct ScaleError(pub String);

impl Scale {
    /// Nothing becomes larger.
    pub const ONE: Self = Self { times: 1, over: 1 };

    /// The most that either number of it is.
    pub const MAX: u32 = 1_000_000_000;

    /// Reads a scale.
    ///
    /// # Errors
    /// See [`ScaleError`].
    pub fn parse(text: &str) -> Result<Self, ScaleError> {
        let wrong = || ScaleError(text.to_string());
        let number = |text: &str| {
            let number = text.trim().parse::<u32>().ok();
            number.filter(|number| (1..=Self::MAX).contains(number)).ok_or_else(wrong)
        };
        let (times, over) = text.split_once('/').unwrap_or((text, "1"));
        let (times, over) = (number(times)?, number(over)?);
        let divisor = gcd(times.into(), over.into()) as u32;
        Ok(Self { times: times / divisor, over: over / divisor })
    }

    /// The same the other way.
    #[must_use]
    pub const fn back(self) -> Self {
        Self { times: self.over, over: self.times }
    }

    /// This scale, and then another; none: a number of it would be too large.
    pub fn then(self, other: Self) -> Option<Self> {
        let (times, over) = (
            u64::from(self.times) * u64::from(other.times),
            u64::from(self.over) * u64::from(other.over),
        );
        let divisor = gcd(times, over);
        let number = |number: u64| {
            let number = u32::try_from(number / divisor).ok()?;
            (number <= Self::MAX).then_some(number)
        };
        Some(Self { times: number(times)?, over: number(over)? })
    }

    /// What a number becomes; none: it becomes no whole number.
    pub const fn of(self, number: i128) -> Option<i128> {
        let Some(times) = number.checked_mul(self.times as i128) else {
            return None;
        };
        if times % self.over as i128 == 0 { Some(times / self.over as i128) } else { None }
    }

    /// Of which number only the multiples become whole numbers.
    pub const fn whole_of(self) -> u32 {
        self.over
    }

    /// The numbers that become numbers in `low..=high`, whole or not: a closed interval.
    pub const fn reaching(self, (low, high): (i128, i128)) -> (i128, i128) {
        let (times, over) = (self.times as i128, self.over as i128);
        let floor = high.saturating_mul(over).div_euclid(times);
        let ceiling = -(low.saturating_mul(over).saturating_neg().div_euclid(times));
        (ceiling, floor)
    }
}

const fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.over {
            1 => write!(f, "{}", self.times),
            over => write!(f, "{}/{over}", self.times),
        }
    }
}

impl Serialize for Scale {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scale {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_whole_value_becomes_none() {
        let thousand = Scale::parse("1000").unwrap();
        assert_eq!((thousand.of(2), thousand.back().of(2000)), (Some(2000), Some(2)));
        assert_eq!(thousand.back().of(1500), None);
        let eighth = Scale::parse("2/16").unwrap();
        assert_eq!(
            (eighth.to_string(), eighth.of(-16), eighth.of(4)),
            ("1/8".into(), Some(-2), None)
        );
        assert_eq!(thousand.of(i128::MAX), None);
    }

    #[test]
    fn an_interval_is_reached_from_between_its_ends() {
        let thousand = Scale::parse("1000").unwrap();
        assert_eq!(thousand.reaching((1, 5000)), (1, 5));
        assert_eq!(thousand.back().reaching((1, 5)), (1000, 5000));
        let three_halves = Scale::parse("3/2").unwrap();
        assert_eq!(three_halves.reaching((-4, 4)), (-2, 2));
    }

    #[test]
    fn what_is_no_scale_is_an_error() {
        for text in ["", "0", "-1", "1/0", "a", "1/2/3", "4294967296", "1000000001"] {
            assert!(Scale::parse(text).is_err(), "{text}");
        }
    }
}
