//! A seed makes a family: scopes, settings, how the first level writes them, and the edits that
//! make each further level.

use std::collections::BTreeSet;

use crate::cut::Cut;
use crate::later;
use crate::operator::{self, Edit};
use crate::refuse::Refusal;
use crate::rng::Rng;
use crate::setting::{Field, Kind, List, Scope, Setting, Value};
use crate::vocabulary::Vocabulary;
use crate::writing::{Alias, Default, Line, Number, Part, Roof, Says, Shares, Slot, Writing};

/// The stream of a family's shape; commands have others.
const STREAM: u64 = 1;

/// Levels that a component has after its second, at most one less than this.
const LEVELS_MORE: usize = 4;

/// A family, drawn.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub(crate) seed: u64,
    pub(crate) scopes: Vec<Scope>,
    /// Per scope the words that are names of its instances, where they are words.
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) components: Vec<Component>,
    pub(crate) releases: Vec<Release>,
    pub(crate) edits: Vec<Edit>,
    /// What was taken away of what the seed gives, in order.
    pub(crate) cuts: Vec<Cut>,
}

/// The history of one component: a writing for each level, the first at level 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    pub(crate) levels: Vec<Writing>,
    pub(crate) roofs: Vec<Roof>,
    pub(crate) refusals: Vec<Refusal>,
}

/// One release: an index of a level for each component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: String,
    pub(crate) levels: Vec<usize>,
}

/// What is drawn so far, with what it is drawn from.
pub(crate) struct Draft<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) vocabulary: Vocabulary,
    /// First words that lines share.
    stems: Vec<String>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) components: Vec<Component>,
    /// Pairs of settings of which the second may stand on the first's line.
    pub(crate) halves: BTreeSet<(usize, usize)>,
    /// Pairs of settings that the kind of the first value tells apart.
    pub(crate) choices: BTreeSet<(usize, usize)>,
}

impl Drawn {
    /// The family of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed, STREAM);
        let mut vocabulary = Vocabulary::new(&mut rng);
        let stems = vocabulary.words(2);
        let (scopes, settings) = (Vec::new(), Vec::new());
        let names = ["base", "routing"];
        let components = names[..1 + rng.below(2)].iter();
        let components = components.map(|name| {
            let (levels, roofs, refusals) = (Vec::new(), Vec::new(), Vec::new());
            Component { name, levels, roofs, refusals }
        });
        let components = components.collect();
        let rng = &mut rng;
        let (halves, choices) = (BTreeSet::new(), BTreeSet::new());
        let mut draft =
            Draft { rng, vocabulary, stems, scopes, settings, components, halves, choices };
        let (entries, names) = draft.draw_scopes();
        for component in 0..draft.components.len() {
            let entries = if component == 0 { entries.clone() } else { Vec::new() };
            let leaves = vec![None; entries.len()];
            let mut writing = Writing { entries, leaves, ..Writing::default() };
            for _ in 0..2 + draft.rng.below(5) {
                writing.lines.extend(draft.draw_lines(component));
            }
            draft.draw_list_aliases(&mut writing);
            draft.components[component].levels.push(writing);
        }
        let mut edits = Vec::new();
        for component in 0..draft.components.len() {
            for _ in 0..1 + draft.rng.below(LEVELS_MORE) {
                edits.extend(operator::next_level(&mut draft, component));
            }
        }
        let releases = draft.draw_releases();
        edits.extend(later::edit(&mut draft, seed));
        let Draft { scopes, settings, components, .. } = draft;
        let cuts = Vec::new();
        Self { seed, scopes, names, settings, components, releases, edits, cuts }
    }

    /// Its name: the seed, and what was cut.
    pub fn name(&self) -> String {
        let cuts = self.cuts.iter().map(|cut| format!(".{cut}"));
        format!("drawn-{}{}", self.seed, cuts.collect::<String>())
    }

    /// Its releases, the oldest first.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// The edits that made its levels; none are known of a family of which something was cut.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The edits of these that lie between two releases.
    pub fn edits_between(&self, one: usize, other: usize) -> impl Iterator<Item = &Edit> {
        let (one, other) = (self.levels(one), self.levels(other));
        self.edits.iter().filter(move |edit| {
            let levels = (one[edit.component], other[edit.component]);
            (levels.0 < edit.level) != (levels.1 < edit.level)
        })
    }

    pub(crate) fn levels(&self, release: usize) -> Vec<usize> {
        self.releases[release].levels.clone()
    }
}

