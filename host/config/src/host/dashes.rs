//! Whether a pattern lets a value begin with `-`, as an option does.

use regex_automata::hybrid::dfa::DFA;
use regex_automata::{Anchored, Input};
use sopwith_core::command::Pattern;

/// Whether it may. Of a pattern that cannot be made out it is said that it may.
pub(super) fn may_begin_with_one(pattern: &Pattern) -> bool {
    leads_on(pattern).unwrap_or(true)
}

/// Whether anything that the pattern matches goes on after a `-` at the beginning.
fn leads_on(pattern: &Pattern) -> Option<bool> {
    let automaton = DFA::new(pattern.anchored()).ok()?;
    let mut cache = automaton.create_cache();
    let input = Input::new("").anchored(Anchored::Yes);
    let start = automaton.start_state_forward(&mut cache, &input).ok()?;
    let next = automaton.next_state(&mut cache, start, b'-').ok()?;
    // A state that has given up matching is dead or quits.
    (!next.is_quit()).then_some(!next.is_dead())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_patterns_that_match_a_dash_at_the_beginning_may_begin_with_one() {
        let cases = [
            ("[a-z0-9_]{1,40}", false),
            ("[a-z-]+", true),
            ("[a-z][a-z-]*", false),
            (".*", true),
            ("[^a]+", true),
            ("(a|b)?-", true),
            ("--", true),
            ("", false),
            (r"\w+", false),
            (r"(?i)[+-]?\d+", true),
            (r"(?-u)[ -~]+", true),
            (r"\b-", true),
        ];
        for (pattern, expected) in cases {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(may_begin_with_one(&pattern), expected, "{pattern}");
        }
    }
}
