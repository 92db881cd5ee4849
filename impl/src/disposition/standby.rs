//! The Standby's side of a pairing: from the Active's dump to the answer, and its way up.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::answer::{Answer, AnswerError, FormName, ModeForms, PeerDontCare, Raise};
use super::raisable::{Raisable, raisable};
use super::{OwnSide, wire_levels};
use crate::diff::{Diff, DiffEntry};
use crate::dump::{Dump, DumpError, Header};
use crate::grammar::{Form, Residue};
use crate::ids::{FormId, Level};
use crate::image::{Grammar, Image};
use crate::transform::{RuleError, Step, Tft};

/// Why bytes and image make no pairing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// The bytes are no dump, or no diff.
    #[error("{0}")]
    Dump(#[from] DumpError),
    /// The bytes are no answer.
    #[error("{0}")]
    Answer(#[from] AnswerError),
    /// The own image has a change that makes no rule.
    #[error("{0}")]
    Rule(#[from] RuleError),
}

/// What the Standby knows of the pair: its answer, and the way from W to S.
#[derive(Clone, Debug)]
pub struct StandbyPairing {
    levels: Vec<Level>,
    grammar: Grammar,
    tft: Arc<Tft>,
    up: Vec<Step>,
    concerned: Vec<bool>,
    loses_instances: bool,
    bytes: Vec<u8>,
    diff: Option<Diff>,
}

/// Pairs at the Standby: decodes the Active's dump and answers it.
///
/// # Errors
/// See [`PairError`].
pub fn pair_at_standby(image: &Image, dump_bytes: &[u8]) -> Result<StandbyPairing, PairError> {
    OwnSide::new(image)?.pair_at_standby(image, dump_bytes)
}

impl OwnSide {
    /// Pairs at the Standby: decodes the Active's dump and answers it.
    ///
    /// # Errors
    /// See [`PairError`].
    pub fn pair_at_standby(
        &self,
        image: &Image,
        dump_bytes: &[u8],
    ) -> Result<StandbyPairing, PairError> {
        let (own, tft) = (&self.dump, &*self.tft);
        let active = Dump::decode_like(dump_bytes, &own.entries)?;
        let diff = Diff::between(&active, own);
        let same_family = active.header.same_family(&own.header);
        let levels = if same_family {
            wire_levels(image, &active.header.components)
        } else {
            image.levels().to_vec()
        };
        let up = tft.steps_up(image, &levels);
        let answer = Answer {
            unhandled: unhandled(image, tft, &up, &active.header, &diff.sdl),
            modes: differing(image, &active, own),
            wire: if same_family { read_otherwise(image, &levels, &active) } else { Vec::new() },
            raises: raises(image, tft, &up, &levels),
            dont_care: dont_cares(image, &active.header),
            diff: diff.encode(),
        };
        Ok(StandbyPairing::new(
            image,
            Arc::clone(&self.tft),
            levels,
            up,
            answer.encode(),
            Some(diff),
        ))
    }
}

impl StandbyPairing {
    /// The pairing with an Active of the same image: nothing is to be done.
    ///
    /// # Errors
    /// [`PairError::Rule`].
    pub fn equal(image: &Image) -> Result<Self, PairError> {
        Ok(Self::equal_by(image, &OwnSide::new(image)?))
    }

    /// The same, with what was worked out of the image.
    pub(crate) fn equal_by(image: &Image, own: &OwnSide) -> Self {
        let levels = image.levels().to_vec();
        let tft = Arc::clone(&own.tft);
        Self::new(image, tft, levels, Vec::new(), Vec::new(), None)
    }

    fn new(
        image: &Image,
        tft: Arc<Tft>,
        levels: Vec<Level>,
        up: Vec<Step>,
        bytes: Vec<u8>,
        diff: Option<Diff>,
    ) -> Self {
        let grammar = image.grammar(&levels);
        let needs = |form: FormId| {
            image
                .refusals_at(image.levels())
                .any(|refusal| refusal.without && refusal.is_about(form))
        };
        let concerned = image
            .forms()
            .map(|(form, decl)| {
                // What is put back in S may end on the way to the wire's levels.
                let ends = !decl.lives_at(levels[usize::from(decl.component.0)]);
                !up.is_empty() && (tft.concerns(form) || ends) || needs(form)
            })
            .collect();
        let loses_instances = up.iter().any(|step| tft.may_lose_instances(image, *step));
        Self { levels, grammar, tft, up, concerned, loses_instances, bytes, diff }
    }

    /// Whether raising loses something of some groups.
    pub(crate) fn loses(&self) -> bool {
        self.up.iter().any(|step| self.tft.losing(*step).next().is_some())
    }

    /// Whether instances of W may have no name in S, or no mode.
    pub(crate) const fn loses_instances(&self) -> bool {
        self.loses_instances
    }

    /// What the Active gets to know: ADL, SDL, DCL, what this unit can raise, its verdict.
    pub fn diff_bytes(&self) -> &[u8] {
        &self.bytes
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

    /// The steps from W up to S.
    pub fn steps(&self) -> &[Step] {
        &self.up
    }

    /// The own image's rules.
    pub fn tft(&self) -> &Tft {
        &self.tft
    }

    pub(crate) fn concerned(&self) -> &[bool] {
        &self.concerned
    }
}

/// The forms of one side by mode, in normal form.
type Normals<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn of_dump(dump: &Dump) -> Normals<'_> {
    let mut modes = Normals::new();
    for entry in dump.entries.iter().filter(|entry| !entry.alias) {
        modes.entry(&entry.mode).or_default().insert(entry.form.normal());
    }
    modes
}

fn at_levels<'a>(image: &'a Image, levels: &[Level]) -> Normals<'a> {
    let mut modes = Normals::new();
    for (_, decl) in image.forms() {
        if decl.lives_at(levels[usize::from(decl.component.0)]) {
            modes.entry(image.mode_name(decl.mode)).or_default().insert(decl.form.normal());
        }
    }
    modes
}

