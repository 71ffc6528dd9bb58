//! `emails.unique`: where no two users of a tenant may have the same e-mail address.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::asks::user;
use crate::support::bulk::{patch, post, put, run};
use crate::support::each_db;

fn mail(address: &str) -> Value {
    json!({ "emails": [{ "value": address, "type": "work", "primary": true }] })
}

impl TestApp {
    async fn unique(&self, value: &str) -> Self {
        self.tenant_with("emails.unique", value).await
    }

    async fn mailed(&self, name: &str, address: &str) -> Reply {
        self.post("/Users", &user(name, &mail(address))).await
    }

    async fn set_mail(&self, id: &str, address: &str) -> Reply {
        let path = "emails[type eq \"work\"].value";
        let change = json!([{ "op": "replace", "path": path, "value": address }]);
        self.patch(&format!("/Users/{id}"), change).await
    }
}

fn is_taken(detail: &str, address: &str) {
    let sentence = format!(
        "User with email '{address}' already exists. Invite that user, or give them a membership in \
         another account, instead of creating another user. (request "
    );
    assert!(detail.starts_with(&sentence), "{detail}");
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

each_db! {
    async fn by_default_clients_may_give_one_address_to_many(app: TestApp) {
        for tenant in [app.tenant(&[].into()).await, app.unique("admin").await, app.unique("off").await] {
            tenant.mailed("ann", "desk@example.com").await.expect(201);
            let bob = tenant.mailed("bob", "DESK@example.com").await.expect(201);
            tenant.set_mail(&bob.id(), "desk@example.com").await.expect(200);
        }
    }

    async fn an_address_that_somebody_has_is_refused_at_every_door(app: TestApp) {
        let other = app.unique("all").await;
        let app = app.unique("all").await;
        let ann = app.mailed("ann", "Desk@Example.com").await.expect(201);
        let bob = app.mailed("bob", "bob@example.com").await.expect(201);
        let path = format!("/Users/{}", bob.id());
        is_taken(&app.mailed("eve", "desk@example.com").await.refused(409, "uniqueness"), "desk@example.com");
        let replaced = app.put(&path, &user("bob", &mail("DESK@example.com"))).await;
        is_taken(&replaced.refused(409, "uniqueness"), "DESK@example.com");
        let set = app.set_mail(&bob.id(), "desk@example.com").await;
        is_taken(&set.refused(409, "uniqueness"), "desk@example.com");
        let second = json!([{ "op": "add", "path": "emails", "value": [{ "value": "desk@example.com", "type": "home" }] }]);
        app.patch(&path, second.clone()).await.refused(409, "uniqueness");
        let done = run(&app, &[
            post("/Users", "a", &user("eve", &mail("desk@example.com"))),
            put(&path, &user("bob", &mail("desk@example.com"))),
            patch(&path, &second),
            // Of two in one request the first one gets it.
            post("/Users", "b", &user("kim", &mail("kim@example.com"))),
            post("/Users", "c", &user("kim2", &mail("KIM@example.com"))),
        ]).await;
        let statuses: Vec<&str> = done.iter().map(|result| result["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["409", "409", "409", "201", "409"]);
        is_taken(done[0]["response"]["detail"].as_str().unwrap(), "desk@example.com");
        // Nothing of it has happened.
        let now = app.get(&path).await.expect(200);
        assert_eq!((now.header("etag"), &now.body), ("W/\"1\"", &bob.body));
        assert_eq!(app.found("userName pr").await, ["ann", "bob", "kim"]);
        // Whose it is may say it again and change it; then others may have it. Tenants know nothing of
        // each other.
        app.put(&format!("/Users/{}", ann.id()), &ann.body).await.expect(200);
        assert_eq!(app.version(&format!("/Users/{}", ann.id())).await, "W/\"1\"");
        app.set_mail(&ann.id(), "desk@EXAMPLE.com").await.expect(200);
        other.mailed("ann", "desk@example.com").await.expect(201);
        app.set_mail(&ann.id(), "ann@example.com").await.expect(200);
        app.set_mail(&bob.id(), "desk@example.com").await.expect(200);
        app.delete(&path).await.expect(204);
        app.mailed("eve", "desk@example.com").await.expect(201);
    }

    async fn whoever_shared_an_address_before_can_still_be_changed(app: TestApp) {
        let app = app.unique("admin").await;
        app.mailed("ann", "desk@example.com").await.expect(201);
        let bob = app.mailed("bob", "desk@example.com").await.expect(201);
        let all = [("emails.unique".to_owned(), "all".to_owned())];
        app.app.set_tenant(&app.tenant, &all).await.unwrap();
        let path = format!("/Users/{}", bob.id());
        let again = app.put(&path, &bob.body).await.expect(200);
        assert_eq!(again.header("etag"), bob.header("etag"));
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        app.patch(&path, off).await.expect(200);
        app.set_mail(&bob.id(), "Desk@example.com").await.expect(200);
        app.set_mail(&bob.id(), "bob@example.com").await.expect(200);
        app.set_mail(&bob.id(), "desk@example.com").await.refused(409, "uniqueness");
    }

    async fn of_20_requests_at_once_one_gets_the_address(app: TestApp) {
        let app = &app.unique("all").await;
        let other = &app.second_instance().await;
        let users = join_all((0..10).map(async |n| app.user(&format!("u{n}")).await)).await;
        let replies = join_all((0..20).map(async |n| {
            let app = if n % 3 == 0 { other } else { app };
            let address = if n % 2 == 0 { "desk@example.com" } else { "DESK@example.com" };
            match users.get(n) {
                None => app.mailed(&format!("v{n}"), address).await,
                Some(id) if n % 4 < 2 => {
                    let change = json!([{ "op": "add", "value": mail(address) }]);
                    app.patch(&format!("/Users/{id}"), change).await
                }
                Some(id) => app.put(&format!("/Users/{id}"), &user(&format!("u{n}"), &mail(address))).await,
            }
        })).await;
        assert_eq!(count(&replies, 200) + count(&replies, 201), 1);
        assert_eq!(count(&replies, 409), 19);
        assert_eq!(app.found("emails.value eq \"desk@example.com\"").await.len(), 1);
    }
}
