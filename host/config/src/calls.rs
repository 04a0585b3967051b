//! Which procedures may call which: never in a circle, and not too deep.

use crate::diagnostic::Diagnostic;
use crate::document::at;
use crate::procedure::Definition;
use sopwith_core::name::ResourceName;
use sopwith_core::port::CALL_DEPTH_MAX;
use std::collections::{BTreeMap, BTreeSet};

/// The procedures that each may call, by their names.
type Callable<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Says where procedures could call each other in a circle, or deeper than calls may nest.
pub(crate) fn check(definitions: &[Definition]) -> Vec<Diagnostic> {
    let callable: Callable<'_> = definitions
        .iter()
        .map(|definition| (definition.name.as_str(), called_by(definition)))
        .collect();
    let mut found = Vec::new();
    for definition in definitions {
        let start = definition.name.as_str();
        if let Some(path) = circle(&callable, start) {
            let message = format!(
                "procedures could call each other in a circle: {}",
                path.join(" → ")
            );
            found.push(told(definition, message, "take one of these grants away"));
        } else if let Some(path) = too_deep(&callable, start) {
            let message = format!(
                "calls may nest {CALL_DEPTH_MAX} deep, and could nest deeper: {}",
                path.join(" → ")
            );
            found.push(told(
                definition,
                message,
                "let one of them do what it calls another for",
            ));
        }
    }
    found
}

fn told(definition: &Definition, message: String, hint: &str) -> Diagnostic {
    let place = at(["grants", "procedures"]);
    definition.document.error(&place, message).hint(hint)
}

fn called_by(definition: &Definition) -> BTreeSet<&str> {
    let grants = definition.action_grants.values().chain([&definition.grants]);
    grants
        .flat_map(|grants| &grants.procedures)
        .map(ResourceName::as_str)
        .collect()
}

/// The shortest way from a procedure back to itself, told where it begins with the first of its names, so
/// that a circle is told once.
fn circle<'a>(callable: &Callable<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for next in callable.get(last).into_iter().flatten() {
                let grown = [&way[..], &[*next]].concat();
                if *next == start {
                    return grown
                        .iter()
                        .min()
                        .is_some_and(|first| *first == start)
                        .then_some(grown);
                }
                if seen.insert(*next) {
                    longer.push(grown);
                }
            }
        }
        ways = longer;
    }
    None
}

/// A way that is longer than calls may nest, told where it begins with what nobody calls.
fn too_deep<'a>(callable: &Callable<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    if callable.values().any(|called| called.contains(start)) {
        return None;
    }
    let mut layer: BTreeMap<&str, Vec<&str>> = [(start, vec![start])].into();
    for _ in 0..CALL_DEPTH_MAX {
        let ways = layer.values().flat_map(|way| {
            let next = way
                .last()
                .and_then(|last| callable.get(last))
                .into_iter()
                .flatten();
            next.map(|next| (*next, [&way[..], &[*next]].concat()))
        });
        layer = ways.collect();
    }
    layer.into_values().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callable<'a>(calls: &[(&'a str, &'a str)]) -> Callable<'a> {
        let mut callable = Callable::new();
        for (caller, called) in calls {
            callable.entry(caller).or_default().insert(called);
            callable.entry(called).or_default();
        }
        callable
    }

    #[test]
    fn a_circle_is_told_once_by_its_shortest_way() {
        let calls = callable(&[
            ("b", "c"),
            ("c", "a"),
            ("a", "b"),
            ("a", "d"),
            ("d", "b"),
            ("e", "a"),
        ]);
        assert_eq!(circle(&calls, "a"), Some(vec!["a", "b", "c", "a"]));
        for other in ["b", "c", "d", "e"] {
            assert_eq!(circle(&calls, other), None, "{other}");
        }
        assert_eq!(circle(&callable(&[("a", "a")]), "a"), Some(vec!["a", "a"]));
        assert_eq!(
            circle(&callable(&[("a", "b"), ("a", "c"), ("b", "c")]), "a"),
            None
        );
    }

    #[test]
    fn a_way_that_is_too_long_is_told_at_its_beginning() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let calls: Vec<_> = names.windows(2).map(|pair| (pair[0], pair[1])).collect();
        assert_eq!(too_deep(&callable(&calls), "a"), Some(names.to_vec()));
        assert_eq!(too_deep(&callable(&calls), "b"), None);
        assert_eq!(too_deep(&callable(&calls[1..]), "b"), None);
    }
}
