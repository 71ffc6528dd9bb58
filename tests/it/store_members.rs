//! Group membership.

use usher::clock::Micros;
use usher::ids::TenantId;
use usher::store::members::{self, Added};
use usher::store::resources::{self, Entries, Key};
use usher::store::{Error, Store, Tx};

use crate::support::people::{add, tenant, version};
use crate::support::{Db, each_db};

/// A tenant with three users and three groups.
struct Crew {
    store: Store,
    tenant: TenantId,
    users: Vec<String>,
    groups: Vec<String>,
}

impl Crew {
    async fn of(db: &Db) -> Self {
        let (store, tenant) = (db.store.clone(), tenant(&db.store, "acme").await);
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for number in 0..3 {
            users.push(add(&store, &tenant, "User", &format!("u{number}")).await.unwrap());
            groups.push(add(&store, &tenant, "Group", &format!("g{number}")).await.unwrap());
        }
        Self { store, tenant, users, groups }
    }

    async fn add(&self, group: usize, ids: &[&str]) -> Added {
        let (tenant, group) = (self.tenant.clone(), self.groups[group].clone());
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let done =
            self.store.write_apart(async move |tx| members::add(tx, &tenant, &group, &ids).await);
        done.await.unwrap()
    }

    async fn of_group(&self, group: usize) -> Vec<String> {
        let (tenant, groups) = (self.tenant.clone(), vec![self.groups[group].clone()]);
        let found =
            self.store.read(async move |tx| members::of_groups(tx, &tenant, &groups).await).await;
        found.unwrap().into_iter().map(|member| member.id).collect()
    }

    /// Member, group's label, direct.
    async fn groups_of(&self, ids: &[&String]) -> Vec<(String, String, bool)> {
        let (tenant, ids) = (self.tenant.clone(), ids.iter().copied().cloned().collect::<Vec<_>>());
        let found =
            self.store.read(async move |tx| members::groups_of(tx, &tenant, &ids).await).await;
        found.unwrap().into_iter().map(|it| (it.member, it.label, it.direct)).collect()
    }

    async fn delete(&self, kind: &'static str, id: &str) -> bool {
        let (tenant, id) = (self.tenant.clone(), id.to_owned());
        let done = self.store.write_apart(async move |tx| {
            let key = Key { tenant: &tenant, kind, id: &id };
            resources::delete(tx, key, &Entries::default(), Micros(7)).await
        });
        done.await.unwrap()
    }
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().copied().cloned().collect();
    ids.sort();
    ids
}

