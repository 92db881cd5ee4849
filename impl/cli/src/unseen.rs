//! What of a line an eye does not see: blanks that are none, characters without a width, values
//! that are empty, lines that look like a text and are commands.

/// Characters that look like a blank or like nothing, by their names.
const UNSEEN: &[(char, &str)] = &[
    ('\u{a0}', "no-break space"),
    ('\u{ad}', "soft hyphen"),
    ('\u{200b}', "zero width space"),
    ('\u{200c}', "zero width non-joiner"),
    ('\u{200d}', "zero width joiner"),
    ('\u{200e}', "left-to-right mark"),
    ('\u{200f}', "right-to-left mark"),
    ('\u{202f}', "narrow no-break space"),
    ('\u{2060}', "word joiner"),
    ('\u{3000}', "ideographic space"),
    ('\u{feff}', "byte order mark"),
];

/// What of a line is not seen, in words, each with its first column. None of a comment.
pub fn remarks(line: &str) -> Vec<String> {
    if line.trim_start().starts_with(['!', '#']) {
        return Vec::new();
    }
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut known: Vec<char> = Vec::new();
    for (at, letter) in line.chars().enumerate() {
        let Some(name) = name(letter).filter(|_| !known.contains(&letter)) else {
            continue;
        };
        known.push(letter);
        let code = u32::from(letter);
        all.push((at, format!("a {name} (U+{code:04X}) at column {}", at + 1)));
    }
    let mut from = 0;
    for word in line.split_ascii_whitespace() {
        let begins = from + line[from..].find(word).unwrap_or(0);
        from = begins + word.len();
        if matches!(word, "\"\"" | "''") {
            let at = line[..begins].chars().count();
            all.push((at, format!("an empty value, `{word}`, at column {}", at + 1)));
        }
    }
    all.sort();
    all.into_iter().map(|(_, remark)| remark).collect()
}

/// What says that the line `number` of `lines` looks as if it opened a text, of which its image
/// knows nothing: its last word is a delimiter that ends a later line.
pub fn text_opened(line: &str, number: usize, lines: &[&[u8]]) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let (_, last) = (words.next()?, words.next_back()?);
    let delimiter = match last.as_bytes() {
        [b'^', capital, ..] if capital.is_ascii_uppercase() => &last[..2],
        [mark] if mark.is_ascii_punctuation() => last,
        _ => return None,
    };
    let ends = |line: &&[u8]| line.trim_ascii_end().ends_with(delimiter.as_bytes());
    let behind = lines.iter().skip(number).position(ends)?;
    Some(format!(
        "what looks like a text up to `{delimiter}` in line {}: the lines between are taken as \
         commands",
        number + behind + 1
    ))
}

fn name(letter: char) -> Option<&'static str> {
    let named = UNSEEN.iter().find(|(unseen, _)| *unseen == letter);
    let other = !letter.is_ascii() && letter.is_whitespace();
    named.map(|(_, name)| *name).or_else(|| other.then_some("blank that separates no words"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_named_with_its_column() {
        let of = |line: &str| remarks(line).join("; ");
        assert_eq!(of("hostname r1"), "");
        assert_eq!(of("ip\u{a0}routing"), "a no-break space (U+00A0) at column 3");
        assert_eq!(of("\u{feff}ip routing"), "a byte order mark (U+FEFF) at column 1");
        assert_eq!(of(" hostname ''"), "an empty value, `''`, at column 11");
        assert_eq!(of("é\u{2003}x"), "a blank that separates no words (U+2003) at column 2");
        let both = "an empty value, `\"\"`, at column 1; a no-break space (U+00A0) at column 4";
        assert_eq!(of("\"\" \u{a0}\u{a0}"), both);
    }

    #[test]
    fn a_comment_and_what_is_seen_have_no_remark() {
        assert_eq!(remarks("! a\u{a0}comment"), [""; 0]);
        assert_eq!(remarks(" # \"\""), [""; 0]);
        assert_eq!(remarks("description \"a\" größe"), [""; 0]);
    }
}
