//! The family that comes with the engine: `meridian`, a router of our own.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Family, Image};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../families/meridian/", $name)))),*]
    };
}

/// The family's files: (name, text).
pub const FILES: &[(&str, &str)] = &files![
    "family.toml",
    "platform.toml",
    "interfaces.toml",
    "routing.toml",
    "bgp.toml",
    "ospf.toml",
    "pim.toml",
    "services.toml",
    "security.toml",
];

/// The bundled family.
///
/// # Panics
/// Never: a test reads it.
pub fn family() -> Family {
    Family::parse(FILES).unwrap_or_else(|errors| panic!("the bundled family: {}", errors[0]))
}

/// The bundled image of `release`.
pub fn image(release: &str) -> Option<Image> {
    family().image(release)
}

/// All bundled images, oldest first.
pub fn images() -> Vec<Arc<Image>> {
    let family = family();
    family
        .releases()
        .filter_map(|release| family.image(release))
        .map(Arc::new)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_family_has_no_errors() {
        let family = Family::parse(FILES);
        if let Err(errors) = &family {
            let all: Vec<_> = errors
                .iter()
                .map(alloc::string::ToString::to_string)
                .collect();
            panic!("{}", all.join("\n"));
        }
        assert_eq!(images().len(), family.unwrap().releases().count());
    }
}
