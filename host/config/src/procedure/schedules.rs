//! Validates `[[schedule]]`, as far as that can be done without the plugin.

use super::Reading;
use crate::diagnostic::Diagnostic;
use crate::document::{Location, at};
use crate::raw;
use crate::zone;
use serde_json::{Map, Value};
use sopwith_core::name::{ActionName, ScheduleName};
use sopwith_core::schedule::{CatchUp, Cron, CronFields, InvalidCron};

/// The hours in which clocks are changed nearly everywhere.
const CHANGING_HOURS: [&str; 2] = ["1", "2"];

/// One schedule; its action and its name may still follow from the plugin.
#[derive(Debug)]
pub(crate) struct WrittenSchedule {
    pub(crate) place: Location,
    pub(crate) name: Option<ScheduleName>,
    pub(crate) action: Option<ActionName>,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) cron: Cron,
    pub(crate) catch_up: CatchUp,
}

impl Reading<'_> {
    pub(super) fn schedules(&mut self, written: &[raw::Schedule]) -> Vec<WrittenSchedule> {
        let mut schedules = Vec::new();
        for (index, schedule) in written.iter().enumerate() {
            let place = at(["schedule"]).join(index);
            let name = self.named(&place.join("name"), schedule.name.as_deref());
            let action = self.named(&place.join("action"), schedule.action.as_deref());
            let Some(cron) = self.cron(schedule, &place) else {
                continue;
            };
            schedules.push(WrittenSchedule {
                name,
                action,
                inputs: schedule.inputs.clone().unwrap_or_default(),
                cron,
                catch_up: match schedule.catch_up {
                    Some(raw::CatchUp::None) => CatchUp::None,
                    Some(raw::CatchUp::Latest) | None => CatchUp::Latest,
                },
                place,
            });
        }
        schedules
    }

    fn cron(&mut self, schedule: &raw::Schedule, place: &Location) -> Option<Cron> {
        let line = schedule.cron.as_deref()?;
        let fields = if schedule.seconds == Some(true) {
            CronFields::Six
        } else {
            CronFields::Five
        };
        let zone = schedule.time_zone.as_deref().unwrap_or(&self.host.time_zone);
        let at_cron = place.join("cron");
        match Cron::parse(line, fields, zone) {
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
            Err(InvalidCron::Line { why, .. }) => {
                let why = miscounted(line, fields).unwrap_or_else(|| plain(&why));
                let message = format!("`{line}` is not a cron line: {why}");
                let error = self.document.error(&at_cron, message);
                self.diagnostics.push(error.hint(cron_hint(line, fields)));
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
