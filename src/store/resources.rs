//! SCIM resources: documents with their index rows and unique keys.

mod entries;
mod list;

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Row, Tx, Value};

pub use list::{Counts, Found, Listed, Part, Slice, Sort, Totals, list};

/// The resource type whose members are rows.
pub(super) const GROUP: &str = "Group";

/// Which resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// The resource type's name.
    pub kind: &'a str,
    /// Its `id`.
    pub id: &'a str,
}

/// A document on its way in, with everything that is derived from it (scim/fold.rs).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The stored document as JSON text.
    pub doc: String,
    /// The same tree in normal forms, as JSON text.
    pub folded: String,
    /// The display name.
    pub label: String,
    /// Attribute and normal form of every indexed value.
    pub index: Vec<(String, String)>,
    /// Attribute and normal form of every value that must be unique.
    pub unique: Vec<(String, String)>,
}

/// A resource as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The resource type's name.
    pub kind: String,
    /// Its `id`.
    pub id: String,
    /// The stored document as JSON text.
    pub doc: String,
    /// The display name.
    pub label: String,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was made.
    pub created: Micros,
    /// When it was last changed.
    pub modified: Micros,
}

impl Stored {
    /// The stored document.
    pub fn document(&self) -> Result<serde_json::Map<String, Json>, Error> {
        serde_json::from_str(&self.doc).map_err(|error| {
            Error::Database(format!("{} {} is damaged: {error}", self.kind, self.id))
        })
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            kind: row.text(0)?.to_owned(),
            id: row.text(1)?.to_owned(),
            doc: row.text(2)?.to_owned(),
            label: row.text(3)?.to_owned(),
            version: row.int(4)?,
            created: Micros(row.int(5)?),
            modified: Micros(row.int(6)?),
        })
    }
}

/// Adds a resource, version 1; refuses a unique value that is taken.
pub async fn insert(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    draft: &Draft,
    now: Micros,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO resources
             (tenant, kind, id, doc, folded, label, version, created_at, modified_at)
         VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)",
        &[
            key.tenant.into(),
            key.kind.into(),
            key.id.into(),
            (&draft.doc).into(),
            Value::Json(draft.folded.clone()),
            (&draft.label).into(),
            now.into(),
        ],
    )
    .await?;
    entries::take(tx, key, draft.unique.iter().collect()).await?;
    entries::index(tx, key, draft.index.iter().collect()).await?;
    tx.count(key.tenant, key.kind, key.id, 1);
    Ok(())
}

/// Finds a resource.
pub async fn find(tx: &mut Tx<'_>, key: Key<'_>) -> Result<Option<Stored>, Error> {
    let rows = tx
        .query(
            "SELECT kind, id, doc, label, version, created_at, modified_at FROM resources
             WHERE tenant = $1 AND kind = $2 AND id = $3",
            &[key.tenant.into(), key.kind.into(), key.id.into()],
        )
        .await?;
    rows.first().map(Stored::read).transpose()
}

/// Finds a resource and keeps other writers from changing it until the end of the change.
pub async fn find_for_update(tx: &mut Tx<'_>, key: Key<'_>) -> Result<Option<Stored>, Error> {
    // NO KEY: becoming a member of a group (members.rs) need not wait for a change of the member.
    let rows = tx
        .query(
            "SELECT kind, id, doc, label, version, created_at, modified_at FROM resources
             WHERE tenant = $1 AND kind = $2 AND id = $3 FOR NO KEY UPDATE",
            &[key.tenant.into(), key.kind.into(), key.id.into()],
        )
        .await?;
    rows.first().map(Stored::read).transpose()
}

/// Replaces the document of a resource and gives its new version.
///
/// Whoever changed it since it was read wins: this change is asked to begin again.
pub async fn update(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    before: &Stored,
    draft: &Draft,
    now: Micros,
) -> Result<i64, Error> {
    let rows = tx
        .query(
            "UPDATE resources
             SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8
             WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4 RETURNING version",
            &[
                tenant.into(),
                (&before.kind).into(),
                (&before.id).into(),
                before.version.into(),
                (&draft.doc).into(),
                Value::Json(draft.folded.clone()),
                (&draft.label).into(),
                now.into(),
            ],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Err(Error::Again(format!("{} {} was changed meanwhile", before.kind, before.id)));
    };
    let version = row.int(0)?;
    entries::replace(tx, Key { tenant, kind: &before.kind, id: &before.id }, draft).await?;
    Ok(version)
}

