//! Within how long a pair must converge once faults and commands have stopped: PROTOCOL.md's bound of Converges, told
//! from the plan, the images and the lengths of the timers alone.
//!
//! ```text
//! exchange = resend + 2 latency                      a message, lost once before faults stopped, and its answer
//! notice   = max(save_timeout, drain_timeout)        what was under way when faults stopped ends
//! role     = arbiter_lease + gather + hello          nobody acts, and the arbiter hears who could;
//!          + 2 takeover_wait + renew + 2 exchange    one Offer to a unit that cannot take it, one that is taken
//! sync     = join + 8 exchange + files + 2 pairing   Join, Ready, Diff, Config, BulkDone, last Line, Hot, register
//! files    = exchange for each window of chunks of dump, diff and config
//! disk     = 2 writes of the slowest disk, with what the plan made it slower by
//!
//! D = (notice + 2 (role + watchdog) + backoff + (max_resets + 1) (sync + disk)) x (1 + max_drift)
//! ```
//!
//! Twice the role: it is lost as faults stop, and a planned switchover that was under way hands it over once more; each
//! change ends a session, which the other side notices by its watchdog. One backoff: the pair may have come to rpr by a
//! limit. An attempt for each ordered reset, and one more: a Standby may still hold what it misapplied or refused.

use skewsync::unit::Limits;

use crate::drive::PAIRING_US;
use crate::plan::{FaultKind, Plan};
use crate::stock::Stock;

/// Exchanges of a bulk sync beside those of its files.
const EXCHANGES: u64 = 8;
/// Of a config that is sent, so much is sent with it at most: each line's listing and origin.
const BESIDE: u64 = 3;

/// The bound, in virtual microseconds.
pub fn settles_within_us(plan: &Plan, stock: &Stock) -> u64 {
    let limits = stock.limits();
    let ms = |ms: u64| ms * 1_000;
    let exchange = ms(limits.resend_ms) + 2 * plan.latency_us.1;
    let notice = ms(limits.save_timeout_ms.max(limits.drain_timeout_ms));
    let role = ms(limits.arbiter_lease_ms() + limits.gather_ms + limits.hello_ms + limits.renew_ms)
        + ms(2 * limits.takeover_wait_ms)
        + 2 * exchange;
    let windows = files(plan, stock).map(|bytes| bytes.div_ceil(window(limits)).max(1));
    let files: u64 = windows.iter().map(|windows| windows * exchange).sum();
    let sync = ms(limits.join_ms) + EXCHANGES * exchange + files + 2 * PAIRING_US;
    let attempts = u64::from(limits.max_resets) + 1;
    let by_clock = notice
        + 2 * (role + ms(limits.watchdog_ms))
        + ms(limits.retry_backoff_ms)
        + attempts * (sync + 2 * write_us(plan));
    let drift = u64::from(limits.max_drift_ppm);
    by_clock + (by_clock * drift).div_ceil(1_000_000)
}

fn window(limits: &Limits) -> u64 {
    u64::from(limits.chunk_window) * u64::from(limits.max_chunk)
}

/// The greatest sizes of what a bulk sync sends, in bytes: dump, diff, config.
fn files(plan: &Plan, stock: &Stock) -> [u64; 3] {
    let changed = plan.faults.iter().filter_map(|fault| match &fault.kind {
        FaultKind::ImageChange { image, .. } => Some(image),
        _ => None,
    });
    let images = plan.units.iter().map(|unit| &unit.image).chain(changed);
    let dumps = images.filter_map(|name| stock.image(name).ok());
    let dump = dumps.map(|image| image.software().dump().len()).max();
    let entered = plan.commands.iter().map(|entry| match &entry.what {
        crate::plan::What::Config { text } => text.len(),
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
    use std::sync::Arc;

    use super::*;
    use crate::draw::{self, Wishes};
    use crate::plan::{Anchor, Fault};
    use crate::stock;

    fn calm() -> (Plan, Stock) {
        let (stock, material) = stock::load(&[]).expect("the bundled family loads");
        let wishes = Wishes {
            mix: draw::Mix::Calm,
            material: Arc::new(material),
            ..Wishes::default()
        };
        (draw::plan(1, &wishes), stock)
    }

    #[test]
    fn the_bound_grows_with_latency_disks_configs_and_nothing_else_of_the_plan() {
        let (plan, stock) = calm();
        let plain = settles_within_us(&plan, &stock);
        let with = |change: &dyn Fn(&mut Plan)| {
            let mut plan = plan.clone();
            change(&mut plan);
            settles_within_us(&plan, &stock)
        };
        assert!(with(&|plan| plan.latency_us.1 += 50_000) > plain);
        assert!(with(&|plan| plan.units[1].disk_ms += 500) > plain);
        let slow = |plan: &mut Plan| {
            let (slot, later_ms, for_ms) = (0, 900, 1);
            plan.faults.push(Fault {
                at: Anchor::Instant(1),
                kind: FaultKind::DiskSlow {
                    slot,
                    later_ms,
                    for_ms,
                },
            });
        };
        assert!(with(&slow) > plain);
        assert!(with(&|plan| plan.units[0].startup = Some("x".repeat(9 << 20))) > plain);
        assert_eq!(with(&|plan| plan.world += 1), plain);
        assert_eq!(with(&|plan| plan.commands.clear()), plain, "one window");
    }

    #[test]
    fn longer_timers_give_a_longer_bound_and_the_common_ones_less_than_a_minute_and_a_half() {
        let (plan, stock) = calm();
        let plain = settles_within_us(&plan, &stock);
        assert!((30_000_000..90_000_000).contains(&plain), "{plain}");
        let mut limits = stock.limits().clone();
        limits.watchdog_ms *= 3;
        assert!(settles_within_us(&plan, &stock.with_limits(limits)) > plain);
    }
}
