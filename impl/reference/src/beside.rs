//! What a unit refuses for what else is there, and the order that needs ask for: stated a second
//! time, of the declarations alone.

use std::collections::{BTreeMap, BTreeSet};

use skewsync::config::ListId;
use skewsync::grammar::{Form, Matcher, Resolution, Sign, split_words};
use skewsync::image::{Image, RefuseDecl, RefusedLines};
use skewsync::parse::Place;

use super::{Carried, Rung};

/// What a line says of the names of a pattern.
type Said = BTreeMap<String, String>;

/// One line of a constraint: by number, where it stands, and what it says.
type Found = Vec<(usize, Place, Said)>;

/// The constraints that hold at an image's own levels.
fn holding(image: &Image) -> impl Iterator<Item = &RefuseDecl> {
    let declared = image.declarations();
    declared.refuses.iter().filter(|decl| {
        let level = declared.components[usize::from(decl.component)].level;
        decl.since <= level && decl.until.is_none_or(|until| level < until)
    })
}

/// The lines that a pattern describes.
fn described(image: &Image, mode: &str, pattern: &str, lines: &[Carried]) -> Found {
    let form = Form::parse(pattern).expect("a declared pattern");
    let matcher = Matcher::from_forms([((), &form)]);
    let mut found = Found::new();
    for (number, line) in lines.iter().enumerate() {
        let here = image.mode_name(line.place.mode(image)) == mode;
        if !here || line.words.sign() == Sign::No {
            continue;
        }
        let given: Vec<&str> = split_words(line.words.text()).collect();
        if let Resolution::Match { words, .. } = matcher.resolve(&given)
            && words.text() == line.words.text()
        {
            let said = form.values_of(&words).into_iter();
            let said = said.map(|(name, value)| (name.to_string(), value.into_owned())).collect();
            found.push((number, line.place.clone(), said));
        }
    }
    found
}

/// Whether two lines agree in all names that both patterns have.
fn agree((one, said): (&str, &Said), (other, also): (&str, &Said)) -> bool {
    let (one, other) =
        (Form::parse(one).expect("a pattern"), Form::parse(other).expect("a pattern"));
    one.carried().filter(|name| other.carries(name)).all(|name| said.get(name) == also.get(name))
}

/// The lines, by number, that the image refuses beside or without others.
pub(super) fn refused(image: &Image, lines: &[Carried]) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    for decl in holding(image) {
        match &decl.what {
            RefusedLines::Both(first, second) => {
                let of_one = Form::parse(first).ok() == Form::parse(second).ok();
                let firsts = described(image, &decl.mode, first, lines);
                for (line, place, said) in described(image, &decl.mode, second, lines) {
                    let is_beside = |(other, at, also): &(usize, Place, Said)| {
                        let key = |number: usize| lines[number].key(image).key;
                        *other != line
                            && *at == place
                            && agree((first, also), (second, &said))
                            && (!of_one || key(*other) < key(line))
                    };
                    if firsts.iter().any(is_beside) {
                        refused.insert(line);
                    }
                }
            }
            RefusedLines::Without(first, second) => {
                let needed = described(image, &decl.mode, second, lines);
                for (line, place, said) in described(image, &decl.mode, first, lines) {
                    let is_it = |(_, at, also): &(usize, Place, Said)| {
                        *at == place && agree((first, &said), (second, also))
                    };
                    if !needed.iter().any(is_it) {
                        refused.insert(line);
                    }
                }
            }
        }
    }
    refused
}

/// Puts each line behind what it needs, and behind the line before it in its list, and leaves all
/// else where it stands.
pub(super) fn put_behind_needs(image: &Image, rung: &mut Rung) {
    let mut needs: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for decl in holding(image) {
        let RefusedLines::Without(first, second) = &decl.what else { continue };
        let needed = described(image, &decl.mode, second, &rung.lines);
        for (line, place, said) in described(image, &decl.mode, first, &rung.lines) {
            let of = needed.iter().filter(|(other, at, also)| {
                *other != line && *at == place && agree((first, &said), (second, also))
            });
            needs.entry(line).or_default().extend(of.map(|(other, _, _)| *other));
        }
    }
    let places: BTreeSet<Place> =
        needs.keys().map(|line| rung.lines[*line].place.clone()).collect();
    for place in places {
        // The lines of one place: what stands between them stays behind the line before it.
        let mut left: Vec<usize> =
            (0..rung.lines.len()).filter(|line| rung.lines[*line].place == place).collect();
        left.sort_by_key(|line| rung.lines[*line].at);
        let list = |line: &usize| {
            let Carried { form, words, .. } = &rung.lines[*line];
            ListId::of(image, *form, words)
        };
        let lists: BTreeMap<usize, ListId> =
            left.iter().filter_map(|line| Some((*line, list(line)?))).collect();
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        let mut last = (0, 0);
        while !left.is_empty() {
            let ready = left.iter().position(|line| {
                let before = left.iter().take_while(|other| *other != line);
                let own = lists.get(line);
                if own.is_some() && { before }.any(|other| lists.get(other) == own) {
                    return false;
                }
                let of = needs.get(line);
                of.is_none_or(|of| of.is_empty() || of.iter().any(|need| taken.contains(need)))
            });
            let line = left.remove(ready.unwrap_or(0));
            taken.insert(line);
            let at = &mut rung.lines[line].at;
            *at = (*at).max((last.0, last.1 + 1));
            last = *at;
        }
    }
    rung.lines.sort_by_key(|line| line.at);
}