/// Counts a change that is not in the document (members, password); gives the new version.
pub async fn touch(tx: &mut Tx<'_>, key: Key<'_>, now: Micros) -> Result<Option<i64>, Error> {
    let rows = tx
        .query(
            "UPDATE resources SET version = version + 1, modified_at = $4
             WHERE tenant = $1 AND kind = $2 AND id = $3 RETURNING version",
            &[key.tenant.into(), key.kind.into(), key.id.into(), now.into()],
        )
        .await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// Removes a resource with all that hangs on it; false when there is none.
///
/// The groups that held it count a change. Locks: groups by id, then the resource.
pub async fn delete(tx: &mut Tx<'_>, key: Key<'_>, now: Micros) -> Result<bool, Error> {
    let itself: Value = if key.kind == GROUP { key.id.into() } else { Value::Text(None) };
    let held = tx
        .query(
            "SELECT id FROM resources
             WHERE tenant = $1 AND kind = 'Group' AND (id = $3 OR id IN
                 (SELECT group_id FROM members WHERE tenant = $1 AND member_id = $2))
             ORDER BY id FOR UPDATE",
            &[key.tenant.into(), key.id.into(), itself],
        )
        .await?;
    let place = [key.tenant.into(), key.kind.into(), key.id.into()];
    let found = tx
        .query(
            "SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3 FOR UPDATE",
            &place,
        )
        .await?;
    if found.is_empty() {
        return Ok(false);
    }
    let left = tx
        .query(
            "DELETE FROM members WHERE tenant = $1 AND member_id = $2 RETURNING group_id",
            &[key.tenant.into(), key.id.into()],
        )
        .await?;
    if left.iter().any(|group| !held.iter().any(|held| held.0 == group.0)) {
        // It joined a group between the two locks: begin again, in the right order.
        return Err(Error::Again(format!("{} {} has just joined a group", key.kind, key.id)));
    }
    let groups =
        left.iter().map(|row| row.text(0).map(|id| [id])).collect::<Result<Vec<_>, _>>()?;
    if !groups.is_empty() {
        tx.execute(
            each!(
                tx,
                "UPDATE resources SET version = version + 1,
                     modified_at = CASE WHEN modified_at > $3 THEN modified_at ELSE $3 END
                 WHERE tenant = $1 AND kind = 'Group' AND id IN (SELECT e.value ->> 0 FROM",
                each("$2"),
                ")"
            ),
            &[key.tenant.into(), Value::rows(&groups), now.into()],
        )
        .await?;
    }
    remove_rows(tx, key).await?;
    tx.count(key.tenant, key.kind, key.id, -1);
    Ok(true)
}

async fn remove_rows(tx: &mut Tx<'_>, key: Key<'_>) -> Result<(), Error> {
    let whole = [key.tenant.into(), key.kind.into(), key.id.into()];
    let short = [key.tenant.into(), key.id.into()];
    if key.kind == GROUP {
        tx.execute("DELETE FROM members WHERE tenant = $1 AND group_id = $2", &short).await?;
    }
    tx.execute("DELETE FROM passwords WHERE tenant = $1 AND resource = $2", &short).await?;
    for sql in [
        "DELETE FROM attr_index WHERE tenant = $1 AND kind = $2 AND resource = $3",
        "DELETE FROM unique_keys WHERE tenant = $1 AND kind = $2 AND resource = $3",
        "DELETE FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3",
    ] {
        tx.execute(sql, &whole).await?;
    }
    Ok(())
}

/// The kind and display name of those of these resources that exist, by id.
pub async fn labels(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kinds: &[&str],
    ids: &[String],
) -> Result<HashMap<String, (String, String)>, Error> {
    if ids.is_empty() || kinds.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = tx
        .query(
            each!(
                tx,
                "SELECT r.id, r.kind, r.label FROM",
                each("$2"),
                "CROSS JOIN resources r
                 WHERE r.tenant = $1 AND r.kind = e.value ->> 0 AND r.id = e.value ->> 1"
            ),
            &[tenant.into(), places(kinds, ids)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok((row.text(0)?.to_owned(), (row.text(1)?.to_owned(), row.text(2)?.to_owned())))
        })
        .collect()
}

/// Every kind with every id: a resource is found by both, so that the primary key serves.
pub(super) fn places(kinds: &[&str], ids: &[String]) -> Value {
    let pairs: Vec<_> =
        ids.iter().flat_map(|id| kinds.iter().map(move |kind| [*kind, id.as_str()])).collect();
    Value::rows(&pairs)
}
