//! Images of drawn families: their name says the seed, what was cut of what it gives, and the
//! release, and so what they are.

use skewsync::image::{Family, Image};
use skewsync_families::Drawn;

/// The family of an image, and the index of its release; none: it is of no drawn family.
pub fn family(name: &str) -> Option<(Drawn, usize)> {
    let (family, release) = name.split_once('@')?;
    let drawn: Drawn = family.parse().ok()?;
    let release = drawn.releases().iter().position(|one| one.name == release)?;
    Some((drawn, release))
}

/// What is counted under one name: each image by its own, and all that are drawn by one.
pub fn counted(name: &str) -> String {
    if name.starts_with("drawn-") { "drawn".to_owned() } else { name.to_owned() }
}

/// The image of this name; none: it is of no drawn family.
///
/// # Panics
/// If the family does not load: then what is drawn is no family.
pub(super) fn image(name: &str) -> Option<Image> {
    let (drawn, release) = family(name)?;
    let files = drawn.files();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let family = Family::parse(&files).unwrap_or_else(|errors| panic!("{name}: {}", errors[0]));
    let release = &drawn.releases()[release].name;
    Some(family.image(release).expect("a release of its own"))
}
