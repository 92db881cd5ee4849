//! The deterministic world in which the engine of skewsync is tried.
#[cfg(not(madsim))]
compile_error!(
    "skewsync-sim needs `--cfg madsim`. .cargo/config.toml sets it, but RUSTFLAGS (or RUSTDOCFLAGS) \
     in the environment replaces it: unset it, or add `--cfg madsim` to it."
);
