//! The reference translation: what W and S of a config are, and which lines cannot go, stated a
//! second time. It uses grammar, image, parse and config, and nothing of transform, disposition or
//! translate.
//!
//! A config passes one change at a time, in the family's one order, down to the minima of both
//! images' levels, then up. A change is applied wherever its side matches, never because a parser
//! refused; W is read by the peer's parser at the end. Of images without history a line goes if and
//! only if the peer's parser reads it as the corresponding form.

mod beside;
mod change;
mod kept;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use skewsync::config::{Config, EntryKind, Line, LineKey};
use skewsync::digest::ImageDigest;
use skewsync::grammar::{Form, Words, split_words};
use skewsync::ids::{FormId, Level, ModeId};
use skewsync::image::{DontCare, Grammar, Image};
use skewsync::parse::{self, Place};
use skewsync::translate::complement::Complements;

use change::{Change, Going};
use kept::Due;

/// What a config of the Active comes to at the Standby.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The wire config, in the Active's forms.
    pub wire: Config,
    /// The Standby's config.
    pub standby: Config,
    /// The lines and the mode instances that cannot go: the MCL. By words: the entry lines of the
    /// instances around, joined by ` / `, and the line.
    pub listed: BTreeSet<(String, String)>,
    /// The lines of the wire config that the Standby does not raise, or not yet, for what stands
    /// beside them there. In the same way, by the words in which they travel.
    pub unraised: BTreeSet<(String, String)>,
    /// What becomes of each line of the Active's config.
    pub lines: Vec<Fared>,
}

/// What becomes of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fared {
    /// Where it stands, as in `listed`.
    pub path: String,
    /// The line.
    pub line: String,
    /// What becomes of it.
    pub way: Way,
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is in these lines of the Standby's config.
    Goes(Vec<LineKey>),
    /// It need not go.
    DontCare,
    /// It cannot go, or not all of it.
    Listed,
    /// It is sent, and the Standby does not raise it, or not all of it.
    Unraised,
}

/// One line of a config on its way, in the forms of one image.
#[derive(Clone, Debug)]
struct Carried {
    place: Place,
    form: FormId,
    words: Words,
    /// The lines that it was made of, by number.
    from: Vec<usize>,
    /// Where it stands in the document, as of the beginning of the step.
    at: At,
    /// Whether it is for the Standby to say that it comes no further.
    free: bool,
}

/// Where something stands in the document: what it came from first, and of several from one its
/// number.
type At = (usize, usize);

/// An instance that was entered.
#[derive(Clone, Debug)]
struct Entered {
    /// Its number among those of the config.
    number: usize,
    /// Where it stands now; none: nowhere.
    place: Option<Place>,
    /// What its entry says has no place on the way: nothing that comes later gives it one.
    is_unsayable: bool,
    /// Where its entry stands in the document.
    at: At,
}

/// What stands in one place, while a document is put together.
#[derive(Default)]
struct Tree {
    /// Which of the instances that were entered it is, if it is one.
    entered: Option<usize>,
    /// Where its entry stands, or what stands first in it.
    at: Option<At>,
    /// Its lines, by number.
    lines: Vec<usize>,
    inner: BTreeMap<(FormId, Words), Self>,
}

/// A config between two changes.
#[derive(Clone, Debug, Default)]
struct Rung {
    levels: Vec<Level>,
    /// The lines, as they stand in the document.
    lines: Vec<Carried>,
    /// The instances that were entered.
    entered: Vec<Entered>,
    /// Lines that came no further, each with the names of the values for which it did not; none:
    /// for another reason.
    ends: Vec<(Carried, Vec<String>)>,
    /// Lines that came no further for what stands beside them, or does not.
    short: Vec<Carried>,
    /// Lines that were made of others, and are said here by being absent.
    silent: Vec<Carried>,
    /// What is absent here since it came no further, by place and form.
    withheld: Vec<(Place, FormId)>,
    /// Forms of which nothing could be said where the way began, or on it.
    unborn: BTreeSet<FormId>,
    /// Instances that the step at hand names otherwise: what they were called, and what they are.
    renamed: Vec<(Place, Place)>,
}

