//! The simulated world: clocks, disks, links, and the nodes that the engine's machines run on. Only
//! here is madsim imported.

pub mod clock;
pub mod disk;
mod generation;
pub mod link;
pub mod node;
