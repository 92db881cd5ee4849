//! Changes of which a function says what lines become. What it says is no more than a proposal: the
//! lines are made of the forms of the change, and go only if they come back (`rule`).

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::address::{self, Bindings};
use super::rule::{Direction, Lines, Pattern, Rule, RuleError, SideOf};
use super::{GroupKey, StuckCause};
use crate::config::{Line, LineKey, Place};
use crate::digest::Shared;
use crate::grammar::{Form, Sign, Words};
use crate::image::{
    Captures, Function, FunctionCause, FunctionGroup, FunctionKeys, FunctionLine, Image, OneSide,
};

impl From<OneSide> for SideOf {
    fn from(side: OneSide) -> Self {
        match side {
            OneSide::Old => Self::Old,
            OneSide::New => Self::New,
        }
    }
}

/// Lines of a form that are looked at for one that does not negate.
const EXAMPLES_MAX: usize = 8;

/// Stands before the words of a key that has no counterpart: no value begins so.
const NO_COUNTERPART: &str = "\0";

/// The names that tell groups apart where a function says how they are called on the other side:
/// those of the old side.
///
/// # Errors
/// [`RuleError::Function`], if lines of one side are told apart by different names, or a mode is
/// entered.
pub(super) fn key_of(
    image: &Image,
    function: &Function,
    (old, new): (&[Pattern], &[Pattern]),
) -> Result<Option<Vec<Box<str>>>, RuleError> {
    let wrong = || RuleError::Function { name: function.name };
    let (Some(first), Some(other)) = (old.first(), new.first()) else {
        return Err(wrong());
    };
    let enters = |of: &Pattern| image.form(of.form).enters.is_some();
    if old.iter().chain(new).any(enters) {
        return Err(wrong());
    }
    if function.keys.is_none() {
        return Ok(None);
    }
    let alike = |side: &[Pattern], first: &Pattern| {
        side.iter().all(|pattern| pattern.address == first.address)
    };
    if !(alike(old, first) && alike(new, other)) {
        return Err(wrong());
    }
    Ok(Some(first.address.iter().cloned().collect()))
}

impl Rule {
    /// How a function calls on the other side what tells lines apart, if it does.
    fn function_keys(&self) -> Option<FunctionKeys> {
        self.function.as_ref()?.keys
    }

    /// Whether the key of a group says which line of a pattern is of it.
    pub(crate) fn says_whole_key(&self, pattern: &Pattern) -> bool {
        self.function_keys().is_some() || pattern.address.len() == self.key.len()
    }

    /// The key of the group of a line with these values in its address, where a function says it.
    pub(super) fn function_group(
        &self,
        side: SideOf,
        values: &Bindings<'_>,
    ) -> Option<Vec<Box<str>>> {
        let keys = self.function_keys()?;
        let values = captures(values);
        let there = match side {
            SideOf::Old => Some(values.clone()),
            SideOf::New => (keys.lower)(&values),
        };
        let Some(there) = there else {
            // It is of no group of the other side.
            let own = values.into_values().map(|value| alloc::format!("{NO_COUNTERPART}{value}"));
            return Some(own.map(Into::into).collect());
        };
        let value = |name: &str| there.get(name).map_or("", |value| value).into();
        Some(self.key.iter().map(|name| value(name)).collect())
    }

    /// The keys of the lines of a group on one side, where a function says it.
    pub(super) fn function_line_keys(
        &self,
        image: &Image,
        side: SideOf,
        group: &GroupKey,
    ) -> Option<Vec<Option<LineKey>>> {
        let keys = self.function_keys()?;
        let has = self.key.iter().zip(&group.key).filter(|(_, value)| !value.is_empty());
        let old: Captures =
            has.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let is_of_both = group.key.iter().all(|value| !value.starts_with(NO_COUNTERPART));
        let values = match side {
            _ if !is_of_both => None,
            SideOf::Old => Some(old),
            SideOf::New => (keys.raise)(&old),
        };
        let line_key = |pattern: &Pattern| {
            let values = bindings(values.as_ref()?);
            address::line_key(image, &group.at, pattern, &values)
        };
        Some(self.side(side).iter().map(line_key).collect())
    }

