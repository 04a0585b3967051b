//! Fills in the blanks of a command; what a plugin gives stays a value and becomes nothing else.

use crate::databases::Databases;
use crate::gate::Gate;
use crate::redaction::Mask;
use sopwith_core::command::{Argument, ArgumentPart, Blank, Command, Effects, Pattern};
use sopwith_core::failure::Failure;
use sopwith_core::grant::{Access, Wanted};
use sopwith_core::port::capabilities::{Answer, Pairs};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// A longer value is no name, number or path.
const VALUE_BYTES_MAX: usize = 4096;
/// What is shown of a value that is refused.
const SHOWN_BYTES_MAX: usize = 80;

/// Where the files of databases are, and who may use them.
pub(super) struct Filling<'a> {
    pub(super) gate: &'a Gate,
    pub(super) databases: &'a Databases,
    /// The function of the contract that asks.
    pub(super) call: &'a str,
}

impl Filling<'_> {
    /// The arguments of a command with these values in its blanks.
    pub(super) fn fill(&self, command: &Command, given: &Pairs) -> Answer<Vec<OsString>> {
        let mask = self.gate.mask();
        let mut values = BTreeMap::new();
        for (name, value) in given {
            let Some((name, blank)) = command.blanks.get_key_value(name.as_str()) else {
                let known: Vec<&str> = command.blanks.keys().map(String::as_str).collect();
                let message = format!("the command has no blank `{}`", shown(&mask, name));
                return Err(Failure::invalid(message).hint(format!("its blanks are: {}", known.join(", "))));
            };
            if values
                .insert(name.as_str(), self.value(name, blank, value, command.effects)?)
                .is_some()
            {
                return Err(Failure::invalid(format!("the blank `{name}` is filled in twice")));
            }
        }
        if let Some(missing) = command
            .blanks
            .keys()
            .find(|name| !values.contains_key(name.as_str()))
        {
            return Err(Failure::invalid(format!(
                "the blank `{missing}` is not filled in"
            )));
        }
        command
            .arguments
            .iter()
            .map(|argument| join(&mask, argument, &values))
            .collect()
    }

    fn value(&self, name: &str, blank: &Blank, value: &str, effects: Effects) -> Answer<OsString> {
        match blank {
            Blank::Pattern(pattern) => {
                check(&self.gate.mask(), name, pattern, value)?;
                Ok(value.into())
            }
            Blank::Database => {
                let access = match effects {
                    Effects::None => Access::Read,
                    // Whoever may put another one in its place may change it as well.
                    Effects::Changes if self.may_replace(value) => Access::Replace,
                    Effects::Changes => Access::Write,
                };
                Ok(self.databases.find(value, access, self.call)?.path.into())
            }
        }
    }

    fn may_replace(&self, database: &str) -> bool {
        self.gate
            .would_allow(&Wanted::database(database, Access::Replace))
    }
}

fn check(mask: &Mask, name: &str, pattern: &Pattern, value: &str) -> Answer<()> {
    let refuse = |why: String| {
        let value = shown(mask, value);
        Err(Failure::invalid(format!(
            "`{value}` cannot stand in the blank `{name}`: {why}"
        )))
    };
    if value.len() > VALUE_BYTES_MAX {
        return refuse(format!("it has more than {VALUE_BYTES_MAX} bytes"));
    }
    if value.chars().any(char::is_control) {
        return refuse("it has a control character, such as a newline".to_owned());
    }
    if !pattern.matches(value) {
        return refuse(format!("it is not as the pattern `{pattern}` has it"));
    }
    Ok(())
}

/// One argument, whatever the values are. What a plugin filled in makes no option of it.
fn join(mask: &Mask, argument: &Argument, values: &BTreeMap<&str, OsString>) -> Answer<OsString> {
    let mut joined = OsString::new();
    for part in &argument.parts {
        joined.push(match part {
            ArgumentPart::Text(text) => OsStr::new(text),
            ArgumentPart::Blank(name) => values
                .get(name.as_str())
                .map_or(OsStr::new(""), OsString::as_os_str),
        });
    }
    if argument.begins_with_a_blank() && joined.as_bytes().starts_with(b"-") {
        let message = format!(
            "the argument `{argument}` may not begin with `-`, which would make an option of it: `{}`",
            shown(mask, &joined.to_string_lossy())
        );
        return Err(Failure::invalid(message));
    }
    Ok(joined)
}

/// As much of a text of the plugin as a failure tells.
fn shown(mask: &Mask, text: &str) -> String {
    mask.start(text, SHOWN_BYTES_MAX).escape_debug().to_string()
}
