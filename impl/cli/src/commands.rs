//! One verb a file; its doc comment is its help.

pub mod accepts;
pub mod diff;
pub mod dump;
pub mod image;
pub mod parse;
pub mod preview;
pub mod translate;