    /// The lines of the other side, by pattern, as the function of the change says.
    pub(super) fn make_by_function(
        &self,
        image: &Image,
        direction: Direction,
        function: &Function,
        group: &GroupKey,
        lines: &[Vec<(LineKey, Line)>],
    ) -> Result<Lines, StuckCause> {
        let from = self.side(direction.from());
        let said = lines.iter().zip(from).enumerate().flat_map(|(form, (lines, pattern))| {
            lines.iter().map(move |(key, line)| {
                let mut values = address::of_line(image, key, self.depth, pattern);
                values.extend(image.form(key.form).form.values_of(&line.words));
                FunctionLine { form, sign: line.sign, captures: captures(&values) }
            })
        });
        let around = captures_of(image, &group.at);
        let read = FunctionGroup { around, lines: said.collect() };
        let translate = match direction {
            Direction::Lower => function.lower,
            Direction::Raise => function.raise,
        };
        let to = self.side(direction.to());
        let mut made: Lines = alloc::vec![Vec::new(); to.len()];
        for line in
            translate(&read).map_err(|cause| self.cause_of(image, direction, &read, cause))?
        {
            let Some(pattern) = to.get(line.form) else {
                return Err(StuckCause::Unverified);
            };
            let built = build(image, &group.at, pattern, &line)?;
            made[line.form].push(built);
        }
        // Nothing is made of something, and nothing would be known of the way back.
        if made.iter().all(Vec::is_empty) {
            return Err(StuckCause::Unverified);
        }
        made.iter_mut().for_each(|lines| lines.sort());
        Ok(made)
    }

    /// The cause that a function gives.
    fn cause_of(
        &self,
        image: &Image,
        direction: Direction,
        read: &FunctionGroup,
        cause: FunctionCause,
    ) -> StuckCause {
        match cause {
            FunctionCause::Value { capture, allowed } => {
                let value = read.lines.iter().find_map(|line| line.captures.get(&capture));
                StuckCause::Value {
                    value: Shared::text(value.map_or("", |value| value)),
                    capture: Shared::text(&capture),
                    allowed: Shared::text(&allowed),
                }
            }
            FunctionCause::Missing { form } => {
                match (direction, self.side(direction.from()).get(form)) {
                    (Direction::Lower, Some(pattern)) => StuckCause::Alone {
                        missing: Shared::text(image.form(pattern.form).form.text()),
                    },
                    (Direction::Lower, None) => StuckCause::Unverified,
                    (Direction::Raise, _) => StuckCause::Pending,
                }
            }
            FunctionCause::Conflict => StuckCause::Conflict,
        }
    }
}

/// The line that a function says; it has a place for all that is said of it.
fn build(
    image: &Image,
    at: &Place,
    pattern: &Pattern,
    line: &FunctionLine,
) -> Result<(LineKey, Line), StuckCause> {
    let carries = |name: &str| {
        let mut forms = pattern.entries.iter().chain([&pattern.form]);
        forms.any(|form| image.form(*form).form.carries(name))
    };
    let unsaid = line.captures.iter().find(|(name, _)| !carries(name));
    if let Some((name, value)) = unsaid.filter(|_| line.sign == Sign::Positive) {
        return Err(StuckCause::Value {
            capture: Shared::text(name),
            value: Shared::text(value),
            allowed: Shared::text(""),
        });
    }
    address::build(image, at, pattern, line.sign, &bindings(&line.captures))
}

/// The lines of a sample in a place, with values of an example where the forms ask for more; none:
/// they have no place for it.
pub(super) fn lines_of_sample(
    image: &Image,
    at: &Place,
    side: &[Pattern],
    lines: &[FunctionLine],
) -> Option<Lines> {
    let mut made: Lines = alloc::vec![Vec::new(); side.len()];
    for line in lines {
        let pattern = side.get(line.form)?;
        let mut line = line.clone();
        for form in pattern.entries.iter().chain([&pattern.form]) {
            complete(&image.form(*form).form, &mut line.captures);
        }
        made[line.form].push(build(image, at, pattern, &line).ok()?);
    }
    Some(made)
}

