//! The deterministic world in which the engine of skewsync is tried.
//!
//! A seed makes a plan (`draw`, `plan`); the plan makes the run: the engine's machines, driven by
//! their driver (`drive`), as nodes of a simulated world (`world`). What happens at the machines'
//! effect boundaries is tapped (`tap`).
#[cfg(not(madsim))]
compile_error!(
    "skewsync-sim needs `--cfg madsim`. .cargo/config.toml sets it, but RUSTFLAGS (or \
     RUSTDOCFLAGS) \
     in the environment replaces it: unset it, or add `--cfg madsim` to it."
);

pub mod abstraction;
pub mod analysis;
pub mod campaign;
pub mod catalog;
pub mod commands;
pub mod draw;
pub mod drive;
pub mod exit;
pub mod hash;
pub mod history;
pub mod interrupt;
pub mod interval;
pub mod loaded_plan;
pub mod observe;
pub mod oracle;
pub mod panic_hook;
pub mod plan;
pub mod record;
pub mod regression;
pub mod report;
pub mod run;
pub mod runner;
pub mod shrink;
pub mod signature;
pub mod situation;
mod sync;
mod worker_pool;
pub mod world;
