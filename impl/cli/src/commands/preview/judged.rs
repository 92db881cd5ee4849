//! What becomes of each line of a running config, by file and line.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use skewsync::grammar;
use skewsync::ids::{ChangeId, FormId};
use skewsync::image::Image;
use skewsync::parse::{self, WalkUp};
use skewsync::translate::{
    Explained, LineDisposition, ListKey, Listing, Lowering, NotRaised, Raising,
};

use crate::pair::Pair;
use crate::running::{self, Running, key_of, shown};

/// What of one running config reaches the facing image.
///
/// # Shape
/// `lines` is the sum of `as_is` and the lengths of `lowered`, `raised`, `dont_care` and `stuck`:
/// the lines of the running config, entry lines of mode instances among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The file.
    pub config: String,
    /// Whether a byte order mark stood at the file's head; it is no part of what was looked at.
    pub byte_order_mark_skipped: bool,
    /// The Active's image.
    pub active: String,
    /// The facing image.
    pub standby: String,
    /// How many lines were looked at.
    pub lines: usize,
    /// How many go as they are.
    pub as_is: usize,
    /// Lines of the text that say again, or undo, what others say.
    pub said_again: usize,
    /// Whether the Active's command set was imported: it does not say which line replaces which.
    pub keys_unknown: bool,
    /// Lines of forms of which its overlay says nothing: what they replace is not known.
    pub unsaid_by_overlay: usize,
    /// The mismatched command list.
    pub stuck: Vec<Stuck>,
    /// Lines that go in an older syntax.
    pub lowered: Vec<Changed>,
    /// Lines that go as they are, and that the facing image raises.
    pub raised: Vec<Changed>,
    /// Lines that need not go.
    pub dont_care: Vec<DontCare>,
    /// What is sent though no line says it.
    pub absent: Vec<Absent>,
    /// Lines that the Active's own image does not take.
    pub not_taken: Vec<NotTaken>,
    /// How many lines of the text it takes.
    pub taken: usize,
    /// Lines of the text of which later ones left nothing.
    pub overwritten: Vec<Overwritten>,
    /// Lines that it takes as written, with something that is easily overlooked.
    pub remarks: Vec<Remark>,
}

/// A line that cannot go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stuck {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The entry lines around it, joined by ` / `.
    pub at: String,
    /// The line.
    pub text: String,
    /// Its form.
    pub form: String,
    /// Why it cannot go.
    pub why: String,
    /// A line that would.
    pub instead: Option<String>,
}

/// A line that goes, and is something else on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The entry lines around it, joined by ` / `.
    pub at: String,
    /// The line.
    pub text: String,
    /// What it becomes; none: it is told by what is in it, or by a default there.
    pub into: Vec<String>,
    /// The steps: `pim 2 -> 1`.
    pub steps: Vec<String>,
}

/// A line that need not go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DontCare {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The entry lines around it, joined by ` / `.
    pub at: String,
    /// The line.
    pub text: String,
    /// Why it need not be synchronised.
    pub reason: String,
}

/// A line that is sent though none says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// The line, with the entry lines around it.
    pub text: String,
    /// Whether the facing unit makes it; else it is sent.
    pub there: bool,
}

/// A line that the Active's own image does not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotTaken {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// Why the image does not take it.
    pub why: String,
}

/// A line of which a later one left nothing: it sets another value, or takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overwritten {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The line, with the entries before it.
    pub text: String,
    /// The number of the later line.
    pub by_line: usize,
    /// The later line, with the entries before it.
    pub by: String,
}

/// A line that is taken as written, with something that is easily overlooked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Its number in the file, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What: `a no-break space (U+00A0) at column 9`.
    pub what: String,
}

