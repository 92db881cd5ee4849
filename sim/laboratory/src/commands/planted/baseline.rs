//! What is kept of each planted defect: by which property it is seen, and the first seed that shows
//! it.

use serde::{Deserialize, Serialize};
use skewsync::planted::Defect;
use skewsync_sim::run::VerdictKind;

use crate::shrink::Size;

/// As `--keep` wrote it, at the commit of this build.
const KEPT: &str = include_str!("../../../../kept.toml");

/// What is kept of all defects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllKept {
    /// One entry a defect.
    #[serde(default)]
    pub(super) kept: Vec<Kept>,
}

/// What is kept of one defect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// Its name.
    pub(super) defect: String,
    /// What sees it when every step is held against the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lockstep: Option<Sighting>,
    /// What sees it by the properties alone; none: nothing can, and the README of the kept plans
    /// says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<Sighting>,
    /// What was left of the plan that is kept, and what that took; none: no plan is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shrunk: Option<Cost>,
}

/// What shrinking a plan came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cost {
    /// Beforehand.
    pub(super) before: Size,
    /// What is kept.
    pub(super) after: Size,
    /// Runs that were made.
    pub(super) runs: u64,
    /// Real time in seconds, on whatever machine it was.
    pub(super) seconds: f64,
}

/// How a defect was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sighting {
    /// The property.
    pub(super) property: VerdictKind,
    /// The first seed whose run fails.
    pub(super) seed: u64,
    /// Seeds whose runs fail, by whatever property.
    pub(super) failed: u64,
    /// Seeds that were run, from 0 on.
    pub(super) of: u64,
}

impl AllKept {
    /// What this build was made with.
    ///
    /// # Errors
    /// If the file does not read.
    pub(super) fn of_this_build() -> Result<Self, String> {
        toml::from_str(KEPT).map_err(|error| format!("sim/kept.toml: {error}"))
    }

    pub(super) fn get(&self, defect: Defect) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.defect == defect.name())
    }

    /// Puts one in, in the order in which the defects are listed.
    pub(super) fn put(&mut self, kept: Kept) {
        self.kept.retain(|other| other.defect != kept.defect);
        self.kept.push(kept);
        let place = |kept: &Kept| Defect::ALL.iter().position(|one| one.name() == kept.defect);
        self.kept.sort_by_key(place);
    }

    pub(super) fn write(&self) -> String {
        let text = toml::to_string(self).expect("it is representable as TOML");
        format!(
            "# Written by `skewlab planted --keep .`; tests/regressions/README.md says \
             more.\n{text}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewsync_model::property::Property;

    #[test]
    fn every_defect_is_kept_and_the_lockstep_sees_it() {
        let all = AllKept::of_this_build().expect("it reads");
        for &defect in Defect::ALL {
            let kept = all.get(defect).expect("every defect is kept");
            assert!(kept.lockstep.is_some(), "{}", defect.name());
        }
        assert_eq!(all.kept.len(), Defect::ALL.len());
    }

    #[test]
    fn what_is_kept_reads_as_it_was_written() {
        let mut all = AllKept::default();
        let sight = Sighting {
            property: VerdictKind::Fails(Property::NoStale),
            seed: 3,
            failed: 2,
            of: 50,
        };
        for defect in [Defect::GapAccepted, Defect::LineSessionUnchecked, Defect::GapAccepted] {
            all.put(Kept {
                defect: defect.name().into(),
                lockstep: Some(sight.clone()),
                properties: None,
                shrunk: None,
            });
        }
        assert_eq!(all.kept[0].defect, "line-session-unchecked");
        assert_eq!(all.kept.len(), 2);
        assert_eq!(toml::from_str(&all.write()), Ok(all));
    }
}
