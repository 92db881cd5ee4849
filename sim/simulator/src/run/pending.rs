//! What a pair waits for, once faults and commands have stopped.

use skewsync::ids::Slot;
use skewsync::message::{Redundancy, Verdict};
use skewsync::policy::Policy;
use skewsync::translate::Lowering;
use skewsync::unit::{Limits, Verify};

use crate::catalog::Catalog;
use crate::history::{Acting, ActivePhase, Arbiter, History, Unit};
use crate::plan::fault::Foreign;
use crate::plan::{FaultKind, Noise, Plan};

/// In what lesser mode than hot a pair may end, told from plan and images alone.
///
/// # Shape
/// Without rules a line that cannot go is dropped and listed, whatever the images: that ends hot.
/// Only a Standby that refuses what it is sent, or executes something else, brings the pair to rpr,
/// once the ordered resets are used up, and whatever ends sessions does once the attempts are;
/// nothing but an operator or a new boot brings it back. A dump or a diff that another engine does
/// not read holds the Standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lesser {
    /// rpr, after all resets.
    rpr: bool,
    /// Something goes wrong that may end a session: rpr, after all attempts.
    attempts: bool,
    /// A dump or a diff may not be read: the Standby is held.
    held: bool,
    /// Rules of an operator's own, or strict verification, may ask for any mode.
    any: bool,
}

impl Lesser {
    /// The lesser modes that a plan explains.
    pub fn from_plan(plan: &Plan, policy: &Policy, limits: &Limits) -> Self {
        let refuses = |kind: &FaultKind| {
            matches!(kind, FaultKind::RefuseLine { .. } | FaultKind::MisapplyLine { .. })
        };
        let holds = |kind: &FaultKind| {
            matches!(kind, FaultKind::ForeignPayload { what: Foreign::Dump | Foreign::Diff, .. })
        };
        Self {
            rpr: plan.faults.iter().any(|fault| refuses(&fault.kind)),
            attempts: !plan.faults.is_empty()
                || plan.noise != Noise::default()
                || plan.loss.is_some_and(|loss| loss > 0),
            held: plan.faults.iter().any(|fault| holds(&fault.kind)),
            any: *policy != Policy::default() || limits.verify == Verify::Strict,
        }
    }

    fn explains(self, acting: &Acting, phase: ActivePhase, limits: &Limits) -> bool {
        let rpr = acting.allowed == Redundancy::Rpr;
        let used_up = rpr && acting.resets >= limits.max_resets;
        let failed = rpr && acting.attempts >= limits.max_attempts;
        match phase {
            ActivePhase::Rejected(Verdict::Rpr) => {
                self.any || (self.rpr && used_up) || (self.attempts && failed)
            }
            ActivePhase::Held => self.any || self.held,
            ActivePhase::Rejected(_) => self.any,
            _ => false,
        }
    }
}

/// What the pair waits for; none if it has converged: hot, or in the lesser mode that is foreseen.
pub fn pending(history: &History, catalog: &Catalog, lesser: Lesser) -> Option<String> {
    for (slot, unit) in history.slots() {
        if unit.machine.is_none() {
            return Some(format!("the unit of slot {slot} to start"));
        }
    }
    let Some(arbiter) = &history.arbiter else {
        return Some("the arbiter to start".into());
    };
    let (slot, acting) = match history.active() {
        Some(active) if history.others(active.0).all(|(_, of)| of.acting().is_none()) => active,
        Some(_) => return Some("one unit to act: two do".into()),
        None => return Some(format!("one unit to act: {}", role(arbiter))),
    };
    if acting.prompts > 0 {
        return Some(format!("{} prompts to be answered", acting.prompts));
    }
    if !acting.queue.is_empty() {
        return Some(format!("{} commands to be executed", acting.queue.len()));
    }
    if acting.drains || acting.saves {
        return Some("a switchover or a save to end".into());
    }
    history.others(slot).find_map(|other| standby(history, acting, other, catalog, lesser))
}

/// What is waited for of one Standby.
fn standby(
    history: &History,
    acting: &Acting,
    (slot, unit): (Slot, &Unit),
    catalog: &Catalog,
    lesser: Lesser,
) -> Option<String> {
    let Some(waiting) = unit.waiting() else {
        return Some(format!("the unit of slot {slot} to join as a Standby"));
    };
    let Some(current) = &acting.session else {
        let simplex = acting.allowed == Redundancy::Simplex && lesser.any;
        return (!simplex).then(|| "a session".into());
    };
    match current.phase {
        ActivePhase::Hot => {}
        phase if lesser.explains(acting, phase, &history.limits) => return None,
        phase => {
            let (session, next) = (current.session, next(phase));
            return Some(format!("session {session} to become hot: {next}"));
        }
    }
    if !acting.register_is_set {
        return Some("the register to be confirmed".into());
    }
    let replica = waiting.replica.as_ref();
    let applied = replica.map(|replica| replica.applied);
    if applied != Some(acting.last) {
        return Some(format!("the Standby to apply up to {}; it has {applied:?}", acting.last));
    }
    let image = catalog.by_digest(unit.image.digest)?;
    let theirs = replica.map(|replica| replica.raising.wire_digest(image.software().image()));
    if theirs != current.lowering.as_ref().map(Lowering::wire_digest) {
        return Some("the wire digest of the Standby's config to be the Active's".into());
    }
    None
}

