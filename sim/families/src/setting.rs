//! Settings: what can be configured, and the values that they take. How they are written is in
//! `writing`.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A kind of instance, such as an interface. Each of its instances has one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The scope around it; none: the root.
    pub(crate) parent: Option<usize>,
    /// What its names are.
    pub(crate) names: Kind,
}

/// Something that can be set in each instance of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) component: usize,
    /// The scope; none: it is global.
    pub(crate) scope: Option<usize>,
    /// Its values; those of the key first. None: it is a flag.
    pub(crate) fields: Vec<Field>,
    /// The ordered list that its lines stand in. None: of several values the order says nothing.
    pub(crate) list: Option<List>,
}

/// An ordered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Of the lines of one setting.
    Own,
    /// Of all settings that name it so; one for each value of the first key.
    Shared(String),
}

/// One value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// It tells one line of the setting from another.
    pub(crate) is_key: bool,
    pub(crate) is_optional: bool,
    /// Its words have a name in forms. Other kinds than words always have.
    pub(crate) is_named: bool,
}

/// What values a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One of so many words; each release has a table of them.
    Word(usize),
    /// Any of so many words.
    Flags(usize),
    /// A number of the smallest unit.
    Number,
    Address,
    Prefix,
    Address6,
    Name,
    Interface,
    /// An address of either family, or a name.
    Host,
    /// One to three words; the last field of its setting.
    Text,
    /// A path; some look like addresses.
    Path,
    /// A word, or a string in quotes with its blanks.
    Quoted,
    /// A text up to its delimiter; the last field of its setting.
    Block,
    /// A text up to a line that is `quit`; the last field of its setting.
    Lines,
    /// Several of one kind in their order; the last field of its setting.
    Several(Box<Self>),
    /// Numbers in one word, with spans; the last field of its setting.
    Numbers,
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// The optional field is not there.
    Absent,
    Word(usize),
    Flags(BTreeSet<usize>),
    Number(i64),
    Text(String),
    Several(Vec<Self>),
    Numbers(BTreeSet<i64>),
}

/// What is said of a setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It is off.
    Unset,
    /// It is off for these values of its key, of which nothing is said otherwise, or that it is on.
    Not(Vec<Value>),
    /// It has these values, one a field.
    Set(Vec<Value>),
}

impl State {
    /// The values of its key, of which there are so many; none: it is off for whatever key.
    pub(crate) fn key(&self, keys: usize) -> Option<&[Value]> {
        match self {
            Self::Unset => None,
            Self::Not(key) => Some(key),
            Self::Set(values) => Some(&values[..keys]),
        }
    }
}

impl Setting {
    /// How many fields tell one line from another.
    pub(crate) fn keys(&self) -> usize {
        self.fields.iter().filter(|field| field.is_key).count()
    }

    pub(crate) const fn is_flag(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether it has several values of which the order says nothing.
    pub(crate) fn is_set(&self) -> bool {
        let is_several = |field: &Field| matches!(field.kind, Kind::Several(_));
        self.list.is_none() && self.fields.last().is_some_and(is_several)
    }

    /// A state as a config keeps it: what is a set in its order, each value once.
    pub(crate) fn kept(&self, mut state: State) -> State {
        if let (true, State::Set(values)) = (self.is_set(), &mut state)
            && let Some(Value::Several(all)) = values.last_mut()
        {
            all.sort();
            all.dedup();
        }
        state
    }
}

impl Kind {
    /// The placeholder of it in forms; none: words and numbers depend on the writing.
    pub(crate) const fn placeholder(&self) -> &'static str {
        match self {
            Self::Word(_) | Self::Flags(_) | Self::Number | Self::Several(_) | Self::Numbers => "",
            Self::Address => "A.B.C.D",
            Self::Prefix => "A.B.C.D/M",
            Self::Address6 => "X:X::X:X",
            Self::Name => "WORD",
            Self::Interface => "IFNAME",
            Self::Host => "<A.B.C.D|X:X::X:X|WORD>",
            Self::Text => "LINE...",
            Self::Path => "PATH",
            Self::Quoted => "\"WORD\"",
            Self::Block => "^TEXT^",
            Self::Lines => "^TEXT:quit^",
        }
    }

    /// Values of it that are drawn: few, so that they meet again, and some begin others.
    pub(crate) const fn texts(&self) -> &'static [&'static str] {
        match self {
            Self::Word(_) | Self::Flags(_) | Self::Number | Self::Several(_) | Self::Numbers => &[],
            Self::Address => &["192.0.2.1", "192.0.2.10", "198.51.100.7", "10.0.0.1"],
            Self::Prefix => &["10.0.0.0/8", "10.0.0.0/16", "192.0.2.0/24", "192.0.2.128/25"],
            Self::Address6 => &["2001:db8::1", "2001:db8::10", "fe80::1"],
            Self::Name => &["A", "AB", "ABC", "core", "core-1", "x7"],
            Self::Interface => &["e0", "e01", "e1", "e10"],
            Self::Host => &["192.0.2.1", "2001:db8::1", "r1", "r10", "198.51.100.7"],
            Self::Text => &["to the core", "spare", "to the", "x y"],
            Self::Path => &["/var/log", "/var/log/all", "192.0.2.1", "2001:db8::1", "core"],
            Self::Quoted => &["plain", "\"two  words\"", "\"no shutdown\"", "\" x\""],
            Self::Block => &[
                "^C\n shutdown\nis not allowed\n^C",
                "^Cnot you^C",
                "^C\nexit\nexit\nno\n\n x \n^C",
            ],
            Self::Lines => &[
                "\n  30820330 A003\n  30820330 A003\n\n  02020101\n\tquit",
                "\n  30820330 A003\nexit\nquit",
            ],
        }
    }

    /// Whether it takes all that stands behind it in a line.
    pub(crate) const fn takes_rest(&self) -> bool {
        matches!(self, Self::Text | Self::Block | Self::Lines | Self::Several(_))
    }

    /// Whether it is a text over lines, which no `no` has.
    pub(crate) const fn is_text(&self) -> bool {
        matches!(self, Self::Block | Self::Lines)
    }

    /// Whether any word is one.
    pub(crate) const fn is_any(&self) -> bool {
        matches!(
            self,
            Self::Name | Self::Host | Self::Interface | Self::Text | Self::Path | Self::Quoted
        )
    }

    /// How an address is spelled where a line takes this kind; none: a word is kept as it is.
    pub(crate) fn canonical(&self, word: &str) -> Option<String> {
        let takes_addresses = matches!(self, Self::Address6 | Self::Host);
        let address = word.parse::<Ipv6Addr>().ok().filter(|_| takes_addresses)?;
        Some(address.to_string())
    }

    /// Whether a word is of this kind; of those that a choice by value tells from any word.
    pub(crate) fn fits(&self, word: &str) -> bool {
        match self {
            Self::Address => word.parse::<Ipv4Addr>().is_ok(),
            Self::Address6 => word.parse::<Ipv6Addr>().is_ok(),
            other => unreachable!("{other:?} is no kind that a value decides for"),
        }
    }
}
