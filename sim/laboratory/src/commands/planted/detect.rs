//! How many seeds it takes to see each planted defect, under two mixes of faults.

use std::io::Write;

use skewsync::planted::Defect;
use skewsync_sim::exit;
use skewsync_sim::run::Lockstep;

use super::{Bench, Ends, unwritten};
use crate::draw::Mix;

/// The mixes that are held against each other.
const MIXES: [(Mix, &str); 2] = [(Mix::Swarm, "swarm"), (Mix::Fixed, "fixed")];
/// Seeds that are run from one start, at most.
const SEEDS_MAX: u64 = 300;
/// How far the starts are from each other.
const APART: u64 = 1_000;

/// Prints, for each defect and mix, the seeds to the first that fails: the median over the starts,
/// the least and the most.
pub(super) fn run(
    bench: &Bench,
    defects: &[Defect],
    starts: u64,
    out: &mut dyn Write,
) -> Result<u8, String> {
    let mut line = format!("{:<26}", "seeds to detection");
    for (_, name) in MIXES {
        line.push_str(&format!("{name:>8} (least to most)  "));
    }
    writeln!(out, "{}", line.trim_end()).map_err(unwritten)?;
    let mut sums = [0; MIXES.len()];
    for defect in defects {
        let mut line = format!("{:<26}", defect.name());
        for ((mix, _), sum) in MIXES.into_iter().zip(&mut sums) {
            let mut taken: Vec<u64> =
                (0..starts).map(|start| taken(bench, *defect, mix, start * APART)).collect();
            taken.sort_unstable();
            let median = taken[taken.len() / 2];
            *sum += taken.iter().sum::<u64>();
            let (least, most) = (taken[0], taken[taken.len() - 1]);
            let most =
                if most > SEEDS_MAX { format!("over {SEEDS_MAX}") } else { most.to_string() };
            line.push_str(&format!("{median:>8} {:<18}", format!("({least} to {most})")));
        }
        writeln!(out, "{}", line.trim_end()).map_err(unwritten)?;
    }
    let runs = starts * defects.len() as u64;
    let means = sums.map(|sum| format!("{:.1}", sum as f64 / runs.max(1) as f64));
    writeln!(
        out,
        "mean of {runs} hunts each: {} {}, {} {} (one that found nothing counts as {})",
        MIXES[0].1,
        means[0],
        MIXES[1].1,
        means[1],
        SEEDS_MAX + 1
    )
    .map_err(unwritten)?;
    Ok(exit::PASSED)
}

/// Seeds up to the first that fails; one more than are run if none does.
fn taken(bench: &Bench, defect: Defect, mix: Mix, from: u64) -> u64 {
    let ends = Ends::AtFailure;
    let ran = bench.campaign_in(mix, defect, Lockstep::Off, (from, SEEDS_MAX), ends);
    let first = ran.failures.iter().map(|failure| failure.seed).min();
    first.map_or(SEEDS_MAX + 1, |seed| seed - from + 1)
}
