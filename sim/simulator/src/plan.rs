//! A plan: everything that one simulated run will do, as data.
//!
//! It can be drawn from a seed (`draw`), written by hand, or kept from a failure. It replays
//! without its seed. It knows nothing of how a run is made.

pub mod anchor;
pub mod exemption;
pub mod fault;
mod place;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumDiscriminants, EnumIter, IntoStaticStr};

pub use anchor::{Anchor, MessageId, Moment};
pub use fault::{Fault, FaultKind, FaultName, Noise};
pub use place::{Link, NoPlace, Place};

/// The version of the plan's format. A plan of another version is refused.
pub const FORMAT: u32 = 1;

/// Longest safety phase that a plan may ask for: ten virtual minutes.
pub const HORIZON_MS_MAX: u64 = 600_000;

/// One simulated run, as data.
///
/// ```
/// use skewsync_sim::plan::{Plan, PlanError};
/// let error = Plan::read("version = 1").expect_err("it lacks all else");
/// assert!(matches!(error, PlanError::Toml(why) if why.contains("world")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The format's version: [`FORMAT`].
    pub version: u32,
    /// The seed that it was drawn from, for the reader; nothing reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The commit at which it was written, for the reader.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
    /// madsim's seed, and the key of all draws: what links do to messages, which commands are
    /// acked, what goes first at one instant.
    pub world: u64,
    /// The planted defect with which the engine runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted: Option<String>,
    /// From when on the world draws otherwise; for looking into a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reseed: Option<Reseed>,
    /// The network that carries the messages.
    pub network: Network,
    /// Of a thousand messages over madsim's sockets, so many are lost until faults stop; none over
    /// our own links, where `noise` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<u32>,
    /// Length of the safety phase, in which commands come and faults strike.
    pub horizon_ms: u64,
    /// Latency of a message, least and most, both in microseconds; the least is a millisecond.
    pub latency_us: (u64, u64),
    /// How often a command is entered with `acked` durability, in percent.
    pub acked_percent: u32,
    /// What befalls messages at random, drawn from `world` by each message's name.
    #[serde(default)]
    pub noise: Noise,
    /// The units, by slot.
    pub units: Vec<UnitPlan>,
    /// What operators enter.
    #[serde(default)]
    pub commands: Vec<Entry>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// From a moment on the world is another: what links and operators draw comes from there, and so
/// does the order of what is due at one instant. Up to then the run is the same as without it.
/// madsim's sockets go on as they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reseed {
    /// The moment, in microseconds of virtual time; what happens at it is the new world's already.
    pub at_us: u64,
    /// The world from then on.
    pub world: u64,
}

/// The network that carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Our own link layer: every link fault, and messages that outlive their receiver's boot.
    Links,
    /// madsim's sockets: node faults and clogging only, so that such a plan holds no anchor on a
    /// link.
    Sockets,
}

/// One unit of the topology.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitPlan {
    /// Its slot.
    pub slot: u8,
    /// Its image: a file, or `meridian@6.2`.
    pub image: String,
    /// That image's digest, in hex; a replay with another image is drift.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// How much faster than true time its clock runs, in parts per million.
    #[serde(default)]
    pub drift_ppm: i32,
    /// Latency of its disk.
    #[serde(default = "disk_ms")]
    pub disk_ms: u64,
    /// The config in its startup store, as text; none is the factory default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<String>,
}

const fn disk_ms() -> u64 {
    5
}

/// One thing that an operator enters, at whichever unit acts as Active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Anchor,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What an operator enters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EnumDiscriminants, Serialize, Deserialize)]
#[strum_discriminants(
    name(EntryName),
    doc = "The name of what an operator enters, as plans, tables and reports write it.",
    derive(PartialOrd, Ord, Hash, Display, EnumIter, IntoStaticStr, Serialize, Deserialize),
    strum(serialize_all = "kebab-case"),
    serde(rename_all = "kebab-case")
)]
#[serde(tag = "enter", rename_all = "kebab-case")]
pub enum What {
    /// A batch of lines, each with its mode's path before it; committed as one change.
    Config {
        /// The batch, as text that a router would read.
        text: String,
    },
    /// `save`: the startup stores of both units.
    Save,
    /// A planned switchover.
    Switchover,
    /// A switchover without a drain.
    ForcedSwitchover,
    /// A return from rpr or simplex.
    Retry,
    /// A reset of the peer.
    ResetPeer,
}

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The TOML does not read, or holds what no plan holds (an unknown fault, an anchor that does
    /// not read).
    #[error("{0}")]
    Toml(String),
    /// It is of another version of the format.
    #[error("the plan is of format version {found}, and this build reads version {FORMAT}")]
    Version {
        /// The version that it names.
        found: u32,
    },
    /// Its parts do not fit each other.
    #[error("the plan contradicts itself: {0}")]
    Contradiction(String),
}

impl Plan {
    /// The image of each slot as the run begins.
    pub fn images(&self) -> Vec<String> {
        self.units.iter().map(|unit| unit.image.clone()).collect()
    }

    /// All images that it names: also those to which units change.
    pub fn all_images(&self) -> Vec<String> {
        let changes = self.faults.iter().filter_map(|fault| match &fault.kind {
            FaultKind::ImageChange { image, .. } => Some(image.clone()),
            _ => None,
        });
        self.images().into_iter().chain(changes).collect()
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// `Toml` with line, column and what was expected; `Version`; `Contradiction`.
    pub fn read(text: &str) -> Result<Self, PlanError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head =
            toml::from_str(text).map_err(|error| PlanError::Toml(error.to_string()))?;
        if head.version != FORMAT {
            return Err(PlanError::Version { found: head.version });
        }
        let plan: Self =
            toml::from_str(text).map_err(|error| PlanError::Toml(error.to_string()))?;
        plan.check()?;
        Ok(plan)
    }

