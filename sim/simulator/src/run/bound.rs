//! Within how long a pair must converge once faults and commands have stopped: PROTOCOL.md's bound
//! of Converges, told from the plan, the images and the lengths of the timers alone. See
//! [`FORMULA`].

use skewsync::unit::Limits;

use crate::catalog::Catalog;
use crate::drive::PAIRING_US;
use crate::plan::{FaultKind, Plan, What};

/// How the bound is made up, and why.
pub const FORMULA: &str = "\
exchange = resend + 2 latency                      a message, lost once before faults stopped, and \
its answer
notice   = max(save_timeout, drain_timeout)        what was under way when faults stopped ends
role     = arbiter_lease + gather + hello          nobody acts, and the arbiter hears who could;
         + 2 takeover_wait + renew + 2 exchange    one Offer to a unit that cannot take it, one \
         that is taken
sync     = join + 8 exchange + files + 2 pairing   Join, Ready, Diff, Config, BulkDone, last Line, \
Hot, register
files    = an exchange for each window of chunks of dump, diff and config
disk     = 2 writes of the slowest disk, with what the plan makes it slower by
roles    = 1, or 2 if the plan enters a switchover
attempts = 2, or max_resets + 1 if the plan has a Standby refuse or misapply lines, or
           max_attempts + 1 if an engine writes what the other does not read
pauses   = attempts backoffs after each attempt, max_attempts of them at most

D = (notice + roles (role + watchdog) + pauses + attempts (sync + disk)) x (1 + max_drift)
";

/// Exchanges of a bulk sync beside those of its files.
const EXCHANGES: u64 = 8;
/// Of a config that is sent, so much is sent with it at most: each line's listing and origin.
const BESIDE: u64 = 3;

/// The bound, in virtual microseconds.
pub fn settles_within_us(plan: &Plan, catalog: &Catalog) -> u64 {
    let limits = catalog.limits();
    let ms = |ms: u64| ms * 1_000;
    let exchange = ms(limits.resend_ms) + 2 * plan.latency_us.1;
    let notice = ms(limits.save_timeout_ms.max(limits.drain_timeout_ms));
    let role = ms(limits.arbiter_lease_ms() + limits.gather_ms + limits.hello_ms + limits.renew_ms)
        + ms(2 * limits.takeover_wait_ms)
        + 2 * exchange;
    let windows = files(plan, catalog).map(|bytes| bytes.div_ceil(window(limits)).max(1));
    let files: u64 = windows.iter().map(|windows| windows * exchange).sum();
    let sync = ms(limits.join_ms) + EXCHANGES * exchange + files + 2 * PAIRING_US;
    let by_clock = notice
        + roles(plan) * (role + ms(limits.watchdog_ms))
        + ms(limits.retry_backoff_ms) * pauses(attempts(plan, limits), limits)
        + attempts(plan, limits) * (sync + 2 * write_us(plan));
    let drift = u64::from(limits.max_drift_ppm);
    by_clock + (by_clock * drift).div_ceil(1_000_000)
}

/// The role may be lost as faults stop; a switchover that is under way then hands it over once
/// more. Each change ends a session, which the other side notices by its watchdog.
fn roles(plan: &Plan) -> u64 {
    let hands_over = |what: &What| matches!(what, What::Switchover | What::ForcedSwitchover);
    let mut entries = plan.commands.iter();
    1 + u64::from(entries.any(|entry| hands_over(&entry.what)))
}

/// The attempt that is under way as faults stop may fail; a Standby that misapplied or refused is
/// reset, until it comes up in rpr, and each such end may be followed by another attempt.
fn attempts(plan: &Plan, limits: &Limits) -> u64 {
    let resets = |kind: &FaultKind| {
        matches!(kind, FaultKind::RefuseLine { .. } | FaultKind::MisapplyLine { .. })
    };
    let refused = plan.faults.iter().any(|fault| resets(&fault.kind));
    let foreign = |kind: &FaultKind| matches!(kind, FaultKind::ForeignPayload { .. });
    if plan.faults.iter().any(|fault| foreign(&fault.kind)) {
        u64::from(limits.max_attempts.max(limits.max_resets)) + 1
    } else if refused {
        u64::from(limits.max_resets).max(1) + 1
    } else {
        2
    }
}

