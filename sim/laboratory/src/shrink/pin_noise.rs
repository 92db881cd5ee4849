//! What befalls messages at random becomes single faults, each at its message.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use skewsync_sim::history::{Fact, History, Observer, What};
use skewsync_sim::observe::Violation;
use skewsync_sim::plan::{Anchor, Fault, MessageId, Moment, Network, Noise, Plan};
use skewsync_sim::world::link::Links;

use super::search::{Held, Search};

/// Watches a run for the messages that its noise befalls.
pub(super) struct Watch {
    /// Messages that the plan names for a fault of their own.
    aimed: BTreeSet<MessageId>,
    out: Arc<Mutex<Vec<MessageId>>>,
}

impl Watch {
    /// A watch that tells `out`; none if the plan has no noise.
    pub(super) fn if_noisy(
        plan: &Plan,
        out: Arc<Mutex<Vec<MessageId>>>,
    ) -> Option<Box<dyn Observer>> {
        if plan.noise == Noise::default() {
            return None;
        }
        let of_message = plan.faults.iter().filter(|fault| fault.of_message());
        let named = |fault: &Fault| match fault.at {
            Anchor::Observed(_, id) => Some(id),
            Anchor::Instant(_) | Anchor::Next { .. } | Anchor::Answered(..) => None,
        };
        Some(Box::new(Self { aimed: of_message.filter_map(named).collect(), out }))
    }
}

impl Observer for Watch {
    fn see(&mut self, fact: &Fact<'_>, _: &History) -> Result<(), Violation> {
        if let What::Sent { message, fault: Some(_), .. } = fact.what
            && !self.aimed.contains(&message)
        {
            self.out.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        }
        Ok(())
    }
}

impl Search<'_> {
    /// Messages that the noise befell in the best plan's run.
    pub(super) fn noise_met(&self) -> usize {
        self.shown().befallen.len()
    }

    /// Turns noise into single faults, or into none.
    pub(super) fn settle_noise(&mut self) {
        self.stage("noise");
        self.leave_sockets();
        if self.best().noise == Noise::default() {
            return;
        }
        let singles = singles(self.best(), &self.shown().befallen);
        if self.first(Held::All, [singles]).is_some() {
            return;
        }
        for at in 0..Noise::default().rates_mut().len() {
            self.one(|plan| *plan.noise.rates_mut()[at].1 = 0);
        }
    }

    /// madsim's sockets lose messages that no plan can name; our links may lose as many.
    fn leave_sockets(&mut self) {
        let Some(loss) = self.best().loss else {
            return;
        };
        self.one(|plan| plan.loss = Some(0));
        for lose in [0, loss] {
            self.one(|plan| {
                (plan.network, plan.loss) = (Network::Links, None);
                plan.noise.lose = lose;
            });
        }
    }
}

/// The plan with a fault for each message that its noise befell, and no noise.
fn singles(plan: &Plan, befallen: &[MessageId]) -> Plan {
    let links = Links::new(plan.world, plan.latency_us, plan.noise.clone());
    let faults = befallen.iter().filter_map(|sight| {
        Some(Fault { at: Anchor::Observed(Moment::Send, *sight), kind: links.noise_at(*sight)? })
    });
    let mut singles = plan.clone();
    singles.faults.extend(faults);
    singles.noise = Noise::default();
    singles
}

#[cfg(test)]
mod tests {
    use skewsync_sim::catalog::{self, Catalog};
    use skewsync_sim::run::{Options, Report};
    use skewsync_sim::runner::Runner;

    use super::*;
    use crate::draw::{self, CommandCorpus, DrawOptions};

    fn watched(plan: &Plan, catalog: &Arc<Catalog>) -> (Report, Vec<MessageId>) {
        let plan = Arc::new(plan.clone());
        let out = Arc::new(Mutex::new(Vec::new()));
        let watch = Watch::if_noisy(&plan, Arc::clone(&out)).into_iter().collect();
        let runner = Runner::new(catalog, Options::default());
        let report = runner.observed(&plan, watch, Vec::new()).expect("it runs");
        let befallen = out.lock().expect("nobody panicked").clone();
        (report, befallen)
    }

    #[test]
    fn single_faults_make_the_run_that_the_noise_made() {
        let catalog = catalog::load(&[]).expect("the bundled images");
        let material = CommandCorpus::from_catalog(&catalog);
        let (catalog, wishes) = (
            Arc::new(catalog),
            DrawOptions { material: Arc::new(material), ..DrawOptions::default() },
        );
        let noisy = |seed: &u64| draw::plan(*seed, &wishes).noise != Noise::default();
        for seed in (0..40).filter(noisy).take(3) {
            let plan = draw::plan(seed, &wishes);
            let (report, befallen) = watched(&plan, &catalog);
            assert!(!befallen.is_empty(), "the noise of seed {seed} did something");
            let singles = singles(&plan, &befallen);
            assert_eq!(singles.noise, Noise::default());
            assert_eq!(singles.check(), Ok(()));
            let (again, none) = watched(&singles, &catalog);
            assert_eq!(again.trace, report.trace, "seed {seed}");
            assert_eq!(none, []);
        }
    }
}
