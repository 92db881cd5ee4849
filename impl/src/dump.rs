//! The CLI dump: all configuration forms of an image at its own levels, duplicate-free, in
//! canonical order, with what dispositions need; as text that another version reads.
//!
//! Source: seed, step 256 (the CDFS).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::digest::Digest;
use crate::grammar::{Form, FormError, LeafId, Words};
use crate::image::{Component, DefaultDecl, FormDecl, Image, NoMeans};

/// The most entries that are read.
pub const ENTRIES_MAX: usize = 4_000_000;
/// The most components that are read.
pub const COMPONENTS_MAX: usize = 4_096;

const HEAD: &str = "skewsync-dump 2";

/// What a dump says of its image as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The family's name.
    pub family: String,
    /// The release.
    pub release: String,
    /// Whether the image is a command set without history.
    pub imported: bool,
    /// The components, each with its present level.
    pub components: Vec<Component>,
}

impl Header {
    /// Whether levels, revisions and defaults of the two mean the same.
    pub fn same_family(&self, other: &Self) -> bool {
        !self.imported && !other.imported && self.family == other.family
    }
}

/// One form of a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpEntry {
    /// The mode's name.
    pub mode: String,
    /// The form in normal form.
    pub form: Form,
    /// Number of the component in the header.
    pub component: u16,
    /// The level at which the form came to be as it is.
    pub since: u16,
    /// The leaves that identify a line; none: the whole line.
    pub key: Option<Vec<u16>>,
    /// The revision of what its words mean.
    pub revision: u16,
    /// What an absent line means.
    pub default: DefaultDecl,
    /// What `no` of a line does.
    pub no: NoMeans,
    /// What absence says for some keys, by its digest.
    pub factory: Option<Digest>,
    /// Whether its lines are read as those of other forms: none of it is kept or sent.
    pub alias: bool,
}

/// A CLI dump.
///
/// ```
/// use skewsync::{dump::Dump, image::bundled};
///
/// let image = bundled::image("6.2").expect("a bundled release");
/// let text = Dump::from_image(&image).encode();
/// let dump = Dump::decode(text.as_bytes())?;
/// assert_eq!(dump.header.release, "6.2");
/// # Ok::<(), skewsync::dump::DumpError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Of the image as a whole.
    pub header: Header,
    /// The forms, by mode and normal form.
    pub entries: Vec<DumpEntry>,
}

/// Why bytes are no dump.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DumpError {
    /// They are no text, or do not begin as a dump does.
    #[error("not a dump: it does not begin with `{HEAD}`")]
    Head,
    /// A line has no such shape.
    #[error("line {line}: not a line of a dump")]
    Shape {
        /// The line, from 1.
        line: usize,
    },
    /// A form cannot be read.
    #[error("line {line}: {error}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What is wrong with the form.
        error: FormError,
    },
    /// It says more than is taken.
    #[error("line {line}: {count} are beyond the bound of {max}")]
    TooMany {
        /// The line, from 1.
        line: usize,
        /// How many entries it has, or says that it has.
        count: usize,
        /// The bound.
        max: usize,
    },
    /// It ends before what it announced.
    #[error("cut short: {found} of {announced} entries")]
    Short {
        /// How many came.
        found: usize,
        /// How many were announced.
        announced: usize,
    },
}

impl Dump {
    /// The dump of an image.
    pub fn from_image(image: &Image) -> Self {
        let declarations = image.declarations();
        let mut entries: BTreeMap<(&str, &str), DumpEntry> = BTreeMap::new();
        let aliases = image.aliases().map(|(_, alias)| (&alias.decl, true));
        let forms = image.forms().map(|(_, decl)| (decl, false));
        for (decl, alias) in forms.chain(aliases) {
            if !decl.lives_at(image.levels()[usize::from(decl.component.0)]) {
                continue;
            }
            let mode = image.mode_name(decl.mode);
            entries.entry((mode, decl.form.normal())).or_insert_with(|| DumpEntry {
                mode: mode.to_string(),
                form: decl.form.clone(),
                component: decl.component.0,
                since: decl.since.0,
                key: decl.key.as_ref().map(|key| key.iter().map(|leaf| leaf.0).collect()),
                revision: decl.revision,
                default: decl.default.clone(),
                no: decl.no,
                factory: factory_of(decl),
                alias,
            });
        }
        Self {
            header: Header {
                family: declarations.family.clone(),
                release: declarations.release.clone(),
                imported: declarations.imported,
                components: declarations.components.clone(),
            },
            entries: entries.into_values().collect(),
        }
    }

