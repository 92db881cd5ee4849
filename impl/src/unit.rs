//! The state machines (PROTOCOL.md, section 10): a unit, and the arbiter.
//!
//! A step is one input. A machine knows no clock, no disk, no bytes on a link: the driver performs
//! all outputs of a step, in order, before the next one.

pub mod arbiter;
pub mod env;
pub mod input;
pub mod limits;
pub mod output;
pub mod replica;
pub mod store;

pub use arbiter::{Arbiter, ArbiterEvent, ArbiterInput, ArbiterOutput, ArbiterTimer};
pub use env::{Env, PairingKey, Side};
pub use input::{Boot, Command, Durability, Input, Request, Timer};
pub use limits::{Limits, Verify};
pub use output::{Event, LocalWhy, Outcome, Output, Place, Refusal};
pub use replica::{Pairing, Running, Software};
pub use store::{Record, Store};
