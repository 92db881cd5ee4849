//! The first failure of each signature, shrunk: what a campaign leaves to whoever looks for a
//! cause.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use skewsync_sim::catalog::Catalog;
use skewsync_sim::run::{Options, Verdict};

use crate::campaign::Ran;
use crate::commands::families;
use crate::commands::files;
use crate::commands::shrink;
use crate::interrupt;
use crate::report::failure::Section;
use crate::shrink::How;

/// Signatures of which a failure is shrunk.
const SIGNATURES_MAX: usize = 8;
/// Real time for each, at most.
const LASTS: Duration = Duration::from_secs(10);
/// Runs for each, at most.
const RUNS: u64 = 2_000;
/// A smaller plan whose run takes longer in real time does not count.
const HANGS_AFTER: Duration = Duration::from_secs(5);

/// What failures are shrunk with.
pub(super) struct With<'a> {
    pub(super) catalog: &'a Arc<Catalog>,
    pub(super) options: Options,
    pub(super) jobs: usize,
    /// Where the plans of the failures are.
    pub(super) dir: &'a Path,
}

/// Shrinks the first failure of each signature, beside its plan; of each the report is written, and
/// its first lines told. Those that fresh processes run otherwise are counted.
///
/// # Errors
/// What cannot be written, or that no process can be started, in words.
pub(super) fn firsts(ran: &Ran, with: &With<'_>, out: &mut dyn Write) -> Result<usize, String> {
    let mut seen = BTreeSet::new();
    let mut differ = 0;
    let how = How {
        options: with.options,
        runs: RUNS,
        lasts: LASTS,
        jobs: with.jobs,
        hangs_after: HANGS_AFTER,
        stop: interrupt::interrupted,
        ..How::default()
    };
    let failures = ran.failures.iter();
    let came_back = failures.filter(|failure| !matches!(failure.verdict, Verdict::Hung { .. }));
    let first = came_back.filter(|failure| seen.insert(failure.signature()));
    for failure in first.take(SIGNATURES_MAX) {
        if interrupt::interrupted() {
            break;
        }
        let shrunk = match shrink::watched(&failure.plan, with.catalog, &how) {
            Ok(shrunk) => shrunk,
            Err(words) => {
                let _ = writeln!(out, "\nseed {} was not shrunk: {words}", failure.seed);
                continue;
            }
        };
        let path = with.dir.join(format!("seed-{}-shrunk.toml", failure.seed));
        files::write(&path, &shrunk.plan.write())?;
        let family = families::beside(&shrunk.plan, &path)?;
        let failed = ran.summary.failed.get(&failure.signature());
        let seeds = failed.map_or(1, |failed| failed.seeds.count());
        let often = Section::often(seeds, ran.summary.seeds());
        let mut more = vec![often];
        more.extend(family.map(|folder| Section::family(&shrunk.plan, &folder)));
        let told = shrink::told(&shrunk, with.catalog, with.options, HANGS_AFTER, more)?;
        let _ = write!(out, "\nseed {}: {}", failure.seed, told.brief(&path));
        let name = format!("seed-{}.html", failure.seed);
        let at = files::keep(with.dir, &name, &told.page(&path))?;
        let _ = writeln!(out, "report: {}", at.display());
        for trace in shrink::differing(&shrunk, with.options)? {
            let here = shrunk.trace;
            let _ = writeln!(out, "a fresh process gave trace {trace}, and this one {here:016x}");
            differ += 1;
        }
    }
    Ok(differ)
}
