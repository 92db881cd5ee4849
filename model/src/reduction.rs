//! What a message is about, and whether anybody can still accept it.

use crate::scope::Bounded;
use crate::state::{
    Active, Flight, Have, Lsn, Msg, Phase, Role, Session, Slot, StandbyPhase, State, Term, To, Unit,
};
use crate::step::says;

/// Whether anybody can ever accept the message: boots, rounds and terms only grow.
pub(crate) fn can_arrive(state: &State, flight: &Flight, rounds: bool) -> bool {
    if is_unseen(state, flight) {
        return true;
    }
    let To::Unit(slot) = flight.to else {
        let over = |term: u16| state.arbiter.holder.is_some_and(|h| h.term > term);
        return match flight.msg {
            Msg::Renew { term, .. } | Msg::Decline { term, .. } => {
                !over(term) && term == state.arbiter.term
            }
            Msg::SetRegister { term, .. } | Msg::Release { term, .. } => {
                state.arbiter.holder.is_some_and(|h| h.term == term && h.running)
            }
            Msg::Hello { boot, .. } => state.units[usize::from(flight.from)].boot == boot,
            _ => true,
        };
    };
    let unit = &state.units[usize::from(slot)];
    match flight.msg {
        Msg::Offer { boot, .. } | Msg::Grant { boot, .. } => boot == unit.boot,
        Msg::Confirm { term, .. } => match &unit.part {
            Role::Active(active) => active.term == term,
            Role::Holder(holder) => holder.suspended.is_some() && holder.term == term,
            Role::Down | Role::Standby(_) => false,
        },
        Msg::Join { boot, .. } => boot == state.units[usize::from(flight.from)].boot,
        Msg::Ready { session, .. }
        | Msg::Diff { session }
        | Msg::BulkDone { session, .. }
        | Msg::Applied { session, .. }
        | Msg::HotAck { session, .. }
        | Msg::Left { session }
        | Msg::Down { session }
        | Msg::Unreadable { session, .. } => {
            session.active == unit.boot && session.term >= unit.highest
        }
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
        | Msg::Leave { session, .. } => {
            session.standby == unit.boot && (!rounds || session.attempt >= unit.n)
        }
        _ => true,
    }
}

/// Whether a message tells of a generation of the arbiter that its receiver has not seen.
fn is_unseen(state: &State, flight: &Flight) -> bool {
    match flight.msg {
        Msg::Offer { generation, .. }
        | Msg::Grant { generation, .. }
        | Msg::Confirm { generation, .. } => {
            let To::Unit(slot) = flight.to else {
                return false;
            };
            let unit = &state.units[usize::from(slot)];
            unit.part != Role::Down && generation > unit.generation
        }
        Msg::Renew { generation, .. } => generation > state.arbiter.generation,
        Msg::Hello { hello, .. } | Msg::Decline { hello, .. } => {
            hello.generation > state.arbiter.generation
        }
        _ => false,
    }
}

/// What decides whether a message is of use, beside the state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uses {
    /// An Applied that says nothing new can show the configs apart.
    pub(crate) disagrees: bool,
    /// A Join or a Hello that its sender has overtaken is of use.
    pub(crate) overtaken: bool,
}

/// Whether a message can still make a difference, with all rules in force: beside boots, rounds and
/// terms, phases only go on, a session that has ended does not come back, and counters grow.
///
/// # Shape
/// What is not of use changes nothing wherever it arrives, now and later, but that it may be
/// answered by messages that are not of use either: a test walks all states of small scopes to see
/// it. A Join or a Hello that its sender has overtaken is no such message: that it leaves is a
/// reduction of its own, for which late ones are held ones.
pub(crate) fn is_of_use(bounded: &Bounded, flight: &Flight, uses: Uses) -> bool {
    let state = &bounded.state;
    if is_unseen(state, flight) {
        return true;
    }
    let To::Unit(slot) = flight.to else {
        return helps_arbiter(state, flight, uses);
    };
    let (unit, other) = (&state.units[usize::from(slot)], &state.units[usize::from(1 - slot)]);
    match flight.msg {
        Msg::Offer { boot, term, .. } => {
            let open = state.arbiter.offer.is_some_and(|offer| offer.term == term);
            boot == unit.boot && (term > unit.highest || open || term_of(unit) == Some(term))
        }
        Msg::Grant { boot, term, n, .. } => boot == unit.boot && takes_grant(unit, term, n),
        Msg::Confirm { term, counter, .. } => acting(unit).is_some_and(|active| {
            let register = active.register;
            active.term == term && register.open && register.counter == counter
        }),
        Msg::Ask { boot, asked } => {
            let unheard = state.arbiter.heard & 1 << slot == 0;
            let open = state.arbiter.asked == Some(asked) && unheard;
            unit.part != Role::Down && boot == unit.boot && open && asked > unit.asked
        }
        Msg::Join { boot, n, .. } => {
            boot == other.boot && (uses.overtaken || n == other.n && !is_seated(other))
        }
        Msg::Proceed { session } => takes_proceed(bounded, slot, session),
        msg => match msg.session() {
            Some(session) if speaks_to_active(&msg) => acting(unit)
                .is_some_and(|active| helps_active(active, other, session, msg, uses.disagrees)),
            Some(session) => helps_standby(unit, other, session, msg),
            None => true,
        },
    }
}

