//! The Active's side of a pairing: dispositions of its forms, and the way down to W.

#[cfg(feature = "planted")]
mod planted;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::answer::{Answer, FormName};
use super::raisable::{Fails, Raisable, less, raisable};
use super::standby::{PairError, dont_cares, form_id};
use super::{OwnSide, wire_levels};
use crate::config::{Line, LineKey, Place};
use crate::diff::Diff;
use crate::digest::Shared;
use crate::grammar::{
    Form, FormError, Matcher, Residue, Resolution, Sign, Token, Words, may_share_a_line,
    split_words,
};
use crate::ids::{ChangeId, FormId, Level, ModeId};
use crate::image::{FormDecl, Grammar, Image};
use crate::parse;
use crate::planted::Planted;
use crate::transform::{Direction, SideOf, Step, StuckCause, Tft};

/// Of two images, as operators know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compatibility {
    /// They do not differ.
    Comp,
    /// They differ; what is configured decides.
    Dynamic,
    /// Strict verification failed.
    Incomp,
}

/// What becomes of a form on its way to this peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It goes as it is.
    AsIs,
    /// It goes lowered, by these changes.
    Lowered(Vec<ChangeId>),
    /// It goes as it is, and the peer raises it.
    Raised,
    /// The line decides.
    Guarded {
        /// By what.
        guard: Guard,
        /// What becomes of a line that passes the guard.
        inside: Box<Self>,
        /// What becomes of one that does not.
        outside: Box<Self>,
    },
    /// It need not go.
    DontCare(Shared<str>),
    /// It cannot go.
    Stuck(StuckCause),
}

/// What decides about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Its values: these do not pass.
    Values(Vec<Fails>),
    /// The other lines of its group.
    Group,
    /// Another line that comes to the same: only one of the two is said there.
    Same,
    /// What the peer's forms take its words for.
    Resolve,
}

/// What the peer does about a line of W that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Taken {
    /// It keeps it as it is.
    Kept,
    /// It raises it, if its values go.
    Raised,
    /// It cannot raise it.
    Stuck,
}

/// What the gate of the wire does about lines of one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// They go.
    Goes,
    /// They go and the peer raises them, but for these values.
    Raised(Vec<Fails>),
    /// The peer's forms are asked, line by line: the words must be read.
    Resolve,
    /// They are asked, and must read the words as this very form.
    Same,
    /// They do not go.
    Stuck,
    /// The peer reads these entries of a mode that it gives up on its way. They go for what leaves
    /// the mode before.
    Ends,
}

/// What the Active knows of the pair: its dispositions and the wire's view.
#[derive(Clone, Debug)]
pub struct ActivePairing {
    levels: Vec<Level>,
    grammar: Grammar,
    tft: Arc<Tft>,
    down: Vec<Step>,
    verdicts: Vec<Gate>,
    /// The forms of which a step down makes lines.
    made: Vec<bool>,
    concerned: Vec<bool>,
    /// The peer's forms in the modes in which the two differ.
    peers: BTreeMap<ModeId, Matcher<Option<FormId>>>,
    /// The forms by which the peer reads W, where these are others; of each, what it does then.
    wire: BTreeMap<ModeId, Matcher<Taken>>,
    dont_cares: BTreeMap<FormId, Shared<str>>,
    diff: Option<Diff>,
    unhandled: Vec<FormName>,
    planted: Planted,
}

/// Pairs at the Active: reads the Standby's answer.
///
/// # Errors
/// See [`PairError`].
pub fn pair_at_active(image: &Image, diff_bytes: &[u8]) -> Result<ActivePairing, PairError> {
    OwnSide::new(image)?.pair_at_active(image, diff_bytes)
}

