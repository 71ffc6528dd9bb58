//! All rows from one database to another, such as from the embedded one to PostgreSQL.

use crate::store::{Dialect, Error, Row, Sql, Store, Tx, Value};

/// Rows that travel together.
const PIECE: usize = 1_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Json,
}

use Kind::{Int, Json, Text};

/// A table, its columns, and how many of the first ones are its key.
struct Table {
    name: &'static str,
    key: usize,
    columns: &'static [(&'static str, Kind)],
}

/// Every table but that of the migrations, so that each stands behind what it refers to. Tenants and
/// tokens come last: with half a copy nobody gets in. A test compares them with the database.
const TABLES: &[Table] = &[
    Table {
        name: "resources",
        key: 3,
        columns: &[
            ("tenant", Text),
            ("kind", Text),
            ("id", Text),
            ("doc", Text),
            ("folded", Json),
            ("label", Text),
            ("version", Int),
            ("created_at", Int),
            ("modified_at", Int),
            ("state", Text),
        ],
    },
    Table {
        name: "attr_index",
        key: 5,
        columns: &[
            ("tenant", Text),
            ("kind", Text),
            ("attr", Text),
            ("value", Text),
            ("resource", Text),
        ],
    },
    Table {
        name: "unique_keys",
        key: 4,
        columns: &[
            ("tenant", Text),
            ("kind", Text),
            ("attr", Text),
            ("value", Text),
            ("resource", Text),
        ],
    },
    Table {
        name: "members",
        key: 3,
        columns: &[
            ("tenant", Text),
            ("group_id", Text),
            ("member_id", Text),
            ("member_kind", Text),
        ],
    },
    Table {
        name: "passwords",
        key: 2,
        columns: &[("tenant", Text), ("resource", Text), ("phc", Text)],
    },
    Table { name: "tenant_turns", key: 1, columns: &[("tenant", Text), ("turn", Int)] },
    Table {
        name: "resource_blocks",
        key: 3,
        columns: &[("tenant", Text), ("kind", Text), ("first", Text), ("live", Int)],
    },
    Table {
        name: "pool_counts",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("pool", Text),
            ("ceiling", Int),
            ("consumed", Int),
            ("reserved", Int),
            ("waiting", Int),
            ("floor", Int),
        ],
    },
    Table {
        name: "seat_waits",
        key: 3,
        columns: &[("tenant", Text), ("pool", Text), ("place", Int), ("resource", Text)],
    },
    Table {
        name: "departures",
        key: 2,
        columns: &[("tenant", Text), ("resource", Text), ("nth", Int), ("at", Int), ("users", Int)],
    },
    Table {
        name: "held_users",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("resource", Text),
            ("at", Int),
            ("until", Int),
            ("doc", Text),
            ("version", Int),
            ("created_at", Int),
            ("phc", Text),
            ("groups", Text),
            ("pool", Text),
            ("hold", Text),
        ],
    },
    Table {
        name: "outbox",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("seq", Int),
            ("id", Text),
            ("resource", Text),
            ("asked", Int),
            ("kind", Text),
            ("state", Text),
            ("state_at", Int),
            ("detail", Text),
            ("address", Text),
            ("mailbox", Text),
            ("message_id", Text),
            ("letter", Text),
            ("sealed", Text),
            ("attempts", Int),
            ("created_at", Int),
            ("ends_at", Int),
            ("next_at", Int),
            ("owner", Text),
            ("lease_until", Int),
        ],
    },
    Table {
        name: "brands",
        key: 1,
        columns: &[("tenant", Text), ("name", Text), ("color", Text), ("logo", Text)],
    },
    Table {
        name: "templates",
        key: 3,
        columns: &[
            ("tenant", Text),
            ("name", Text),
            ("locale", Text),
            ("subject", Text),
            ("intro", Text),
        ],
    },
    Table {
        name: "tellings",
        key: 1,
        columns: &[("tenant", Text), ("gains", Int), ("digest", Int), ("digest_at", Int)],
    },
    Table {
        name: "group_maps",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("group_id", Text),
            ("role", Text),
            ("seat_type", Text),
            ("priority", Int),
            ("department", Text),
            ("agent_group", Text),
        ],
    },
    Table {
        name: "records",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("seq", Int),
            ("at", Int),
            ("name", Text),
            ("kind", Text),
            ("resource", Text),
            ("version", Int),
            ("request", Text),
            ("token", Text),
            ("detail", Text),
        ],
    },
    Table {
        name: "tickets",
        key: 1,
        columns: &[
            ("hash", Text),
            ("tenant", Text),
            ("resource", Text),
            ("purpose", Text),
            ("expires", Int),
            ("ended", Text),
        ],
    },
    Table {
        name: "sessions",
        key: 1,
        columns: &[
            ("id", Text),
            ("tenant", Text),
            ("resource", Text),
            ("account", Text),
            ("created_at", Int),
            ("used_at", Int),
            ("expires_at", Int),
            ("network", Text),
            ("agent", Text),
            ("generation", Int),
            ("salt", Text),
        ],
    },
    Table {
        name: "logins",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("resource", Text),
            ("epoch", Int),
            ("at", Int),
            ("networks", Text),
        ],
    },
    Table {
        name: "signing_keys",
        key: 1,
        columns: &[
            ("generation", Int),
            ("id", Text),
            ("public", Text),
            ("secret", Text),
            ("created_at", Int),
            ("signs_at", Int),
        ],
    },
    Table { name: "secrets", key: 1, columns: &[("name", Text), ("value", Text)] },
    Table {
        name: "bulk_jobs",
        key: 2,
        columns: &[
            ("tenant", Text),
            ("id", Text),
            ("token", Text),
            ("key", Text),
            ("digest", Text),
            ("caller", Text),
            ("fail_on_errors", Int),
            ("total", Int),
            ("done", Int),
            ("failed", Int),
            ("stored", Int),
            ("owner", Text),
            ("lease_until", Int),
            ("created_at", Int),
            ("finished_at", Int),
            ("stopped_at", Int),
            ("attempts", Int),
        ],
    },
    Table {
        name: "bulk_steps",
        key: 3,
        columns: &[
            ("tenant", Text),
            ("job", Text),
            ("place", Int),
            ("operation", Text),
            ("resource", Text),
            ("result", Text),
        ],
    },
    Table {
        name: "tenants",
        key: 1,
        columns: &[
            ("id", Text),
            ("name", Text),
            ("settings", Text),
            ("created_at", Int),
            ("catalogue", Text),
        ],
    },
    Table {
        name: "tokens",
        key: 1,
        columns: &[
            ("id", Text),
            ("tenant", Text),
            ("hash", Text),
            ("label", Text),
            ("scopes", Text),
            ("created_at", Int),
            ("expires_at", Int),
            ("revoked_at", Int),
            ("last_used_at", Int),
        ],
    },
];

