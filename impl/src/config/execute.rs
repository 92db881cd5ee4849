//! Executing lines: what a command does to a config, and the class of its result.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Config, Edit, EntryKind, Item, Line, LineKey, Place};
use crate::grammar::{Sign, Words, split_words};
use crate::ids::FormId;
use crate::image::{Grammar, Image, ListEdit};
use crate::parse::{self, LINE_BYTES_MAX, LineError, Statement, WalkUp};

/// The class of a parser's result for a line. Source: seed, the parser return code (PRC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prc {
    /// It changed the config.
    Ok,
    /// It is so already.
    Unchanged,
    /// No form takes it.
    NoMatch,
    /// Several forms take it.
    Ambiguous,
    /// It is the beginning of a command.
    Incomplete,
    /// The unit refused it.
    Rejected,
}

impl From<&LineError> for Prc {
    fn from(trouble: &LineError) -> Self {
        match trouble {
            LineError::NoMatch { .. } | LineError::UnknownMode { .. } => Self::NoMatch,
            LineError::Ambiguous { .. } => Self::Ambiguous,
            LineError::Incomplete { .. } => Self::Incomplete,
            LineError::Binary { .. }
            | LineError::Alias { .. }
            | LineError::Refused { .. }
            | LineError::Needed { .. }
            | LineError::TooLong { .. }
            | LineError::Unending { .. }
            | LineError::TextTooLong { .. }
            | LineError::BehindText { .. }
            | LineError::SeveralLines => Self::Rejected,
        }
    }
}

/// A line that was made, if it is one that is read: a list may become too long.
fn as_line(
    image: &Image,
    grammar: &Grammar,
    form: FormId,
    made: Words,
) -> Result<Words, LineError> {
    let bytes = made.text().len();
    if bytes > LINE_BYTES_MAX {
        return Err(LineError::TooLong { bytes });
    }
    let given: Vec<&str> = made.iter().map(|(_, word)| word).collect();
    parse::words(image, grammar, image.form(form).mode, &given)?;
    Ok(made)
}

/// The line of a batch that was refused; nothing of the batch is left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {trouble}")]
pub struct BatchError {
    /// Its number in the batch, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub trouble: LineError,
}

impl Config {
    /// Executes a batch of lines, from the root, whole or not at all.
    ///
    /// # Shape
    /// The edits that it made; none: it was so already.
    ///
    /// # Errors
    /// The first line that the image does not take; the config is as it was.
    pub fn execute(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        batch: &str,
    ) -> Result<Vec<Edit>, BatchError> {
        let mut after = self.clone();
        let mut edits = Vec::new();
        for statement in parse::text(image, grammar, batch.as_bytes(), WalkUp::No) {
            let number = statement.number;
            let executed = after.execute_statement(image, grammar, statement, &mut edits);
            executed.map_err(|trouble| BatchError { number, trouble })?;
        }
        *self = after;
        Ok(edits)
    }

    /// Executes what a line of a text says; its edits are appended.
    ///
    /// # Errors
    /// Why it says nothing; nothing changed then.
    pub fn execute_statement(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        statement: Statement,
        edits: &mut Vec<Edit>,
    ) -> Result<Prc, LineError> {
        let Statement { place, found, list, .. } = statement;
        let (form, words) = found?;
        let words = match list {
            Some(edit) => {
                let made = self.with_list(image, &place, form, &words, &edit);
                made.map(|made| as_line(image, grammar, form, made)).transpose()?
            }
            None => Some(words),
        };
        let Some(words) = words else {
            return Ok(Prc::Unchanged);
        };
        let mut concerned = image.refusals_at(grammar.levels());
        if !concerned.any(|refusal| refusal.is_about(form)) {
            return Ok(self.execute_line(image, grammar, &place, form, words, edits));
        }
        let (mut after, mut made) = (self.clone(), Vec::new());
        let prc = after.execute_line(image, grammar, &place, form, words, &mut made);
        self.is_taken(&after, image, grammar, &place, &made)?;
        after.settle_needs(image, grammar.levels(), &place, &mut made);
        *self = after;
        edits.append(&mut made);
        Ok(prc)
    }