/// The forms of a mode as they are told: those first that go before what is imported.
fn told(image: &Image, levels: &[Level], mode: &str, forms: &Normals<'_>) -> ModeForms {
    let stated: BTreeSet<&str> = image
        .forms()
        .filter(|(_, decl)| {
            let lives = decl.lives_at(levels[usize::from(decl.component.0)]);
            lives && !decl.imported && image.mode_name(decl.mode) == mode
        })
        .map(|(_, decl)| decl.form.normal())
        .collect();
    let forms = forms.get(mode).into_iter().flatten().copied();
    let (mut first, rest): (Vec<&str>, Vec<&str>) =
        forms.partition(|form| image.is_over() && stated.contains(form));
    let stated = first.len();
    first.extend(rest);
    ModeForms {
        mode: mode.to_string(),
        forms: first.into_iter().map(ToString::to_string).collect(),
        stated,
    }
}

/// Every mode in which the two have not the same forms, with the own ones.
fn differing(image: &Image, active: &Dump, own: &Dump) -> Vec<ModeForms> {
    let (theirs, ours) = (of_dump(active), of_dump(own));
    let modes: BTreeSet<&str> = theirs.keys().chain(ours.keys()).copied().collect();
    let differ = modes.into_iter().filter(|mode| theirs.get(mode) != ours.get(mode));
    differ.map(|mode| told(image, image.levels(), mode, &ours)).collect()
}

/// The modes of which W is read by other forms than the own ones, and than the Active's own, with
/// these forms.
fn read_otherwise(image: &Image, levels: &[Level], active: &Dump) -> Vec<ModeForms> {
    let theirs = of_dump(active);
    let (own, wire) = (at_levels(image, image.levels()), at_levels(image, levels));
    let modes: BTreeSet<&str> = own.keys().chain(wire.keys()).copied().collect();
    let otherwise = modes.into_iter().filter(|mode| {
        let read = wire.get(mode);
        read != own.get(mode) && read != theirs.get(mode)
    });
    otherwise.map(|mode| told(image, levels, mode, &wire)).collect()
}

/// What becomes of each form of the wire's view that does not simply stay.
fn raises(image: &Image, tft: &Tft, up: &[Step], levels: &[Level]) -> Vec<Raise> {
    let alive =
        image.forms().filter(|(_, decl)| decl.lives_at(levels[usize::from(decl.component.0)]));
    alive
        .filter_map(|(form, decl)| {
            let (stuck, fails) = match raisable(image, tft, up, form) {
                Raisable::Untouched => return None,
                Raisable::Stuck => (true, Vec::new()),
                Raisable::But(fails) => (false, fails),
            };
            let mode = image.mode_name(decl.mode).to_string();
            Some(Raise { mode, form: decl.form.normal().to_string(), stuck, fails })
        })
        .collect()
}

/// The own don't-care entries that hold facing this peer.
pub(super) fn dont_cares(image: &Image, peer: &Header) -> Vec<PeerDontCare> {
    let declared = image.declarations();
    let holds = |entry: &&crate::image::DontCare| {
        let name = &declared.components[usize::from(entry.component)].name;
        let theirs = peer.components.iter().find(|component| component.name == *name);
        let level = theirs.map_or(0, |component| component.level);
        entry.facing_below.is_none_or(|below| level < below)
    };
    let holding = declared.dont_cares.iter().filter(holds);
    holding
        .filter_map(|entry| {
            let form = Form::parse(&entry.form).ok()?.normal().to_string();
            Some(PeerDontCare { mode: entry.mode.clone(), form, reason: entry.reason.clone() })
        })
        .collect()
}

/// Entries of the own diff list that no step makes and no don't-care entry names.
fn unhandled(
    image: &Image,
    tft: &Tft,
    up: &[Step],
    active: &Header,
    list: &[DiffEntry],
) -> Vec<FormName> {
    let dont_care = dont_cares(image, active);
    let open = list.iter().filter(|listed| listed.residue != Residue::None).filter(|listed| {
        let id = form_id(image, &listed.entry.mode, &listed.entry.form);
        let made = id.is_some_and(|id| {
            up.iter().any(|step| {
                let used = tft.written_by(*step, id);
                used.is_some_and(|used| !tft.rule(used.rule).old.is_empty())
            })
        });
        let named = dont_care.iter().any(|entry| {
            entry.mode == listed.entry.mode && entry.form == listed.entry.form.normal()
        });
        !made && !named
    });
    open.map(|listed| FormName {
        mode: listed.entry.mode.clone(),
        form: listed.entry.form.normal().to_string(),
    })
    .collect()
}

/// The own form of this name that lives at the own levels.
pub(super) fn form_id(image: &Image, mode: &str, form: &Form) -> Option<FormId> {
    image.living(image.mode(mode)?, form)
}
