//! Restores to a new file.

use super::{Restored, sentence, target};
use crate::settings::Settings;
use crate::shelf::{Backup, MODE};
use sopwith::files::Directory;
use sopwith::flow::IfExists;
use sopwith::{ErrorKind, Report, Result, run, step};

pub(super) fn restore(
    settings: &Settings,
    backup: &Backup,
    directory: &Directory,
    path: &str,
) -> Result<Report<Restored>> {
    step("restore", |_| write(settings, backup, directory, path))?;
    let to = format!("`{path}` in `{directory}`");
    Ok(Report::ok(sentence(backup, &to)).with_output(Restored {
        from: backup.name.clone(),
        to: path.to_owned(),
        safety_copy: None,
        put_back: false,
        problems: Vec::new(),
    }))
}

fn write(settings: &Settings, backup: &Backup, directory: &Directory, path: &str) -> Result<()> {
    let digest = &backup.manifest.source.digest;
    let flow = backup.open(&settings.to)?.expect_digest(digest)?.with_mode(MODE);
    match flow.to_file(directory, path, IfExists::Fail) {
        Ok(_) => Ok(()),
        // An attempt that was cut off may have written it and not come to say so.
        Err(error)
            if error.kind == ErrorKind::Conflict
                && run::attempt() > 1
                && directory.digest(path)? == *digest =>
        {
            Ok(())
        }
        // Somebody else wrote it meanwhile.
        Err(error) if error.kind == ErrorKind::Conflict && directory.exists(path)? => {
            Err(target::taken(directory, path))
        }
        Err(error) => Err(error),
    }
}
