//! What a plan is exempt from: properties that the protocol does not promise under what the plan
//! does. Told from the plan alone, never from what a run showed; every other property must hold in
//! such a run too.

use serde::{Deserialize, Serialize};
use skewsync::unit::Limits;
use skewsync_model::property::Property;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use super::{FaultKind, Plan};

/// A reason for which runs are exempt from some properties.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    IntoStaticStr,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum Exemption {
    /// A clock is slower than `max_drift`, or set back.
    ClockBeyondDrift,
    /// A Standby executes something else than it was sent.
    MisappliedLine,
}

impl Exemption {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Why the protocol promises nothing.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ClockBeyondDrift => {
                "a clock that is slower than `max_drift`, or set back, holds a lease for longer \
                 than the arbiter waits (PROTOCOL.md, section 2, Lease): two units act; and what \
                 it does by a timer it does too late"
            }
            Self::MisappliedLine => {
                "a Standby that executes something else than it was sent is no image of the \
                 Active until the wire digest of its next Applied or Keepalive says so, and what \
                 never goes on the wire it says nowhere (PROTOCOL.md, section 4)"
            }
        }
    }

    /// The properties that it does not promise then.
    pub const fn properties(self) -> &'static [Property] {
        match self {
            Self::ClockBeyondDrift => &[
                Property::SingleActive,
                Property::NoSplitAck,
                Property::NoAckedLoss,
                Property::ReplicatedIsKept,
                Property::PlannedLosesNothing,
                Property::NoZombie,
                Property::HotIsServed,
                Property::Available,
                Property::Honest,
                Property::Lockstep,
            ],
            Self::MisappliedLine => &[
                Property::HotMeansEqual,
                Property::Commutes,
                Property::NoSilentDrop,
                Property::ListedAtTakeover,
                Property::RoundTrip,
                Property::WholeOrStartup,
                Property::ReplicatedIsKept,
                Property::Lockstep,
            ],
        }
    }

    /// Those of a plan.
    pub fn of_plan(plan: &Plan, limits: &Limits) -> Vec<Self> {
        let any = |is: &dyn Fn(&FaultKind) -> bool| plan.faults.iter().any(|fault| is(&fault.kind));
        let beyond = |ppm: i64| ppm < -i64::from(limits.max_drift_ppm);
        let drifts = |kind: &FaultKind| match kind {
            FaultKind::ClockRate { slot, ppm, .. } => {
                let own = plan.units[usize::from(*slot)].drift_ppm;
                beyond(i64::from(own) + i64::from(*ppm))
            }
            FaultKind::ClockStep { by_ms, .. } => *by_ms < 0,
            _ => false,
        };
        let holds = |exemption: &Self| match exemption {
            Self::ClockBeyondDrift => {
                let by_plan = plan.units.iter().any(|unit| beyond(i64::from(unit.drift_ppm)));
                by_plan || any(&drifts)
            }
            Self::MisappliedLine => any(&|kind| matches!(kind, FaultKind::MisapplyLine { .. })),
        };
        Self::iter().filter(holds).collect()
    }
}

/// Whether runs of a plan with these exemptions are exempt from a property.
pub fn covers(exemptions: &[Exemption], property: Property) -> bool {
    exemptions.iter().any(|exemption| exemption.properties().contains(&property))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Anchor, Fault, testing};

    fn from_fault(kind: Option<FaultKind>) -> Vec<Exemption> {
        let mut plan = testing::quiet();
        plan.units[0].drift_ppm = -5_000;
        let at = Anchor::Instant(1);
        plan.faults.extend(kind.map(|kind| Fault { at, kind }));
        Exemption::of_plan(&plan, &Limits::DEFAULT)
    }

    #[test]
    fn a_plan_is_exempt_by_what_it_does_and_by_nothing_within_bounds() {
        let rate = |ppm| Some(FaultKind::ClockRate { slot: 0, ppm, for_ms: 1 });
        let step = |by_ms| Some(FaultKind::ClockStep { slot: 0, by_ms });
        assert!(from_fault(None).is_empty());
        assert!(from_fault(rate(-5_000)).is_empty());
        assert_eq!(from_fault(rate(-5_001)), [Exemption::ClockBeyondDrift]);
        assert!(from_fault(rate(400_000)).is_empty(), "who is early gives up early");
        assert!(from_fault(step(900)).is_empty());
        assert_eq!(from_fault(step(-1)), [Exemption::ClockBeyondDrift]);
        let text = "hostname a\n".into();
        let misapplies = FaultKind::MisapplyLine { slot: 1, text };
        assert_eq!(from_fault(Some(misapplies)), [Exemption::MisappliedLine]);
    }

    #[test]
    fn an_exemption_covers_what_it_names_and_nothing_else() {
        use Exemption::{ClockBeyondDrift, MisappliedLine};
        use Property::{Answers, Converges, HotMeansEqual, SingleActive};
        let both = [ClockBeyondDrift, MisappliedLine];
        assert!(covers(&both[..1], SingleActive) && !covers(&both[..1], HotMeansEqual));
        assert!(covers(&both, HotMeansEqual) && !covers(&[], SingleActive));
        assert!(!covers(&both, Converges) && !covers(&both, Answers));
    }
}
