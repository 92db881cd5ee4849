//! Imported command sets of FRRouting with and without the bundled overlay: which lines of real
//! configs stay stuck between releases, and why. The figures are printed:
//! `cargo test --test claims overlay -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use skewsync::image::Image;
use skewsync::parse::{self, WalkUp};
use skewsync_cli::commands::preview::Preview;
use skewsync_cli::pair::Pair;

use crate::corpus::{corpus, imported, overlaid};

/// The releases, oldest first.
const RELEASES: [&str; 6] = ["7.5.1", "8.0", "8.4.4", "9.1", "10.0", "10.3"];

/// Pairs that are looked at: each config's own release facing its neighbours and the farthest, and
/// the same configs on the newest, facing older ones.
const PAIRS: [(&str, &str); 10] = [
    ("7.5.1", "8.0"),
    ("7.5.1", "8.4.4"),
    ("7.5.1", "10.3"),
    ("8.4.4", "7.5.1"),
    ("8.4.4", "8.0"),
    ("8.4.4", "9.1"),
    ("8.4.4", "10.3"),
    ("10.3", "10.0"),
    ("10.3", "8.4.4"),
    ("10.3", "7.5.1"),
];

/// Lines that real parsers took or refused: (mode, line) -> (7.5.1, 8.4.4).
fn verdicts(corpus: &Path) -> BTreeMap<(String, String), [bool; 2]> {
    let table = std::fs::read_to_string(corpus.join("accepts.tsv")).expect("a readable table");
    let row = |row: &str| {
        let fields: Vec<&str> = row.split('\t').collect();
        let key = (fields[0].to_owned(), fields[1].to_owned());
        (key, [fields[2] == "y", fields[3] == "y"])
    };
    table.lines().skip(1).map(row).collect()
}

/// Lines of the configs that real parsers refuse: (file, line) -> releases.
fn rejects(corpus: &Path) -> BTreeMap<(String, usize), BTreeSet<String>> {
    let table = corpus.join("configs/rejects.tsv");
    let table = std::fs::read_to_string(table).expect("a readable table");
    let row = |row: &str| {
        let fields: Vec<&str> = row.split('\t').collect();
        let key = (fields[0].to_owned(), fields[1].parse().expect("a line's number"));
        (key, fields[2].split(',').map(str::to_owned).collect())
    };
    table.lines().skip(1).map(row).collect()
}

/// The configs of a release: (name, text).
fn configs(corpus: &Path, release: &str) -> Vec<(String, Vec<u8>)> {
    let folder = corpus.join("configs").join(release);
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (format!("{release}/{name}"), std::fs::read(&path).expect("a readable config"))
        })
        .collect()
}

/// A line that is stuck: where it stands, what it is, and why.
struct Left {
    file: String,
    line: usize,
    at: String,
    text: String,
    why: String,
    form: String,
}

/// What becomes of all configs between two images.
#[derive(Default)]
struct Previewed {
    lines: usize,
    /// Lines that are lowered or raised.
    rewritten: usize,
    /// Lines that are stuck.
    left: Vec<Left>,
}

fn previewed(pair: &Pair, texts: &[(String, Vec<u8>)]) -> Previewed {
    let Previewed { mut lines, mut rewritten, mut left } = Previewed::default();
    for (name, text) in texts {
        let preview = Preview::new(pair, name, text);
        lines += preview.lines;
        rewritten += preview.lowered.len() + preview.raised.len();
        left.extend(preview.stuck.into_iter().map(|stuck| Left {
            file: name.clone(),
            line: stuck.line,
            at: stuck.at,
            text: stuck.text,
            why: stuck.why,
            form: stuck.form,
        }));
    }
    Previewed { lines, rewritten, left }
}

fn path(at: &str, text: &str) -> String {
    if at.is_empty() { text.to_owned() } else { format!("{at} / {text}") }
}

/// The mode in which a line stands.
fn mode_of(image: &Image, line: &Left) -> String {
    let text = path(&line.at, &line.text).replace(" / ", "\n");
    let read = parse::text(image, image.own(), text.as_bytes(), WalkUp::No);
    let place = read.last().map(|statement| statement.place.clone()).unwrap_or_default();
    image.mode_name(place.mode(image)).to_owned()
}

