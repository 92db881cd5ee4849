//! Ctrl-C and SIGTERM: the first asks for an end in good order, the second ends the process at
//! once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a process that a signal ended gives to its shell.
const ENDED_BY_SIGNAL: i32 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);
static WATCHED: OnceLock<Result<(), String>> = OnceLock::new();

/// Whether an end was asked for since [`watch`]; who works long looks at it between two pieces of
/// work.
pub fn interrupted() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Takes the signals from now on. Called again it does nothing.
///
/// # Errors
/// That the signals cannot be had, in words.
pub fn watch() -> Result<(), String> {
    let take = || ctrlc::set_handler(asked).map_err(|error| format!("signals: {error}"));
    WATCHED.get_or_init(take).clone()
}

fn asked() {
    if ASKED.swap(true, Ordering::Relaxed) {
        std::process::exit(ENDED_BY_SIGNAL);
    }
}