fn helps_arbiter(state: &State, flight: &Flight, uses: Uses) -> bool {
    let (arbiter, from) = (&state.arbiter, flight.from);
    let open = |target: (u16, u16)| {
        let offer = arbiter.offer.filter(|offer| offer.slot == from);
        offer.is_some_and(|offer| (offer.boot, offer.term) == target)
    };
    let holds = |term: u16| {
        let holder = arbiter.holder.filter(|h| h.running && h.slot == from);
        holder.filter(|holder| holder.term == term)
    };
    match flight.msg {
        Msg::Renew { boot, term, .. } => {
            open((boot, term)) || holds(term).is_some_and(|holder| holder.boot == boot)
        }
        Msg::Decline { boot, term, .. } => open((boot, term)),
        Msg::SetRegister { term, .. } | Msg::Release { term, .. } => holds(term).is_some(),
        Msg::Hello { boot, hello } => {
            let unit = &state.units[usize::from(from)];
            let known = arbiter.known[usize::from(from)];
            let newer = known.is_none_or(|known| (boot, hello.k) > (known.boot, known.k));
            newer && (uses.overtaken || unit.boot == boot && hello.said == says(unit))
        }
        _ => true,
    }
}

const fn is_seated(unit: &Unit) -> bool {
    matches!(&unit.part, Role::Standby(standby) if standby.seat.is_some())
}

/// The Active in a unit, or the one that it is again if its lease is granted.
fn acting(unit: &Unit) -> Option<&Active> {
    match &unit.part {
        Role::Active(active) => Some(active),
        Role::Holder(holder) => holder.suspended.as_deref(),
        Role::Down | Role::Standby(_) => None,
    }
}

fn term_of(unit: &Unit) -> Option<Term> {
    match &unit.part {
        Role::Active(active) => Some(active.term),
        Role::Holder(holder) => Some(holder.term),
        Role::Down | Role::Standby(_) => None,
    }
}

fn takes_grant(unit: &Unit, term: Term, n: u16) -> bool {
    match &unit.part {
        Role::Active(active) => active.term == term && active.granted < n,
        Role::Holder(holder) => holder.term == term && holder.granted < n && !holder.released,
        Role::Down | Role::Standby(_) => false,
    }
}

/// A Standby takes the Proceed that answers its Join; a holder or an Active each of a newer term,
/// and an Offer that comes late can make one.
fn takes_proceed(bounded: &Bounded, slot: Slot, session: Session) -> bool {
    let unit = &bounded.state.units[usize::from(slot)];
    let answers = session.standby == unit.boot && session.attempt == unit.n;
    let joins = matches!(&unit.part, Role::Standby(standby) if standby.seat.is_none());
    let is_late = |flight: &Flight| {
        let Msg::Offer { boot, term, .. } = flight.msg else {
            return false;
        };
        let taken = term > unit.highest && term < session.term;
        flight.to == To::Unit(slot) && boot == unit.boot && taken
    };
    joins && answers && session.term >= unit.highest
        || term_of(unit).is_some_and(|term| term < session.term)
        || bounded.net.iter().chain(&bounded.held).any(is_late)
}

/// Whether a Standby says it to the Active in a session.
pub(crate) const fn speaks_to_active(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::Ready { .. }
            | Msg::Diff { .. }
            | Msg::BulkDone { .. }
            | Msg::Applied { .. }
            | Msg::HotAck { .. }
            | Msg::Left { .. }
            | Msg::Down { .. }
            | Msg::Unreadable { .. }
    )
}

