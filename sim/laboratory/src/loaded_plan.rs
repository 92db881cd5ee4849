//! A plan with what its run is made of.

use std::sync::Arc;

use skewsync_sim::catalog::{self, Catalog};
use skewsync_sim::plan::Plan;

/// A plan, and the images that it names.
#[derive(Clone, Debug)]
pub struct LoadedPlan {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its images.
    pub catalog: Arc<Catalog>,
}

impl LoadedPlan {
    /// Loads the images that the plan names.
    ///
    /// # Errors
    /// An image that cannot be had, in words.
    pub fn load(plan: Plan) -> Result<Self, String> {
        let catalog = catalog::load(&plan.all_images()).map_err(|error| error.to_string())?;
        Ok(Self { plan: Arc::new(plan), catalog: Arc::new(catalog) })
    }
}
