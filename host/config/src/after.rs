//! Checks what schedules follow on: that it is there, and that nothing follows on itself.

use crate::diagnostic::Diagnostic;
use crate::document::Location;
use crate::procedure::Definition;
use crate::shape::nearest;
use sopwith_core::generation::ReadyProcedure;
use sopwith_core::name::{ActionName, ProcedureName};
use sopwith_core::schedule::{After, When};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The procedures that are in order.
type Ready = BTreeMap<ProcedureName, Arc<ReadyProcedure>>;

/// An action of a procedure.
type Node = (ProcedureName, ActionName);

/// A schedule that follows on something.
struct Edge<'a> {
    definition: &'a Definition,
    place: Location,
    from: Node,
    to: Node,
}

/// What is wrong with what schedules follow on. `names` are all procedures, also those with errors.
pub(crate) fn check(definitions: &[Definition], ready: &Ready, names: &[&str]) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut edges = Vec::new();
    for definition in definitions {
        for written in &definition.schedules {
            let When::After(after) = &written.when else {
                continue;
            };
            let place = written.place.join("after");
            match followed(definition, after, &place, ready, names) {
                Ok(Some(from)) => {
                    let default = ready.get(&definition.name).map(|ready| &ready.procedure.action);
                    let action = written.action.as_ref().or(default);
                    edges.extend(action.map(|action| Edge {
                        definition,
                        place,
                        from,
                        to: (definition.name.clone(), action.clone()),
                    }));
                }
                Ok(None) => {}
                Err(problem) => diagnostics.push(*problem),
            }
        }
    }
    diagnostics.extend(circles(&edges));
    diagnostics
}

/// The action that a schedule follows on; none where its procedure has errors of its own.
fn followed(
    definition: &Definition,
    after: &After,
    place: &Location,
    ready: &Ready,
    names: &[&str],
) -> Result<Option<Node>, Box<Diagnostic>> {
    let name = &after.procedure;
    let Some(other) = ready.get(name) else {
        if names.contains(&name.as_str()) {
            return Ok(None);
        }
        let error = definition.document.error(
            &place.join("procedure"),
            format!("there is no procedure `{name}`"),
        );
        let hint = nearest::hint(name.as_str(), names.iter().copied());
        return Err(Box::new(error.hint_if(hint)));
    };
    let action = after.action.as_ref().unwrap_or(&other.procedure.action);
    let offered = &other.plugin.manifest().actions;
    if !offered.iter().any(|offered| offered.name == *action) {
        let known = offered.iter().map(|offered| offered.name.as_str());
        let message = format!("the procedure `{name}` has no action `{action}`");
        let error = definition.document.error(&place.join("action"), message);
        return Err(Box::new(error.hint_if(nearest::hint(action.as_str(), known))));
    }
    Ok(Some((name.clone(), action.clone())))
}

/// The schedules from which one comes back to where one began.
fn circles(edges: &[Edge<'_>]) -> Vec<Diagnostic> {
    let mut told: BTreeSet<&Node> = BTreeSet::new();
    let mut diagnostics = Vec::new();
    for edge in edges {
        if told.contains(&edge.to) {
            continue;
        }
        let Some(way) = way(edges, &edge.to, &edge.from) else {
            continue;
        };
        told.extend(way.iter().copied());
        let names = way
            .iter()
            .map(|(procedure, action)| format!("`{action}` of `{procedure}`"));
        let names: Vec<_> = names.collect();
        let message = match names.as_slice() {
            [only] => format!("{only} follows on itself, and would never come to an end"),
            _ => format!(
                "these follow on each other, and would never come to an end: {}",
                names.join(", ")
            ),
        };
        let error = edge.definition.document.error(&edge.place, message);
        diagnostics
            .push(error.hint("take one `after` out; what is to run again by itself has `every` or `cron`"));
    }
    diagnostics
}

/// The actions from one to another, along what follows on what.
fn way<'a>(edges: &'a [Edge<'_>], from: &'a Node, to: &Node) -> Option<Vec<&'a Node>> {
    let mut seen: BTreeSet<&Node> = [from].into();
    let mut ways: Vec<Vec<&Node>> = vec![vec![from]];
    while let Some(way) = ways.pop() {
        let end = *way.last()?;
        if end == to {
            return Some(way);
        }
        for edge in edges.iter().filter(|edge| edge.from == *end) {
            if seen.insert(&edge.to) {
                let mut longer = way.clone();
                longer.push(&edge.to);
                ways.push(longer);
            }
        }
    }
    None
}
