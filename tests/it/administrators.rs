//! What an identity provider can never do: become an administrator, take one over, or say what Usher
//! alone says. Each attempt is a test of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher::domain::catalogue::Role;
use usher::domain::scope::Scope;

use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, GROUP_MAPPING, SEAT, group, user};
use crate::support::bulk::{delete, patch, post, put, run};
use crate::support::each_db;

const ADMINISTRATOR: &str = "account_admin";

/// A tenant that shows everything, with the token that an identity provider has.
async fn tenant(app: &TestApp) -> TestApp {
    app.tenant_with("discovery.extensions", "all").await
}

/// Somebody whom an administrator made an administrator.
async fn administrator(app: &TestApp) -> Reply {
    let more = json!({
        "roles": [{ "value": ADMINISTRATOR }],
        "password": "correct-Horse-1",
        "emails": [{ "value": "boss@example.com", "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": "+15550001", "type": "work" }],
        ABOUT: { "loginPhone": "+15550002" },
    });
    let made = app.scoped(&["admin"]).await.user_with("boss", &more).await;
    assert_eq!(roles(&made.body), [ADMINISTRATOR]);
    made
}

/// A group whose members are administrators.
async fn administrators(app: &TestApp) -> String {
    let id = app.group("Staff", &[]).await;
    app.map(&id, Some(ADMINISTRATOR), None).await;
    id
}

fn roles(user: &Value) -> Vec<&str> {
    let list = user[ABOUT]["effectiveRoles"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|role| role["value"].as_str().unwrap()).collect()
}

fn members(group: &Reply) -> usize {
    group.body["members"].as_array().map_or(0, Vec::len)
}

fn path(reply: &Reply) -> String {
    format!("/Users/{}", reply.id())
}

/// Nothing of it has happened: the user is of its first version and no administrator.
async fn is_as_before(app: &TestApp, made: &Reply) {
    let now = app.get(&path(made)).await.expect(200);
    assert_eq!(now.header("etag"), "W/\"1\"");
    assert_eq!(now.body, made.body);
    assert_eq!(app.found("userName eq \"eve2\"").await, [""; 0]);
}

fn is_refused(reply: &Reply) {
    let detail = reply.refused(400, "invalidValue");
    assert!(detail.starts_with("Role 'account_admin' cannot be assigned by SCIM."), "{detail}");
}

fn is_refused_in_bulk(result: &Value) {
    assert_eq!(result["status"], "400", "{result}");
    let detail = result["response"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("Role 'account_admin' cannot be assigned by SCIM."), "{detail}");
}

/// Roles in this form are refused by POST, by PUT and by PATCH.
async fn nobody_becomes_one(app: &TestApp, roles: Value) {
    let app = tenant(app).await;
    let eve = app.user_with("eve", &json!({ "roles": [{ "value": "agent" }] })).await;
    is_refused(&app.post("/Users", &user("eve2", &json!({ "roles": roles }))).await);
    is_refused(&app.put(&path(&eve), &user("eve", &json!({ "roles": roles }))).await);
    for op in ["add", "replace"] {
        let by_path = json!([{ "op": op, "path": "roles", "value": roles }]);
        is_refused(&app.patch(&path(&eve), by_path).await);
        let without = json!([{ "op": op, "value": { "roles": roles } }]);
        is_refused(&app.patch(&path(&eve), without).await);
    }
    is_as_before(&app, &eve).await;
}

/// This PATCH of somebody else makes nobody an administrator.
async fn this_makes_nobody_one(app: &TestApp, operations: Value) {
    let app = tenant(app).await;
    let roles = json!([{ "value": "agent", "primary": true }]);
    let eve = app.user_with("eve", &json!({ "roles": roles })).await;
    is_refused(&app.patch(&path(&eve), operations).await);
    is_as_before(&app, &eve).await;
}

/// This change of the members of a group of administrators is refused and leaves nothing behind.
async fn nobody_comes_in(app: &TestApp, change: impl AsyncFn(&TestApp, &str, &str) -> Reply) {
    let app = tenant(app).await;
    let (eve, staff) = (app.user_with("eve", &json!({})).await, administrators(&app).await);
    let place = format!("/Groups/{staff}");
    let version = app.version(&place).await;
    is_refused(&change(&app, &place, &eve.id()).await);
    let after = app.get(&place).await.expect(200);
    assert_eq!((after.header("etag"), members(&after)), (version.as_str(), 0));
    is_as_before(&app, &eve).await;
}

