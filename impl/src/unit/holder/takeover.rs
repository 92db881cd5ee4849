//! A unit accepts a term that it is offered, or declines it: the config with which it takes over
//! (PROTOCOL.md, 10.2, Offers).

use alloc::vec::Vec;

use super::super::Role;
use super::super::input::Timer;
use super::super::output::{Event, Refusal};
use super::super::queue::Queue;
use super::super::running::Running;
use super::super::sender::listed;
use super::super::standby::{Readiness, Replica};
use super::super::state::{Context, UnitState};
use super::{Gap, Holder, LeaseWait, Queueing};
use crate::digest::Shared;
use crate::ids::{Lsn, Term};
use crate::message::Origin;
use crate::planted::Defect;
use crate::translate::listing::Listing;

/// An Offer of this unit's boot, to a unit that does not act.
pub(super) fn on_offer(
    own: &mut UnitState,
    part: Role,
    term: Term,
    (origin, bound, hello): (Origin, Option<Lsn>, u64),
    cx: &mut Context<'_, '_>,
) -> Role {
    if let Role::Holder(holder) = &part
        && holder.term == term
    {
        holder.ask(own, cx);
        return part;
    }
    if term <= own.highest {
        own.decline(term, part.says(own), cx);
        return part;
    }
    own.see(term, cx);
    let within = |lsn: Lsn| bound.is_none_or(|bound| lsn <= bound);
    // By an older Hello the arbiter did not know what this unit has by now.
    let said = origin != Origin::Cold || hello >= own.said_since;
    let taken = taken_over(own, &part, origin, cx);
    let Some(TakenOver { config, lsn, listed, gap }) =
        taken.filter(|taken| said && within(taken.lsn))
    else {
        cx.event(Event::Declined { term });
        own.decline(term, part.says(own), cx);
        return part;
    };
    let queue = match part {
        // The config at which they were entered is gone.
        Role::Holder(holder) if origin != Origin::Resume => {
            cx.cancel(&[Timer::Queue]);
            holder.queue.refuse(&Refusal::NotActive, cx);
            Queue::default()
        }
        Role::Holder(holder) => holder.queue,
        Role::Standby(_) => {
            cx.cancel(&[Timer::Resend, Timer::Watchdog, Timer::Keepalive, Timer::Stable]);
            own.n.0 += 1;
            cx.set(Timer::Join);
            Queue::default()
        }
        Role::Active(_) => unreachable!("an Active is offered nothing"),
    };
    let holder = Holder {
        term,
        n_renew: 1,
        granted: 0,
        waits: None,
        origin,
        config,
        lsn,
        listed,
        gap,
        suspended: None,
        lease: LeaseWait::Lease,
        queue,
        queueing: Queueing::Open,
    };
    holder.ask(own, cx);
    cx.set(Timer::Renew);
    Role::Holder(holder)
}

/// The config with which a unit can take over.
struct TakenOver {
    config: Running,
    lsn: Lsn,
    /// What is known to be missing in it.
    listed: Vec<Shared<str>>,
    gap: Option<Gap>,
}

impl TakenOver {
    fn from_replica(replica: &Replica, cx: &Context<'_, '_>) -> Self {
        Self {
            config: replica.receiver.running(cx.env),
            lsn: replica.applied,
            listed: listed(&replica.receiver.missing(cx.env)),
            gap: None,
        }
    }
}

/// The config with which the unit can take over, its LSN, and what is known to be missing in it.
fn taken_over(
    own: &UnitState,
    part: &Role,
    origin: Origin,
    cx: &mut Context<'_, '_>,
) -> Option<TakenOver> {
    match (origin, part) {
        (Origin::Stateful { session, lsn }, Role::Standby(standby)) => {
            let replica = standby.replica.as_ref()?;
            let can = replica.session == session
                && replica.applied >= lsn
                && replica.readiness == Readiness::Ready;
            can.then(|| TakenOver::from_replica(replica, cx))
        }
        (Origin::Stale { stamp }, Role::Standby(standby)) => {
            standby.replica_stamp().filter(|held| *held >= stamp)?;
            let (taken, after, heard) = match (&standby.replica, &standby.former) {
                (Some(replica), _) => {
                    let taken = TakenOver::from_replica(replica, cx);
                    (taken, replica.stamp(), replica.heard)
                }
                (None, Some(former)) => {
                    let (config, listed) = (former.config.clone(), former.listed.clone());
                    let lsn = former.stamp.lsn;
                    let taken = TakenOver { config, lsn, listed, gap: None };
                    (taken, former.stamp, lsn)
                }
                (None, None) => return None,
            };
            let gap = Some(Gap { after, heard });
            Some(TakenOver { gap, ..taken })
        }
        (Origin::Stateful { .. } | Origin::Stale { .. }, Role::Holder(_)) => None,
        (Origin::Cold, Role::Standby(_) | Role::Holder(_)) => {
            let store = &own.store;
            // What the disk holds was checked by its digest; another version's listing may be read
            // by none.
            let listing = Listing::decode(&store.listing);
            let config = match &listing {
                Ok(listing) => Running::boot(cx.env.software, &store.text)
                    .keeping(listing.complements().clone()),
                Err(_) => Running::boot(cx.env.software, &store.text),
            };
            let missing = listing.map(|listing| listed(&listing));
            if missing.is_err() {
                cx.event(Event::ListingUnread);
            }
            Some(TakenOver {
                config,
                lsn: store.stamp.lsn,
                listed: missing.unwrap_or_default(),
                gap: None,
            })
        }
        (Origin::Resume, Role::Holder(holder)) => {
            holder.running()?;
            let config = if cx.env.planted(Defect::ResumeFromStartup) {
                Running::boot(cx.env.software, &own.store.text)
            } else {
                holder.config.clone()
            };
            Some(TakenOver {
                config,
                lsn: holder.lsn,
                listed: holder.listed.clone(),
                gap: holder.gap,
            })
        }
        (Origin::Resume, Role::Standby(_)) => None,
        (
            Origin::Stateful { .. } | Origin::Stale { .. } | Origin::Cold | Origin::Resume,
            Role::Active(_),
        ) => None,
    }
}
