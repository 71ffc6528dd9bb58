//! `usher doctor --deep` finds what does not agree with the documents, `--repair` mends it.

use serde_json::json;
use usher::app::{Deep, Faults};
use usher::store::Value;

use crate::support::app::TestApp;
use crate::support::asks::{group, user};
use crate::support::each_db;
use crate::support::synthetic::{DESK, Synthetic, full};

/// Where something was found, and what.
async fn look(app: &TestApp, mend: bool) -> Vec<(String, Faults)> {
    let all = app.app.look_deep(mend, |_| {}).await.unwrap();
    let ill = all.into_iter().filter(|deep| deep.faults != Faults::default());
    ill.map(|Deep { kind, faults, .. }| (kind, faults)).collect()
}

/// Does what nobody should do.
async fn damage(app: &TestApp, sql: &'static str, binds: &[&str]) {
    let tenant = app.app.tenant(&app.tenant).await.unwrap().id;
    let binds: Vec<Value> = binds.iter().map(|text| Value::from(*text)).collect();
    let store = app.another_store().await;
    let mut all = vec![Value::from(&tenant)];
    all.extend(binds);
    let done = store.write(&tenant, async move |tx| tx.execute(sql, &all).await);
    assert!(done.await.unwrap() > 0, "{sql} did nothing");
    store.close().await;
}

async fn found(app: &TestApp, filter: &str) -> u64 {
    let endpoint = if filter.starts_with("displayName") { "/Groups" } else { "/Users" };
    app.find(endpoint, filter).await.expect(200).body["totalResults"].as_u64().unwrap()
}

fn missing(missing: u64) -> Faults {
    Faults { missing, ..Faults::default() }
}

fn stray(stray: u64) -> Faults {
    Faults { stray, ..Faults::default() }
}

