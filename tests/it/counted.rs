//! What is counted when somebody asks for it: places in a line, members of groups and departments.

use serde_json::{Value, json};
use usher::domain::pool::Policy;

use crate::agents::DEPARTMENT;
use crate::support::app::TestApp;
use crate::support::asks::{GROUP_MAPPING, SEAT, group, texts};
use crate::support::each_db;

impl TestApp {
    /// A tenant whose one seat is taken, and where others wait.
    async fn crowded(&self, names: &[&str]) -> (Self, Vec<String>) {
        let app = self.licensed(1).await;
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let app = app.scoped(&["admin"]).await;
        let mut ids = Vec::new();
        for name in names {
            ids.push(app.user_with(name, &json!({})).await.id());
        }
        (app, ids)
    }

    async fn place(&self, id: &str) -> Value {
        let seen = self.get(&format!("/Users/{id}?attributes={SEAT}:waitPosition")).await;
        seen.expect(200).body[SEAT]["waitPosition"].clone()
    }

    /// What a resource shows of itself when these are asked for.
    async fn asked(&self, path: &str, attributes: &str) -> Value {
        let mut shown = self.get(&format!("{path}?attributes={attributes}")).await.expect(200).body;
        shown.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "meta");
        shown
    }
}

each_db! {
    async fn the_place_in_the_line_is_told_to_who_asks(app: TestApp) {
        let (app, ids) = app.crowded(&["a", "b", "c", "d"]).await;
        let [first, second, third, fourth] = &ids[..] else { panic!("{ids:?}") };
        assert_eq!(app.place(first).await, Value::Null);
        for (id, place) in [(second, 1), (third, 2), (fourth, 3)] {
            assert_eq!(app.place(id).await, place);
        }
        let plain = app.get(&format!("/Users/{second}")).await.expect(200).body;
        assert!(plain[SEAT].get("waitPosition").is_none(), "{plain}");
        let whole = app.asked(&format!("/Users/{second}"), &format!("{SEAT},{SEAT}:waitPosition")).await;
        assert_eq!((&whole[SEAT]["state"], &whole[SEAT]["waitPosition"]), (&json!("waiting"), &json!(1)));
        // It moves with the line: somebody is preferred, somebody gives up, somebody is seated.
        let next = json!({ "next": true });
        app.admin("POST", &format!("/users/{fourth}/seat:grant"), Some(&next)).await.expect(200);
        let list = app.get(&format!("/Users?attributes={SEAT}:waitPosition&sortBy=userName")).await.expect(200).body;
        let places = list["Resources"].as_array().unwrap().iter();
        let places: Vec<_> = places.map(|user| user[SEAT]["waitPosition"].clone()).collect();
        assert_eq!(json!(places), json!([null, 2, 3, 1]));
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        let path = format!("/Users/{second}?attributes={SEAT}:waitPosition");
        let gone = app.patch(&path, off).await.expect(200);
        assert_eq!(gone.body[SEAT]["waitPosition"], Value::Null);
        assert_eq!(app.place(third).await, 2);
        app.delete(&format!("/Users/{first}")).await.expect(204);
        assert_eq!((app.place(fourth).await, app.place(third).await), (Value::Null, json!(1)));
    }

    async fn what_is_counted_is_no_filter_no_order_and_never_written(app: TestApp) {
        let (app, ids) = app.crowded(&["a", "b"]).await;
        let path = format!("{SEAT}:waitPosition");
        app.find("/Users", &format!("{path} eq 1")).await.refused(400, "invalidFilter");
        app.find("/Users", &format!("{path} pr")).await.refused(400, "invalidFilter");
        app.get(&format!("/Users?sortBy={path}")).await.refused(400, "invalidValue");
        app.find("/Groups", &format!("{GROUP_MAPPING}:memberCount gt 1")).await
            .refused(400, "invalidFilter");
        let before = app.get(&format!("/Users/{}", ids[1])).await.expect(200);
        let mut body = before.body.clone();
        body[SEAT]["waitPosition"] = 7.into();
        let put = app.put(&format!("/Users/{}", ids[1]), &body).await.expect(200);
        assert_eq!((put.header("etag"), &put.body), (before.header("etag"), &before.body));
    }

    async fn members_of_groups_and_those_who_wait_are_counted_for_who_asks(app: TestApp) {
        let (app, ids) = app.crowded(&["a", "b", "c"]).await;
        let inner = app.group("inner", &[&ids[2]]).await;
        let outer = app.group("outer", &[&ids[0], &ids[1], &inner]).await;
        let empty = app.group("empty", &[]).await;
        let counts = format!("{GROUP_MAPPING}:memberCount,{GROUP_MAPPING}:waitingCount");
        for (id, members, waiting) in [(&outer, 3, 1), (&inner, 1, 1), (&empty, 0, 0)] {
            let shown = app.asked(&format!("/Groups/{id}"), &counts).await;
            assert_eq!(shown, json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group", GROUP_MAPPING],
                GROUP_MAPPING: { "memberCount": members, "waitingCount": waiting },
            }));
        }
        let plain = app.get(&format!("/Groups/{outer}")).await.expect(200).body;
        assert!(plain.get(GROUP_MAPPING).is_none(), "{plain}");
        app.map(&outer, Some("agent"), None).await;
        let list = app.get(&format!("/Groups?attributes={counts},members&sortBy=displayName")).await;
        let list = &list.expect(200).body["Resources"];
        assert_eq!(
            (&list[2][GROUP_MAPPING]["memberCount"], list[2]["members"].as_array().unwrap().len()),
            (&json!(3), 3)
        );
        assert_eq!(list[0][GROUP_MAPPING]["memberCount"], 0);
        let path = format!("/Groups/{empty}?attributes={counts}");
        let body = json!([{ "op": "add", "path": "members", "value": [{ "value": ids[1] }] }]);
        let filled = app.patch(&path, body).await.expect(200);
        assert_eq!(filled.body[GROUP_MAPPING], json!({ "memberCount": 1, "waitingCount": 1 }));
        // Groups of another tenant have nothing to do with it.
        let (other, _) = app.crowded(&["a"]).await;
        let made = other.post("/Groups", &group("outer", &json!({}))).await.expect(201);
        let shown = other.asked(&format!("/Groups/{}", made.id()), &counts).await;
        assert_eq!(shown[GROUP_MAPPING], json!({ "memberCount": 0, "waitingCount": 0 }));
    }

    async fn a_department_says_how_many_agents_it_has_and_where_they_are_listed(app: TestApp) {
        let app = app.center().await;
        let sales = json!({ "displayName": "Sales & more" });
        let sales = app.made("/Departments", DEPARTMENT, &sales).await.expect(201);
        let path = format!("/Departments/{}", sales.id());
        let none = app.asked(&path, "memberCount").await;
        assert_eq!(none["memberCount"], 0);
        for name in ["b", "a"] {
            let agent = json!({ "displayName": name, "departments": [{ "value": sales.id() }] });
            app.agent(&agent).await.expect(201);
        }
        app.agent(&json!({})).await.expect(201);
        let shown = app.asked(&path, "memberCount,members").await;
        assert_eq!((&shown["memberCount"], &shown["members"][0]["count"]), (&json!(2), &json!(2)));
        let link = shown["members"][0]["$ref"].as_str().unwrap();
        let listed = app.get(link.strip_prefix("http://usher.test/scim/v2").unwrap()).await.expect(200);
        let mut names = texts(&listed.body["Resources"], "/displayName");
        names.sort();
        assert_eq!(names, ["a", "b"]);
        let plain = app.get(&path).await.expect(200).body;
        assert!(plain.get("members").is_none() && plain.get("memberCount").is_none(), "{plain}");
        // A PUT of what was read writes none of it.
        let mut body = app.get(&path).await.expect(200).body;
        body["members"] = shown["members"].clone();
        body["memberCount"] = 7.into();
        let put = app.put(&path, &body).await.expect(200);
        assert_eq!(put.header("etag"), "W/\"1\"");
    }
}
