//! What is really concurrent, in every interleaving of a few threads: the pool's assignments and
//! the cache of pairings. They stand here a second time, over loom's locks.

mod cache_models;
mod explore;
mod mistake;
mod pool_models;
mod sync;

#[path = "../../src/worker_pool/assignments.rs"]
pub mod assignments;
#[path = "../../src/catalog/cache.rs"]
mod cache;