/// What else decides what a config comes to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// What the Active keeps from before it acted.
    pub owed: Option<&'a Complements>,
    /// Whether the Active puts back of that what it can on the way down.
    pub puts_down: bool,
    /// Whether the Standby puts back what it is given of that.
    pub puts_back: bool,
    /// Lines of W that the Standby holds out of its config, by words.
    pub held: Option<&'a BTreeSet<(String, String)>>,
}

/// The translation between the units of two images.
#[derive(Clone, Debug)]
pub struct Reference<'a> {
    active: &'a Image,
    standby: &'a Image,
    tables: Arc<Tables>,
}

/// What of two images does not depend on a config.
#[derive(Debug)]
struct Tables {
    /// The levels of W, by the Active's components; none for images that share no history.
    wire: Option<Vec<Level>>,
    /// The same by the Standby's.
    wire_there: Vec<Level>,
    /// The Standby's forms that live at those levels.
    grammar: Grammar,
    down: Vec<Change>,
    up: Vec<Change>,
    /// The Active's forms of which lines need not go.
    cares_not: BTreeSet<FormId>,
}

/// What an image pair is known by.
type PairKey = (ImageDigest, ImageDigest);

/// A function of its key, so that sharing it between runs and threads changes no run.
static TABLES: Mutex<BTreeMap<PairKey, Arc<Tables>>> = Mutex::new(BTreeMap::new());

impl<'a> Reference<'a> {
    /// The translation from an Active of the one image to a Standby of the other.
    pub fn between(active: &'a Image, standby: &'a Image) -> Self {
        let key = (active.digest(), standby.digest());
        let mut all = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = all.entry(key).or_insert_with(|| Arc::new(Tables::between(active, standby)));
        Self { active, standby, tables: Arc::clone(tables) }
    }

    /// The same of images that are looked at once: nothing of them is remembered.
    pub fn apart(active: &'a Image, standby: &'a Image) -> Self {
        Self { active, standby, tables: Arc::new(Tables::between(active, standby)) }
    }

    /// What `a` comes to.
    pub fn translate(&self, a: &Config) -> Translated {
        self.translate_beside(a, &Beside::default())
    }

    /// What `a` comes to beside what else is known of the pair.
    pub fn translate_beside(&self, a: &Config, beside: &Beside<'_>) -> Translated {
        let given = Rung::from_config(a);
        if self.active.digest() == self.standby.digest() {
            return self.same(a, given);
        }
        let nothing = Complements::new();
        let owed = beside.owed.unwrap_or(&nothing);
        let there_again = if beside.puts_back { owed } else { &nothing };
        let owed = if beside.puts_down { owed } else { &nothing };
        let mut halves: BTreeSet<usize> = BTreeSet::new();
        loop {
            match self.translate_without(a, &given, (owed, there_again), beside.held, &halves) {
                Ok(translated) => return translated,
                Err(more) => halves.extend(more),
            }
        }
    }

