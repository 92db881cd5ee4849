//! BoundedResets: ordered resets between two of {operator action, stable_time hot} are at most
//! `max_resets`, across switchovers.

use skewsync::unit::{Event as Told, Input, Request, Timer};

use super::{broken, told};
use crate::tap::{Event, Observer, Scene, Seen, Violation};

const NAME: &str = "BoundedResets";

/// See the module.
#[derive(Debug, Default)]
pub struct BoundedResets {
    resets: u32,
    checked: u64,
}

impl Observer for BoundedResets {
    fn see(&mut self, seen: &Seen<'_>, scene: &dyn Scene) -> Result<(), Violation> {
        if let Event::Unit { input, .. } = seen.event {
            let forgets = matches!(
                input,
                Input::Timer(Timer::Stable)
                    | Input::Operator {
                        request: Request::RetrySso | Request::ResetPeer,
                        ..
                    }
            );
            if forgets {
                self.resets = 0;
            }
        }
        // A disk that was lost counts from nothing.
        if matches!(seen.event, Event::Started { boot, .. } if boot.lost_disk) {
            self.resets = 0;
        }
        for event in told(&seen.event) {
            if matches!(event, Told::Reset { counted: true }) {
                self.resets += 1;
                self.checked += 1;
            }
        }
        let most = scene.limits().max_resets;
        if self.resets > most {
            return broken(
                NAME,
                format!("{} ordered resets, and the bound is {most}", self.resets),
            );
        }
        Ok(())
    }

    fn checked(&self) -> Vec<(&'static str, u64)> {
        vec![(NAME, self.checked)]
    }
}
