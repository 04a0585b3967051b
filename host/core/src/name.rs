//! The names of things: what operators write in files and on the command line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a name: a name has 1 to 64 letters, digits, `-` or `_` and begins with a letter or digit"
)]
pub struct InvalidName(String);

const LENGTH_MAX: usize = 64;

fn is_name(text: &str) -> bool {
    text.len() <= LENGTH_MAX
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

macro_rules! name {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if is_name(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a procedure: the stem of its file.
    ProcedureName
);
name!(
    /// The name of a plugin: a standard one, or the stem of a file in the plugin directory.
    PluginName
);
name!(
    /// The name of one thing that a plugin can do.
    ActionName
);
name!(
    /// The name of a schedule within its procedure.
    ScheduleName
);
name!(
    /// The name of something that happens outside, on which schedules start.
    EventName
);
name!(
    /// The name that the operator gave to a database, a directory or a network destination.
    ResourceName
);
name!(
    /// The name of a gate, or of a manual step that somebody attests.
    GateName
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["app", "clinic-backup", "SECRET_KEY", "7z"] {
            assert!(good.parse::<ResourceName>().is_ok(), "{good}");
        }
        let long = "x".repeat(LENGTH_MAX + 1);
        for bad in ["", "-x", "_x", "a b", "../app", "a/b", "ä", &long] {
            assert!(bad.parse::<ResourceName>().is_err(), "{bad}");
        }
    }
}