impl OwnSide {
    /// Pairs at the Active: reads the Standby's answer.
    ///
    /// # Errors
    /// See [`PairError`].
    pub fn pair_at_active(
        &self,
        image: &Image,
        diff_bytes: &[u8],
    ) -> Result<ActivePairing, PairError> {
        let answer = Answer::decode(diff_bytes)?;
        let diff = Diff::decode(answer.diff.as_bytes())?;
        let tft = Arc::clone(&self.tft);
        let same_family = diff.active.same_family(&diff.standby);
        let levels = if same_family {
            wire_levels(image, &diff.standby.components)
        } else {
            image.levels().to_vec()
        };
        let down = tft.steps_down(image, &levels);
        let judge = Judge::new(image, &answer, &levels, same_family)?;
        let verdicts: Vec<Gate> = image.forms().map(|(form, _)| judge.verdict(form)).collect();
        let (peers, wire) = (judge.peers, judge.wire);
        let is_made = |form| down.iter().any(|step| tft.written_by(*step, form).is_some());
        let made = image.forms().map(|(form, _)| is_made(form)).collect();
        let concerned = verdicts.iter().zip(image.forms());
        let concerned = concerned
            .map(|(verdict, (form, _))| *verdict != Gate::Goes || tft.concerns(form))
            .collect();
        let mut pairing = ActivePairing {
            grammar: image.grammar(&levels),
            levels,
            tft,
            down,
            verdicts,
            made,
            concerned,
            peers,
            wire,
            dont_cares: cared_not(image, &answer, &diff),
            diff: Some(diff),
            unhandled: answer.unhandled,
            planted: Planted::NONE,
        };
        let unhandled = pairing.unhandled_here(image);
        pairing.unhandled.extend(unhandled);
        Ok(pairing)
    }
}

impl ActivePairing {
    /// The pairing with a Standby of the same image: nothing is to be done.
    ///
    /// # Errors
    /// [`PairError::Rule`].
    pub fn equal(image: &Image) -> Result<Self, PairError> {
        Ok(Self::equal_by(image, &OwnSide::new(image)?))
    }

    /// The same, with what was worked out of the image.
    pub(crate) fn equal_by(image: &Image, own: &OwnSide) -> Self {
        let forms = image.forms().count();
        Self {
            levels: image.levels().to_vec(),
            grammar: image.own().clone(),
            tft: Arc::clone(&own.tft),
            down: Vec::new(),
            verdicts: alloc::vec![Gate::Goes; forms],
            made: alloc::vec![false; forms],
            concerned: alloc::vec![false; forms],
            peers: BTreeMap::new(),
            wire: BTreeMap::new(),
            dont_cares: BTreeMap::new(),
            diff: None,
            unhandled: Vec::new(),
            planted: Planted::NONE,
        }
    }

    /// The same pairing with a defect planted in what this room and `translate` do with it.
    #[must_use]
    #[cfg_attr(not(feature = "planted"), expect(unused_variables, reason = "a defect reads it"))]
    pub fn planted(mut self, image: &Image, planted: Planted) -> Self {
        self.planted = planted;
        #[cfg(feature = "planted")]
        self.forget_sdl(image);
        self
    }

    /// The defect that is planted, if any.
    pub(crate) const fn defect(&self) -> Planted {
        self.planted
    }

    /// Whether both images are the same.
    pub const fn is_equal(&self) -> bool {
        self.diff.is_none()
    }

    /// Whether they differ, as operators know it; what is configured decides the rest.
    pub fn compatibility(&self) -> Compatibility {
        match &self.diff {
            Some(diff) if !diff.is_empty() => Compatibility::Dynamic,
            Some(_) | None => Compatibility::Comp,
        }
    }

    /// The seed's rule: any diff entry without transform or don't-care entry makes the images
    /// incompatible.
    pub fn strict(&self) -> Compatibility {
        if self.unhandled.is_empty() { self.compatibility() } else { Compatibility::Incomp }
    }

    /// The diff entries, of both lists, that have neither transform nor don't-care entry.
    pub fn unhandled(&self) -> &[FormName] {
        &self.unhandled
    }

    /// ADL and SDL; none between equal images.
    pub const fn diff(&self) -> Option<&Diff> {
        self.diff.as_ref()
    }

    /// The levels of the wire's view.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The forms of the wire's view.
    pub const fn grammar(&self) -> &Grammar {
        &self.grammar
    }

    /// The steps from A down to W.
    pub fn steps(&self) -> &[Step] {
        &self.down
    }

    /// The own image's rules.
    pub fn tft(&self) -> &Tft {
        &self.tft
    }

    /// Why lines of `form` need not go, if that is so.
    pub fn dont_care(&self, form: FormId) -> Option<&Shared<str>> {
        self.dont_cares.get(&form)
    }

    /// Whether the peer raises lines of this form of the wire's view.
    pub fn raises(&self, form: FormId) -> bool {
        matches!(self.verdicts[form.0 as usize], Gate::Raised(_))
    }

    pub(crate) fn concerned(&self) -> &[bool] {
        &self.concerned
    }

