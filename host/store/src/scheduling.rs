//! The part of the port that is about pauses.

use crate::{SqliteStore, pauses};
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::port::{FailuresInARow, Pause, PauseScope, Scheduling, Stored};

#[async_trait]
impl Scheduling for SqliteStore {
    async fn pause(&self, pause: Pause) -> Stored<bool> {
        self.writer()
            .write(move |connection| pauses::add(connection, &pause))
            .await
    }

    async fn resume(&self, scope: &PauseScope, by: &Actor, at: Timestamp) -> Stored<Vec<Pause>> {
        let (scope, by) = (scope.clone(), by.clone());
        self.writer()
            .write(move |connection| pauses::end(connection, &scope, &by, at))
            .await
    }

    async fn pauses(&self) -> Stored<Vec<Pause>> {
        self.readers().read(pauses::all).await
    }

    async fn failures_in_a_row(&self) -> Stored<Vec<FailuresInARow>> {
        self.readers().read(pauses::failures).await
    }
}
