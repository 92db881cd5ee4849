//! Kept plans, each run again: silent on the sound engine, and with its defect planted seen as expected.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skewsync::planted::Defect;
use skewsync_sim::campaign::run_fresh;
use skewsync_sim::plan::Plan;
use skewsync_sim::regression::{PASSED, Regression, word};
use skewsync_sim::run::{Lockstep, Options, Report};
use skewsync_sim::stock::{Stock, load};

/// What stands in the folder beside the kept plans.
const README: &str = "README.md";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regressions")
}

/// All kept plans, by name. Whatever else lies in the folder is forgotten, and so an error.
fn kept() -> Vec<(String, Regression)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        let name = path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        if name == README {
            continue;
        }
        let name = name.strip_suffix(".toml");
        let name = name.unwrap_or_else(|| panic!("{} is no kept plan", path.display()));
        let text = std::fs::read_to_string(&path).expect("a kept plan is readable");
        let kept = Regression::read(&text);
        let kept = kept.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        all.push((name.to_string(), kept));
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    all
}

fn stock() -> Arc<Stock> {
    Arc::new(load(&[]).expect("the bundled family loads").0)
}

fn run(plan: Plan, stock: &Arc<Stock>, lockstep: Lockstep) -> Report {
    run_fresh(&Arc::new(plan), stock, Options { lockstep }).expect("the plan can be run")
}

#[test]
fn every_defect_has_a_kept_plan_of_its_name() {
    let kept = kept();
    let names: BTreeSet<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    for defect in Defect::ALL {
        assert!(names.contains(defect.name()), "{} has none", defect.name());
    }
    for (name, kept) in &kept {
        if let Some(defect) = &kept.plan.planted {
            assert_eq!(defect, name, "a kept plan is named by its defect");
            assert_ne!(kept.expect.lockstep, PASSED, "{name}");
        }
    }
}

#[test]
fn every_kept_plan_is_silent_on_the_sound_engine() {
    let stock = stock();
    for (name, kept) in kept() {
        let report = run(kept.sound(), &stock, Lockstep::On);
        assert_eq!(
            word(&report.verdict),
            kept.expect.sound,
            "{name}: {:?}",
            report.verdict
        );
        assert_eq!(report.drift, kept.expect.drift, "{name}");
    }
}

#[cfg(feature = "planted")]
#[test]
fn every_kept_plan_shows_its_defect() {
    let stock = stock();
    for (name, kept) in kept() {
        for (lockstep, expected) in [
            (Lockstep::On, &kept.expect.lockstep),
            (Lockstep::Off, &kept.expect.properties),
        ] {
            let report = run(kept.plan.clone(), &stock, lockstep);
            let verdict = &report.verdict;
            assert_eq!(
                word(verdict),
                expected,
                "{name}, lockstep {lockstep:?}: {verdict:?}"
            );
        }
    }
}
