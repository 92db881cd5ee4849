//! A plan's run in a process of its own: `skewlab replay --json` of this very program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use skewsync_sim::plan::Plan;
use skewsync_sim::run::{Lockstep, Options};

use super::files;
use super::replay::Told;

/// What another process tells of the plan's run, or its words if it told nothing. `trace`: where
/// the run is written down.
///
/// # Errors
/// What keeps a process from being started, in words.
pub(super) fn replay(
    plan: &Plan,
    options: Options,
    limit: Duration,
    trace: Option<&Path>,
) -> Result<Result<Told, String>, String> {
    let words = |error: std::io::Error| format!("files for another process: {error}");
    let dir = tempfile::tempdir().map_err(words)?;
    let path = dir.path().join("plan.toml");
    files::write(&path, &plan.write())?;
    let mut command = Command::new(std::env::current_exe().map_err(words)?);
    command.arg("replay").arg(&path).arg("--json");
    command.args(["--limit", &limit.as_secs().max(1).to_string()]);
    if let Some(trace) = trace {
        command.arg("--trace").arg(trace);
    }
    if options.lockstep == Lockstep::Off {
        command.arg("--no-lockstep");
    }
    let output = command.output().map_err(words)?;
    Ok(serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("nothing was told: {error}; {}", said.trim_end())
    }))
}

/// Whether this process is the laboratory's own program, and can be started again.
pub(super) fn is_possible() -> bool {
    let program = std::env::current_exe();
    program.is_ok_and(|path| path.file_stem().is_some_and(|name| name == "skewlab"))
}
