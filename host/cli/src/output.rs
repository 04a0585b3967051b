//! How things look to people: times, sizes, states, tables.

use anstyle::{AnsiColor, Style};
use bytesize::ByteSize;
use comfy_table::{Table, presets};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use sopwith_core::port::capabilities::Finding;
use sopwith_core::run::{Run, RunState, Verdict};
use std::time::Duration;

/// Prints data as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    anstream::println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints rows under headings, without lines and without columns in which nothing stands.
pub(crate) fn table(headings: &[&str], rows: Vec<Vec<String>>) {
    let is_empty = |column: usize| {
        rows.iter()
            .all(|row| row.get(column).is_none_or(String::is_empty))
    };
    let full: Vec<usize> = (0..headings.len())
        .filter(|column| rows.is_empty() || !is_empty(*column))
        .collect();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(full.iter().map(|column| headings[*column]));
    for row in rows {
        // A cell of several lines would look like several rows.
        let cell = |column: &usize| row.get(*column).map_or_else(String::new, |cell| one_line(cell));
        table.add_row(full.iter().map(cell));
    }
    for line in table.lines() {
        // Each line begins with a space; further ones belong to an empty cell.
        anstream::println!("{}", line.strip_prefix(' ').unwrap_or(&line).trim_end());
    }
}

/// A text of somebody else on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// A text of somebody else behind so many columns; its further lines are marked, so that none of them
/// looks like one of the host.
pub(crate) fn continued(text: &str, columns: usize) -> String {
    text.replace('\n', &format!("\n{:columns$}│ ", ""))
}

/// What a finding says, and on a line of its own what would mend it.
pub(crate) fn finding(finding: &Finding) -> String {
    let detail = Some(&finding.detail).filter(|detail| !detail.is_empty());
    let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
    let fix = finding.fix.iter().map(|fix| format!("\nfix: {fix}"));
    format!("{}{detail}{}", finding.title, fix.collect::<String>())
}

/// The time zone of the machine, in which people read instants; `TZ` names another one.
pub(crate) fn zone() -> TimeZone {
    let system = TimeZone::system();
    if system.is_unknown() {
        TimeZone::UTC
    } else {
        system
    }
}

/// The heading of a column of instants, with the zone in which they are.
pub(crate) fn in_zone(heading: &str) -> String {
    let zone = zone();
    let name = zone.iana_name().unwrap_or("local time");
    format!("{heading} ({})", name.strip_prefix("Etc/").unwrap_or(name))
}

/// An instant in the time zone of the machine, to the second, with the zone as it is called then.
pub(crate) fn instant(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// An instant in a column under [`in_zone`].
pub(crate) fn instant_in_column(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// An instant in a column that may not be.
pub(crate) fn instant_or_dash(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "–".to_owned(), instant_in_column)
}

/// How far an instant is away: `5m ago`, `in 2h 10m`.
pub(crate) fn away(now: Timestamp, at: Timestamp) -> String {
    let distance = now.duration_until(at);
    if distance.is_negative() {
        format!("{} ago", coarse(distance.abs()))
    } else {
        format!("in {}", coarse(distance))
    }
}

/// A duration to its two largest units.
fn coarse(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, 0) => format!("{hours}h"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, 0, _) => format!("{days}d"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// How long something took.
pub(crate) fn took(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0 => format!("{} µs", duration.as_micros()),
        1..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        _ => coarse(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)),
    }
}

/// How long a run took, where it has ended.
pub(crate) fn run_took(run: &Run) -> Option<String> {
    let lasted = run.started_at?.duration_until(run.ended_at?);
    Some(took(Duration::try_from(lasted).unwrap_or_default()))
}

/// A number of bytes.
pub(crate) fn bytes(count: u64) -> String {
    ByteSize(count).display().iec().to_string()
}

/// A figure with its unit, which is one of UCUM: `By` and `s` as people write them, `1` not at all.
pub(crate) fn figure(value: f64, unit: &str) -> String {
    match unit {
        "s" => Duration::try_from_secs_f64(value).map_or_else(|_| format!("{value} s"), took),
        "By" => format!("{} bytes", value.round()),
        "1" => value.to_string(),
        unit => format!("{value} {unit}"),
    }
}

/// Prints what of a report's output are lists of records, each as a table of their plain values; what
/// lies deeper is in the JSON.
pub(crate) fn lists(output: &Value) {
    for (name, list) in output.as_object().into_iter().flatten() {
        let items = list.as_array().into_iter().flatten();
        let records: Vec<_> = items.filter_map(Value::as_object).collect();
        let columns = columns(&records);
        if columns.is_empty() {
            continue;
        }
        let headings: Vec<String> = columns
            .iter()
            .map(|column| column.replace('_', " ").to_uppercase())
            .collect();
        let rows = records
            .iter()
            .map(|record| columns.iter().map(|column| cell(record.get(*column))).collect());
        anstream::println!("\n{}", bold(&name.replace('_', " ")));
        table(
            &headings.iter().map(String::as_str).collect::<Vec<_>>(),
            rows.collect(),
        );
    }
}

