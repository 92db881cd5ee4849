//! What crosses rooms: one binary, one module a subject.

mod accepts;
mod bad_input;
mod corpus;
mod preview;
mod regressions;
