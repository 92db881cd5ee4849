//! What failures of one cause have in common, so that they are counted, confirmed and shrunk as
//! one.

use std::fmt;

use serde::{Deserialize, Serialize};
use skewsync_sim::catalog::drawn;
use skewsync_sim::plan::Plan;
use skewsync_sim::run::{Ending, Verdict, VerdictKind};

/// Stands where a failure has nothing to say: it passed, or its run did not come back.
pub(crate) const NONE: &str = "-";

/// What failures have in common: property, roles, release pair, phase.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The property, or how the run ended without one.
    pub property: VerdictKind,
    /// What the unit of each slot showed of itself; `-` if the run did not come back.
    pub roles: Vec<String>,
    /// The image of each slot; drawn ones have one name.
    pub pair: Vec<String>,
    /// The pair's phase; `-` if the run did not come back.
    pub phase: String,
}

impl Signature {
    /// The signature of a run: by how things stood at its end, or by its plan if it did not come
    /// back.
    pub fn from_verdict(verdict: &Verdict, ending: Option<&Ending>, plan: &Plan) -> Self {
        let (roles, pair, phase) = match ending {
            Some(ending) => {
                let roles = ending.roles.iter().map(|role| (*role).to_string()).collect();
                (roles, ending.images.clone(), ending.phase.name())
            }
            None => (vec![NONE.to_string(); plan.units.len()], plan.images(), NONE),
        };
        let pair = pair.iter().map(|name| drawn::counted(name)).collect();
        Self { property: verdict.kind(), roles, pair, phase: phase.to_string() }
    }

    /// The exit code of its failures.
    pub const fn code(&self) -> u8 {
        self.property.code()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { property, roles, pair, phase } = self;
        write!(f, "{property} in phase {phase}")?;
        for (slot, (role, image)) in roles.iter().zip(pair).enumerate() {
            let before = if slot == 0 { ":" } else { "," };
            write!(f, "{before} slot {slot} {role} on {image}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use skewsync_sim::exit;

    use super::*;
    use crate::draw::{self, DrawOptions};

    #[test]
    fn a_run_that_did_not_come_back_is_signed_by_its_plan_and_reads_back() {
        let plan = draw::plan(3, &DrawOptions::default());
        let signature = Signature::from_verdict(&Verdict::Hung { seconds: 60 }, None, &plan);
        assert_eq!(signature.property, VerdictKind::Hung);
        assert_eq!(signature.code(), exit::LIVENESS);
        assert_eq!(signature.phase, "-");
        assert_eq!(signature.pair, plan.images());
        let text = serde_json::to_string(&signature).expect("a signature is representable");
        assert_eq!(serde_json::from_str(&text).ok(), Some(signature));
    }
}