    /// What a config comes to without those of its lines of which only a part would go; else more
    /// lines that would go in part.
    fn translate_without(
        &self,
        a: &Config,
        given: &Rung,
        (owed, there_again): (&Complements, &Complements),
        held: Option<&BTreeSet<(String, String)>>,
        halves: &BTreeSet<usize>,
    ) -> Result<Translated, BTreeSet<usize>> {
        let mut rung = given.clone();
        let kept_out: Vec<Carried> =
            rung.lines.extract_if(.., |line| halves.contains(&line.from[0])).collect();
        rung.withheld = kept_out.iter().map(|line| (line.place.clone(), line.form)).collect();
        let mut due = Due::down(owed, self.active);
        for step in self.tables.down.chunk_by(Change::same_step).rev() {
            let mut places = rung.places();
            for change in step.iter().rev() {
                change.apply(self.active, Going::Down, (&mut places, &[]), owed, &mut rung);
            }
            rung.renamed.clear();
            rung.put_together();
            due.put_back(self.active, &mut rung);
        }
        // What is said by being absent comes no further, where there is no such line.
        let lives = |line: &Carried| {
            let decl = self.active.form(line.form);
            decl.lives_at(rung.levels[usize::from(decl.component.0)])
        };
        let gone: Vec<Carried> = rung.silent.iter().filter(|line| !lives(line)).cloned().collect();
        rung.ends.extend(gone.into_iter().map(|line| (line, Vec::new())));
        // What comes no further at the Standby is not sent.
        let mut unread = Unread::default();
        // What the Standby would read as another line than it was made stays out.
        let mut misread: BTreeSet<usize> = BTreeSet::new();
        // What would be raised in part stays out whole.
        let mut half_up: BTreeSet<usize> = BTreeSet::new();
        let (there, up) = loop {
            let there = self.read_by_peer(&rung, &mut unread);
            let mut up = there.clone();
            let kept_out = up.lines.extract_if(.., |line| {
                let by_words = || (path(&line.place), line.words.text().to_string());
                let is_out = |number: &usize| misread.contains(number) || half_up.contains(number);
                line.from.iter().any(is_out) || held.is_some_and(|held| held.contains(&by_words()))
            });
            let kept_out = kept_out.map(|line| (line.place, line.form));
            up.withheld = kept_out.collect();
            let reached = self.tables.down.iter().map(Change::makes);
            let reached = reached.map(|(component, level)| (component, level - 1));
            let mut due = Due::up(there_again, self.active, reached);
            due.put_back(self.standby, &mut up);
            let mut later = &self.tables.up[..];
            for step in self.tables.up.chunk_by(Change::same_step) {
                let mut places = up.places();
                for change in step {
                    later = &later[1..];
                    let places = (&mut places, later);
                    change.apply(self.standby, Going::Up, places, there_again, &mut up);
                }
                up.renamed.clear();
                up.put_together();
                due.put_back(self.standby, &mut up);
            }
            // What absence says is of no line.
            up.ends.retain(|(line, _)| !line.from.is_empty());
            let given =
                |entered: &&Entered| entered.is_unsayable && entered.number < rung.entered.len();
            let unsayable = up.entered.iter().filter(given);
            let unsayable: Vec<usize> = unsayable.map(|entered| entered.number).collect();
            if up.ends.is_empty() && unsayable.is_empty() {
                let goes: BTreeSet<usize> =
                    up.lines.iter().flat_map(|line| line.from.iter().copied()).collect();
                let waits = up.short.iter().flat_map(|line| line.from.iter().copied());
                let before = half_up.len();
                half_up.extend(waits.filter(|number| goes.contains(number)));
                if half_up.len() > before {
                    // What is held out later does not bring back what came no further.
                    half_up.extend(up.short.iter().flat_map(|line| line.from.iter().copied()));
                    continue;
                }
                let other = up.lines.iter().filter(|line| !self.is_read_as_made(line));
                let other: Vec<&Carried> = other.filter(|line| !line.from.is_empty()).collect();
                if other.is_empty() {
                    let refused = beside::refused(self.standby, &up.lines);
                    let before = misread.len();
                    misread.extend(refused.iter().flat_map(|line| up.lines[*line].from.clone()));
                    if misread.len() == before {
                        beside::put_behind_needs(self.standby, &mut up);
                        break (there, up);
                    }
                    half_up.clear();
                    continue;
                }
                half_up.clear();
                for line in other {
                    if self.tables.up.iter().any(|change| change.is_about(line.form)) {
                        misread.extend(&line.from);
                    } else {
                        unread.lines.extend(&line.from);
                    }
                }
                continue;
            }
            half_up.clear();
            unread.nameless.extend(unsayable);
            for (line, names) in &up.ends {
                let carries = |number: &usize| {
                    let form = there.lines.iter().find(|line| line.from == [*number]);
                    let form = form.map(|line| &self.standby.form(line.form).form);
                    form.is_some_and(|form| names.iter().any(|name| form.carries(name)))
                };
                let mut to_blame: Vec<usize> = line.from.iter().copied().filter(carries).collect();
                if to_blame.is_empty() {
                    to_blame.clone_from(&line.from);
                }
                unread.lines.extend(to_blame);
            }
        };
        let short = up.short.iter().flat_map(|line| line.from.iter().copied());
        let short: BTreeSet<usize> = short.chain(misread).chain(half_up).collect();
        let by_words = |number: &usize| {
            let line = &rung.lines[*number];
            (path(&line.place), line.words.text().to_string())
        };
        let mut unraised: BTreeSet<(String, String)> = short.iter().map(by_words).collect();
        // An instance that has no name there, of which nothing goes.
        let named: BTreeSet<usize> = up
            .entered
            .iter()
            .filter(|entered| entered.place.is_some())
            .map(|entered| entered.number)
            .collect();
        for entered in there.entered.iter().filter(|entered| !named.contains(&entered.number)) {
            let Some(place) = &entered.place else { continue };
            let known = unread.ended.contains(&entered.number);
            let mut within = there.lines.iter().filter(|line| line.place.is_within(place));
            let stays = within.all(|line| line.from.iter().all(|number| short.contains(number)));
            let told = !known && stays;
            if let (true, Some(((_, words), around))) = (told, place.instances().split_last()) {
                unraised.insert((joined(around), words.text().to_string()));
            }
        }
        let sent = |number: &usize| !unread.lines.contains(number);
        let (sent_lines, held): (Vec<_>, Vec<_>) =
            rung.lines.into_iter().enumerate().partition(|(number, _)| sent(number));
        let held = held.into_iter().map(|(_, line)| line);
        let ends = rung.ends.into_iter().map(|(line, _)| line);
        let mut ends: Vec<Carried> = ends.chain(held).collect();
        let mut more = self.halves(given, &sent_lines, &ends);
        if !more.is_empty() {
            // What is held out later does not bring back what came no further.
            let ends = ends.iter().filter(|end| !self.tables.cares_not.contains(&end.form));
            more.extend(ends.flat_map(|end| end.from.iter().copied()));
            return Err(more);
        }
        ends.extend(kept_out);
        let made_of: BTreeMap<usize, Vec<usize>> =
            sent_lines.iter().map(|(number, line)| (*number, line.from.clone())).collect();
        let stands: BTreeSet<usize> = there.entered.iter().map(|entered| entered.number).collect();
        let mut w = Rung {
            levels: self.tables.wire.clone().unwrap_or_else(|| a.levels().to_vec()),
            lines: sent_lines.into_iter().map(|(_, line)| line).collect(),
            entered: rung
                .entered
                .into_iter()
                .filter(|entered| stands.contains(&entered.number))
                .collect(),
            ..Rung::default()
        };
        let stopped: BTreeSet<usize> =
            short.iter().flat_map(|number| &made_of[number]).copied().collect();
        w.put_together();
        let (lines, listed) =
            self.fares(given, (&ends, &stopped), &up, &made_of, (&stands, &unread.ended));
        let (wire, standby) = (w.config(self.active), up.config(self.standby));
        Ok(Translated { wire, standby, listed, unraised, lines })
    }

