//! Values against the schemas of a plugin that nobody knows: each is refused with a reason, or valid and filled.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use sopwith_config::check_inputs;
use sopwith_fuzz::{Parts, Target, edited};

const KEYS: &[&str] = &["a", "b", "c", "a/b", "~1", "", "default", "$ref"];

#[rustfmt::skip]
const WORDS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"", "null", "true", "false", "0", "-1", "1.5", "1e308", "1e400",
    "18446744073709551615", "99999999999999999999", "\"a\"", "\"b\"", "\"\"", "\"#\"", "\"#/$defs/A\"",
    "\"#/$defs/B\"", "\"#/properties/a\"", "\"https://evil.test/schema\"", "\"file:///etc/passwd\"",
    "\"$ref\"", "\"$id\"", "\"$schema\"", "\"$anchor\"", "\"$dynamicRef\"", "\"$recursiveRef\"", "\"$defs\"",
    "\"type\"", "\"properties\"", "\"patternProperties\"", "\"additionalProperties\"",
    "\"unevaluatedProperties\"", "\"propertyNames\"", "\"required\"", "\"items\"", "\"prefixItems\"",
    "\"contains\"", "\"uniqueItems\"", "\"minItems\"", "\"maxLength\"", "\"multipleOf\"", "\"minimum\"",
    "\"pattern\"", "\"format\"", "\"enum\"", "\"const\"", "\"default\"", "\"examples\"", "\"not\"", "\"if\"",
    "\"then\"", "\"allOf\"", "\"anyOf\"", "\"oneOf\"", "\"dependentSchemas\"", "\"object\"", "\"string\"",
    "\"(a+)+$\"", "\"(?=a)\\\\1\"", "\"a{1,9999}{1,9999}\"", "\"^(([a-z])+.)+[A-Z]([a-z])+$\"",
    "\"\\\\p{L}*\"", "\"date-time\"", "\"regex\"", "\"https://json-schema.org/draft/2019-09/schema\"",
    "\"http://json-schema.org/draft-04/schema#\"", "\"\\u001b[2J\"",
];

const SEED_BYTES_MAX: usize = 1_500;

/// JSON with few keys, so that what a schema says is about something.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        4 => select(vec!["a", "b", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "2026-01-01", "\u{1b}[2J", "ä\n"]).prop_map(str::to_owned),
        1 => (1..3_000_usize).prop_map(|times| "a".repeat(times)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(vec![0, 1, -1, 100, i64::MAX, i64::MIN]).prop_map(Value::from),
        select(vec![0.5, 1.0, 1e308, -0.0]).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((select(KEYS), inner), 0..5).prop_map(object),
        ]
    })
}

fn object(entries: Vec<(&str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
    Value::Object(entries.collect())
}

/// Schemas that are one by their form: keywords with the kind of value that they take.
fn schema() -> impl Strategy<Value = Value> {
    let inner = part().prop_recursive(4, 24, 4, |inner| {
        let list = || vec(inner.clone(), 1..4).prop_map(Value::from);
        let table = vec((select(KEYS), inner.clone()), 0..4).prop_map(object);
        let keyword = prop_oneof![
            4 => table.clone().prop_map(|table| ("properties", table)),
            1 => table.prop_map(|table| ("dependentSchemas", table)),
            1 => inner.clone().prop_map(|one| ("patternProperties", json!({ "^a": one }))),
            3 => (select(vec!["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"]), inner.clone()),
            3 => (select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]), list()),
        ];
        (part(), vec(keyword, 1..4)).prop_map(|(part, keywords)| joined(part, keywords))
    });
    let inner = inner.boxed();
    (inner.clone(), [inner.clone(), inner])
        .prop_map(|(root, [a, b])| joined(root, vec![("$defs", json!({ "A": a, "B": b }))]))
}

