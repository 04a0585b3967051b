//! Prints what a reload would change.

use crate::output::{bold, one_line};
use serde_json::Value;
use sopwith_config::difference::{
    Changed, Difference, Fate, PluginDifference, PluginSide, ProcedureDifference, ScheduleDifference, Tick,
};
use std::fmt::Display;

/// Prints all of it, or that there is nothing.
pub(super) fn print(difference: &Difference) {
    if !difference.has_before {
        anstream::println!("nothing has been in force in this data directory: all is new\n");
    } else if difference.is_empty() {
        anstream::println!("this is what is in force: a reload would change nothing\n");
        return;
    }
    for line in lines(difference) {
        anstream::println!("{line}");
    }
    anstream::println!();
}

/// Each line of it, without an end.
fn lines(difference: &Difference) -> Vec<String> {
    let mut lines = Vec::new();
    if !difference.host.is_empty() {
        lines.push(bold("sopwith.toml"));
        lines.extend(difference.host.iter().map(changed));
    }
    for procedure in &difference.procedures {
        of_procedure(procedure, &mut lines);
    }
    for plugin in &difference.plugins {
        of_plugin(plugin, &mut lines);
    }
    lines
}

fn of_procedure(procedure: &ProcedureDifference, lines: &mut Vec<String>) {
    let name = bold(procedure.name.as_str());
    let fate = match procedure.fate {
        Fate::Added => "is new",
        Fate::Removed => "would be gone: its waiting runs are cancelled, its history is kept",
        Fate::Changed => "would change",
    };
    lines.push(format!("procedure {name} {fate}"));
    if procedure.fate == Fate::Changed {
        lines.extend(procedure.written.iter().map(changed));
    }
    if let Some((before, after)) = &procedure.plugin {
        lines.push(format!("  carried out by {} → {}", before.short(), after.short()));
    }
    if let Some(held) = &procedure.held {
        lines.push(format!(
            "  plugin {} would be held: it asks for more than is granted, and the one before goes on",
            held.short()
        ));
    }
    for (actions, fate) in [
        (&procedure.no_longer_available, "could not run any more"),
        (&procedure.newly_available, "could run"),
    ] {
        if !actions.is_empty() {
            lines.push(format!("  {} {fate}", joined(actions)));
        }
    }
    lines.extend(procedure.schedules.iter().map(of_schedule));
}

fn of_schedule(schedule: &ScheduleDifference) -> String {
    let name = &schedule.schedule;
    let (before, after) = (ticks(&schedule.before), ticks(&schedule.after));
    match schedule.fate {
        Fate::Added => format!("  schedule {name} begins: {after}"),
        Fate::Removed => format!("  schedule {name} ends, and with it {before}"),
        Fate::Changed => format!("  schedule {name} starts anew: {before}\n    → {after}"),
    }
}

fn ticks(ticks: &[Tick]) -> String {
    if ticks.is_empty() {
        return "no instant".to_owned();
    }
    let ticks: Vec<_> = ticks.iter().map(|tick| tick.local.as_str()).collect();
    ticks.join(", ")
}

fn of_plugin(plugin: &PluginDifference, lines: &mut Vec<String>) {
    let side = |side: &Option<PluginSide>| match side {
        Some(side) => format!("{} ({})", one_line(&side.version), side.digest.short()),
        None => "none".to_owned(),
    };
    let users = match plugin.used_by.as_slice() {
        [] => "used by nothing any more".to_owned(),
        users => format!("used by {}", joined(users)),
    };
    lines.push(format!(
        "plugin {} {} → {}, {users}",
        bold(plugin.name.as_str()),
        side(&plugin.before),
        side(&plugin.after)
    ));
    if plugin.fate == Fate::Changed {
        lines.extend(
            plugin
                .gained
                .iter()
                .map(|gained| format!("  + {}", one_line(gained))),
        );
        lines.extend(plugin.lost.iter().map(|lost| format!("  - {}", one_line(lost))));
    }
}

fn changed(changed: &Changed) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "–".to_owned(), Value::to_string);
    format!(
        "  {}  {} → {}",
        changed.key,
        shown(&changed.before),
        shown(&changed.after)
    )
}

fn joined<'a>(names: impl IntoIterator<Item = &'a (impl Display + 'a)>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
