//! The rows that break a promise: how many, which, and a few to look at.

use crate::plan::Check;
use crate::redaction::cut;
use sopwith::serde_json::{Value as Json, json};
use sopwith::sql::{Column, Row, Value};
use sopwith::{Error, Result};

/// Things that become a finding of their own; of more nobody reads the names.
const GROUPS_MAX: usize = 50;

/// The rows that break a promise.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Offenders {
    /// How many there are.
    pub(crate) rows: u64,
    /// Whether there are more, which were not counted.
    pub(crate) is_at_least: bool,
    /// A few of them as objects.
    pub(crate) sample: Vec<Json>,
    /// The same on lines.
    pub(crate) lines: Vec<String>,
    /// The things that they are about, where the check has a key.
    pub(crate) groups: Vec<Group>,
    /// Rows about yet other things.
    pub(crate) further_rows: u64,
}

/// One thing that offending rows are about.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    /// What it is.
    pub(crate) key: String,
    /// How many rows are about it.
    pub(crate) rows: u64,
    /// One of them.
    pub(crate) line: String,
}

impl Offenders {
    /// Counts the rows of a result, up to the most that a check counts.
    pub(crate) fn count(
        check: &Check,
        columns: &[Column],
        rows: impl Iterator<Item = Result<Row>>,
    ) -> Result<Self> {
        check.redaction.check(columns)?;
        let key = check
            .key
            .as_deref()
            .map(|key| position(key, columns))
            .transpose()?;
        let mut offenders = Self::default();
        for row in rows {
            let row = row?;
            if offenders.rows == check.rows_max {
                offenders.is_at_least = true;
                break;
            }
            offenders.add(check, key, &row)?;
        }
        Ok(offenders)
    }

    /// The problems that an engine found with itself.
    pub(crate) fn problems(check: &Check, problems: &[String]) -> Self {
        let shown: Vec<_> = problems
            .iter()
            .take(check.sample)
            .map(|problem| cut(problem))
            .collect();
        Self {
            rows: problems.len() as u64,
            sample: shown
                .iter()
                .map(|problem| json!({ "problem": problem }))
                .collect(),
            lines: shown,
            ..Self::default()
        }
    }

    fn add(&mut self, check: &Check, key: Option<usize>, row: &Row) -> Result<()> {
        self.rows += 1;
        if self.sample.len() < check.sample {
            self.sample.push(check.redaction.object(row)?);
            self.lines.push(check.redaction.line(row));
        }
        if let Some(key) = key {
            let key = cut(&row.at::<Value>(key)?.to_string());
            self.add_to_group(check, key, row);
        }
        Ok(())
    }

    fn add_to_group(&mut self, check: &Check, key: String, row: &Row) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.key == key) {
            group.rows += 1;
        } else if self.groups.len() < GROUPS_MAX {
            let line = if check.sample == 0 {
                String::new()
            } else {
                check.redaction.line(row)
            };
            self.groups.push(Group { key, rows: 1, line });
        } else {
            self.further_rows += 1;
        }
    }
}

fn position(key: &str, columns: &[Column]) -> Result<usize> {
    let found = columns.iter().position(|column| column.name == key);
    found.ok_or_else(|| Error::invalid(format!("`key` is `{key}`, which is no column of the result")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use sopwith::parameters;
    use sopwith::serde_json::{from_value, json};

    fn check_of(mut settings: Json) -> Check {
        settings["name"] = "names".into();
        settings["query"] = "SELECT …".into();
        let settings = json!({ "database": "app", "engine": "off", "rows_max": 60, "redact": ["email"],
            "checks": [settings] });
        let settings = from_value(settings).expect("the settings are of their shape");
        plan::read(&settings).expect("they make sense").checks.remove(0)
    }

    fn columns() -> Vec<Column> {
        let column = |name: &str| Column {
            name: name.to_owned(),
            kind: String::new(),
        };
        ["id", "name", "Email"].map(column).to_vec()
    }

    fn count(check: &Check, ids: impl Iterator<Item = i64>) -> Result<Offenders> {
        let rows = ids.map(|id| {
            Ok(Row::new(
                columns(),
                parameters![id, "Ada\n", "ada@example.org"].to_vec(),
            ))
        });
        Offenders::count(check, &columns(), rows)
    }

    #[test]
    fn rows_are_counted_and_a_few_are_shown() {
        let offenders = count(&check_of(json!({ "sample": 2 })), 1..=4).expect("they can be counted");
        assert_eq!((offenders.rows, offenders.is_at_least), (4, false));
        assert_eq!(
            offenders.sample[1],
            json!({ "id": 2, "name": "Ada ", "Email": "[redacted]" })
        );
        assert_eq!(
            offenders.lines,
            [
                "id=1, name=Ada , Email=[redacted]",
                "id=2, name=Ada , Email=[redacted]"
            ]
        );
        assert!(offenders.groups.is_empty());
    }

    #[test]
    fn counting_ends_at_the_most_that_is_counted() {
        let check = check_of(json!({}));
        let exactly = count(&check, 0..60).expect("they can be counted");
        assert_eq!((exactly.rows, exactly.is_at_least), (60, false));
        let more = count(&check, 0..).expect("an endless result ends");
        assert_eq!((more.rows, more.is_at_least), (60, true));
    }

    #[test]
    fn rows_about_one_thing_are_one_group() {
        let check = check_of(json!({ "key": "id" }));
        let offenders = count(&check, [7, 8, 7].into_iter()).expect("they can be counted");
        let groups = offenders
            .groups
            .iter()
            .map(|group| (group.key.as_str(), group.rows));
        assert_eq!(groups.collect::<Vec<_>>(), [("7", 2), ("8", 1)]);
        let many = count(&check, 0..60).expect("they can be counted");
        assert_eq!((many.groups.len(), many.further_rows), (GROUPS_MAX, 10));
    }

    #[test]
    fn error_of_a_row_is_an_error_of_the_check() {
        let rows = [Err(Error::failed("the disk is gone"))].into_iter();
        let counted = Offenders::count(&check_of(json!({})), &columns(), rows);
        assert_eq!(counted, Err(Error::failed("the disk is gone")));
    }

    #[test]
    fn names_that_no_column_has_are_refused_even_without_rows() {
        let refused = |settings| {
            count(&check_of(settings), 0..0)
                .expect_err("it is refused")
                .message
        };
        let message = "`key` is `ident`, which is no column of the result";
        assert_eq!(refused(json!({ "key": "ident" })), message);
        let message = "`redact` names `emial`, which is no column of the result";
        assert_eq!(refused(json!({ "redact": ["emial"] })), message);
    }
}
