//! Ten thousand operations of all kinds in one request, in any order, against a model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use usher::clock::Clock;

use crate::support::app::TestApp;
use crate::support::bulk::{delete, id, message, patch, post, put, results, send};
use crate::support::each_db;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USERS: usize = 4000;
const GROUPS: usize = 600;
const OLD: usize = 2600;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

/// What shall be there, by the names that the request uses.
#[derive(Default)]
struct Model {
    /// Title and manager of each user.
    users: BTreeMap<String, (Option<String>, Option<String>)>,
    members: BTreeMap<String, BTreeSet<String>>,
}

fn reference(name: &str) -> Value {
    json!({ "value": format!("bulkId:{name}") })
}

/// Users with managers that nobody or somebody already is, also in rings; groups of users and of
/// groups; then one change at most for each of them, so that the order makes no difference.
#[expect(clippy::too_many_lines, reason = "one story told in order")]
fn plan(old: &[String], dice: &mut Dice) -> (Vec<Value>, Model) {
    let (mut all, mut model) = (Vec::new(), Model::default());
    for at in 0..USERS {
        let manager = (at % 3 == 0).then(|| format!("u{}", dice.below(USERS)));
        let mut data = json!({ "userName": format!("u{at}") });
        if let Some(manager) = &manager {
            data[ENTERPRISE] = json!({ "manager": reference(manager) });
        }
        all.push(post("/Users", &format!("u{at}"), &data));
        let (path, title) = (format!("/Users/bulkId:u{at}"), format!("t{at}"));
        let (title, manager) = match at % 4 {
            0 | 1 => {
                all.push(patch(&path, &json!([{ "op": "add", "path": "title", "value": title }])));
                (Some(title), manager)
            }
            2 if at % 8 == 2 => {
                let boss = format!("u{}", dice.below(USERS));
                all.push(put(
                    &path,
                    &json!({ "userName": format!("u{at}"), "title": title,
                    ENTERPRISE: { "manager": reference(&boss) } }),
                ));
                (Some(title), Some(boss))
            }
            _ => (None, manager),
        };
        model.users.insert(format!("u{at}"), (title, manager));
    }
    for at in 0..GROUPS {
        let mut members: BTreeSet<String> =
            (0..5).map(|_| format!("u{}", dice.below(USERS))).collect();
        if at > 0 && at % 3 == 0 {
            members.insert(format!("g{}", dice.below(at)));
        }
        let list: Vec<_> = members.iter().map(|name| reference(name)).collect();
        all.push(post(
            "/Groups",
            &format!("g{at}"),
            &json!({ "displayName": format!("g{at}"), "members": list }),
        ));
        let path = format!("/Groups/bulkId:g{at}");
        if at % 2 == 0 {
            let (gone, new) =
                (members.first().cloned().unwrap(), format!("u{}", dice.below(USERS)));
            all.push(patch(
                &path,
                &json!([
                    { "op": "remove", "path": format!("members[value eq \"bulkId:{gone}\"]") },
                    { "op": "add", "path": "members", "value": [reference(&new)] },
                ]),
            ));
            members.remove(&gone);
            members.insert(new);
        }
        model.members.insert(format!("g{at}"), members);
    }
    for (at, id) in old.iter().enumerate() {
        let path = format!("/Users/{id}");
        if at % 2 == 0 {
            all.push(delete(&path));
        } else {
            all.push(patch(
                &path,
                &json!([{ "op": "replace", "path": "title", "value": "changed" }]),
            ));
            model.users.insert(format!("old{at}"), (Some("changed".to_owned()), None));
        }
    }
    dice.shuffle(&mut all);
    (all, model)
}

/// All resources of an endpoint, page by page.
async fn everything(app: &TestApp, endpoint: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let start = all.len() + 1;
        let page = app.get(&format!("{endpoint}?count=1000&startIndex={start}")).await.expect(200);
        let page = page.body["Resources"].as_array().cloned().unwrap_or_default();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

async fn found(app: &TestApp) -> Model {
    let (users, groups) = (everything(app, "/Users").await, everything(app, "/Groups").await);
    let mut names = BTreeMap::new();
    for (resources, attribute) in [(&users, "userName"), (&groups, "displayName")] {
        for resource in resources {
            names.insert(text(&resource["id"]).unwrap(), text(&resource[attribute]).unwrap());
        }
    }
    let name = |value: &Value| names[value.as_str().unwrap()].clone();
    let mut model = Model::default();
    for user in &users {
        let manager = &user[ENTERPRISE]["manager"]["value"];
        let manager = (!manager.is_null()).then(|| name(manager));
        model.users.insert(name(&user["id"]), (text(&user["title"]), manager));
    }
    for group in &groups {
        let members = group["members"].as_array().cloned().unwrap_or_default();
        let members = members.iter().map(|member| name(&member["value"])).collect();
        model.members.insert(name(&group["id"]), members);
    }
    model
}

each_db! {
    /// Proves SCIM-423, SCIM-425, SCIM-426, SCIM-431.
    async fn ten_thousand_operations_in_any_order_come_to_what_they_say(app: TestApp) {
        let app = app.instance(Clock::System, |settings| {
            settings.limits.bulk_max_operations = 20_000;
            settings.limits.bulk_max_payload = 64 * 1024 * 1024;
        }).await;
        let before: Vec<_> = (0..OLD)
            .map(|at| post("/Users", &format!("old{at}"), &json!({ "userName": format!("old{at}") })))
            .collect();
        let old: Vec<_> = results(&send(&app, &[], &message(&before)).await).iter().map(id).collect();
        let (all, expected) = plan(&old, &mut Dice(7));
        assert!(all.len() >= 10_000, "{}", all.len());
        let done = results(&send(&app, &[], &message(&all)).await);
        assert_eq!(done.len(), all.len());
        for (operation, result) in all.iter().zip(&done) {
            assert!(result["status"].as_str().unwrap().starts_with('2'), "{operation}: {result}");
            assert_eq!(result["method"], operation["method"]);
            assert_eq!(result["bulkId"], operation["bulkId"]);
        }
        let found = found(&app).await;
        assert_eq!(found.users.len(), expected.users.len());
        assert_eq!(found.users, expected.users);
        assert_eq!(found.members, expected.members);
    }
}
