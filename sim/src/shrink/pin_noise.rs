//! What befalls messages at random becomes single faults, each at its message's sight; and when
//! anchors were met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::search::{Held, Search};
use crate::observe::{ClusterView, Event, Observed, Observer, Violation};
use crate::plan::{Anchor, Fault, MessageId, Moment, Network, Noise, Plan};
use crate::world::link::Links;

/// What a run met of its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// The messages that the noise befell, in order.
    befallen: Vec<MessageId>,
    /// When the messages that anchors name were sent, and when they were first given to their
    /// receivers, in microseconds of virtual time.
    sent: BTreeMap<MessageId, u64>,
    given: BTreeMap<MessageId, u64>,
}

impl Met {
    /// When the last of the plan's anchors was met, in milliseconds.
    pub(super) fn last_ms(&self, plan: &Plan) -> u64 {
        let faults = plan.faults.iter().map(|fault| fault.at);
        let anchors = faults.chain(plan.commands.iter().map(|entry| entry.at));
        let instants = anchors.map(|at| match at {
            Anchor::Instant(ms) | Anchor::Next { from_ms: ms, .. } => ms,
            Anchor::Observed(..) | Anchor::Answered(..) => 0,
        });
        let seen = self.sent.values().chain(self.given.values());
        instants.chain(seen.map(|us| us / 1_000)).max().unwrap_or(0)
    }

    /// The plan with its named messages as the next of their kind from the millisecond on in which
    /// they were met: where something is left out, another message may take their place. None if
    /// the plan names none.
    pub(super) fn loosened(&self, plan: &Plan) -> Option<Plan> {
        let mut loose = plan.clone();
        let faults = loose.faults.iter_mut().map(|fault| &mut fault.at);
        let entries = loose.commands.iter_mut().map(|entry| &mut entry.at);
        for at in faults.chain(entries) {
            let Anchor::Observed(moment, sight) = *at else {
                continue;
            };
            let when = match moment {
                Moment::Send => self.sent.get(&sight),
                Moment::Before | Moment::Within(_) | Moment::After => self.given.get(&sight),
            };
            if let Some(when) = when {
                *at = Anchor::Next {
                    moment,
                    from_ms: when / 1_000,
                    to: Some(sight.to),
                    kind: Some(sight.kind),
                };
            }
        }
        (loose != *plan).then_some(loose)
    }
}

/// Watches a run for what [`Met`] holds.
pub(super) struct Watch {
    anchored: BTreeSet<MessageId>,
    aimed: BTreeSet<MessageId>,
    noisy: bool,
    out: Arc<Mutex<Met>>,
}

impl Watch {
    /// A watch that tells `out`.
    pub(super) fn new(plan: &Plan, out: Arc<Mutex<Met>>) -> Self {
        let named = |at: &Anchor| match at {
            Anchor::Observed(_, sight) => Some(*sight),
            Anchor::Instant(_) | Anchor::Next { .. } | Anchor::Answered(..) => None,
        };
        let faults = plan.faults.iter().map(|fault| &fault.at);
        let entries = plan.commands.iter().map(|entry| &entry.at);
        let of_message = plan.faults.iter().filter(|fault| fault.of_message());
        Self {
            anchored: faults.chain(entries).filter_map(named).collect(),
            aimed: of_message.filter_map(|fault| named(&fault.at)).collect(),
            noisy: plan.noise != Noise::default(),
            out,
        }
    }
}