    /// Whether the image takes what a command made of this config, for what else is there.
    fn is_taken(
        &self,
        after: &Self,
        image: &Image,
        grammar: &Grammar,
        place: &Place,
        made: &[Edit],
    ) -> Result<(), LineError> {
        let was = self.refused_in(image, grammar.levels(), place);
        let is = after.refused_in(image, grammar.levels(), place);
        let Some(refused) = is.into_iter().find(|refused| !was.contains(refused)) else {
            return Ok(());
        };
        let why = refused.why.to_string();
        let sets = |edit: &Edit| matches!(edit, Edit::Set { line, .. } if *line == refused.line);
        let text = after.line(&refused.line).map_or("", |line| line.words.text());
        Err(match (refused.without, made.iter().any(sets)) {
            (true, false) => LineError::Needed { line: text.into(), why },
            (false, false) => LineError::Refused { other: text.into(), without: false, why },
            (without, true) => {
                LineError::Refused { other: refused.other.to_string(), without, why }
            }
        })
    }

    /// What `words`, which change a list, make of the line that is there: a whole line, or the `no`
    /// of one of which no value is left; none: there is nothing to change.
    fn with_list(
        &self,
        image: &Image,
        place: &Place,
        form: FormId,
        words: &Words,
        edit: &ListEdit,
    ) -> Option<Words> {
        let (key, _) = Line::new(image, place.clone(), form, words.clone());
        let own = &image.form(form).form;
        let adds = matches!(edit, ListEdit::Adds(_)) == (words.sign() == Sign::Positive);
        let mut values = own.values_of(words);
        let there = self.line(&key).filter(|line| line.sign == Sign::Positive);
        let Some(there) = there else {
            let whole: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
            return adds.then(|| own.build(Sign::Positive, &whole).ok()).flatten();
        };
        values.extend(own.values_of(&there.words));
        let list = own.list_edited(&there.words, edit.capture(), words, adds);
        let sign = if list.is_some() { Sign::Positive } else { Sign::No };
        if let (Some(list), Some(value)) = (list, values.get_mut(edit.capture())) {
            *value = list.into();
        }
        let whole: Vec<(&str, &str)> = values.iter().map(|(n, v)| (*n, &**v)).collect();
        own.build(sign, &whole).ok()
    }

    /// Executes one line that was read; its edits are appended.
    pub fn execute_line(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        place: &Place,
        form: FormId,
        words: Words,
        edits: &mut Vec<Edit>,
    ) -> Prc {
        let before = edits.len();
        let there = place.is_root() || self.entry(place).is_some();
        if !there && words.sign() == Sign::No && !image.form(form).keeps_no_of(&words) {
            // Nothing is there to take away.
            return Prc::Unchanged;
        }
        for place in place.and_ancestors() {
            self.enter(image, place, edits);
        }
        let words = image.form(form).canonical(words);
        match (image.form(form).enters, words.sign()) {
            (Some(_), Sign::Positive) => self.enter(image, place.child(form, words), edits),
            (Some(_), Sign::No) => self.leave(image, place, form, &words, edits),
            (None, Sign::Positive) => {
                let (key, line) = Line::new(image, place.clone(), form, words);
                if !image.form(form).says_absence(&line.words) {
                    for other in self.of_one_setting(image, &key) {
                        self.edit(image, Edit::Unset(other), edits);
                    }
                    self.set(image, key, line, edits);
                } else if self.line(&key).is_some() {
                    // What an absent line says is not written: what says otherwise goes.
                    self.edit(image, Edit::Unset(key), edits);
                }
            }
            (None, Sign::No) => self.negate(image, grammar, place, form, words, edits),
        }
        if edits.len() > before { Prc::Ok } else { Prc::Unchanged }
    }

