//! Each task that is begun is told once, as done or as given up, and the pool comes to an end.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use loom::sync::atomic::AtomicBool;
use loom::sync::mpsc::channel;

use crate::assignments::{Assignments, Outcome};
use crate::explore::{Model, check};

const TEST: &str = "pool_models::each_task_is_told_once_and_the_pool_ends";
const PATIENT: Duration = Duration::MAX;
/// The overseer's first wait is over at once.
const IMPATIENT: Duration = Duration::ZERO;

/// Mistakes that change nothing. The overseer alone counts workers in, and hears. Who begins or
/// finishes a task has taken it from where any other could find it before it writes further.
const HARMLESS: [&str; 4] = [
    "count_in lets the lock go before it writes",
    "next lets the lock go before it writes",
    "finish lets the lock go before it writes",
    "recv lets the lock go before it writes",
];

/// What the overseer is told.
type Told = Vec<(u8, Outcome<u8, Note>)>;

/// The worker that is at a task, and whether it said so again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    worker: usize,
    again: bool,
}

#[test]
fn each_task_is_told_once_and_the_pool_ends() {
    let model = |name, preemptions, run| Model { name, preemptions, run };
    let models = [
        model("pool, one worker, two tasks", None, || all_done(1, 2)),
        model("pool, the second task waits until the first is told", None, told_at_once),
        model("pool, two workers, one task", None, || all_done(2, 1)),
        model("pool, interrupted", None, interrupted),
        model("pool, the worker is given up, two tasks", None, || given_up(1, 2)),
        model("pool, two workers, two tasks", Some(3), || all_done(2, 2)),
        model("pool, the first of two workers is given up, two tasks", Some(2), || given_up(2, 2)),
    ];
    check(TEST, include_str!("../../src/worker_pool/assignments.rs"), &models, &HARMLESS);
}

/// What a model does beside the pool.
struct Scene<Stop, Work, Hear> {
    /// Whether tasks of the first worker are late, whenever the overseer looks.
    first_is_late: bool,
    stop: Stop,
    work: Work,
    /// The overseer is told of a task.
    hear: Hear,
}

/// The pool over so many tasks: each worker is a thread, and this one oversees. What is told.
fn told<Stop, Work, Hear>(workers: usize, tasks: u8, scene: Scene<Stop, Work, Hear>) -> Told
where
    Stop: Fn() -> bool + Clone + 'static,
    Work: Fn(u8) + Clone + 'static,
    Hear: Fn(u8),
{
    let Scene { first_is_late, stop, work, hear } = scene;
    let begun = Arc::new(AtomicU8::new(0));
    let count = Arc::clone(&begun);
    let tasks = (0..tasks).inspect(move |_| {
        count.fetch_add(1, Relaxed);
    });
    let pool = Arc::new(Assignments::new(tasks));
    let spawn = |worker| {
        let (pool, stop, work) = (Arc::clone(&pool), stop.clone(), work.clone());
        loom::thread::spawn(move || {
            let note = || Note { worker, again: false };
            pool.run(worker, stop, note, |task, replace| {
                replace(Note { worker, again: true });
                work(task);
                task
            });
        });
    };
    let every = if first_is_late { IMPATIENT } else { PATIENT };
    let mut told = Told::new();
    pool.oversee(
        workers,
        every,
        spawn,
        |note| first_is_late && note.worker == 1,
        |task, outcome| {
            hear(task);
            told.push((task, outcome));
        },
    );
    told.sort_by_key(|(task, _)| *task);
    let all: Vec<u8> = told.iter().map(|(task, _)| *task).collect();
    assert_eq!(all, (0..begun.load(Relaxed)).collect::<Vec<_>>(), "each that was begun, once");
    for (task, outcome) in &told {
        match outcome {
            Outcome::Done(result) => assert_eq!(result, task),
            Outcome::Hung(note) => assert!(first_is_late && note.worker == 1),
        }
    }
    told
}

fn all_done(workers: usize, tasks: u8) {
    let scene = Scene { first_is_late: false, stop: || false, work: drop, hear: drop };
    assert_eq!(told(workers, tasks, scene).len(), usize::from(tasks));
}

/// A worker that hangs after a task does not hold its outcome back.
fn told_at_once() {
    let (sender, receiver) = channel();
    let receiver = Rc::new(receiver);
    let work = move |task| {
        if task == 1 {
            assert_eq!(receiver.recv(), Ok(0));
        }
    };
    let hear = |task| sender.send(task).expect("the worker is there");
    let scene = Scene { first_is_late: false, stop: || false, work, hear };
    assert_eq!(told(1, 2, scene).len(), 2);
}

/// The first worker goes on after it was given up, beside its successor.
fn given_up(workers: usize, tasks: u8) {
    let scene = Scene { first_is_late: true, stop: || false, work: drop, hear: drop };
    assert_eq!(told(workers, tasks, scene).len(), usize::from(tasks));
}

/// What was begun is told; what was not is left.
fn interrupted() {
    let stop = Rc::new(AtomicBool::new(false));
    let other = Rc::clone(&stop);
    loom::thread::spawn(move || other.store(true, Relaxed));
    let stop = move || stop.load(Relaxed);
    let scene = Scene { first_is_late: false, stop, work: drop, hear: drop };
    assert!(told(1, 2, scene).len() <= 2);
}
