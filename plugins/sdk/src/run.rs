//! What a plugin may know of the run that it is part of, and how it waits.

use crate::bindings::sopwith::plugin::run as host;
use crate::{Context, Result};
use jiff::Timestamp;
use std::time::Duration;

pub use host::{attempt, cancelled, dry_run, id, procedure, trigger};

/// The instant that the schedule named, which is not the instant of the start.
pub fn scheduled_at() -> Result<Option<Timestamp>> {
    parse(host::scheduled_at())
}

/// When this action last succeeded in this procedure.
pub fn previous_success() -> Result<Option<Timestamp>> {
    parse(host::previous_success())
}

fn parse(instant: Option<String>) -> Result<Option<Timestamp>> {
    let parsed = instant.map(|text| text.parse().with_context(|| format!("the instant `{text}`")));
    parsed.transpose()
}

/// The present, by the clock that the host lends its plugins.
#[expect(clippy::disallowed_methods, reason = "in a plugin this is the host's clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// How long this attempt may still take.
pub fn time_left() -> Duration {
    Duration::from_millis(host::time_left_ms())
}

/// Waits with nothing in memory; for minutes to months. Unless the instant has passed, the action ends here and is
/// called again from its start when it has: what must not be done twice belongs into a [step](crate::step). The
/// name is its own within the run, and the first instant that it was suspended for holds.
pub fn suspend_until(name: &str, until: Timestamp) -> Result<()> {
    Ok(host::suspend_until(name, &until.to_string())?)
}

/// Waits with the plugin in memory; for seconds. Ends early with `cancelled`.
pub fn sleep(duration: Duration) -> Result<()> {
    Ok(host::sleep(crate::milliseconds(duration))?)
}
