//! `/api/public/tenant-meta`: whose clinic this is, and what it offers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::{Application, Problem};
use crate::schema::DEFAULT_TENANT;
use crate::{Breakage, Error};

/// The tenant, as the public may know it.
#[derive(Debug, Serialize)]
pub(super) struct Meta {
    tenant: Tenant,
    features: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tenant {
    id: String,
    name: String,
}

pub(super) async fn meta(State(application): State<Arc<Application>>) -> Result<Json<Meta>, Problem> {
    let is_wrong = application.is_broken(Breakage::TenantMeta);
    let found = application.query(|connection| read(connection)).await?;
    let mut meta = found.ok_or_else(|| {
        let message = format!("there is no tenant `{DEFAULT_TENANT}`");
        Problem::new(StatusCode::NOT_FOUND, message)
    })?;
    if is_wrong {
        "another".clone_into(&mut meta.tenant.id);
    }
    Ok(Json(meta))
}

fn read(connection: &Connection) -> Result<Option<Meta>, Error> {
    let tenant = connection
        .prepare_cached("SELECT id, name FROM tenants WHERE id = ?1")?
        .query_row([DEFAULT_TENANT], |row| {
            Ok(Tenant {
                id: row.get(0)?,
                name: row.get(1)?,
            })
        })
        .optional()?;
    let features = connection
        .prepare_cached("SELECT name FROM features WHERE tenant_id = ?1 ORDER BY name")?
        .query_map([DEFAULT_TENANT], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(tenant.map(|tenant| Meta { tenant, features }))
}
