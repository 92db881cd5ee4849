//! The differences of two dumps: ADL and SDL, each entry with its residue; as text that travels.
//!
//! Source: seed, step 260; the seed sends only the ADL, see PROTOCOL.md, section 1.

pub mod lines;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::dump::{
    Dump, DumpEntry, DumpError, ENTRIES_MAX, Header, Lines, decode_count, decode_entry,
    decode_header, encode_entry, encode_header,
};
use crate::grammar::{LeafId, Peers, Residue, ResidueLimits, ValueSet};

const HEAD: &str = "skewsync-diff 2";
/// The most intervals of one residue that are read.
const INTERVALS_MAX: usize = 4_096;

/// A form that the other side does not have as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffEntry {
    /// The form.
    pub entry: DumpEntry,
    /// What of it the other side does not accept; `None`: it is accepted, with another level, key,
    /// revision or default.
    pub residue: Residue,
}

/// The differences of two dumps.
///
/// ```
/// use skewsync::{diff::Diff, dump::Dump, image::bundled};
///
/// let dump = |release| Dump::from_image(&bundled::image(release).expect("a bundled release"));
/// let diff = Diff::between(&dump("6.1"), &dump("6.0"));
/// let jumbo = diff.adl.iter().find(|entry| entry.entry.form.normal() == "[no] mtu (68-9216)");
/// assert!(jumbo.unwrap().to_string().ends_with("(of (68-9216): 1501-9216)"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// Of the Active's image.
    pub active: Header,
    /// Of the Standby's image.
    pub standby: Header,
    /// The Active diff list: forms the Active has and the Standby lacks.
    pub adl: Vec<DiffEntry>,
    /// The Standby diff list: the reverse.
    pub sdl: Vec<DiffEntry>,
}

impl Diff {
    /// Compares two dumps, by the language that their forms accept.
    pub fn between(active: &Dump, standby: &Dump) -> Self {
        let same_family = active.header.same_family(&standby.header);
        Self {
            active: active.header.clone(),
            standby: standby.header.clone(),
            adl: one_way(active, standby, same_family),
            sdl: one_way(standby, active, same_family),
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.adl.is_empty() && self.sdl.is_empty()
    }

    /// The diff as text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        writeln!(text, "{HEAD}").expect("a string takes all");
        encode_header(&mut text, &self.active);
        encode_header(&mut text, &self.standby);
        for list in [&self.adl, &self.sdl] {
            writeln!(text, "{}", list.len()).expect("a string takes all");
            for DiffEntry { entry, residue } in list {
                encode_residue(&mut text, residue);
                text.push('\t');
                encode_entry(&mut text, entry);
                text.push('\n');
            }
        }
        text
    }

    /// Reads a diff's bytes.
    ///
    /// # Errors
    /// See [`DumpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DumpError> {
        let text = core::str::from_utf8(bytes).map_err(|_| DumpError::Head)?;
        let mut lines = Lines::new(text);
        if lines.next() != Some(HEAD) {
            return Err(DumpError::Head);
        }
        let active = decode_header(&mut lines)?;
        let standby = decode_header(&mut lines)?;
        let adl = decode_list(&mut lines, &active)?;
        let sdl = decode_list(&mut lines, &standby)?;
        match lines.next() {
            None => Ok(Self { active, standby, adl, sdl }),
            Some(_) => Err(lines.shape()),
        }
    }
}

fn one_way(own: &Dump, peer: &Dump, same_family: bool) -> Vec<DiffEntry> {
    let name = |dump: &Dump, entry: &DumpEntry| {
        dump.header.components.get(usize::from(entry.component)).map(|of| of.name.clone())
    };
    let alike = |theirs: &DumpEntry, ours: &DumpEntry| {
        name(peer, theirs) == name(own, ours) && alike(theirs, ours)
    };
    let (own, peer) = (&own.entries, &peer.entries);
    let mut by_mode: BTreeMap<&str, Vec<&DumpEntry>> = BTreeMap::new();
    // No line of an alias is kept or sent.
    for entry in peer.iter().filter(|entry| !entry.alias) {
        by_mode.entry(&entry.mode).or_default().push(entry);
    }
    // Compiled when the first form of the mode that the peer does not have as it is comes up.
    let mut compiled: BTreeMap<&str, Peers<'_>> = BTreeMap::new();
    let mut differ = Vec::new();
    for entry in own.iter().filter(|entry| !entry.alias) {
        let peers = by_mode.get(entry.mode.as_str()).map_or(&[][..], Vec::as_slice);
        // Both dumps are in canonical order, so the same form is found by halving.
        let same =
            peers.binary_search_by(|peer| peer.form.cmp(&entry.form)).ok().map(|at| peers[at]);
        let residue = match same {
            Some(same) if !same_family || alike(same, entry) => continue,
            Some(_) => Residue::None,
            None => {
                let peers = compiled
                    .entry(&entry.mode)
                    .or_insert_with(|| Peers::new(peers.iter().map(|peer| &peer.form)));
                match peers.residue(&entry.form, &ResidueLimits::default()) {
                    Residue::None => continue,
                    residue => residue,
                }
            }
        };
        differ.push(DiffEntry { entry: entry.clone(), residue });
    }
    differ
}

fn alike(one: &DumpEntry, other: &DumpEntry) -> bool {
    let attributes = |entry: &DumpEntry| (entry.since, entry.revision, entry.no, entry.factory);
    attributes(one) == attributes(other) && one.key == other.key && one.default == other.default
}

