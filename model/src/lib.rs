//! The protocol of skewsync, stated a second time: small, independent of the engine, searchable.
