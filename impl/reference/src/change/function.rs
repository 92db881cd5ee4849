//! Changes whose lines a function translates. The function is the engine's own: it is a part of the
//! image, as forms are. That what it makes must come back is stated with all other changes.

use std::collections::BTreeSet;

use skewsync::grammar::Sign;
use skewsync::ids::{FormId, Level};
use skewsync::image::{Captures, Function, FunctionGroup, FunctionLine, Image};
use skewsync::parse::Place;

use super::{Carried, Change, Going, SIDE_MAX, Values, build, outer, path, plainly};

impl Change {
    /// What tells the group of a line from others, where the function says it: in the old side's
    /// words, or in words of its own if the other side has none.
    pub(super) fn key_by_function(
        &self,
        image: &Image,
        going: Going,
        line: &Carried,
    ) -> Option<Vec<String>> {
        let keys = self.function?.keys?;
        let modes = path(image, image.form(line.form).mode).split_off(self.depth);
        let names = self.address(image, line.form, &modes);
        let mut values = self.values(image, line);
        values.retain(|name, _| names.contains(name));
        let in_old = match going {
            Going::Up => Some(values.clone()),
            Going::Down => (keys.lower)(&values),
        };
        let said = |values: Values| values.into_iter().flat_map(|(name, value)| [name, value]);
        Some(match in_old {
            Some(values) => said(values).collect(),
            None => said(values).chain(["no counterpart".to_string()]).collect(),
        })
    }

    /// Whether what is written is told apart from others as what it was made of.
    pub(super) fn keeps_its_key(
        &self,
        image: &Image,
        going: Going,
        parts: &[Vec<&Carried>],
        written: &[Vec<Carried>],
    ) -> bool {
        let back = match going {
            Going::Down => Going::Up,
            Going::Up => Going::Down,
        };
        let given = parts.iter().flatten().map(|line| self.key_by_function(image, going, line));
        let made = written.iter().flatten().map(|line| self.key_by_function(image, back, line));
        given.chain(made).collect::<BTreeSet<_>>().len() < 2
    }

    /// What lines say on the other side, as the function says it.
    pub(super) fn say_by_function(
        &self,
        image: &Image,
        going: Going,
        (function, levels): (&Function, &[Level]),
        parts: &[Vec<&Carried>],
    ) -> Option<Vec<Vec<Carried>>> {
        let members = || parts.iter().flatten();
        let at = outer(&members().next()?.place, self.depth);
        let lines = parts.iter().enumerate().flat_map(|(form, part)| {
            part.iter().map(move |line| FunctionLine {
                form,
                sign: line.words.sign(),
                captures: self.values(image, line),
            })
        });
        let group = FunctionGroup { around: captures_around(image, &at), lines: lines.collect() };
        let made = match going {
            Going::Down => (function.lower)(&group),
            Going::Up => (function.raise)(&group),
        };
        let made = made.ok().filter(|lines| !lines.is_empty())?;
        let (_, to) = self.sides(going);
        let from: BTreeSet<usize> = members().flat_map(|line| line.from.clone()).collect();
        let first = members().map(|line| line.at.0).filter(|at| *at > 0).min().unwrap_or(0);
        let mut written: Vec<Vec<Carried>> = vec![Vec::new(); to.len()];
        let mut lines: Vec<(usize, Carried)> = Vec::new();
        for line in &made {
            let form = *to.get(line.form)?;
            let carried = self.line_of_function(image, &at, levels, form, line)?;
            lines.push((line.form, carried));
        }
        lines.sort_by(|(one, a), (other, b)| {
            (one, &a.place, &a.words).cmp(&(other, &b.place, &b.words))
        });
        for (copy, (number, line)) in lines.into_iter().enumerate() {
            let at = (first, (self.number * SIDE_MAX + number) * SIDE_MAX + copy);
            written[number].push(Carried { from: from.iter().copied().collect(), at, ..line });
        }
        Some(written)
    }

    /// The line of `form` that a function says; it has a place for all of it.
    fn line_of_function(
        &self,
        image: &Image,
        at: &Place,
        levels: &[Level],
        form: FormId,
        line: &FunctionLine,
    ) -> Option<Carried> {
        let mut said = BTreeSet::new();
        let place = self.place(image, at, form, levels, &line.captures, &mut said)?;
        let words = build(&image.form(form).form, line.sign, &line.captures, &mut said)?;
        let all_said = line.captures.keys().all(|name| said.contains(name.as_str()));
        let words = plainly(image, form, words);
        (all_said || line.sign == Sign::No).then(|| Carried {
            place,
            form,
            words,
            from: Vec::new(),
            at: (0, 0),
            // The side that raises says what does not go.
            free: true,
        })
    }
}

/// The captures of the instances that all lines of a group are in.
fn captures_around(image: &Image, at: &Place) -> Captures {
    let mut captures = Captures::new();
    for (entry, words) in at.instances() {
        let values = image.form(*entry).form.values_of(words).into_iter();
        captures.extend(values.map(|(name, value)| (name.to_string(), value.into_owned())));
    }
    captures
}
