//! The report of a failure: what somebody needs who sees it for the first time.

mod headline;
pub mod html;
mod property_text;
mod section;
pub mod terminal;

use std::collections::BTreeSet;
use std::time::Duration;

use skewsync_sim::record::{Recording, cone};
use skewsync_sim::run::{Lockstep, Options, Report};
use skewsync_sim::runner::{Failed, Runner};

use crate::analysis::model::{self, ModelSays};
use crate::loaded_plan::LoadedPlan;
use crate::report::picture::Picture;
use crate::signature::Signature;
pub use section::Section;

/// Entries of a causal cone that are shown.
const CONE_MAX: usize = 60;
/// The same on a terminal.
const CONE_MAX_TERMINAL: usize = 28;

/// The failure of one plan.
pub struct Failure<'a> {
    /// The failure in one line, in the protocol's words.
    pub headline: String,
    /// What the property says, for whoever does not know it.
    pub meaning: &'static str,
    /// What explains the headline, a sentence each.
    pub explanation: Vec<String>,
    /// Property, roles, pair, phase.
    pub signature: Signature,
    /// The plan.
    pub made: &'a LoadedPlan,
    /// What was established.
    pub report: &'a Report,
    /// By what it was checked.
    pub options: Options,
    /// The run.
    pub recording: &'a Recording,
    /// What the model says.
    pub model: ModelSays,
    /// The entries of the causal cone.
    pub cone: BTreeSet<usize>,
    /// Further facts, a heading and sentences each: how it was shrunk, how often it is met, when it
    /// became inevitable.
    pub more: Vec<Section>,
}

/// A plan that fails, with its run: what a report is made of.
pub struct Case {
    made: LoadedPlan,
    report: Report,
    recording: Recording,
    options: Options,
    limit: Duration,
}

impl Case {
    /// Runs the plan.
    ///
    /// # Errors
    /// That it hangs, or cannot be run, in words.
    pub fn run(made: LoadedPlan, options: Options, limit: Duration) -> Result<Self, String> {
        let quiet = skewsync_sim::panic_hook::panics();
        let ran = Runner::new(&made.catalog, options).within(limit).recorded(&made.plan, None);
        drop(quiet);
        let (report, recording) = ran.map_err(Failed::words)?;
        Ok(Self { made, report, recording, options, limit })
    }

    /// The report, with further facts.
    pub fn failure(&self, more: Vec<Section>) -> Failure<'_> {
        let (report, recording) = (&self.report, &self.recording);
        let mut failure = Failure::new(&self.made, report, recording, self.options, self.limit);
        failure.more = more;
        failure
    }
}

impl<'a> Failure<'a> {
    /// The report of a run that did not pass. Runs the plan again, to ask the model.
    pub fn new(
        made: &'a LoadedPlan,
        report: &'a Report,
        recording: &'a Recording,
        options: Options,
        limit: Duration,
    ) -> Self {
        let entries = &recording.entries;
        let last = recording.last_of_interest();
        let cone = last.map(|last| cone::behind(entries, last)).unwrap_or_default();
        let signature =
            Signature::from_verdict(&report.verdict, report.ending.as_ref(), &made.plan);
        Self {
            headline: headline::sentence(report, recording),
            meaning: property_text::meaning(signature.property),
            explanation: headline::explanation(report, recording),
            signature,
            made,
            report,
            options,
            recording,
            model: model::ask(made, (report, recording), options, limit),
            cone,
            more: Vec::new(),
        }
    }

    /// The command that runs it again, if its plan is at `path`.
    fn command(&self, path: &str) -> String {
        let unheld = match self.options.lockstep {
            Lockstep::On => "",
            Lockstep::Off => " --no-lockstep",
        };
        format!("skewlab replay {path}{unheld}")
    }

    /// The picture of the causal cone, of so many entries at most.
    fn picture(&self, most: usize) -> Picture<'_> {
        let broken = self.recording.last_of_interest();
        let shown = cone::telling(&self.recording.entries, &self.cone, most);
        Picture::from_entries(&self.recording.entries, &shown, broken)
    }
}