impl Draft<'_> {
    /// Scopes with the words that enter them and with their names.
    fn draw_scopes(&mut self) -> (Vec<Option<Vec<String>>>, Vec<Vec<String>>) {
        let (mut entries, mut names) = (Vec::new(), Vec::new());
        for scope in 0..self.rng.below(4) {
            let nests = scope > 0 && self.rng.chance(60);
            let parent = nests.then(|| scope - 1);
            let kinds = [Kind::Name, Kind::Interface, Kind::Word(2), Kind::Word(3), Kind::Address];
            let kind = self.rng.pick(&kinds).clone();
            names.push(match kind {
                Kind::Word(count) => self.vocabulary.words(count),
                _ => Vec::new(),
            });
            self.scopes.push(Scope { parent, names: kind });
            entries.push(Some(self.words()));
        }
        (entries, names)
    }

    /// The first words of a line: no other line begins so.
    pub(crate) fn words(&mut self) -> Vec<String> {
        let mut words = Vec::new();
        if self.rng.chance(30) {
            words.push(self.rng.pick(&self.stems).clone());
        }
        words.push(self.vocabulary.word());
        words
    }

    /// One setting, or several that belong together, each with its line.
    pub(crate) fn draw_lines(&mut self, component: usize) -> Vec<Line> {
        let scope = self.rng.below(self.scopes.len() + 1).checked_sub(1);
        // Some level may be without the mode.
        let is_gone =
            |at: &usize| self.components[0].levels.iter().any(|level| level.entries[*at].is_none());
        let scope = scope.filter(|at| !is_gone(at));
        match self.rng.below(17) {
            0 | 1 => vec![self.line(component, scope, Vec::new(), None)],
            2 | 3 => {
                let kind = self.kind();
                vec![self.line(component, scope, vec![(kind, false, false)], None)]
            }
            4 => {
                let mut fields = vec![(self.kind(), false, false), (self.kind(), false, false)];
                self.add_optional(&mut fields);
                vec![self.line(component, scope, fields, None)]
            }
            5..8 => {
                let mut fields = vec![(self.key_kind(), true, false)];
                if self.rng.chance(30) {
                    fields.push((self.key_kind(), true, false));
                }
                if self.rng.chance(60) {
                    fields.push((self.kind(), false, false));
                }
                self.add_optional(&mut fields);
                let list = self.rng.chance(30).then_some(List::Own);
                vec![self.line(component, scope, fields, list)]
            }
            10 => self.text(component, scope),
            11 | 12 => self.several(component, scope),
            13 | 16 => self.choice(component, scope),
            14 | 15 => self.halves(component, scope),
            8 => {
                let list = Some(List::Shared(self.vocabulary.word()));
                let name = || (Kind::Name, true, false);
                let of = (self.key_kind(), true, false);
                let mut one = self.line(component, scope, vec![name(), of], list.clone());
                let mut other = self.line(component, scope, vec![name()], list);
                for line in [&mut one, &mut other] {
                    let word = self.vocabulary.word();
                    line.parts.insert(2, Part::Word(word));
                }
                vec![one, other]
            }
            _ => {
                let kind = |rng: &mut Rng| {
                    if rng.chance(50) { vec![] } else { vec![(Kind::Number, false, false)] }
                };
                let (one, other) = (kind(self.rng), kind(self.rng));
                let one = self.line(component, scope, one, None);
                let other = self.line(component, scope, other, None);
                if self.rng.chance(50) { vec![self.shared(&one, &other)] } else { vec![one, other] }
            }
        }
    }

    /// A text, or a string.
    fn text(&mut self, component: usize, scope: Option<usize>) -> Vec<Line> {
        let mut fields = Vec::new();
        if self.rng.chance(60) {
            fields.push((self.key_kind(), true, false));
        }
        if self.rng.chance(40) {
            fields.push((Kind::Quoted, self.rng.chance(50), false));
        }
        let kinds = [Kind::Block, Kind::Block, Kind::Lines, Kind::Quoted];
        fields.push((self.rng.pick(&kinds).clone(), false, false));
        vec![self.line(component, scope, fields, None)]
    }

    /// Several values in one line, or with a line each; or numbers in one word.
    fn several(&mut self, component: usize, scope: Option<usize>) -> Vec<Line> {
        let mut fields = Vec::new();
        let is_keyed = self.rng.chance(40);
        if is_keyed {
            fields.push((self.key_kind(), true, false));
        }
        if self.rng.chance(40) {
            fields.push((Kind::Numbers, false, false));
            return vec![self.line(component, scope, fields, None)];
        }
        let kinds = [Kind::Address, Kind::Name, Kind::Prefix, Kind::Number];
        fields.push((Kind::Several(Box::new(self.rng.pick(&kinds).clone())), false, false));
        let list = if is_keyed { List::Shared(self.vocabulary.word()) } else { List::Own };
        // Of a set the order says nothing.
        let list = Some(list).filter(|_| self.rng.chance(60));
        let line = self.line(component, scope, fields, list);
        vec![Line { is_each: self.rng.chance(50), ..line }]
    }

    /// Two settings of which the kind of the first value tells one from the other.
    fn choice(&mut self, component: usize, scope: Option<usize>) -> Vec<Line> {
        let first = self.rng.pick(&[Kind::Address, Kind::Address6]).clone();
        let second = match first {
            Kind::Address if self.rng.chance(40) => Kind::Address6,
            _ => Kind::Path,
        };
        let is_key = self.rng.chance(50);
        let mut fields = vec![(first.clone(), is_key, false)];
        if self.rng.chance(60) {
            let kind = self.rng.pick(&[Kind::Number, Kind::Word(2)]).clone();
            fields.push((kind, false, self.rng.chance(50)));
        }
        let one = self.line(component, scope, fields.clone(), None);
        fields[0].0 = second;
        let other = self.line(component, scope, fields, None);
        let count = self.settings[one.settings[0]].fields.len();
        let plain = |line| Line { is_bare_no: false, default: Default::Off, ..line };
        let (one, other) = self.alike(count, plain(one), plain(other));
        self.choices.insert((one.settings[0], other.settings[0]));
        if self.rng.chance(50) { vec![self.chosen(first, &one, &other)] } else { vec![one, other] }
    }

    /// A setting, and what may stand on its line.
    fn halves(&mut self, component: usize, scope: Option<usize>) -> Vec<Line> {
        let mut fields = Vec::new();
        if self.rng.chance(50) {
            fields.push((self.key_kind(), true, false));
        }
        let keys = fields.clone();
        fields.push((self.kind(), false, false));
        let one = self.line(component, scope, fields, None);
        let mut fields = keys.clone();
        for _ in 0..self.rng.below(3) {
            fields.push((self.kind(), false, false));
        }
        let other = self.line(component, scope, fields, None);
        let plain = |line| Line { is_bare_no: false, default: Default::Off, ..line };
        let (one, other) = self.alike(keys.len(), plain(one), plain(other));
        self.halves.insert((one.settings[0], other.settings[0]));
        // What a half says has a name.
        self.settings[other.settings[0]].fields.iter_mut().for_each(|field| field.is_named = true);
        if self.rng.chance(50) { vec![self.with_half(&one, &other)] } else { vec![one, other] }
    }

    /// The second line with the first fields, so many, called and spelled as in the first line.
    fn alike(&mut self, count: usize, one: Line, mut other: Line) -> (Line, Line) {
        let (of_one, of_other) = (one.settings[0], other.settings[0]);
        for field in 0..count {
            let first = self.settings[of_one].fields[field].clone();
            let second = &mut self.settings[of_other].fields[field];
            second.name.clone_from(&first.name);
            second.is_named = first.is_named;
            let slot = one.slot_of(of_one, field).expect("each field has a slot").clone();
            for own in other.slots_mut().filter(|own| own.field == field) {
                own.lead.clone_from(&slot.lead);
                own.unsaid.clone_from(&slot.unsaid);
                own.words.clone_from(&slot.words);
                own.number = slot.number.clone();
            }
        }
        (one, other)
    }

    /// One line for two settings, of which the kind of the first value tells which it is.
    pub(crate) fn chosen(&mut self, first: Kind, one: &Line, other: &Line) -> Line {
        let mut parts: Vec<Part> = self.words().into_iter().map(Part::Word).collect();
        parts.extend(one.slots().cloned().map(Part::Slot));
        let takes = self.rng.pick(&[Kind::Path, Kind::Host]).clone();
        for slot in parts.iter_mut().flat_map(Part::slots_mut).filter(|slot| slot.field == 0) {
            slot.takes = takes.clone();
        }
        let settings = [&*one.settings, &*other.settings].concat();
        Line { settings, shares: Shares::One(first), parts, ..one.clone() }
    }

    /// A line with what it may be without.
    pub(crate) fn with_half(&mut self, one: &Line, other: &Line) -> Line {
        let mut parts: Vec<Part> = self.words().into_iter().map(Part::Word).collect();
        parts.extend(one.slots().cloned().map(Part::Slot));
        let setting = other.settings[0];
        let keys = self.settings[setting].keys();
        let mut half = vec![Part::Word(self.vocabulary.word())];
        half.extend(other.slots().filter(|slot| slot.field >= keys).cloned().map(Part::Slot));
        let flag = (half.len() == 1).then(|| format!("v{setting}"));
        parts.push(Part::Half { setting, flag, parts: half });
        let settings = [&*one.settings, &*other.settings].concat();
        Line { settings, shares: Shares::First, parts, ..one.clone() }
    }

    /// Aliases that add to lists, and take from them.
    pub(crate) fn draw_list_aliases(&mut self, writing: &mut Writing) {
        for line in &writing.lines {
            let fields = &self.settings[line.settings[0]].fields;
            let is_list = |field: &Field| {
                !field.is_optional && matches!(field.kind, Kind::Several(_) | Kind::Numbers)
            };
            let (last, rest) = match fields.split_last() {
                Some((last, rest)) if is_list(last) => (fields.len() - 1, rest),
                Some(_) | None => continue,
            };
            let is_last = line.slots().last().is_some_and(|slot| slot.field == last);
            let is_keyed = rest.iter().all(|field| field.is_key);
            if line.is_each || line.settings.len() > 1 || !is_last || !is_keyed {
                continue;
            }
            for says in [Says::Adds, Says::Takes] {
                let has = |alias: &Alias| match alias {
                    Alias::Line { line: of, says: of_says } => {
                        of.settings == line.settings && *of_says == says
                    }
                    Alias::Entry { .. } => false,
                };
                if self.rng.chance(50) && !writing.aliases.iter().any(has) {
                    let mut parts: Vec<Part> = self.words().into_iter().map(Part::Word).collect();
                    parts.extend(line.slots().cloned().map(Part::Slot));
                    let line = Line { parts, is_bare_no: false, ..line.clone() };
                    writing.aliases.push(Alias::Line { line, says });
                }
            }
        }
    }

    fn add_optional(&mut self, fields: &mut Vec<(Kind, bool, bool)>) {
        while self.rng.chance(40) && fields.len() < 5 {
            let kind = match self.rng.below(3) {
                0 => Kind::Flags(1 + self.rng.below(3)),
                1 => Kind::Number,
                _ => self.kind(),
            };
            fields.push((kind, false, true));
        }
        if self.rng.chance(10) {
            let kinds = [Kind::Text, Kind::Text, Kind::Block, Kind::Lines];
            fields.push((self.rng.pick(&kinds).clone(), false, false));
        }
    }

    fn kind(&mut self) -> Kind {
        let words = 2 + self.rng.below(2);
        let kinds = [
            Kind::Number,
            Kind::Number,
            Kind::Word(words),
            Kind::Word(words),
            Kind::Address,
            Kind::Address6,
            Kind::Prefix,
            Kind::Name,
            Kind::Host,
            Kind::Quoted,
            Kind::Numbers,
        ];
        self.rng.pick(&kinds).clone()
    }

    fn key_kind(&mut self) -> Kind {
        let kinds = [
            Kind::Name,
            Kind::Name,
            Kind::Address,
            Kind::Prefix,
            Kind::Interface,
            Kind::Host,
            Kind::Host,
            Kind::Word(3),
            Kind::Number,
        ];
        self.rng.pick(&kinds).clone()
    }

    /// A setting of these fields, (kind, whether of the key, whether optional), and its line.
    fn line(
        &mut self,
        component: usize,
        scope: Option<usize>,
        fields: Vec<(Kind, bool, bool)>,
        list: Option<List>,
    ) -> Line {
        let setting = self.settings.len();
        let mut parts: Vec<Part> = self.words().into_iter().map(Part::Word).collect();
        let fields: Vec<Field> = fields
            .into_iter()
            .enumerate()
            .map(|(at, (kind, is_key, is_optional))| {
                let is_flags = matches!(kind, Kind::Flags(_));
                let is_words = matches!(kind, Kind::Word(_) | Kind::Flags(1));
                let is_named = if is_words { is_key || self.rng.chance(60) } else { !is_flags };
                let name = format!("v{setting}{}", char::from(b'a' + at as u8));
                Field { name, kind, is_key, is_optional: is_optional && !is_flags, is_named }
            })
            .collect();
        for (field, of) in fields.iter().enumerate() {
            // A text would take the words of what may stand before it.
            if !of.is_optional && (of.kind.takes_rest() || self.rng.chance(15)) {
                parts.push(Part::Word(self.vocabulary.word()));
            }
            parts.push(Part::Slot(self.slot(setting, field, of)));
        }
        let keys = fields.iter().filter(|field| field.is_key).count();
        let is_keyed = keys > 0;
        let is_flag = fields.is_empty();
        let takes_rest = fields.iter().any(|field| field.kind.takes_rest());
        let is_bare_no = !is_keyed && !is_flag && !takes_rest && self.rng.chance(30);
        let is_plain = |field: &Field| {
            let is_listed = matches!(field.kind, Kind::Flags(_) | Kind::Numbers | Kind::Quoted);
            !field.is_optional && !field.kind.takes_rest() && !is_listed
        };
        let can_default = !is_keyed && !is_flag && fields.iter().all(is_plain);
        let default_line = is_flag && self.rng.chance(20);
        self.settings.push(Setting { component, scope, fields, list });
        let mut line = Line {
            settings: vec![setting],
            shares: Shares::All,
            scope,
            keys,
            parts,
            roof: None,
            is_not: false,
            default: if default_line { Default::Line } else { Default::Off },
            implied: Vec::new(),
            lost: Vec::new(),
            revision: 0,
            is_bare_no,
            is_each: false,
            dont_care: None,
        };
        if can_default && self.rng.chance(40) {
            let values = self.values(&line, setting);
            line.default = Default::Values(values);
            self.settings[setting].fields.iter_mut().for_each(|field| field.is_named = true);
        }
        line
    }

    fn slot(&mut self, setting: usize, field: usize, of: &Field) -> Slot {
        let words = match of.kind {
            Kind::Word(count) | Kind::Flags(count) => self.vocabulary.words(count),
            _ => Vec::new(),
        };
        let words = words.into_iter().map(Some).collect();
        let number = match of.kind {
            Kind::Number => self.number(of.is_key),
            // Numbers of a list are of one unit, and have no words.
            Kind::Several(_) | Kind::Numbers => {
                let range = (self.rng.among(0, 1), *self.rng.pick(&[7, 9, 60, 255]));
                Number { per: 1, range, names: Vec::new() }
            }
            _ => Number::default(),
        };
        let lead = of.is_optional.then(|| self.vocabulary.word());
        Slot { setting, field, lead, unsaid: None, words, number, takes: of.kind.clone() }
    }

    fn number(&mut self, is_key: bool) -> Number {
        let per = if is_key { 1 } else { *self.rng.pick(&[1, 8, 1000]) };
        let least = self.rng.among(0, 1);
        let most = *self.rng.pick(&[7, 9, 60, 255, 3600]);
        let named = if !is_key && self.rng.chance(15) { 2 } else { 0 };
        Number { per, range: (least, most), names: self.vocabulary.words(named) }
    }

    /// One line for two settings.
    pub(crate) fn shared(&mut self, one: &Line, other: &Line) -> Line {
        let mut parts: Vec<Part> = self.words().into_iter().map(Part::Word).collect();
        for line in [one, other] {
            if line.slots().next().is_some() {
                parts.push(Part::Word(self.vocabulary.word()));
            }
            parts.extend(line.slots().cloned().map(Part::Slot));
        }
        Line {
            settings: [&*one.settings, &*other.settings].concat(),
            shares: Shares::All,
            scope: one.scope,
            keys: 0,
            parts,
            roof: None,
            is_not: false,
            default: Default::Off,
            implied: Vec::new(),
            lost: Vec::new(),
            revision: 0,
            is_bare_no: false,
            is_each: false,
            dont_care: None,
        }
    }

    /// Values that the line says of a setting.
    pub(crate) fn values(&mut self, line: &Line, setting: usize) -> Vec<Value> {
        values(&self.settings, line, setting, self.rng)
    }

    fn draw_releases(&mut self) -> Vec<Release> {
        let tops: Vec<usize> = self.components.iter().map(|one| one.levels.len() - 1).collect();
        let mut all = vec![vec![0; tops.len()]];
        while *all.last().expect("a first one") != tops {
            let mut next = all.last().expect("a first one").clone();
            for (level, top) in next.iter_mut().zip(&tops) {
                *level = (*level + self.rng.below(3)).min(*top);
            }
            if *all.last().expect("a first one") != next {
                all.push(next);
            }
        }
        // A maintenance release may be older in one component and newer in another.
        if tops.len() > 1 && self.rng.chance(40) {
            let mixed: Vec<usize> = tops.iter().map(|top| self.rng.below(top + 1)).collect();
            if !all.contains(&mixed) {
                all.insert(1, mixed);
            }
        }
        let named = all.into_iter().enumerate();
        named.map(|(at, levels)| Release { name: (at + 1).to_string(), levels }).collect()
    }
}

