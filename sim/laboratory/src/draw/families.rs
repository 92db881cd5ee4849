//! Which family a seed runs on: the catalog's, or one that is drawn for it.

use std::sync::Arc;

use skewsync_families::{Drawn, Rng as FamilyRng};

use super::{CommandCorpus, DrawOptions, ImageCommands, Purpose, Rng};

/// Of so many seeds, one runs on a drawn family where both kinds are wished.
const DRAWN_ONE_IN: u64 = 3;
/// The stream of a family's numbers from which its lines are drawn.
const LINES: u64 = 2;

/// Which families the plans of seeds run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Families {
    /// One seed in three on a family of its own; with a planted defect none.
    #[default]
    Mixed,
    /// Each seed on a family of its own.
    Drawn,
    /// All on the bundled family.
    Meridian,
}

/// Whether the plan of a seed runs on a drawn family.
pub(crate) fn runs_on_drawn(seed: u64, wishes: &DrawOptions) -> bool {
    let is_drawn = match wishes.families {
        Families::Drawn => true,
        Families::Meridian => false,
        // Of planted defects the first seeds are kept, of runs on the bundled family.
        Families::Mixed => wishes.planted.is_none() && seed % DRAWN_ONE_IN == 1,
    };
    is_drawn && wishes.pair.is_none()
}

/// The wishes of a seed: on a drawn family they name two of its releases, and its lines. Else they
/// are as they were.
pub(super) fn of_seed(seed: u64, wishes: &DrawOptions) -> Option<DrawOptions> {
    if !runs_on_drawn(seed, wishes) {
        return None;
    }
    let drawn = Drawn::from_seed(seed);
    let mut lines = FamilyRng::new(seed, LINES);
    let names = drawn.releases().iter().map(|one| format!("{}@{}", drawn.name(), one.name));
    let names: Vec<String> = names.collect();
    let images = names.iter().enumerate().map(|(release, name)| {
        let examples = drawn.examples(release, &mut lines);
        (name.clone(), ImageCommands::from_examples(examples))
    });
    let material = Arc::new(CommandCorpus::new(images.collect::<Vec<_>>()));
    let mut rng = Rng::new(seed, Purpose::Families);
    let pair = Some((rng.pick(&names).clone(), rng.pick(&names).clone()));
    Some(DrawOptions { pair, material, ..wishes.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::plan;
    use crate::loaded_plan::LoadedPlan;
    use skewsync_sim::plan::Plan;

    #[test]
    fn one_seed_in_three_runs_on_a_family_of_its_own() {
        let wishes = DrawOptions::default();
        let is_drawn = |seed, wishes| plan(seed, wishes).images()[0].starts_with("drawn-");
        assert_eq!((0..12).filter(|seed| is_drawn(*seed, &wishes)).count(), 4);
        // The others are as they are without.
        let bundled = DrawOptions { families: Families::Meridian, ..DrawOptions::default() };
        assert_eq!(plan(2, &wishes), plan(2, &bundled));
        let planted =
            DrawOptions { planted: Some("gap-accepted".into()), ..DrawOptions::default() };
        assert!((0..12).all(|seed| !is_drawn(seed, &planted)));
    }

    #[test]
    fn a_plan_on_a_drawn_family_is_read_and_loads() {
        let wishes = DrawOptions { families: Families::Drawn, ..DrawOptions::default() };
        let plan = plan(5, &wishes);
        let read = Plan::read(&plan.write()).expect("it reads");
        let loaded = LoadedPlan::load(read).expect("its images are had");
        for name in plan.all_images() {
            assert!(loaded.catalog.image(&name).is_ok(), "{name}");
        }
    }
}
