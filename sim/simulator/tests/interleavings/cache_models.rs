//! Whoever asks gets one value, computed once; a panic of one who computes is no other's.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cache::Cache;
use crate::explore::{Model, check};

const TEST: &str = "cache_models::a_value_is_computed_once_and_after_a_panic_again";

#[test]
fn a_value_is_computed_once_and_after_a_panic_again() {
    let model = |name, run| Model { name, preemptions: None, run };
    let models = [
        model("cache, two askers", || asked(2, false)),
        model("cache, two askers, the first computation panics", || asked(2, true)),
        model("cache, a computation asks for another key", nested),
        model("cache, three askers", || asked(3, false)),
        model("cache, three askers, the first computation panics", || asked(3, true)),
    ];
    check(TEST, include_str!("../../src/catalog/cache.rs"), &models, &[]);
}

/// This thread and others ask for one key.
fn asked(askers: usize, first_panics: bool) {
    let cache = Arc::new(Cache::default());
    let computed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&computed);
    let ask = move || {
        let compute = || {
            let before = count.fetch_add(1, Ordering::Relaxed);
            if before == 0 && first_panics {
                // A panic that no hook prints.
                resume_unwind(Box::new("no pairing"));
            }
            Arc::new(before)
        };
        catch_unwind(AssertUnwindSafe(|| cache.get(&1, compute))).ok()
    };
    let others: Vec<_> = (1..askers).map(|_| loom::thread::spawn(ask.clone())).collect();
    let mut got = vec![ask()];
    got.extend(others.into_iter().map(|other| other.join().expect("the panic was caught")));
    let got: Vec<Arc<usize>> = got.into_iter().flatten().collect();
    assert_eq!(got.len(), askers - usize::from(first_panics));
    assert!(got.windows(2).all(|two| Arc::ptr_eq(&two[0], &two[1])));
    assert_eq!(computed.load(Ordering::Relaxed), 1 + usize::from(first_panics));
}

/// Nobody who computes holds up who asks for something else.
fn nested() {
    let cache = Arc::new(Cache::default());
    let other = Arc::clone(&cache);
    let other = loom::thread::spawn(move || other.get(&2, || 2));
    let sum = cache.get(&1, || 1 + cache.get(&2, || 2));
    assert_eq!((sum, other.join().ok()), (3, Some(2)));
}
