//! Finds the tables of a file in which a key would be right.

use super::defaults;
use serde_json::Value;

/// No file has deeper tables.
const DEPTH_MAX: usize = 8;

/// A hint at the tables in which the key would be right, if there are any.
pub(super) fn hint(schema: &Value, key: &str) -> Option<String> {
    let mut search = Search {
        root: schema,
        key,
        homes: Vec::new(),
    };
    search.table(schema, &[]);
    let homes = search.homes.join(" or ");
    (!homes.is_empty()).then(|| format!("`{key}` belongs {homes}"))
}

struct Search<'a> {
    root: &'a Value,
    key: &'a str,
    homes: Vec<String>,
}

impl Search<'_> {
    fn table(&mut self, schema: &Value, path: &[&str]) {
        if path.len() > DEPTH_MAX {
            return;
        }
        let referred = schema.get("$ref").and_then(Value::as_str);
        if let Some(inner) = referred.and_then(|reference| defaults::resolve(self.root, reference)) {
            self.table(inner, path);
        }
        let choices = schema.get("anyOf").and_then(Value::as_array);
        for choice in choices.into_iter().flatten() {
            self.table(choice, path);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if name == self.key {
                self.homes.push(match path {
                    [] => "at the top of the file".to_owned(),
                    path => format!("in [{}]", path.join(".")),
                });
            }
            match property.get("items") {
                Some(items) => self.list(items, &[path, &[name]].concat()),
                None => self.table(property, &[path, &[name]].concat()),
            }
        }
        if let Some(named) = schema.get("additionalProperties").filter(|any| any.is_object()) {
            self.table(named, &[path, &["NAME"]].concat());
        }
    }

    /// The tables of a list have two brackets.
    fn list(&mut self, items: &Value, path: &[&str]) {
        let before = self.homes.len();
        self.table(items, path);
        for home in &mut self.homes[before..] {
            *home = home.replace('[', "[[").replace(']', "]]");
        }
    }
}
