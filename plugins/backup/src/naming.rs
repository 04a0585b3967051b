//! Finds the name of a backup that is to be made.

use crate::claim;
use crate::manifest::Compression;
use crate::settings::{Settings, Template};
use crate::shelf::Shelf;
use sopwith::{Error, ErrorKind, Result, run};
use std::iter;

/// Who has so many backups of one name needs a finer template.
const NUMBER_MAX: u32 = 9_999;

/// Finds a name that nothing has, and holds it for this run.
pub(crate) fn choose(settings: &Settings, template: &Template, shelf: &Shelf) -> Result<String> {
    claim::sweep(shelf)?;
    let now = settings.time_zone.at(run::now());
    let first = template.fill_in(settings.database.name(), &now);
    let names: Vec<_> = numbered(&first, settings.compress).collect();
    let taken = |name: &String| shelf.has_file(name) || shelf.has_manifest(name);
    // After the last one that is taken, so that names of one day are in the order of time.
    let free = names.iter().rposition(taken).map_or(0, |last| last + 1);
    for name in &names[free..] {
        if claim::hold(name)?.is_some() {
            return Ok(name.clone());
        }
    }
    let message = format!("the number {NUMBER_MAX} of `{first}` is taken");
    let hint = "add `{HHMMSS}` to the setting `name`";
    Err(Error::new(ErrorKind::Limit, message).with_hint(hint))
}

/// The name itself, and with numbers from 2 before its extension.
fn numbered(first: &str, compression: Compression) -> impl Iterator<Item = String> {
    let compressed = match compression {
        Compression::None => "",
        Compression::Zstd => ".zst",
    };
    let first = first.strip_suffix(compressed).unwrap_or(first);
    let (stem, extension) = first.rfind('.').map_or((first, ""), |dot| first.split_at(dot));
    let further = (2..=NUMBER_MAX).map(move |number| format!("{stem}-{number}{extension}{compressed}"));
    iter::once(format!("{first}{compressed}")).chain(further)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: &str, compression: Compression, expected: [&str; 3]) {
        let names = numbered(first, compression).take(3);
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn numbers_stand_before_the_extension() {
        let plain = ["app-20261121.db", "app-20261121-2.db", "app-20261121-3.db"];
        check("app-20261121.db", Compression::None, plain);
        let packed = ["app.db.zst", "app-2.db.zst", "app-3.db.zst"];
        check("app.db", Compression::Zstd, packed);
        check("app.db.zst", Compression::Zstd, packed);
        check("app", Compression::None, ["app", "app-2", "app-3"]);
    }
}
