//! Campaigns in parts: which seeds are run now, what was established before, and where it is kept.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::Args;
use crate::campaign::{Fingerprint, Seeds, Summary, file};

/// Seeds of a campaign that nothing says the size of.
const SEEDS: u64 = 1_000;
/// A campaign that lasts keeps what it has so often.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// One of several parts of about one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    of: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("a part is `i/n` with i from 1 to n, as in 2/4, not `{text}`");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let index: u64 = index.parse().map_err(|_| wrong())?;
        let of: u64 = of.parse().map_err(|_| wrong())?;
        if index == 0 || index > of {
            return Err(wrong());
        }
        Ok(Self { index, of })
    }
}

/// What a campaign goes on from.
pub(super) struct Part {
    /// What was established before.
    pub(super) so_far: Summary,
    /// The seeds that are left.
    pub(super) seeds: Seeds,
}

/// The part that the arguments ask for.
///
/// # Errors
/// Seeds that there are not; a summary that cannot be read or is of other runs; in words.
pub(super) fn part(args: &Args, kind: &Fingerprint) -> Result<Part, String> {
    let mut so_far = Summary::default();
    if let Some(path) = &args.resume {
        let words = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        so_far = file::read(path).map_err(|error| words(&error))?;
        if let Some(before) = &so_far.kind {
            kind.agrees(before).map_err(|error| words(&error))?;
        }
        // What was not run then is tried again.
        so_far.harness.clear();
    }
    let said = args.seeds.is_some() || args.from.is_some() || args.shard.is_some();
    if said || args.resume.is_none() {
        let (from, count) = (args.from.unwrap_or(0), args.seeds.unwrap_or(SEEDS));
        if from.checked_add(count).is_none() {
            return Err(format!(
                "--from {from} and --seeds {count}: the last seed is beyond {}",
                u64::MAX
            ));
        }
        let mut asked = Seeds::run(from, count);
        if let Some(Shard { index, of }) = args.shard {
            asked = asked.shard(index, of);
        }
        let seeds = asked.without(&so_far.ran);
        return Ok(Part { so_far, seeds });
    }
    let seeds = so_far.missing();
    Ok(Part { so_far, seeds })
}

/// Where a summary is kept, and when it was last.
pub(super) struct Keeper {
    path: Option<PathBuf>,
    kept: Instant,
}

impl Keeper {
    /// One that has kept nothing yet.
    pub(super) fn new(args: &Args) -> Self {
        Self { path: args.summary.clone().or_else(|| args.resume.clone()), kept: now() }
    }

    /// Keeps what was established.
    ///
    /// # Errors
    /// That it cannot be written, in words.
    pub(super) fn keep(&mut self, summary: &Summary) -> Result<(), String> {
        self.kept = now();
        let Some(path) = &self.path else {
            return Ok(());
        };
        file::write(path, summary).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Keeps it if that was long ago.
    pub(super) fn keep_now_and_then(&mut self, summary: &Summary) {
        if self.path.is_some() && self.kept.elapsed() >= KEEP_EVERY {
            // What cannot be written now is said at the end.
            let _ = self.keep(summary);
        }
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_of_so_many() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, of: 4 }));
        for text in ["0/4", "5/4", "4", "a/b", "1/0", "1/2/3", "-1/2"] {
            let error = text.parse::<Shard>().expect_err(text);
            assert!(error.contains(text), "{error}");
        }
    }
}
