//! How a campaign's outcome is told: text or JSON, plans of failing seeds, and what systems of
//! continuous integration read.

use std::io::Write;
use std::path::PathBuf;

use crate::campaign::{Failure, Summary};
use crate::commands::files;
use crate::report::{self, plan_path};

/// How the outcome is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Outcome {
    /// Where the campaign's page, `campaign.html`, and plans of failing seeds are written; by
    /// default only plans, to a new folder among the temporary files.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Where the outcome is written as JUnit's XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// One line for each signature of failures that GitHub's runners turn into an annotation.
    #[arg(long)]
    pub annotate: bool,
}

impl Outcome {
    /// Makes the folder that was asked for.
    ///
    /// # Errors
    /// That it cannot be made, in words.
    pub(in crate::commands) fn prepare(&self) -> Result<(), String> {
        let Some(dir) = &self.out else {
            return Ok(());
        };
        std::fs::create_dir_all(dir).map_err(|error| format!("--out {}: {error}", dir.display()))
    }

    /// Tells it, and gives the folder of the plans. `failures`: those of this process, whose plans
    /// are at hand.
    ///
    /// # Errors
    /// What cannot be written, in words; what can be told is told before.
    pub(in crate::commands) fn tell(
        &self,
        summary: &Summary,
        failures: &[Failure],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<PathBuf, String> {
        let kept = self.keep(summary, failures);
        let dir = kept.clone().unwrap_or_else(|_| PathBuf::from("not-kept"));
        let write = |error: std::io::Error| format!("cannot write: {error}");
        if self.json {
            let text = serde_json::to_string(&report::json::Object::from_summary(summary))
                .map_err(|error| error.to_string())?;
            writeln!(out, "{text}").map_err(write)?;
            for of in summary.failed.values() {
                let seed = of.first.seed;
                let path = plan_path(&dir, seed);
                let _ = writeln!(err, "skewlab: seed {seed} failed: {}", path.display());
            }
        } else {
            write!(out, "{}", report::terminal::summary(summary, &dir)).map_err(write)?;
        }
        if self.annotate {
            // Standard output is one object then.
            let to: &mut dyn Write = if self.json { err } else { out };
            write!(to, "{}", report::ci::annotations(summary, &dir)).map_err(write)?;
        }
        if let Some(path) = &self.junit {
            let text =
                report::ci::junit(summary, &dir).map_err(|error| format!("JUnit: {error}"))?;
            files::write(path, &text)?;
        }
        kept
    }

    /// Writes the plans of failing seeds, each under its seed: unasked the first of each signature,
    /// to a new folder; to `--out` all that are at hand, and the page. Gives the folder.
    fn keep(&self, summary: &Summary, failures: &[Failure]) -> Result<PathBuf, String> {
        let dir = match &self.out {
            Some(dir) => dir.clone(),
            None if summary.failed.is_empty() => return Ok(PathBuf::new()),
            None => tempfile::Builder::new()
                .prefix("skewlab-")
                .tempdir()
                .map_err(|error| format!("a folder for plans: {error}"))?
                .keep(),
        };
        for of in summary.failed.values() {
            files::write(&plan_path(&dir, of.first.seed), &of.first.plan)?;
        }
        if self.out.is_some() {
            for failure in failures {
                files::write(&plan_path(&dir, failure.seed), &failure.plan.write())?;
            }
            let page = report::campaign::campaign_page(summary);
            files::write(&dir.join(report::campaign::FILE), &page)?;
        }
        Ok(dir)
    }
}
