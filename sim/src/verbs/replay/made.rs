//! A plan with what its run is made of, and files that verbs read and write.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::plan::{FaultKind, Plan};
use crate::regression;
use crate::stock::{self, Stock};

/// A plan, and the images that it names.
#[derive(Clone, Debug)]
pub struct Made {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its images.
    pub stock: Arc<Stock>,
}

impl Made {
    /// Loads the images that the plan names.
    ///
    /// # Errors
    /// An image that cannot be had, in words.
    pub fn of(plan: Plan) -> Result<Self, String> {
        let changes = plan.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::ImageChange { image, .. } => Some(image.clone()),
            _ => None,
        });
        let units = plan.units.iter().map(|unit| unit.image.clone());
        let names: Vec<String> = units.chain(changes).collect();
        let (stock, _) = stock::load(&names).map_err(|error| error.to_string())?;
        Ok(Self {
            plan: Arc::new(plan),
            stock: Arc::new(stock),
        })
    }
}

/// Reads a plan, or the plan of a kept one.
///
/// # Errors
/// In words, with the path.
pub fn read(path: &Path) -> Result<Plan, String> {
    let text = crate::verbs::run::read(path)?;
    regression::plan_in(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file.
///
/// # Errors
/// In words, with the path.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a verb writes what it was asked to keep"
    )]
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file of this name to a folder, which is made if it is not there. Gives its path.
///
/// # Errors
/// In words, with the path.
pub fn keep(dir: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let path = dir.join(name);
    write(&path, text)?;
    Ok(path)
}
