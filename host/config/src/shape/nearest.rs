//! The nearest right name to a wrong one.

/// Words that begin alike: `data_dir` is like `data_directory`, and `PUT` is not like `POST`.
const LIKE_BEGINNING_MIN: f64 = 0.8;
/// Words with few letters changed or exchanged: `ulr` is like `url`.
const LIKE_LETTERS_MIN: f64 = 0.66;

/// What is longer is no word. To compare two takes their lengths multiplied.
const WORD_BYTES_MAX: usize = 256;

/// How many names are listed where none is near: as many as a table has keys, and no time zones.
const LISTED_MAX: usize = 24;

/// A hint at the right name: the nearest one, or all of them where they are few.
pub fn hint<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let right: Vec<&str> = right.into_iter().collect();
    if let Some(meant) = meant(wrong, right.iter().copied()) {
        return Some(meant);
    }
    match right.len() {
        0 => None,
        1 => Some(format!("known is {}", list(&right))),
        2..=LISTED_MAX => Some(format!("known are {}", list(&right))),
        _ => None,
    }
}

/// A hint at the nearest name, if one is near.
pub(crate) fn meant<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let nearest = nearest(wrong, right)?;
    Some(format!("did you mean `{nearest}`?"))
}

/// The names in backticks, with commas.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn nearest<'a>(wrong: &str, right: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = folded(wrong);
    right
        .into_iter()
        .filter_map(|name| Some((likeness(&wrong, &folded(name))?, name)))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// How like two words are; below the least a suggestion is more of a riddle than a help.
fn likeness(one: &str, other: &str) -> Option<f64> {
    if one.len().max(other.len()) > WORD_BYTES_MAX {
        return None;
    }
    let beginning = strsim::jaro_winkler(one, other);
    let letters = strsim::normalized_damerau_levenshtein(one, other);
    (beginning >= LIKE_BEGINNING_MIN || letters >= LIKE_LETTERS_MIN).then_some(beginning + letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_recognised_and_riddles_are_not_posed() {
        let known = ["memory", "timeout", "log"];
        assert_eq!(hint("memry", known).unwrap(), "did you mean `memory`?");
        assert_eq!(hint("Time-out", known).unwrap(), "did you mean `timeout`?");
        assert_eq!(
            hint("xyz", known).unwrap(),
            "known are `memory`, `timeout`, `log`"
        );
        assert_eq!(hint("xyz", []), None);
    }
}
