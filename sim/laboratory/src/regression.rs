//! A kept plan: what it was, what is expected of it, and the plan itself, in one TOML file; and
//! whether it is so.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skewsync_sim::catalog::Catalog;
use skewsync_sim::plan::{Plan, PlanError};
use skewsync_sim::run::{Lockstep, Options, Report, VerdictKind};
use skewsync_sim::runner::{Failed, Runner};
/// A plan that was kept.
///
/// # Shape
/// `what`, then the tables `expect` and `plan`; unknown fields are errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    /// What it was.
    pub what: String,
    /// What its runs establish.
    pub expect: Expect,
    /// The plan, with the defect that it was kept for, if any.
    pub plan: Plan,
}

/// What the runs of a kept plan establish: `passed`, or the property that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// On the sound engine, every step held against the model.
    pub sound: VerdictKind,
    /// With the plan's defect, every step held against the model.
    pub lockstep: VerdictKind,
    /// With the plan's defect, by the properties alone.
    pub properties: VerdictKind,
    /// The anchors that the sound engine never reaches, because only the defect leads there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
}

impl Expect {
    /// What a plan establishes on an engine without defects: it passes, and reaches every anchor.
    pub fn passes() -> Self {
        Self {
            sound: VerdictKind::Passed,
            lockstep: VerdictKind::Passed,
            properties: VerdictKind::Passed,
            drift: Vec::new(),
        }
    }
}

impl Regression {
    /// Reads a kept plan.
    ///
    /// # Errors
    /// `Toml` with line, column and what was expected; `Version`; `Contradiction`.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        let read: Self =
            toml::from_str(text).map_err(|error| PlanError::Toml(error.to_string()))?;
        // A plan is checked as it is read alone.
        Plan::read(&read.plan.write())?;
        Ok(read)
    }

    /// It as text.
    ///
    /// # Panics
    /// Never: every kept plan is representable.
    pub fn write(&self) -> String {
        toml::to_string_pretty(self).expect("every kept plan is representable as TOML")
    }

    /// The plan for the sound engine.
    pub fn sound(&self) -> Plan {
        Plan { planted: None, ..self.plan.clone() }
    }

    /// Runs the plan on the sound engine and, if `planted`, as it stands in both ways of looking.
    ///
    /// # Errors
    /// If it cannot be run, in words.
    pub fn check(&self, catalog: &Arc<Catalog>, planted: bool) -> Result<Checked, String> {
        let sound = run(self.sound(), catalog, Lockstep::On)?;
        let as_kept = |lockstep| -> Result<Option<VerdictKind>, String> {
            if !planted {
                return Ok(None);
            }
            let report = run(self.plan.clone(), catalog, lockstep)?;
            Ok(Some(report.verdict.kind()))
        };
        Ok(Checked {
            expect: self.expect.clone(),
            sound: sound.verdict.kind(),
            lockstep: as_kept(Lockstep::On)?,
            properties: as_kept(Lockstep::Off)?,
            drift: sound.drift,
        })
    }
}

/// What the runs of a kept plan came to, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What was expected.
    pub expect: Expect,
    /// On the sound engine.
    pub sound: VerdictKind,
    /// With the plan's defect, every step held against the model; none: it was not run.
    pub lockstep: Option<VerdictKind>,
    /// With the plan's defect, by the properties alone; none: it was not run.
    pub properties: Option<VerdictKind>,
    /// The anchors that the sound engine did not reach.
    pub drift: Vec<String>,
}

impl Checked {
    /// Whether all is as it was expected.
    pub fn is_as_expected(&self) -> bool {
        self.wrong().is_empty()
    }

