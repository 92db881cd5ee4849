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
        let rate = (Self::MILLION + self.drift_ppm as i64) as u64;
        // Rounded up: a timer is never early by its own clock.
        (local * Self::MILLION as u64).div_ceil(rate)
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
    }
}