fn is_managed(reply: &Reply) {
    let detail = reply.refused(403, "");
    assert!(detail.starts_with("Managed in Usher."), "{detail}");
}

/// Nobody but an administrator sets this attribute of an administrator, by whatever request.
async fn it_stays(app: &TestApp, at: &str, value: Value) {
    let app = tenant(app).await;
    let boss = administrator(&app).await;
    let place = path(&boss);
    let set = |op: &str| json!([{ "op": op, "path": at, "value": value }]);
    for op in ["add", "replace"] {
        is_managed(&app.patch(&place, set(op)).await);
        is_managed(&app.patch(&place, json!([{ "op": op, "value": { at: value } }])).await);
    }
    let mut body = boss.body.clone();
    match at.strip_prefix(&format!("{ABOUT}:")) {
        Some(name) => body[ABOUT][name] = value.clone(),
        None => body[at] = value.clone(),
    }
    is_managed(&app.put(&place, &body).await);
    // In the same breath as being deactivated too.
    body["active"] = false.into();
    is_managed(&app.put(&place, &body).await);
    let done = run(&app, &[put(&place, &body), patch(&place, &set("replace"))]).await;
    for result in &done {
        assert_eq!(result["status"], "403", "{result}");
        assert_eq!(
            result["response"]["detail"].as_str().unwrap().split(" (").next(),
            Some("Managed in Usher.")
        );
    }
    let now = app.get(&place).await.expect(200);
    assert_eq!((now.header("etag"), &now.body), ("W/\"1\"", &boss.body));
}

/// Removing this attribute of an administrator is refused.
async fn it_cannot_be_removed(app: &TestApp, at: &str) {
    let app = tenant(app).await;
    let boss = administrator(&app).await;
    is_managed(&app.patch(&path(&boss), json!([{ "op": "remove", "path": at }])).await);
    assert_eq!(app.get(&path(&boss)).await.expect(200).body, boss.body);
}

/// What a client says of these is not heard in a body, and refused where a path names it.
async fn it_is_read_only(app: &TestApp, schema: &str, name: &str, value: Value) {
    let app = tenant(app).await;
    let said = json!({ schema: { name: value } });
    let eve = app.user_with("eve", &said).await;
    let plain = app.user_with("plain", &json!({})).await;
    let of =
        |reply: &Reply| (reply.body[schema][name].clone(), reply.body[ABOUT]["lifecycle"].clone());
    assert_eq!(of(&eve), of(&plain));
    assert_eq!(roles(&eve.body), ["standard"]);
    app.put(&path(&eve), &user("eve", &said)).await.expect(200);
    app.patch(&path(&eve), json!([{ "op": "replace", "value": said }])).await.expect(200);
    let named = json!([{ "op": "replace", "path": format!("{schema}:{name}"), "value": value }]);
    app.patch(&path(&eve), named).await.refused(400, "mutability");
    app.patch(&path(&eve), json!([{ "op": "replace", "path": schema, "value": {} }]))
        .await
        .expect(200);
    app.patch(&path(&eve), json!([{ "op": "remove", "path": schema }])).await.expect(200);
    app.put(&path(&eve), &user("eve", &json!({ schema: null }))).await.expect(200);
    let now = app.get(&path(&eve)).await.expect(200);
    assert_eq!((now.header("etag"), of(&now)), ("W/\"1\"", of(&plain)));
    assert_eq!(app.used("default").await, (2, 0));
}

