//! Reports: what a campaign or a run established, for a terminal or as data.

pub mod chronicle;
pub mod json;
pub mod terminal;
