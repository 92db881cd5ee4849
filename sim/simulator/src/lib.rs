//! The deterministic world in which the engine of skewsync is tried: a plan makes a run.
//!
//! The engine's machines are driven by their driver (`drive`), as nodes of a simulated world
//! (`world`). What crosses their boundaries is tapped (`observe`); typed facts are made of it, and
//! a history that folds them (`history`); oracles judge the facts (`oracle`), and the lockstep
//! holds every step against the model (`abstraction`). A run can be written down (`record`). Who
//! makes plans, and what is made of runs, is the laboratory's.
#![cfg_attr(test, expect(clippy::disallowed_types, reason = "tests set machines up"))]

#[cfg(not(madsim))]
compile_error!(
    "skewsync-sim needs `--cfg madsim`. .cargo/config.toml sets it, but RUSTFLAGS (or \
     RUSTDOCFLAGS) \
     in the environment replaces it: unset it, or add `--cfg madsim` to it."
);

pub mod abstraction;
pub mod catalog;
pub mod drive;
pub mod exit;
pub mod hash;
pub mod history;
pub mod observe;
pub mod oracle;
pub mod panic_hook;
pub mod plan;
pub mod record;
pub mod run;
pub mod runner;
pub mod situation;
mod sync;
pub mod worker_pool;
pub mod world;