/// The names of the values that are worth a column, those first that say what a record is about.
fn columns<'r>(records: &[&'r Map<String, Value>]) -> Vec<&'r str> {
    const FIRST: [&str; 2] = ["name", "ok"];
    let names = records.first().into_iter().flat_map(|record| record.keys());
    let is_plain = |value: &Value| match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    };
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let is_worth_it = |name: &&str| {
        let mut values = records.iter().filter_map(|record| record.get(*name)).peekable();
        let all_are_plain = values.clone().all(is_plain);
        values.peek().is_some() && all_are_plain && !values.all(is_empty)
    };
    let mut columns: Vec<_> = names.map(String::as_str).filter(is_worth_it).collect();
    let rank = |name: &str| FIRST.iter().position(|first| *first == name);
    columns.sort_by_key(|name| rank(name).unwrap_or(FIRST.len()));
    columns
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::Bool(is_so)) => if *is_so { "yes" } else { "no" }.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(|item| cell(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// A number of things: `1 error`, `2 errors`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A state with its verdict, coloured.
pub(crate) fn state(run: &Run) -> String {
    let text = match run.verdict() {
        Some(verdict) if verdict != Verdict::Ok => format!("{} ({verdict})", run.state),
        _ if run.state == RunState::Cancelled && run.replaced_by.is_some() => {
            "cancelled(replaced)".to_owned()
        }
        _ if run.state == RunState::Missed => "missed(deadline)".to_owned(),
        _ => run.state.to_string(),
    };
    painted(style_of(run), &text)
}

fn style_of(run: &Run) -> Style {
    let colour = match (run.state, run.verdict()) {
        (RunState::Succeeded, Some(Verdict::Warning))
        | (RunState::Cancelled | RunState::Rejected | RunState::Expired, _) => AnsiColor::Yellow,
        (RunState::Failed | RunState::TimedOut | RunState::Lost | RunState::Missed, _)
        | (RunState::Succeeded, Some(Verdict::Critical)) => AnsiColor::Red,
        (RunState::Succeeded, _) => AnsiColor::Green,
        (RunState::Queued | RunState::Running | RunState::RetryWait, _) => AnsiColor::Cyan,
        (RunState::WaitingApproval | RunState::Suspended, _) => AnsiColor::Magenta,
    };
    colour.on_default()
}

/// Text in a style, which `anstream` takes away where there is no terminal or `NO_COLOR` is set.
pub(crate) fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Text in bold.
pub(crate) fn bold(text: &str) -> String {
    painted(Style::new().bold(), text)
}

/// One line that says what a run came to.
pub(crate) fn sentence(run: &Run) -> String {
    match (&run.report, &run.failure) {
        (Some(report), _) => one_line(&report.summary),
        (None, Some(failure)) => one_line(&failure.message),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_columns_of_what_is_plain_and_says_something() {
        let of = |output: Value| {
            let records: Vec<Map<String, Value>> = serde_json::from_value(output).unwrap();
            let records: Vec<_> = records.iter().collect();
            columns(&records).join(" ")
        };
        let deep = serde_json::json!([
            { "at": 1, "deep": [{ "a": 1 }], "name": "x", "none": null, "ok": true, "tags": ["a"] },
            { "at": null, "deep": [], "name": "y", "none": null, "ok": false, "tags": [] },
        ]);
        assert_eq!(of(deep), "name ok at tags");
        assert_eq!(of(serde_json::json!([{ "rows": [] }])), "");
    }

    #[test]
    fn a_finding_is_told_with_what_would_mend_it() {
        let found = |detail: &str, fix: Option<&str>| Finding {
            check: "pages/answer".to_owned(),
            severity: "high".to_owned(),
            subject: "/".to_owned(),
            title: "no answer".to_owned(),
            detail: detail.to_owned(),
            fix: fix.map(str::to_owned),
            extra: Vec::new(),
        };
        assert_eq!(finding(&found("", None)), "no answer");
        let told = finding(&found("it is down", Some("start it")));
        assert_eq!(continued(&told, 2), "no answer: it is down\n  │ fix: start it");
    }

    #[test]
    fn durations_read_like_speech() {
        for (milliseconds, text) in [
            (12, "12 ms"),
            (1_500, "1.5 s"),
            (61_000, "1m"),
            (7_800_000, "2h 10m"),
        ] {
            assert_eq!(took(Duration::from_millis(milliseconds)), text);
        }
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(away(now, now + SignedDuration::from_hours(50)), "in 2d 2h");
        assert_eq!(away(now, now - SignedDuration::from_mins(5)), "5m ago");
    }
}