    /// The plan as text.
    ///
    /// # Panics
    /// Never: every plan is representable.
    pub fn write(&self) -> String {
        toml::to_string_pretty(self).expect("every plan is representable as TOML")
    }

    /// The digest of the plan's text, for caches and reports.
    pub fn digest(&self) -> String {
        blake3::hash(self.write().as_bytes()).to_hex()[..16].to_string()
    }

    /// Whether the plan's parts fit each other.
    ///
    /// # Errors
    /// `Contradiction`.
    pub fn check(&self) -> Result<(), PlanError> {
        let wrong = |what: &dyn fmt::Display| Err(PlanError::Contradiction(what.to_string()));
        if self.units.len() != 2 || self.units[0].slot != 0 || self.units[1].slot != 1 {
            return wrong(&"a pair is two units, in slots 0 and 1");
        }
        if self.latency_us.0 < 1_000 || self.latency_us.0 > self.latency_us.1 {
            return wrong(&"a latency is at least 1000 us, and the least is not above the most");
        }
        if self.horizon_ms == 0 || self.horizon_ms > HORIZON_MS_MAX {
            return wrong(&format_args!("horizon_ms is between 1 and {HORIZON_MS_MAX}"));
        }
        if let Some(fault) = self.faults.iter().find(|fault| fault.slot().is_some_and(|s| s > 1)) {
            return wrong(&format_args!("fault `{}` strikes a slot that has no unit", fault.at));
        }
        if let Some(fault) = self.faults.iter().find(|fault| !fault.fits()) {
            return wrong(&format_args!(
                "a message fault ({}) needs an anchor `send ..` or `next send ..`, another one of \
                 a delivery: \
                 `{}`",
                fault.name(),
                fault.at
            ));
        }
        for fault in &self.faults {
            if let Err(why) = fault.kind.check() {
                return wrong(&format_args!("{why}: {} at `{}`", fault.name(), fault.at));
            }
        }
        let over_us = HORIZON_MS_MAX * 2_000;
        if self.reseed.is_some_and(|reseed| reseed.at_us > over_us) {
            return wrong(&format_args!("reseed: at_us is at most {over_us}"));
        }
        if self.loss.is_some() != (self.network == Network::Sockets) {
            return wrong(
                &"a plan over madsim's sockets says how many of a thousand messages are lost \
                  (`loss = 0`), and no \
                  other does; before plans said it, it was ten times the remainder of `world` by 4",
            );
        }
        if self.loss.is_some_and(|loss| loss > 1_000) {
            return wrong(&"of a thousand messages no more than a thousand are lost");
        }
        let on_link = |anchor: &Anchor| matches!(anchor, Anchor::Observed(..));
        if self.network == Network::Sockets
            && (self.noise != Noise::default()
                || self.faults.iter().any(|fault| fault.of_message() || on_link(&fault.at)))
        {
            return wrong(
                &"a plan over madsim's sockets holds no anchor on a link and no link fault",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> String {
        let mut plan = testing::quiet();
        let (at, kind) = (Anchor::Instant(1), FaultKind::ArbiterCrash { down_ms: 1 });
        plan.faults.push(Fault { at, kind });
        plan.write()
    }

    #[test]
    fn an_unknown_fault_is_named_with_its_line() {
        let text = text() + "\n[[faults]]\nat = \"at 5 ms\"\nkind = \"meteor\"\n";
        let Err(PlanError::Toml(error)) = Plan::read(&text) else { panic!("it was read") };
        assert!(error.contains("meteor") && error.contains("line"), "{error}");
    }

    #[test]
    fn an_anchor_that_does_not_read_is_quoted() {
        let text = text() + "\n[[faults]]\nat = \"whenever\"\nkind = \"crash\"\nslot = 0\n";
        let Err(PlanError::Toml(error)) = Plan::read(&text) else { panic!("it was read") };
        assert!(error.contains("whenever"), "{error}");
    }

    #[test]
    fn another_format_version_is_refused() {
        let text = text().replacen("version = 1", "version = 99", 1);
        assert_eq!(Plan::read(&text), Err(PlanError::Version { found: 99 }));
    }

    #[test]
    fn a_plan_over_sockets_says_its_loss_and_no_other_does() {
        let mut plan = testing::quiet();
        let with = |plan: &mut Plan, network, loss| {
            (plan.network, plan.loss) = (network, loss);
            plan.noise = Noise::default();
            plan.faults.clear();
            plan.check().is_ok()
        };
        assert!(with(&mut plan, Network::Sockets, Some(30)));
        assert!(with(&mut plan, Network::Links, None));
        for (network, loss) in
            [(Network::Sockets, None), (Network::Links, Some(0)), (Network::Sockets, Some(1_001))]
        {
            assert!(!with(&mut plan, network, loss), "{network:?} {loss:?}");
        }
    }

    #[test]
    fn a_third_slot_contradicts_a_pair() {
        let text =
            text() + "\n[[faults]]\nat = \"at 5 ms\"\nkind = \"crash\"\nslot = 9\ndown_ms = 5\n";
        let Err(PlanError::Contradiction(what)) = Plan::read(&text) else { panic!("it was read") };
        assert!(what.contains("slot"), "{what}");
    }
}
