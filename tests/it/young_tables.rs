//! A young database: until PostgreSQL has counted its tables every plan is a guess, and one that was
//! made for a handful of rows is kept when there are many.

use serde_json::json;
use usher::store::{Dialect, Error};

use crate::support::app::TestApp;
use crate::support::asks::user;
use crate::support::each_db;

const MANY: usize = 1_000;
const ROUNDS: i64 = 20;

/// Rows that were read of the tables that grow. The server counts what its sessions read once a
/// second, when they work.
async fn rows_read(app: &TestApp, user: &str, group: &str) -> i64 {
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    changes(app, user, group).await;
    let sql = "SELECT CAST(SUM(seq_tup_read + COALESCE(idx_tup_fetch, 0)) AS BIGINT)
               FROM pg_stat_user_tables
               WHERE relname IN ('resources', 'attr_index', 'unique_keys', 'members')";
    let read = app.store.read::<_, Error, _>(async move |tx| tx.query(sql, &[]).await?[0].int(0));
    read.await.unwrap()
}

/// Changes of one user and of one group's members.
async fn changes(app: &TestApp, user: &str, group: &str) {
    for active in [false, true] {
        let set = json!([{ "op": "replace", "path": "active", "value": active }]);
        app.patch(&format!("/Users/{user}"), set).await.expect(200);
    }
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
    app.patch(&format!("/Groups/{group}"), add).await.expect(200);
    let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }]);
    app.patch(&format!("/Groups/{group}"), remove).await.expect(200);
}

each_db! {
    /// Proves SCIM-328.
    async fn a_change_reads_its_own_rows_however_many_there_are(app: TestApp) {
        if app.store.dialect() == Dialect::Sqlite {
            return;
        }
        let (ann, group) = (app.user("ann").await, app.group("g", &[]).await);
        changes(&app, &ann, &group).await;
        let post = |number| json!({
            "method": "POST", "path": "/Users", "bulkId": format!("b{number}"),
            "data": user(&format!("u{number}"), &json!({})),
        });
        let all: Vec<_> = (0..MANY).map(post).collect();
        let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
        app.post("/Bulk", &json!({ "schemas": [schema], "Operations": all })).await.expect(200);
        let before = rows_read(&app, &ann, &group).await;
        for _ in 0..ROUNDS {
            changes(&app, &ann, &group).await;
        }
        let read = rows_read(&app, &ann, &group).await - before;
        assert!(read > ROUNDS, "{read} rows: it is not counted");
        assert!(read < ROUNDS * 4 * 100, "{read} rows");
    }
}
