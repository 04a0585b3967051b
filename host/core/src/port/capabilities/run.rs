//! The run that a plugin is part of, and how it waits.

use super::Answer;
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// What became of a call that may have to wait longer than an attempt stays in memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Waited<T> {
    /// There is nothing to wait for any more.
    Over(T),
    /// The run is suspended: whoever called is to be ended, and is called again from the start.
    Suspended,
}

/// What the plugin may know of its run, and how it waits.
#[async_trait]
pub trait RunInfo: Send + Sync {
    /// The run's id.
    fn id(&self) -> String;
    /// The procedure's name.
    fn procedure(&self) -> String;
    /// 1 for the first attempt.
    fn attempt(&self) -> u32;
    /// `schedule`, `manual` or `procedure`.
    fn trigger(&self) -> String;
    /// The instant that the schedule named.
    fn scheduled_at(&self) -> Option<Timestamp>;
    /// When the newest run of this action that passed came to its end.
    fn previous_success(&self) -> Option<Timestamp>;
    /// Whether nothing may be changed.
    fn dry_run(&self) -> bool;
    /// Whether somebody asked the run to end.
    fn cancelled(&self) -> bool;
    /// What is left of the attempt's time.
    fn time_left(&self) -> Duration;
    /// Waits; ends early with `cancelled`.
    async fn sleep(&self, duration: Duration) -> Answer<()>;
    /// Waits with nothing in memory. The first instant that a name was suspended for holds.
    async fn suspend_until(&self, name: &str, until: Timestamp) -> Answer<Waited<()>>;
}
