//! Names that runs hold while they make a backup, so that no other run takes one, and a run that
//! was cut off knows what it left behind.

use crate::shelf::Shelf;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sopwith::{ErrorKind, Result, run, state};

const PREFIX: &str = "claim/";

/// No run waits longer to be taken up again; its claim without a file holds nothing.
const IDLE_MAX: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Claim {
    run: String,
    at: Timestamp,
}

/// How this run came to hold a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Now.
    Anew,
    /// Since before, so that a file of this name is what a cut-off attempt of this run left.
    Before,
}

/// Holds a name for this run; none where another run of the procedure holds it.
pub(crate) fn hold(name: &str) -> Result<Option<Held>> {
    let (key, run) = (key(name), run::id());
    if let Some(claim) = state::get::<Claim>(&key)? {
        return Ok((claim.run == run).then_some(Held::Before));
    }
    let at = run::now();
    match state::replace(&key, &Claim { run, at }, 0) {
        Ok(_) => Ok(Some(Held::Anew)),
        // Another run was quicker.
        Err(error) if error.kind == ErrorKind::Conflict => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets go of a name.
pub(crate) fn release(name: &str) -> Result<()> {
    state::delete(&key(name))
}

/// The files that runs left unfinished, or are at work on.
pub(crate) fn unfinished(shelf: &Shelf) -> Result<Vec<String>> {
    let mut names = names()?;
    names.retain(|name| shelf.has_file(name) && !shelf.has_manifest(name));
    Ok(names)
}

/// Lets go of the names that nobody needs to hold any more.
pub(crate) fn sweep(shelf: &Shelf) -> Result<()> {
    let now = run::now();
    for name in names()? {
        let Some(claim) = state::get::<Claim>(&key(&name))? else {
            continue;
        };
        let idle = now.duration_since(claim.at) > IDLE_MAX && !shelf.has_file(&name);
        let finished = claim.run != run::id() && shelf.has_manifest(&name);
        if idle || finished {
            release(&name)?;
        }
    }
    Ok(())
}

fn names() -> Result<Vec<String>> {
    let keys = state::keys(PREFIX)?.into_iter();
    let names = keys.filter_map(|key| key.strip_prefix(PREFIX).map(str::to_owned));
    Ok(names.collect())
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}