fn helps_active(
    active: &Active,
    other: &Unit,
    session: Session,
    msg: Msg,
    disagrees: bool,
) -> bool {
    match msg {
        Msg::Ready { .. } if active.offered == Some(session) => return true,
        Msg::Left { .. } => return active.leaving.is_some_and(|(left, _)| left == session),
        _ => {}
    }
    let Some(current) = active.current.as_ref().filter(|c| c.session == session) else {
        return false;
    };
    match msg {
        Msg::Diff { .. } => {
            !current.phase.sends_lines() && !matches!(current.phase, Phase::Rejected(..))
        }
        Msg::BulkDone { lsn, .. } => match current.phase {
            Phase::Bulk(snapshot) => snapshot.lsn == lsn,
            // It is answered again.
            _ => matches!(seat(other, session), Some(StandbyPhase::Shadow(..))),
        },
        Msg::Unreadable { lsn, .. } => match current.phase {
            Phase::Bulk(snapshot) => snapshot.lsn == lsn,
            // It is answered again.
            Phase::Rejected(..) => matches!(seat(other, session), Some(StandbyPhase::Unread(_))),
            phase => phase.sends_lines() && lsn > current.acked,
        },
        Msg::Applied { lsn, .. } => lsn > current.acked || disagrees && lsn == current.acked,
        Msg::HotAck { lsn, .. } => current.phase == Phase::HotSent && current.hot_at == lsn,
        _ => true,
    }
}

fn seat(unit: &Unit, session: Session) -> Option<&StandbyPhase> {
    match &unit.part {
        Role::Standby(standby) => {
            standby.seat.as_ref().filter(|(seated, _)| *seated == session).map(|(_, phase)| phase)
        }
        Role::Down | Role::Holder(_) | Role::Active(_) => None,
    }
}

fn helps_standby(unit: &Unit, other: &Unit, session: Session, msg: Msg) -> bool {
    let Some(phase) = seat(unit, session) else {
        return false;
    };
    let negotiates =
        matches!(phase, StandbyPhase::Ready(_) | StandbyPhase::Pairing | StandbyPhase::Diffed(_));
    let receives = negotiates || matches!(phase, StandbyPhase::Config(..));
    let current = acting(other)
        .and_then(|active| active.current.as_ref())
        .filter(|current| current.session == session);
    match msg {
        Msg::Dump { .. } => matches!(phase, StandbyPhase::Ready(Have::Needed)),
        Msg::Compatible { .. } => negotiates,
        Msg::Incompatible { .. } => negotiates || *phase == StandbyPhase::Held,
        Msg::Config { .. } => negotiates || matches!(phase, StandbyPhase::Config(None, _)),
        Msg::Chunk { number, .. } => {
            negotiates || matches!(phase, StandbyPhase::Config(_, have) if have >> number & 1 == 0)
        }
        Msg::BulkAccept { .. } => receives || matches!(phase, StandbyPhase::Shadow(..)),
        Msg::BulkReject { .. } => {
            receives || matches!(phase, StandbyPhase::Shadow(..) | StandbyPhase::Unread(_))
        }
        Msg::Line { change, .. } => match (phase, applied(unit)) {
            (StandbyPhase::Rpr | StandbyPhase::Held | StandbyPhase::Unread(_), _) => false,
            // It is answered again.
            (StandbyPhase::Synced(..), Some(to)) => change.lsn > to || current.is_some(),
            _ => true,
        },
        Msg::Hot { .. } if matches!(phase, StandbyPhase::Unread(_)) => false,
        Msg::Hot { lsn, .. } => {
            let waited_for = current.is_some_and(|c| c.phase == Phase::HotSent);
            waited_for || applied(unit).is_none_or(|to| to < lsn)
        }
        _ => true,
    }
}

fn applied(unit: &Unit) -> Option<Lsn> {
    match &unit.part {
        Role::Standby(standby) => standby.replica.as_ref().map(|replica| replica.applied),
        Role::Down | Role::Holder(_) | Role::Active(_) => None,
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
            | Self::Leave { session, .. }
            | Self::Left { session }
            | Self::Down { session }
            | Self::Unreadable { session, .. } => Some(session),
            Self::Proceed { .. }
            | Self::Hello { .. }
            | Self::Renew { .. }
            | Self::Decline { .. }
            | Self::SetRegister { .. }
            | Self::Release { .. }
            | Self::Offer { .. }
            | Self::Grant { .. }
            | Self::Confirm { .. }
            | Self::Ask { .. }
            | Self::Join { .. } => None,
        }
    }

    /// Whether a unit sends it.
    pub(crate) const fn is_from_unit(&self) -> bool {
        !matches!(self, Self::Offer { .. } | Self::Grant { .. } | Self::Confirm { .. })
    }

    /// Whether it offers, accepts, grants or declines this term.
    pub(crate) fn is_term(&self, wanted: u16) -> bool {
        match self {
            Self::Offer { term, .. }
            | Self::Grant { term, .. }
            | Self::Renew { term, .. }
            | Self::Decline { term, .. } => *term == wanted,
            _ => false,
        }
    }

    /// Whether it offers this session.
    pub(crate) fn is_session(&self, wanted: Session) -> bool {
        let ends = |session: &Session| *session == wanted;
        matches!(self, Self::Proceed { session } | Self::Ready { session, .. } if ends(session))
    }
}