each_db! {
    async fn members_are_added_once_and_listed_by_id(db: Db) {
        let crew = Crew::of(&db).await;
        let [one, two, _] = &crew.users[..] else { panic!() };
        assert_eq!(crew.add(0, &[one, two, one]).await.added, 2);
        assert_eq!(crew.add(0, &[two, &crew.users[2]]).await.added, 1);
        assert_eq!(crew.of_group(0).await, sorted(&crew.users.iter().collect::<Vec<_>>()));
        assert_eq!(crew.of_group(1).await, [""; 0]);
        for (most, more) in [(0, true), (2, true), (3, false), (i64::MAX, false)] {
            let (tenant, group) = (crew.tenant.clone(), crew.groups[0].clone());
            let look = async move |tx: &mut Tx<'_>| {
                members::more_than(tx, &tenant, &group, most).await
            };
            assert_eq!(crew.store.read(look).await, Ok(more), "{most}");
        }
        let mut paged = Vec::new();
        while paged.len() < 3 {
            let (tenant, group) = (crew.tenant.clone(), crew.groups[0].clone());
            let after = paged.last().cloned().unwrap_or_default();
            let two = members::Piece { after, count: 2, labels: true };
            let look = async move |tx: &mut Tx<'_>| {
                members::piece(tx, &tenant, &group, &two).await
            };
            let page = crew.store.read(look).await.unwrap();
            assert!(page.iter().all(|member| member.label.starts_with('u')), "{page:?}");
            paged.extend(page.into_iter().map(|member| member.id));
        }
        assert_eq!(paged, crew.of_group(0).await);
    }

    async fn an_unknown_member_is_named_and_the_others_are_added(db: Db) {
        let crew = Crew::of(&db).await;
        let stranger = tenant(&db.store, "other").await;
        let stranger = add(&db.store, &stranger, "User", "stranger").await.unwrap();
        let done = crew.add(0, &[&crew.users[0], "nobody", &stranger]).await;
        assert_eq!(done.unknown, sorted(&[&"nobody".to_owned(), &stranger]));
        assert_eq!((done.added, crew.of_group(0).await), (1, sorted(&[&crew.users[0]])));
    }

    async fn a_group_cannot_contain_itself_at_any_depth(db: Db) {
        let crew = Crew::of(&db).await;
        let [a, b, c] = &crew.groups[..] else { panic!() };
        assert_eq!(crew.add(0, &[a]).await.cycles, sorted(&[a]));
        assert_eq!(crew.add(0, &[b]).await.added, 1);
        assert_eq!(crew.add(1, &[c]).await.added, 1);
        assert_eq!(crew.add(2, &[a, &crew.users[0]]).await.cycles, sorted(&[a]));
        assert_eq!(crew.add(2, &[b]).await.cycles, sorted(&[b]));
        assert_eq!(crew.of_group(2).await, [""; 0]);
        assert_eq!(crew.add(0, &[c]).await.added, 1, "two ways down are no circle");
    }

    async fn two_changes_that_would_close_a_circle_together_cannot_both_win(db: Db) {
        let crew = Crew::of(&db).await;
        for _ in 0..10 {
            let [a, b, _] = &crew.groups[..] else { panic!() };
            let (there, back) =
                futures_util::future::join(crew.add(0, &[b]), crew.add(1, &[a])).await;
            assert_eq!(there.added + back.added, 1, "{there:?} {back:?}");
            for group in [a, b] {
                let (tenant, group) = (crew.tenant.clone(), group.clone());
                crew.store.write_apart(async move |tx| members::clear(tx, &tenant, &group).await)
                    .await.unwrap();
            }
        }
    }

    async fn groups_are_found_through_groups(db: Db) {
        let crew = Crew::of(&db).await;
        let [user, other, _] = &crew.users[..] else { panic!() };
        crew.add(0, &[user]).await;
        crew.add(1, &[&crew.groups[0], other]).await;
        crew.add(2, &[&crew.groups[1], user]).await;
        let found = crew.groups_of(&[user, other]).await;
        let of = |who: &String| {
            let mut of: Vec<_> = found.iter().filter(|it| it.0 == *who)
                .map(|it| (it.1.as_str(), it.2)).collect();
            of.sort_unstable();
            of
        };
        assert_eq!(of(user), [("g0", true), ("g1", false), ("g2", true)]);
        assert_eq!(of(other), [("g1", true), ("g2", false)]);
        assert_eq!(crew.groups_of(&[]).await, []);
    }

    async fn members_are_removed_by_id_by_condition_and_altogether(db: Db) {
        let crew = Crew::of(&db).await;
        let users: Vec<&str> = crew.users.iter().map(String::as_str).collect();
        crew.add(0, &users).await;
        crew.add(1, &users).await;
        let (tenant, group) = (crew.tenant.clone(), crew.groups[0].clone());
        let ids = vec![crew.users[0].clone(), "nobody".to_owned()];
        let done = crew.store.write_apart::<_, Error, _>(async move |tx| {
            let by_id = members::remove(tx, &tenant, &group, &ids).await?;
            let again = members::remove(tx, &tenant, &group, &ids).await?;
            let by_name = members::remove_where(tx, &tenant, &group, |sql| {
                sql.push("x.label = ").bind("u1").push(" AND m.member_kind = ").bind("User");
            }).await?;
            let rest = members::clear(tx, &tenant, &group).await?;
            Ok((by_id, again, by_name, rest))
        }).await;
        assert_eq!(done, Ok((1, 0, 1, 1)));
        assert_eq!(crew.of_group(1).await.len(), 3, "the other group keeps its members");
    }

    async fn replacing_members_touches_the_differences_only(db: Db) {
        let crew = Crew::of(&db).await;
        let [a, b, c] = &crew.users[..] else { panic!() };
        crew.add(0, &[a, b]).await;
        for (ids, expected) in [
            (vec![b, c], (1, 0, 1)),
            (vec![b, c], (0, 0, 0)),
            (vec![a, &"nobody".to_owned()], (1, 1, 2)),
            (vec![], (0, 0, 1)),
        ] {
            let (tenant, group) = (crew.tenant.clone(), crew.groups[0].clone());
            let ids: Vec<String> = ids.into_iter().cloned().collect();
            let (added, removed) = crew.store.write_apart(async move |tx| {
                members::replace(tx, &tenant, &group, &ids).await
            }).await.unwrap();
            assert_eq!((added.added, added.unknown.len(), removed), expected);
        }
        assert_eq!(crew.of_group(0).await, [""; 0]);
    }

    async fn forty_who_add_members_to_one_group_at_once_lose_none(db: Db) {
        let crew = Crew::of(&db).await;
        let mut users = Vec::new();
        for number in 0..80 {
            let name = format!("many{number}");
            users.push(add(&crew.store, &crew.tenant, "User", &name).await.unwrap());
        }
        let all = users.chunks(2).map(|pair| {
            let (tenant, group, pair) =
                (crew.tenant.clone(), crew.groups[0].clone(), pair.to_vec());
            crew.store.write_apart::<_, Error, _>(async move |tx| {
                let key = Key { tenant: &tenant, kind: "Group", id: &group };
                resources::find(tx, key).await?;
                members::add(tx, &tenant, &group, &pair).await?;
                resources::touch(tx, key, Micros(1)).await
            })
        });
        for done in futures_util::future::join_all(all).await {
            done.unwrap();
        }
        assert_eq!(crew.of_group(0).await, sorted(&users.iter().collect::<Vec<_>>()));
        assert_eq!(version(&crew.store, &crew.tenant, "Group", &crew.groups[0]).await, 41);
    }

    async fn a_deleted_user_leaves_its_groups_which_count_a_change(db: Db) {
        let crew = Crew::of(&db).await;
        let [user, other, _] = &crew.users[..] else { panic!() };
        crew.add(0, &[user, other]).await;
        crew.add(1, &[user]).await;
        assert!(crew.delete("User", user).await);
        assert_eq!(crew.of_group(0).await, sorted(&[other]));
        assert_eq!(crew.of_group(1).await, [""; 0]);
        for (group, expected) in [(0, 2), (1, 2), (2, 1)] {
            let found = version(&crew.store, &crew.tenant, "Group", &crew.groups[group]).await;
            assert_eq!(found, expected);
        }
        assert_eq!(crew.add(0, &[user]).await.unknown, sorted(&[user]));
    }

    async fn a_deleted_group_takes_its_edges_in_both_directions(db: Db) {
        let crew = Crew::of(&db).await;
        let [user, ..] = &crew.users[..] else { panic!() };
        crew.add(0, &[user]).await;
        crew.add(1, &[&crew.groups[0]]).await;
        assert!(crew.delete("Group", &crew.groups[0]).await);
        assert_eq!(crew.groups_of(&[user]).await, []);
        assert_eq!(crew.of_group(1).await, [""; 0]);
        assert_eq!(version(&crew.store, &crew.tenant, "Group", &crew.groups[1]).await, 2);
        assert_eq!(version(&crew.store, &crew.tenant, "User", user).await, 1);
    }

    async fn joining_and_deleting_at_once_leave_no_edge_to_nobody(db: Db) {
        let crew = Crew::of(&db).await;
        for number in 0..10 {
            let user = add(&crew.store, &crew.tenant, "User", &format!("x{number}")).await.unwrap();
            let joins = (0..3).map(|group| {
                let (crew, user) = (&crew, user.as_str());
                async move { crew.add(group, &[user]).await }
            });
            let joined = futures_util::future::join_all(joins);
            let (_, deleted) = futures_util::future::join(joined, crew.delete("User", &user)).await;
            assert!(deleted);
            assert_eq!(crew.groups_of(&[&user]).await, []);
        }
        for group in 0..3 {
            assert_eq!(crew.of_group(group).await, [""; 0]);
        }
    }
}