each_db! {
    async fn each_kind_of_damage_is_found_and_mended(app: TestApp) {
        let ida = app.post("/Users", &user("Ida", &json!({ "title": "Lead" }))).await.id();
        app.user("tom").await;
        app.group("desk", &[&ida]).await;
        assert_eq!(look(&app, false).await, []);
        let wrong = Faults { wrong: 1, ..Faults::default() };
        let table: &[(&'static str, &[&str], Faults, &str)] = &[
            ("DELETE FROM attr_index WHERE tenant = $1 AND attr = 'userName' AND value = 'ida'",
                &[], missing(1), "userName eq \"ida\""),
            ("DELETE FROM unique_keys WHERE tenant = $1 AND value = 'ida'",
                &[], missing(1), "userName eq \"ida\""),
            ("INSERT INTO attr_index (tenant, kind, attr, value, resource)
              VALUES ($1, 'User', 'userName', 'ghost', 'nobody')",
                &[], stray(1), "userName eq \"tom\""),
            ("INSERT INTO attr_index (tenant, kind, attr, value, resource)
              VALUES ($1, 'User', 'userName', 'tom', $2)",
                &[&ida], stray(1), "userName eq \"tom\""),
            ("INSERT INTO unique_keys (tenant, kind, attr, value, resource)
              VALUES ($1, 'User', 'userName', 'ghost', $2)",
                &[&ida], stray(1), "userName eq \"tom\""),
            ("UPDATE unique_keys SET resource = 'nobody' WHERE tenant = $1 AND value = 'ida'",
                &[], Faults { missing: 1, ..stray(1) }, "userName eq \"ida\""),
            ("UPDATE resource_blocks SET live = live + 7 WHERE tenant = $1 AND kind = 'User'",
                &[], Faults { blocks: 1, ..Faults::default() }, "userName eq \"ida\""),
            ("DELETE FROM resource_blocks WHERE tenant = $1 AND kind = 'User'",
                &[], Faults { blocks: 1, ..Faults::default() }, "userName eq \"ida\""),
            ("UPDATE resources SET folded = '{}' WHERE tenant = $1 AND id = $2",
                &[&ida], wrong.clone(), "title eq \"LEAD\""),
            ("UPDATE resources SET label = 'x' WHERE tenant = $1 AND id = $2",
                &[&ida], wrong.clone(), "title eq \"LEAD\""),
            ("UPDATE resources SET state = '' WHERE tenant = $1 AND id = $2",
                &[&ida], wrong, "active eq true and userName eq \"ida\""),
        ];
        let version = app.version(&format!("/Users/{ida}")).await;
        for (sql, binds, faults, filter) in table {
            damage(&app, sql, binds).await;
            let expected = [("User".to_owned(), faults.clone())];
            assert_eq!(look(&app, false).await, expected, "{sql}");
            assert_eq!(look(&app, true).await, expected, "{sql}");
            assert_eq!(look(&app, false).await, [], "{sql}");
            assert_eq!(found(&app, filter).await, 1, "{sql}");
            assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 2, "{sql}");
            assert_eq!(app.version(&format!("/Users/{ida}")).await, version, "nobody changed it");
        }
        app.post("/Users", &user("IDA", &json!({}))).await.refused(409, "uniqueness");
        app.post("/Users", &user("ghost", &json!({}))).await.expect(201);
        app.post("/Groups", &group("Desk", &json!({}))).await.refused(409, "uniqueness");
        assert_eq!(look(&app, false).await, []);
    }

    async fn every_type_of_value_agrees_with_itself(app: Synthetic) {
        for (number, decimal) in [json!(2.5), json!(1e2), json!(3), json!(1e-7), json!(0.1)].iter().enumerate() {
            let mut body = full(&format!("i{number}"));
            body["decimalAttr"] = decimal.clone();
            app.post("/TestResources", &body).await.expect(201);
        }
        let desk = json!({ "schemas": [DESK], "number": "7", "height": 72, "things": ["Lamp"] });
        app.post("/Desks", &desk).await.expect(201);
        assert_eq!(look(&app, false).await, []);
        damage(&app, "DELETE FROM attr_index WHERE tenant = $1 AND kind = 'Desk'", &[]).await;
        let [(kind, faults)] = &look(&app, true).await[..] else { panic!() };
        assert_eq!((kind.as_str(), faults.missing > 0), ("Desk", true));
        assert_eq!(look(&app, false).await, []);
    }

    /// An index that is lost as a whole, or of which a new release wants more, is made in pieces.
    async fn an_index_is_made_from_nothing(app: TestApp) {
        for number in 0..260 {
            let more = json!({ "externalId": format!("x{number}"), "active": true });
            app.post("/Users", &user(&format!("u{number}"), &more)).await.expect(201);
        }
        let before: u64 = app.app.look_deep(false, |_| {}).await.unwrap().iter()
            .map(|deep| deep.entries).sum();
        assert!(before > 1_000, "{before}");
        damage(&app, "DELETE FROM attr_index WHERE tenant = $1", &[]).await;
        damage(&app, "DELETE FROM unique_keys WHERE tenant = $1", &[]).await;
        assert_eq!(found(&app, "userName eq \"u259\"").await, 0);
        let mut steps = 0;
        let mended = app.app.look_deep(true, |_| steps += 1).await.unwrap();
        assert_eq!(mended.iter().map(|deep| deep.faults.missing).sum::<u64>(), before);
        assert!(steps > 5, "{steps}");
        assert_eq!(look(&app, false).await, []);
        assert_eq!(found(&app, "userName eq \"u259\"").await, 1);
        assert_eq!(found(&app, "externalId eq \"x7\"").await, 1);
        damage(&app, "UPDATE attr_index SET resource = resource || 'x' WHERE tenant = $1", &[]).await;
        let [(_, faults)] = &look(&app, true).await[..] else { panic!() };
        assert!(faults.stray > 500 && faults.missing > 500, "{faults:?}");
        assert_eq!(look(&app, false).await, []);
    }

    async fn what_only_a_human_can_mend_is_told_and_left(app: TestApp) {
        let ida = app.user("ida").await;
        let tom = app.user("tom").await;
        let sql = "UPDATE resources SET doc = '{\"userName\":\"Ida\"}' WHERE tenant = $1 AND id = $2";
        damage(&app, sql, &[&tom]).await;
        let told = [format!("'{tom}' has the userName of '{ida}'")];
        look(&app, true).await;
        let left = look(&app, true).await;
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].1, Faults { twice: told.to_vec(), ..Faults::default() });
        let renamed = json!([{ "op": "replace", "path": "userName", "value": "tom" }]);
        app.patch(&format!("/Users/{tom}"), renamed).await.expect(200);
        assert_eq!(look(&app, false).await, []);

        let sql = "UPDATE resources SET doc = '{' WHERE tenant = $1 AND id = $2";
        damage(&app, sql, &[&tom]).await;
        let damaged = Faults { damaged: vec![tom], ..Faults::default() };
        for mend in [false, true, false] {
            assert_eq!(look(&app, mend).await, [("User".to_owned(), damaged.clone())]);
        }
        assert_eq!(found(&app, "userName eq \"ida\"").await, 1);
    }

    async fn groups_of_one_name_are_well_where_the_tenant_was_strict(app: TestApp) {
        let strict = app.tenant_with("scim.strict", "true").await;
        for _ in 0..2 {
            strict.group("desk", &[]).await;
        }
        assert_eq!(look(&app, false).await, []);
        let lenient = [("scim.strict".to_owned(), "false".to_owned())];
        app.app.set_tenant(&strict.tenant, &lenient).await.unwrap();
        assert_eq!(look(&app, true).await, [("Group".to_owned(), missing(1))]);
        assert_eq!(look(&app, false).await, []);
        let lenient = [("scim.strict".to_owned(), "true".to_owned())];
        app.app.set_tenant(&strict.tenant, &lenient).await.unwrap();
        assert_eq!(look(&app, false).await, [], "what was unique before is no fault");
    }

    async fn it_mends_while_others_write(app: TestApp) {
        let mut ids = Vec::new();
        for number in 0..30 {
            ids.push(app.user(&format!("u{number}")).await);
        }
        damage(&app, "DELETE FROM attr_index WHERE tenant = $1", &[]).await;
        let other = app.second_instance().await;
        let writes = async {
            for (number, id) in ids.iter().enumerate() {
                let path = format!("/Users/{id}");
                if number % 3 == 0 {
                    app.delete(&path).await.expect(204);
                    continue;
                }
                let name = json!([{ "op": "replace", "path": "userName", "value": format!("v{number}") }]);
                app.patch(&path, name).await.expect(200);
                app.user(&format!("w{number}")).await;
            }
        };
        let mends = async {
            for _ in 0..5 {
                look(&other, true).await;
            }
        };
        tokio::join!(writes, mends);
        assert_eq!(look(&app, false).await, []);
        assert_eq!(found(&app, "userName eq \"v4\"").await, 1);
        assert_eq!(found(&app, "userName eq \"u4\"").await, 0);
    }
}
