//! `/break/NAME` and `/mend/NAME`: the switches, while the service runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use clap::ValueEnum;
use serde::Serialize;

use super::{Application, Problem};
use crate::{Breakage, clock};

/// What a switch is set to now.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    breakage: Breakage,
    broken: bool,
}

pub(super) async fn break_down(
    State(application): State<Arc<Application>>,
    Path(name): Path<String>,
) -> Result<Json<Setting>, Problem> {
    let breakage = parse(&name)?;
    application
        .blocking(move |application| application.switches.break_down(breakage, clock::now()))
        .await?;
    let broken = true;
    Ok(Json(Setting { breakage, broken }))
}

pub(super) async fn mend(
    State(application): State<Arc<Application>>,
    Path(name): Path<String>,
) -> Result<Json<Setting>, Problem> {
    let breakage = parse(&name)?;
    application
        .blocking(move |application| application.switches.mend(breakage))
        .await?;
    let broken = false;
    Ok(Json(Setting { breakage, broken }))
}

fn parse(name: &str) -> Result<Breakage, Problem> {
    Breakage::from_str(name, false).map_err(|_| {
        let names: Vec<_> = Breakage::value_variants()
            .iter()
            .filter_map(Breakage::to_possible_value)
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let message = format!("`{name}` cannot be broken; these can: {}", names.join(", "));
        Problem::new(StatusCode::NOT_FOUND, message)
    })
}
