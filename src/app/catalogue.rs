//! What a tenant offers, read and changed.

use crate::app::Error;
use crate::domain::catalogue::Catalogue;
use crate::domain::pool::{Pool, Taken};
use crate::ids::TenantId;
use crate::store::{Tx, seats, tenants};

/// The catalogue as it is stored.
pub(super) fn parse(text: &str) -> Result<Catalogue, Error> {
    if text.is_empty() {
        return Ok(Catalogue::default());
    }
    serde_json::from_str(text).map_err(|error| Error::Internal(format!("catalogue: {error}")))
}

/// As it is stored.
pub(super) fn text(catalogue: &Catalogue) -> Result<String, Error> {
    serde_json::to_string(catalogue).map_err(|error| Error::Internal(error.to_string()))
}

/// The tenant's catalogue, as it is at this moment.
pub(super) async fn read(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Catalogue, Error> {
    parse(&tenants::catalogue(tx, tenant).await?)
}

/// The counters of a pool; counted now where they never were.
pub(super) async fn counters(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    pool: &Pool,
) -> Result<Taken, Error> {
    if let Some(taken) = seats::taken(tx, tenant, &pool.value).await? {
        return Ok(taken);
    }
    let taken = seats::recount(tx, tenant, &pool.value).await?;
    seats::set(tx, tenant, &pool.value, pool.band(taken.used()), taken).await?;
    Ok(taken)
}
