//! NoForeignLine: executing a received line never gives no-match, ambiguous or incomplete.

use skewsync::message::{Message, Mismatch, Prc};
use skewsync::unit::Output;

use super::{broken, performed};
use crate::tap::{Observer, Scene, Seen, Violation};

const NAME: &str = "NoForeignLine";

/// See the module.
#[derive(Debug, Default)]
pub struct NoForeignLine {
    checked: u64,
}

impl Observer for NoForeignLine {
    fn see(&mut self, seen: &Seen<'_>, _: &dyn Scene) -> Result<(), Violation> {
        for output in performed(&seen.event) {
            let Output::Send {
                message: Message::BulkDone { mismatches, .. } | Message::Applied { mismatches, .. },
                ..
            } = output
            else {
                continue;
            };
            self.checked += 1;
            let foreign = |mismatch: &&Mismatch| {
                matches!(
                    mismatch.prc,
                    Prc::NoMatch | Prc::Ambiguous | Prc::Incomplete
                )
            };
            if let Some(mismatch) = mismatches.iter().find(foreign) {
                let Mismatch { line, prc, .. } = mismatch;
                return broken(
                    NAME,
                    format!("`{}` was received and gives {prc:?}", &**line),
                );
            }
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
