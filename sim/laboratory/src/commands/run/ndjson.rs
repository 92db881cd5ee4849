//! One JSON object a line for each seed, as it ends.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::Args;
use crate::campaign::SeedResult;

/// The file of lines, if one was asked for.
pub(super) struct Lines(Option<(PathBuf, Result<BufWriter<File>, String>)>);

impl Lines {
    /// A new file; a campaign that is gone on with adds to the one that there is.
    ///
    /// # Errors
    /// That it cannot be opened, in words.
    pub(super) fn new(args: &Args) -> Result<Self, String> {
        let Some(path) = &args.ndjson else {
            return Ok(Self(None));
        };
        let again = args.resume.is_some();
        let mut options = File::options();
        options.create(true).append(again).write(true).truncate(!again);
        let file = options.open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(Some((path.clone(), Ok(BufWriter::new(file))))))
    }

    /// One seed has ended. What cannot be written is said at the end.
    pub(super) fn write(&mut self, ended: &SeedResult) {
        let Some((_, state)) = &mut self.0 else {
            return;
        };
        if let Ok(file) = state {
            let written = serde_json::to_string(ended)
                .map_err(std::io::Error::from)
                .and_then(|line| writeln!(file, "{line}"));
            if let Err(error) = written {
                *state = Err(error.to_string());
            }
        }
    }

    /// Whether all was written.
    ///
    /// # Errors
    /// What was not, in words.
    pub(super) fn end(self) -> Result<(), String> {
        let Some((path, state)) = self.0 else {
            return Ok(());
        };
        let flushed = state.and_then(|mut file| file.flush().map_err(|error| error.to_string()));
        flushed.map_err(|error| format!("{}: {error}", path.display()))
    }
}
