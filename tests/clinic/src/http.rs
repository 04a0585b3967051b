//! The HTTP service: its routes, and what they share.

mod health;
mod layers;
mod patients;
mod problem;
mod switches;
mod tenant;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use rusqlite::Connection;

use crate::breakage::Switches;
use crate::{Breakage, Error, Places};
use problem::Problem;

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct Application {
    connection: Mutex<Connection>,
    places: Places,
    switches: Switches,
}

impl Application {
    pub(crate) fn new(connection: Connection, places: Places, switches: Switches) -> Self {
        Self {
            connection: Mutex::new(connection),
            places,
            switches,
        }
    }

    fn is_broken(&self, breakage: Breakage) -> bool {
        self.switches.is_broken(breakage)
    }

    /// Does work that blocks, such as a query, on a thread where that is allowed.
    async fn blocking<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let result = tokio::task::spawn_blocking(move || work(&self)).await;
        match result {
            Ok(result) => result.map_err(Problem::internal),
            Err(panicked) => Err(Problem::internal(panicked)),
        }
    }

    /// Uses the connection that the requests share.
    async fn query<T: Send + 'static>(
        self: Arc<Self>,
        query: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Problem> {
        self.blocking(|application| {
            let connection = application.connection.lock();
            // A transaction that panicked was rolled back, so the connection is as good as before.
            query(&mut connection.unwrap_or_else(PoisonError::into_inner))
        })
        .await
    }
}

/// Lays out the routes.
pub(crate) fn router(application: Arc<Application>) -> Router {
    let clinic = Router::new()
        .route("/health", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/api/public/tenant-meta", get(tenant::meta))
        .route("/api/patients", get(patients::list).post(patients::create))
        .layer(from_fn_with_state(application.clone(), layers::misbehave));
    let control = Router::new()
        .route("/break/{name}", post(switches::break_down))
        .route("/mend/{name}", post(switches::mend))
        .layer(from_fn(layers::loopback_only));
    clinic
        .merge(control)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn(layers::headers))
        .with_state(application)
}
