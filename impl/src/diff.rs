//! The differences of two dumps: ADL and SDL.

pub mod lines;