impl Preview {
    /// What of this config reaches the facing image; `name` is the file's, and `text` what stands
    /// after a byte order mark.
    pub fn new(pair: &Pair, name: &str, text: &[u8]) -> Self {
        let running = Running::read(&pair.active, text);
        let lowering = Lowering::new(&pair.active, &pair.at_active, &running.config);
        let explained = lowering.explain(&pair.active, &pair.at_active);
        let (active, standby) = pair.names();
        let mut preview = Self {
            config: name.to_owned(),
            byte_order_mark_skipped: false,
            active,
            standby,
            lines: explained.len(),
            as_is: 0,
            said_again: running.taken.saturating_sub(explained.len()),
            keys_unknown: pair.active.declarations().imported,
            unsaid_by_overlay: unsaid_by_overlay(&pair.active, &running),
            stuck: Vec::new(),
            lowered: Vec::new(),
            raised: Vec::new(),
            dont_care: Vec::new(),
            absent: absent(pair, &lowering, &explained),
            not_taken: running
                .refused
                .iter()
                .map(|refused| NotTaken {
                    line: refused.number,
                    text: refused.line.clone(),
                    why: refused.why(),
                })
                .collect(),
            taken: running.taken,
            overwritten: running.overwritten.iter().map(overwritten).collect(),
            remarks: running.remarks.iter().map(remark).collect(),
        };
        let not_raised = not_raised(pair, &lowering);
        for line in &explained {
            let why = line.out.iter().find_map(|out| not_raised.get(out));
            preview.put(pair, &running, line, why.map(String::as_str));
        }
        preview.stuck.sort_by_key(|line| line.line);
        preview.lowered.sort_by_key(|line| line.line);
        preview.raised.sort_by_key(|line| line.line);
        preview.dont_care.sort_by_key(|line| line.line);
        preview.overwritten.sort_by_key(|line| line.line);
        preview
    }

    fn put(
        &mut self,
        pair: &Pair,
        running: &Running,
        explained: &Explained,
        not_raised: Option<&str>,
    ) {
        let line = running.said.get(&explained.key).map_or(0, |said| said.number);
        let [at, text] = [&explained.key.path, &explained.key.line];
        let [at, text] = [at, text].map(|words| grammar::shown(words).into_owned());
        let form = pair.active.form(explained.form).form.text().to_owned();
        let stuck = |why: String| Stuck {
            line,
            at: at.clone(),
            text: text.clone(),
            form,
            why,
            instead: None,
        };
        let changed = |steps: Vec<String>| Changed {
            line,
            at: at.clone(),
            text: text.clone(),
            into: explained.out.iter().map(shown).collect(),
            steps,
        };
        match (&explained.way, not_raised) {
            (LineDisposition::Stuck(cause), _) => {
                let named = |key: &ListKey| match running.said.get(key) {
                    Some(said) => format!("{}:{}", self.config, said.number),
                    None => shown(key),
                };
                let beside: Vec<String> = explained.beside.iter().map(named).collect();
                let beside = match &*beside {
                    [] => String::new(),
                    all => format!(": {}", all.join(", ")),
                };
                self.stuck.push(stuck(format!("{cause}{beside}")));
            }
            (LineDisposition::DontCare { reason }, _) => {
                self.dont_care.push(DontCare { line, at, text, reason: reason.to_string() });
            }
            (_, Some(why)) => self.stuck.push(stuck(why.to_owned())),
            (LineDisposition::AsIs, None) => self.as_is += 1,
            (LineDisposition::Lowered { chain }, None) => {
                let steps = chain.iter().map(|change| step(&pair.active, *change));
                self.lowered.push(changed(steps.collect()));
            }
            (LineDisposition::Raised, None) => {
                self.raised.push(changed(raise(pair, explained.form)));
            }
        }
    }
}

/// Lines of forms of which an overlay says nothing.
fn unsaid_by_overlay(image: &Image, running: &Running) -> usize {
    if !image.is_over() {
        return 0;
    }
    let unsaid = running.config.lines().filter(|(key, _)| {
        let decl = image.form(key.form);
        decl.imported && decl.pattern.is_none()
    });
    unsaid.count()
}

