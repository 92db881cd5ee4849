//! Tables of counts: added up, and as JSON, where a map whose keys are no strings is a list of its
//! rows.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Adds counts to counts.
pub fn sum<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        let to = to.entry(key.clone()).or_insert(0);
        *to = to.saturating_add(*count);
    }
}

/// Writes a table.
///
/// # Errors
/// Those of the writer.
pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, V>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(map)
}

/// Reads a table.
///
/// # Errors
/// Those of the reader; a row that stands twice.
pub fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Ord + Deserialize<'de>,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let rows: Vec<(K, V)> = Vec::deserialize(from)?;
    let count = rows.len();
    let map: BTreeMap<K, V> = rows.into_iter().collect();
    if map.len() == count { Ok(map) } else { Err(D::Error::custom("a row stands twice")) }
}

/// Counts by kind and phase, a row each: kind, phase, count.
pub mod by_phase {
    use super::*;
    use crate::run::Phase;

    /// Writes a table.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn serialize<K: Serialize, S: Serializer>(
        map: &BTreeMap<(K, Phase), u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map.iter().map(|((kind, phase), count)| (kind, phase, count)))
    }

    /// Reads a table.
    ///
    /// # Errors
    /// Those of the reader; a row that stands twice.
    pub fn deserialize<'de, K, D>(from: D) -> Result<BTreeMap<(K, Phase), u64>, D::Error>
    where
        K: Ord + Deserialize<'de>,
        D: Deserializer<'de>,
    {
        let rows: Vec<(K, Phase, u64)> = Vec::deserialize(from)?;
        let count = rows.len();
        let rows = rows.into_iter().map(|(kind, phase, count)| ((kind, phase), count));
        let map: BTreeMap<(K, Phase), u64> = rows.collect();
        if map.len() == count { Ok(map) } else { Err(D::Error::custom("a row stands twice")) }
    }
}
