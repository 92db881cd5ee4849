//! Models in every interleaving, and each possible mistake in a process of its own: loom aborts the
//! process in which it finds a deadlock.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use loom::model::Builder;

use crate::mistake::{self, Mistake, PLANTED};

/// Preemptions within which a mistake must be found.
const MISTAKE_PREEMPTIONS: usize = 2;
/// Switches between threads within one interleaving.
const BRANCHES_MAX: usize = 10_000;

/// A few threads, and what must come of them however they interleave.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    /// How often a thread is interrupted that could go on; none: as often as it can be.
    pub(crate) preemptions: Option<usize>,
    pub(crate) run: fn(),
}

impl Model {
    /// In how many interleavings it holds.
    fn explore(&self, preemptions: Option<usize>) -> u64 {
        let count = Arc::new(AtomicU64::new(0));
        let (counted, run) = (Arc::clone(&count), self.run);
        let mut builder = Builder::new();
        builder.max_branches = BRANCHES_MAX;
        builder.preemption_bound = preemptions;
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            mistake::begin();
            if mistake::planted().is_some() {
                eprint!("#");
            }
            run();
        });
        count.load(Ordering::Relaxed)
    }
}

/// Explores the models of a test, then each mistake that can be made in `source` where they come.
/// One that no model finds must be among the `harmless`, and those must be found by none.
pub(crate) fn check(test: &str, source: &str, models: &[Model], harmless: &[&str]) {
    if mistake::planted().is_some() {
        for model in models {
            model.explore(Some(MISTAKE_PREEMPTIONS));
        }
        return;
    }
    for model in models {
        #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
        let began = Instant::now();
        let count = model.explore(model.preemptions);
        let within =
            model.preemptions.map_or("all".into(), |most| format!("<= {most} preemptions"));
        let seconds = began.elapsed().as_secs_f64();
        println!("{}: holds in {count} interleavings ({within}), {seconds:.1} s", model.name);
    }
    let mut unfound = Vec::new();
    for mistake in mistake::possible() {
        let words = mistake.words(source);
        if let Some((count, how)) = found(test, mistake) {
            println!("{words}: found in interleaving {count}: {how}");
        } else {
            println!("{words}: not found");
            unfound.push(words);
        }
    }
    assert_eq!(unfound, harmless, "mistakes that no model finds");
}

/// In which interleaving a mistake is found, and how; none: it is not.
fn found(test: &str, mistake: Mistake) -> Option<(usize, String)> {
    let mut command = Command::new(std::env::current_exe().expect("it runs"));
    command.args(["--exact", test, "--nocapture"]).env(PLANTED, mistake.write());
    let output = command.env("RUST_BACKTRACE", "0").output().expect("it starts again");
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.matches('#').count();
    assert!(count > 0, "no model began: {said}");
    let of_loom = ["deadlock", "left", "assertion", "overflow"];
    let how = said.lines().find(|line| of_loom.iter().any(|word| line.contains(word)));
    let how = how.unwrap_or("no words").trim_start_matches('#').trim();
    (!output.status.success()).then(|| (count, how.chars().take(80).collect()))
}
