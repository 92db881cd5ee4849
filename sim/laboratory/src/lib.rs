//! The laboratory of skewsync: what makes plans and runs of the simulated world useful.
//!
//! A seed makes a plan (`draw`); many make a campaign (`campaign`). A failing plan is shrunk
//! (`shrink`), asked why it fails (`analysis`) and kept (`regression`). What came out is told
//! (`report`), by the program `skewlab` (`commands`).

pub mod analysis;
pub mod campaign;
pub mod commands;
pub mod draw;
pub mod interrupt;
pub mod interval;
pub mod loaded_plan;
pub mod regression;
pub mod report;
pub mod shrink;
pub mod signature;
