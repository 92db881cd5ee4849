//! Panics of runs are verdicts: their words are in the report, and not on the terminal too.

use std::panic;
use std::sync::Arc;

type Hook = dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync + 'static;

/// While it lives, panics print nothing.
pub struct Quiet(Arc<Hook>);

/// Keeps panics quiet until the value is dropped.
pub fn panics() -> Quiet {
    let before: Arc<Hook> = panic::take_hook().into();
    panic::set_hook(Box::new(|_| {}));
    Quiet(before)
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let before = Arc::clone(&self.0);
        if !std::thread::panicking() {
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}
