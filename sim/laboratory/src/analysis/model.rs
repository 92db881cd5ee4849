//! What the model says of a run that failed: whether the engine left it, or the design is wrong.

use std::time::Duration;

use skewsync_model::property::Property;
use skewsync_sim::observe::{Departure, Evidence};
use skewsync_sim::record::{PropertySpan, Recording};
use skewsync_sim::run::{Lockstep, Options, Report, Verdict};
use skewsync_sim::runner::Runner;

use crate::loaded_plan::LoadedPlan;

/// What the model says of a run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSays {
    /// The engine left it.
    Left {
        /// The step, if it is known.
        step: Option<u64>,
        /// What was expected and what came.
        departure: Departure,
        /// What fails where nobody holds the steps against the model, in words.
        without: String,
    },
    /// It makes every step that the engine made.
    Allows,
    /// It was not asked, and why.
    Unasked(String),
}

impl ModelSays {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Left { step, departure, without } => {
                let at = step.map_or_else(String::new, |step| format!(" at step {step}"));
                let without =
                    if without.is_empty() { String::new() } else { format!("; {without}") };
                format!("the engine left the model{at}: {departure}{without}")
            }
            Self::Allows => {
                "the model allows this: it makes every step that the engine made, so that the \
                 design is wrong, \
                 or lies beyond what the model knows"
                    .into()
            }
            Self::Unasked(why) => format!("the model was not asked: {why}"),
        }
    }
}

/// What the model says: of this run, if it was held against it, or of another.
pub fn ask(
    made: &LoadedPlan,
    (report, recording): (&Report, &Recording),
    options: Options,
    limit: Duration,
) -> ModelSays {
    let again = |lockstep| {
        let quiet = skewsync_sim::panic_hook::panics();
        let runner = Runner::new(&made.catalog, Options { lockstep }).within(limit);
        let ran = runner.recorded(&made.plan, None);
        drop(quiet);
        ran
    };
    if let Verdict::Violated(violation) = &report.verdict
        && let Evidence::LeftModel(departure) = &*violation.evidence
    {
        let without = match again(Lockstep::Off) {
            Ok((other, _)) if other.verdict == Verdict::Passed => {
                "without the model beside it, no property fails: nothing else sees this".into()
            }
            Ok((other, _)) => format!(
                "without the model beside it, at {:.4} s: {}",
                other.virtual_us as f64 / 1e6,
                other.verdict.words()
            ),
            Err(failed) => failed.words(),
        };
        let (step, departure) = (report.violated_at, departure.clone());
        return ModelSays::Left { step, departure, without };
    }
    if options.lockstep == Lockstep::On {
        return said(recording);
    }
    match again(Lockstep::On) {
        Ok((_, recording)) => said(&recording),
        Err(failed) => ModelSays::Unasked(failed.words()),
    }
}

/// What the model says of a run that was held against it.
fn said(recording: &Recording) -> ModelSays {
    let of_model = |held: &&PropertySpan| held.property == Property::Lockstep;
    let held = recording.held.iter().find(of_model);
    match held.and_then(|held| Some((held.broke?, held.evidence.as_ref()?))) {
        Some(((step, _), Evidence::LeftModel(departure))) => {
            let (step, departure) = (Some(step), departure.clone());
            ModelSays::Left { step, departure, without: String::new() }
        }
        Some(_) | None => ModelSays::Allows,
    }
}