/// Why a copy was not made, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Copying into what is there would mix two installations.
    #[error("the target holds data already; copy into an empty database")]
    NotEmpty,
    /// The copy would have something of before and something of after.
    #[error(
        "the source was written to meanwhile; stop the server, empty the target and copy again"
    )]
    Changed,
    /// One of the databases failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Copies everything and tells after each piece how many rows of which table are there.
pub async fn copy(
    from: &Store,
    to: &Store,
    mut tell: impl FnMut(&str, u64),
) -> Result<(), Refusal> {
    for table in ["tenants", "resources"] {
        if count(to, table).await? > 0 {
            return Err(Refusal::NotEmpty);
        }
    }
    let before = state(from).await?;
    for table in TABLES {
        if table.name == "secrets" {
            // A target that has served may have made its own; the source's are the ones in use.
            to.write_apart(async |tx| tx.execute("DELETE FROM secrets", &[]).await.map(drop))
                .await?;
        }
        let mut done = 0;
        let mut last: Option<Vec<Value>> = None;
        loop {
            let after = last.take();
            let rows = from
                .read::<_, Error, _>(async move |tx| {
                    tx.run(&select(table, tx.dialect(), after.as_deref())).await
                })
                .await?;
            let Some(end) = rows.last() else { break };
            last = Some(end.0[..table.key].to_vec());
            done += rows.len() as u64;
            let full = rows.len() == PIECE;
            to.write_apart(async move |tx| insert(tx, table, &rows).await).await?;
            tell(table.name, done);
            if !full {
                break;
            }
        }
    }
    if state(from).await? == before { Ok(()) } else { Err(Refusal::Changed) }
}