    fn edit(&mut self, image: &Image, edit: Edit, edits: &mut Vec<Edit>) {
        self.apply(image, &edit);
        edits.push(edit);
    }

    fn enter(&mut self, image: &Image, place: Place, edits: &mut Vec<Edit>) {
        if self.entry(&place) != Some(EntryKind::Entered) {
            let item = Item::of_place(&place);
            let around = place.parent().unwrap_or_default();
            let after = item.and_then(|item| self.stands_behind(&around, &item)).cloned();
            self.edit(image, Edit::Enter { place, entry: EntryKind::Entered, after }, edits);
        }
    }

    /// Removes the instance and all that lies in it.
    fn leave(
        &mut self,
        image: &Image,
        place: &Place,
        form: FormId,
        words: &Words,
        edits: &mut Vec<Edit>,
    ) {
        let gone = place.child(form, words.without_no());
        if self.entry(&gone).is_none() {
            return;
        }
        let places: Vec<Place> = self.entries_within(&gone).cloned().collect();
        for place in places.into_iter().rev() {
            let lines: Vec<LineKey> = self.lines_in(&place).map(|(key, _)| key.clone()).collect();
            for key in lines {
                self.edit(image, Edit::Unset(key), edits);
            }
            self.edit(image, Edit::Leave(place), edits);
        }
    }

    fn set(&mut self, image: &Image, key: LineKey, line: Line, edits: &mut Vec<Edit>) {
        let same = self.line(&key) == Some(&line);
        // Nothing says what a whole line replaces: the one that was said last must stand last.
        let last = image.form(key.form).key.is_none() && self.has_sibling_behind(&key);
        if same && !last {
            return;
        }
        let after = if last {
            self.last_in(&key.place).cloned()
        } else {
            self.stands_behind(&key.place, &Item::of_line(&key)).cloned()
        };
        self.edit(image, Edit::Set { line: key, to: line, after }, edits);
    }

    /// Lines of other forms that an overlay knows as the same setting, told by the same values.
    fn of_one_setting(&self, image: &Image, key: &LineKey) -> Vec<LineKey> {
        let decl = image.form(key.form);
        let values = decl.form.values_of(&key.key);
        let forms = image.of_one_setting(key.form).filter(|form| *form != key.form);
        let lines = forms.flat_map(|form| self.lines_of(&key.place, form));
        let same = |key: &&LineKey| image.form(key.form).form.values_of(&key.key) == values;
        lines.map(|(key, _)| key).filter(same).cloned().collect()
    }

    /// `no` removes by key; where the line itself is the default, it is a line itself. Of an
    /// imported command set nothing says what the default is: there a `no` line that removes
    /// nothing is one.
    fn negate(
        &mut self,
        image: &Image,
        grammar: &Grammar,
        place: &Place,
        form: FormId,
        words: Words,
        edits: &mut Vec<Edit>,
    ) {
        let (mut key, line) = Line::new(image, place.clone(), form, words);
        let others = self.of_one_setting(image, &key);
        if !others.is_empty() {
            let mut taken_away = false;
            for other in others {
                taken_away |= self.line(&other).is_some_and(|line| line.sign == Sign::Positive);
                self.edit(image, Edit::Unset(other), edits);
            }
            if taken_away {
                return;
            }
        }
        if image.form(form).keeps_no() {
            let positive = line.words.without_no();
            let given: Vec<&str> = split_words(positive.text()).collect();
            if let Ok((form, words)) = parse::words(image, grammar, place.mode(image), &given) {
                key = Line::new(image, place.clone(), form, words).0;
            }
        }
        let keeps_no = image.form(key.form).keeps_no();
        if image.form(key.form).keeps_no_of(&line.words) {
            return self.set(image, key, line, edits);
        }
        match self.line(&key).map(|line| line.sign) {
            Some(Sign::Positive) => self.edit(image, Edit::Unset(key), edits),
            Some(Sign::No) => {}
            None if keeps_no => self.set(image, key, line, edits),
            None => {}
        }
    }
}