/// What the role waits for while nobody acts.
const fn role(arbiter: &Arbiter) -> &'static str {
    match arbiter {
        Arbiter { offers: true, .. } => "the arbiter's offer is not taken",
        Arbiter { lease_runs: true, .. } => "a lease runs that nobody acts on",
        Arbiter { .. } => "the arbiter has heard of nobody to offer the role to",
    }
}

/// What a session that is not hot waits for.
const fn next(phase: ActivePhase) -> &'static str {
    match phase {
        ActivePhase::Dump => "the Standby to have the dump, and to say how it differs",
        ActivePhase::Diff => "the Standby to say how its dump differs",
        ActivePhase::Pairing => "the two images to be paired",
        ActivePhase::Config => "the register to be clear, for a snapshot",
        ActivePhase::Bulk => "the Standby to execute the config that it is sent",
        ActivePhase::Cold => "the Standby to catch up with the lines since the snapshot",
        ActivePhase::HotSent => "the Standby to answer Hot",
        ActivePhase::HotAcked => "the Standby to apply what was returned as local",
        ActivePhase::Setting => "the arbiter to confirm the register",
        ActivePhase::Hot => "nothing",
        ActivePhase::Rejected(_) => "it is in rpr, which nothing in the plan explains",
        ActivePhase::Held => "it is held, which nothing in the plan explains",
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit as engine;

    use super::*;
    use crate::drive::Cluster;
    use crate::history::{self, Historian, Role};
    use crate::oracle::testing;
    use crate::plan::testing::quiet;
    use crate::plan::{Anchor, Fault};

    /// What a unit acts with.
    fn acting(unit: &engine::Unit) -> Acting {
        match history::machine(unit).role {
            Role::Active(acting) => acting,
            Role::Standby(_) | Role::Holder(_) => panic!("an Active"),
        }
    }

    fn rpr(lesser: Lesser, resets: u32) -> bool {
        let acting = acting(&testing::active(Slot(0), 1, 0, "6.2", ""));
        let acting = Acting { resets, allowed: Redundancy::Rpr, ..acting };
        lesser.explains(&acting, ActivePhase::Rejected(Verdict::Rpr), &Limits::DEFAULT)
    }

    #[test]
    fn rpr_is_foreseen_only_where_a_unit_refuses_and_the_resets_are_used_up() {
        let mut plan = quiet();
        plan.faults.clear();
        let of = |plan: &Plan| Lesser::from_plan(plan, &Policy::default(), &Limits::DEFAULT);
        let most = Limits::DEFAULT.max_resets;
        assert!(!rpr(of(&plan), most));
        plan.faults.push(Fault {
            at: Anchor::Instant(1),
            kind: FaultKind::RefuseLine { slot: 1, lines: 1 },
        });
        assert!(rpr(of(&plan), most));
        assert!(!rpr(of(&plan), most - 1));
    }

    #[test]
    fn a_pair_that_is_held_is_never_foreseen_without_rules() {
        let plan = quiet();
        let lesser = Lesser::from_plan(&plan, &Policy::default(), &Limits::DEFAULT);
        let acting = acting(&testing::active(Slot(0), 1, 0, "6.2", ""));
        assert!(!lesser.explains(&acting, ActivePhase::Held, &Limits::DEFAULT));
    }

    #[test]
    fn what_is_waited_for_is_said_in_words() {
        let plan = std::sync::Arc::new(quiet());
        let catalog = crate::catalog::load(&[]).expect("the bundled family loads");
        let catalog = std::sync::Arc::new(catalog);
        let lesser = Lesser::from_plan(&plan, catalog.policy(), catalog.limits());
        let mut cluster =
            Cluster::new(plan, std::sync::Arc::clone(&catalog), Historian::default(), Vec::new())
                .expect("it fits");
        let mut said = vec![pending(cluster.history(), &catalog, lesser)];
        for place in [
            skewsync::message::Address::Unit(Slot(0)),
            skewsync::message::Address::Unit(Slot(1)),
            skewsync::message::Address::Arbiter,
        ] {
            cluster.start(place);
            said.push(pending(cluster.history(), &catalog, lesser));
        }
        let said: Vec<_> = said.into_iter().flatten().collect();
        let expected = [
            "the unit of slot 0 to start",
            "the unit of slot 1 to start",
            "the arbiter to start",
            "one unit to act: the arbiter has heard of nobody to offer the role to",
        ];
        assert_eq!(said, expected);
    }
}
