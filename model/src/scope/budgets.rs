//! How much of what may happen in one run of a search.

use std::fmt;

/// How often what may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Budgets {
    /// Commands entered.
    pub commands: u8,
    /// Crashes of a unit.
    pub crashes: u8,
    /// Messages lost.
    pub losses: u8,
    /// Messages delivered twice.
    pub duplicates: u8,
    /// Messages held back, beyond what the reductions would drop.
    pub holds: u8,
    /// Leases that run out in the middle.
    pub lapses: u8,
    /// Sessions given up while the other side is there.
    pub give_ups: u8,
    /// Timers of the arbiter that fire while an answer is under way.
    pub early: u8,
    /// Renewals beyond those that a lease needs.
    pub renewals: u8,
    /// Planned switchovers.
    pub planned: u8,
    /// Forced switchovers.
    pub forced: u8,
    /// Saves.
    pub saves: u8,
    /// A Standby that declares itself not ready.
    pub declares: u8,
    /// Crashes of the arbiter: what is on the way to it is lost with its timers.
    pub arbiter: u8,
    /// Drains that take too long.
    pub drains: u8,
    /// Snapshots that policy rejects, to reset the Standby or to leave it in rpr.
    pub rejects: u8,
    /// Applieds that show the configs apart.
    pub disagrees: u8,
    /// Timers of what waits, a queue or a prompt, that fire while an answer may still come.
    pub waits: u8,
    /// Payloads that do not decode.
    pub garbles: u8,
    /// An operator who has sso tried again.
    pub retries: u8,
    /// An arbiter that starts without its state.
    pub forgets: u8,
    /// Disks of units that are lost while they are down.
    pub disks: u8,
    /// An arbiter's state that is kept, and one that starts with it.
    pub older: u8,
}

impl Budgets {
    /// Each kind by name, with how much of it there is.
    const fn each(&self) -> [(&'static str, u8); 23] {
        let Self {
            commands,
            crashes,
            losses,
            duplicates,
            holds,
            lapses,
            give_ups,
            early,
            renewals,
            planned,
            forced,
            saves,
            declares,
            arbiter,
            drains,
            rejects,
            disagrees,
            waits,
            garbles,
            retries,
            forgets,
            disks,
            older,
        } = *self;
        [
            ("commands", commands),
            ("crashes", crashes),
            ("losses", losses),
            ("duplicates", duplicates),
            ("holds", holds),
            ("lapses", lapses),
            ("give_ups", give_ups),
            ("early", early),
            ("renewals", renewals),
            ("planned", planned),
            ("forced", forced),
            ("saves", saves),
            ("declares", declares),
            ("arbiter", arbiter),
            ("drains", drains),
            ("rejects", rejects),
            ("disagrees", disagrees),
            ("waits", waits),
            ("garbles", garbles),
            ("retries", retries),
            ("forgets", forgets),
            ("disks", disks),
            ("older", older),
        ]
    }

    /// How much there is of all but commands.
    pub(super) const fn all(&self) -> u16 {
        let each = self.each();
        let (mut sum, mut at) = (0, 0);
        while at < each.len() {
            sum += each[at].1 as u16;
            at += 1;
        }
        sum - self.commands as u16
    }
}

/// What there is, by kind: `crashes: 1, losses: 2`.
impl fmt::Display for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = self.each().into_iter().filter(|(_, many)| *many > 0);
        for (at, (kind, many)) in some.enumerate() {
            write!(f, "{}{kind}: {many}", if at > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
