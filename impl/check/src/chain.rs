//! Ways over several releases, and back: what no step shows alone. What one level says by an
//! absence may be a line at the next, and a later one may have no word for it.
//!
//! Between all releases that are no neighbours go instances in which nothing is; from the first to
//! the last, and back, lines of each form.

use std::collections::BTreeSet;

use skewsync::grammar::Sign;
use skewsync::ids::FormId;
use skewsync::image::Image;
use skewsync::parse::Place;

use super::domain::{Command, Scene, entries};
use super::lines::there_and_back;
use super::way::Way;
use super::{Fault, Finding, Origins};

/// Lines of each form that go the whole way.
const LINES_MAX: usize = 2;

/// Appends what does not come back as it went; of each form one.
pub(super) fn check(images: &[Image], origins: &Origins, findings: &mut Vec<Finding>) {
    let mut told: BTreeSet<String> = BTreeSet::new();
    for (from, first) in images.iter().enumerate() {
        for (to, last) in images.iter().enumerate().skip(from + 2) {
            let ways = [(first, last), (last, first)].map(|(a, s)| Way::between(a, s));
            let [Ok(up), Ok(down)] = ways else { continue };
            let is_whole = from == 0 && to + 1 == images.len();
            for (way, back) in [(&up, &down), (&down, &up)] {
                let active = way.active.declarations();
                for (form, scene) in scenes(way.active, is_whole) {
                    let Err((error, unlike)) = there_and_back((way, back), &scene) else {
                        continue;
                    };
                    let form = unlike.or(form).unwrap_or(FormId(0));
                    let text = way.active.form(form).form.text().to_string();
                    if !told.insert(text.clone()) {
                        continue;
                    }
                    let standby = &way.standby.declarations().release;
                    findings.push(Finding {
                        origin: origins.form(way.active, form),
                        words: text,
                        fault: Fault::Lines {
                            way: format!("{} -> {standby}", active.release),
                            error,
                            more: 0,
                        },
                    });
                }
            }
        }
    }
}

/// Nothing; an instance of each mode, with nothing in it; and, if wanted, lines of each form, each
/// alone.
fn scenes(image: &Image, has_lines: bool) -> Vec<(Option<FormId>, Scene)> {
    let mut scenes = vec![(None, Scene::other(Vec::new()))];
    let levels = image.levels();
    let living =
        image.forms().filter(|(_, decl)| decl.lives_at(levels[usize::from(decl.component.0)]));
    for (form, decl) in living.filter(|(_, decl)| has_lines || decl.enters.is_some()) {
        let place = entries(image, decl).and_then(|entries| instance(image, &entries));
        let Some(place) = place else { continue };
        let examples = decl.form.examples(LINES_MAX).into_iter();
        let lines = examples.filter(|words| words.sign() == Sign::Positive);
        scenes.extend(lines.map(|words| {
            let line = Command::new(place.clone(), form, words);
            (Some(form), Scene::other(vec![line]))
        }));
    }
    scenes
}

/// An instance with these entries.
fn instance(image: &Image, entries: &[FormId]) -> Option<Place> {
    entries.iter().try_fold(Place::root(), |place, entry| {
        let examples = image.form(*entry).form.examples(LINES_MAX);
        let words = examples.into_iter().find(|words| words.sign() == Sign::Positive)?;
        Some(place.child(*entry, words))
    })
}
