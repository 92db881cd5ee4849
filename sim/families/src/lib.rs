//! Families drawn from a seed, meaning first. A meaning is settings with values; a writing says how
//! a release writes each setting; a change is an edit of a writing. So what a Standby must hold is
//! known by construction: the meaning, as its release writes it, less what cannot be said on the
//! way.
//!
//! This crate does not depend on the engine: it knows no form, parser, config or transform of it.
//! It writes text: the TOML of a family, configs and commands.
//!
//! ```
//! use skewsync_families::{Drawn, Rng};
//!
//! let family = Drawn::from_seed(1);
//! let mut rng = Rng::new(1, 9);
//! let (first, last) = (0, family.releases().len() - 1);
//! let mut meaning = family.blank();
//! let command = family.command(first, &mut meaning, &mut rng);
//! assert!(!command.is_empty());
//! let arrival = family.arrival(first, last, &meaning);
//! assert_eq!(arrival.listed.len(), 0);
//! assert_eq!(arrival.text, family.write(last, &meaning));
//! ```

mod arrival;
mod command;
mod cut;
mod declare;
mod draw;
mod enter;
mod later;
mod meaning;
mod mistake;
mod operator;
mod read;
mod refuse;
mod rng;
mod setting;
mod spelling;
mod vocabulary;
mod writing;

pub use arrival::{Arrival, Otherwise, Place, document};
pub use command::Example;
pub use cut::{Cut, NoFamily};
pub use draw::{Drawn, Release};
pub use enter::Entered;
pub use meaning::Meaning;
pub use mistake::{Mistaken, Slip};
pub use operator::{Context, Edit, Operator};
pub use rng::Rng;
