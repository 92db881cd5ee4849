//! Makes a drawn family small: takes releases, settings, changes and words away, and writes it anew
//! under a name that says so.

use skewsync_families::Drawn;
use skewsync_sim::catalog::drawn;
use skewsync_sim::plan::{FaultKind, Plan};

use super::search::{Held, Search};

impl Search<'_> {
    /// Takes away what of the family is not needed.
    pub(super) fn cut_family(&mut self) {
        self.stage("family");
        let mut at = 0;
        while let Some(family) = family(self.best()) {
            let base = self.best().clone();
            let cuts = family.possible_cuts().into_iter().skip(at);
            let less = cuts.map(|cut| family.less(cut).expect("a cut that is possible"));
            // A plan whose release is gone stays as it is, and does not count.
            let less = less.map(|less| renamed(&base, &family, &less).unwrap_or(base.clone()));
            let Some(index) = self.first(Held::All, less.collect::<Vec<_>>()) else { break };
            at += index;
        }
    }
}

/// The drawn family on which a plan runs.
pub(super) fn family(plan: &Plan) -> Option<Drawn> {
    drawn::family(&plan.units.first()?.image).map(|(family, _)| family)
}

/// The plan on a smaller family; none: that lacks a release of the plan.
fn renamed(plan: &Plan, family: &Drawn, less: &Drawn) -> Option<Plan> {
    let (old, new) = (family.name(), less.name());
    let name = |image: &str| match image.split_once('@') {
        Some((of, release)) if of == old => {
            let has = less.releases().iter().any(|one| one.name == release);
            has.then(|| format!("{new}@{release}"))
        }
        Some(_) | None => Some(image.to_owned()),
    };
    let mut plan = plan.clone();
    for unit in &mut plan.units {
        unit.image = name(&unit.image)?;
    }
    for fault in &mut plan.faults {
        if let FaultKind::ImageChange { image, .. } = &mut fault.kind {
            *image = name(image)?;
        }
    }
    Some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{self, DrawOptions};

    #[test]
    fn a_plan_goes_along_to_a_smaller_family() {
        let plan = draw::plan(1, &DrawOptions::default());
        let whole = family(&plan).expect("it runs on a drawn family");
        for cut in whole.possible_cuts() {
            let less = whole.less(cut).expect("a cut that is possible");
            let Some(plan) = renamed(&plan, &whole, &less) else { continue };
            let found = family(&plan).expect("a drawn family");
            assert_eq!((found.name(), found.files()), (less.name(), less.files()));
        }
        assert_eq!(family(&draw::plan(2, &DrawOptions::default())).map(|of| of.name()), None);
    }
}