impl Observer for Watch {
    fn see(&mut self, seen: &Observed<'_>, _: &dyn ClusterView) -> Result<(), Violation> {
        let (sight, befallen, is_sent) = match seen.event {
            Event::Sent { sight, fault, .. } => {
                let noise = self.noisy && fault.is_some() && !self.aimed.contains(&sight);
                (sight, noise, true)
            }
            Event::Unit { packet: Some(packet), .. }
            | Event::Arbiter { packet: Some(packet), .. } => (packet.sight, false, false),
            Event::Undelivered { sight, .. } => (sight, false, false),
            Event::Unit { packet: None, .. }
            | Event::Arbiter { packet: None, .. }
            | Event::Started { .. }
            | Event::Entered { .. }
            | Event::Ended { .. }
            | Event::ArbiterEnded
            | Event::Written { .. }
            | Event::Paused { .. }
            | Event::Fault { .. }
            | Event::FaultsStopped => return Ok(()),
        };
        let anchored = self.anchored.contains(&sight);
        if !anchored && !befallen {
            return Ok(());
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if befallen {
            out.befallen.push(sight);
        }
        if anchored {
            let times = if is_sent { &mut out.sent } else { &mut out.given };
            times.entry(sight).or_insert(seen.at_us);
        }
        Ok(())
    }
}

/// The rates of noise.
const RATES: [fn(&mut Noise) -> &mut u32; 6] = [
    |noise| &mut noise.lose,
    |noise| &mut noise.duplicate,
    |noise| &mut noise.delay,
    |noise| &mut noise.corrupt,
    |noise| &mut noise.hold,
    |noise| &mut noise.reorder,
];

impl Search<'_> {
    /// Messages that the noise befell in the best plan's run.
    pub(super) fn noise_met(&self) -> usize {
        self.shown().seen.befallen.len()
    }

    /// Turns noise into single faults, or into none.
    pub(super) fn settle_noise(&mut self) {
        self.stage("noise");
        self.leave_sockets();
        if self.best().noise == Noise::default() {
            return;
        }
        let singles = singles(self.best(), &self.shown().seen.befallen);
        if self.first(Held::All, [singles]).is_some() {
            return;
        }
        for rate in RATES {
            self.one(|plan| *rate(&mut plan.noise) = 0);
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
    use super::*;
    use crate::campaign::run_watched;
    use crate::catalog::{self, Catalog};
    use crate::draw::{self, DrawOptions};
    use crate::run::{Options, Report};

    fn watched(plan: &Plan, catalog: &Arc<Catalog>) -> (Report, Met) {
        let plan = Arc::new(plan.clone());
        let out = Arc::new(Mutex::new(Met::default()));
        let watch = Box::new(Watch::new(&plan, Arc::clone(&out)));
        let report = run_watched(&plan, catalog, Options::default(), vec![watch]).expect("it runs");
        let met = out.lock().expect("nobody panicked").clone();
        (report, met)
    }

    #[test]
    fn single_faults_make_the_run_that_the_noise_made() {
        let (catalog, material) = catalog::load(&[]).expect("the bundled images");
        let (catalog, wishes) = (
            Arc::new(catalog),
            DrawOptions { material: Arc::new(material), ..DrawOptions::default() },
        );
        let noisy = |seed: &u64| draw::plan(*seed, &wishes).noise != Noise::default();
        for seed in (0..40).filter(noisy).take(3) {
            let plan = draw::plan(seed, &wishes);
            let (report, met) = watched(&plan, &catalog);
            assert!(!met.befallen.is_empty(), "the noise of seed {seed} did something");
            let singles = singles(&plan, &met.befallen);
            assert_eq!(singles.noise, Noise::default());
            assert_eq!(singles.check(), Ok(()));
            let (again, none) = watched(&singles, &catalog);
            assert_eq!(again.trace, report.trace, "seed {seed}");
            assert_eq!(none.befallen, []);
        }
    }

    #[test]
    fn a_loose_anchor_is_met_where_the_named_one_was() {
        let (catalog, material) = catalog::load(&[]).expect("the bundled images");
        let catalog = Arc::new(catalog);
        let wishes = DrawOptions { material: Arc::new(material), ..DrawOptions::default() };
        let named = |plan: &Plan| {
            let faults = plan.faults.iter().map(|fault| fault.at);
            let all = faults.chain(plan.commands.iter().map(|entry| entry.at));
            all.filter(|at| matches!(at, Anchor::Observed(..))).count()
        };
        let mut met = (0..40).map(|seed| watched(&draw::plan(seed, &wishes), &catalog).0.met);
        let plan = met.find(|met| named(met) > 2).expect("plans name messages");
        let (report, seen) = watched(&plan, &catalog);
        let loose = seen.loosened(&plan).expect("the plan names messages");
        assert_eq!(named(&loose), 0);
        assert_eq!(watched(&loose, &catalog).0.trace, report.trace);
        assert_eq!(Met::default().loosened(&plan), None, "nobody saw them");
    }
}
