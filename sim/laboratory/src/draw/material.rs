//! What configs and commands of drawn plans are made of: per image, configs as text, and batches of
//! lines that an operator may enter. LoadedPlan of the image's own forms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use skewsync::grammar::{LeafId, Sign, Words};
use skewsync::ids::ModeId;
use skewsync::image::{FormDecl, Image};
use skewsync_families::Example;
use skewsync_sim::catalog::Catalog;

use super::Rng;

/// Lines made of each form.
const EXAMPLES: usize = 4;
/// So many of an image's lines are entered more often than others.
const FAVOURITES: usize = 12;
/// Lines of a drawn startup config, at most.
const CONFIG_MAX: u64 = 24;

/// Per image, what can be configured on it.
#[derive(Clone, Debug)]
pub struct CommandCorpus {
    names: Vec<String>,
    images: BTreeMap<String, ImageCommands>,
    skewed: BTreeMap<(String, String), Skewed>,
}

/// Of an ordered pair of images: lines of the first that are none of the second's, by index.
#[derive(Clone, Debug, Default)]
struct Skewed {
    /// Of forms of which the second has another line: their values decide.
    by_value: Vec<usize>,
    /// Of other forms.
    by_form: Vec<usize>,
}

/// What can be configured on one image: lines, each with the entries of its modes before it.
#[derive(Clone, Debug, Default)]
pub struct ImageCommands {
    lines: Vec<Candidate>,
}

/// One line that may be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    /// The entries of its modes, outermost first, each on a line of its own.
    modes: String,
    /// The line, with the text that it opens.
    line: String,
    /// The line that negates it.
    negated: String,
    /// How deep it stands.
    depth: usize,
    /// Whether it enters a mode.
    enters: bool,
    /// Number of its form, so that others of the same form are found.
    form: usize,
}

impl Candidate {
    /// The line with its modes' entries before it.
    fn text(&self, negated: bool) -> String {
        let line = if negated { &self.negated } else { &self.line };
        // A line that enters a mode is left again like the modes it stands in.
        let entered = self.depth + usize::from(self.enters && !negated);
        let exits = "exit\n".repeat(entered);
        format!("{}{}{line}\n{exits}", self.modes, " ".repeat(self.depth))
    }
}

impl ImageCommands {
    /// Lines of the forms that live in an image.
    pub fn from_image(image: &Image) -> Self {
        let alive = |decl: &&FormDecl| decl.lives_at(image.levels()[usize::from(decl.component.0)]);
        let forms: Vec<&FormDecl> = image.forms().map(|(_, decl)| decl).filter(alive).collect();
        let mut ways = BTreeMap::from([(ModeId(0), (String::new(), 0))]);
        // Modes nest; each round finds those one deeper.
        for _ in 0..4 {
            for decl in &forms {
                let (Some(enters), Some((modes, depth))) =
                    (decl.enters, ways.get(&decl.mode).cloned())
                else {
                    continue;
                };
                if let Some((words, _)) = positive(decl).first() {
                    let way = format!("{modes}{}{words}\n", " ".repeat(depth));
                    ways.entry(enters).or_insert((way, depth + 1));
                }
            }
        }
        let mut lines = Vec::new();
        let aliases = image.aliases().map(|(_, alias)| &alias.decl).filter(alive);
        for (form, decl) in forms.iter().copied().chain(aliases).enumerate() {
            let Some((modes, depth)) = ways.get(&decl.mode) else {
                continue;
            };
            for (line, negated) in positive(decl) {
                let (modes, depth, enters) = (modes.clone(), *depth, decl.enters.is_some());
                lines.push(Candidate { modes, line, negated, depth, enters, form });
            }
        }
        Self { lines }
    }

    /// These lines.
    pub(super) fn from_examples(examples: Vec<Example>) -> Self {
        let lines = examples.into_iter().map(|example| {
            let Example { entries, line, negated, enters, form } = example;
            let indented = entries.iter().enumerate();
            let modes = indented.map(|(depth, entry)| format!("{}{entry}\n", " ".repeat(depth)));
            let modes = modes.collect();
            Candidate { modes, line, negated, depth: entries.len(), enters, form }
        });
        Self { lines: lines.collect() }
    }

    /// The lines that are none of the other image's.
    fn skewed(&self, other: &Self) -> Skewed {
        let others = other.lines.iter().map(|line| (&line.modes, &line.line));
        let others: BTreeSet<_> = others.collect();
        let is_of_both = |line: &Candidate| others.contains(&(&line.modes, &line.line));
        let of_both = self.lines.iter().filter(|line| is_of_both(line));
        let forms: BTreeSet<usize> = of_both.map(|line| line.form).collect();
        let mut skewed = Skewed::default();
        for (index, line) in self.lines.iter().enumerate() {
            if is_of_both(line) {
                continue;
            }
            if forms.contains(&line.form) {
                skewed.by_value.push(index);
            } else {
                skewed.by_form.push(index);
            }
        }
        skewed
    }

