//! The verbs of `skewsync`, as a library, so that tests call them in-process.