/// How many backoffs the pauses after so many attempts are at most: as many as all that can fail,
/// and one more of the longest.
const fn pauses(attempts: u64, limits: &Limits) -> u64 {
    let most = limits.max_attempts as u64;
    let (each, all) = (attempts * most, most * (most + 1) / 2 + most);
    if each < all { each } else { all }
}

fn window(limits: &Limits) -> u64 {
    u64::from(limits.chunk_window) * u64::from(limits.max_chunk)
}

/// The greatest sizes of what a bulk sync sends, in bytes: dump, diff, config.
fn files(plan: &Plan, catalog: &Catalog) -> [u64; 3] {
    let changed = plan.faults.iter().filter_map(|fault| match &fault.kind {
        FaultKind::ImageChange { image, .. } => Some(image),
        _ => None,
    });
    let images = plan.units.iter().map(|unit| &unit.image).chain(changed);
    let dumps = images.filter_map(|name| catalog.image(name).ok());
    let dump = dumps.map(|image| image.software().dump().len()).max();
    let entered = plan.commands.iter().map(|entry| match &entry.what {
        What::Config { text } => text.len(),
        _ => 0,
    });
    let stored = plan.units.iter().filter_map(|unit| unit.startup.as_ref());
    let config: usize = entered.chain(stored.map(String::len)).sum();
    let dump = dump.unwrap_or(0) as u64;
    // A diff names what one of two dumps has.
    [dump, 2 * dump, BESIDE * config as u64]
}

/// The longest write of any disk.
fn write_us(plan: &Plan) -> u64 {
    let disk = plan.units.iter().map(|unit| unit.disk_ms).max();
    let slower = plan.faults.iter().map(|fault| match fault.kind {
        FaultKind::DiskSlow { later_ms, .. } => later_ms,
        _ => 0,
    });
    1_000 * (disk.unwrap_or(0) + slower.max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::plan::{Anchor, Entry, Fault, testing};

    fn calm() -> (Plan, Catalog) {
        let mut plan = testing::quiet();
        plan.commands.clear();
        (plan, catalog::load(&[]).expect("the bundled family loads"))
    }

    #[test]
    fn the_bound_grows_with_latency_disks_configs_switchovers_and_refusals() {
        let (plan, catalog) = calm();
        let plain = settles_within_us(&plan, &catalog);
        let with = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plan.clone();
            change(&mut plan);
            settles_within_us(&plan, &catalog)
        };
        assert!(with(&|plan| plan.latency_us.1 += 50_000) > plain);
        assert!(with(&|plan| plan.units[1].disk_ms += 500) > plain);
        let slow = |plan: &mut Plan| {
            let (slot, later_ms, for_ms) = (0, 900, 1);
            plan.faults.push(Fault {
                at: Anchor::Instant(1),
                kind: FaultKind::DiskSlow { slot, later_ms, for_ms },
            });
        };
        assert!(with(&slow) > plain);
        let hands_over = |plan: &mut Plan| {
            plan.commands.push(Entry { at: Anchor::Instant(1), what: What::Switchover });
        };
        assert!(with(&hands_over) > plain);
        assert!(with(&|plan| plan.units[0].startup = Some("x".repeat(9 << 20))) > plain);
        assert_eq!(with(&|plan| plan.world += 1), plain);
        let refuses = |plan: &mut Plan| {
            let (slot, lines) = (1, 1);
            let at = Anchor::Instant(1);
            let kind = FaultKind::RefuseLine { slot, lines };
            plan.faults.push(Fault { at, kind });
        };
        assert!(with(&refuses) > plain);
    }

    #[test]
    fn longer_timers_give_a_longer_bound_and_the_common_ones_less_than_a_minute_and_a_half() {
        let (plan, catalog) = calm();
        let plain = settles_within_us(&plan, &catalog);
        assert!((30_000_000..90_000_000).contains(&plain), "{plain}");
        let mut limits = catalog.limits().clone();
        limits.watchdog_ms *= 3;
        let longer = catalog.with_limits(limits).expect("they fit");
        assert!(settles_within_us(&plan, &longer) > plain);
    }
}
