//! `skewsync`: the operator's commands.
fn main() {}
