//! The rows of an answer, fetched by the page.

use super::{Column, FromValue, Session, Value};
use crate::bindings::sopwith::plugin::sql as host;
use crate::{Error, Result};
use std::marker::PhantomData;
use std::rc::Rc;
use std::vec;

/// Large enough that a call a page costs nothing, small enough for wide rows.
const PAGE_ROWS_MAX: u32 = 256;

/// The rows of an answer.
#[derive(Debug)]
pub struct Rows<'session> {
    cursor: host::Cursor,
    columns: Rc<[Column]>,
    page: vec::IntoIter<Vec<Value>>,
    ended: bool,
    /// The host wants the cursor dropped before its session.
    session: PhantomData<&'session Session>,
}

impl<'session> Rows<'session> {
    pub(super) fn new(_session: &'session Session, cursor: host::Cursor) -> Self {
        Self {
            columns: cursor.columns().into(),
            cursor,
            page: Vec::new().into_iter(),
            ended: false,
            session: PhantomData,
        }
    }

    /// The columns of each row.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn turn_page(&mut self) -> Result<Option<Vec<Value>>> {
        self.page = self.cursor.next(PAGE_ROWS_MAX)?.into_iter();
        Ok(self.page.next())
    }

    fn row(&self, values: Vec<Value>) -> Row {
        Row::new(Rc::clone(&self.columns), values)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(values) = self.page.next() {
            return Some(Ok(self.row(values)));
        }
        if self.ended {
            return None;
        }
        let next = self.turn_page();
        self.ended = !matches!(next, Ok(Some(_)));
        next.map(|values| values.map(|values| self.row(values)))
            .transpose()
    }
}

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Rc<[Column]>,
    values: Vec<Value>,
}

impl Row {
    /// A row of these values, one for each column.
    pub fn new(columns: impl Into<Rc<[Column]>>, values: Vec<Value>) -> Self {
        let columns = columns.into();
        Self { columns, values }
    }

    /// The value of the column of this name, as a `T`.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T> {
        let index = self.columns.iter().position(|known| known.name == column);
        let index = index.ok_or_else(|| Error::invalid(format!("there is no column `{column}`")))?;
        self.at(index)
    }

    /// The value of the column at this place, as a `T`.
    pub fn at<T: FromValue>(&self, index: usize) -> Result<T> {
        let value = self.values.get(index);
        let value = value.ok_or_else(|| Error::invalid(format!("there is no column {index}")))?;
        T::from_value(value).ok_or_else(|| {
            let name = self.columns.get(index).map_or("", |column| column.name.as_str());
            let (kind, wanted) = (value.kind(), T::WANTED);
            Error::invalid(format!(
                "column `{name}` holds {kind} where {wanted} was expected"
            ))
        })
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The row as a JSON object, each value plain: a sample for a report.
    pub fn to_json(&self) -> Result<serde_json::Value> {
        let names = self.columns.iter().map(|column| column.name.clone());
        let fields = names
            .zip(&self.values)
            .map(|(name, value)| Ok((name, serde_json::to_value(value)?)));
        Ok(serde_json::Value::Object(fields.collect::<Result<_>>()?))
    }

    /// The values, in the order of the columns.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn row() -> Row {
        let column = |name: &str| Column {
            name: name.to_owned(),
            kind: String::new(),
        };
        let columns = ["id", "name", "note"].map(column);
        Row::new(columns, crate::parameters![7, "Ada", Value::Null].to_vec())
    }

    #[test]
    fn values_are_read_by_the_name_of_their_column() {
        assert_eq!(row().get::<i64>("id"), Ok(7));
        assert_eq!(row().get::<u8>("id"), Ok(7));
        assert_eq!(row().get::<String>("name"), Ok("Ada".to_owned()));
        assert_eq!(row().get::<Option<String>>("note"), Ok(None));
        assert_eq!(row().get::<Option<i64>>("id"), Ok(Some(7)));
    }

    #[test]
    fn row_becomes_an_object_of_plain_values() {
        let expected = serde_json::json!({"id": 7, "name": "Ada", "note": null});
        assert_eq!(row().to_json(), Ok(expected));
    }

    #[test]
    fn value_of_another_type_names_the_column_and_both_types() {
        let error = row().get::<i64>("name").expect_err("a text is no integer");
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert_eq!(
            error.message,
            "column `name` holds text where an integer was expected"
        );
        let error = row().get::<i64>("nmae").expect_err("no such column");
        assert_eq!(error.message, "there is no column `nmae`");
    }
}
