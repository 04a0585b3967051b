//! Says what this host offers, and where a component asks for something else.

use sopwith_core::port::PluginProblem;

const PACKAGE: &str = "sopwith:plugin";
const VERSION: &str = "1.0.0";
const VERSION_MAJOR: &str = "1";
/// What may be imported of the contract.
const INTERFACES: [&str; 13] = [
    "approvals",
    "commands",
    "files",
    "flow",
    "journal",
    "probe",
    "procedures",
    "run",
    "secret-reveal",
    "secrets",
    "sql",
    "state",
    "types",
];
/// What must be exported.
const EXPORT: &str = "procedure";
const WASI_PACKAGES: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];
const WASI_VERSION: &str = "0.2";

/// The name of an import or export: `namespace:package/interface@version`.
struct Name<'a> {
    package: &'a str,
    interface: &'a str,
    version: &'a str,
}

impl<'a> Name<'a> {
    fn parse(text: &'a str) -> Self {
        let (path, version) = text.split_once('@').unwrap_or((text, ""));
        let (package, interface) = path.split_once('/').unwrap_or((path, ""));
        Self {
            package,
            interface,
            version,
        }
    }

    fn is_wasi(&self) -> bool {
        self.package.starts_with("wasi:")
    }

    fn is_offered(&self) -> bool {
        match self.package.strip_prefix("wasi:") {
            Some(package) => WASI_PACKAGES.contains(&package) && is_within(self.version, WASI_VERSION),
            None => {
                self.package == PACKAGE
                    && INTERFACES.contains(&self.interface)
                    && is_within(self.version, VERSION_MAJOR)
            }
        }
    }
}

fn is_within(version: &str, track: &str) -> bool {
    version
        .strip_prefix(track)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// Checks by their names that all imports are offered.
pub(crate) fn check_imports<'a>(mut imports: impl Iterator<Item = &'a str>) -> Result<(), PluginProblem> {
    let Some(import) = imports.find(|import| !Name::parse(import).is_offered()) else {
        return Ok(());
    };
    let name = Name::parse(import);
    let hint = if name.is_wasi() {
        format!("this host offers WASI {WASI_VERSION}; build the plugin for `wasm32-wasip2`")
    } else {
        offer()
    };
    Err(PluginProblem {
        message: format!("the plugin imports `{import}`, which this host does not offer"),
        hint: Some(hint),
    })
}

/// Checks by its name that the one export is there.
pub(crate) fn check_exports<'a>(exports: impl Iterator<Item = &'a str>) -> Result<(), PluginProblem> {
    let mut procedures = exports.map(|export| (export, Name::parse(export)));
    let procedure = procedures.find(|(_, name)| name.package == PACKAGE && name.interface == EXPORT);
    match procedure {
        Some((_, name)) if is_within(name.version, VERSION_MAJOR) => Ok(()),
        Some((export, _)) => Err(PluginProblem {
            message: format!("the plugin exports `{export}`, which this host cannot call"),
            hint: Some(offer()),
        }),
        None => Err(PluginProblem {
            message: format!("the component exports no `{PACKAGE}/{EXPORT}`, so it is not a plugin"),
            hint: Some("declare its actions with `sopwith::plugin!` of the SDK".to_owned()),
        }),
    }
}

/// What is said where the names fit and the types behind them do not.
pub(crate) fn misfit(why: &str) -> PluginProblem {
    PluginProblem {
        message: format!("the plugin was built against another contract: {why}"),
        hint: Some(offer()),
    }
}

fn offer() -> String {
    let interfaces = INTERFACES.join("`, `");
    format!("this host offers `{PACKAGE}@{VERSION}` with `{interfaces}`; build the plugin against that")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn what_is_offered_is_what_the_contract_has() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let files = fs::read_dir(folder).expect("the contract");
        let mut written = BTreeSet::new();
        for file in files {
            let text = fs::read_to_string(file.expect("a file").path()).expect("text");
            assert!(text.contains(&format!("package {PACKAGE}@{VERSION};")), "{text}");
            let names = text.lines().filter_map(|line| line.strip_prefix("interface "));
            written.extend(names.map(|name| name.trim_end_matches(" {").to_owned()));
        }
        assert!(written.remove(EXPORT));
        assert_eq!(written, INTERFACES.map(str::to_owned).into());
    }

    #[test]
    fn later_minor_versions_are_left_to_the_linker_and_other_majors_refused() {
        let check = |import: &str| check_imports([import].into_iter()).is_ok();
        assert!(check("sopwith:plugin/journal@1.4.0"));
        assert!(check("wasi:io/streams@0.2.12"));
        for refused in [
            "sopwith:plugin/journal@2.0.0",
            "sopwith:plugin/notify@1.0.0",
            "wasi:io/streams@0.3.0",
            "wasi:nn/graph@0.2.0",
            "wasi:io/streams",
            "greet",
        ] {
            assert!(!check(refused), "{refused}");
        }
    }
}