    /// The dump as text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        let put = "a string takes all";
        writeln!(text, "{HEAD}").expect(put);
        encode_header(&mut text, &self.header);
        writeln!(text, "{}", self.entries.len()).expect(put);
        for entry in &self.entries {
            encode_entry(&mut text, entry);
            text.push('\n');
        }
        text
    }

    /// Reads a dump's bytes.
    ///
    /// # Errors
    /// See [`DumpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DumpError> {
        Self::decode_like(bytes, &[])
    }

    /// The same; forms that stand in `like`, which is in canonical order, are shared with it.
    ///
    /// # Errors
    /// See [`DumpError`].
    pub fn decode_like(bytes: &[u8], like: &[DumpEntry]) -> Result<Self, DumpError> {
        let text = core::str::from_utf8(bytes).map_err(|_| DumpError::Head)?;
        let mut lines = Lines::new(text);
        if lines.next() != Some(HEAD) {
            return Err(DumpError::Head);
        }
        let header = decode_header(&mut lines)?;
        let announced = decode_count(&mut lines, ENTRIES_MAX)?;
        let mut entries = Vec::new();
        while let Some(line) = lines.next() {
            entries.push(decode_entry(line, lines.number, &header, like)?);
        }
        if entries.len() != announced {
            return Err(DumpError::Short { found: entries.len(), announced });
        }
        Ok(Self { header, entries })
    }
}

/// Lines with their numbers, shared with the text of a diff.
pub(crate) struct Lines<'a> {
    lines: core::str::Lines<'a>,
    pub(crate) number: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { lines: text.lines(), number: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    pub(crate) const fn shape(&self) -> DumpError {
        DumpError::Shape { line: self.number }
    }
}

pub(crate) fn encode_header(text: &mut String, header: &Header) {
    let Header { family, release, imported, components } = header;
    let kind = if *imported { "imported" } else { "family" };
    writeln!(text, "{family}\t{release}\t{kind}\t{}", components.len())
        .expect("a string takes all");
    for component in components {
        writeln!(text, "{}\t{}", component.name, component.level).expect("a string takes all");
    }
}

pub(crate) fn decode_header(lines: &mut Lines<'_>) -> Result<Header, DumpError> {
    let line = lines.next().ok_or(lines.shape())?;
    let mut fields = line.split('\t');
    let (Some(family), Some(release), Some(kind), Some(count), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(lines.shape());
    };
    let imported = match kind {
        "imported" => true,
        "family" => false,
        _ => return Err(lines.shape()),
    };
    let count = count_of(count, lines, COMPONENTS_MAX)?;
    let mut components = Vec::new();
    for _ in 0..count {
        let line = lines.next().ok_or(lines.shape())?;
        let (name, level) = line.split_once('\t').ok_or(lines.shape())?;
        let level = level.parse().map_err(|_| lines.shape())?;
        components.push(Component { name: name.to_string(), level });
    }
    Ok(Header { family: family.to_string(), release: release.to_string(), imported, components })
}

pub(crate) fn decode_count(lines: &mut Lines<'_>, max: usize) -> Result<usize, DumpError> {
    let line = lines.next().ok_or(lines.shape())?;
    count_of(line, lines, max)
}

fn count_of(text: &str, lines: &Lines<'_>, max: usize) -> Result<usize, DumpError> {
    let count: usize = text.parse().map_err(|_| lines.shape())?;
    if count > max {
        return Err(DumpError::TooMany { line: lines.number, count, max });
    }
    Ok(count)
}