/// What changes with every write of a tenant, of its settings and of its tokens.
async fn state(store: &Store) -> Result<[Vec<Row>; 3], Error> {
    store
        .read::<_, Error, _>(async |tx| {
            let turns = "SELECT tenant, turn FROM tenant_turns ORDER BY tenant";
            let tenants = "SELECT id, name, settings FROM tenants ORDER BY id";
            let tokens = "SELECT id, hash, label, scopes, expires_at, revoked_at FROM tokens
                          ORDER BY id";
            Ok([
                tx.query(turns, &[]).await?,
                tx.query(tenants, &[]).await?,
                tx.query(tokens, &[]).await?,
            ])
        })
        .await
}

async fn count(store: &Store, table: &'static str) -> Result<i64, Error> {
    store
        .read(async move |tx: &mut Tx<'_>| {
            let rows = tx.run(&Sql::new(&format!("SELECT COUNT(*) FROM {table}"))).await?;
            rows.first().map_or(Ok(0), |row| row.int(0))
        })
        .await
}

/// The rows that follow a key, in its order.
fn select(table: &Table, dialect: Dialect, after: Option<&[Value]>) -> Sql {
    let column = |(name, kind): &(&str, Kind)| match (kind, dialect) {
        (Kind::Json, Dialect::Postgres) => format!("CAST({name} AS TEXT)"),
        _ => (*name).to_owned(),
    };
    let key = names(&table.columns[..table.key]);
    let columns: Vec<_> = table.columns.iter().map(column).collect();
    let mut sql = Sql::new(&format!("SELECT {} FROM {}", columns.join(", "), table.name));
    if let Some(after) = after {
        sql.push(&format!(" WHERE ({key}) > ("));
        for (place, value) in after.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " }).bind(value.clone());
        }
        sql.push(")");
    }
    sql.push(&format!(" ORDER BY {key} LIMIT {PIECE}"));
    sql
}

async fn insert(tx: &mut Tx<'_>, table: &Table, rows: &[Row]) -> Result<(), Error> {
    let dialect = tx.dialect();
    let places = table.columns.iter().enumerate().map(|(place, (_, kind))| {
        let text = format!("e.value ->> {place}");
        match (kind, dialect) {
            (Kind::Int, _) => format!("CAST({text} AS BIGINT)"),
            (Kind::Json, Dialect::Postgres) => format!("CAST({text} AS JSONB)"),
            (Kind::Json | Kind::Text, _) => text,
        }
    });
    let places = places.collect::<Vec<_>>().join(", ");
    let mut sql = Sql::new(&format!(
        "INSERT INTO {} ({}) SELECT {places} FROM ",
        table.name,
        names(table.columns)
    ));
    let cells: Vec<Vec<serde_json::Value>> =
        rows.iter().map(|row| row.0.iter().map(json).collect()).collect();
    let held = sql.hold(Value::rows(&cells));
    sql.push(&match dialect {
        Dialect::Sqlite => format!("json_each({held}) AS e"),
        Dialect::Postgres => format!("jsonb_array_elements({held}) AS e(value)"),
    });
    tx.run(&sql).await.map(drop)
}

fn names(columns: &[(&str, Kind)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Real(number) => (*number).into(),
        Value::Text(text) => text.clone().into(),
        Value::Json(text) => text.clone().into(),
        Value::Texts(texts) => texts.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Database, StoreSettings};

    #[tokio::test]
    async fn every_table_and_every_column_is_copied() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite { path: directory.path().join("usher.db") };
        let store = Store::open(&StoreSettings::new(database)).await.unwrap();
        let rows = store
            .read::<_, Error, _>(async |tx| {
                let sql = "SELECT t.name, c.name, c.type, c.pk
                           FROM sqlite_master t JOIN pragma_table_info(t.name) c
                           WHERE t.type = 'table' AND t.name <> 'usher_migrations'
                           AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";
                tx.query(sql, &[]).await
            })
            .await
            .unwrap();
        let there: Vec<_> = rows
            .iter()
            .map(|row| {
                let text = |column| row.text(column).unwrap().to_owned();
                (text(0), text(1), text(2) == "BIGINT", row.int(3).unwrap() > 0)
            })
            .collect();
        let mut ours: Vec<_> = TABLES
            .iter()
            .flat_map(|table| {
                table.columns.iter().enumerate().map(|(place, (name, kind))| {
                    (table.name.to_owned(), (*name).to_owned(), *kind == Int, place < table.key)
                })
            })
            .collect();
        ours.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(ours, there);
        store.close().await;
    }
}
