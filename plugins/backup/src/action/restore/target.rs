//! Where a backup is restored to.

use super::Inputs;
use crate::settings::Settings;
use sopwith::files::Directory;
use sopwith::{Blame, Error, ErrorKind, Result};

/// Where a backup is restored to.
pub(super) enum Target<'a> {
    Database,
    File(&'a Directory, &'a str),
}

impl<'a> Target<'a> {
    /// What the inputs name.
    pub(super) fn read(settings: &'a Settings, inputs: &'a Inputs) -> Result<Self> {
        match (&inputs.to, &settings.restore.directory) {
            (None, _) => Ok(Self::Database),
            (Some(path), _) if path.is_empty() => {
                Err(Error::invalid("the input `to` names no file").with_blame(Blame::Operator))
            }
            (Some(path), Some(directory)) => Ok(Self::File(directory, path)),
            (Some(path), None) => {
                let message =
                    format!("`{path}` cannot be restored to: the settings name no directory for it");
                let hint = "add under [settings]:  restore = { directory = \"NAME\" }";
                Err(Error::invalid(message)
                    .with_hint(hint)
                    .with_blame(Blame::Operator))
            }
        }
    }

    /// Fails where a file cannot come to be, before anything is done for it. Whether a database
    /// is in use is for the host to say, at the moment of its replacement.
    pub(super) fn check(&self) -> Result<()> {
        let Self::File(directory, path) = *self else {
            return Ok(());
        };
        let taken_already = directory.exists(path);
        if taken_already.map_err(|error| refused(error, directory, path))? {
            return Err(taken(directory, path));
        }
        let parent = directory.stat(parent(path));
        parent.map_err(|error| refused(error, directory, path))?;
        Ok(())
    }
}

/// To look takes less than to write, so that the host's hint would not lead far enough.
fn refused(error: Error, directory: &Directory, path: &str) -> Error {
    let error = error.context(format!("`{path}` cannot be restored to"));
    match error.kind {
        ErrorKind::Denied => error.with_hint(format!(
            "add under [actions.restore.grants]:  directories = {{ {directory} = \"write\" }}"
        )),
        _ => error,
    }
}

/// The name is somebody else's.
pub(super) fn taken(directory: &Directory, path: &str) -> Error {
    let message = format!("`{path}` exists already in `{directory}`");
    Error::new(ErrorKind::Conflict, message)
        .with_hint("name a file that is not there yet")
        .with_blame(Blame::Operator)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sopwith::serde_json::{Value, from_value, json};

    fn check(settings: Value, inputs: Value, expected: Result<&str, &str>) {
        let settings = from_value(settings).expect("the settings are of their shape");
        let inputs = from_value(inputs).expect("the inputs are of their shape");
        let target = Target::read(&settings, &inputs).map(|target| match target {
            Target::Database => "the database".to_owned(),
            Target::File(directory, path) => format!("{path} in {directory}"),
        });
        let target = target.as_ref().map(String::as_str);
        assert_eq!(target.map_err(|error| error.message.as_str()), expected);
    }

    #[test]
    fn backup_goes_over_the_database_or_to_a_new_file() {
        let plain = json!({ "database": "app", "to": "backups" });
        let mut with_directory = plain.clone();
        with_directory["restore"] = json!({ "directory": "rehearsal" });
        let to = json!({ "to": "a.db" });
        check(with_directory.clone(), json!({}), Ok("the database"));
        check(with_directory, to.clone(), Ok("a.db in rehearsal"));
        let nowhere = "`a.db` cannot be restored to: the settings name no directory for it";
        check(plain.clone(), to, Err(nowhere));
        check(plain, json!({ "to": "" }), Err("the input `to` names no file"));
    }

    #[test]
    fn refusal_to_look_asks_for_what_writing_takes() {
        let error = Error::new(ErrorKind::Denied, "`read` is not granted").with_hint("grant `read`");
        let error = refused(error, &Directory::new("rehearsal"), "a.db");
        let hint = "add under [actions.restore.grants]:  directories = { rehearsal = \"write\" }";
        assert_eq!(error.hint.as_deref(), Some(hint));
        assert_eq!(
            error.message,
            "`a.db` cannot be restored to: `read` is not granted"
        );
    }

    #[test]
    fn parent_of_a_plain_name_is_the_directory_itself() {
        assert_eq!(["a.db", "x/a.db", "x/y/a.db"].map(parent), ["", "x", "x/y"]);
    }
}
