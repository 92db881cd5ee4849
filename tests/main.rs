//! What crosses rooms: one binary, one module a subject.

mod accepts;
mod bad_input;
mod corpus;
mod families;
mod one_order;
mod overlay;
mod pages;
mod preview;
mod regressions;
mod schema;
#[cfg(feature = "planted")]
mod shrink;
