//! Validates `[[schedule]]`, as far as that can be done without the plugin.

use super::Reading;
use super::policy::Policy;
use crate::document::{Location, at};
use crate::raw;
use serde_json::{Map, Value};
use sopwith_core::name::{ActionName, ScheduleName};
use sopwith_core::schedule::When;

/// One schedule; its action and its name may still follow from the plugin.
#[derive(Debug)]
pub(crate) struct WrittenSchedule {
    pub(crate) place: Location,
    pub(crate) name: Option<ScheduleName>,
    pub(crate) action: Option<ActionName>,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) when: When,
    pub(crate) policy: Policy,
}

impl Reading<'_> {
    pub(super) fn schedules(&mut self, written: &[raw::Schedule]) -> Vec<WrittenSchedule> {
        let mut schedules = Vec::new();
        for (index, schedule) in written.iter().enumerate() {
            let place = at(["schedule"]).join(index);
            let name = self.named(&place.join("name"), schedule.name.as_deref());
            let action = self.named(&place.join("action"), schedule.action.as_deref());
            let policy = self.policy(schedule, &place);
            let Some(when) = self.when(schedule, &place) else {
                continue;
            };
            schedules.push(WrittenSchedule {
                name,
                action,
                inputs: schedule.inputs.clone().unwrap_or_default(),
                when,
                policy,
                place,
            });
        }
        schedules
    }
}