fn encode_residue(text: &mut String, residue: &Residue) {
    match residue {
        Residue::None => text.push_str("attributes"),
        Residue::Whole => text.push_str("whole"),
        Residue::Undetermined => text.push_str("undetermined"),
        Residue::Values { leaf, fail } => {
            let intervals = fail.0.iter().map(|(min, max)| alloc::format!("{min}:{max}"));
            let intervals = intervals.collect::<Vec<_>>().join(",");
            write!(text, "values {} {intervals}", leaf.0).expect("a string takes all");
        }
    }
}

fn decode_residue(text: &str) -> Option<Residue> {
    match text {
        "attributes" => return Some(Residue::None),
        "whole" => return Some(Residue::Whole),
        "undetermined" => return Some(Residue::Undetermined),
        _ => {}
    }
    let (leaf, intervals) = text.strip_prefix("values ")?.split_once(' ')?;
    let mut fail = ValueSet::default();
    for interval in intervals.split(',').take(INTERVALS_MAX) {
        let (min, max) = interval.split_once(':')?;
        fail.0.push((min.parse().ok()?, max.parse().ok()?));
    }
    Some(Residue::Values { leaf: LeafId(leaf.parse().ok()?), fail })
}

fn decode_list(lines: &mut Lines<'_>, header: &Header) -> Result<Vec<DiffEntry>, DumpError> {
    let count = decode_count(lines, ENTRIES_MAX)?;
    let mut list = Vec::new();
    for _ in 0..count {
        let short = DumpError::Short { found: list.len(), announced: count };
        let line = lines.next().ok_or(short)?;
        let (residue, entry) = line.split_once('\t').ok_or(lines.shape())?;
        let residue = decode_residue(residue).ok_or(lines.shape())?;
        let entry = decode_entry(entry, lines.number, header, &[])?;
        if let Residue::Values { leaf, .. } = &residue
            && usize::from(leaf.0) >= entry.form.leaves().len()
        {
            return Err(lines.shape());
        }
        list.push(DiffEntry { entry, residue });
    }
    Ok(list)
}

impl core::fmt::Display for DiffEntry {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} / {}", self.entry.mode, self.entry.form.normal())?;
        match &self.residue {
            Residue::None => {
                f.write_str("   (another level, key, revision, default or meaning of `no`)")
            }
            Residue::Whole => Ok(()),
            Residue::Undetermined => f.write_str("   (in part)"),
            Residue::Values { leaf, fail } => {
                let token = self.entry.form.leaf(*leaf).token.to_string();
                let values = fail.0.iter().map(|(min, max)| alloc::format!("{min}-{max}"));
                write!(f, "   (of {token}: {})", values.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::bundled;

    fn between(active: &str, standby: &str) -> Diff {
        let dump = |release| Dump::from_image(&bundled::image(release).unwrap());
        Diff::between(&dump(active), &dump(standby))
    }

    #[test]
    fn an_image_does_not_differ_from_itself() {
        assert!(between("6.2", "6.2").is_empty());
    }

    #[test]
    fn a_widened_range_stands_on_the_list_of_the_wider_side() {
        let diff = between("6.1", "6.0");
        let mtu = diff.adl.iter().find(|entry| entry.entry.form.normal().contains("mtu")).unwrap();
        let Residue::Values { fail, .. } = &mtu.residue else { panic!("{:?}", mtu.residue) };
        assert_eq!(fail.0, [(1501, 9216)]);
        let back = between("6.0", "6.1");
        assert!(!back.adl.iter().any(|entry| entry.entry.form.normal().contains("mtu")));
    }

    #[test]
    fn a_split_stands_on_both_lists() {
        let diff = between("7.1", "7.0");
        let has = |list: &[DiffEntry], form: &str| {
            list.iter().any(|entry| entry.entry.form.normal() == form)
        };
        assert!(has(&diff.adl, "[no] log neighbor up"));
        assert!(has(&diff.sdl, "[no] log neighbor-changes"));
    }

    #[test]
    fn another_default_or_revision_differs_within_a_family_only() {
        let dump = Dump::from_image(&bundled::image("6.2").unwrap());
        let at = |dump: &Dump| {
            let wanted = |entry: &DumpEntry| entry.form.normal() == "[no] ip proxy-arp";
            dump.entries.iter().position(wanted).unwrap()
        };
        let mut revised = dump.clone();
        let place = at(&revised);
        revised.entries[place].revision = 1;
        let mut other = dump.clone();
        other.entries[place].default = crate::image::DefaultDecl::None;
        for mut changed in [revised, other] {
            let diff = Diff::between(&dump, &changed);
            assert_eq!((diff.adl.len(), diff.sdl.len()), (1, 1));
            assert_eq!(diff.adl[0].residue, Residue::None);
            assert_eq!(Diff::decode(diff.encode().as_bytes()), Ok(diff));
            changed.header.family = "another".into();
            assert!(Diff::between(&dump, &changed).is_empty());
        }
    }

    #[test]
    fn a_diff_comes_back_as_it_was_written() {
        let diff = between("7.1", "6.0");
        let text = diff.encode();
        assert_eq!(Diff::decode(text.as_bytes()).unwrap().encode(), text);
        assert!(Diff::decode(&text.as_bytes()[..text.len() / 2]).is_err());
    }
}
