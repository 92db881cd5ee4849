//! Scenarios: two units, an arbiter, messages in the order in which they were sent.
//!
//! Each reads as a script and cites what it follows of PROTOCOL.md or of the seed.

mod bulk;
mod half;
mod handover;
mod lease;
mod line;
mod lost;
mod matrix;
mod offer;
mod queue;
mod skew;
mod stale;
mod unreadable;
mod world;
