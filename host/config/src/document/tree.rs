//! Turns the parser's tree into JSON and remembers where everything stood.

use super::{Location, Spans};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

/// The places of all entries, and what JSON cannot hold.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) spans: BTreeMap<String, Spans>,
    pub(super) problems: Vec<(Range<usize>, String)>,
}

impl Tree {
    pub(super) fn table(&mut self, table: &DeTable<'_>, at: &Location) -> Value {
        let mut object = Map::new();
        for (key, value) in table {
            let inner = at.join(key.get_ref().as_ref());
            self.remember(&inner, Some(key.span()), value);
            let converted = self.value(value, &inner);
            object.insert(key.get_ref().to_string(), converted);
        }
        Value::Object(object)
    }

    fn remember(&mut self, at: &Location, key: Option<Range<usize>>, value: &Spanned<DeValue<'_>>) {
        let spans = Spans {
            key,
            value: value.span(),
        };
        self.spans.insert(at.as_str().to_owned(), spans);
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, at: &Location) -> Value {
        let number = match value.get_ref() {
            DeValue::String(text) => return Value::String(text.to_string()),
            DeValue::Boolean(flag) => return Value::Bool(*flag),
            DeValue::Datetime(time) => return Value::String(time.to_string()),
            DeValue::Table(table) => return self.table(table, at),
            DeValue::Array(items) => {
                let converted = items.iter().enumerate().map(|(index, item)| {
                    let inner = at.join(index);
                    self.remember(&inner, None, item);
                    self.value(item, &inner)
                });
                return Value::Array(converted.collect());
            }
            DeValue::Integer(integer) => integer_of(integer),
            DeValue::Float(float) => float_of(float),
        };
        number.map_or_else(
            || {
                let message = "this number is too large, or none".to_owned();
                self.problems.push((value.span(), message));
                Value::Null
            },
            Value::Number,
        )
    }
}

fn integer_of(integer: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .map(Number::from)
}

fn float_of(float: &DeFloat<'_>) -> Option<Number> {
    float.as_str().parse().ok().and_then(Number::from_f64)
}
