//! Compares two files as the operator wrote them, so that nothing of the environment is shown.

use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One key of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Where it stands: `limits.timeout`, `schedule.daily.cron`.
    pub key: String,
    /// As it was; none where it was not there.
    pub before: Option<Value>,
    /// As it would be; none where it would be gone.
    pub after: Option<Value>,
}

/// The keys whose values differ, in order. Comments and the order of keys do not count.
pub(super) fn changed(before: &str, after: &str) -> Vec<Changed> {
    let (mut before, mut after) = (flat(before), flat(after));
    let keys: BTreeSet<String> = before.keys().chain(after.keys()).cloned().collect();
    let changes = keys.into_iter().filter_map(|key| {
        let (before, after) = (before.remove(&key), after.remove(&key));
        (before != after).then_some(Changed { key, before, after })
    });
    changes.collect()
}

/// Every value by where it stands; a file with errors was never in force and has none.
fn flat(text: &str) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    if let Ok(value) = toml::from_str::<Value>(text) {
        walk(&value, &mut String::new(), &mut values);
    }
    values
}

fn walk(value: &Value, place: &mut String, values: &mut BTreeMap<String, Value>) {
    let mut enter = |name: &str, value: &Value| {
        let length = place.len();
        if length > 0 {
            place.push('.');
        }
        place.push_str(name);
        walk(value, place, values);
        place.truncate(length);
    };
    match value {
        Value::Object(table) if !table.is_empty() => {
            table.iter().for_each(|(name, value)| enter(name, value));
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            for (number, item) in items.iter().enumerate() {
                enter(&name_of(item, number), item);
            }
        }
        // A table without a key says nothing; the file itself may be one.
        Value::Object(_) => {}
        _ => {
            values.insert(place.clone(), value.clone());
        }
    }
}

/// By what a table of a list is known, so that one more in front does not change all the others.
fn name_of(item: &Value, number: usize) -> String {
    let names = ["name", "action"];
    let name = names.iter().find_map(|key| item[key].as_str());
    name.map_or_else(|| (number + 1).to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, after: &str, expected: &[&str]) {
        let shown = |value: Option<Value>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        let found = changed(before, after).into_iter();
        let found: Vec<_> = found
            .map(|change| format!("{}: {} {}", change.key, shown(change.before), shown(change.after)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn keys_are_told_by_where_they_stand() {
        check("a = 1 # one\nb = [1]\n", "b = [1]\na = 1", &[]);
        check(
            "a = 1",
            "a = 2\n[limits]\ntimeout = \"5m\"",
            &["a: 1 2", "limits.timeout: - \"5m\""],
        );
        check("grants.secrets = [\"a\"]", "", &["grants.secrets: [\"a\"] -"]);
    }

    #[test]
    fn a_schedule_more_changes_no_other() {
        let daily = "[[schedule]]\naction = \"backup\"\ncron = \"1 2 * * *\"\n";
        let hourly = "[[schedule]]\nname = \"hourly\"\ncron = \"@hourly\"\n";
        check(
            daily,
            &format!("{hourly}{daily}"),
            &[
                "schedule.hourly.cron: - \"@hourly\"",
                "schedule.hourly.name: - \"hourly\"",
            ],
        );
    }
}
