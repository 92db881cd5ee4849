//! What cannot go from one release to its neighbour: known, and published, before an image is
//! shipped.

use std::fmt;

use skewsync::disposition::{Disposition, Fails, Guard, pair_at_active, pair_at_standby};
use skewsync::dump::Dump;
use skewsync::image::{Image, Refusal};

/// A form of which not every line goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The Active's release.
    pub active: String,
    /// The Standby's release.
    pub standby: String,
    /// The mode.
    pub mode: String,
    /// The form.
    pub form: String,
    /// Which lines do not, and why.
    pub way: Shortfall,
}

/// Which lines of a form do not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// None goes.
    Stuck,
    /// It need not go.
    DontCare(String),
    /// Those with these values do not.
    Values(String),
    /// Those of which the rest of the group is not there do not.
    Group,
    /// Those of which another line comes to the same do not.
    Same,
    /// The peer's parser is asked, line by line.
    Asked,
    /// Those do not that the peer refuses for what else is there.
    Refused(String),
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, standby, mode, form, way } = self;
        write!(f, "{active} -> {standby}  {mode} / {form}  ")?;
        match way {
            Shortfall::Stuck => write!(f, "stuck"),
            Shortfall::DontCare(reason) => write!(f, "don't-care: {reason}"),
            Shortfall::Values(values) => write!(f, "stuck where {values}"),
            Shortfall::Group => write!(f, "stuck where only a part of its group is there"),
            Shortfall::Same => write!(f, "stuck where another line comes to the same"),
            Shortfall::Asked => write!(f, "asked line by line"),
            Shortfall::Refused(how) => write!(f, "stuck {how}"),
        }
    }
}

/// Appends what does not go from `active` to `standby`.
pub(super) fn between(active: &Image, standby: &Image, known: &mut Vec<Known>) {
    let dump = Dump::from_image(active).encode();
    let answer = pair_at_standby(standby, dump.as_bytes());
    // What makes no pairing has findings of its own.
    let Some(pairing) =
        answer.ok().and_then(|answer| pair_at_active(active, answer.diff_bytes()).ok())
    else {
        return;
    };
    for (id, decl) in active.forms() {
        if !decl.lives_at(active.levels()[usize::from(decl.component.0)]) {
            continue;
        }
        let mut ways = Vec::new();
        ways_of(&pairing.disposition(active, id), &mut ways);
        known.extend(ways.into_iter().map(|way| Known {
            active: active.declarations().release.clone(),
            standby: standby.declarations().release.clone(),
            mode: active.mode_name(decl.mode).to_string(),
            form: decl.form.text().to_string(),
            way,
        }));
    }
    refused(active, standby, known);
}

/// Appends what `standby` refuses for what else is there, and `active` does not.
fn refused(active: &Image, standby: &Image, known: &mut Vec<Known>) {
    let here: Vec<_> = active.refusals_at(active.levels()).collect();
    for refusal in standby.refusals_at(standby.levels()) {
        let mode = standby.mode_name(refusal.mode);
        let same = |other: &&Refusal| {
            (active.mode_name(other.mode), other.without, other.first.text(), other.second.text())
                == (mode, refusal.without, refusal.first.text(), refusal.second.text())
        };
        if here.iter().any(same) {
            continue;
        }
        let (line, other, how) = match refusal.without {
            true => (&refusal.first, &refusal.second, "without"),
            false => (&refusal.second, &refusal.first, "beside"),
        };
        let (other, why) = (other.text(), &refusal.why);
        known.push(Known {
            active: active.declarations().release.clone(),
            standby: standby.declarations().release.clone(),
            mode: mode.to_string(),
            form: line.text().to_string(),
            way: Shortfall::Refused(format!("{how} `{other}`: {why}")),
        });
    }
}

fn ways_of(disposition: &Disposition, ways: &mut Vec<Shortfall>) {
    match disposition {
        Disposition::AsIs | Disposition::Lowered(_) | Disposition::Raised => {}
        Disposition::DontCare(reason) => ways.push(Shortfall::DontCare(reason.to_string())),
        Disposition::Stuck(_) => ways.push(Shortfall::Stuck),
        Disposition::Guarded { guard, inside, .. } => {
            ways.push(match guard {
                Guard::Values(fails) => {
                    let values = fails.iter().map(failing);
                    Shortfall::Values(values.collect::<Vec<_>>().join(" or "))
                }
                Guard::Group => Shortfall::Group,
                Guard::Same => Shortfall::Same,
                Guard::Resolve => Shortfall::Asked,
            });
            ways_of(inside, ways);
        }
    }
}

fn failing(fails: &Fails) -> String {
    let mut values = fails.values();
    if fails.all {
        let but = fails.but.join(", ");
        let is_any = but.is_empty();
        values = vec![if is_any { "given".into() } else { format!("not {but}") }];
    }
    let no_multiple = |of| format!("no multiple of {of}");
    values.extend(fails.multiples_of.map(no_multiple));
    values.extend(fails.several.then(|| "several words".to_string()));
    values.extend(fails.absent.then(|| "missing".to_string()));
    format!("{} is {}", fails.capture, values.join("|"))
}
