//! What a message is about, and whether anybody can still accept it.

use crate::state::{Flight, Msg, Part, Session, State, To};

/// Whether anybody can ever accept the message: boots, rounds and terms only grow.
pub(crate) fn can_arrive(state: &State, flight: &Flight, rounds: bool) -> bool {
    let To::Unit(slot) = flight.to else {
        let over = |term: u16| state.arbiter.holder.is_some_and(|h| h.term > term);
        return match flight.msg {
            Msg::Renew { term, .. } | Msg::Decline { term, .. } => {
                !over(term) && term == state.arbiter.term
            }
            Msg::SetRegister { term, .. } | Msg::Release { term, .. } => state
                .arbiter
                .holder
                .is_some_and(|h| h.term == term && h.running),
            Msg::Hello { boot, .. } => state.units[usize::from(flight.from)].boot == boot,
            _ => true,
        };
    };
    let unit = &state.units[usize::from(slot)];
    match flight.msg {
        Msg::Offer { boot, .. } | Msg::Grant { boot, .. } => boot == unit.boot,
        Msg::Confirm { term, .. } => match &unit.part {
            Part::Active(active) => active.term == term,
            Part::Holder(holder) => holder.kept.is_some() && holder.term == term,
            Part::Down | Part::Standby(_) => false,
        },
        Msg::Join { boot, .. } => boot == state.units[usize::from(flight.from)].boot,
        Msg::Ready { session, .. }
        | Msg::Diff { session }
        | Msg::BulkDone { session, .. }
        | Msg::Applied { session, .. }
        | Msg::HotAck { session, .. }
        | Msg::Left { session }
        | Msg::Down { session } => session.active == unit.boot && session.term >= unit.highest,
        Msg::Proceed { session }
        | Msg::Dump { session }
        | Msg::Compatible { session }
        | Msg::Incompatible { session }
        | Msg::Config { session, .. }
        | Msg::Chunk { session, .. }
        | Msg::BulkAccept { session, .. }
        | Msg::BulkReject { session, .. }
        | Msg::Line { session, .. }
        | Msg::Hot { session, .. }
        | Msg::Leave { session } => {
            session.standby == unit.boot && (!rounds || session.attempt >= unit.n)
        }
        _ => true,
    }
}

impl Msg {
    /// The session of a message to or from a unit in one; Proceed and Join are of none yet.
    pub const fn session(&self) -> Option<Session> {
        match *self {
            Self::Ready { session, .. }
            | Self::Dump { session }
            | Self::Diff { session }
            | Self::Compatible { session }
            | Self::Incompatible { session }
            | Self::Config { session, .. }
            | Self::Chunk { session, .. }
            | Self::BulkDone { session, .. }
            | Self::BulkAccept { session, .. }
            | Self::BulkReject { session, .. }
            | Self::Line { session, .. }
            | Self::Applied { session, .. }
            | Self::Hot { session, .. }
            | Self::HotAck { session, .. }
            | Self::Leave { session }
            | Self::Left { session }
            | Self::Down { session } => Some(session),
            Self::Proceed { .. }
            | Self::Hello { .. }
            | Self::Renew { .. }
            | Self::Decline { .. }
            | Self::SetRegister { .. }
            | Self::Release { .. }
            | Self::Offer { .. }
            | Self::Grant { .. }
            | Self::Confirm { .. }
            | Self::Join { .. } => None,
        }
    }

    /// Whether a unit sends it.
    pub(crate) const fn is_from_unit(&self) -> bool {
        !matches!(
            self,
            Self::Offer { .. } | Self::Grant { .. } | Self::Confirm { .. }
        )
    }

    /// Whether it offers, accepts, grants or declines this term.
    pub(crate) fn is_term(&self, of: u16) -> bool {
        match self {
            Self::Offer { term, .. }
            | Self::Grant { term, .. }
            | Self::Renew { term, .. }
            | Self::Decline { term, .. } => *term == of,
            _ => false,
        }
    }

    /// Whether it offers this session.
    pub(crate) fn is_session(&self, of: Session) -> bool {
        matches!(self, Self::Proceed { session } | Self::Ready { session, .. } if *session == of)
    }
}
