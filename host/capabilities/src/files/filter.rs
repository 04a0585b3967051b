//! Which entries of a walk are meant.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use sopwith_core::failure::Failure;
use sopwith_core::port::capabilities::Answer;
use std::path::Path;

const GLOBS_MAX: usize = 100;
/// Of all globs of one list: what they are compiled to takes some hundred times as much.
const GLOBS_BYTES_MAX: usize = 8 << 10;

/// Which entries are meant. A glob is matched against the path beneath the start of the walk;
/// `*` stays within a name and `**` does not.
pub(crate) struct Filter {
    /// None means all.
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Filter {
    pub(crate) fn parse(include: &[String], exclude: &[String]) -> Answer<Self> {
        Ok(Self {
            include: (!include.is_empty()).then(|| globs(include)).transpose()?,
            exclude: globs(exclude)?,
        })
    }

    /// Whether an entry is left out with all that is beneath it.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        self.exclude.is_match(path)
    }

    /// Whether an entry that is not left out is meant.
    pub(super) fn includes(&self, path: &Path) -> bool {
        self.include.as_ref().is_none_or(|include| include.is_match(path))
    }
}

fn globs(patterns: &[String]) -> Answer<GlobSet> {
    let bytes: usize = patterns.iter().map(String::len).sum();
    if patterns.len() > GLOBS_MAX || bytes > GLOBS_BYTES_MAX {
        return Err(Failure::invalid(format!(
            "there may be {GLOBS_MAX} globs, of {GLOBS_BYTES_MAX} bytes together"
        )));
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(
            glob.map_err(|error| Failure::invalid(format!("`{pattern}` is not a glob: {}", error.kind())))?,
        );
    }
    set.build()
        .map_err(|error| Failure::invalid(format!("the globs are too large: {error}")))
}
