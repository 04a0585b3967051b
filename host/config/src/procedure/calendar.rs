//! Reads when ticks may start: `windows`, `blackouts`, `holidays` and `outside`.

use super::Reading;
use crate::document::Location;
use crate::{raw, zone};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sopwith_core::schedule::{Calendar, InvalidSpan, Outside, Span};
use std::collections::BTreeSet;

impl Reading<'_> {
    /// The calendar of a schedule, where it has one.
    pub(super) fn calendar(&mut self, schedule: &raw::Schedule, place: &Location) -> Option<Calendar> {
        let windows = self.spans(schedule.windows.as_deref(), &place.join("windows"));
        let blackouts = self.spans(schedule.blackouts.as_deref(), &place.join("blackouts"));
        let holidays = self.holidays(schedule.holidays.as_deref(), &place.join("holidays"));
        if schedule.windows.as_deref().is_some_and(<[_]>::is_empty) {
            let error = self
                .document
                .error(&place.join("windows"), "without a window nothing ever starts");
            self.diagnostics.push(error.hint("take it out, or name one"));
        }
        if windows.is_empty() && blackouts.is_empty() && holidays.is_empty() {
            let stray = [("outside", schedule.outside.is_some())];
            self.stray(
                &stray,
                "a schedule without `windows`, `blackouts` or `holidays`",
                place,
            );
            return None;
        }
        self.tell_of_overlaps(&blackouts, &place.join("blackouts"));
        let zone = schedule.time_zone.as_deref().unwrap_or(&self.host.time_zone);
        let Ok(zone) = TimeZone::get(zone) else {
            // Where instants are read in it, that is told already.
            if schedule.cron.is_none() && schedule.at.is_none() {
                let unknown = zone::unknown(self.document, &place.join("time_zone"));
                self.diagnostics.push(unknown);
            }
            return None;
        };
        let outside = match schedule.outside {
            Some(raw::Outside::Defer) => Outside::Defer,
            Some(raw::Outside::Skip) | None => Outside::Skip,
        };
        Some(Calendar::new(zone, windows, blackouts, holidays, outside))
    }

    fn spans(&mut self, written: Option<&[raw::Span]>, place: &Location) -> Vec<Span> {
        let mut spans = Vec::new();
        for (index, span) in written.unwrap_or_default().iter().enumerate() {
            match Span::parse(span.days.as_deref(), span.from.as_deref(), span.to.as_deref()) {
                Ok(span) => spans.push(span),
                Err(why) => {
                    let error = self.document.error(&place.join(index), why.to_string());
                    self.diagnostics.push(error.hint(hint(&why)));
                }
            }
        }
        spans
    }

    fn holidays(&mut self, written: Option<&[String]>, place: &Location) -> BTreeSet<Date> {
        let mut holidays = BTreeSet::new();
        for (index, text) in written.unwrap_or_default().iter().enumerate() {
            if let Ok(date) = text.parse::<Date>() {
                holidays.insert(date);
                continue;
            }
            let message = format!("`{text}` is not a date");
            let error = self.document.error(&place.join(index), message);
            self.diagnostics
                .push(error.hint("write it like:  holidays = [\"2026-12-25\"]"));
        }
        holidays
    }

    /// Two blackouts at one time are one too many, and mostly a slip of the pen.
    fn tell_of_overlaps(&mut self, blackouts: &[Span], place: &Location) {
        for (index, span) in blackouts.iter().enumerate() {
            let earlier = blackouts[..index].iter().position(|other| other.overlaps(span));
            let Some(earlier) = earlier else { continue };
            let message = format!("this blackout overlaps with number {} of the list", earlier + 1);
            let warning = self.document.warning(&place.join(index), message);
            self.diagnostics
                .push(warning.hint("make one of them shorter, or take it out"));
        }
    }
}

fn hint(why: &InvalidSpan) -> &'static str {
    match why {
        InvalidSpan::Day(_) => "the days are mon, tue, wed, thu, fri, sat, sun:  days = \"mon-fri\"",
        InvalidSpan::End(_) => {
            "write it like:  from = \"10:00\", to = \"14:00\"  or  from = \"2026-12-20\", to = \"2027-01-07\""
        }
        InvalidSpan::Nothing => {
            "what `to` names is no part of it; for whole days leave both out, or name the day after"
        }
        _ => "for example  { days = \"tue-thu\", from = \"10:00\", to = \"14:00\" }",
    }
}
