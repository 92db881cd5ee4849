//! Declarations compiled to the table of transforms: which groups a line belongs to, one step of
//! one group, and the laws that a step keeps. What becomes of whole configs is the business of
//! `translate`.

mod address;
mod entry;
mod function;
mod group;
pub mod laws;
mod loss;
mod rule;
mod tft;

pub use address::Bindings;
pub(crate) use entry::{instances, made_leaves};
pub use group::{GroupKey, GroupStep, StuckCause};
pub use rule::{Direction, Each, Pattern, Rule, RuleError, SideOf};
pub use tft::{Step, Tft, Use};
