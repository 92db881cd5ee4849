//! What a pair waits for, once faults and commands have stopped.

use skewsync::ids::Slot;
use skewsync::message::{Redundancy, Verdict};
use skewsync::policy::Policy;
use skewsync::unit::peer::ActivePhase as Of;
use skewsync::unit::{Active, Limits, Role, Verify};

use super::phase::active;
use crate::drive::Cluster;
use crate::observe::ClusterView;
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
    pub fn of(plan: &Plan, policy: &Policy, limits: &Limits) -> Self {
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

    fn explains(self, active: &Active, phase: &Of, limits: &Limits) -> bool {
        let rpr = active.mode.redundancy() == Redundancy::Rpr;
        let used_up = rpr && active.mode.resets() >= limits.max_resets;
        let failed = rpr && active.mode.attempts() >= limits.max_attempts;
        match phase {
            Of::Rejected { verdict: Verdict::Rpr, .. } => {
                self.any || (self.rpr && used_up) || (self.attempts && failed)
            }
            Of::Held => self.any || self.held,
            Of::Rejected { .. } => self.any,
            _ => false,
        }
    }
}

/// What the pair waits for; none if it has converged: hot, or in the lesser mode that is foreseen.
pub fn pending(rig: &Cluster, lesser: Lesser) -> Option<String> {
    for slot in [Slot(0), Slot(1)] {
        if rig.unit(slot).is_none() {
            return Some(format!("the unit of slot {slot} to start"));
        }
    }
    if rig.arbiter().is_none() {
        return Some("the arbiter to start".into());
    }
    let acting: Vec<Slot> =
        [Slot(0), Slot(1)].into_iter().filter(|slot| active(rig, *slot).is_some()).collect();
    let [slot] = acting[..] else {
        let why = if acting.is_empty() { role(rig) } else { "two do" };
        return Some(format!("one unit to act: {why}"));
    };
    let other = Slot(1 - slot.0);
    let (Some(active), Some(unit)) = (active(rig, slot), rig.unit(other)) else {
        return Some("a unit to act".into());
    };
    if !active.prompts.is_empty() {
        return Some(format!("{} prompts to be answered", active.prompts.held().len()));
    }
    if !active.queue.is_empty() {
        return Some(format!("{} commands to be executed", active.queue.len()));
    }
    if active.drain.is_some() || active.saving.is_some() {
        return Some("a switchover or a save to end".into());
    }
    let Role::Standby(standby) = &unit.part else {
        return Some(format!("the unit of slot {other} to join as a Standby"));
    };
    let Some(current) = &active.peer.current else {
        let simplex = active.mode.redundancy() == Redundancy::Simplex && lesser.any;
        return (!simplex).then(|| "a session".into());
    };
    match &current.phase {
        Of::Hot => {}
        phase if lesser.explains(active, phase, rig.limits()) => return None,
        phase => {
            let (session, next) = (current.session, next(phase));
            return Some(format!("session {session} to become hot: {next}"));
        }
    }
    if !active.register.is_set() {
        return Some("the register to be confirmed".into());
    }
    let applied = standby.replica.as_ref().map(|replica| replica.applied);
    if applied != Some(active.last) {
        return Some(format!("the Standby to apply up to {}; it has {applied:?}", active.last));
    }
    let image = rig.hosts()[usize::from(other.0)].image().software().image();
    let theirs =
        standby.replica.as_ref().map(|replica| replica.receiver.raising().wire_digest(image));
    if theirs != current.sender.as_ref().map(|sender| sender.digest()) {
        return Some("the wire digest of the Standby's config to be the Active's".into());
    }
    None
}

/// What the role waits for while nobody acts.
fn role(rig: &Cluster) -> &'static str {
    match rig.arbiter() {
        Some(arbiter) if arbiter.offer.is_some() => "the arbiter's offer is not taken",
        Some(arbiter) if arbiter.runs() => "a lease runs that nobody acts on",
        Some(_) => "the arbiter has heard of nobody to offer the role to",
        None => "the arbiter is down",
    }
}

/// What a session that is not hot waits for.
const fn next(phase: &Of) -> &'static str {
    match phase {
        Of::Dump(_) => "the Standby to have the dump, and to say how it differs",
        Of::Diff(_) => "the Standby to say how its dump differs",
        Of::Pairing => "the two images to be paired",
        Of::Config => "the register to be clear, for a snapshot",
        Of::Bulk(_) => "the Standby to execute the config that it is sent",
        Of::Cold => "the Standby to catch up with the lines since the snapshot",
        Of::HotSent => "the Standby to answer Hot",
        Of::HotAcked => "the Standby to apply what was returned as local",
        Of::Setting => "the arbiter to confirm the register",
        Of::Hot => "nothing",
        Of::Rejected { .. } => "it is in rpr, which nothing in the plan explains",
        Of::Held => "it is held, which nothing in the plan explains",
    }
}

#[cfg(test)]
mod tests {
    use skewsync::unit::Mode;

    use super::*;
    use crate::draw::{self, DrawOptions};
    use crate::oracle::testing;
    use crate::plan::{Anchor, Fault};

    fn rpr(lesser: Lesser, resets: u32) -> bool {
        let mut unit = testing::active(Slot(0), 1, 0, "6.2", "");
        let Role::Active(active) = &mut unit.part else {
            panic!("an Active");
        };
        active.mode = Mode::new(resets);
        active.mode.fall(Redundancy::Rpr, skewsync::message::LeaveWhy::Degrade, None);
        let phase = Of::Rejected {
            lsn: skewsync::ids::Lsn(0),
            verdict: Verdict::Rpr,
            why: skewsync::message::RejectWhy::Policy,
        };
        lesser.explains(active, &phase, &Limits::DEFAULT)
    }

    #[test]
    fn rpr_is_foreseen_only_where_a_unit_refuses_and_the_resets_are_used_up() {
        let mut plan = draw::plan(1, &DrawOptions::default());
        plan.faults.clear();
        let of = |plan: &Plan| Lesser::of(plan, &Policy::default(), &Limits::DEFAULT);
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
        let plan = draw::plan(1, &DrawOptions::default());
        let lesser = Lesser::of(&plan, &Policy::default(), &Limits::DEFAULT);
        let unit = testing::active(Slot(0), 1, 0, "6.2", "");
        let Role::Active(active) = &unit.part else {
            panic!("an Active");
        };
        assert!(!lesser.explains(active, &Of::Held, &Limits::DEFAULT));
    }

    #[test]
    fn what_is_waited_for_is_said_in_words() {
        let plan = std::sync::Arc::new(draw::plan(1, &DrawOptions::default()));
        let (catalog, _) = crate::catalog::load(&[]).expect("the bundled family loads");
        let lesser = Lesser::of(&plan, catalog.policy(), catalog.limits());
        let mut rig =
            Cluster::new(plan, std::sync::Arc::new(catalog), Vec::new()).expect("it fits");
        let mut said = vec![pending(&rig, lesser)];
        for place in [
            skewsync::message::Address::Unit(Slot(0)),
            skewsync::message::Address::Unit(Slot(1)),
            skewsync::message::Address::Arbiter,
        ] {
            rig.start(place);
            said.push(pending(&rig, lesser));
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
