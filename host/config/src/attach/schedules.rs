//! Checks schedules against the plugin's actions and their inputs.

use super::Attaching;
use crate::procedure::WrittenSchedule;
use crate::shape::Noun;
use sopwith_core::name::{ActionName, ScheduleName};
use sopwith_core::schedule::{Outside, Schedule};
use std::collections::BTreeSet;

impl Attaching<'_> {
    pub(super) fn schedules(&mut self, default: Option<&ActionName>) -> Vec<Schedule> {
        let mut names = BTreeSet::new();
        let written = &self.definition.schedules;
        let schedules = written.iter().filter_map(|written| {
            let schedule = self.schedule(written, default)?;
            self.note(written, &schedule.name, &mut names);
            Some(schedule)
        });
        schedules.collect()
    }

    fn schedule(&mut self, written: &WrittenSchedule, default: Option<&ActionName>) -> Option<Schedule> {
        let wanted = written.action.as_ref().or(default)?;
        let action = self.action(Some(wanted), &written.place.join("action"))?;
        let (name, schema) = (action.name.clone(), action.inputs.clone());
        let inputs = self.conform(
            &schema,
            &written.inputs,
            &written.place.join("inputs"),
            Noun::Input,
        );
        let schedule = Schedule {
            name: match &written.name {
                Some(name) => name.clone(),
                None => name.as_str().parse().ok()?,
            },
            action: name,
            inputs,
            when: written.when.clone(),
            catch_up: written.policy.catch_up,
            overlap: written.policy.overlap,
            jitter: written.policy.jitter,
            deadline: written.policy.deadline,
            calendar: written.policy.calendar.clone(),
        };
        self.tell_of_never(written, &schedule);
        Some(schedule)
    }

    /// A schedule whose calendar allows none of its ticks.
    fn tell_of_never(&mut self, written: &WrittenSchedule, schedule: &Schedule) {
        let (Some(calendar), now) = (&schedule.calendar, self.definition.read_at) else {
            return;
        };
        let comes = schedule.next(now).is_some();
        let may = match calendar.outside() {
            Outside::Skip => schedule.next_allowed(now).is_some(),
            Outside::Defer => calendar.opening(now).is_some(),
        };
        if comes && !may {
            let message = format!(
                "`{}` can never run: none of its instants to come lies in a window and outside of all blackouts",
                schedule.name
            );
            let warning = self.document().warning(&written.place, message);
            let opens = calendar.opening(now).is_some();
            let hint = match calendar.outside() {
                _ if calendar.is_over(now) => "its `windows` lie in the past; name one that is to come",
                Outside::Skip if opens => {
                    "`sopwith schedule next` shows its instants; widen `windows`, or set  outside = \"defer\""
                }
                _ => "its blackouts cover all of its windows; make one of them shorter",
            };
            self.diagnostics.push(warning.hint(hint));
        }
    }

    /// A schedule's record hangs on its name.
    fn note(&mut self, written: &WrittenSchedule, name: &ScheduleName, names: &mut BTreeSet<ScheduleName>) {
        if names.insert(name.clone()) {
            return;
        }
        let message = format!("two schedules are called `{name}`");
        let error = self.document().error(&written.place, message);
        let hint = "two schedules of one action need names of their own:  name = \"nightly\"";
        self.diagnostics.push(error.hint(hint));
    }
}