/// Keywords without schemas in them.
fn part() -> impl Strategy<Value = Value> {
    let kinds = || {
        select(vec![
            "object", "array", "string", "integer", "number", "boolean", "null", "what",
        ])
    };
    let known = select(vec!["#", "#/$defs/A", "#/$defs/B"]);
    let other = select(vec![
        "#/$defs/A/properties/a",
        "#/$defs/C",
        "#/",
        "b",
        "#A",
        "https://evil.test/x",
    ]);
    let patterns = vec![
        "^a+$",
        "(a+)+$",
        "^(a|aa)+$",
        "(?=a)b",
        "(a*)*\\1$",
        "[",
        "a{1,1000}{1,1000}",
        "\\p{L}",
        "(x+x+)+y",
    ];
    let keyword = prop_oneof![
        4 => kinds().prop_map(|kind| ("type", json!(kind))),
        1 => vec(kinds(), 0..3).prop_map(|kinds| ("type", json!(kinds))),
        12 => known.prop_map(|to| ("$ref", json!(to))),
        1 => other.prop_map(|to| ("$ref", json!(to))),
        3 => value().prop_map(|value| ("default", value)),
        1 => value().prop_map(|value| ("const", value)),
        1 => vec(value(), 0..3).prop_map(|values| ("enum", json!(values))),
        1 => vec(value(), 0..3).prop_map(|values| ("examples", json!(values))),
        2 => vec(select(KEYS), 0..3).prop_map(|keys| ("required", json!(keys))),
        1 => any::<bool>().prop_map(|closed| ("additionalProperties", json!(closed))),
        1 => select(patterns).prop_map(|pattern| ("pattern", json!(pattern))),
        1 => (select(vec!["minimum", "maxLength", "minItems", "multipleOf", "maxProperties"]), value()),
        1 => select(vec!["date-time", "regex", "uri", "email", "what"]).prop_map(|format| ("format", json!(format))),
    ];
    prop_oneof![
        10 => vec(keyword, 0..4).prop_map(|keywords| joined(json!({}), keywords)),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn joined(part: Value, keywords: Vec<(&str, Value)>) -> Value {
    let mut object = match part {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    object.extend(keywords.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(object)
}

fn cases(mut kept: Vec<Parts>) -> impl Strategy<Value = Parts> {
    // What takes long to check is checked once, and not again in many variations.
    kept.retain(|case| case.part("schema").len() < SEED_BYTES_MAX);
    let texts = |name: &str| {
        kept.iter()
            .map(|case| case.part(name).to_owned())
            .collect::<Vec<_>>()
    };
    let (schemas, values) = (texts("schema"), texts("value"));
    let schemas =
        prop_oneof![3 => schema().prop_map(|schema| schema.to_string()), 2 => edited(schemas, WORDS)];
    let values = prop_oneof![3 => value().prop_map(|value| value.to_string()), 2 => edited(values, WORDS)];
    // Half of them change one side of a pair that fits.
    (any::<Option<Index>>(), any::<bool>(), schemas, values).prop_map(move |(pair, which, schema, value)| {
        let pair = pair.map(|pair| pair.get::<Parts>(&kept));
        let known = |name: &str| pair.map(|pair| pair.part(name).to_owned());
        let schema = known("schema").filter(|_| which).unwrap_or(schema);
        let value = known("value").filter(|_| !which).unwrap_or(value);
        Parts(vec![("schema".into(), schema), ("value".into(), value)])
    })
}

fn holds(case: &Parts) -> &'static str {
    let parsed = [case.part("schema"), case.part("value")].map(serde_json::from_str::<Value>);
    let [Ok(schema), Ok(value)] = parsed else {
        return "not JSON";
    };
    let checked = check_inputs(&schema, value.clone());
    let said = checked.as_ref().err().cloned().unwrap_or_default();
    if said.starts_with("it takes more than ") {
        return "too much";
    }
    // The validator follows more kinds of references than are allowed.
    if ["`$", "`id` is"]
        .iter()
        .any(|beginning| said.starts_with(beginning))
    {
        return "other references";
    }
    let Ok(validator) = jsonschema::validator_for(&schema) else {
        assert!(checked.is_err_and(|said| !said.is_empty()));
        return "no schema";
    };
    assert_eq!(checked.is_ok(), validator.is_valid(&value), "{checked:?}");
    match checked {
        Err(said) => {
            assert!(!said.is_empty());
            "refused"
        }
        Ok(filled) => {
            assert!(
                holds_all_of(&filled, &value),
                "{filled} lacks something of {value}"
            );
            if let Ok(again) = check_inputs(&schema, filled.clone()) {
                assert_eq!(again, filled, "what is filled is full");
            }
            "valid"
        }
    }
}

/// Whether all that was said still stands where it stood.
fn holds_all_of(filled: &Value, value: &Value) -> bool {
    match (filled, value) {
        (Value::Object(filled), Value::Object(object)) => object
            .iter()
            .all(|(key, value)| filled.get(key).is_some_and(|filled| holds_all_of(filled, value))),
        (Value::Array(filled), Value::Array(items)) => {
            filled.len() == items.len()
                && filled
                    .iter()
                    .zip(items)
                    .all(|(filled, item)| holds_all_of(filled, item))
        }
        (filled, value) => filled == value,
    }
}

#[test]
fn whatever_a_schema_says_a_value_is_valid_and_filled_or_refused() {
    let target = Target::new("settings", "tests/corpus/settings");
    target.run(&cases(target.corpus()).boxed(), holds);
}
