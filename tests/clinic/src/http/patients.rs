//! `/api/patients`: lists the newest patients, and enters one.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use rusqlite::TransactionBehavior;
use serde::{Deserialize, Serialize};

use super::{Application, Problem};
use crate::clock;
use crate::patients::{self, NewPatient, Patient};

const LIMIT_DEFAULT: u32 = 50;

/// Keeps an answer below some 100 KB.
const LIMIT_MAX: u32 = 500;

#[derive(Debug, Deserialize)]
pub(super) struct Page {
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct Patients {
    patients: Vec<Patient>,
}

pub(super) async fn list(
    State(application): State<Arc<Application>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Patients>, Problem> {
    let Query(page) = page.map_err(|error| bad_request(error.body_text()))?;
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let message = format!("the limit `{limit}` is not between 1 and {LIMIT_MAX}");
        return Err(bad_request(message));
    }
    let patients = application
        .query(move |connection| Ok(patients::newest(connection, limit)?))
        .await?;
    Ok(Json(Patients { patients }))
}

pub(super) async fn create(
    State(application): State<Arc<Application>>,
    patient: Result<Json<NewPatient>, JsonRejection>,
) -> Result<(StatusCode, Json<Patient>), Problem> {
    let Json(patient) = patient.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    if patient.given_name.trim().is_empty() || patient.family_name.trim().is_empty() {
        let message = "a patient needs a given name and a family name";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    let patient = application
        .query(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let patient = patients::enter(&transaction, patient, clock::now())?;
            transaction.commit()?;
            Ok(patient)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(patient)))
}

fn bad_request(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, message)
}
