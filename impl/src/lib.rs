//! Skewsync's engine: keeps a Standby's configuration in step with an Active that runs another
//! software version. No clock, no randomness, no I/O, no threads.
#![no_std]
extern crate alloc;

pub mod config;
pub mod diff;
pub mod digest;
pub mod disposition;
pub mod dump;
pub mod grammar;
pub mod ids;
pub mod image;
pub mod message;
pub mod parse;
pub mod planted;
pub mod policy;
pub mod transform;
pub mod translate;
pub mod unit;
pub mod wire;
