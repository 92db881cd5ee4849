//! What configs and commands of drawn plans are made of: per image, configs as text, and batches of lines
//! that an operator may enter. Made of the image's own forms.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use skewsync::base::ModeId;
use skewsync::grammar::Sign;
use skewsync::image::{FormDecl, Image};

use super::Stream;

/// Lines made of each form.
const EXAMPLES: usize = 4;
/// Lines of a drawn startup config, at most.
const CONFIG_MAX: u64 = 24;

/// Per image, what can be configured on it.
#[derive(Clone, Debug)]
pub struct Material {
    names: Vec<String>,
    images: BTreeMap<String, OfImage>,
}

/// What can be configured on one image: lines, each with the entries of its modes before it.
#[derive(Clone, Debug, Default)]
pub struct OfImage {
    lines: Vec<Candidate>,
}

/// One line that may be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    /// The entries of its modes, outermost first, each on a line of its own.
    modes: String,
    /// The line.
    line: String,
    /// How deep it stands.
    depth: usize,
    /// Whether it enters a mode.
    enters: bool,
}

impl Candidate {
    /// The line with its modes' entries before it.
    fn text(&self, negated: bool) -> String {
        let no = if negated { "no " } else { "" };
        // A line that enters a mode is left again like the modes it stands in.
        let entered = self.depth + usize::from(self.enters && !negated);
        let exits = "exit\n".repeat(entered);
        format!(
            "{}{}{no}{}\n{exits}",
            self.modes,
            " ".repeat(self.depth),
            self.line
        )
    }
}

impl OfImage {
    /// Lines of the forms that live in an image.
    pub fn of(image: &Image) -> Self {
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
                if let Some(words) = positive(decl).first() {
                    let way = format!("{modes}{}{words}\n", " ".repeat(depth));
                    ways.entry(enters).or_insert((way, depth + 1));
                }
            }
        }
        let mut lines = Vec::new();
        for decl in &forms {
            let Some((modes, depth)) = ways.get(&decl.mode) else {
                continue;
            };
            for line in positive(decl) {
                let enters = decl.enters.is_some();
                lines.push(Candidate {
                    modes: modes.clone(),
                    line,
                    depth: *depth,
                    enters,
                });
            }
        }
        Self { lines }
    }
}

/// Lines of a form that set something.
fn positive(decl: &FormDecl) -> Vec<String> {
    let all = decl.form.examples(2 * EXAMPLES);
    let set = all.iter().filter(|words| words.sign() == Sign::Positive);
    set.take(EXAMPLES)
        .map(|words| words.text().to_string())
        .collect()
}

impl Material {
    /// Material of these images.
    pub fn new(images: impl IntoIterator<Item = (String, OfImage)>) -> Self {
        let images: BTreeMap<String, OfImage> = images.into_iter().collect();
        Self {
            names: images.keys().cloned().collect(),
            images,
        }
    }

    /// The names of the images.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A startup config: some of the image's lines.
    pub(super) fn config(&self, image: &str, stream: &mut Stream) -> Option<String> {
        let lines = &self.images.get(image)?.lines;
        if lines.is_empty() {
            return None;
        }
        let count = stream.below(CONFIG_MAX + 1);
        let mut text = String::new();
        for _ in 0..count {
            text.push_str(&stream.pick(lines).text(false));
        }
        (!text.is_empty()).then_some(text)
    }

    /// A batch: mostly one line, and more often of a few favourites, so that lines are met again.
    pub(super) fn batch(&self, image: &str, stream: &mut Stream) -> Option<String> {
        let lines = &self.images.get(image)?.lines;
        if lines.is_empty() {
            return None;
        }
        let count = if stream.chance(80) {
            1
        } else {
            stream.among(2, 4)
        };
        let mut text = String::new();
        for _ in 0..count {
            let negated = stream.chance(30);
            let favourite = stream.chance(40);
            let any = stream.pick(lines);
            let line = if favourite {
                &lines[stream.below(lines.len().min(12) as u64) as usize]
            } else {
                any
            };
            text.push_str(&line.text(negated));
        }
        Some(text)
    }
}

/// The bundled family, made once per process.
impl Default for Material {
    fn default() -> Self {
        static BUNDLED: OnceLock<Material> = OnceLock::new();
        let made = || {
            let images = skewsync::image::bundled::images();
            Self::new(
                images
                    .iter()
                    .map(|image| (image.name(), OfImage::of(image))),
            )
        };
        BUNDLED.get_or_init(made).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Purpose;
    use skewsync::unit::replica::{Executed, Running, Software};

    #[test]
    fn most_drawn_lines_are_taken_by_their_image() {
        let material = Material::default();
        for image in skewsync::image::bundled::images() {
            let software = Software::of(image.clone()).expect("a bundled image loads");
            let mut stream = Stream::new(1, Purpose::Commands);
            let mut running = Running::factory(&software);
            let mut changed = 0;
            for _ in 0..200 {
                let batch = material
                    .batch(&image.name(), &mut stream)
                    .expect("there are lines");
                if let Ok(Executed::Changed(next, _)) = running.execute(&software, &batch) {
                    running = next;
                    changed += 1;
                }
            }
            assert!(
                changed > 80,
                "{}: only {changed} of 200 change anything",
                image.name()
            );
        }
    }
}
