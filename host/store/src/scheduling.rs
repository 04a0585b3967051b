//! The part of the port that is about pauses, and about what follows on what.

use crate::{SqliteStore, follow, pauses};
use async_trait::async_trait;
use jiff::Timestamp;
use sopwith_core::actor::Actor;
use sopwith_core::port::{
    FailuresInARow, Follower, Owed, Pause, PauseScope, Scheduling, Start, Started, Stored,
};

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

    async fn set_followers(&self, followers: Vec<Follower>) -> Stored<()> {
        self.writer()
            .write(move |connection| follow::set(connection, &followers))
            .await
    }

    async fn owed(&self) -> Stored<Vec<Owed>> {
        self.readers().read(follow::owed).await
    }

    async fn forget_owed(&self, owed: Owed, at: Timestamp) -> Stored<()> {
        self.writer()
            .write(move |connection| follow::forget(connection, &owed, at))
            .await
    }

    async fn start(&self, start: Start) -> Stored<Started> {
        self.writer()
            .write(move |connection| follow::start(connection, start))
            .await
    }
}
