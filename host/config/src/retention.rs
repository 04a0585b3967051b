//! Reads `[history]`: that of the host, and what a procedure says otherwise.

use crate::diagnostic::Diagnostic;
use crate::document::{Document, at};
use crate::quantity;
use crate::raw::History;
use sopwith_core::retention::Retention;
use std::time::Duration;

/// What is written on top of what holds otherwise; what is wrong with it is told.
pub(crate) fn read(
    written: Option<&History>,
    base: Retention,
    document: &Document,
    diagnostics: &mut Vec<Diagnostic>,
) -> Retention {
    let keep = written.and_then(|written| written.keep.as_deref());
    let keep = keep.map(|text| quantity::days(text).and_then(at_least_a_day));
    let keep = match keep {
        None => base.keep,
        Some(Ok(keep)) => keep,
        Some(Err(why)) => {
            let error = document.error(&at(["history", "keep"]), why);
            diagnostics.push(error.hint("keep = \"400d\""));
            base.keep
        }
    };
    Retention {
        keep,
        keep_runs: written
            .and_then(|written| written.keep_runs)
            .unwrap_or(base.keep_runs),
    }
}

fn at_least_a_day(keep: Duration) -> Result<Duration, String> {
    if keep < Retention::KEEP_LEAST {
        return Err("the history is kept for a day at least".to_owned());
    }
    Ok(keep)
}