pub(crate) fn encode_entry(text: &mut String, entry: &DumpEntry) {
    let key = match &entry.key {
        None if entry.alias => "alias".to_string(),
        None => "line".to_string(),
        Some(leaves) => leaves.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    };
    let DumpEntry { mode, form, component, since, revision, default, no, factory, .. } = entry;
    write!(text, "{mode}\t{}\t{component}\t{since}\t{key}\t{revision}\t", form.normal())
        .expect("a string takes all");
    if *no == NoMeans::State {
        text.push_str(NO_IS_STATE);
    }
    if let Some(factory) = factory {
        write!(text, "{FACTORY}{factory:?} ").expect("a string takes all");
    }
    match default {
        DefaultDecl::None => text.push_str("none"),
        DefaultDecl::Line => text.push_str("line"),
        DefaultDecl::Values(values) => {
            text.push_str("values");
            for (LeafId(leaf), value) in values {
                write!(text, " {leaf}={value}").expect("a string takes all");
            }
        }
    }
}

/// Before the default of a form whose `no` is a line itself.
const NO_IS_STATE: &str = "state ";

/// Before the digest of what a factory sets.
const FACTORY: &str = "factory ";

/// The digest of what a factory sets; none: nothing.
fn factory_of(decl: &FormDecl) -> Option<Digest> {
    let lines: Vec<&str> = decl.factory.iter().map(Words::text).collect();
    (!lines.is_empty()).then(|| Digest::compute(lines.join("\n").as_bytes()))
}

/// The default of `form` that was put; none if the text is none.
fn decode_default(form: &Form, text: &str) -> Option<DefaultDecl> {
    let values = match text {
        "none" => return Some(DefaultDecl::None),
        "line" => return Some(DefaultDecl::Line),
        _ => text.strip_prefix("values ")?,
    };
    let value = |part: &str| {
        let (leaf, value) = part.split_once('=')?;
        let leaf = LeafId(leaf.parse().ok()?);
        let known = form.leaves().get(usize::from(leaf.0))?;
        known.token.fit(value)?;
        Some((leaf, value.into()))
    };
    let values: Vec<(LeafId, Box<str>)> = values.split(' ').map(value).collect::<Option<_>>()?;
    let ascending = values.windows(2).all(|pair| pair[0].0 < pair[1].0);
    ascending.then_some(DefaultDecl::Values(values))
}