fn value_of_number(number: &Number, rng: &mut Rng) -> Value {
    let (least, most) = number.range;
    let some = rng.among(least, most);
    let near = [least, least + 1, most - 1, most, some, some];
    Value::Number(*rng.pick(&near) * number.per)
}

/// Values that a line says of a setting.
pub(crate) fn values(
    settings: &[Setting],
    line: &Line,
    setting: usize,
    rng: &mut Rng,
) -> Vec<Value> {
    let fields = settings[setting].fields.iter().enumerate();
    fields
        .map(|(field, of)| {
            let mut unsaid = line.implied.iter().chain(&line.lost);
            if let Some((_, value)) = unsaid.find(|(unsaid, _)| *unsaid == field) {
                return value.clone();
            }
            let slot = line.slot_of(setting, field);
            let slot = slot.expect("what is neither implied nor lost has a slot");
            if let Some(value) = slot.unsaid.as_ref().filter(|_| rng.chance(30)) {
                return value.clone();
            }
            if of.is_optional && rng.chance(50) {
                return Value::Absent;
            }
            let said: Vec<usize> =
                (0..slot.words.len()).filter(|index| slot.words[*index].is_some()).collect();
            match of.kind {
                Kind::Word(_) => Value::Word(*rng.pick(&said)),
                Kind::Flags(_) => {
                    Value::Flags(said.into_iter().filter(|_| rng.chance(50)).collect())
                }
                Kind::Number => value_of_number(&slot.number, rng),
                Kind::Several(ref one) => {
                    let one = |rng: &mut Rng| match **one {
                        Kind::Number => value_of_number(&slot.number, rng),
                        _ => Value::Text((*rng.pick(one.texts())).to_owned()),
                    };
                    let mut all: Vec<Value> = Vec::new();
                    for _ in 0..1 + rng.below(3) {
                        let value = one(rng);
                        // One word may stand there twice.
                        if !all.contains(&value) || (!line.is_each && rng.chance(30)) {
                            all.push(value);
                        }
                    }
                    Value::Several(all)
                }
                Kind::Numbers => {
                    let mut all = BTreeSet::new();
                    for _ in 0..1 + rng.below(3) {
                        let (least, most) = slot.number.range;
                        let first = rng.among(least, most);
                        all.extend(first..=(first + rng.among(0, 4)).min(most));
                    }
                    Value::Numbers(all)
                }
                _ => Value::Text((*rng.pick(of.kind.texts())).to_owned()),
            }
        })
        .collect()
}