/// What a line is about: the keywords with which its form begins.
fn about(left: &Left) -> String {
    let words = left.form.split(' ').filter(|word| *word != "[no]");
    let is_keyword =
        |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || "-0123456789".contains(c));
    words.take_while(is_keyword).take(4).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_the_other_release_lacks_is_stuck_under_the_overlay() {
    let Some(corpus) = corpus() else { return };
    let images = |of: &dyn Fn(&str) -> Image| -> BTreeMap<&str, Arc<Image>> {
        RELEASES.iter().map(|release| (*release, Arc::new(of(release)))).collect()
    };
    let before = images(&|release| imported(&corpus, release).0);
    let now = images(&|release| overlaid(&corpus, release));
    let texts = [configs(&corpus, "7.5.1"), configs(&corpus, "8.4.4")].concat();
    assert_eq!(texts.len(), 875);
    let (rejects, verdicts) = (rejects(&corpus), verdicts(&corpus));
    let pair = |images: &BTreeMap<&str, Arc<Image>>, (active, standby): (&str, &str)| {
        let [active, standby] = [active, standby].map(|release| Arc::clone(&images[release]));
        Pair::new(active, standby).expect("the two make a pair")
    };
    let looked_at = std::thread::scope(|scope| {
        let both = PAIRS.map(|names| {
            let (before, now) = (pair(&before, names), pair(&now, names));
            let texts = &texts;
            scope.spawn(move || (previewed(&before, texts), previewed(&now, texts)))
        });
        both.map(|thread| thread.join().expect("previews are made"))
    });
    println!(
        "{:>15}  {:>6} {:>9} {:>13} {:>10}",
        "", "lines", "rewritten", "stuck before", "stuck now"
    );
    for ((active, standby), (before, now)) in PAIRS.iter().zip(&looked_at) {
        println!(
            "{active:>6} -> {standby:<5} {:>6} {:>9} {:>13} {:>10}",
            now.lines,
            now.rewritten,
            before.left.len(),
            now.left.len()
        );
        assert!(now.left.len() <= before.left.len(), "{active} {standby}");
    }
    for ((active, standby), (_, Previewed { left, .. })) in PAIRS.iter().zip(&looked_at) {
        println!("stuck, {active} -> {standby}:");
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        let stuck: BTreeSet<(&str, String)> =
            left.iter().map(|line| (line.file.as_str(), path(&line.at, &line.text))).collect();
        for line in left {
            *causes.entry(format!("{}: {}", line.why, about(line))).or_default() += 1;
            // What stands in an instance that cannot go cannot go either, and an instance that no
            // line of the file enters is there for what stands in it.
            let own = path(&line.at, &line.text);
            let lies_in = |at: &str, path: &str| {
                at == path || at.strip_prefix(path).is_some_and(|rest| rest.starts_with(" / "))
            };
            let is_known = stuck.iter().any(|(file, path)| {
                *file == line.file
                    && (lies_in(&line.at, path)
                        || line.line == 0 && lies_in(path, &own) && *path != own)
            });
            if is_known {
                continue;
            }
            let place = format!("{}:{}: {}: {}", line.file, line.line, line.text, line.why);
            let verdict = ["7.5.1", "8.4.4"].iter().position(|release| release == standby);
            let said = verdicts.get(&(mode_of(&now[active], line), line.text.clone()));
            let taken = said.zip(verdict).is_some_and(|(by, at)| by[at]);
            assert!(!taken, "{active} {standby}: the real parser takes it: {place}");
            let by = rejects.get(&(line.file.clone(), line.line));
            let refused = by.is_some_and(|by| by.contains(*standby) || by.contains(*active));
            let judged = ["7.5.1", "8.4.4", "10.3"].contains(standby);
            assert!(!judged || refused, "{active} {standby}: not refused: {place}");
        }
        let mut causes: Vec<_> = causes.into_iter().collect();
        causes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        for (cause, count) in causes {
            println!("{count:>6}  {cause}");
        }
    }
}