    /// What becomes of a form that lives at the own levels.
    pub fn disposition(&self, image: &Image, form: FormId) -> Disposition {
        let stuck = |cause: StuckCause| match self.dont_care(form) {
            Some(reason) => Disposition::DontCare(reason.clone()),
            None => Disposition::Stuck(cause),
        };
        let mut chain = Vec::new();
        let mut ends = alloc::vec![form];
        let (mut alone, mut same) = (false, false);
        for step in &self.down {
            let mut next = Vec::new();
            for at in ends {
                let Some(used) = self.tft.read_by(*step, at) else {
                    next.push(at);
                    continue;
                };
                let rule = self.tft.rule(used.rule);
                let is_one = rule.one == Some(SideOf::New);
                alone |= rule.new.len() > 1 && !is_one;
                same |= is_one || rule.new[used.pattern].address.len() > rule.key.len();
                chain.push(rule.change);
                next.extend(rule.old.iter().map(|pattern| pattern.form));
            }
            ends = next;
        }
        let fails = match raisable(image, &self.tft, &self.down, form) {
            Raisable::Stuck => return stuck(StuckCause::NoTransform),
            Raisable::But(fails) => fails,
            Raisable::Untouched => Vec::new(),
        };
        let lowered =
            if chain.is_empty() { Disposition::AsIs } else { Disposition::Lowered(chain) };
        let guarded = |guard: Guard, inside: Disposition| Disposition::Guarded {
            guard,
            inside: Box::new(inside),
            outside: Box::new(stuck(StuckCause::NoTransform)),
        };
        let mut worst = lowered;
        for end in ends {
            worst = match &self.verdicts[end.0 as usize] {
                Gate::Stuck | Gate::Ends => return stuck(StuckCause::NoTransform),
                Gate::Goes => worst,
                Gate::Raised(fails) => {
                    let inside =
                        if worst == Disposition::AsIs { Disposition::Raised } else { worst };
                    if fails.is_empty() {
                        inside
                    } else {
                        guarded(Guard::Values(fails.clone()), inside)
                    }
                }
                Gate::Resolve | Gate::Same => guarded(Guard::Resolve, worst),
            };
        }
        if alone {
            worst = guarded(Guard::Group, worst);
        }
        if same {
            worst = guarded(Guard::Same, worst);
        }
        if fails.is_empty() { worst } else { guarded(Guard::Values(fails), worst) }
    }

    /// Whether a line of the wire's view goes.
    pub(crate) fn line_goes(&self, image: &Image, key: &LineKey, line: &Line) -> bool {
        self.place_is_read(image, &key.place) && self.why_not(image, key, line).is_none()
    }

    /// Whether all entry lines of a place go.
    pub(crate) fn place_goes(&self, image: &Image, place: &Place) -> bool {
        self.place_is_read(image, place)
            && place.instances().iter().all(|(entry, _)| !self.ends(*entry))
    }

    /// Whether the peer reads all entry lines of a place, also of modes that end on its way.
    pub(crate) fn place_is_read(&self, image: &Image, place: &Place) -> bool {
        self.why_place_not(image, place).is_none()
    }

    /// Why the peer does not read the entry lines of a place.
    pub(crate) fn why_place_not(&self, image: &Image, place: &Place) -> Option<StuckCause> {
        let mut around = Place::root();
        place.instances().iter().find_map(|(entry, words)| {
            let (key, line) = Line::new(image, around.clone(), *entry, words.clone());
            around = around.child(*entry, words.clone());
            if self.ends(*entry) { None } else { self.why_not(image, &key, &line) }
        })
    }

    /// Whether lines of a form enter a mode that ends on the peer's way.
    fn ends(&self, form: FormId) -> bool {
        self.verdicts[form.0 as usize] == Gate::Ends
    }

    /// Whether no line of a form goes.
    pub(crate) fn holds(&self, form: FormId) -> bool {
        matches!(self.verdicts[form.0 as usize], Gate::Stuck | Gate::Ends)
    }

    /// Whether every line of a form goes, its place aside.
    pub(crate) fn lets_pass(&self, form: FormId) -> bool {
        self.verdicts[form.0 as usize] == Gate::Goes && !self.made[form.0 as usize]
    }

    /// Why a line of the wire's view does not go, its place aside.
    pub(crate) fn why_not(&self, image: &Image, key: &LineKey, line: &Line) -> Option<StuckCause> {
        let why = self.why_peer_not(image, key, line);
        // What arrives is read as it was made.
        let misread = || self.made[key.form.0 as usize] && !self.reads_as_made(image, key, line);
        why.or_else(|| misread().then_some(StuckCause::Resolves))
    }

