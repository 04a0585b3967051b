//! Reads what starts a schedule: `cron`, `every`, `at`, `after` or `event`.

use super::Reading;
use super::untimed::has_calendar;
use crate::diagnostic::Diagnostic;
use crate::document::Location;
use crate::{quantity, raw, zone};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use sopwith_core::schedule::{At, Cron, CronFields, Every, InvalidCron, When, spread};

/// The hours in which clocks are changed nearly everywhere.
const CHANGING_HOURS: [&str; 2] = ["1", "2"];

impl Reading<'_> {
    /// What names the instants; that it is none, or several, is told.
    pub(super) fn when(&mut self, schedule: &raw::Schedule, place: &Location) -> Option<When> {
        let named = [
            schedule.cron.is_some(),
            schedule.every.is_some(),
            schedule.at.is_some(),
            schedule.after.is_some(),
            schedule.event.is_some(),
        ];
        match named.into_iter().filter(|is_named| *is_named).count() {
            0 => {
                self.nothing_starts(place);
                return None;
            }
            1 => {}
            _ => {
                let message = "a schedule has one of `cron`, `every`, `at`, `after` and `event`";
                let error = self.document.error(place, message);
                let hint = "write a [[schedule]] for each, with a `name` of its own";
                self.diagnostics.push(error.hint(hint));
                return None;
            }
        }
        if let Some(line) = &schedule.cron {
            let cron = self.cron(schedule, line, place)?;
            Some(When::Cron(Box::new(cron)))
        } else if let Some(period) = &schedule.every {
            self.every(schedule, period, place).map(When::Every)
        } else if let Some(at) = &schedule.at {
            self.at(schedule, at.texts(), place).map(When::At)
        } else if let Some(after) = &schedule.after {
            self.after(schedule, after, place).map(When::After)
        } else {
            let event = schedule.event.as_deref();
            self.event(schedule, event, place).map(When::Event)
        }
    }

    fn nothing_starts(&mut self, place: &Location) {
        let is_written = |key: &&str| {
            let place = place.join(*key);
            self.document.value.pointer(place.as_str()).is_some()
        };
        // What has the wrong type was told already.
        if ["cron", "every", "at", "after", "event"].iter().any(is_written) {
            return;
        }
        let message = "a schedule needs `cron`, `every`, `at`, `after` or `event`";
        let error = self.document.error(place, message);
        self.diagnostics
            .push(error.hint("for example  cron = \"15 4 * * *\""));
    }

    fn every(&mut self, schedule: &raw::Schedule, text: &str, place: &Location) -> Option<Every> {
        let keys = [
            ("seconds", schedule.seconds.is_some()),
            (
                "time_zone",
                schedule.time_zone.is_some() && !has_calendar(schedule),
            ),
        ];
        self.stray(&keys, "`every`, which is a distance in real time", place);
        let every = quantity::time(text).and_then(|time| {
            let period = SignedDuration::try_from(time).map_err(|error| error.to_string())?;
            Every::new(period).map_err(|error| format!("`{text}`: {error}"))
        });
        let told = every.map_err(|why| {
            let error = self.document.error(&place.join("every"), why);
            self.diagnostics
                .push(error.hint("write it like:  every = \"5m\""));
        });
        told.ok()
    }

    fn at(&mut self, schedule: &raw::Schedule, texts: &[String], place: &Location) -> Option<At> {
        self.stray(&[("seconds", schedule.seconds.is_some())], "`at`", place);
        let at_zone = place.join("time_zone");
        let zone = schedule.time_zone.as_deref().unwrap_or(&self.host.time_zone);
        let Ok(zone) = TimeZone::get(zone) else {
            self.diagnostics.push(zone::unknown(self.document, &at_zone));
            return None;
        };
        let place = place.join("at");
        match At::parse(texts.iter().map(String::as_str), &zone) {
            Ok(at) => {
                if at.next(self.now).is_none() {
                    let message = "none of these instants is still to come";
                    self.diagnostics.push(self.document.warning(&place, message));
                }
                Some(at)
            }
            Err(error) => {
                let error = self.document.error(&place, error.to_string());
                let hint = "write it like:  at = \"2026-12-24T18:00\"  or  \"2026-12-24T17:00:00Z\"";
                self.diagnostics.push(error.hint(hint));
                None
            }
        }
    }

    /// Tells of keys that say nothing here.
    pub(super) fn stray(&mut self, keys: &[(&str, bool)], of: &str, place: &Location) {
        for (key, _) in keys.iter().filter(|(_, is_there)| *is_there) {
            let message = format!("`{key}` says nothing of {of}");
            let error = self.document.error(&place.join(*key), message);
            self.diagnostics.push(error.hint("take it out"));
        }
    }

    /// Who a schedule is of, for its `H`.
    fn key_of(&self, schedule: &raw::Schedule) -> String {
        let name = schedule.name.as_ref().or(schedule.action.as_ref());
        format!("{}/{}", self.stem, name.map_or("", String::as_str))
    }

    fn cron(&mut self, schedule: &raw::Schedule, written: &str, place: &Location) -> Option<Cron> {
        let fields = if schedule.seconds == Some(true) {
            CronFields::Six
        } else {
            CronFields::Five
        };
        let zone = schedule.time_zone.as_deref().unwrap_or(&self.host.time_zone);
        let at_cron = place.join("cron");
        let line = match spread(written, fields, &self.key_of(schedule)) {
            Ok(line) => line,
            Err(error) => {
                let message = format!("`{written}` is not a cron line: {error}");
                let error = self.document.error(&at_cron, message);
                self.diagnostics
                    .push(error.hint("`H` is any value, `H(0-29)` one of these, `H/15` every fifteenth"));
                return None;
            }
        };
        match Cron::parse(&line, fields, zone) {
            Ok(cron) => {
                self.diagnostics.extend(self.never(&cron, &at_cron));
                self.diagnostics
                    .extend(self.changing_hour(&cron, fields, zone, &at_cron));
                Some(cron)
            }
            Err(InvalidCron::TimeZone(_)) => {
                self.diagnostics
                    .push(zone::unknown(self.document, &place.join("time_zone")));
                None
            }
            Err(InvalidCron::Line { field, why, .. }) => {
                let field = field.map_or_else(String::new, |field| format!("{field}: "));
                let why = miscounted(written, fields).unwrap_or_else(|| field + &plain(&why));
                let message = format!("`{written}` is not a cron line: {why}");
                let error = self.document.error(&at_cron, message);
                self.diagnostics.push(error.hint(cron_hint(written, fields)));
                None
            }
        }
    }

    fn never(&self, cron: &Cron, place: &Location) -> Option<Diagnostic> {
        if cron.next(self.now).is_some() {
            return None;
        }
        let message = format!("`{}` names no instant that is still to come", cron.line());
        Some(
            self.document
                .error(place, message)
                .hint("the day and the month do not meet"),
        )
    }

    fn changing_hour(
        &self,
        cron: &Cron,
        fields: CronFields,
        zone: &str,
        place: &Location,
    ) -> Option<Diagnostic> {
        let hour_field = match fields {
            CronFields::Five => 1,
            CronFields::Six => 2,
        };
        let hours = cron.line().split_whitespace().nth(hour_field)?;
        let in_doubt = hours
            .split(',')
            .any(|hour| CHANGING_HOURS.contains(&hour.trim_start_matches('0')));
        let changes = cron.zone().following(self.now).next().is_some();
        if !in_doubt || !changes {
            return None;
        }
        let message = format!(
            "`{}` is between 01:00 and 03:00, when `{zone}` may change its clocks",
            cron.line()
        );
        let hint = "on such a day it may run at another time; choose another hour, or  time_zone = \"UTC\"";
        Some(self.document.warning(place, message).hint(hint))
    }
}

/// How many fields there are, where it is their number that is wrong.
fn miscounted(line: &str, fields: CronFields) -> Option<String> {
    let found = line.split_whitespace().count();
    let expected = match fields {
        CronFields::Five => 5,
        CronFields::Six => 6,
    };
    let noun = if found == 1 { "field" } else { "fields" };
    (found != expected && !line.starts_with('@'))
        .then(|| format!("it has {found} {noun}, and {expected} are expected"))
}

/// What the parser says, without what it calls its errors.
fn plain(why: &str) -> String {
    let sentence = why.split_once(": ").map_or(why, |(_, sentence)| sentence);
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

fn cron_hint(line: &str, fields: CronFields) -> &'static str {
    match (line.split_whitespace().count(), fields) {
        (6, CronFields::Five) => "a line that begins with seconds needs  seconds = true",
        (5, CronFields::Six) => "with  seconds = true  the line begins with a field for seconds",
        _ => "write minute, hour, day, month and weekday:  cron = \"15 4 * * *\"",
    }
}
