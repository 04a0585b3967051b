//! Texts made of kept ones by edits: of words, lines and brackets more than of single characters.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::ops::Range;

/// No text becomes longer than this by repetition.
const BYTES_MAX: usize = 64 << 10;

/// Texts that are made of these by a few edits, with these words beside their own. Without any text to
/// begin with, they begin with nothing.
pub fn edited(seeds: Vec<String>, words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let seeds = if seeds.is_empty() {
        vec![String::new()]
    } else {
        seeds
    };
    let texts = (any::<Index>(), edits());
    texts.prop_map(move |(first, edits)| edits.of(first.get::<String>(&seeds), &seeds, words))
}

/// A few edits of a text that is not known yet.
pub fn edits() -> impl Strategy<Value = Edits> {
    // Most of what a text is read for is behind the first error, so that most have few edits.
    let edits = prop_oneof![4 => vec(edit(), 0..4), 1 => vec(edit(), 4..16)];
    edits.prop_map(Edits)
}

/// Edits of a text, one after the other.
#[derive(Debug, Clone)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// The text that they make of this one. What is put in comes from it, from the others (of which there is at
    /// least one) and from the words.
    pub fn of(&self, text: &str, others: &[String], words: &[&str]) -> String {
        let edits = self.0.iter();
        edits.fold(text.to_owned(), |text, edit| edit.made(&text, others, words))
    }
}

/// What is changed, and where: places are counted in words or lines.
#[derive(Debug, Clone)]
struct Edit {
    kind: Kind,
    unit: Unit,
    at: Index,
    length: usize,
    other: Index,
    place: Index,
}

#[derive(Debug, Clone)]
enum Kind {
    Cut,
    Double,
    Repeat(usize),
    Move,
    /// A word of the dictionary in the place of what is there, or in front of it.
    Word {
        in_place: bool,
    },
    /// A part of another text in the place of what is there, or in front of it.
    Graft {
        in_place: bool,
    },
    Character(char),
}

#[derive(Debug, Clone, Copy)]
enum Unit {
    Word,
    Line,
}

fn edit() -> impl Strategy<Value = Edit> {
    let kind = prop_oneof![
        3 => Just(Kind::Cut),
        1 => Just(Kind::Double),
        1 => (2..4_000_usize).prop_map(Kind::Repeat),
        2 => Just(Kind::Move),
        6 => any::<bool>().prop_map(|in_place| Kind::Word { in_place }),
        4 => any::<bool>().prop_map(|in_place| Kind::Graft { in_place }),
        1 => any::<char>().prop_map(Kind::Character),
    ];
    let unit = prop_oneof![3 => Just(Unit::Word), 1 => Just(Unit::Line)];
    let length = prop_oneof![3 => Just(1_usize), 1 => 2..12_usize];
    let places = any::<[Index; 3]>();
    (kind, unit, length, places).prop_map(|(kind, unit, length, [at, other, place])| Edit {
        kind,
        unit,
        at,
        length,
        other,
        place,
    })
}

impl Edit {
    fn made(&self, text: &str, others: &[String], words: &[&str]) -> String {
        let units = units(text, self.unit);
        let there = span(&units, self.at, self.length, text.len());
        let (before, here, after) = (&text[..there.start], &text[there.clone()], &text[there.end..]);
        match &self.kind {
            Kind::Cut => format!("{before}{after}"),
            Kind::Double => format!("{before}{here}{here}{after}"),
            Kind::Repeat(times) => {
                let times = (*times).min(BYTES_MAX / here.len().max(1));
                format!("{before}{}{after}", here.repeat(times))
            }
            Kind::Move => {
                let rest = format!("{before}{after}");
                let to = span(&self::units(&rest, self.unit), self.other, 1, rest.len()).start;
                format!("{}{here}{}", &rest[..to], &rest[to..])
            }
            Kind::Word { in_place } => {
                let own = words.get(self.other.index(words.len() + units.len().max(1)));
                // A word of the text itself, from elsewhere, fits as often as one of the dictionary.
                let word = own
                    .copied()
                    .unwrap_or_else(|| &text[span(&units, self.place, 1, text.len())]);
                let here = if *in_place { "" } else { here };
                format!("{before}{word}{here}{after}")
            }
            Kind::Graft { in_place } => {
                let other = self.other.get::<String>(others);
                let taken = span(
                    &self::units(other, self.unit),
                    self.place,
                    self.length,
                    other.len(),
                );
                let here = if *in_place { "" } else { here };
                format!("{before}{}{here}{after}", &other[taken])
            }
            Kind::Character(character) => format!("{before}{character}{here}{after}"),
        }
    }
}

/// Where so many units begin and end, from one on.
fn span(units: &[Range<usize>], at: Index, length: usize, end: usize) -> Range<usize> {
    if units.is_empty() {
        return end..end;
    }
    let first = at.index(units.len());
    let last = (first + length - 1).min(units.len() - 1);
    units[first].start..units[last].end
}

/// The words of a text, each other character by itself; or its lines.
fn units(text: &str, unit: Unit) -> Vec<Range<usize>> {
    let joins = |one: char, next: char| match unit {
        Unit::Word => is_of_word(one) && is_of_word(next),
        Unit::Line => one != '\n',
    };
    let mut units: Vec<Range<usize>> = Vec::new();
    let mut previous = None;
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        match units.last_mut() {
            Some(last) if previous.is_some_and(|previous| joins(previous, character)) => last.end = end,
            _ => units.push(start..end),
        }
        previous = Some(character);
    }
    units
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    use std::collections::BTreeSet;

    #[test]
    fn a_text_falls_into_words_or_lines() {
        let parts = |unit| {
            let text = "a_b = \"ü1\"\n\nc";
            units(text, unit)
                .into_iter()
                .map(|part| &text[part])
                .collect::<Vec<_>>()
        };
        assert_eq!(
            parts(Unit::Word),
            ["a_b", " ", "=", " ", "\"", "ü1", "\"", "\n", "\n", "c"]
        );
        assert_eq!(parts(Unit::Line), ["a_b = \"ü1\"\n", "\n", "c"]);
    }

    #[test]
    fn edits_make_many_texts_and_use_every_word() {
        let seeds = vec!["url = \"sqlite:app.db\"\n".to_owned(), "[limits]\n".to_owned()];
        let cases = edited(seeds, &["WORD1", "WORD2"]);
        let mut runner = TestRunner::deterministic();
        let made: BTreeSet<String> = (0..500)
            .map(|_| cases.new_tree(&mut runner).expect("a text").current())
            .collect();
        assert!(made.len() > 300, "{}", made.len());
        for word in ["WORD1", "WORD2", "sqlite"] {
            assert!(made.iter().any(|text| text.contains(word)), "{word}");
        }
    }
}