    /// What operators may enter next, and whether negated: a favourite; a line that was entered
    /// before, or another one of its form; one that the other image has not; or any.
    fn next(&self, skewed: &Skewed, entered: &[usize], rng: &mut Rng) -> (usize, bool) {
        let (lot, any) = (rng.below(100), rng.below(self.lines.len() as u64));
        let negated = rng.chance(30);
        match lot {
            0..20 => (any as usize % FAVOURITES.min(self.lines.len()), negated),
            20..35 if !entered.is_empty() => {
                let form = self.lines[*rng.pick(entered)].form;
                let same = (0..self.lines.len()).filter(|index| self.lines[*index].form == form);
                (*rng.pick(&same.collect::<Vec<_>>()), negated)
            }
            35..50 if !entered.is_empty() => (*rng.pick(entered), rng.chance(70)),
            50..65 if !skewed.by_value.is_empty() => (*rng.pick(&skewed.by_value), negated),
            65..75 if !skewed.by_form.is_empty() => (*rng.pick(&skewed.by_form), negated),
            _ => (any as usize, negated),
        }
    }
}

/// Lines of a form that set something, each with the one that negates it.
fn positive(decl: &FormDecl) -> Vec<(String, String)> {
    let all = decl.form.examples(2 * EXAMPLES);
    let set = all.iter().filter(|words| words.sign() == Sign::Positive);
    let leaves = decl.form.leaves().iter().enumerate();
    let kept = leaves.filter(|(_, leaf)| !leaf.token.is_text());
    let kept: Vec<LeafId> = kept.map(|(at, _)| LeafId(at as u16)).collect();
    let both =
        |words: &Words| (words.written().into(), format!("no {}", words.only(&kept).written()));
    set.take(EXAMPLES).map(both).collect()
}

impl CommandCorpus {
    /// What can be configured on a catalog's images.
    pub fn from_catalog(catalog: &Catalog) -> Self {
        Self::new(
            catalog
                .images()
                .map(|(name, image)| (name.to_string(), ImageCommands::from_image(image))),
        )
    }

    /// CommandCorpus of these images.
    pub fn new(images: impl IntoIterator<Item = (String, ImageCommands)>) -> Self {
        let images: BTreeMap<String, ImageCommands> = images.into_iter().collect();
        let mut skewed = BTreeMap::new();
        for (one, of_one) in &images {
            for (other, of_other) in images.iter().filter(|(other, _)| *other != one) {
                skewed.insert((one.clone(), other.clone()), of_one.skewed(of_other));
            }
        }
        Self { names: images.keys().cloned().collect(), images, skewed }
    }

    /// The names of the images.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A startup config: some of the image's lines.
    pub(super) fn config(&self, image: &str, rng: &mut Rng) -> Option<String> {
        let lines = &self.images.get(image)?.lines;
        if lines.is_empty() {
            return None;
        }
        let count = rng.below(CONFIG_MAX + 1);
        let mut text = String::new();
        for _ in 0..count {
            text.push_str(&rng.pick(lines).text(false));
        }
        (!text.is_empty()).then_some(text)
    }

    /// A batch: mostly one line. What was `entered` on this image so far, by index, grows by it, so
    /// that lines are met again, and with other values. `peer`: the image that it faces.
    pub(super) fn batch(
        &self,
        image: &str,
        peer: &str,
        entered: &mut Vec<usize>,
        rng: &mut Rng,
    ) -> Option<String> {
        let of = self.images.get(image)?;
        if of.lines.is_empty() {
            return None;
        }
        let none = Skewed::default();
        let pair = (image.to_string(), peer.to_string());
        let skewed = self.skewed.get(&pair).unwrap_or(&none);
        let count = if rng.chance(80) { 1 } else { rng.among(2, 4) };
        let mut text = String::new();
        for _ in 0..count {
            let (index, negated) = of.next(skewed, entered, rng);
            text.push_str(&of.lines[index].text(negated));
            entered.push(index);
        }
        Some(text)
    }
}

/// The bundled family, made once per process.
impl Default for CommandCorpus {
    fn default() -> Self {
        static BUNDLED: OnceLock<CommandCorpus> = OnceLock::new();
        let made = || {
            let images = skewsync::image::bundled::images();
            Self::new(images.iter().map(|image| (image.name(), ImageCommands::from_image(image))))
        };
        BUNDLED.get_or_init(made).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;
    use skewsync::unit::running::{Executed, Running};
    use skewsync::unit::software::Software;

    #[test]
    fn most_drawn_lines_are_taken_by_their_image() {
        let material = CommandCorpus::default();
        for image in skewsync::image::bundled::images() {
            let software = Software::new(image.clone()).expect("a bundled image loads");
            let mut rng = Rng::new(1, Purpose::Commands);
            let mut running = Running::factory(&software);
            let (mut changed, mut entered) = (0, Vec::new());
            for _ in 0..200 {
                let batch = material
                    .batch(&image.name(), "meridian@6.0", &mut entered, &mut rng)
                    .expect("there are lines");
                if let Ok(Executed::Changed(next, _)) = running.execute(&software, &batch) {
                    running = next;
                    changed += 1;
                }
            }
            assert!(changed > 80, "{}: only {changed} of 200 change anything", image.name());
        }
    }
}
