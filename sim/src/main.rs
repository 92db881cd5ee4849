//! `skewlab`: the laboratory.
fn main() {}