each_db! {
    async fn an_unknown_role_is_refused_with_the_valid_ones(app: TestApp) {
        let app = tenant(&app).await;
        let refused = app.post("/Users", &user("eve", &json!({ "roles": [{ "value": "king" }] }))).await;
        let detail = refused.refused(400, "invalidValue");
        let valid = "Unknown role 'king'. Valid roles: tech, supervisor, agent, conference, standard.";
        assert!(detail.starts_with(valid), "{detail}");
    }

    async fn nobody_becomes_an_administrator_by_a_complex_value(app: TestApp) {
        nobody_becomes_one(&app, json!([{ "value": ADMINISTRATOR, "primary": true }])).await;
    }

    async fn nobody_becomes_an_administrator_behind_a_harmless_role(app: TestApp) {
        nobody_becomes_one(&app, json!([{ "value": "agent" }, { "value": ADMINISTRATOR }])).await;
    }

    async fn nobody_becomes_an_administrator_by_an_array_of_strings(app: TestApp) {
        nobody_becomes_one(&app, json!(["agent", ADMINISTRATOR])).await;
    }

    async fn nobody_becomes_an_administrator_by_one_string(app: TestApp) {
        nobody_becomes_one(&app, json!(ADMINISTRATOR)).await;
    }

    async fn nobody_becomes_an_administrator_by_json_inside_a_string(app: TestApp) {
        let text = r#"{"id":"1","value":"account_admin","displayName":"Admin"}"#;
        nobody_becomes_one(&app, json!([{ "primary": true, "value": text }])).await;
        nobody_becomes_one(&app, json!([text])).await;
    }

    async fn nobody_becomes_an_administrator_by_an_alias(app: TestApp) {
        nobody_becomes_one(&app, json!([{ "value": "admin" }])).await;
        nobody_becomes_one(&app, json!([{ "value": " ADMINISTRATOR " }])).await;
    }

    async fn nobody_becomes_an_administrator_by_the_name_for_people(app: TestApp) {
        nobody_becomes_one(&app, json!([{ "value": "Account Administrator" }])).await;
        nobody_becomes_one(&app, json!([{ "value": "account-ADMINISTRATOR" }])).await;
    }

    async fn nobody_becomes_an_administrator_by_the_value_of_the_primary_role(app: TestApp) {
        let at = "roles[primary eq \"True\"].value";
        this_makes_nobody_one(&app, json!([{ "op": "Replace", "path": at, "value": "account_admin" }])).await;
        this_makes_nobody_one(&app, json!([{ "op": "Add", "path": at, "value": "Admin" }])).await;
    }

    async fn nobody_becomes_an_administrator_by_the_value_of_a_role_that_is_named(app: TestApp) {
        let at = "roles[value eq \"agent\"].value";
        this_makes_nobody_one(&app, json!([{ "op": "replace", "path": at, "value": "admin" }])).await;
    }

    async fn nobody_becomes_an_administrator_on_the_way_to_something_else(app: TestApp) {
        this_makes_nobody_one(&app, json!([
            { "op": "remove", "path": "roles" },
            { "op": "replace", "path": "active", "value": false },
            { "op": "add", "path": "roles", "value": [{ "value": "admin" }] },
        ])).await;
    }

    async fn nobody_becomes_an_administrator_by_bulk(app: TestApp) {
        let app = tenant(&app).await;
        let eve = app.user_with("eve", &json!({})).await;
        let roles = json!({ "roles": [{ "value": ADMINISTRATOR }] });
        let done = run(&app, &[
            post("/Users", "x", &user("eve2", &roles)),
            put(&path(&eve), &user("eve", &roles)),
            patch(&path(&eve), &json!([{ "op": "add", "path": "roles", "value": "admin" }])),
        ]).await;
        done.iter().for_each(is_refused_in_bulk);
        is_as_before(&app, &eve).await;
    }

    async fn nobody_becomes_the_administrator_of_the_whitelabel_even_where_roles_are_free(app: TestApp) {
        let app = tenant(&app).await;
        let open = ("roles.assignable".to_owned(), "agent,account_admin".to_owned());
        app.app.set_tenant(&app.tenant, &[open]).await.unwrap();
        let asked = json!({ "roles": [{ "value": "Whitelabel" }] });
        let detail = app.post("/Users", &user("eve", &asked)).await.refused(400, "invalidValue");
        assert!(detail.starts_with("Role 'whitelabel' cannot be assigned by SCIM."), "{detail}");
        let asked = json!({ "roles": [{ "value": "supervisor" }] });
        app.post("/Users", &user("eve", &asked)).await.refused(400, "invalidValue");
        let made = app.user_with("boss", &json!({ "roles": [{ "value": "admin" }] })).await;
        assert_eq!(roles(&made.body), [ADMINISTRATOR]);
    }

    async fn a_role_that_nobody_knew_when_it_was_written_makes_nobody_an_administrator(app: TestApp) {
        let app = app.tenant(&BTreeMap::from([
            ("discovery.extensions".to_owned(), "all".to_owned()),
            ("roles.unknown".to_owned(), "ignore".to_owned()),
        ])).await;
        let eve = app.user_with("eve", &json!({ "roles": [{ "value": "owner" }] })).await;
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let made = app.app.change_catalogue(&ctx, Scope::RolesAssign, |catalogue| {
            let (value, display) = ("owner".to_owned(), "Owner".to_owned());
            catalogue.roles.push(Role { value, display, administrative: true, ..Role::default() });
            Ok(())
        });
        made.await.unwrap();
        let app = app.scoped(&["scim"]).await;
        let set = |roles: Value| json!([{ "op": "replace", "path": "roles", "value": roles }]);
        let active = |active: bool| json!([{ "op": "replace", "path": "active", "value": active }]);
        for roles in [json!(["owner", "agent"]), json!([{ "value": "owner", "primary": true }])] {
            let detail = app.patch(&path(&eve), set(roles)).await.refused(400, "invalidValue");
            assert!(detail.starts_with("Role 'owner' cannot be assigned by SCIM."), "{detail}");
        }
        app.put(&path(&eve), &eve.body).await.expect(200);
        let off = app.patch(&path(&eve), active(false)).await.expect(200);
        assert_eq!(roles(&off.body), ["standard"]);
        app.patch(&path(&eve), active(true)).await.refused(400, "invalidValue");
        app.patch(&path(&eve), set(json!(["agent"]))).await.expect(200);
        assert_eq!(roles(&app.patch(&path(&eve), active(true)).await.expect(200).body), ["agent"]);
    }

    async fn nobody_becomes_an_administrator_by_losing_a_role(app: TestApp) {
        let app = tenant(&app).await;
        let eve = app.user_with("eve", &json!({ "roles": [{ "value": "agent" }] })).await;
        let staff = app.group("Staff", &[&eve.id()]).await;
        app.map(&staff, Some(ADMINISTRATOR), None).await;
        let app = app.scoped(&["scim"]).await;
        let none = json!({ "op": "replace", "path": "roles", "value": [] });
        let off = json!({ "op": "replace", "path": "active", "value": false });
        is_refused(&app.patch(&path(&eve), json!([none])).await);
        is_refused(&app.patch(&path(&eve), json!([none, off])).await);
        assert_eq!(roles(&app.get(&path(&eve)).await.expect(200).body), ["agent"]);
        app.patch(&path(&eve), json!([off])).await.expect(200);
        is_refused(&app.patch(&path(&eve), json!([none])).await);
        let gone = format!("members[value eq \"{}\"]", eve.id());
        let gone = json!([{ "op": "remove", "path": gone }]);
        app.patch(&format!("/Groups/{staff}"), gone).await.expect(200);
        let less = app.patch(&path(&eve), json!([none])).await.expect(200);
        assert_eq!(roles(&less.body), ["standard"]);
    }

    async fn an_administrator_who_lost_the_role_does_not_get_it_back(app: TestApp) {
        let app = tenant(&app).await;
        let boss = administrator(&app).await;
        let less = app.patch(&path(&boss), json!([{ "op": "remove", "path": "roles" }])).await.expect(200);
        assert_eq!(roles(&less.body), ["standard"]);
        is_refused(&app.put(&path(&boss), &boss.body).await);
    }

    async fn nobody_is_added_to_a_group_of_administrators(app: TestApp) {
        nobody_comes_in(&app, async |app, place, eve| {
            let add = json!([{ "op": "add", "path": "members", "value": [{ "value": eve }] }]);
            app.patch(place, add).await
        }).await;
    }

    async fn nobody_is_added_to_a_group_of_administrators_without_a_path(app: TestApp) {
        nobody_comes_in(&app, async |app, place, eve| {
            let add = json!([{ "op": "add", "value": { "members": [{ "value": eve }] } }]);
            app.patch(place, add).await
        }).await;
    }

    async fn the_members_of_a_group_of_administrators_are_not_replaced(app: TestApp) {
        nobody_comes_in(&app, async |app, place, eve| {
            let all = json!([{ "op": "replace", "path": "members", "value": [{ "value": eve }] }]);
            app.patch(place, all).await
        }).await;
    }

    async fn a_put_brings_nobody_into_a_group_of_administrators(app: TestApp) {
        nobody_comes_in(&app, async |app, place, eve| {
            app.put(place, &group("Staff", &json!({ "members": [{ "value": eve }] }))).await
        }).await;
    }

    async fn a_put_without_its_mapping_brings_nobody_into_a_group_of_administrators(app: TestApp) {
        for mapping in [json!(null), json!({}), json!({ "grantsRole": "agent" })] {
            nobody_comes_in(&app, async |app, place, eve| {
                let body = json!({ "members": [{ "value": eve }], GROUP_MAPPING: mapping });
                app.put(place, &group("Staff", &body)).await
            }).await;
        }
    }

    async fn bulk_brings_nobody_into_a_group_of_administrators(app: TestApp) {
        let app = tenant(&app).await;
        let staff = administrators(&app).await;
        let place = format!("/Groups/{staff}");
        let new = json!([{ "value": "bulkId:eve" }]);
        let done = run(&app, &[
            post("/Users", "eve", &user("eve", &json!({}))),
            patch(&place, &json!([{ "op": "add", "path": "members", "value": new }])),
            put(&place, &group("Staff", &json!({ "members": new }))),
        ]).await;
        assert_eq!(done[0]["status"], "201");
        done[1..].iter().for_each(is_refused_in_bulk);
        assert_eq!(members(&app.get(&place).await.expect(200)), 0);
    }

    async fn a_new_group_of_the_same_name_makes_nobody_an_administrator(app: TestApp) {
        let app = tenant(&app).await;
        let (eve, staff) = (app.user_with("eve", &json!({})).await, administrators(&app).await);
        app.delete(&format!("/Groups/{staff}")).await.expect(204);
        for name in ["Staff", "account_admin", "Account Administrator"] {
            let more = json!({
                "members": [{ "value": eve.id() }],
                GROUP_MAPPING: { "kind": "role", "grantsRole": ADMINISTRATOR, "priority": 1 },
            });
            let made = app.post("/Groups", &group(name, &more)).await.expect(201);
            assert!(made.body.get(GROUP_MAPPING).is_none(), "{}", made.body);
        }
        let now = app.get(&path(&eve)).await.expect(200);
        assert_eq!((now.header("etag"), roles(&now.body)), ("W/\"1\"", vec!["standard"]));
    }

    async fn a_nested_group_makes_nobody_an_administrator(app: TestApp) {
        let app = tenant(&app).await;
        let (eve, staff) = (app.user_with("eve", &json!({})).await, administrators(&app).await);
        let inner = app.group("Inner", &[&eve.id()]).await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": inner }] }]);
        app.patch(&format!("/Groups/{staff}"), add).await.expect(200);
        let other = json!([{ "op": "replace", "path": "roles", "value": [] }]);
        app.patch(&path(&eve), other).await.expect(200);
        app.patch(&path(&eve), json!([{ "op": "replace", "path": "active", "value": false }])).await.expect(200);
        let now = app.get(&path(&eve)).await.expect(200);
        assert_eq!(roles(&now.body), ["standard"]);
    }

    async fn the_name_of_a_group_makes_nobody_an_administrator(app: TestApp) {
        let app = tenant(&app).await;
        let (eve, staff) = (app.user_with("eve", &json!({})).await, administrators(&app).await);
        let plain = app.group("Plain", &[&eve.id()]).await;
        let named = |name: &str| json!([{ "op": "replace", "path": "displayName", "value": name }]);
        app.patch(&format!("/Groups/{staff}"), named("Old staff")).await.expect(200);
        for name in ["Staff", "account_admin"] {
            app.patch(&format!("/Groups/{plain}"), named(name)).await.expect(200);
        }
        let now = app.get(&path(&eve)).await.expect(200);
        assert_eq!((now.header("etag"), roles(&now.body)), ("W/\"1\"", vec!["standard"]));
        let kept = app.get(&format!("/Groups/{staff}")).await.expect(200);
        assert_eq!(kept.body[GROUP_MAPPING]["grantsRole"], ADMINISTRATOR);
    }

    async fn the_meaning_of_a_group_cannot_be_written(app: TestApp) {
        let app = tenant(&app).await;
        let eve = app.user_with("eve", &json!({})).await;
        let plain = app.group("Plain", &[&eve.id()]).await;
        let place = format!("/Groups/{plain}");
        let said = json!({ GROUP_MAPPING: { "kind": "role", "grantsRole": ADMINISTRATOR } });
        let mut body = group("Plain", &said);
        body["members"] = json!([{ "value": eve.id() }]);
        app.put(&place, &body).await.expect(200);
        app.patch(&place, json!([{ "op": "add", "value": said }])).await.expect(200);
        for name in ["grantsRole", "kind", "grantsSeatType", "priority"] {
            let at = format!("{GROUP_MAPPING}:{name}");
            let set = json!([{ "op": "add", "path": at, "value": "account_admin" }]);
            app.patch(&place, set).await.refused(400, "mutability");
        }
        let now = app.get(&place).await.expect(200);
        assert!(now.body.get(GROUP_MAPPING).is_none(), "{}", now.body);
        let now = app.get(&path(&eve)).await.expect(200);
        assert_eq!((now.header("etag"), roles(&now.body)), ("W/\"1\"", vec!["standard"]));
    }

    async fn the_meaning_of_a_group_of_administrators_cannot_be_taken_away(app: TestApp) {
        let app = tenant(&app).await;
        let (eve, staff) = (app.user_with("eve", &json!({})).await, administrators(&app).await);
        let place = format!("/Groups/{staff}");
        app.patch(&place, json!([{ "op": "remove", "path": GROUP_MAPPING }])).await.expect(200);
        app.patch(&place, json!([{ "op": "replace", "path": GROUP_MAPPING, "value": {} }])).await.expect(200);
        app.put(&place, &group("Staff", &json!({ GROUP_MAPPING: null }))).await.expect(200);
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": eve.id() }] }]);
        is_refused(&app.patch(&place, add).await);
    }

    async fn the_password_of_an_administrator_stays(app: TestApp) {
        it_stays(&app, "password", json!("another-Horse-2")).await;
    }

    async fn whether_a_guessed_password_of_an_administrator_is_right_is_not_told(app: TestApp) {
        let app = tenant(&app).await;
        let boss = administrator(&app).await;
        let place = path(&boss);
        let set = |password: &str| json!([{ "op": "replace", "path": "password", "value": password }]);
        let right = "the-Right-Horse-1";
        app.scoped(&["admin"]).await.patch(&place, set(right)).await.expect(200);
        for guess in [right, "the-Wrong-Horse-1"] {
            is_managed(&app.patch(&place, set(guess)).await);
            let mut body = boss.body.clone();
            body["password"] = guess.into();
            is_managed(&app.put(&place, &body).await);
            let done = run(&app, &[patch(&place, &set(guess))]).await;
            assert_eq!(done[0]["status"], "403", "{done:?}");
        }
    }

    async fn the_user_name_of_an_administrator_stays(app: TestApp) {
        it_stays(&app, "userName", json!("eve")).await;
    }

    async fn the_addresses_of_an_administrator_stay(app: TestApp) {
        it_stays(&app, "emails", json!([{ "value": "eve@example.com", "primary": true }])).await;
    }

    async fn the_phone_numbers_of_an_administrator_stay(app: TestApp) {
        it_stays(&app, "phoneNumbers", json!([{ "value": "+15559999", "type": "mobile" }])).await;
    }

    async fn the_login_phone_of_an_administrator_stays(app: TestApp) {
        it_stays(&app, &format!("{ABOUT}:loginPhone"), json!("+15559999")).await;
    }

    async fn one_address_of_an_administrator_stays(app: TestApp) {
        let app = tenant(&app).await;
        let boss = administrator(&app).await;
        let at = "emails[type eq \"work\"].value";
        let set = json!([{ "op": "replace", "path": at, "value": "eve@example.com" }]);
        is_managed(&app.patch(&path(&boss), set).await);
        assert_eq!(app.get(&path(&boss)).await.expect(200).body, boss.body);
    }

    async fn nothing_that_an_administrator_signs_in_with_is_removed(app: TestApp) {
        for at in ["password", "emails", "phoneNumbers", &format!("{ABOUT}:loginPhone"), ABOUT] {
            it_cannot_be_removed(&app, at).await;
        }
    }

    async fn an_administrator_by_membership_is_protected_too(app: TestApp) {
        let app = tenant(&app).await;
        let (boss, staff) = (app.user_with("boss", &json!({})).await, administrators(&app).await);
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": boss.id() }] }]);
        app.scoped(&["admin"]).await.patch(&format!("/Groups/{staff}"), add).await.expect(200);
        let set = json!([{ "op": "add", "path": "password", "value": "another-Horse-2" }]);
        is_managed(&app.patch(&path(&boss), set).await);
    }

    async fn an_administrator_who_is_suspended_is_protected_too(app: TestApp) {
        let app = tenant(&app).await;
        let boss = administrator(&app).await;
        app.patch(&path(&boss), json!([{ "op": "replace", "path": "active", "value": false }])).await.expect(200);
        let set = json!([{ "op": "add", "path": "password", "value": "another-Horse-2" }]);
        is_managed(&app.patch(&path(&boss), set).await);
        let on = json!([{ "op": "replace", "path": "active", "value": true }]);
        assert_eq!(roles(&app.patch(&path(&boss), on).await.expect(200).body), [ADMINISTRATOR]);
    }

    async fn the_effective_roles_of_a_user_cannot_be_written(app: TestApp) {
        let one = json!([{ "value": ADMINISTRATOR, "display": "x", "source": "attribute", "primary": true }]);
        it_is_read_only(&app, ABOUT, "effectiveRoles", one).await;
    }

    async fn nobody_becomes_an_administrator_of_an_account(app: TestApp) {
        let one = json!([{ "value": "1", "role": ADMINISTRATOR, "status": "active", "primary": true }]);
        it_is_read_only(&app, ABOUT, "accountMemberships", one).await;
    }

    async fn the_lifecycle_of_a_user_cannot_be_written(app: TestApp) {
        it_is_read_only(&app, ABOUT, "lifecycle", json!("suspended")).await;
    }

    async fn nobody_says_that_no_seat_is_needed(app: TestApp) {
        it_is_read_only(&app, SEAT, "exempt", json!(true)).await;
    }

    async fn nobody_says_what_seat_is_held(app: TestApp) {
        it_is_read_only(&app, SEAT, "state", json!("none")).await;
    }

    async fn an_administrator_may_be_deactivated_and_deleted_and_written_as_read(app: TestApp) {
        let app = tenant(&app).await;
        let boss = administrator(&app).await;
        let echo = app.put(&path(&boss), &boss.body).await.expect(200);
        assert_eq!((echo.header("etag"), &echo.body), ("W/\"1\"", &boss.body));
        let mut body = boss.body.clone();
        body["title"] = "Chief".into();
        body["roles"] = json!([{ "value": "Account Administrator" }]);
        let renamed = app.put(&path(&boss), &body).await.expect(200);
        assert_eq!(roles(&renamed.body), [ADMINISTRATOR]);
        let off = app.patch(&path(&boss), json!([{ "op": "replace", "value": { "active": "False" } }])).await;
        assert_eq!(off.expect(200).body[ABOUT]["lifecycle"], "suspended");
        let done = run(&app, &[
            patch(&path(&boss), &json!([{ "op": "replace", "path": "active", "value": true }])),
            patch(&path(&boss), &json!([{ "op": "replace", "path": "active", "value": false }])),
            delete(&path(&boss)),
        ]).await;
        assert_eq!([&done[0]["status"], &done[1]["status"], &done[2]["status"]], ["200", "200", "204"]);
    }
}
