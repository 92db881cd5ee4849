//! Exit codes of `skewlab`. Of several outcomes the first of 4, 3, 1, 2, 5, 6 is given.

/// Passed.
pub const PASSED: u8 = 0;
/// A safety property does not hold.
pub const SAFETY: u8 = 1;
/// The pair does not converge, or a run hangs.
pub const LIVENESS: u8 = 2;
/// A machine panicked.
pub const PANIC: u8 = 3;
/// The same plan gave another trace.
pub const NONDETERMINISM: u8 = 4;
/// Wrong usage, unreadable input, a plan that drifted, or the harness itself.
pub const USAGE: u8 = 5;
/// Cut short, inconclusive above its share, or an empty cell without a reason.
pub const TRUNCATED: u8 = 6;

/// The graver of two codes.
pub fn graver(one: u8, other: u8) -> u8 {
    const ORDER: [u8; 7] = [NONDETERMINISM, PANIC, SAFETY, LIVENESS, USAGE, TRUNCATED, PASSED];
    let rank = |code: u8| ORDER.iter().position(|each| *each == code).unwrap_or(ORDER.len());
    if rank(one) <= rank(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_determinism_outweighs_all_and_passing_nothing() {
        assert_eq!(graver(SAFETY, NONDETERMINISM), NONDETERMINISM);
        assert_eq!(graver(PASSED, TRUNCATED), TRUNCATED);
        assert_eq!(graver(LIVENESS, PANIC), PANIC);
    }
}
