//! Checks that the rows of a database keep their promises.

mod audit;
#[cfg(test)]
mod clinic;
mod explain;
mod identifier;
mod offenders;
mod outcome;
mod plan;
mod record;
mod redaction;
mod report;
mod rule;
mod settings;
mod threshold;
mod trend;

use settings::Settings;

sopwith::plugin!(Settings: audit::audit, explain::explain);
