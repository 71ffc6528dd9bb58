//! Many clients at once: nothing is lost, nothing is there twice, nothing dangles.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::each_db;

/// Runs these at the same time and gives their answers in order.
async fn at_once<F>(requests: impl IntoIterator<Item = F>) -> Vec<Reply>
where
    F: Future<Output = Reply> + Send + 'static,
{
    let tasks: Vec<_> = requests.into_iter().map(tokio::spawn).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

fn statuses(replies: &[Reply], wanted: u16) -> usize {
    replies.iter().filter(|reply| reply.status == wanted).count()
}

fn values(resource: &Value, list: &str) -> Vec<String> {
    let values = resource[list].as_array().map_or(&[][..], Vec::as_slice);
    values.iter().map(|value| value["value"].as_str().unwrap().to_owned()).collect()
}

/// Adds a member to a group.
async fn add(app: TestApp, group: String, member: String) -> Reply {
    let operation = json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }]);
    app.patch(&format!("/Groups/{group}"), operation).await
}

each_db! {
    async fn forty_clients_that_each_add_their_own_members_lose_none(app: TestApp) {
        let mut users = Vec::new();
        for client in 0..40 {
            let names = (0..25).map(|number| {
                let app = app.clone();
                async move { app.user(&format!("user-{client}-{number}")).await }
            });
            users.push(join_all(names).await);
        }
        let group = app.group("everybody", &[]).await;
        let before = app.get(&format!("/Groups/{group}")).await.header("etag").to_owned();
        let clients = users.iter().cloned().map(|own| {
            let (app, group) = (app.clone(), group.clone());
            tokio::spawn(async move {
                for user in own {
                    let added = add(app.clone(), group.clone(), user).await;
                    assert!(matches!(added.status, 200 | 204), "{added:?}");
                }
            })
        });
        for done in join_all(clients).await {
            done.unwrap();
        }
        let group = app.get(&format!("/Groups/{group}")).await.expect(200);
        assert_ne!(group.header("etag"), before);
        let mut members = values(&group.body, "members");
        let mut expected = users.concat();
        members.sort();
        expected.sort();
        assert_eq!(members.len(), 1000);
        assert_eq!(members, expected);
        println!("40 clients with 25 members each: {} members", members.len());
    }

    async fn sixty_four_writers_on_one_group_and_on_many_count_every_version_once(app: TestApp) {
        let second = app.second_instance().await;
        let users = join_all((0..64).map(|number| {
            let app = app.clone();
            async move { app.user(&format!("user{number}")).await }
        })).await;
        let one = app.group("one", &[]).await;
        let mut many = Vec::new();
        for number in 0..8 {
            many.push(app.group(&format!("many-{number}"), &[]).await);
        }
        let on_one = users.iter().map(|user| (one.clone(), user.clone()));
        let on_many = users.iter().enumerate()
            .map(|(number, user)| (many[number % 8].clone(), user.clone()));
        for (work, groups) in [(on_one.collect::<Vec<_>>(), 1), (on_many.collect(), 8)] {
            let replies = at_once(work.iter().cloned().enumerate().map(|(number, (group, user))| {
                let app = if number % 2 == 0 { app.clone() } else { second.clone() };
                async move {
                    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
                    app.patch(&format!("/Groups/{group}?attributes=displayName"), add).await
                }
            })).await;
            let mut versions: Vec<(&String, u64)> = work.iter().zip(&replies)
                .map(|((group, _), reply)| {
                    assert_eq!(reply.status, 200, "{reply:?}");
                    let etag = reply.header("etag").trim_start_matches("W/\"").trim_end_matches('"');
                    (group, etag.parse().unwrap())
                })
                .collect();
            versions.sort_unstable();
            // Each group counts from 2 without a gap: nothing lost, nothing doubled.
            let size = 64 / groups;
            for (place, (_, version)) in versions.iter().enumerate() {
                assert_eq!(*version, 2 + place as u64 % size, "{versions:?}");
            }
        }
        for (group, size) in many.iter().map(|group| (group, 8)).chain([(&one, 64)]) {
            let shown = app.get(&format!("/Groups/{group}")).await.expect(200);
            assert_eq!(values(&shown.body, "members").len(), size);
        }
    }

    async fn forty_clients_that_each_remove_their_own_members_leave_none(app: TestApp) {
        let users = join_all((0..80).map(|number| {
            let app = app.clone();
            async move { app.user(&format!("user{number}")).await }
        })).await;
        let members: Vec<_> = users.iter().map(String::as_str).collect();
        let group = app.group("shrinking", &members).await;
        let removed = at_once(users.clone().into_iter().map(|user| {
            let (app, path) = (app.clone(), format!("/Groups/{group}"));
            async move {
                let path_of_member = format!("members[value eq \"{user}\"]");
                app.patch(&path, json!([{ "op": "remove", "path": path_of_member }])).await
            }
        })).await;
        assert_eq!(statuses(&removed, 200) + statuses(&removed, 204), 80, "{removed:?}");
        let group = app.get(&format!("/Groups/{group}")).await.expect(200);
        assert_eq!(values(&group.body, "members").len(), 0);
    }

    /// Proves SCIM-480.
    async fn two_hundred_creates_of_one_name_in_differing_case_make_one_user(app: TestApp) {
        let second = app.second_instance().await;
        let created = at_once((0..200_u32).map(|number| {
            let name: String = "oneperson".chars().enumerate()
                .map(|(at, c)| if number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            let app = if number % 2 == 0 { app.clone() } else { second.clone() };
            async move {
                app.post("/Users", &json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
                })).await
            }
        })).await;
        let (made, refused) = (statuses(&created, 201), statuses(&created, 409));
        assert_eq!((made, refused), (1, 199));
        for reply in created.iter().filter(|reply| reply.status == 409) {
            let detail = reply.refused(409, "uniqueness");
            assert!(detail.starts_with("User with userName '"), "{detail}");
        }
        assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 1);
        println!("200 creates of one name: {made} made, {refused} refused");
    }

    /// Proves SCIM-480.
    async fn a_hundred_creates_at_once_some_of_one_name_are_answered_each_for_itself(app: TestApp) {
        let created = at_once((0..100_u32).map(|number| {
            let app = app.clone();
            // Ten names are asked for by three clients each.
            let name = format!("user{}", if number < 30 { number % 10 } else { number });
            let body = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": name, "title": number.to_string(),
            });
            async move { app.post("/Users", &body).await }
        })).await;
        assert_eq!((statuses(&created, 201), statuses(&created, 409)), (80, 20), "{created:?}");
        for (number, reply) in created.iter().enumerate() {
            if reply.status == 409 {
                let detail = reply.refused(409, "uniqueness");
                assert!(detail.contains(&format!("'user{}'", number % 10)), "{detail}");
                continue;
            }
            assert_eq!(reply.body["title"], number.to_string());
            let shown = app.get(&format!("/Users/{}", reply.id())).await.expect(200);
            // Its own times, which its id tells too.
            assert_eq!(shown.body, reply.body);
        }
        assert_eq!(app.get("/Users?count=0").await.expect(200).body["totalResults"], 80);
    }

    /// Proves SCIM-452.
    async fn of_many_who_replace_one_version_one_wins_and_the_rest_hear_of_it(app: TestApp) {
        let second = app.second_instance().await;
        let id = app.user("contested").await;
        let mut wins = 0;
        for round in 0..5 {
            let etag = app.get(&format!("/Users/{id}")).await.header("etag").to_owned();
            let replies = at_once((0..20).map(|number| {
                let app = if number % 2 == 0 { app.clone() } else { second.clone() };
                let (path, etag) = (format!("/Users/{id}"), etag.clone());
                let body = json!({
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": "contested", "title": format!("{round}-{number}"),
                });
                async move {
                    let headers = [("if-match".to_owned(), etag)];
                    app.exchange("PUT", &path, &headers, Some(body.to_string())).await
                }
            })).await;
            assert_eq!((statuses(&replies, 200), statuses(&replies, 412)), (1, 19), "{replies:?}");
            let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
            let now = app.get(&format!("/Users/{id}")).await.expect(200);
            assert_eq!(now.body["title"], winner.body["title"]);
            wins += 1;
        }
        assert_eq!(wins, 5);
    }

    async fn patches_of_different_attributes_at_once_all_stay(app: TestApp) {
        let id = app.user("patched").await;
        let attributes = ["title", "nickName", "displayName", "userType", "locale", "externalId"];
        let replies = at_once(attributes.map(|attribute| {
            let (app, path) = (app.clone(), format!("/Users/{id}"));
            let value = if attribute == "locale" { "de-AT" } else { "set" };
            let operation = json!([{ "op": "replace", "path": attribute, "value": value }]);
            async move { app.patch(&path, operation).await }
        })).await;
        assert_eq!(statuses(&replies, 200), attributes.len(), "{replies:?}");
        let shown = app.get(&format!("/Users/{id}")).await.expect(200);
        for attribute in attributes {
            assert!(shown.body[attribute].is_string(), "{attribute}: {}", shown.body);
        }
        let mut tags: Vec<_> = replies.iter().map(|reply| reply.header("etag")).collect();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), attributes.len(), "every change has its own version");
    }

    async fn groups_put_into_each_other_at_once_never_make_a_ring(app: TestApp) {
        let second = app.second_instance().await;
        for round in 0..6 {
            let mut ring = Vec::new();
            for number in 0..4 {
                ring.push(app.group(&format!("ring-{round}-{number}"), &[]).await);
            }
            let replies = at_once((0..4).map(|at| {
                let app = if at % 2 == 0 { app.clone() } else { second.clone() };
                add(app, ring[at].clone(), ring[(at + 1) % 4].clone())
            })).await;
            let refused = statuses(&replies, 400);
            assert!(refused >= 1, "a ring was closed: {replies:?}");
            assert_eq!(statuses(&replies, 200) + statuses(&replies, 204) + refused, 4, "{replies:?}");
            let mut next = ring[0].clone();
            for _ in 0..4 {
                let shown = app.get(&format!("/Groups/{next}")).await.expect(200);
                match values(&shown.body, "members").first() {
                    Some(member) => next.clone_from(member),
                    None => break,
                }
                assert_ne!(next, ring[0], "walking the members comes back");
            }
        }
    }

    async fn users_deleted_while_they_are_added_leave_no_member_behind(app: TestApp) {
        let second = app.second_instance().await;
        let group = app.group("busy", &[]).await;
        let users = join_all((0..40).map(|number| {
            let app = app.clone();
            async move { app.user(&format!("user{number}")).await }
        })).await;
        let adding = at_once(users.clone().into_iter().map(|user| {
            add(app.clone(), group.clone(), user)
        }));
        let deleting = at_once(users.clone().into_iter().map(|user| {
            let app = second.clone();
            async move { app.delete(&format!("/Users/{user}")).await }
        }));
        let (added, deleted) = futures_util::future::join(adding, deleting).await;
        assert_eq!(statuses(&added, 200) + statuses(&added, 204), 40, "{added:?}");
        assert_eq!(statuses(&deleted, 204), 40, "{deleted:?}");
        let shown = app.get(&format!("/Groups/{group}")).await.expect(200);
        assert_eq!(values(&shown.body, "members"), Vec::<String>::new());
    }

    async fn groups_deleted_while_members_are_added_answer_404_or_200_and_are_gone(app: TestApp) {
        let user = app.user("member").await;
        for round in 0..6 {
            let group = app.group(&format!("brief{round}"), &[]).await;
            let adding = at_once((0..4).map(|_| add(app.clone(), group.clone(), user.clone())));
            let path = format!("/Groups/{group}");
            let (added, deleted) = futures_util::future::join(adding, app.delete(&path)).await;
            deleted.expect(204);
            for reply in &added {
                assert!(matches!(reply.status, 200 | 204 | 404), "{reply:?}");
            }
            app.get(&path).await.expect(404);
        }
        let shown = app.get(&format!("/Users/{user}")).await.expect(200);
        assert_eq!(values(&shown.body, "groups"), Vec::<String>::new());
    }
}
