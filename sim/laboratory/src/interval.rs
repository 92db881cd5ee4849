//! How far a share that was counted may be from the true one.

/// The score of 95 % of a normal distribution, both sides together.
const SCORE: f64 = 1.959_963_984_540_054;

/// The interval in which the true share lies with 95 % confidence, if `hits` of `all` were counted;
/// of nothing counted anything may be true.
///
/// # Shape
/// Wilson's score interval: it stays within 0 and 1, and says something of no hits too.
///
/// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
pub fn wilson(hits: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (all as f64, hits.min(all) as f64 / all as f64);
    let square = SCORE * SCORE;
    let middle = share + square / (2.0 * n);
    let spread = SCORE * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    let bound = |side: f64| ((middle + side * spread) / (1.0 + square / n)).clamp(0.0, 1.0);
    (bound(-1.0), bound(1.0))
}

/// A share in percent, with as many digits as a small one needs.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        _ if percent == 0.0 => "0 %".into(),
        _ if percent < 0.1 => format!("{percent:.3} %"),
        _ if percent < 10.0 => format!("{percent:.2} %"),
        _ => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_books() {
        // Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I.
        for (hits, all, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (from, to) = wilson(hits, all);
            assert!(
                (from - low).abs() < 5e-5 && (to - high).abs() < 5e-5,
                "{hits}/{all}: {from} {to}"
            );
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert!(wilson(7, 7).1 > 0.999_999);
    }
}