/// Adds what a form always carries, as the first of its examples says it.
fn complete(form: &Form, captures: &mut Captures) {
    let examples = form.examples(EXAMPLES_MAX);
    let Some(example) = examples.iter().find(|words| words.sign() == Sign::Positive) else {
        return;
    };
    for name in form.carried().filter(|name| form.always_carries(name)) {
        if let Some(value) = example.value(form, name) {
            captures.entry(name.into()).or_insert_with(|| value.into_owned());
        }
    }
}

/// The captures of all instances of a place.
fn captures_of(image: &Image, place: &Place) -> Captures {
    let said = |(entry, words): &(crate::ids::FormId, Words)| {
        captures(&image.form(*entry).form.values_of(words))
    };
    place.instances().iter().flat_map(said).collect()
}

fn captures(values: &Bindings<'_>) -> Captures {
    values.iter().map(|(name, value)| ((*name).into(), value.as_ref().into())).collect()
}

fn bindings(captures: &Captures) -> Bindings<'_> {
    captures.iter().map(|(name, value)| (name.as_str(), value.as_str().into())).collect()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::config::Config;
    use crate::image::{Family, Functions, ImageError, ImageFileError, Sample};
    use crate::transform::laws::check_inverse;
    use crate::transform::{GroupStep, Tft};

    const TABLE: &str = "family = 'f'\ncomponents = ['c']\n[[release]]\nname = '2'\n\
                         levels = { c = 2 }\n";
    const COMPONENT: &str = "component = 'c'
