//! Which steps of a run are told.

use std::io::Write;

use skewsync_model::property::Property;
use skewsync_sim::record::{Mark, Recording};

use super::Args;

/// See the module.
pub(super) struct Window {
    from: u64,
    to: u64,
    /// Whether only steps are told that change the lines below the path.
    state_only: bool,
    tells: bool,
}

impl Window {
    /// What the arguments ask for.
    pub(super) fn from_args(args: &Args, recording: &Recording) -> Result<Self, String> {
        let windowed = args.from.is_some() || args.to.is_some() || args.until.is_some();
        let mut to = args.to.unwrap_or(u64::MAX);
        if let Some(property) = args.until {
            to = to.min(until(property, recording)?);
        }
        let from = args.from.unwrap_or(1);
        if from > to {
            return Err(format!("--from {from} is beyond the last step told, {to}"));
        }
        Ok(Self {
            from,
            to,
            state_only: args.state.is_some() && !args.log,
            tells: args.log || windowed || args.state.is_some(),
        })
    }

    /// Tells the steps.
    pub(super) fn tell(&self, recording: &Recording, out: &mut dyn Write) -> std::io::Result<()> {
        if !self.tells {
            return Ok(());
        }
        for entry in &recording.entries {
            let changes = |mark: &Mark| matches!(mark, Mark::State { .. });
            let told = (self.from..=self.to).contains(&entry.step)
                && (!self.state_only || entry.marks.iter().any(changes));
            if told {
                writeln!(out, "{}", entry.line())?;
            }
        }
        Ok(())
    }
}

/// The step that broke a property, or else the last that was seen to keep it.
fn until(property: Property, recording: &Recording) -> Result<u64, String> {
    let held = recording.held.iter().find(|held| held.property == property);
    held.and_then(|held| held.broke.or(held.last)).map(|(step, _)| step).ok_or_else(|| {
        format!("{property} was never checked in this run, so that there is no step to stop at")
    })
}
