//! What the five help pages promise that Usher grew out of, line by line: `s3_7` is line 7 of the page
//! S3. `tests/seeds` makes the table of lines and tests out of the names here.

use serde_json::{Value, json};

use crate::invitations::{ACTIVE, CANCELLED, EXPIRED, INVITED_NOW, stand};
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED, SEAT, texts, user};
use crate::support::each_db;

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:usher:2.0:Department";
/// A number as people write it.
const PHONE: &str = "+91 98765 43210";
/// Another one.
const MOBILE: &str = "+49 151 2345678";

/// A user of this name with attributes of the contact centre.
fn person(name: &str, about: &Value) -> Value {
    user(name, &json!({ ABOUT: about }))
}

fn of_role(name: &str, role: &str) -> Value {
    user(name, &json!({ "roles": [{ "value": role, "primary": true }] }))
}

fn role(reply: &Reply) -> &str {
    reply.body[ABOUT]["effectiveRoles"][0]["value"].as_str().unwrap_or_default()
}

fn seat(reply: &Reply) -> &str {
    reply.body[SEAT]["state"].as_str().unwrap_or_default()
}

fn replace(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

impl TestApp {
    async fn change(&self, of: &Reply, path: &str, value: &Value) -> Reply {
        self.patch(&format!("/Users/{}", of.id()), replace(path, value)).await
    }

    /// Changes an attribute of the contact centre.
    async fn set_about(&self, of: &Reply, name: &str, value: &Value) -> Reply {
        self.change(of, &format!("{ABOUT}:{name}"), value).await
    }

    async fn agent_of(&self, of: &Reply) -> Value {
        let id = of.body[ABOUT]["agent"]["value"].as_str().unwrap_or_default().to_owned();
        self.get(&format!("/CallAgents/{id}")).await.expect(200).body
    }
}

each_db! {
    async fn s0_1_whoever_manages_users_lists_them(app: TestApp) {
        let app = app.licensed(5).await;
        app.user_with("ann", &json!({})).await;
        assert_eq!(app.scoped(&["users:read"]).await.names("/Users").await, ["ann"]);
    }

    async fn s0_3_a_user_created_with_a_password_is_active_at_once(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({ "password": "a long enough one" })).await;
        assert_eq!((ann.body[ABOUT]["lifecycle"].as_str(), seat(&ann)), (Some("active"), "consumed"));
        let lines = app.lines(&ann.id()).await;
        assert_eq!(lines, ["user.created", "user.activated", "seat.consumed"]);
    }

    async fn s0_4_full_name_user_name_email_and_password_are_taken(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({
            "displayName": "Ann Lee", "name": { "formatted": "Ann Lee" },
            "emails": [{ "value": "ann@northwind.example", "type": "work" }],
            "password": "a long enough one",
        })).await;
        assert_eq!((&ann.body["displayName"], &ann.body["userName"]), (&json!("Ann Lee"), &json!("ann")));
        assert_eq!(ann.body.get("password"), None);
        let mail = "emails[type eq \"work\"].value eq \"ANN@northwind.example\"";
        assert_eq!(app.found(mail).await, ["ann"]);
    }

    async fn s0_5_a_person_who_has_an_account_is_not_made_twice(app: TestApp) {
        let app = app.licensed(5).await;
        app.user_with("ann", &json!({})).await;
        let detail = app.post("/Users", &user("ANN", &json!({}))).await.refused(409, "uniqueness");
        assert_eq!(detail, "User with userName 'ANN' already exists.");
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn s0_6_several_addresses_are_invited_at_once(app: TestApp) {
        let app = app.licensed(5).await.scoped(&["admin"]).await;
        let both = json!({ "invitations": [{ "email": "a@x.example" }, { "email": "b@x.example" }] });
        let sent = app.admin("POST", "/invitations:batch", Some(&both)).await.expect(200);
        assert_eq!(texts(&sent.body["results"], "/invitation/status"), ["pending", "pending"]);
        assert_eq!(app.used("default").await, (2, 0));
    }

    async fn s0_7_whoever_clicks_the_link_becomes_a_member(app: TestApp) {
        let app = app.licensed(5).await;
        let id = app.invitee("ann@x.example").await;
        app.accept(&app.link(&id).await).await.unwrap();
        assert_eq!(stand(&app.see(&id).await), ACTIVE);
        assert!(app.lines(&id).await.contains(&"invitation.accepted".to_owned()));
    }

    async fn s0_8_the_answer_at_the_limit_begins_with_the_sentence_of_the_page(app: TestApp) {
        let app = app.licensed(0).await;
        let detail = app.post("/Users", &user("ann", &json!({}))).await.refused(403, "");
        let sentence = "Not allowed, your organization has reached the maximum limit of users.";
        assert!(detail.starts_with(sentence), "{detail}");
    }

    async fn s0_9_active_users_count_more_seats_help_and_a_refusal_is_recorded(app: TestApp) {
        let app = app.licensed(1).await;
        app.user_with("ann", &json!({})).await;
        app.user_with("bob", &json!({ "active": false })).await;
        app.post("/Users", &user("carl", &json!({}))).await.expect(403);
        assert_eq!(app.lines("").await, ["seat.denied"]);
        app.set_seats("default", Some(2)).await;
        app.user_with("carl", &json!({})).await;
    }

    async fn s0_10_deactivating_an_old_account_makes_room(app: TestApp) {
        let app = app.licensed(1).await;
        let ann = app.user_with("ann", &json!({})).await;
        app.post("/Users", &user("bob", &json!({}))).await.expect(403);
        let off = app.change(&ann, "active", &json!(false)).await.expect(200);
        assert_eq!((seat(&off), &off.body[SEAT]["reason"]), ("none", &json!("suspended")));
        app.user_with("bob", &json!({})).await;
    }

    async fn s0_11_supervisor_admin_and_agent_are_roles(app: TestApp) {
        let app = app.licensed(5).await;
        for (sent, meant) in [("Supervisor", "supervisor"), ("Call Agent", "agent")] {
            let made = app.post("/Users", &of_role(sent, sent)).await.expect(201);
            assert_eq!((role(&made), &made.body["roles"][0]["value"]), (meant, &json!(sent)));
        }
        let all = app.scoped(&["admin"]).await;
        let chief = all.post("/Users", &of_role("chief", "Admin")).await.expect(201);
        assert_eq!(role(&chief), "account_admin");
    }

    async fn s1_3_name_role_login_phone_and_password_are_taken(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({
            "displayName": "Ann", "roles": [{ "value": "agent" }], "password": "a long enough one",
            "phoneNumbers": [{ "value": MOBILE, "type": "login" }],
            ABOUT: { "loginPhone": MOBILE },
        })).await;
        assert_eq!(ann.body[ABOUT]["loginPhone"], MOBILE, "as it was sent");
        let found = format!("{ABOUT}:loginPhone eq \"+491512345678\"");
        assert_eq!(app.found(&found).await, ["ann"]);
        let taken = person("bob", &json!({ "loginPhone": "+49-151-2345678" }));
        app.post("/Users", &taken).await.refused(409, "uniqueness");
        let wrong = person("bob", &json!({ "loginPhone": "0151 2345678" }));
        app.post("/Users", &wrong).await.refused(400, "invalidValue");
    }

    async fn s1_7_to_invite_takes_the_same_seat_as_to_create(app: TestApp) {
        let app = app.licensed(2).await;
        app.user("ann").await;
        let id = app.invitee("bob@x.example").await;
        assert_eq!(app.used("default").await, (2, 0));
        app.post("/Users", &user("eve", &json!({}))).await.expect(403);
        app.accept(&app.link(&id).await).await.unwrap();
        assert_eq!(app.used("default").await, (2, 0));
    }

    async fn s1_8_another_role_in_the_same_pool_takes_no_seat(app: TestApp) {
        let app = app.licensed(1).await;
        let ann = app.post("/Users", &of_role("ann", "agent")).await.expect(201);
        let roles = json!([{ "value": "supervisor" }]);
        let changed = app.change(&ann, "roles", &roles).await.expect(200);
        assert_eq!((role(&changed), seat(&changed)), ("supervisor", "consumed"));
        assert_eq!(changed.body[SEAT]["since"], ann.body[SEAT]["since"]);
        assert_eq!(app.lines(&ann.id()).await[3..], ["user.updated", "role.changed"]);
    }

    async fn s1_10_an_administrator_changes_a_password(app: TestApp) {
        let app = app.licensed(1).await;
        let ann = app.user_with("ann", &json!({ "password": "a long enough one" })).await;
        app.change(&ann, "password", &json!("another long one")).await.expect(200);
        assert!(app.lines(&ann.id()).await.contains(&"password.changed".to_owned()));
    }

    async fn s1_11_who_is_deleted_gives_the_seat_back(app: TestApp) {
        let app = app.licensed(1).await;
        let ann = app.user_with("ann", &json!({})).await;
        app.delete(&format!("/Users/{}", ann.id())).await.expect(204);
        assert_eq!(app.used("default").await, (0, 0));
        assert!(app.lines(&ann.id()).await.ends_with(&["seat.released".to_owned()]));
        app.user_with("ann", &json!({})).await;
    }

    async fn s1_12_what_somebody_may_do_is_a_scope(app: TestApp) {
        let app = app.licensed(5).await;
        let reader = app.scoped(&["users:read"]).await;
        reader.post("/Users", &user("ann", &json!({}))).await.expect(403);
        reader.get("/SeatPools").await.expect(403);
        let ann = app.scoped(&["users:write", "users:read"]).await.user_with("ann", &json!({})).await;
        reader.delete(&format!("/Users/{}", ann.id())).await.expect(403);
        app.scoped(&["users:read", "seats:read"]).await.get("/SeatPools").await.expect(200);
    }

    async fn s1_14_by_which_door_a_user_came_is_kept(app: TestApp) {
        let app = app.licensed(5).await;
        let sent = person("ann", &json!({ "origin": "admin", "webLogin": true }));
        assert_eq!(app.post("/Users", &sent).await.expect(201).body[ABOUT]["origin"], "scim");
    }

    async fn s2_1_administrators_alone_create_users(app: TestApp) {
        let app = app.licensed(5).await;
        let reader = app.scoped(&["scim:read"]).await;
        let detail = reader.post("/Users", &user("ann", &json!({}))).await.refused(403, "");
        assert!(detail.contains("users:write"), "{detail}");
    }

    async fn s2_3_contact_number_and_date_format_are_taken(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({
            "phoneNumbers": [{ "value": PHONE, "type": "work" }],
            ABOUT: { "dateFormat": "DD/MM/YYYY" },
        })).await;
        assert_eq!(ann.body[ABOUT]["dateFormat"], "DD/MM/YYYY");
        let wrong = person("bob", &json!({ "dateFormat": "YY" }));
        let detail = app.post("/Users", &wrong).await.refused(400, "invalidValue");
        assert!(detail.contains("DD.MM.YYYY"), "{detail}");
    }

    async fn s2_4_a_user_has_a_role_in_each_of_several_accounts(app: TestApp) {
        let app = app.licensed(1).await.scoped(&["admin"]).await;
        let ann = app.user_with("ann", &json!({})).await;
        let memberships = format!("/users/{}/memberships", ann.id());
        for (number, role) in [("A-1", "tech"), ("A-2", "conference")] {
            app.admin("POST", "/accounts", Some(&json!({ "accountNumber": number }))).await.expect(201);
            let join = json!({ "account": number, "role": role });
            app.admin("POST", &memberships, Some(&join)).await.expect(201);
        }
        let shown = app.get(&format!("/Users/{}", ann.id())).await.expect(200).body;
        let accounts = &shown[ABOUT]["accountMemberships"];
        assert_eq!(texts(accounts, "/accountNumber"), ["A-1", "A-2"]);
        assert_eq!(texts(accounts, "/role"), ["tech", "conference"]);
        assert_eq!(texts(accounts, "/status"), ["active", "active"]);
        assert_eq!(app.used("default").await, (1, 0), "one seat");
    }

    async fn s2_6_an_account_is_found_by_its_number_and_by_its_name(app: TestApp) {
        let app = app.licensed(1).await.scoped(&["admin"]).await;
        let north = json!({ "accountNumber": "A-1", "displayName": "North" });
        app.admin("POST", "/accounts", Some(&north)).await.expect(201);
        for filter in ["accountNumber eq \"A-1\"", "displayName eq \"north\""] {
            let found = app.find("/Accounts", filter).await.expect(200);
            assert_eq!(texts(&found.body["Resources"], "/displayName"), ["North"], "{filter}");
        }
    }

    async fn s2_7_an_address_in_use_is_refused_where_the_tenant_wants_it(app: TestApp) {
        let app = app.tenant_with("emails.unique", "all").await;
        let mails = json!({ "emails": [{ "value": "ann@northwind.example", "type": "work" }] });
        app.user_with("ann", &mails).await;
        let again = json!({ "emails": [{ "value": "ANN@northwind.example", "type": "home" }] });
        app.post("/Users", &user("bob", &again)).await.refused(409, "uniqueness");
    }

    async fn s2_5_each_of_the_five_roles_is_one(app: TestApp) {
        let app = app.licensed(5).await;
        for (name, value) in [("Tech", "tech"), ("Conference", "conference"), ("Standard User", "standard")] {
            let made = app.post("/Users", &of_role(value, name)).await.expect(201);
            assert_eq!(role(&made), value);
        }
        for name in ["Account Administrator", "Whitelabel"] {
            let detail = app.post("/Users", &of_role("x", name)).await.refused(400, "invalidValue");
            assert!(detail.contains("cannot be assigned by SCIM."), "{detail}");
        }
        let all = app.scoped(&["admin"]).await;
        let chief = all.post("/Users", &of_role("chief", "Account Administrator")).await.expect(201);
        assert_eq!(role(&chief), "account_admin");
    }

    async fn s2_9_a_number_is_assigned_with_the_user(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "extension": "auto", "allowedCallerIds": [PHONE, MOBILE] });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        let number = ann.body[ABOUT]["extensionRef"]["display"].as_str().unwrap().to_owned();
        let found = app.find("/PhoneExtensions", &format!("number eq \"{number}\"")).await;
        assert_eq!(found.body["totalResults"], 1);
    }

    async fn s3_1_a_name_and_a_phone_number_make_a_user(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({
            "displayName": "Ann", "phoneNumbers": [{ "value": PHONE, "type": "mobile" }],
        })).await;
        assert_eq!(ann.body["phoneNumbers"][0]["value"], PHONE);
        let mobile = format!("phoneNumbers[type eq \"mobile\"].value eq \"{PHONE}\"");
        assert_eq!(app.found(&mobile).await, ["ann"]);
    }

    async fn s3_2_create_an_agent_makes_one(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(app.agent_of(&ann).await["user"]["value"], json!(ann.id()));
        assert_eq!(ann.body[ABOUT].get("createAgent"), None, "write-only");
    }

    async fn s3_3_without_a_web_login_there_is_no_seat(app: TestApp) {
        let app = app.licensed(1).await;
        let entry = app.post("/Users", &person("ann", &json!({ "webLogin": false }))).await.expect(201);
        assert_eq!((seat(&entry), &entry.body[ABOUT]["lifecycle"]), ("none", &json!("provisioned")));
        assert_eq!(app.used("default").await, (0, 0));
        let login = app.set_about(&entry, "webLogin", &json!(true)).await.expect(200);
        assert_eq!((seat(&login), &login.body[ABOUT]["lifecycle"]), ("consumed", &json!("active")));
    }

    async fn s3_4_the_number_that_calls_go_to_needs_its_prefix(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(app.agent_of(&ann).await["callForwardNumber"], PHONE);
        let wrong = person("bob", &json!({ "callForwardNumber": "98765 43210" }));
        app.post("/Users", &wrong).await.refused(400, "invalidValue");
    }

    async fn s3_5_an_agent_is_assigned_to_groups(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE, "agentGroups": "Sales; Night" });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(texts(&app.agent_of(&ann).await["agentGroups"], "/display"), ["Sales", "Night"]);
        let group = app.find("/AgentGroups", "displayName eq \"night\"").await.expect(200);
        assert_eq!(group.body["Resources"][0]["members"][0]["value"], ann.body[ABOUT]["agent"]["value"]);
    }

    async fn s3_6_departments_may_be_assigned_later(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE, "departments": [] });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(ann.body[ABOUT].get("departments"), None);
        let later = app.set_about(&ann, "departments", &json!("Support")).await.expect(200);
        assert_eq!(later.body[ABOUT]["departments"], json!(["Support"]));
        assert_eq!(texts(&app.agent_of(&ann).await["departments"], "/display"), ["Support"]);
    }

    async fn s3_7_the_first_caller_id_comes_first(app: TestApp) {
        let app = app.center().await;
        let about = json!({
            "createAgent": true, "callForwardNumber": PHONE, "allowedCallerIds": [MOBILE, PHONE],
        });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(app.agent_of(&ann).await["allowedCallerIds"], json!([MOBILE, PHONE]));
        let other = json!([PHONE, MOBILE]);
        let turned = app.set_about(&ann, "allowedCallerIds", &other).await.expect(200);
        assert_eq!(turned.body[ABOUT]["allowedCallerIds"], other, "the order counts");
    }

    async fn s3_8_an_extension_has_one_owner(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "extension": "2001" });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(app.agent_of(&ann).await["extension"]["number"], "2001");
        let second = person("bob", &json!({ "createAgent": true, "extension": "2001" }));
        app.post("/Users", &second).await.refused(409, "uniqueness");
    }

    async fn s3_9_an_agent_that_exists_is_linked(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({ "agentNumber": "17" })).await.expect(201);
        let ann = app.post("/Users", &person("ann", &json!({ "agentId": "17" }))).await.expect(201);
        assert_eq!(ann.body[ABOUT]["agentId"], "17", "as it was sent");
        assert_eq!(ann.body[ABOUT]["agent"]["value"], json!(agent.id()));
    }

    async fn s3_10_the_designation_is_the_title(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({ "title": "Team lead" })).await;
        assert_eq!(app.found("title eq \"team lead\"").await, ["ann"]);
        assert_eq!(ann.body["title"], "Team lead");
    }

    async fn s3_11_the_address_is_that_of_work(app: TestApp) {
        let app = app.licensed(5).await;
        let mails = json!([{ "value": "ann@northwind.example", "type": "work" }]);
        app.user_with("ann", &json!({ "emails": mails })).await;
        assert_eq!(app.found("emails[type eq \"work\" and value sw \"ann@\"]").await, ["ann"]);
    }

    async fn s3_12_the_role_is_one_of_the_list(app: TestApp) {
        let app = app.licensed(5).await;
        let listed = texts(&app.get("/Roles").await.expect(200).body["Resources"], "/value");
        assert!(listed.contains(&"supervisor".to_owned()), "{listed:?}");
        let detail = app.post("/Users", &of_role("x", "boss")).await.refused(400, "invalidValue");
        assert!(detail.starts_with("Unknown role 'boss'. Valid roles: "), "{detail}");
    }

    async fn s3_14_a_password_may_be_set(app: TestApp) {
        let app = app.licensed(5).await;
        app.user_with("ann", &json!({ "password": "a long enough one" })).await;
        let short = user("bob", &json!({ "password": "short" }));
        let detail = app.post("/Users", &short).await.refused(400, "invalidValue");
        assert!(detail.contains('8') && !detail.contains("short"), "{detail}");
    }

    async fn s3_15_enabled_and_disabled_are_active(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = app.user_with("ann", &json!({ "active": false })).await;
        assert_eq!((ann.body[ABOUT]["lifecycle"].as_str(), seat(&ann)), (Some("suspended"), "none"));
        let on = app.change(&ann, "active", &json!("True")).await.expect(200);
        assert_eq!((on.body[ABOUT]["lifecycle"].as_str(), seat(&on)), (Some("active"), "consumed"));
    }

    async fn s3_16_whose_reports_somebody_sees_is_chosen(app: TestApp) {
        let app = app.licensed(5).await;
        let bob = app.user_with("bob", &json!({})).await;
        let about = json!({ "reportScope": "selected", "reportUsers": format!("{}, carl", bob.id()) });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(ann.body[ABOUT]["reportUsers"], json!([bob.id(), "carl"]));
        let wrong = person("x", &json!({ "reportScope": "everything" }));
        app.post("/Users", &wrong).await.refused(400, "invalidValue");
    }

    async fn s3_17_all_addresses_or_selected_ones(app: TestApp) {
        let app = app.licensed(5).await;
        let about = json!({ "ipAccess": "selected", "allowedIps": "10.0.0.0/8, 192.0.2.7" });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(ann.body[ABOUT]["allowedIps"], json!(["10.0.0.0/8", "192.0.2.7"]));
        for wrong in [
            json!({ "ipAccess": "selected" }),
            json!({ "ipAccess": "selected", "allowedIps": "here" }),
            json!({ "ipAccess": "selected", "allowedIps": "0.0.0.0/0" }),
        ] {
            app.post("/Users", &person("x", &wrong)).await.refused(400, "invalidValue");
        }
        app.post("/Users", &person("all", &json!({ "ipAccess": "all" }))).await.expect(201);
    }

    async fn s3_18_calls_may_come_while_signed_in_only(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE, "loginBasedCalling": true });
        let ann = app.post("/Users", &person("ann", &about)).await.expect(201);
        assert_eq!(app.agent_of(&ann).await["loginBasedCalling"], true);
    }

    async fn s3_19_a_blocked_web_login_keeps_the_seat(app: TestApp) {
        let app = app.licensed(1).await;
        let ann = app.user_with("ann", &json!({})).await;
        let blocked = app.set_about(&ann, "webLoginBlocked", &json!(true)).await.expect(200);
        assert_eq!((&blocked.body[ABOUT]["webLoginBlocked"], seat(&blocked)), (&json!(true), "consumed"));
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn s3_20_users_are_listed_by_what_the_columns_show(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE, "extension": "2002" });
        app.post("/Users", &person("ann", &about)).await.expect(201);
        app.post("/Users", &person("bob", &json!({ "webLoginBlocked": true }))).await.expect(201);
        for (filter, name) in [
            (format!("{ABOUT}:callForwardNumber eq \"+919876543210\""), "ann"),
            (format!("{ABOUT}:extension pr"), "ann"),
            (format!("{ABOUT}:agent.status eq \"active\""), "ann"),
            (format!("{ABOUT}:webLoginBlocked eq true"), "bob"),
            (format!("not ({ABOUT}:agentId pr)"), "bob"),
        ] {
            assert_eq!(app.found(&filter).await, [name], "{filter}");
        }
        let standard = format!("{ABOUT}:effectiveRoles.value eq \"standard\"");
        assert_eq!(app.found(&standard).await, ["ann", "bob"]);
    }

    async fn s3_21_an_agent_has_what_the_page_lists(app: TestApp) {
        let app = app.center().await;
        let sales = json!({ "schemas": [DEPARTMENT], "displayName": "Sales" });
        app.post("/Departments", &sales).await.expect(201);
        let agent = app.agent(&json!({
            "displayName": "Desk 7", "agentNumber": "7", "callForwardNumber": PHONE,
            "alternativeNumbers": [MOBILE], "intercom": "1234", "timeGroup": "Day",
            "extensionNumber": "2003", "departments": [{ "value": "Sales" }],
            "allowedCallerIds": [MOBILE], "status": "blocked",
        })).await.expect(201);
        assert_eq!(agent.body["status"], "blocked");
        assert_eq!(agent.body["extension"]["number"], "2003");
        let twice = app.agent(&json!({ "intercom": "1234" })).await;
        twice.refused(409, "uniqueness");
        app.agent(&json!({ "intercom": "12" })).await.refused(400, "invalidValue");
        let busy = app.agent(&json!({ "status": "busy" })).await;
        busy.refused(400, "invalidValue");
    }

    async fn s4_2_who_is_invited_by_mail_has_an_address(app: TestApp) {
        let app = app.licensed(5).await;
        let by_mail = json!({ INVITED: { "mode": "email" } });
        let detail = app.post("/Users", &user("ann", &by_mail)).await.refused(400, "invalidValue");
        assert!(detail.contains("emails"), "{detail}");
    }

    async fn s4_3_roles_of_the_tenants_own_are_given(app: TestApp) {
        let app = app.licensed(5).await.scoped(&["admin"]).await;
        let coach = json!({ "value": "coach", "display": "Coach" });
        app.admin("POST", "/roles", Some(&coach)).await.expect(201);
        let ann = app.post("/Users", &of_role("ann", "Coach")).await.expect(201);
        assert_eq!(role(&ann), "coach");
    }

    async fn s4_4_a_user_of_the_role_agent_is_linked_to_one(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({ "displayName": "Desk 1" })).await.expect(201);
        let mut body = of_role("ann", "Agent");
        body[ABOUT] = json!({ "agentId": agent.id() });
        let ann = app.post("/Users", &body).await.expect(201);
        assert_eq!((role(&ann), &ann.body[ABOUT]["agent"]["display"]), ("agent", &json!("Desk 1")));
    }

    async fn s4_5_a_user_is_active_unless_it_says_otherwise(app: TestApp) {
        let app = app.licensed(5).await;
        assert_eq!(app.user_with("ann", &json!({})).await.body["active"], true);
    }

    async fn s4_6_to_save_and_invite_is_one_thing(app: TestApp) {
        let app = app.licensed(5).await;
        let ann = json!({ "emails": [{ "value": "ann@x.example" }], INVITED: { "mode": "email" } });
        let ann = app.user_with("ann", &ann).await;
        assert_eq!(stand(&ann), INVITED_NOW);
        assert_eq!(app.mail_states().await, ["queued"]);
        assert!(app.lines(&ann.id()).await.contains(&"invitation.sent".to_owned()));
    }

    async fn s4_7_a_wrong_address_is_edited_and_then_the_link_sent_anew(app: TestApp) {
        let app = app.licensed(5).await;
        let of = |address: &str| json!([{ "value": address }]);
        let ann = json!({ "emails": of("anm@x.example"), INVITED: { "mode": "email" } });
        let ann = app.user_with("ann", &ann).await;
        app.change(&ann, "emails", &of("ann@x.example")).await.expect(200);
        assert_eq!(app.mail_states().await, ["stale"]);
        app.later(61).await.resend(&ann.id()).await.expect(200);
        assert_eq!(app.mail_states().await, ["stale", "queued"]);
    }

    async fn s4_9_the_link_expires_after_48_hours(app: TestApp) {
        let app = app.licensed(5).await;
        let id = app.invitee("ann@x.example").await;
        let secret = app.link(&id).await;
        let late = app.later(48 * 3_600 + 1).await;
        late.is_refused(&secret).await;
        late.app.expire_invitations().await.unwrap();
        assert_eq!(stand(&app.see(&id).await), EXPIRED);
    }

    async fn s4_11_a_link_that_is_sent_anew_is_good_for_48_hours_from_then_on(app: TestApp) {
        let app = app.licensed(5).await;
        let id = app.invitee("ann@x.example").await;
        let old = app.link(&id).await;
        let new = app.later(47 * 3_600).await.link(&id).await;
        let late = app.later(49 * 3_600).await;
        late.is_refused(&old).await;
        late.accept(&new).await.unwrap();
    }

    async fn s4_12_to_untick_active_cancels_the_invitation(app: TestApp) {
        let app = app.licensed(5).await;
        let id = app.invitee("ann@x.example").await;
        assert_eq!(stand(&app.set_active(&id, false).await.expect(200)), CANCELLED);
        assert_eq!(app.used("default").await, (0, 0));
    }

    async fn s4_8_deleting_a_user_leaves_the_agent(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        let ann = app.post("/Users", &person("ann", &json!({ "agentId": "1" }))).await.expect(201);
        app.delete(&format!("/Users/{}", ann.id())).await.expect(204);
        assert_eq!(app.call_agent(&agent.id()).await.get("user"), None);
        assert!(app.lines(&agent.id()).await.contains(&"agent.unlinked".to_owned()));
    }

    async fn s4_10_where_somebody_is_shows_and_is_found(app: TestApp) {
        let app = app.licensed(5).await;
        app.user_with("ann", &json!({})).await;
        app.user_with("bob", &json!({ "active": false })).await;
        let cyd = app.invitee("cyd@x.example").await;
        assert_eq!(app.found(&format!("{INVITED}:status eq \"pending\"")).await, ["cyd@x.example"]);
        app.delete(&format!("/Users/{cyd}")).await.expect(204);
        assert_eq!(app.found(&format!("{ABOUT}:lifecycle eq \"suspended\"")).await, ["bob"]);
        let sorted = format!("/Users?sortBy={ABOUT}:lifecycle&sortOrder=descending");
        assert_eq!(app.names(&sorted).await, ["bob", "ann"]);
    }
}