fn overwritten(overwritten: &running::Overwritten) -> Overwritten {
    let [(line, text), (by_line, by)] = [&overwritten.line, &overwritten.by];
    Overwritten { line: *line, text: text.clone(), by_line: *by_line, by: by.clone() }
}

fn remark(remark: &running::Remark) -> Remark {
    Remark { line: remark.number, text: remark.line.clone(), what: remark.what.clone() }
}

/// A change as the step it takes on the way down: `pim 2 -> 1`.
pub(in crate::commands) fn step(image: &Image, change: ChangeId) -> String {
    let declared = image.declarations();
    let change = &declared.changes[change.0 as usize];
    let component = &declared.components[usize::from(change.component)].name;
    format!("{component} {} -> {}", change.level, change.level.saturating_sub(1))
}

/// The steps that the facing image takes up with lines of this form's component.
pub(in crate::commands) fn raise(pair: &Pair, form: FormId) -> Vec<String> {
    let component = usize::from(pair.active.form(form).component.0);
    let name = &pair.active.declarations().components[component].name;
    let from = pair.at_active.levels()[component];
    let facing = &pair.standby.declarations().components;
    let to = facing.iter().find(|component| component.name == *name);
    let to = to.filter(|to| to.level != from.0);
    to.map(|to| format!("{name} {} -> {} there", from.0, to.level)).into_iter().collect()
}

/// What travels, or is made at the facing unit, though no line of the config became it.
fn absent(pair: &Pair, lowering: &Lowering, explained: &[Explained]) -> Vec<Absent> {
    let said: BTreeSet<&ListKey> = explained.iter().flat_map(|line| &line.out).collect();
    let wire = lowering.wire_config();
    let keys = wire.lines().map(|(key, line)| key_of(&key.place, line.words.text()));
    let sent = keys.filter(|key| !said.contains(key));
    let sent = sent.map(|key| Absent { text: shown(&key), there: false });
    let raised = raised(pair, lowering);
    let made = raised
        .iter()
        .flat_map(|(raising, _)| raising.said_by_absence(&pair.standby, &pair.at_standby));
    sent.chain(made.map(|key| Absent { text: shown(&key), there: true })).collect()
}

/// What the facing unit makes of the wire config, with what it does not raise; none: it does not
/// read it.
fn raised(pair: &Pair, lowering: &Lowering) -> Option<(Raising, Vec<NotRaised>)> {
    let (standby, at_standby) = (&pair.standby, &pair.at_standby);
    let w = Raising::read_w(standby, at_standby, &lowering.wire_bytes()).ok()?;
    Some(Raising::new(standby, at_standby, w, Listing::default()))
}

/// The lines of the wire config that the facing unit does not read or cannot raise, each with the
/// reason.
pub(in crate::commands) fn not_raised(
    pair: &Pair,
    lowering: &Lowering,
) -> BTreeMap<ListKey, String> {
    let bytes = lowering.wire_bytes();
    let there = parse::text(&pair.standby, pair.at_standby.grammar(), &bytes, WalkUp::No);
    let unread =
        there.into_iter().filter_map(|statement| Some((statement.number, statement.found.err()?)));
    let unread: BTreeMap<usize, String> =
        unread.map(|(number, trouble)| (number, format!("not read there: {trouble}"))).collect();
    if !unread.is_empty() {
        let here = parse::text(&pair.active, pair.at_active.grammar(), &bytes, WalkUp::No);
        let named = here.into_iter().filter_map(|statement| {
            let why = unread.get(&statement.number)?.clone();
            let (_, words) = statement.found.ok()?;
            Some((key_of(&statement.place, words.text()), why))
        });
        return named.collect();
    }
    let Some((raising, mismatches)) = raised(pair, lowering) else {
        return BTreeMap::new();
    };
    let all = mismatches.into_iter().chain(raising.unraised(&pair.standby));
    all.map(|mismatch| (mismatch.key, mismatch.cause.to_string())).collect()
}
