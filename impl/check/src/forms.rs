//! Forms of one release against each other: every rendered line is read back as what it is.

use std::collections::BTreeMap;

use super::{FORM_LINES_MAX, Fault, Finding, Origins, Report};
use skewsync::grammar::{Form, Residue, ResidueLimits, Resolution, Token, residue, split_words};
use skewsync::ids::{FormId, ModeId};
use skewsync::image::Image;

/// Bounds of one comparison of two forms.
const LIMITS: ResidueLimits = ResidueLimits { states_max: 2_000 };

pub(super) fn check(image: &Image, origins: &Origins, report: &mut Report) {
    let mut by_mode: BTreeMap<ModeId, Vec<FormId>> = BTreeMap::new();
    let aliases = image.aliases().map(|(id, alias)| (id, &alias.decl));
    for (id, decl) in image.forms().chain(aliases) {
        if decl.lives_at(image.levels()[usize::from(decl.component.0)]) {
            by_mode.entry(decl.mode).or_default().push(id);
            read_back(image, id, origins, report);
        }
    }
    for forms in by_mode.values() {
        report.overlaps += overlaps(image, forms);
    }
}

fn read_back(image: &Image, id: FormId, origins: &Origins, report: &mut Report) {
    let decl = image.form(id);
    let matcher = image.own().mode(decl.mode);
    let release = || image.declarations().release.clone();
    for words in decl.form.examples(FORM_LINES_MAX) {
        report.lines += 1;
        let line = || words.to_string();
        let given: Vec<&str> = split_words(words.text()).collect();
        let described = |other: FormId| -> (String, _) {
            let text = image.form(other).form.text().to_string();
            (text, origins.form(image, other))
        };
        let fault = match matcher.resolve(&given) {
            Resolution::Match { id: found, words: read } if found == id && read == words => {
                continue;
            }
            Resolution::Match { id: found, .. } if found != id => {
                let (other, at) = described(found);
                Fault::Taken { release: release(), line: line(), other, at }
            }
            Resolution::Ambiguous { ids } => {
                let (other, at) = described(*ids.iter().find(|other| **other != id).unwrap_or(&id));
                Fault::Ambiguous { release: release(), line: line(), other, at }
            }
            Resolution::Match { .. } | Resolution::NoMatch { .. } | Resolution::Incomplete => {
                Fault::NotRead { release: release(), line: line() }
            }
        };
        report.findings.push(Finding {
            origin: origins.form(image, id),
            words: decl.form.text().to_string(),
            fault,
        });
        // One line of a form says it.
        return;
    }
}

/// Pairs of forms of which some line is a line of both. Those with other first keywords are none.
fn overlaps(image: &Image, forms: &[FormId]) -> usize {
    let mut by_first: BTreeMap<Option<&str>, Vec<&Form>> = BTreeMap::new();
    for id in forms {
        let form = &image.form(*id).form;
        by_first.entry(first_keyword(form)).or_default().push(form);
    }
    let meets = |a: &Form, b: &Form| {
        a.normal() != b.normal() && residue(a, &[b], &LIMITS) != Residue::Whole
    };
    let any = by_first.get(&None).cloned().unwrap_or_default();
    let mut count = 0;
    for (first, some) in &by_first {
        for (number, a) in some.iter().enumerate() {
            let with_any = any.iter().filter(|_| first.is_some());
            let others = some[number + 1..].iter().chain(with_any);
            count += others.filter(|b| meets(a, b)).count();
        }
    }
    count
}

/// The first word after a `no`, where it is one keyword.
fn first_keyword(form: &Form) -> Option<&str> {
    let mut words = form.text().split_whitespace();
    let first = words.find(|word| !matches!(*word, "[no]" | "no"))?;
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '-' || letter == '_';
    let is_keyword = first.chars().all(plain)
        && form
            .leaves()
            .iter()
            .any(|leaf| matches!(&leaf.token, Token::Keyword(word) if **word == *first));
    is_keyword.then_some(first)
}
