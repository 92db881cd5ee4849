//! What a unit computes of its peer's dump or diff: the dispositions, and how W is raised.

use alloc::boxed::Box;

use super::env::{Env, PairingKey, PairingSide};
use super::software::Software;
use crate::digest::Shared;
use crate::disposition::{ActivePairing, PairError, StandbyPairing};
use crate::message::{Bytes, Compatibility};
use crate::planted::Planted;

/// What one side computed of the bytes that came.
#[derive(Clone, Debug)]
pub enum Pairing {
    /// The Standby's: what it answers, and how it raises.
    Standby {
        /// ADL, SDL and what else the diff says.
        diff: Bytes,
        /// The way from W to S.
        pairing: Box<StandbyPairing>,
    },
    /// The Active's: its dispositions.
    Active(Box<ActivePairing>),
}

impl Pairing {
    /// Computes the pairing that a unit asked for by `Output::Pair`.
    ///
    /// # Errors
    /// [`PairError`] if the bytes are no dump, or no diff.
    pub fn compute(
        software: &Software,
        key: &PairingKey,
        bytes: &[u8],
        planted: Planted,
    ) -> Result<Self, PairError> {
        assert_eq!(key.own, software.digest(), "a pairing is of the own image");
        match key.side {
            PairingSide::Standby => {
                let pairing = software.own.pair_at_standby(&software.image, bytes)?;
                let pairing = Box::new(pairing);
                let diff = Shared::new(pairing.diff_bytes().to_vec());
                Ok(Self::Standby { diff, pairing })
            }
            PairingSide::Active => {
                let image = &software.image;
                let read = software.own.pair_at_active(image, bytes)?;
                let read = read.planted(image, planted);
                Ok(Self::Active(Box::new(read)))
            }
        }
    }

    /// What the Active's side says: the compatibility by what is configured and by the seed's
    /// strict rule, and how many diff entries are stuck.
    pub fn verdict(&self) -> Option<(Compatibility, Compatibility, u32)> {
        match self {
            Self::Standby { .. } => None,
            Self::Active(pairing) => {
                let stuck = u32::try_from(pairing.unhandled().len()).unwrap_or(u32::MAX);
                Some((pairing.compatibility(), pairing.strict(), stuck))
            }
        }
    }
}

pub(super) fn at_active<'e>(env: &Env<'e>, key: Option<&PairingKey>) -> Option<&'e ActivePairing> {
    let Some(key) = key else {
        return Some(&env.software.same_at_active);
    };
    match (env.pairings)(key)? {
        Pairing::Active(pairing) => Some(pairing),
        Pairing::Standby { .. } => None,
    }
}

pub(super) fn at_standby<'e>(
    env: &Env<'e>,
    key: Option<&PairingKey>,
) -> Option<&'e StandbyPairing> {
    let Some(key) = key else {
        return Some(&env.software.same_at_standby);
    };
    match (env.pairings)(key)? {
        Pairing::Standby { pairing, .. } => Some(pairing),
        Pairing::Active(_) => None,
    }
}