    /// Whether the wire's view reads a line as what it was made.
    fn reads_as_made(&self, image: &Image, key: &LineKey, line: &Line) -> bool {
        let words: Vec<&str> = split_words(line.words.text()).collect();
        let read = parse::words(image, &self.grammar, image.form(key.form).mode, &words);
        read.is_ok_and(|(form, words)| form == key.form && words == line.words)
    }

    /// Why the peer does not take a line of the wire's view, its place aside.
    fn why_peer_not(&self, image: &Image, key: &LineKey, line: &Line) -> Option<StuckCause> {
        let decl = image.form(key.form);
        match &self.verdicts[key.form.0 as usize] {
            Gate::Goes => None,
            Gate::Stuck | Gate::Ends => Some(StuckCause::NoTransform),
            Gate::Raised(fails) => why_values_not(decl, line, fails),
            Gate::Resolve | Gate::Same => {
                let words: Vec<&str> = split_words(line.words.text()).collect();
                let same = |words: &Words| words.text() == line.words.text();
                match self.wire.get(&decl.mode).map(|wire| wire.resolve(&words)) {
                    None => {}
                    Some(Resolution::Match { id: Taken::Raised, words }) if same(&words) => {
                        return None;
                    }
                    Some(Resolution::Match { id: Taken::Kept, words }) if same(&words) => {}
                    Some(Resolution::Match { id: Taken::Stuck, .. }) => {
                        return Some(StuckCause::NoTransform);
                    }
                    Some(Resolution::Match { .. } | Resolution::Ambiguous { .. }) => {
                        return Some(StuckCause::Resolves);
                    }
                    Some(Resolution::NoMatch { .. } | Resolution::Incomplete) => {
                        let cause = self.residue_cause(image, key, line);
                        return Some(cause.unwrap_or(StuckCause::NoTransform));
                    }
                }
                let is_same = |read: Option<FormId>| {
                    self.verdicts[key.form.0 as usize] == Gate::Resolve || read == Some(key.form)
                };
                match self.peers.get(&decl.mode)?.resolve(&words) {
                    Resolution::Match { id, words }
                        if words.text() == line.words.text() && is_same(id) =>
                    {
                        None
                    }
                    Resolution::Match { .. } | Resolution::Ambiguous { .. } => {
                        Some(StuckCause::Resolves)
                    }
                    Resolution::NoMatch { .. } | Resolution::Incomplete => Some(
                        self.residue_cause(image, key, line).unwrap_or(StuckCause::NoTransform),
                    ),
                }
            }
        }
    }

    /// The steps from W up to the own levels.
    pub(crate) fn steps_up(&self) -> impl Iterator<Item = Step> {
        self.down.iter().rev().map(|step| Step { direction: Direction::Raise, ..*step })
    }

    /// Whether a unit of the wire's levels would send such a line to this one: its values all go.
    pub(crate) fn would_be_sent(&self, image: &Image, form: FormId, line: &Line) -> bool {
        let up: Vec<Step> = self.steps_up().collect();
        match raisable(image, &self.tft, &up, form) {
            Raisable::Untouched => true,
            Raisable::But(fails) => why_values_not(image.form(form), line, &fails).is_none(),
            Raisable::Stuck => false,
        }
    }

    /// The value that stands in the way, where the ADL names one.
    fn residue_cause(&self, image: &Image, key: &LineKey, line: &Line) -> Option<StuckCause> {
        let decl = image.form(key.form);
        let mode = image.mode_name(decl.mode);
        let listed = self.diff.as_ref()?.adl.iter().find(|listed| {
            listed.entry.mode == mode && listed.entry.form.normal() == decl.form.normal()
        })?;
        let Residue::Values { leaf, fail } = &listed.residue else {
            return None;
        };
        let (_, value) = line.words.iter().find(|(at, _)| at == leaf)?;
        let token = &decl.form.leaf(*leaf).token;
        Some(StuckCause::Value {
            capture: decl
                .form
                .leaf(*leaf)
                .name
                .as_deref()
                .map_or_else(|| Shared::text(&decl.form.leaf(*leaf).text), Shared::text),
            value: Shared::text(value),
            allowed: Shared::from(remaining(token, &fail.0)),
        })
    }

    /// ADL entries that have neither transform nor don't-care entry.
    fn unhandled_here(&self, image: &Image) -> Vec<FormName> {
        let list = self.diff.iter().flat_map(|diff| &diff.adl);
        let open = list.filter(|listed| listed.residue != Residue::None).filter(|listed| {
            let id = form_id(image, &listed.entry.mode, &listed.entry.form);
            id.is_none_or(|id| matches!(self.disposition(image, id), Disposition::Stuck(_)))
        });
        open.map(|listed| FormName {
            mode: listed.entry.mode.clone(),
            form: listed.entry.form.normal().into(),
        })
        .collect()
    }
}

