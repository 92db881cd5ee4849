//! New names for what is only compared: rounds of joining, renewals and counters of writes are
//! numbered anew in each state, in their order, so that states that differ in how often things were
//! tried are one.

use super::{Bounded, Scope};
use crate::reduction::speaks_to_active;
use crate::state::{
    Active, Arbiter, Boot, Eligible, Flight, Msg, Origin, Role, Session, Slot, Term, To, Unit,
};
use crate::step::Rule;

/// Numbers of one name are compared with each other, and with no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    /// Of joining, by the unit in a slot in one boot.
    Round(Slot, Boot),
    /// Of the lease of a term.
    Renewal(Term),
    /// Of the register in a term.
    Write(Term),
    /// Of a Hello, by the unit in a slot in one boot.
    Hello(Slot, Boot),
    /// Of what the arbiter told.
    Generation,
}

impl<E> Scope<E> {
    /// Numbers rounds, renewals and writes anew; whether any is another one now. 0 stays: there was
    /// none.
    pub fn rename(&self, state: &mut Bounded) -> bool {
        let numbers = |rule: Rule| !rule.leaves_numbers();
        if !self.renames || self.env.without.is_some_and(numbers) {
            return false;
        }
        let settled = settle_hellos(state) | settle_asked(state);
        let mut used = Vec::with_capacity(32);
        each(state, &mut |name, number| {
            if *number != 0 {
                used.push((name, *number));
            }
        });
        used.sort_unstable();
        used.dedup();
        let number = |at: usize| {
            let first = used.partition_point(|(name, _)| *name < used[at].0);
            (at - first + 1) as u16
        };
        if (0..used.len()).all(|at| used[at].1 == number(at)) {
            return settled;
        }
        each(state, &mut |name, old| {
            if let Ok(at) = used.binary_search(&(name, *old)) {
                *old = number(at);
            }
        });
        true
    }
}

/// Of a unit's numbers of Hellos only the order among those that stand elsewhere counts: that since
/// which it says what it says becomes the least of them that is as great, and the latest the
/// greatest. Whether any is another one now.
fn settle_hellos(state: &mut Bounded) -> bool {
    let mut changed = false;
    for slot in 0..2 {
        let unit = &mut state.state.units[usize::from(slot)];
        let (boot, k, since) = (unit.boot, unit.k, unit.since);
        // What it says now no Hello has said yet.
        let unsaid = since > k;
        (unit.k, unit.since) = (0, 0);
        let mut greatest = 0;
        let mut least = None;
        each(state, &mut |name, number| {
            if name == Name::Hello(slot, boot) && *number != 0 {
                greatest = greatest.max(*number);
                if *number >= since && least.is_none_or(|least| *number < least) {
                    least = Some(*number);
                }
            }
        });
        let unit = &mut state.state.units[usize::from(slot)];
        if unsaid {
            (unit.k, unit.since) = (greatest, greatest + 1);
        } else {
            unit.since = least.filter(|_| since != 0).unwrap_or(since);
            unit.k = unit.since.max(greatest);
        }
        changed |= (unit.k, unit.since) != (k, since);
    }
    changed
}

/// Of what units heard the arbiter ask only what it asks now counts, as long as they are not heard:
/// it asks the next time for another term. Whether any is another one now.
fn settle_asked(state: &mut Bounded) -> bool {
    let Arbiter { asked: asks, heard, .. } = state.state.arbiter;
    let hellos = state.net.iter_mut().chain(&mut state.held);
    let in_flight = hellos.filter_map(|flight| match &mut flight.msg {
        Msg::Hello { hello, .. } | Msg::Decline { hello, .. } => {
            Some((flight.from, &mut hello.asked))
        }
        _ => None,
    });
    let in_units = (0..).zip(state.state.units.iter_mut().map(|unit| &mut unit.asked));
    let mut changed = false;
    for (slot, asked) in in_units.chain(in_flight) {
        let counts = asks == Some(*asked) && heard & 1 << slot == 0;
        if *asked != 0 && !counts {
            (*asked, changed) = (0, true);
        }
    }
    if changed {
        state.net.sort_unstable();
    }
    changed
}

/// All numbers of a state, each with its name.
fn each(state: &mut Bounded, visit: &mut impl FnMut(Name, &mut u16)) {
    for (slot, unit) in (0..).zip(&mut state.state.units) {
        in_unit(slot, unit, visit);
    }
    in_arbiter(&mut state.state.arbiter, visit);
    if let Some(older) = &mut state.older {
        in_arbiter(older, visit);
    }
    let term = state.state.arbiter.holder.map_or(0, |holder| holder.term);
    visit(Name::Renewal(term), &mut state.renewed);
    for flight in state.net.iter_mut().chain(&mut state.held) {
        in_flight(flight, visit);
    }
    if let Some(saving) = &mut state.saving {
        in_session(saving.to, &mut saving.session, visit);
    }
    // Numbers are part of the order, and they keep theirs but for those of different names.
    state.net.sort_unstable();
}

