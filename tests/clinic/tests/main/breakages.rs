//! Each switch breaks what it says and nothing else, and mends it again.

use std::time::Duration;

use clap::ValueEnum;
use clinic::Breakage;
use clinic::inspection::Violations;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{Clinic, client};

/// What a client and an auditor see of a clinic.
#[derive(Debug, Clone, PartialEq)]
struct View {
    health: (StatusCode, Option<Value>),
    ready: StatusCode,
    tenant: (StatusCode, Value),
    violations: Violations,
}

async fn view(clinic: &Clinic) -> View {
    let health = clinic.get("/health").await;
    let tenant = clinic.get("/api/public/tenant-meta").await;
    View {
        health: (health.status(), health.json().await.ok()),
        ready: clinic.get("/health/ready").await.status(),
        tenant: (
            tenant.status(),
            tenant.json::<Value>().await.unwrap_or_default()["tenant"]["id"].take(),
        ),
        violations: clinic.inspect(),
    }
}

/// Breaks while running, mends, and starts broken: `change` is the whole difference.
async fn check(breakage: Breakage, change: impl Fn(&mut View)) {
    let name = breakage.to_possible_value().unwrap();
    let clinic = Clinic::start(&[]).await;
    clinic.running.written(10).await.unwrap();
    let whole = view(&clinic).await;
    assert_eq!(whole.violations, Violations::default());
    let mut broken = whole.clone();
    change(&mut broken);

    // Twice, because a switch that is on stays on.
    clinic.switch("break", name.get_name()).await;
    clinic.switch("break", name.get_name()).await;
    assert_eq!(view(&clinic).await, broken);
    clinic.switch("mend", name.get_name()).await;
    assert_eq!(view(&clinic).await, whole);
    clinic.running.written(10).await.unwrap();
    assert_eq!(view(&clinic).await, whole);

    let clinic = Clinic::start(&[breakage]).await;
    assert_eq!(view(&clinic).await, broken);
}

#[tokio::test]
async fn health_answers_500() {
    check(Breakage::Health, |view| {
        view.health.0 = StatusCode::INTERNAL_SERVER_ERROR;
        view.health.1 = Some(serde_json::json!({"status": "error", "reason": "broken on purpose"}));
    })
    .await;
}

#[tokio::test]
async fn ready_answers_503() {
    check(Breakage::Ready, |view| {
        view.ready = StatusCode::SERVICE_UNAVAILABLE;
    })
    .await;
}

#[tokio::test]
async fn tenant_meta_names_another_tenant() {
    check(Breakage::TenantMeta, |view| view.tenant.1 = "another".into()).await;
}

#[tokio::test]
async fn body_is_no_json() {
    check(Breakage::Body, |view| {
        view.health.1 = None;
        view.tenant.1 = Value::Null;
    })
    .await;
}

#[tokio::test]
async fn balance_has_an_entry_that_does_not_balance() {
    check(Breakage::Balance, |view| view.violations.unbalanced_entries = 1).await;
}

#[tokio::test]
async fn foreign_keys_have_lines_without_an_entry() {
    check(Breakage::ForeignKeys, |view| view.violations.dangling_rows = 2).await;
}

#[tokio::test]
async fn attachments_have_a_missing_and_a_stray_file() {
    check(Breakage::Attachments, |view| {
        view.violations.missing_files = 1;
        view.violations.stray_files = 1;
    })
    .await;
}

#[tokio::test]
async fn patients_have_a_duplicate() {
    check(Breakage::Patients, |view| {
        view.violations.duplicate_record_numbers = 1;
    })
    .await;
}

#[tokio::test]
async fn default_tenant_is_missing() {
    let clinic = Clinic::start(&[Breakage::Tenant]).await;
    let broken = view(&clinic).await;
    assert_eq!(broken.tenant, (StatusCode::NOT_FOUND, Value::Null));
    assert_eq!(broken.violations.missing_tenants, 1);

    clinic.switch("mend", "tenant").await;
    clinic.running.written(10).await.unwrap();
    let mended = view(&clinic).await;
    assert_eq!(mended.tenant, (StatusCode::OK, "default".into()));
    assert_eq!(mended.violations, Violations::default());
}

#[tokio::test]
async fn latency_makes_answers_late() {
    let mut clinic = Clinic::start(&[Breakage::Latency]).await;
    let patient = std::mem::replace(&mut clinic.client, client(Duration::from_millis(500)));
    let request = clinic.request(reqwest::Method::GET, "/health");
    assert!(request.send().await.unwrap_err().is_timeout());

    clinic.client = patient;
    clinic.switch("mend", "latency").await;
    assert_eq!(clinic.get("/health").await.status(), 200);
}

#[tokio::test]
async fn damage_is_mended_by_a_later_process() {
    let Clinic {
        running, directory, ..
    } = Clinic::start(&[Breakage::Balance]).await;
    running.stop().await.unwrap();
    let clinic = Clinic::start_in(directory, &[]).await;
    assert_eq!(clinic.inspect().unbalanced_entries, 1);
    clinic.switch("mend", "balance").await;
    assert_eq!(clinic.inspect(), Violations::default());
}

#[tokio::test]
async fn unknown_switch_is_refused_with_the_names_that_exist() {
    let clinic = Clinic::start(&[]).await;
    let request = clinic.request(reqwest::Method::POST, "/break/windows");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 404);
    let body = response.text().await.unwrap();
    assert!(body.contains("`foreign-keys`"), "{body}");
}