/// Decides about forms of the wire's view, from the answer.
struct Judge<'a> {
    image: &'a Image,
    levels: &'a [Level],
    same_family: bool,
    listed: BTreeMap<ModeId, BTreeSet<&'a str>>,
    /// Of the peer's forms in a mode: those that do not live on the wire here.
    news: BTreeMap<ModeId, Vec<Form>>,
    raises: BTreeMap<(ModeId, &'a str), &'a super::answer::Raise>,
    peers: BTreeMap<ModeId, Matcher<Option<FormId>>>,
    /// The forms by which the peer reads W, where these are others.
    wire: BTreeMap<ModeId, Matcher<Taken>>,
    /// Forms of which no line is ever sent.
    never: BTreeSet<FormId>,
}

impl<'a> Judge<'a> {
    fn new(
        image: &'a Image,
        answer: &'a Answer,
        levels: &'a [Level],
        same_family: bool,
    ) -> Result<Self, PairError> {
        let (mut listed, mut news) = (BTreeMap::new(), BTreeMap::new());
        let mut peers = BTreeMap::new();
        let on_the_wire: BTreeMap<(ModeId, &str), FormId> = image
            .forms()
            .filter(|(_, decl)| decl.lives_at(levels[usize::from(decl.component.0)]))
            .map(|(form, decl)| ((decl.mode, decl.form.normal()), form))
            .collect();
        for forms in &answer.modes {
            let Some(mode) = image.mode(&forms.mode) else {
                continue;
            };
            let read = read_forms(image, mode, forms)?;
            let own = |form: &Form| on_the_wire.get(&(mode, form.normal())).copied();
            let with_own = read.iter().map(|form| (own(form), form));
            peers.insert(mode, Matcher::from_stated(forms.stated, with_own));
            listed.insert(mode, forms.forms.iter().map(String::as_str).collect());
            news.insert(mode, read.into_iter().filter(|form| own(form).is_none()).collect());
        }
        let raises = answer.raises.iter();
        let raises: BTreeMap<(ModeId, &str), &super::answer::Raise> = raises
            .filter_map(|raise| Some(((image.mode(&raise.mode)?, raise.form.as_str()), raise)))
            .collect();
        let mut wire = BTreeMap::new();
        for forms in &answer.wire {
            let Some(mode) = image.mode(&forms.mode) else { continue };
            let read = read_forms(image, mode, forms)?;
            let taken = |form: &Form| match raises.get(&(mode, form.normal())) {
                None => Taken::Kept,
                Some(raise) if raise.stuck => Taken::Stuck,
                Some(_) => Taken::Raised,
            };
            let taken = read.iter().map(|form| (taken(form), form));
            wire.insert(mode, Matcher::from_stated(forms.stated, taken));
        }
        let never = never_sent(image);
        Ok(Self { image, levels, same_family, listed, news, raises, peers, wire, never })
    }

    /// Whether the peer raises lines out of a mode.
    fn is_left(&self, mode: ModeId) -> bool {
        let is_within = |at: ModeId| {
            core::iter::successors(Some(at), |at| self.image.parent(*at)).any(|at| at == mode)
        };
        self.raises.iter().any(|((at, _), raise)| !raise.stuck && is_within(*at))
    }

    fn verdict(&self, form: FormId) -> Gate {
        let decl = self.image.form(form);
        let lives = decl.lives_at(self.levels[usize::from(decl.component.0)]);
        if !lives || self.never.contains(&form) {
            return Gate::Stuck;
        }
        let normal = decl.form.normal();
        if self.same_family
            && let Some(raise) = self.raises.get(&(decl.mode, normal))
        {
            return match (raise.stuck, decl.enters) {
                (true, Some(mode)) if self.is_left(mode) => Gate::Ends,
                (true, _) => Gate::Stuck,
                (false, _) => Gate::Raised(raise.fails.clone()),
            };
        }
        match self.listed.get(&decl.mode) {
            None => Gate::Goes,
            Some(forms) if self.same_family && forms.contains(normal) => {
                // The peer has forms that this side has not, and they may take its lines.
                let news = self.news.get(&decl.mode).into_iter().flatten();
                let mut news = news.filter(|new| may_share_a_line(&decl.form, new));
                match news.next() {
                    None => Gate::Goes,
                    // Of imported forms several may take a line, and none of them is meant.
                    Some(_) if decl.imported => Gate::Resolve,
                    Some(_) => Gate::Same,
                }
            }
            Some(_) => Gate::Resolve,
        }
    }
}

