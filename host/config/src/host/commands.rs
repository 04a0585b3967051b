//! Validates `[commands.NAME]`: programs, their arguments, and what may stand in blanks.

use super::{Reading, dashes};
use crate::diagnostic::Severity;
use crate::document::{Location, Part, at};
use crate::path;
use crate::quantity;
use crate::raw;
use crate::shape::nearest;
use sopwith_core::command::{Argument, Blank, Command, Effects, Pattern};
use sopwith_core::digest::Digest;
use sopwith_core::grant::{ResourceKind, letting_go, naming};
use sopwith_core::name::ResourceName;
use sopwith_core::resource::Resources;
use sopwith_core::secret::{SecretStore, SecretUse};
use sopwith_core::template::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SECRET: &str = "{{secret:";
/// What a blank without a definition could look like.
const EXAMPLE: &str = "{ pattern = '[a-z0-9_-]{1,64}' }";

impl Reading<'_> {
    pub(super) fn commands(
        &mut self,
        table: Option<&BTreeMap<String, raw::Command>>,
    ) -> BTreeMap<ResourceName, Command> {
        self.each("commands", table, Self::one_command)
    }

    fn one_command(&mut self, place: &Location, written: &raw::Command) -> Option<Command> {
        let program = written.program.as_deref()?;
        let directory = written.directory.as_deref();
        let arguments = self.arguments(&place.join("arguments"), written.arguments.as_deref());
        let blanks = self.blanks(&place.join("blanks"), written.blanks.as_ref());
        if let (Some(arguments), Some(blanks)) = (&arguments, &blanks) {
            self.check_blanks(place, arguments, blanks);
        }
        Some(Command {
            program: path::from(self.folder, program),
            sha256: self.pin(&place.join("sha256"), written),
            arguments: arguments.unwrap_or_default(),
            directory: directory.map(|directory| path::from(self.folder, directory)),
            environment: self.variables(&place.join("environment"), written.environment.as_ref()),
            effects: match written.effects {
                Some(raw::Effects::None) => Effects::None,
                // Whoever did not think of it wants no surprise from a dry run.
                Some(raw::Effects::Changes) | None => Effects::Changes,
            },
            timeout: self.time(&place.join("timeout"), written.timeout.as_deref()),
            blanks: blanks.unwrap_or_default(),
        })
    }

    /// None where one of them cannot be made out.
    fn arguments(&mut self, list: &Location, written: Option<&[String]>) -> Option<Vec<Argument>> {
        let mut arguments = Some(Vec::new());
        for (index, text) in written.into_iter().flatten().enumerate() {
            let place = list.join(index);
            match text.parse::<Argument>() {
                Ok(_) if text.contains('\0') => self.zero(&place),
                Ok(argument) => {
                    arguments = arguments.map(|mut all| {
                        all.push(argument);
                        all
                    });
                    continue;
                }
                // That a secret may not stand here was told when the environment was filled in.
                Err(_) if text.contains(SECRET) => {}
                Err(error) => {
                    let shown = self.document.written(&place);
                    let message = format!("`{shown}` is no argument: {error}");
                    let hint =
                        r"a blank stands in braces:  '{name}'; a brace itself is written  '\{'  and  '\}'";
                    self.error(&place, message, hint);
                }
            }
            arguments = None;
        }
        arguments
    }

    /// None where one of them cannot be made out.
    fn blanks(
        &mut self,
        table: &Location,
        written: Option<&BTreeMap<String, raw::Blank>>,
    ) -> Option<BTreeMap<String, Blank>> {
        let mut blanks = BTreeMap::new();
        let mut is_whole = true;
        for (name, blank) in written.into_iter().flatten() {
            let valid = self.blank(&table.join(name), name, blank);
            is_whole &= valid.is_some();
            blanks.extend(valid.map(|blank| (name.clone(), blank)));
        }
        is_whole.then_some(blanks)
    }

    fn blank(&mut self, place: &Location, name: &str, written: &raw::Blank) -> Option<Blank> {
        match (&written.pattern, written.kind) {
            (Some(pattern), None) => self.pattern(&place.join("pattern"), pattern).map(Blank::Pattern),
            (None, Some(raw::BlankKind::Database)) => Some(Blank::Database),
            (None, None) | (Some(_), Some(_)) => {
                let message = format!("the blank `{name}` has to have either a `pattern` or a `kind`");
                let hint =
                    format!("write it like:  {name} = {EXAMPLE}  or  {name} = {{ kind = \"database\" }}");
                // One that has the wrong shape has been told.
                let has_both = written.pattern.is_some();
                let written = self.document.value.pointer(place.as_str());
                let is_empty = written
                    .and_then(|blank| blank.as_object())
                    .is_some_and(serde_json::Map::is_empty);
                if has_both || is_empty {
                    self.error(place, message, &hint);
                }
                None
            }
        }
    }

    fn pattern(&mut self, place: &Location, text: &str) -> Option<Pattern> {
        match text.parse() {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let shown = self.document.written(place);
                let message = format!("`{shown}` is no pattern: {error}");
                let hint = "write it like:  pattern = '[a-z0-9_-]{1,64}'";
                self.error(place, message, hint);
                None
            }
        }
    }

    /// Every blank is defined, and every definition is of a blank.
    fn check_blanks(&mut self, place: &Location, arguments: &[Argument], blanks: &BTreeMap<String, Blank>) {
        let command = place.as_str().rsplit('/').next().unwrap_or_default();
        let mut used = BTreeSet::new();
        for (index, argument) in arguments.iter().enumerate() {
            let here = place.join("arguments").join(index);
            for name in argument.blanks() {
                used.insert(name);
                if blanks.contains_key(name) {
                    continue;
                }
                let near = nearest::meant(name, blanks.keys().map(String::as_str));
                let define = || format!("add under [commands.{command}.blanks]:  {name} = {EXAMPLE}");
                let message = format!("the blank `{{{name}}}` is not defined");
                self.error(&here, message, &near.unwrap_or_else(define));
            }
            let may_begin_with_a_dash = match argument.blanks().next().and_then(|name| blanks.get(name)) {
                Some(Blank::Pattern(pattern)) => dashes::may_begin_with_one(pattern),
                Some(Blank::Database) | None => false,
            };
            if argument.begins_with_a_blank() && may_begin_with_a_dash {
                let message = format!(
                    "the pattern of `{argument}` matches what begins with `-`, which is refused: it would be an option"
                );
                let hint =
                    "leave `-` out at its beginning, or put text in front of the blank:  '--name={name}'";
                self.push(self.document.warning(&here, message).hint(hint));
            }
        }
        for name in blanks.keys().filter(|name| !used.contains(name.as_str())) {
            let message = format!("no argument of `{command}` has the blank `{name}`");
            let here = place.join("blanks").join(name);
            let error = self
                .document
                .diagnostic(Severity::Error, &here, Part::Key, message);
            self.push(error.hint(format!(
                "write  {{{name}}}  into an argument, or take the blank out"
            )));
        }
    }

    fn variables(
        &mut self,
        table: &Location,
        written: Option<&BTreeMap<String, String>>,
    ) -> BTreeMap<String, Template> {
        let mut variables = BTreeMap::new();
        for (name, text) in written.into_iter().flatten() {
            let place = table.join(name);
            if name.is_empty() || name.contains(['=', '\0']) {
                let message = format!("`{}` is not the name of a variable", name.escape_default());
                let error = self
                    .document
                    .diagnostic(Severity::Error, &place, Part::Key, message);
                self.push(error.hint("write it like:  LANG = \"C.UTF-8\""));
                continue;
            }
            match text.parse::<Template>() {
                Ok(_) if text.contains('\0') => self.zero(&place),
                Ok(template) => {
                    variables.insert(name.clone(), template);
                }
                Err(error) => {
                    let hint = "a value is text, with  {{secret:NAME}}  or  {{env:NAME}}  where it is to be filled in";
                    self.error(&place, error.to_string(), hint);
                }
            }
        }
        variables
    }

    fn zero(&mut self, place: &Location) {
        self.error(place, "there is a zero byte in it", "no program can be given one");
    }

    fn time(&mut self, place: &Location, text: Option<&str>) -> Option<Duration> {
        let read = quantity::time(text?).and_then(|time| match time {
            Duration::ZERO => Err(format!("`{}` leaves no time", self.document.written(place))),
            time => Ok(time),
        });
        read.map_err(|message| self.error(place, message, "write it like:  timeout = \"30s\""))
            .ok()
    }

    fn pin(&mut self, place: &Location, written: &raw::Command) -> Option<Digest> {
        let read = written.sha256.as_deref()?.parse::<Digest>();
        read.map_err(|error| self.error(place, error.to_string(), "`sha256sum PROGRAM` prints it"))
            .ok()
    }

    /// Tells of secrets in environments that there are not, or that may not go there.
    pub(super) fn secrets_of_commands(&mut self, resources: &Resources) {
        let named = super::Named::of(self.document);
        for (name, command) in &resources.commands {
            for (variable, template) in &command.environment {
                let place = at(["commands", name.as_str(), "environment", variable]);
                for reference in template.secrets() {
                    let secret = reference.name.as_str();
                    if !named.secrets.contains(secret) && self.document.is_whole() {
                        let near = nearest::meant(secret, named.secrets.iter().map(String::as_str));
                        let hint = near.unwrap_or_else(|| naming(ResourceKind::Secrets, secret));
                        self.error(&place, format!("sopwith.toml has no [secrets.{secret}]"), &hint);
                    }
                    self.check_use(&place, name, &reference.name, resources);
                }
            }
        }
    }

    fn check_use(
        &mut self,
        place: &Location,
        command: &ResourceName,
        name: &ResourceName,
        resources: &Resources,
    ) {
        let Some(secret) = resources.secrets.get(name) else {
            return;
        };
        let wanted = SecretUse::Command(command.clone());
        if !secret.uses.contains(&wanted) {
            let message = format!("[secrets.{name}] does not let it go into the command `{command}`");
            self.error(place, message, &letting_go(name, &secret.uses, &wanted));
        }
        if tells(resources, name, command, &mut BTreeSet::new()) {
            let message =
                format!("the command `{command}` needs the secret `{name}`, which only it can tell");
            self.error(
                place,
                message,
                "name another store of the secret, or another command",
            );
        }
    }
}

/// Whether the value of a secret is what a command prints, however many others stand between.
fn tells<'r>(
    resources: &'r Resources,
    secret: &'r ResourceName,
    command: &ResourceName,
    seen: &mut BTreeSet<&'r ResourceName>,
) -> bool {
    let Some(SecretStore::Command { command: teller }) =
        resources.secrets.get(secret).map(|secret| &secret.store)
    else {
        return false;
    };
    if teller == command {
        return true;
    }
    let Some(environment) = resources.commands.get(teller).map(|command| &command.environment) else {
        return false;
    };
    seen.insert(secret)
        && environment
            .values()
            .flat_map(Template::secrets)
            .any(|reference| tells(resources, &reference.name, command, seen))
}
