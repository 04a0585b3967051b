//! Templates of the names of backups.

use crate::text::text_setting;
use jiff::Zoned;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::str::FromStr;

/// What can be filled in, with what jiff's `strftime` writes for it; the name of the database
/// stands apart.
const DATES: [(&str, &str); 8] = [
    ("YYYYMMDD", "%Y%m%d"),
    ("HHMMSS", "%H%M%S"),
    ("YYYY", "%Y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("HH", "%H"),
    ("mm", "%M"),
    ("ss", "%S"),
];

/// A template of names: `{database}-{YYYYMMDD}.db`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Database,
    /// A place in [`DATES`].
    Date(usize),
}

text_setting!(Template);

impl Default for Template {
    fn default() -> Self {
        let parsed = "{database}-{YYYYMMDD}.db".parse();
        parsed.expect("the default template is one")
    }
}

impl Template {
    /// The template of the safety copies that a restore makes.
    pub(crate) fn of_safety_copies() -> Self {
        let parsed = "{database}-safety-{YYYYMMDD}-{HHMMSS}.db".parse();
        parsed.expect("the template of safety copies is one")
    }

    /// The name at this instant of a clock on the wall.
    pub(crate) fn fill_in(&self, database: &str, at: &Zoned) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Database => database.to_owned(),
            Part::Date(place) => at.strftime(DATES[*place].1).to_string(),
        });
        parts.collect()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(template: &str) -> Result<Self, String> {
        // A name is one visible file in one directory.
        if template.is_empty() || template.starts_with('.') || template.contains('/') {
            return Err(format!(
                "`{template}` is not the name of a file that can be seen in one directory"
            ));
        }
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, name_on)) = rest.split_once('{') {
            let (name, after) = name_on
                .split_once('}')
                .ok_or_else(|| format!("`{template}` lacks a `}}`"))?;
            parts.push(Part::text(text)?);
            parts.push(Part::placeholder(name)?);
            rest = after;
        }
        parts.push(Part::text(rest)?);
        Ok(Self(parts))
    }
}

impl Part {
    fn text(text: &str) -> Result<Self, String> {
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
        if let Some(letter) = text.chars().find(|letter| !is_allowed(*letter)) {
            return Err(format!(
                "a name has letters, digits, `.`, `_`, `+` and `-`, and not `{}`",
                letter.escape_debug()
            ));
        }
        Ok(Self::Text(text.to_owned()))
    }

    fn placeholder(name: &str) -> Result<Self, String> {
        if name == "database" {
            return Ok(Self::Database);
        }
        let place = DATES.iter().position(|(known, _)| *known == name);
        let place = place.ok_or_else(|| {
            let known = DATES.map(|(known, _)| format!("`{{{known}}}`")).join(", ");
            format!("unknown placeholder `{{{name}}}`; known are `{{database}}`, {known}")
        })?;
        Ok(Self::Date(place))
    }
}

impl Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => formatter.write_str(text),
            Part::Database => formatter.write_str("{database}"),
            Part::Date(place) => write!(formatter, "{{{}}}", DATES[*place].0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Zone;
    use jiff::Timestamp;

    fn check(template: &str, zone: &str, expected: Result<&str, &str>) {
        let at: Timestamp = "2026-11-21T23:05:09Z".parse().expect("a time");
        let zone: Zone = zone.parse().expect("a time zone");
        let filled = template.parse::<Template>().map(|parsed| {
            assert_eq!(parsed.to_string(), template, "it is written as it was read");
            parsed.fill_in("app", &zone.at(at))
        });
        let filled = filled.as_ref().map(String::as_str).map_err(String::as_str);
        assert_eq!(filled, expected, "{template}");
    }

    #[test]
    fn name_is_of_the_day_in_the_time_zone() {
        let default = Template::default().to_string();
        check(&default, "UTC", Ok("app-20261121.db"));
        check(&default, "Europe/Berlin", Ok("app-20261122.db"));
    }

    #[test]
    fn every_placeholder_is_filled_in() {
        check(
            "{YYYY}.{MM}.{DD}_{HH}.{mm}.{ss}+{HHMMSS}",
            "Asia/Kolkata",
            Ok("2026.11.22_04.35.09+043509"),
        );
        check("plain.db", "UTC", Ok("plain.db"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        check("{YYYY", "UTC", Err("`{YYYY` lacks a `}`"));
        let hidden = "is not the name of a file that can be seen in one directory";
        for bad in ["", "../x", "a/b", ".hidden"] {
            check(bad, "UTC", Err(&format!("`{bad}` {hidden}")));
        }
        let known = "`{YYYYMMDD}`, `{HHMMSS}`, `{YYYY}`, `{MM}`, `{DD}`, `{HH}`, `{mm}`, `{ss}`";
        check(
            "{YYYY-MM}.db",
            "UTC",
            Err(&format!(
                "unknown placeholder `{{YYYY-MM}}`; known are `{{database}}`, {known}"
            )),
        );
        for (bad, letter) in [("a b", " "), ("a}", "}"), ("a\n", "\\n"), ("{DD}\\", "\\\\")] {
            let letters = "a name has letters, digits, `.`, `_`, `+` and `-`, and not";
            check(bad, "UTC", Err(&format!("{letters} `{letter}`")));
        }
    }
}
