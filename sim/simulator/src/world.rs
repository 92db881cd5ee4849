//! The simulated world: clocks, disks, links, and the nodes that the engine's machines run on. Only
//! here is madsim imported.

mod agenda;
pub mod clock;
pub mod disk;
mod due;
mod generation;
pub mod link;
pub mod node;
mod turn;
