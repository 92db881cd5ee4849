//! What a plan is excused from: properties that the protocol does not promise under what the plan
//! does. Told from the plan alone, never from what a run showed; every other property must hold in
//! such a run too.

use skewsync::unit::Limits;

use super::{FaultKind, Plan};

/// One reason for which runs are excused.
#[derive(Debug)]
pub struct Excuse {
    /// Its name.
    pub name: &'static str,
    /// Why the protocol promises nothing.
    pub reason: &'static str,
    /// The properties that it does not promise then.
    pub properties: &'static [&'static str],
}

/// All reasons. A new one goes to the end: summaries name them by their place.
pub const EXCUSES: [Excuse; 2] = [
    Excuse {
        name: "clock-beyond-drift",
        reason: "a clock that is slower than `max_drift`, or set back, holds a lease for longer \
                 than the arbiter waits \
                 (PROTOCOL.md, section 2, Lease): two units act; and what it does by a timer it \
                 does too late",
        properties: &[
            "SingleActive",
            "NoSplitAck",
            "NoAckedLoss",
            "ReplicatedIsKept",
            "PlannedLosesNothing",
            "NoZombie",
            "HotIsServed",
            "Available",
            "Honest",
            "lockstep",
        ],
    },
    Excuse {
        name: "misapplied-line",
        reason: "a Standby that executes something else than it was sent is no image of the Active \
                 until the wire digest \
                 of its next Applied or Keepalive says so, and what never goes on the wire it says \
                 nowhere (PROTOCOL.md, \
                 section 4)",
        properties: &[
            "HotMeansEqual",
            "Commutes",
            "NoSilentDrop",
            "ListedAtTakeover",
            "RoundTrip",
            "WholeOrStartup",
            "ReplicatedIsKept",
            "lockstep",
        ],
    },
];

/// The reasons for which runs of a plan are excused, by their places in [`EXCUSES`].
pub fn excuses(plan: &Plan, limits: &Limits) -> Vec<usize> {
    let drifts = |kind: &FaultKind| match kind {
        FaultKind::ClockRate { slot, ppm, .. } => {
            let own = plan.units[usize::from(*slot)].drift_ppm;
            i64::from(own) + i64::from(*ppm) < -i64::from(limits.max_drift_ppm)
        }
        FaultKind::ClockStep { by_ms, .. } => *by_ms < 0,
        _ => false,
    };
    let misapplies = |kind: &FaultKind| matches!(kind, FaultKind::MisapplyLine { .. });
    let any = |is: &dyn Fn(&FaultKind) -> bool| plan.faults.iter().any(|fault| is(&fault.kind));
    let drifts_by_plan =
        plan.units.iter().any(|unit| i64::from(unit.drift_ppm) < -i64::from(limits.max_drift_ppm));
    let holds = [drifts_by_plan || any(&drifts), any(&misapplies)];
    (0..EXCUSES.len()).filter(|at| holds[*at]).collect()
}

/// Whether runs of a plan with these excuses are excused from a property.
pub fn covers(excuses: &[usize], property: &str) -> bool {
    let of = |at: &usize| EXCUSES[*at].properties.contains(&property);
    excuses.iter().any(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{self, DrawOptions, Mix};
    use crate::plan::{Anchor, Fault};

    fn of(kind: Option<FaultKind>) -> Vec<&'static str> {
        let wishes = DrawOptions { mix: Mix::Calm, ..DrawOptions::default() };
        let mut plan = draw::plan(1, &wishes);
        plan.units[0].drift_ppm = -5_000;
        let at = Anchor::Instant(1);
        plan.faults.extend(kind.map(|kind| Fault { at, kind }));
        let found = excuses(&plan, &Limits::DEFAULT);
        found.into_iter().map(|at| EXCUSES[at].name).collect()
    }

    #[test]
    fn a_plan_is_excused_by_what_it_does_and_by_nothing_within_bounds() {
        let rate = |ppm| Some(FaultKind::ClockRate { slot: 0, ppm, for_ms: 1 });
        let step = |by_ms| Some(FaultKind::ClockStep { slot: 0, by_ms });
        assert!(of(None).is_empty());
        assert!(of(rate(-5_000)).is_empty());
        assert_eq!(of(rate(-5_001)), ["clock-beyond-drift"]);
        assert!(of(rate(400_000)).is_empty(), "who is early gives up early");
        assert!(of(step(900)).is_empty());
        assert_eq!(of(step(-1)), ["clock-beyond-drift"]);
        let text = "hostname a\n".into();
        let misapplies = FaultKind::MisapplyLine { slot: 1, text };
        assert_eq!(of(Some(misapplies)), ["misapplied-line"]);
    }

    #[test]
    fn an_excuse_covers_what_it_names_and_nothing_else() {
        assert!(covers(&[0], "SingleActive") && !covers(&[0], "HotMeansEqual"));
        assert!(covers(&[0, 1], "HotMeansEqual") && !covers(&[], "SingleActive"));
        assert!(!covers(&[0, 1], "Converges") && !covers(&[0, 1], "Answers"));
    }
}
