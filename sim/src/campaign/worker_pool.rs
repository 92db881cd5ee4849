//! The campaign's threads: who works at which seed, and since when. A thread that hangs cannot be
//! ended: it is given up, another takes its place, and the campaign goes on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{One, Seeds};
use crate::interrupt::interrupted;
use crate::plan::Plan;

/// How often it is looked whether a seed hangs.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Works at one seed; tells the plan, before each run of it, to whoever watches.
pub(super) type Work = dyn Fn(u64, &dyn Fn(&Arc<Plan>)) -> Result<Box<One>, String> + Send + Sync;

/// What became of a seed.
pub(super) enum Outcome {
    /// It was worked at to the end.
    Done(Result<Box<One>, String>),
    /// It was given up after so long.
    Hung(Option<Arc<Plan>>, Duration),
}

/// When no further seed is begun, and which is given up.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// No seed is begun after so long.
    pub(super) lasts: Option<Duration>,
    /// A seed that takes longer hangs.
    pub(super) hangs_after: Duration,
    /// Set once no further seed is to be begun.
    pub(super) enough: Arc<AtomicBool>,
}

struct Task {
    seed: u64,
    began: Instant,
    plan: Option<Arc<Plan>>,
}

struct WorkerPool {
    rules: Rules,
    began: Instant,
    seeds: Mutex<<Seeds as IntoIterator>::IntoIter>,
    tasks: Mutex<BTreeMap<usize, Task>>,
    work: Arc<Work>,
}

enum Told {
    Seed(u64, Result<Box<One>, String>),
    Over,
}

/// Works at all seeds with so many threads; `end` is told of each as it ends.
pub(super) fn work(
    seeds: Seeds,
    rules: Rules,
    jobs: usize,
    work: Arc<Work>,
    mut end: impl FnMut(u64, Outcome),
) {
    let pool = Arc::new(WorkerPool {
        rules,
        began: now(),
        seeds: Mutex::new(seeds.into_iter()),
        tasks: Mutex::new(BTreeMap::new()),
        work,
    });
    let (sender, receiver) = channel();
    let mut workers = 0;
    let mut spawn = |pool: &Arc<WorkerPool>| {
        workers += 1;
        let (pool, sender, id) = (Arc::clone(pool), sender.clone(), workers);
        #[expect(clippy::disallowed_methods, reason = "the campaign's threads")]
        std::thread::spawn(move || pool.serve(id, &sender));
    };
    let mut running = jobs.max(1);
    for _ in 0..running {
        spawn(&pool);
    }
    while running > 0 {
        running -= hear(&receiver, &mut end);
        for task in pool.overdue() {
            end(task.seed, Outcome::Hung(task.plan, task.began.elapsed()));
            spawn(&pool);
        }
    }
}

/// Hears of one seed, or for a while of none: how many threads are over.
fn hear(receiver: &Receiver<Told>, end: &mut impl FnMut(u64, Outcome)) -> usize {
    match receiver.recv_timeout(LOOK_EVERY) {
        Ok(Told::Seed(seed, result)) => {
            end(seed, Outcome::Done(result));
            0
        }
        Ok(Told::Over) => 1,
        Err(RecvTimeoutError::Timeout) => 0,
        Err(RecvTimeoutError::Disconnected) => unreachable!("a sender is kept for new threads"),
    }
}

impl WorkerPool {
    fn tasks(&self) -> MutexGuard<'_, BTreeMap<usize, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next seed that is to be begun.
    fn next(&self) -> Option<u64> {
        let lasts = self.rules.lasts;
        let over = lasts.is_some_and(|lasts| self.began.elapsed() >= lasts);
        let enough = self.rules.enough.load(Ordering::Relaxed);
        if over || enough || interrupted() {
            return None;
        }
        let mut seeds = self.seeds.lock().unwrap_or_else(PoisonError::into_inner);
        seeds.next()
    }

    /// The life of one thread.
    fn serve(&self, id: usize, sender: &Sender<Told>) {
        loop {
            let Some(seed) = self.next() else {
                // Nobody hears it any more if the campaign is over.
                let _ = sender.send(Told::Over);
                return;
            };
            self.begin(id, seed, None);
            let at_hand = |plan: &Arc<Plan>| self.begin(id, seed, Some(Arc::clone(plan)));
            let result = catch_unwind(AssertUnwindSafe(|| (self.work)(seed, &at_hand)));
            let result = result.unwrap_or_else(|_| Err("the draw panicked".into()));
            // A thread that was given up has a successor already.
            let given_up = self.tasks().remove(&id).is_none();
            if given_up || sender.send(Told::Seed(seed, result)).is_err() {
                return;
            }
        }
    }

    fn begin(&self, id: usize, seed: u64, plan: Option<Arc<Plan>>) {
        let mut tasks = self.tasks();
        // A thread that was given up and goes on is not taken up again.
        if plan.is_some() && !tasks.contains_key(&id) {
            return;
        }
        let began = now();
        tasks.insert(id, Task { seed, began, plan });
    }

    /// Tasks that take too long, given up.
    fn overdue(&self) -> Vec<Task> {
        let mut tasks = self.tasks();
        let late: Vec<usize> = tasks
            .iter()
            .filter(|(_, task)| task.began.elapsed() > self.rules.hangs_after)
            .map(|(id, _)| *id)
            .collect();
        late.iter().filter_map(|id| tasks.remove(id)).collect()
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "wall clock, outside of every run")]
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(
        jobs: usize,
        hangs: impl Fn(u64) -> bool + Send + Sync + 'static,
    ) -> Vec<(u64, bool)> {
        let rules =
            Rules { lasts: None, hangs_after: Duration::from_millis(300), enough: Arc::default() };
        let each = move |seed: u64, _: &dyn Fn(&Arc<Plan>)| {
            while hangs(seed) {
                std::thread::park();
            }
            Err("no run".to_string())
        };
        let mut seen = Vec::new();
        work(Seeds::run(10, 6), rules, jobs, Arc::new(each), |seed, outcome| {
            seen.push((seed, matches!(outcome, Outcome::Hung(..))));
        });
        seen.sort_unstable();
        seen
    }

    #[test]
    fn a_seed_that_hangs_is_told_and_the_others_are_done() {
        for jobs in [1, 3] {
            let expected: Vec<_> = (10..16).map(|seed| (seed, seed == 12 || seed == 15)).collect();
            assert_eq!(outcomes(jobs, |seed| seed == 12 || seed == 15), expected);
        }
    }

    #[test]
    fn a_campaign_without_a_hang_does_each_seed_once() {
        let expected: Vec<_> = (10..16).map(|seed| (seed, false)).collect();
        assert_eq!(outcomes(2, |_| false), expected);
    }
}
