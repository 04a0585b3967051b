//! What the endpoints answer.

use std::fs;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::Clinic;

async fn check(request: RequestBuilder, status: u16, expected: Value) {
    let response = request.send().await.unwrap();
    let found = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!((found.as_u16(), body), (status, expected));
}

#[tokio::test]
async fn health_is_ok() {
    let clinic = Clinic::start(&[]).await;
    let ok = json!({"status": "ok"});
    check(clinic.request(Method::GET, "/health"), 200, ok.clone()).await;
    check(clinic.request(Method::GET, "/health/ready"), 200, ok).await;
}

#[tokio::test]
async fn clinic_is_not_ready_when_its_database_is_gone() {
    let clinic = Clinic::start(&[]).await;
    fs::rename(
        clinic.directory.path().join("app.db"),
        clinic.directory.path().join("elsewhere"),
    )
    .unwrap();
    let response = clinic.get("/health/ready").await;
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    let reason = body["reason"].as_str().unwrap();
    assert!(reason.contains("unable to open database file"), "{reason}");
}

#[tokio::test]
async fn tenant_meta_comes_from_the_database() {
    let clinic = Clinic::start(&[]).await;
    let database = clinic::schema::open(&clinic.running.places().database).unwrap();
    database
        .execute_batch("UPDATE tenants SET name = 'Hill Street'; DELETE FROM features WHERE name = 'journal'")
        .unwrap();
    check(
        clinic.request(Method::GET, "/api/public/tenant-meta"),
        200,
        json!({
            "tenant": {"id": "default", "name": "Hill Street"},
            "features": ["attachments", "patients"],
        }),
    )
    .await;
}

#[tokio::test]
async fn entered_patient_is_listed() {
    let clinic = Clinic::start(&[]).await;
    let patient = json!({"given_name": "Zoe", "family_name": "Zelenka", "birth_date": "1999-12-31"});
    let request = clinic.request(Method::POST, "/api/patients");
    let response = request.json(&patient).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let entered: Value = response.json().await.unwrap();
    assert_eq!(entered["family_name"], "Zelenka");

    // The writer enters patients beside it, at most one in fifty writes.
    let listed: Value = clinic.get("/api/patients?limit=500").await.json().await.unwrap();
    assert!(listed["patients"].as_array().unwrap().contains(&entered));
    let one: Value = clinic.get("/api/patients?limit=1").await.json().await.unwrap();
    assert_eq!(one["patients"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_reason() {
    let clinic = Clinic::start(&[]).await;
    let nobody = json!({"given_name": " ", "family_name": "Zelenka", "birth_date": "1999-12-31"});
    check(
        clinic.request(Method::POST, "/api/patients").json(&nobody),
        422,
        json!({"error": "a patient needs a given name and a family name"}),
    )
    .await;
    check(
        clinic.request(Method::GET, "/api/patients?limit=501"),
        400,
        json!({"error": "the limit `501` is not between 1 and 500"}),
    )
    .await;
    check(
        clinic.request(Method::GET, "/nowhere"),
        404,
        json!({"error": "there is nothing here"}),
    )
    .await;
}

#[tokio::test]
async fn answers_bear_the_headers_of_a_careful_service() {
    let clinic = Clinic::start(&[]).await;
    let (first, second) = (clinic.get("/health").await, clinic.get("/nowhere").await);
    for response in [&first, &second] {
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(
            headers["strict-transport-security"],
            "max-age=63072000; includeSubDomains"
        );
    }
    assert_ne!(first.headers()["x-request-id"], second.headers()["x-request-id"]);
}
