//! Kept plans, each run again: silent on the sound engine, and with its defect planted seen as
//! expected.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skewsync::planted::Defect;
use skewsync_lab::regression::Regression;
use skewsync_model::property::Property;
use skewsync_sim::catalog::{Catalog, load};
use skewsync_sim::oracle;
use skewsync_sim::run::VerdictKind;

/// Properties that no kept plan breaks, each with the reason.
const UNBROKEN: [(Property, &str); 1] = [(
    Property::RoundTrip,
    "both ways of a round trip are held to the reference translation first (HotMeansEqual, \
     Commutes): what is left for \
         it is an image whose transforms are no inverses, and no defect of the engine",
)];
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
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
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

fn catalog() -> Arc<Catalog> {
    Arc::new(load(&[]).expect("the bundled family loads"))
}

#[test]
fn every_defect_has_a_kept_plan_of_its_name() {
    let kept = kept();
    let names: BTreeSet<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    for &defect in Defect::ALL {
        assert!(names.contains(defect.name()), "{} has none", defect.name());
    }
    for (name, kept) in &kept {
        if let Some(defect) = &kept.plan.planted {
            assert!(Defect::named(defect).is_some(), "{name}: {defect}");
            assert!(!kept.expect.lockstep.passed(), "{name}");
        }
        assert!(kept.expect.sound.passed(), "{name}");
    }
}

#[test]
fn every_property_that_oracles_check_has_a_kept_plan() {
    let kept = kept();
    let expected = kept.iter().flat_map(|(_, kept)| [kept.expect.lockstep, kept.expect.properties]);
    let broken: BTreeSet<VerdictKind> = expected.collect();
    for property in oracle::properties() {
        let why = UNBROKEN.iter().find(|(name, _)| *name == property);
        let kept = broken.contains(&VerdictKind::Fails(property));
        assert!(kept != why.is_some(), "{property}: {why:?}, kept: {kept}");
    }
}

#[test]
fn every_kept_plan_is_silent_on_the_sound_engine() {
    for_each(false);
}

#[cfg(feature = "planted")]
#[test]
fn every_kept_plan_shows_its_defect() {
    for_each(true);
}

fn for_each(planted: bool) {
    let catalog = catalog();
    let wrong: Vec<String> = kept()
        .into_iter()
        .flat_map(|(name, kept)| {
            let checked = kept.check(&catalog, planted).expect("the plan can be run");
            let wrong = checked.wrong().into_iter();
            wrong.map(move |words| format!("{name}: {words}"))
        })
        .collect();
    assert_eq!(wrong, [""; 0], "look at each: tests/regressions/README.md");
}
