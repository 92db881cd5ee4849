//! NoForeignLine, of whole configs: what a Standby holds, rendered, is read by its own image as
//! that config again, whole and in its order. A store is written so, and read so at the next boot.

use skewsync::config::Config;
use skewsync_model::property::Property;

use super::broken;
use super::checkpoints::{PairCheck, Point};
use crate::observe::{Evidence, Violation};

/// See the module.
#[derive(Debug, Default)]
pub struct ReadsBack;

impl PairCheck for ReadsBack {
    fn property(&self) -> Property {
        Property::NoForeignLine
    }

    fn look(&mut self, point: &Point<'_>) -> Result<(), Violation> {
        let image = point.images.1.software().image();
        let text = point.s.render();
        let mut read = Config::factory(image.levels());
        let what = match read.execute(image, image.own(), &text) {
            Err(refused) => refused.to_string(),
            Ok(_) => {
                let again = read.render();
                let differs = text.lines().zip(again.lines()).find(|(one, other)| one != other);
                match differs {
                    Some((one, other)) => format!("`{}` as `{}`", one.trim(), other.trim()),
                    None if again.len() != text.len() => "it is cut short".to_owned(),
                    None => return Ok(()),
                }
            }
        };
        broken(Property::NoForeignLine, Evidence::ReadsOtherwise { at: point.stamp(), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::checkpoints::Points;
    use crate::oracle::testing::{Pair, broken_property, catalog};

    #[test]
    fn a_config_that_its_own_image_does_not_read_breaks_it() {
        let releases = ["6.2", "6.0"];
        let points = || Points::new(catalog(), 0, vec![Box::new(ReadsBack)]);
        let pair = |releases, text| Pair::with_releases(releases, text, 16);
        let right = "router bgp 65000\n bgp convergence-wait 5\n";
        assert_eq!(pair(releases, right).judged_by(&mut points(), releases), Ok(()));
        // What 6.2 writes, at a unit of 6.0.
        let wrong = pair(releases, right).with_replica_of(pair(["6.2", "6.2"], right));
        let found = wrong.judged_by(&mut points(), releases);
        assert_eq!(broken_property(found), Some(Property::NoForeignLine));
    }
}