    /// The lines, by number, of which a part is sent and a part comes no further, though it should.
    fn halves(&self, given: &Rung, sent: &[(usize, Carried)], ends: &[Carried]) -> BTreeSet<usize> {
        let cares_not = |form: FormId| self.tables.cares_not.contains(&form);
        let goes: BTreeSet<usize> =
            sent.iter().flat_map(|(_, line)| line.from.iter().copied()).collect();
        let ends = ends.iter().filter(|end| !cares_not(end.form));
        let ended = ends.flat_map(|end| end.from.iter().copied());
        ended
            .filter(|number| goes.contains(number) && !cares_not(given.lines[*number].form))
            .collect()
    }

    /// Between equal images everything goes as it is.
    fn same(&self, a: &Config, given: Rung) -> Translated {
        let lines = given.lines.iter().map(|line| Fared {
            path: path(&line.place),
            line: line.words.text().to_string(),
            way: Way::Goes(vec![line.key(self.active)]),
        });
        Translated {
            lines: lines.collect(),
            wire: a.clone(),
            standby: a.clone(),
            listed: BTreeSet::new(),
            unraised: BTreeSet::new(),
        }
    }

    /// W as the peer reads it. Each line says by number of which line of `rung` it is.
    fn read_by_peer(&self, rung: &Rung, unread: &mut Unread) -> Rung {
        let mut there = Rung { levels: self.tables.wire_there.clone(), ..Rung::default() };
        for (number, line) in rung.lines.iter().enumerate() {
            if unread.lines.contains(&number) {
                continue;
            }
            let read = self.place_read_by_peer(&line.place).and_then(|place| {
                let (form, words) = self.at_peer(&place, line.form, &line.words)?;
                Some((place, form, words))
            });
            let reads = |form: FormId| {
                let at = self.tables.up.iter().position(|change| change.reads(form))?;
                Some((&self.tables.up[at], &self.tables.up[at + 1..]))
            };
            // What is given up on the way, whatever it says, is not sent.
            let is_kept = |form: FormId| self.stays_at_peer(form);
            match read.filter(|(_, form, _)| is_kept(*form)) {
                Some((place, form, words)) => {
                    let from = vec![number];
                    let free = reads(form).is_some_and(|(first, later)| {
                        first.tells_absence(self.standby, later, form)
                    });
                    there.lines.push(Carried { place, form, words, from, at: line.at, free });
                }
                None => {
                    unread.lines.insert(number);
                }
            }
        }
        for entered in &rung.entered {
            let Some(place) = &entered.place else { continue };
            if unread.nameless.contains(&entered.number) {
                continue;
            }
            let stays = self.place_at_peer(place, unread);
            // One that ends on the way is there for what leaves it before.
            let carries = |place: &Place| {
                let mut entries = place.instances().iter();
                entries.all(|(entry, _)| self.stays_at_peer(*entry) || self.is_left(*entry))
            };
            let ends = self.place_read_by_peer(place).filter(|at| stays.is_none() && carries(at));
            match ends {
                Some(_) => unread.ended.insert(entered.number),
                None => unread.ended.remove(&entered.number),
            };
            if let Some(place) = stays.or(ends) {
                there.entered.push(Entered { place: Some(place), ..entered.clone() });
            }
        }
        // Its parser enters what it reads, whoever made it.
        there.put_together();
        there.enter_all();
        there.put_together();
        there
    }