fn in_arbiter(arbiter: &mut Arbiter, visit: &mut impl FnMut(Name, &mut u16)) {
    visit(Name::Generation, &mut arbiter.generation);
    if let Some(offer) = &mut arbiter.offer {
        in_origin(offer.slot, &mut offer.origin, visit);
        visit(Name::Hello(offer.slot, offer.boot), &mut offer.hello);
    }
    for (slot, known) in (0..).zip(&mut arbiter.known) {
        if let Some(known) = known {
            visit(Name::Hello(slot, known.boot), &mut known.k);
        }
    }
    in_eligible(&mut arbiter.register, visit);
    let term = arbiter.holder.map_or(0, |holder| holder.term);
    visit(Name::Write(term), &mut arbiter.counter);
}

fn in_unit(slot: Slot, unit: &mut Unit, visit: &mut impl FnMut(Name, &mut u16)) {
    visit(Name::Round(slot, unit.boot), &mut unit.n);
    visit(Name::Hello(slot, unit.boot), &mut unit.k);
    visit(Name::Hello(slot, unit.boot), &mut unit.since);
    visit(Name::Generation, &mut unit.generation);
    match &mut unit.part {
        Role::Down => {}
        Role::Standby(standby) => {
            if let Some((session, _)) = &mut standby.seat {
                in_session(slot, session, visit);
            }
            if let Some(replica) = &mut standby.replica {
                replica.session.iter_mut().for_each(|session| in_session(slot, session, visit));
            }
        }
        Role::Holder(holder) => {
            visit(Name::Renewal(holder.term), &mut holder.renew);
            visit(Name::Renewal(holder.term), &mut holder.granted);
            if let Some(suspended) = &mut holder.suspended {
                in_active(slot, suspended, visit);
            }
        }
        Role::Active(active) => in_active(slot, active, visit),
    }
}

fn in_active(slot: Slot, active: &mut Active, visit: &mut impl FnMut(Name, &mut u16)) {
    let other = 1 - slot;
    visit(Name::Renewal(active.term), &mut active.renew);
    visit(Name::Renewal(active.term), &mut active.granted);
    visit(Name::Write(active.term), &mut active.register.counter);
    in_eligible(&mut active.register.value, visit);
    let current = active.current.as_mut().map(|current| &mut current.session);
    let leaving = active.leaving.as_mut().map(|(session, _)| session);
    let sessions = [active.offered.as_mut(), leaving, current];
    for session in sessions.into_iter().flatten() {
        in_session(other, session, visit);
    }
    if let Some((boot, n)) = &mut active.ended {
        visit(Name::Round(other, *boot), n);
    }
}

/// A session of the Standby in a slot.
fn in_session(standby: Slot, session: &mut Session, visit: &mut impl FnMut(Name, &mut u16)) {
    visit(Name::Round(standby, session.standby), &mut session.attempt);
}

fn in_eligible(register: &mut Option<Eligible>, visit: &mut impl FnMut(Name, &mut u16)) {
    if let Some(Eligible { session, slot, .. }) = register {
        in_session(*slot, session, visit);
    }
}

fn in_origin(slot: Slot, origin: &mut Origin, visit: &mut impl FnMut(Name, &mut u16)) {
    match origin {
        Origin::Stateful(session, _) => in_session(slot, session, visit),
        Origin::Cold | Origin::Resume | Origin::Stale(_) => {}
    }
}

fn in_flight(flight: &mut Flight, visit: &mut impl FnMut(Name, &mut u16)) {
    let Flight { from, to, msg } = flight;
    let to_active = speaks_to_active(msg);
    let standby = match to {
        To::Unit(slot) if !to_active => *slot,
        To::Unit(_) | To::Arbiter => *from,
    };
    match msg {
        Msg::Join { boot, n, .. } => visit(Name::Round(*from, *boot), n),
        Msg::Renew { term, n, generation, .. } | Msg::Grant { term, n, generation, .. } => {
            visit(Name::Renewal(*term), n);
            visit(Name::Generation, generation);
        }
        Msg::Confirm { term, counter, generation } => {
            visit(Name::Write(*term), counter);
            visit(Name::Generation, generation);
        }
        Msg::SetRegister { term, counter, value } => {
            visit(Name::Write(*term), counter);
            in_eligible(value, visit);
        }
        Msg::Offer { boot, origin, hello, generation, .. } => {
            in_origin(standby, origin, visit);
            visit(Name::Hello(standby, *boot), hello);
            visit(Name::Generation, generation);
        }
        Msg::Proceed { session }
        | Msg::Ready { session, .. }
        | Msg::Dump { session }
        | Msg::Diff { session }
        | Msg::Compatible { session }
        | Msg::Incompatible { session }
        | Msg::Config { session, .. }
        | Msg::Chunk { session, .. }
        | Msg::BulkDone { session, .. }
        | Msg::BulkAccept { session, .. }
        | Msg::BulkReject { session, .. }
        | Msg::Line { session, .. }
        | Msg::Applied { session, .. }
        | Msg::Hot { session, .. }
        | Msg::HotAck { session, .. }
        | Msg::Leave { session, .. }
        | Msg::Left { session }
        | Msg::Down { session }
        | Msg::Unreadable { session, .. } => in_session(standby, session, visit),
        Msg::Hello { boot, hello } | Msg::Decline { boot, hello, .. } => {
            visit(Name::Hello(*from, *boot), &mut hello.k);
            visit(Name::Generation, &mut hello.generation);
        }
        Msg::Release { .. } | Msg::Ask { .. } => {}
    }
}