[[command]]
mode = 'config'
form = '[no] server WORD$name rank (1-9)$rank'
key = ['name']
[[change]]
level = 2
why = 'in their order'
rust = 'ranks'
old = [{ mode = 'config', form = '[no] server WORD$name rank (1-9)$rank' }]
new = [{ mode = 'config', form = '[no] servers WORD...$names' }]
";

    /// A whole table is one line: what has rank 1, then what has rank 2.
    const RANKS: Function = Function {
        name: "ranks",
        revision: 3,
        lower: |group| {
            let names = group.lines.iter().filter_map(|line| line.captures.get("names"));
            let names = names.flat_map(|names| names.split(' ')).enumerate();
            let line = |(rank, name): (usize, &str)| FunctionLine {
                form: 0,
                sign: Sign::Positive,
                captures: [("name", name.into()), ("rank", (rank + 1).to_string())]
                    .map(|(name, value)| (name.into(), value))
                    .into(),
            };
            Ok(names.map(line).collect())
        },
        raise: |group| {
            let ranked = group.lines.iter().map(|line| {
                let of = |name: &str| line.captures.get(name).cloned().unwrap_or_default();
                (of("rank"), of("name"))
            });
            let ranked: BTreeMap<_, _> = ranked.collect();
            if ranked.len() < group.lines.len() {
                return Err(FunctionCause::Conflict);
            }
            let gap = (1..).zip(ranked.keys()).any(|(rank, of)| rank.to_string() != *of);
            if gap {
                return Err(FunctionCause::Missing { form: 0 });
            }
            let names: Vec<_> = ranked.into_values().collect();
            let captures = [("names".into(), names.join(" "))].into();
            Ok(alloc::vec![FunctionLine { form: 0, sign: Sign::Positive, captures }])
        },
        keys: None,
        samples: || {
            let captures = [("names".into(), "b a c".into())].into();
            let line = FunctionLine { form: 0, sign: Sign::Positive, captures };
            alloc::vec![Sample { side: OneSide::New, lines: alloc::vec![line] }]
        },
    };

    fn image(functions: Functions) -> Image {
        let files = [("family.toml", TABLE), ("c.toml", COMPONENT)];
        let (family, errors) = Family::read_with(&files, None, functions);
        assert_eq!(errors, []);
        family.and_then(|family| family.image("2")).unwrap()
    }

    /// What becomes of these lines of the old side.
    fn raised(lines: &str) -> GroupStep {
        let image = image(Functions::built_in().with([RANKS]));
        let tft = Tft::compile(&image).unwrap();
        let rule = &tft.rules()[0];
        let levels = [crate::ids::Level(1)];
        let mut config = Config::factory(&levels);
        config.execute(&image, &image.grammar(&levels), lines).unwrap();
        let (key, _) = config.lines().next().unwrap();
        let group = rule.group_of(&image, SideOf::Old, 0, key);
        rule.evaluate(&image, Direction::Raise, &config, &group)
    }

    #[test]
    fn a_function_reads_a_whole_table() {
        let GroupStep::Made { out, .. } = raised("server a rank 2\nserver b rank 1\n") else {
            panic!("it goes");
        };
        let texts: Vec<&str> = out.iter().map(|(_, line)| line.words.text()).collect();
        assert_eq!(texts, ["servers b a"]);
    }

    #[test]
    fn what_a_function_misses_may_still_come() {
        assert_eq!(raised("server a rank 2\n"), GroupStep::Pending);
        let twice = raised("server a rank 1\nserver b rank 1\n");
        assert_eq!(twice, GroupStep::Stuck(StuckCause::Conflict));
    }

    #[test]
    fn samples_are_asked_of_a_family() {
        let image = image(Functions::built_in().with([RANKS]));
        assert_eq!(check_inverse(&image, &Tft::compile(&image).unwrap().rules()[0], 64), []);
        let wrong: fn(&FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> =
            |_| Err(FunctionCause::Conflict);
        let image = self::image(Functions::built_in().with([Function { lower: wrong, ..RANKS }]));
        let broken = check_inverse(&image, &Tft::compile(&image).unwrap().rules()[0], 64);
        let said: Vec<_> = broken.iter().map(ToString::to_string).collect();
        let sample = "the sample servers b a c does not go: lines of one group contradict each \
                      other";
        assert!(said.iter().any(|said| said == sample), "{said:?}");
    }

    #[test]
    fn what_does_not_come_back_is_named() {
        let small: fn(&FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> = |group| {
            let mut lines = group.lines.clone();
            for line in &mut lines {
                line.captures.values_mut().for_each(|value| *value = value.to_lowercase());
            }
            Ok(lines)
        };
        let samples = || Vec::new();
        let names = Function { name: "names", lower: small, raise: small, samples, ..RANKS };
        let holds = |partial: &str| {
            let component = alloc::format!(
                "component = 'c'\n[[command]]\nmode = 'config'\nform = '[no] host WORD$name'\n\
                 [[change]]\nlevel = 2\nwhy = 'small'\nrust = 'names'\n{partial}\n\
                 old = [{{ mode = 'config', form = '[no] host WORD$name' }}]\n\
                 new = [{{ mode = 'config', form = '[no] name WORD$name' }}]\n"
            );
            let files = [("family.toml", TABLE), ("c.toml", component.as_str())];
            let (family, errors) =
                Family::read_with(&files, None, Functions::built_in().with([names]));
            assert_eq!(errors, []);
            let image = family.and_then(|family| family.image("2")).unwrap();
            check_inverse(&image, &Tft::compile(&image).unwrap().rules()[0], 64).is_empty()
        };
        assert!(!holds(""));
        assert!(holds("partial = ['name']"));
    }

    #[test]
    fn a_program_without_the_function_does_not_read_the_image() {
        let with = Functions::built_in().with([RANKS]);
        let file = image(with.clone()).encode();
        assert_eq!(Image::decode_with(file.as_bytes(), &with).unwrap().encode(), file);
        let refused = Image::decode(file.as_bytes()).unwrap_err();
        assert!(matches!(refused, ImageFileError::Image(ImageError::Function { .. })));
        let newer = with.with([Function { revision: 4, ..RANKS }]);
        let refused = Image::decode_with(file.as_bytes(), &newer).unwrap_err().to_string();
        assert!(refused.contains("`ranks` of revision 3"), "{refused}");
        assert_ne!(image(newer).encode(), file);
    }
}