    /// Where the peer stands after these entry lines.
    fn place_at_peer(&self, place: &Place, unread: &mut Unread) -> Option<Place> {
        if let Some(known) = unread.places.get(place) {
            return known.clone();
        }
        let read = || {
            let at = self.place_read_by_peer(place)?;
            // Nor is an instance of a mode that is given up on the way, but for what leaves it.
            let stays = at.instances().iter().all(|(form, _)| self.stays_at_peer(*form));
            stays.then_some(at)
        };
        let read = read();
        unread.places.insert(place.clone(), read.clone());
        read
    }

    /// Whether lines of a form of W do not all end on the way up.
    fn stays_at_peer(&self, form: FormId) -> bool {
        !Change::gives_up(self.standby, &self.tables.up, form)
    }

    /// Whether some lines of W leave the mode of this entry before it ends.
    fn is_left(&self, entry: FormId) -> bool {
        let mode = self.standby.form(entry).enters;
        let is_within = |at: ModeId| {
            std::iter::successors(Some(at), |at| self.standby.parent(*at))
                .any(|at| Some(at) == mode)
        };
        let is_read = |form: FormId| self.tables.up.iter().any(|change| change.reads(form));
        let mut there = self.standby.forms().filter(|(_, decl)| {
            decl.lives_at(self.tables.wire_there[usize::from(decl.component.0)])
                && is_within(decl.mode)
        });
        there.any(|(form, _)| is_read(form) && self.stays_at_peer(form))
    }

    /// The same, also in modes that are given up on the way.
    fn place_read_by_peer(&self, place: &Place) -> Option<Place> {
        let mut at = Place::root();
        for (form, words) in place.instances() {
            let (form, words) = self.at_peer(&at, *form, words)?;
            at = at.child(form, words);
        }
        let same_mode = self.standby.mode_name(at.mode(self.standby))
            == self.active.mode_name(place.mode(self.active));
        same_mode.then_some(at)
    }

