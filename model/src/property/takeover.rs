//! What must hold when a unit begins to act.

use super::history::{How, Made, leave_line};
use super::{History, Property, Situation};
use crate::effects::{Meaning, bit};
use crate::scope::{Bounded, Scope};
use crate::state::{Cfg, Grantee, Lsn, Role, Slot, Term};
use crate::step::{Step, is_on_line};

/// With what a unit begins to act.
struct Begins {
    term: Term,
    cfg: Cfg,
    lsn: Lsn,
    /// The config is a running one.
    runs: bool,
}

/// With what the unit in `slot` begins, if it was no Active of its term and is one now. It may have
/// executed what waited in the same step: that comes after.
fn begins(before: &Bounded, step: &Step, slot: Slot) -> Option<Begins> {
    let at = usize::from(slot);
    let Role::Active(active) = &step.state.units[at].part else {
        return None;
    };
    let term = active.term;
    let begins_with = |cfg, lsn, runs| Begins { term, cfg, lsn, runs };
    match &before.state.units[at].part {
        Role::Active(_) => None,
        Role::Holder(holder) => {
            let begins = || begins_with(holder.cfg, holder.lsn, holder.runs);
            holder.suspended.is_none().then(begins)
        }
        Role::Down | Role::Standby(_) => Some(begins_with(active.cfg, active.last, false)),
    }
}

/// ReplicatedIsKept: a term is accepted with a config that holds what was returned `replicated`, if
/// a memory of it is left.
pub(super) fn check_replicated_is_kept(
    before: &Bounded,
    step: &Step,
    watch: &mut History,
    check: &mut impl FnMut(Property, bool),
) {
    let (was, is) = (&before.state.arbiter, &step.state.arbiter);
    let accepted = |holder: &Grantee| was.holder.is_none_or(|was| was.term < holder.term);
    let Some(holder) = is.holder.filter(accepted) else {
        return;
    };
    let lacks = watch.kept.is_some_and(|kept| kept.lacking & (1 << holder.slot) != 0);
    let unsure = watch.unsure & (1 << holder.slot) != 0;
    check(Property::ReplicatedIsKept, !lacks || unsure);
    if lacks {
        watch.forget(holder.slot);
    }
    leave_line(&step.state, watch);
}

/// All that is asked of a unit that begins to act.
pub(super) fn check<E: Meaning>(
    scope: &Scope<E>,
    before: &Bounded,
    step: &Step,
    slot: Slot,
    watch: &mut History,
    check: &mut impl FnMut(Property, bool),
    met: &mut impl FnMut(Situation),
) {
    let Some(Begins { term, cfg, lsn, runs }) = begins(before, step, slot) else {
        return;
    };
    let became = |made: &Made| scope.env.effects.becomes(made.slot, made.cfg);
    let is = |made: &Made| cfg == if made.slot == slot { made.cfg } else { became(made) };
    let same = |made: &&Made| made.lsn == lsn && is(made);
    let source = watch.log.iter().rev().find(same).copied();
    let how = match (runs, source) {
        (false, _) => How::Cold,
        (true, Some(made)) if made.slot == slot => How::Resumed,
        (true, _) => How::Stateful,
    };
    losses(scope, slot, cfg, watch, check);
    let startup = step.state.units[usize::from(slot)].startup;
    let rejected = watch.turned_away & (4 << slot) != 0;
    check(Property::WholeOrStartup, (source.is_some() || cfg == startup.1) && !rejected);
    let off_line = !runs && watch.off_line && !is_on_line(&before.state.arbiter, startup.0);
    let zombies = (0..32).filter(|id| watch.dead & bit(*id) != 0);
    let back = zombies.filter(|id| scope.env.effects.holds(cfg, *id));
    let back = back.fold(0, |bits, id| bits | bit(id));
    let unsure = watch.unsure & (1 << slot) != 0;
    check(Property::NoZombie, off_line || unsure || back == 0);
    if unsure {
        watch.dead &= !back;
    }
    if off_line {
        met(Situation::OffLine);
    }
    match how {
        How::Stateful => {
            met(Situation::TookOverStateful);
            if let Some(made) = source {
                lists(scope, made, cfg, check, met);
            }
            round_trip(scope, slot, cfg, lsn, watch, check, met);
        }
        How::Resumed => met(Situation::Resumed),
        How::Cold | How::Command(_) => met(Situation::TookOverCold),
    }
    if runs {
        let behind = watch.log.iter().filter(|made| made.lsn > lsn);
        let died = behind.filter_map(|made| match made.how {
            How::Command(id) => Some(bit(id)),
            How::Stateful | How::Resumed | How::Cold => None,
        });
        let died = died.fold(0, |bits, id| bits | id);
        if died != 0 {
            met(Situation::ChangesDied);
        }
        watch.dead |= died;
    }
    watch.log.push(Made { term, lsn, slot, how, cfg });
    watch.expected = None;
    watch.excused = false;
    watch.planned = None;
}

/// NoAckedLoss and PlannedLosesNothing.
fn losses<E: Meaning>(
    scope: &Scope<E>,
    slot: Slot,
    cfg: Cfg,
    watch: &History,
    check: &mut impl FnMut(Property, bool),
) {
    let is = |at: Slot, made: Cfg| {
        cfg == made && at == slot || cfg == scope.env.effects.becomes(at, made)
    };
    let unsure = watch.unsure & (1 << slot) != 0;
    if let Some((term, least)) = watch.expected {
        let mut log = watch.log.iter();
        let kept =
            log.any(|made| made.term == term && made.lsn >= least && is(made.slot, made.cfg));
        check(Property::NoAckedLoss, kept || watch.excused && scope.excuses || unsure);
    }
    if let Some((former, released)) = watch.planned {
        let failed = watch.failed & (1 << former) != 0;
        let gone = watch.failed & (5 << (1 - former)) != 0;
        let excused = failed && gone;
        check(Property::PlannedLosesNothing, excused || unsure || is(former, released));
    }
}

/// What the successor lists is what it lacks.
fn lists<E: Meaning>(
    scope: &Scope<E>,
    made: Made,
    cfg: Cfg,
    check: &mut impl FnMut(Property, bool),
    met: &mut impl FnMut(Situation),
) {
    let listed = scope.env.effects.listed(cfg);
    if listed != 0 {
        met(Situation::TookOverListing);
    }
    let missing = scope.env.effects.missing(made.cfg, cfg);
    check(Property::ListedAtTakeover, listed == missing);
}

/// After a stateful switchover and a second one, with nothing entered between, the config is as it
/// was.
fn round_trip<E: Meaning>(
    scope: &Scope<E>,
    slot: Slot,
    cfg: Cfg,
    lsn: u16,
    watch: &History,
    check: &mut impl FnMut(Property, bool),
    met: &mut impl FnMut(Situation),
) {
    let [.., first, second] = &*watch.log else {
        return;
    };
    let between = second.how == How::Stateful && second.slot != slot && second.lsn == lsn;
    if between && first.slot == slot && first.lsn == lsn {
        met(Situation::RoundTripped);
        let effects = &scope.env.effects;
        check(Property::RoundTrip, effects.returns(cfg) == effects.returns(first.cfg));
    }
}
