//! Finds `{{secret:NAME}}` in settings where no secret is put in.

use super::Attaching;
use super::requests::in_settings;
use crate::shape::nearest;
use serde_json::Value;
use sopwith_core::grant::{Access, Asked, ResourceKind};
use std::collections::BTreeSet;

/// How a place for a secret begins.
const PLACE: &str = "{{secret:";

impl Attaching<'_> {
    /// Where the plugin does not send a text, the server would get the braces, or nobody anything.
    pub(super) fn tell_of_stray_secrets(&mut self, asked: &[Asked], settings: &Value) {
        let inserted = asked.iter().filter(|one| one.wanted.access() == Access::Insert);
        let inserted: BTreeSet<&str> = inserted.map(|one| one.place.as_str()).collect();
        let mut places = Vec::new();
        find(settings, &mut String::new(), &mut places);
        for place in places.iter().filter(|place| !inserted.contains(place.as_str())) {
            let plugin = &self.definition.plugin;
            let message = format!("no secret can stand here: the plugin `{plugin}` sends this nowhere");
            let hint = match self.takes_secrets_at().as_slice() {
                [] => "it takes secrets in none of its settings".to_owned(),
                paths => format!("it takes secrets at {}", nearest::list(paths)),
            };
            let error = self.document().error(&in_settings(place), message);
            self.diagnostics.push(error.hint(hint));
        }
    }

    /// The paths into the settings whose texts may name secrets.
    fn takes_secrets_at(&self) -> Vec<&str> {
        let requests = self
            .manifest
            .actions
            .iter()
            .flat_map(|action| &action.capabilities);
        let inserting =
            requests.filter(|one| one.kind == ResourceKind::Secrets && one.access == Access::Insert);
        let paths: BTreeSet<_> = inserting.map(|request| request.from.as_str()).collect();
        paths.into_iter().collect()
    }
}

/// The JSON pointers to all texts that name a secret.
fn find(value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    let mut within = |segment: &str, inner: &Value| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(segment);
        find(inner, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                within(&index.to_string(), item);
            }
        }
        Value::Object(fields) => {
            for (name, inner) in fields {
                within(&name.replace('~', "~0").replace('/', "~1"), inner);
            }
        }
        Value::String(text) if text.contains(PLACE) => found.push(pointer.clone()),
        _ => {}
    }
}