    /// The line as the peer's parser reads it, if it reads the corresponding form, word for word.
    fn at_peer(&self, at: &Place, form: FormId, words: &Words) -> Option<(FormId, Words)> {
        let given: Vec<&str> = split_words(words.text()).collect();
        let mode = at.mode(self.standby);
        let (found, read) = parse::words(self.standby, &self.tables.grammar, mode, &given).ok()?;
        // Without history, the corresponding form is the one that reads the very same words.
        let corresponds = match self.tables.wire {
            None => read.text() == words.text(),
            Some(_) => {
                self.active.form(form).form == self.standby.form(found).form && read == *words
            }
        };
        corresponds.then_some((found, read))
    }

    /// Whether the Standby's own parser reads a line, and the entries around it, as what they were
    /// made.
    fn is_read_as_made(&self, line: &Carried) -> bool {
        let made = (line.form, line.words.clone());
        line.place.instances().iter().chain([&made]).all(|(form, words)| {
            let given: Vec<&str> = split_words(words.text()).collect();
            let mode = self.standby.form(*form).mode;
            let read = parse::words(self.standby, self.standby.own(), mode, &given);
            read.is_ok_and(|read| read == (*form, words.clone()))
        })
    }

    /// What became of each line, and what is listed.
    fn fares(
        &self,
        given: &Rung,
        (ends, stopped): (&[Carried], &BTreeSet<usize>),
        up: &Rung,
        made_of: &BTreeMap<usize, Vec<usize>>,
        (stands, ended_on_way): (&BTreeSet<usize>, &BTreeSet<usize>),
    ) -> (Vec<Fared>, BTreeSet<(String, String)>) {
        let cares_not = |form: FormId| self.tables.cares_not.contains(&form);
        let mut goes: Vec<Vec<LineKey>> = vec![Vec::new(); given.lines.len()];
        for line in &up.lines {
            let sources = line.from.iter().flat_map(|number| &made_of[number]);
            for source in sources {
                goes[*source].push(line.key(self.standby));
            }
        }
        let mut ended: Vec<Option<Way>> = vec![None; given.lines.len()];
        for end in ends {
            for source in &end.from {
                let line = &given.lines[*source];
                let free = cares_not(end.form) || cares_not(line.form);
                if !free || ended[*source].is_none() {
                    ended[*source] = Some(if free { Way::DontCare } else { Way::Listed });
                }
            }
        }
        let mut listed = BTreeSet::new();
        let mut lines = Vec::new();
        let mut full: Vec<&Place> = Vec::new();
        for (number, ((line, goes), ended)) in given.lines.iter().zip(goes).zip(ended).enumerate() {
            let stops = stopped.contains(&number);
            if !goes.is_empty() || stops || ended.is_none() {
                full.push(&line.place);
            }
            let sent = if stops { Way::Unraised } else { Way::Goes(goes) };
            let fared = Fared {
                path: path(&line.place),
                line: line.words.text().to_string(),
                way: ended.unwrap_or(sent),
            };
            if fared.way == Way::Listed {
                listed.insert((fared.path.clone(), fared.line.clone()));
            }
            lines.push(fared);
        }
        for Entered { number, place, .. } in &given.entered {
            let place = place.as_ref().expect("an instance stands where it is given");
            let told = full.iter().any(|inner| inner.is_within(place));
            let ((entry, words), around) =
                place.instances().split_last().expect("the root is no instance");
            let arrives = stands.contains(number) || told;
            if (!arrives || ended_on_way.contains(number)) && !cares_not(*entry) {
                listed.insert((joined(around), words.text().to_string()));
            }
        }
        (lines, listed)
    }
}

