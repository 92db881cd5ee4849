//! What became of one seed, as whoever follows a campaign is told.

use serde::Serialize;

use crate::signature::Signature;

/// What became of one seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedResult {
    /// The seed.
    pub seed: u64,
    /// What was established: `passed`, the property that fails, or `harness`.
    pub verdict: String,
    /// The verdict in plain words.
    pub words: String,
    /// The image of each slot, as planned; none if no plan could be made.
    pub images: Option<Vec<String>>,
    /// The failure's signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// What was run; none if the run did not come back.
    #[serde(flatten)]
    pub run: Option<RunOf>,
}

/// The figures of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunOf {
    /// Virtual time at its end, in microseconds.
    pub virtual_us: u64,
    /// From the last fault to convergence, in microseconds of virtual time.
    pub settled_us: Option<u64>,
    /// Steps of all machines.
    pub steps: u64,
    /// Messages sent.
    pub messages: u64,
    /// Faults with effect.
    pub faults: u64,
    /// Hash of the whole ordered trace.
    pub trace: String,
    /// Real time of the run, in ms.
    pub took_ms: u64,
    /// Whether it ran twice.
    pub twice: bool,
}
