//! What comes with the engine: the family `meridian`, a router of our own, and overlays for the
//! command sets of real ones.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Family, Image};

macro_rules! files {
    ($family:literal: $($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../families/", $family, "/", $name)))),*]
    };
}

/// The family's files: (name, text).
pub const FILES: &[(&str, &str)] = &files!["meridian":
    "family.toml",
    "platform.toml",
    "interfaces.toml",
    "routing.toml",
    "bgp.toml",
    "ospf.toml",
    "pim.toml",
    "services.toml",
    "security.toml",
    "qos.toml",
    "aaa.toml",
    "snmp.toml",
];

/// The files of the overlay for FRRouting's command sets: (name, text).
pub const FRR: &[(&str, &str)] = &files!["frr":
    "family.toml",
    "keys.toml",
    "modes.toml",
    "bgpd.toml",
    "ospfd.toml",
    "ospf6d.toml",
    "isisd.toml",
    "pimd.toml",
    "bfdd.toml",
    "bgp-traditional.toml",
    "bgp-datacenter.toml",
];

macro_rules! configs {
    ($($release:literal),* $(,)?) => {
        [$((
            $release,
            include_str!(concat!("../../families/meridian/configs/", $release, ".conf")),
        )),*]
    };
}

/// An example of a running config per release: (release, text), oldest release first.
pub const CONFIGS: &[(&str, &str)] = &configs!["6.0", "6.1", "6.2", "6.1-m4", "7.0", "7.1"];

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

/// The example of a running config of `release`.
pub fn config(release: &str) -> Option<&'static str> {
    let mut all = CONFIGS.iter();
    all.find(|(name, _)| *name == release).map(|(_, text)| *text)
}

/// All bundled images, oldest first.
pub fn images() -> Vec<Arc<Image>> {
    let family = family();
    family.releases().filter_map(|release| family.image(release)).map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Prc};
    use crate::parse::{self, WalkUp};

    #[test]
    fn the_bundled_family_has_no_errors() {
        let family = Family::parse(FILES);
        if let Err(errors) = &family {
            let all: Vec<_> = errors.iter().map(alloc::string::ToString::to_string).collect();
            panic!("{}", all.join("\n"));
        }
        assert_eq!(images().len(), family.unwrap().releases().count());
    }

    #[test]
    fn the_newest_release_has_four_hundred_forms() {
        let image = image("7.1").unwrap();
        let alive = image
            .forms()
            .filter(|(_, decl)| decl.lives_at(image.levels()[usize::from(decl.component.0)]));
        assert!(alive.count() >= 400);
    }

    #[test]
    fn every_release_has_a_config_of_which_every_line_is_its_own() {
        let family = family();
        let releases: Vec<&str> = family.releases().collect();
        let configs: Vec<&str> = CONFIGS.iter().map(|(release, _)| *release).collect();
        assert_eq!(releases, configs);
        for (release, text) in CONFIGS {
            let image = family.image(release).unwrap();
            assert!(text.lines().count() >= 280, "{release}");
            let mut config = Config::factory(image.levels());
            for read in parse::text(&image, image.own(), text.as_bytes(), WalkUp::Yes) {
                let (form, words) = read
                    .found
                    .unwrap_or_else(|trouble| panic!("{release}.conf:{}: {trouble}", read.number));
                let (grammar, place) = (image.own(), &read.place);
                let prc = config.execute_line(&image, grammar, place, form, words, &mut Vec::new());
                assert_eq!(prc, Prc::Ok, "{release}.conf:{}", read.number);
            }
            let mut again = Config::factory(image.levels());
            again.execute(&image, image.own(), &config.render()).unwrap();
            assert_eq!(again.digest(), config.digest(), "{release}");
        }
    }
}