pub(crate) fn decode_entry(
    text: &str,
    line: usize,
    header: &Header,
    like: &[DumpEntry],
) -> Result<DumpEntry, DumpError> {
    let shape = || DumpError::Shape { line };
    let mut fields = text.split('\t');
    let (
        Some(mode),
        Some(form),
        Some(component),
        Some(since),
        Some(key),
        Some(revision),
        Some(default),
        None,
    ) = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    )
    else {
        return Err(shape());
    };
    let known = like
        .binary_search_by(|entry| (entry.mode.as_str(), entry.form.normal()).cmp(&(mode, form)));
    let form = match known {
        Ok(at) => like[at].form.clone(),
        Err(_) => Form::parse(form).map_err(|error| DumpError::Form { line, error })?,
    };
    let component: u16 = component.parse().map_err(|_| shape())?;
    if usize::from(component) >= header.components.len() {
        return Err(shape());
    }
    let alias = key == "alias";
    let key = match key {
        "line" | "alias" => None,
        "" => Some(Vec::new()),
        key => Some(
            key.split(',')
                .map(|leaf| {
                    leaf.parse().ok().filter(|leaf| usize::from(*leaf) < form.leaves().len())
                })
                .collect::<Option<Vec<u16>>>()
                .ok_or_else(shape)?,
        ),
    };
    let since = since.parse().map_err(|_| shape())?;
    let revision = revision.parse().map_err(|_| shape())?;
    let (no, default) = match default.strip_prefix(NO_IS_STATE) {
        Some(default) => (NoMeans::State, default),
        None => (NoMeans::Undo, default),
    };
    let (factory, default) = match default.strip_prefix(FACTORY) {
        Some(rest) => {
            let (digest, default) = rest.split_once(' ').ok_or_else(shape)?;
            let digest = u128::from_str_radix(digest, 16).map_err(|_| shape())?;
            (Some(Digest(digest)), default)
        }
        None => (None, default),
    };
    let default = decode_default(&form, default).ok_or_else(shape)?;
    let mode = mode.to_string();
    Ok(DumpEntry { mode, form, component, since, key, revision, default, no, factory, alias })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::bundled;

    #[test]
    fn a_dump_comes_back_as_it_was_written() {
        let dump = Dump::from_image(&bundled::image("7.1").unwrap());
        assert!(dump.entries.len() > 100);
        let text = dump.encode();
        assert_eq!(Dump::decode(text.as_bytes()).unwrap().encode(), text);
    }

    #[test]
    fn defaults_and_revisions_are_in_the_dump() {
        let text = Dump::from_image(&bundled::image("7.1").unwrap()).encode();
        let default_of = |words: &str| {
            let found = text.lines().find(|line| line.contains(words));
            found.unwrap().rsplit('\t').next().unwrap()
        };
        assert_eq!(default_of("[no] ip icmp redirects"), "line");
        assert_eq!(default_of("[no] ip igmp query-interval"), "values 4=125");
        assert_eq!(default_of("[no] shutdown"), "none");
    }

    #[test]
    fn an_alias_is_in_the_dump_and_makes_no_difference() {
        use crate::diff::Diff;
        use crate::image::Family;
        let dump_of = |more: &str| {
            let table = "family = 'f'\n[[release]]\nname = '1'\nlevels = { a = 1 }\n";
            let command =
                "component = 'a'\n[[command]]\nmode = 'config'\nform = '[no] x (1-9)$n'\n";
            let component = command.to_string() + more;
            let family = Family::parse(&[("family.toml", table), ("a.toml", &component)]);
            Dump::from_image(&family.unwrap().image("1").unwrap())
        };
        let plain = dump_of("");
        let dump = dump_of("[[alias]]\nform = 'y (1-9)$n'\nreads = ['x (1-9)$n']\n");
        let text = dump.encode();
        assert!(text.contains("config\t[no] y (1-9)\t0\t0\talias\t0\tnone\n"), "{text}");
        assert_eq!(Dump::decode(text.as_bytes()).unwrap(), dump);
        assert!(Diff::between(&dump, &plain).is_empty() && Diff::between(&plain, &dump).is_empty());
    }

    #[test]
    fn a_field_that_says_nothing_is_refused() {
        let head = "skewsync-dump 2\nf\t1\tfamily\t1\nc\t1\n1\n";
        let read = |entry: &str| Dump::decode((head.to_string() + entry + "\n").as_bytes());
        assert!(read("config\t[no] x (1-9)\t0\t1\t\t3\tvalues 2=7").is_ok());
        for entry in [
            "config\t[no] x (1-9)\t0\t1\t\t3\tvalues 2=70",
            "config\t[no] x (1-9)\t0\t1\t\t3\tvalues 3=7",
            "config\t[no] x (1-9)\t0\t1\t\t3\tvalues 2=7 2=7",
            "config\t[no] x (1-9)\t0\t1\t\t3\tvalues",
            "config\t[no] x (1-9)\t0\t1\t\t70000\tnone",
            "config\t[no] x (1-9)\t0\t1\t\t3\tnothing",
            "config\t[no] x (1-9)\t0\t1\t",
        ] {
            assert_eq!(read(entry), Err(DumpError::Shape { line: 5 }), "{entry}");
        }
    }

    #[test]
    fn a_dump_cut_at_any_line_is_refused() {
        let text = Dump::from_image(&bundled::image("6.0").unwrap()).encode();
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        for end in &ends[..ends.len() - 1] {
            assert!(Dump::decode(&text.as_bytes()[..*end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn an_announced_size_beyond_the_bound_is_refused() {
        let text = "skewsync-dump 2\nf\t1\tfamily\t5000\n";
        let error = DumpError::TooMany { line: 2, count: 5000, max: COMPONENTS_MAX };
        assert_eq!(Dump::decode(text.as_bytes()), Err(error));
    }
}
