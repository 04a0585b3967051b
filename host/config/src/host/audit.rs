//! Validates `[audit]`: how long the audit log is kept, and where its checkpoints are sent.

use super::{Named, Reading};
use crate::document::{Location, at};
use crate::path;
use crate::raw::{self, HostFile};
use crate::shape::nearest;
use jiff::{Span, civil};
use sopwith_core::command::Effects;
use sopwith_core::generation::{Anchor, AuditSettings};
use sopwith_core::grant::{ResourceKind, naming};
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Resources;
use std::collections::BTreeMap;
use std::time::Duration;

const EXAMPLE: &str = "write it like:  file = \"/mnt/other/sopwith-audit.ndjson\"";

impl Reading<'_> {
    pub(super) fn audit(&mut self, file: &HostFile, resources: &Resources) -> AuditSettings {
        let mut settings = AuditSettings::default();
        let Some(written) = &file.audit else {
            return settings;
        };
        if let Some(text) = &written.keep {
            let place = at(["audit", "keep"]);
            if let Some(keep) = duration(text) {
                settings.keep = keep;
            } else {
                let message = format!("`{}` is not a time with its unit", self.document.written(&place));
                self.error(&place, message, "write it like:  keep = \"6y\"");
            }
        }
        settings.anchors = self.anchors(written.anchors.as_ref(), resources);
        settings
    }

    fn anchors(
        &mut self,
        table: Option<&BTreeMap<String, raw::Anchor>>,
        resources: &Resources,
    ) -> BTreeMap<ResourceName, Anchor> {
        let mut anchors = BTreeMap::new();
        for (name, written) in table.into_iter().flatten() {
            let place = at(["audit", "anchors", name]);
            match name.parse::<ResourceName>() {
                Ok(name) => {
                    let anchor = self.anchor(&place, written, resources);
                    anchors.extend(anchor.map(|anchor| (name, anchor)));
                }
                Err(error) => self.error(&place, error.to_string(), "give it another name"),
            }
        }
        anchors
    }

    fn anchor(&mut self, place: &Location, written: &raw::Anchor, resources: &Resources) -> Option<Anchor> {
        match (&written.file, &written.command) {
            (Some(file), None) => Some(Anchor::File(path::from(self.folder, file))),
            (None, Some(command)) => self.anchor_command(&place.join("command"), command, resources),
            (None, None) | (Some(_), Some(_)) => {
                let message = "an anchor is either a `file` or a `command`";
                self.error(place, message, EXAMPLE);
                None
            }
        }
    }

    fn anchor_command(&mut self, place: &Location, text: &str, resources: &Resources) -> Option<Anchor> {
        let named = Named::of(self.document);
        if !named.commands.contains(text) {
            let near = nearest::meant(text, named.commands.iter().map(String::as_str));
            let hint = near.unwrap_or_else(|| naming(ResourceKind::Commands, text));
            self.error(place, format!("sopwith.toml has no [commands.{text}]"), &hint);
            return None;
        }
        let name = text.parse::<ResourceName>().ok()?;
        // What is wrong with the command itself is told there.
        let command = resources.commands.get(&name)?;
        if let Some(blank) = command.blanks.keys().next() {
            let message = format!("the command `{name}` has the blank `{blank}`, and nobody fills it in");
            self.error(
                place,
                message,
                "name a command without blanks; one more for this anchor alone is no harm",
            );
        }
        if command.effects == Effects::None {
            let message = format!("the command `{name}` changes nothing, so it can keep no checkpoint");
            let hint =
                format!("if it keeps what it reads, write under [commands.{name}]:  effects = \"changes\"");
            self.error(place, message, &hint);
        }
        Some(Anchor::Command(name))
    }
}

/// Reads a time in which years and months may be. They are those from 2000 on, which has the most leap years.
fn duration(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(civil::date(2000, 1, 1)).ok()?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_years() {
        assert_eq!(duration("6y"), Some(AuditSettings::KEEP));
        assert_eq!(duration("90d"), Some(Duration::from_hours(90 * 24)));
        assert_eq!(duration("1y 6mo"), Some(Duration::from_hours((366 + 181) * 24)));
        for bad in ["", "6", "0s", "-6y", "6 parsecs", "for ever", "99999y"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
