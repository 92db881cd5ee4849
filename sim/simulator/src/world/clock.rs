//! Clocks that run a little fast or slow. Links and disks run on true time.

/// A unit's clock, in relation to true time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    drift_ppm: i32,
}

impl Clock {
    const MILLION: i64 = 1_000_000;

    /// A clock that is so much faster than true time.
    ///
    /// # Panics
    /// If it would stand still or run backward.
    pub const fn new(drift_ppm: i32) -> Self {
        assert!(drift_ppm > -1_000_000, "a clock runs forward");
        Self { drift_ppm }
    }

    /// The true time that passes while this clock counts `local` microseconds.
    pub const fn true_us(self, local: u64) -> u64 {
        // Rounded up: a timer is never early by its own clock.
        (local * Self::MILLION as u64).div_ceil(self.rate())
    }

    /// What this clock counts in so much true time.
    pub const fn counts_us(self, true_us: u64) -> u64 {
        (true_us as u128 * self.rate() as u128 / Self::MILLION as u128) as u64
    }

    /// The true time in which `other` counts what this clock counts in `true_us` of true time.
    pub const fn as_on(self, other: Self, true_us: u64) -> u64 {
        let counted = true_us as u128 * self.rate() as u128;
        counted.div_ceil(other.rate() as u128) as u64
    }

    /// This clock, faster by so much.
    #[must_use]
    pub const fn faster(self, ppm: i32) -> Self {
        Self::new(self.drift_ppm + ppm)
    }

    const fn rate(self) -> u64 {
        (Self::MILLION + self.drift_ppm as i64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_is_through_sooner() {
        assert_eq!(Clock::new(0).true_us(4_000_000), 4_000_000);
        assert!(Clock::new(10_000).true_us(4_000_000) < 4_000_000);
        assert!(Clock::new(-10_000).true_us(4_000_000) > 4_000_000);
        assert_eq!(Clock::new(10_000).counts_us(4_000_000), 4_040_000);
    }

    #[test]
    fn what_is_left_of_a_timer_takes_longer_on_a_slower_clock() {
        let (plain, half) = (Clock::new(0), Clock::new(0).faster(-500_000));
        assert_eq!(plain.as_on(half, 3_000), 6_000);
        assert_eq!(half.as_on(plain, 6_000), 3_000);
    }
}