/// The forms of which no line is ever sent.
fn never_sent(image: &Image) -> BTreeSet<FormId> {
    let entries = image.declarations().dont_cares.iter().filter(|entry| entry.never);
    let named: BTreeSet<(ModeId, String)> = entries
        .filter_map(|entry| {
            let form = Form::parse(&entry.form).ok()?;
            Some((image.mode(&entry.mode)?, form.normal().to_string()))
        })
        .collect();
    let forms = image.forms().filter(|(_, decl)| {
        !named.is_empty() && named.contains(&(decl.mode, decl.form.normal().to_string()))
    });
    forms.map(|(form, _)| form).collect()
}

/// The forms of a mode that a peer names.
fn read_forms(
    image: &Image,
    mode: ModeId,
    forms: &super::answer::ModeForms,
) -> Result<Vec<Form>, PairError> {
    let read = forms.forms.iter().map(|form| own_or_read(image, mode, form));
    let read = read.collect::<Result<_, _>>().map_err(|error| super::AnswerError::Shape {
        message: alloc::format!("mode {}: {error}", forms.mode),
    })?;
    Ok(read)
}

/// The form of this normal text: the own one of the mode, if there is one, for it is compiled
/// already.
fn own_or_read(image: &Image, mode: ModeId, normal: &str) -> Result<Form, FormError> {
    let own = image.of_normal(mode, normal);
    own.map_or_else(|| Form::parse(normal), |form| Ok(form.clone()))
}

/// The don't-care entries of both sides, by the own forms they name.
fn cared_not(image: &Image, answer: &Answer, diff: &Diff) -> BTreeMap<FormId, Shared<str>> {
    let mut reasons = BTreeMap::new();
    for entry in dont_cares(image, &diff.standby).iter().chain(&answer.dont_care) {
        let Some(mode) = image.mode(&entry.mode) else {
            continue;
        };
        let named =
            image.forms().filter(|(_, decl)| decl.mode == mode && decl.form.normal() == entry.form);
        for (form, _) in named {
            reasons.entry(form).or_insert_with(|| Shared::text(&entry.reason));
        }
    }
    reasons
}

/// Why a line of a form whose lines go but for these values does not.
fn why_values_not(decl: &FormDecl, line: &Line, fails: &[Fails]) -> Option<StuckCause> {
    fails.iter().find_map(|fails| {
        let value = line.words.value(&decl.form, &fails.capture);
        if value.is_none() && line.sign == Sign::No {
            return None;
        }
        fails.has(value.as_deref()).then(|| StuckCause::Value {
            capture: Shared::text(&fails.capture),
            value: Shared::text(value.as_deref().unwrap_or("")),
            allowed: Shared::from(fails.says(&decl.form)),
        })
    })
}

impl Fails {
    /// What would go of the capture, in the form language; empty if that is not known.
    fn says(&self, form: &Form) -> String {
        if self.all {
            return self.fits.join("|");
        }
        let leaves = form.capture(&self.capture);
        let tokens = leaves.iter().map(|leaf| &form.leaf(*leaf).token);
        let goes = tokens.map(|token| match token {
            Token::Keyword(word) if self.has(Some(word)) => String::new(),
            token => {
                let fail = self.numbers.iter();
                let fail: Vec<(i128, i128)> =
                    fail.map(|(min, max)| (i128::from(*min), i128::from(*max))).collect();
                remaining(token, &fail)
            }
        });
        let goes: Vec<String> = goes.filter(|goes| !goes.is_empty()).collect();
        let goes = goes.join("|");
        match self.multiples_of {
            Some(of) if !goes.is_empty() => alloc::format!("a multiple of {of} in {goes}"),
            Some(_) | None => goes,
        }
    }
}

/// What a token takes but for these numbers, in the form language.
fn remaining(token: &Token, fail: &[(i128, i128)]) -> String {
    let (min, max) = match token {
        Token::Range { min, max } => (min, max),
        Token::List(of) => return remaining(of, fail) + ",...",
        token => return token.to_string(),
    };
    let open = less(alloc::vec![(*min, *max)], fail.iter().copied());
    let ranges = open.iter().map(|(min, max)| alloc::format!("({min}-{max})"));
    ranges.collect::<Vec<_>>().join("|")
}
