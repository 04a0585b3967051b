//! A loader whose "components" are manifests in JSON, a folder to edit, a clock to turn,
//! and a log to read.

mod clock;
mod folder;
mod log;
mod plugins;
mod signer;

pub(crate) use clock::TurnedClock;
pub(crate) use folder::Folder;
pub(crate) use log::Log;
pub(crate) use plugins::{ManifestLoader, asking_for_more, manifest, standard};
pub(crate) use signer::Signer;

use jiff::Timestamp;
use sopwith_config::Workshop;

/// The present of all tests.
pub(crate) fn now() -> Timestamp {
    "2026-07-01T12:00:00Z".parse().unwrap()
}

/// The means to make a generation, with these standard plugins.
pub(crate) fn workshop<'a>(
    loader: &'a ManifestLoader,
    standard: &'a [sopwith_config::StandardPlugin],
) -> Workshop<'a> {
    Workshop {
        loader,
        standard,
        now: now(),
    }
}
