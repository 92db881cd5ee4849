//! A kept plan: what it was, what is expected of it, and the plan itself, in one TOML file.

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, PlanError};
use crate::run::Verdict;

/// The word for a run in which nothing fails.
pub const PASSED: &str = "passed";

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
    pub sound: String,
    /// With the plan's defect, every step held against the model.
    pub lockstep: String,
    /// With the plan's defect, by the properties alone.
    pub properties: String,
    /// The anchors that the sound engine never reaches, because only the defect leads there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
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
        Plan {
            planted: None,
            ..self.plan.clone()
        }
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

/// A verdict as kept plans say it.
pub fn word(verdict: &Verdict) -> &'static str {
    verdict.property().unwrap_or(PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw;

    fn kept() -> Regression {
        Regression {
            what: "A gap was jumped over.".into(),
            expect: Expect {
                sound: PASSED.into(),
                lockstep: "OrderOnce".into(),
                properties: "OrderOnce".into(),
                drift: Vec::new(),
            },
            plan: Plan {
                planted: Some("gap-accepted".into()),
                ..draw::plan(5, &draw::Wishes::default())
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
