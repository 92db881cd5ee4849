//! A plan with what its run is made of.

use std::sync::Arc;

use skewsync_sim::catalog::{self, Catalog};
use skewsync_sim::plan::{FaultKind, Plan};

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
        let changes = plan.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::ImageChange { image, .. } => Some(image.clone()),
            _ => None,
        });
        let units = plan.units.iter().map(|unit| unit.image.clone());
        let names: Vec<String> = units.chain(changes).collect();
        let catalog = catalog::load(&names).map_err(|error| error.to_string())?;
        Ok(Self { plan: Arc::new(plan), catalog: Arc::new(catalog) })
    }
}