    /// What is not as it was expected, in words.
    pub fn wrong(&self) -> Vec<String> {
        let expect = &self.expect;
        let verdicts = [
            ("on the sound engine", Some(self.sound), expect.sound),
            ("with the lockstep", self.lockstep, expect.lockstep),
            ("by the properties alone", self.properties, expect.properties),
        ];
        let mut wrong: Vec<String> = verdicts
            .into_iter()
            .filter_map(|(how, found, expected)| Some((how, found?, expected)))
            .filter(|(_, found, expected)| found != expected)
            .map(|(how, found, expected)| format!("{how}: {found} instead of {expected}"))
            .collect();
        let new = self.drift.iter().filter(|at| !expect.drift.contains(at));
        wrong.extend(new.map(|at| format!("drift: the anchor `{at}` was never reached")));
        let gone = expect.drift.iter().filter(|at| !self.drift.contains(at));
        wrong.extend(gone.map(|at| {
            format!("the anchor `{at}` is reached again: it is in `expect.drift` no longer")
        }));
        wrong
    }
}

/// The plan in a text that is a plan, or a kept one.
///
/// # Errors
/// As [`Plan::read`].
pub fn plan_in(text: &str) -> Result<Plan, PlanError> {
    match Regression::read(text) {
        Ok(kept) => Ok(kept.plan),
        // What is wrong is said of what the text is meant to be.
        Err(error) if text.lines().any(|line| line.trim() == "[plan]") => Err(error),
        Err(_) => Plan::read(text),
    }
}

fn run(plan: Plan, catalog: &Arc<Catalog>, lockstep: Lockstep) -> Result<Report, String> {
    Runner::new(catalog, Options { lockstep }).run(&Arc::new(plan)).map_err(Failed::words)
}

#[cfg(test)]
mod tests {
    use skewsync_model::property::Property;

    use super::*;
    use crate::draw;

    const ORDER_ONCE: VerdictKind = VerdictKind::Fails(Property::OrderOnce);

    fn kept() -> Regression {
        Regression {
            what: "A gap was jumped over.".into(),
            expect: Expect {
                sound: VerdictKind::Passed,
                lockstep: ORDER_ONCE,
                properties: ORDER_ONCE,
                drift: Vec::new(),
            },
            plan: Plan {
                planted: Some("gap-accepted".into()),
                ..draw::plan(5, &draw::DrawOptions::default())
            },
        }
    }

    #[test]
    fn a_kept_plan_reads_as_it_was_written() {
        let kept = kept();
        assert_eq!(Regression::read(&kept.write()), Ok(kept.clone()));
        assert_eq!(plan_in(&kept.write()), Ok(kept.plan.clone()));
        assert_eq!(plan_in(&kept.plan.write()), Ok(kept.plan.clone()));
        assert_eq!(kept.sound().planted, None);
    }

    #[test]
    fn another_verdict_and_drift_are_wrong_and_what_was_not_run_is_not() {
        let expect = kept().expect;
        let mut checked = Checked {
            sound: VerdictKind::Passed,
            lockstep: None,
            properties: Some(ORDER_ONCE),
            drift: Vec::new(),
            expect,
        };
        assert!(checked.is_as_expected());
        checked.drift = vec!["at 5 ms".into()];
        assert_eq!(checked.wrong(), ["drift: the anchor `at 5 ms` was never reached"]);
        checked.expect.drift = std::mem::take(&mut checked.drift);
        assert!(checked.wrong()[0].contains("reached again"));
        checked.expect.drift.clear();
        checked.properties = Some(VerdictKind::Fails(Property::NoStale));
        let wrong = ["by the properties alone: NoStale instead of OrderOnce"];
        assert_eq!(checked.wrong(), wrong);
    }

    #[test]
    fn a_kept_plan_of_another_version_or_with_an_unknown_word_is_refused() {
        let other = kept().write().replacen("version = 1", "version = 99", 1);
        assert_eq!(plan_in(&other), Err(PlanError::Version { found: 99 }));
        let unknown = kept().write().replacen("sound =", "sounds =", 1);
        let Err(PlanError::Toml(error)) = plan_in(&unknown) else {
            panic!("it was read");
        };
        assert!(error.contains("sounds"), "{error}");
    }
}