impl Tables {
    fn between(active: &Image, standby: &Image) -> Self {
        let (here, there) = (active.declarations(), standby.declarations());
        let one_family = !here.imported && !there.imported && here.family == there.family;
        let cares_not = cares_not(active, standby);
        if !one_family {
            return Self {
                wire: None,
                wire_there: standby.levels().to_vec(),
                grammar: standby.own().clone(),
                down: Vec::new(),
                up: Vec::new(),
                cares_not,
            };
        }
        let minima = |own: &Image, peer: &Image| -> Vec<Level> {
            let own = own.declarations().components.iter();
            own.map(|component| Level(component.level.min(level_of(peer, &component.name))))
                .collect()
        };
        // On either way a step names instances otherwise before all else. The way down begins at
        // the end.
        let between = |image: &Image, wire: &[Level], going: Going| -> Vec<Change> {
            let mut changes = Change::all(image);
            changes.retain(|change| {
                let (component, level) = change.makes();
                wire[component].0 < level && level <= image.levels()[component].0
            });
            for step in changes.chunk_by_mut(Change::same_step) {
                step.sort_by_key(|change| change.is_of_entry(image) == (going == Going::Down));
            }
            changes
        };
        let wire = minima(active, standby);
        let wire_there = minima(standby, active);
        Self {
            grammar: standby.grammar(&wire_there),
            down: between(active, &wire, Going::Down),
            up: between(standby, &wire_there, Going::Up),
            wire: Some(wire),
            wire_there,
            cares_not,
        }
    }
}

/// The level of a component in an image; 0 where it has none of that name.
fn level_of(image: &Image, name: &str) -> u16 {
    let mut components = image.declarations().components.iter();
    components.find(|component| component.name == *name).map_or(0, |component| component.level)
}

/// The Active's forms that a don't-care entry of either image names, facing the other.
fn cares_not(active: &Image, standby: &Image) -> BTreeSet<FormId> {
    let holding = |own: &Image, peer: &Image| -> Vec<(String, Form)> {
        let declared = own.declarations();
        let below = |entry: &&DontCare| {
            let name = &declared.components[usize::from(entry.component)].name;
            let facing = level_of(peer, name);
            entry.facing_below.is_none_or(|below| facing < below)
        };
        let holding = declared.dont_cares.iter().filter(below);
        holding
            .map(|entry| {
                let form = Form::parse(&entry.form).expect("a declared form");
                (entry.mode.clone(), form)
            })
            .collect()
    };
    let mut entries = holding(active, standby);
    entries.extend(holding(standby, active));
    let named = active.forms().filter(|(_, decl)| {
        let mode = active.mode_name(decl.mode);
        let of = |(named, form): &(String, Form)| named == mode && *form == decl.form;
        entries.iter().any(of)
    });
    named.map(|(form, _)| form).collect()
}

/// What of W is not sent, and what of its places is known.
#[derive(Default)]
struct Unread {
    lines: BTreeSet<usize>,
    places: BTreeMap<Place, Option<Place>>,
    /// Instances, by number, that are sent for what is in them alone.
    ended: BTreeSet<usize>,
    /// Instances, by number, whose entry says what has no place there.
    nameless: BTreeSet<usize>,
}

impl Carried {
    fn key(&self, image: &Image) -> LineKey {
        Line::new(image, self.place.clone(), self.form, self.words.clone()).0
    }
}

impl Rung {
    /// A config as it is given.
    fn from_config(config: &Config) -> Self {
        let mut rung = Self { levels: config.levels().to_vec(), ..Self::default() };
        rung.read(config, &Place::root(), &mut 0);
        rung
    }

    /// Takes in what stands in `place`, as it stands in the document.
    fn read(&mut self, config: &Config, place: &Place, at: &mut usize) {
        for item in config.items(place) {
            *at += 1;
            if let Some(key) = item.line_in(place) {
                let words = config.line(&key).expect("a line of the config").words.clone();
                let from = vec![self.lines.len()];
                let LineKey { place, form, .. } = key;
                self.lines.push(Carried { place, form, words, from, at: (*at, 0), free: false });
            } else if let Some(inner) = item.place_in(place) {
                if config.entry(&inner) == Some(EntryKind::Entered) {
                    let number = self.entered.len();
                    let place = Some(inner.clone());
                    let at = (*at, 0);
                    self.entered.push(Entered { number, place, is_unsayable: false, at });
                }
                self.read(config, &inner, at);
            }
        }
    }

    /// Puts together the document that this is: what stands in one place goes by what it came from
    /// first; an instance goes by its entry, or by what is in it if nobody entered it.
    fn put_together(&mut self) {
        let mut tree = Tree::default();
        for (number, entered) in self.entered.iter().enumerate() {
            if let Some(place) = &entered.place {
                let tree = tree.grow(place, entered.at);
                (tree.entered, tree.at) = (Some(number), Some(entered.at));
            }
        }
        for (number, line) in self.lines.iter().enumerate() {
            tree.grow(&line.place, line.at).lines.push(number);
        }
        tree.walk(self, &mut 0);
        self.lines.sort_by_key(|line| line.at);
        self.entered.sort_by_key(|entered| entered.at);
    }

