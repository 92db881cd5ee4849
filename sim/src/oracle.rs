//! The oracles: one file per property, each an observer of the tap. They know the protocol's words, not the
//! engine's code.

pub mod single_active;

use std::sync::Arc;

use crate::plan::Plan;
use crate::run::Options;
use crate::stock::Stock;
use crate::tap::Observer;

/// All oracles of a run.
pub fn all(plan: &Arc<Plan>, stock: &Arc<Stock>, options: Options) -> Vec<Box<dyn Observer>> {
    let _ = (plan, stock, options);
    vec![Box::new(single_active::SingleActive::default())]
}
