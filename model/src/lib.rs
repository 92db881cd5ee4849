//! The protocol of skewsync, stated a second time: small, independent of the engine, searchable.
//!
//! [`step`] walks the machines of PROTOCOL.md, section 10, one input at a time; [`search`] walks
//! all of their schedules within a [`scope`]; [`property`] says what must hold.

pub mod action;
pub mod effects;
pub mod explorer;
pub mod graph;
pub mod property;
mod reduction;
pub mod scope;
pub mod search;
pub mod state;
pub mod step;
pub mod verdict;