    /// What a place of the beginning of the step is called by now.
    fn named_now(&self, place: &Place) -> Place {
        let mut named = place.clone();
        for (was, is) in &self.renamed {
            if named.is_within(was) {
                let inner = named.instances().iter().skip(was.instances().len());
                named = inner.fold(is.clone(), |at, (form, words)| at.child(*form, words.clone()));
            }
        }
        named
    }

    /// All instances: those that were entered, and those in which lines stand.
    fn places(&self) -> BTreeSet<Place> {
        let entered = self.entered.iter().filter_map(|entered| entered.place.as_ref());
        let around = entered.chain(self.lines.iter().map(|line| &line.place));
        around.flat_map(Place::and_ancestors).collect()
    }

    /// Enters all instances in which lines stand.
    fn enter_all(&mut self) {
        let known = self.entered.iter().filter_map(|entered| entered.place.clone());
        let mut known: BTreeSet<Place> = known.collect();
        for line in &self.lines {
            for place in line.place.and_ancestors() {
                if known.insert(place.clone()) {
                    // No instance of the config that is translated has this number.
                    let number = usize::MAX - self.entered.len();
                    let (place, at) = (Some(place), line.at);
                    self.entered.push(Entered { number, place, is_unsayable: false, at });
                }
            }
        }
    }

    /// The config that this is: instances that were entered, and those in which lines stand.
    fn config(&self, image: &Image) -> Config {
        let mut config = Config::factory(&self.levels);
        let mut entered = self.entered.iter().peekable();
        for line in &self.lines {
            while let Some(entered) = entered.next_if(|entered| entered.at <= line.at) {
                entered.enter(image, &mut config);
            }
            for place in line.place.and_ancestors() {
                if config.entry(&place).is_none() {
                    config.put_entry(image, &place, Some(EntryKind::Implied));
                }
            }
            let (key, line) = Line::new(image, line.place.clone(), line.form, line.words.clone());
            config.put(image, &key, line);
        }
        entered.for_each(|entered| entered.enter(image, &mut config));
        config
    }
}

impl Entered {
    fn enter(&self, image: &Image, config: &mut Config) {
        for place in self.place.iter().flat_map(Place::and_ancestors) {
            config.put_entry(image, &place, Some(EntryKind::Entered));
        }
    }
}

impl Tree {
    /// The tree of a place, in which something stands there.
    fn grow(&mut self, place: &Place, at: At) -> &mut Self {
        let first = |tree: &mut Self| {
            if tree.entered.is_none() {
                tree.at = tree.at.into_iter().chain([at]).min();
            }
        };
        place.instances().iter().fold(self, |tree, entry| {
            let inner = tree.inner.entry(entry.clone()).or_default();
            first(inner);
            inner
        })
    }

    /// Says of all that is in it where it stands in the document, whose next number is `next`.
    fn walk(&self, rung: &mut Rung, next: &mut usize) {
        let lines = self.lines.iter().map(|number| (Some(rung.lines[*number].at), Ok(*number)));
        let inner = self.inner.values().map(|inner| (inner.at, Err(inner)));
        let mut items: Vec<(Option<At>, Result<usize, &Self>)> = lines.chain(inner).collect();
        items.sort_by_key(|(at, _)| *at);
        for (_, item) in items {
            *next += 1;
            match item {
                Ok(number) => rung.lines[number].at = (*next, 0),
                Err(inner) => {
                    if let Some(number) = inner.entered {
                        rung.entered[number].at = (*next, 0);
                    }
                    inner.walk(rung, next);
                }
            }
        }
    }
}

fn path(place: &Place) -> String {
    joined(place.instances())
}

/// EntryKind lines, joined.
fn joined(instances: &[(FormId, Words)]) -> String {
    let words: Vec<&str> = instances.iter().map(|(_, words)| words.text()).collect();
    words.join(" / ")
}
