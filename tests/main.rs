//! What crosses rooms: one binary, one module a subject.

mod accepts;
mod regressions;
