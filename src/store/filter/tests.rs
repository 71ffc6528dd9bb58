use super::*;
use crate::scim::filter::{Grammar, bind_elements, parse, sortable};
use crate::scim::path::AttrPath;
use crate::scim::quirks::Quirks;
use crate::scim::urn;
use crate::store::dialect::literal;

mod rig;

use rig::{BASE, Rig};

/// Proves SCIM-215, SCIM-219, SCIM-220, SCIM-232, SCIM-233, SCIM-234, SCIM-235, SCIM-236.
#[test]
fn stored_values_are_compared_by_sql() {
    Rig::new().check(
        "User",
        &[
            ("userName eq \"ANN\"", "u1"),
            ("userName ne \"ANN\"", "u2 u3 u4"),
            ("userName gt \"B\" and userName lt \"d\"", "u2 u3"),
            ("userName sw \"B\" or userName ew \"N\"", "u1 u2"),
            ("title co \"100%\"", "u1"),
            ("title co \"\"", "u1 u2"),
            ("title sw \"100\"", "u1 u2"),
            ("title ew \"longer than it\"", ""),
            ("not (title eq \"1000\")", "u1 u3 u4"),
            ("title ne \"1000\"", "u1 u3 u4"),
            ("title pr", "u1 u2"),
            ("title eq null", "u3 u4"),
            ("nickName pr", ""),
            ("active pr", "u1 u2 u4"),
            ("active eq true", "u1 u4"),
            ("active ne true", "u2 u3"),
            ("name pr", "u1 u3"),
            ("name.familyName eq \"STRASSE\"", "u1"),
            ("name[familyName pr]", "u1"),
            ("name[not (familyName pr)]", "u3"),
            ("externalId eq \"e1\"", ""),
            ("externalId eq \"E1\"", "u1"),
            (&format!("userName eq \"{}\"", "X".repeat(600)), "u4"),
            (&format!("userName eq \"{}\"", "X".repeat(601)), ""),
            (&format!("{} pr", urn::ENTERPRISE), "u2 u3"),
        ],
    );
}

/// Proves SCIM-203, SCIM-230, SCIM-231, SCIM-239, SCIM-244.
#[test]
fn lists_are_searched_by_sql() {
    Rig::new().check(
        "User",
        &[
            ("emails.value eq \"ANN@home.example\"", "u1"),
            ("emails co \"work\"", "u1 u2"),
            ("emails.type ne \"work\"", "u2 u3 u4"),
            ("emails[type eq \"home\" and value co \"work\"]", "u2"),
            ("emails[type eq \"work\" and value eq \"ann@work.example\"]", "u1"),
            ("emails[type eq \"home\" and value eq \"ann@work.example\"]", ""),
            ("emails[not (primary eq true)]", "u1 u2"),
            ("emails[type eq \"work\"].value eq \"ann@work.example\"", "u1"),
            ("emails pr", "u1 u2"),
            ("userName eq \"ann\" or userName eq \"CY\"", "u1 u3"),
            ("userName eq \"ann\" or emails.value eq \"bob@work.example\"", "u1 u2"),
            ("userName eq \"ann\" or title eq \"1000\" or externalId eq \"E1\"", "u1 u2"),
            ("not (emails[primary pr])", "u2 u3 u4"),
            ("schemas pr", ""),
        ],
    );
}

/// Proves SCIM-222, SCIM-244.
#[test]
fn derived_values_are_compared_by_sql() {
    let address = format!("meta.location eq \"{BASE}/Users/u2\"");
    let manager = |rest: &str| format!("{}:manager.{rest}", urn::ENTERPRISE);
    Rig::new().check(
        "User",
        &[
            ("id eq \"u1\"", "u1"),
            ("id gt \"u2\"", "u3 u4"),
            ("id pr", "u1 u2 u3 u4"),
            ("meta.created gt \"1970-01-01T00:00:00.000020Z\"", "u3 u4"),
            ("meta.version eq \"W/\\\"3\\\"\"", "u1 u2 u3 u4"),
            ("meta.resourceType eq \"User\"", "u1 u2 u3 u4"),
            ("meta[lastModified le \"1970-01-01T00:00:00.000020+00:00\"]", "u1 u2"),
            ("meta pr", "u1 u2 u3 u4"),
            (&address, "u2"),
            (&manager("displayName eq \"ANN\""), "u2"),
            (&manager("displayName pr"), "u2"),
            (&manager("$ref ew \"/Users/u1\""), "u2"),
            (&manager("value eq \"gone\""), "u3"),
        ],
    );
}

/// Proves SCIM-244.
#[test]
fn memberships_are_searched_in_both_directions() {
    let rig = Rig::new();
    rig.check(
        "User",
        &[
            ("groups.value eq \"g1\"", "u1 u2 u3"),
            ("groups.value ne \"g3\"", "u4"),
            ("groups[value eq \"g1\" and type eq \"direct\"]", "u1"),
            ("groups[value eq \"g1\" and type eq \"indirect\"]", "u2 u3"),
            ("groups.display eq \"NIGHT\"", "u1 u2 u3"),
            ("groups.type eq \"direct\" and groups.value co \"g2\"", "u1 u2 u3"),
            ("groups pr", "u1 u2 u3"),
            ("not (groups pr)", "u4"),
            ("groups.$ref ew \"/Groups/g3\"", "u1 u2 u3"),
        ],
    );
    rig.check(
        "Group",
        &[
            ("members eq \"u1\"", "g1"),
            ("id eq \"g1\" and members eq \"u1\"", "g1"),
            ("members[value eq \"u1\" and type eq \"Group\"]", ""),
            ("members[value sw \"g\" and type eq \"group\"]", "g1 g2 g3"),
            ("members.display eq \"BOBBY\"", "g2"),
            ("members.$ref ew \"/Users/u3\"", "g3"),
            ("members.value ne \"u1\"", "g2 g3"),
            ("members pr and displayName eq \"night\"", "g1"),
        ],
    );
}

#[test]
fn members_can_be_selected_by_an_inner_filter() {
    let rig = Rig::new();
    let world = rig.world("Group");
    let members = world.rt.core("members").unwrap();
    for (filter, expected) in [
        ("type eq \"User\"", "u1 u2 u3"),
        ("display eq \"day\" or value eq \"u1\"", "g2 u1"),
        ("not (type eq \"user\")", "g1 g2 g3"),
    ] {
        let filter = parse(filter, Grammar::of(Quirks::ALL)).unwrap();
        let bound = bind_elements(members, &filter, Quirks::ALL).unwrap();
        let mut sql = Sql::new("SELECT m.member_id FROM members m WHERE ");
        member_condition(&mut sql, Dialect::Sqlite, &world, &bound);
        sql.push(" ORDER BY m.member_id");
        assert_eq!(rig.rows(&sql, 0), expected, "{}", sql.text);
    }
}

/// Proves SCIM-214.
#[test]
fn long_lists_of_conditions_are_no_trouble() {
    let rig = Rig::new();
    for (term, count, expected) in [
        ("id eq \"u1\"", 540, "u1"),
        ("title pr", 580, "u1 u2"),
        ("emails pr", 540, "u1 u2"),
        ("active eq true", 380, "u1 u4"),
        ("userName eq \"ann\"", 330, "u1"),
        ("emails[value eq \"ann@work.example\"]", 170, "u1"),
        ("groups.type eq \"direct\"", 260, "u1 u2 u3"),
        ("groups.value eq \"g1\"", 260, "u1 u2 u3"),
    ] {
        for word in [" or ", " and "] {
            let wide = vec![term; count].join(word);
            assert_eq!(rig.rows(&rig.filter("User", &wide), 0), expected, "{term}{word}…");
        }
    }
    let deep = format!("{}id pr", "not ".repeat(48));
    assert_eq!(rig.rows(&rig.filter("User", &deep), 0), "u1 u2 u3 u4");
}

/// Proves SCIM-244.
#[test]
fn what_identity_providers_ask_for_is_looked_up_and_not_scanned() {
    let rig = Rig::new();
    for (kind, filter) in [
        ("User", "userName eq \"ann\""),
        ("User", "externalId eq \"E1\""),
        ("User", "emails[value eq \"a\"]"),
        ("User", "emails[type eq \"work\" and value eq \"a\"]"),
        ("User", "title co \"x\" and userName eq \"ann\" and active eq true"),
        ("User", "groups.value eq \"g1\""),
        ("User", "id eq \"u1\""),
        ("User", "userName eq \"a\" or userName eq \"b\" or emails.value eq \"c\""),
        ("Group", "displayName eq \"x\""),
        ("Group", "members[value eq \"u1\"]"),
        ("Group", "id eq \"g1\" and members eq \"u1\""),
    ] {
        let mut sql = rig.filter(kind, filter);
        sql.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        let plan = rig.rows(&sql, 3);
        let wanted = "SEARCH r USING COVERING INDEX sqlite_autoindex_resources_1 (tenant=? AND kind=? AND id=?)";
        let found = plan.contains(wanted) || plan.contains(&wanted.replace("COVERING ", ""));
        assert!(found && !plan.contains("SCAN r"), "{filter}: {plan}\n{}", sql.text);
    }
}

/// Proves SCIM-244.
#[test]
fn groups_in_groups_are_followed_edge_by_edge() {
    let rig = Rig::new();
    for (filter, wanted) in [
        ("groups.value eq \"g1\"", "d"),
        ("groups.display eq \"x\"", "d"),
        ("groups[value eq \"g1\" and type eq \"direct\"]", "d"),
        ("groups.value sw \"g\"", "u"),
        ("groups.type eq \"direct\" and groups.value co \"g2\"", "u"),
    ] {
        let mut sql = rig.filter("User", filter);
        sql.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        let plan = rig.rows(&sql, 3);
        let (one, key) = if wanted == "d" { ("d", "group_id=?") } else { ("u", "member_id=?") };
        assert!(plan.contains(&format!("SEARCH {one} USING")), "{filter}: {plan}\n{}", sql.text);
        for step in plan.split("SEARCH ").filter(|step| step.starts_with(&format!("{one} "))) {
            let step = step.split(')').next().unwrap();
            assert!(
                step.contains(&format!("tenant=? AND {key}")),
                "{filter}: {step}\n{}",
                sql.text
            );
        }
        for scanned in ["SCAN d ", "SCAN u ", "SCAN m "] {
            assert!(!format!("{plan} ").contains(scanned), "{filter}: {plan}");
        }
        let holders = plan.split("SEARCH ").filter(|step| step.starts_with("m "));
        for step in holders {
            assert!(step.contains("tenant=? AND group_id=?"), "{filter}: {plan}");
        }
    }
}

/// Proves SCIM-247, SCIM-249, SCIM-250, SCIM-252, SCIM-253, SCIM-254, SCIM-255.
#[test]
fn resources_are_sorted_by_sql() {
    let rig = Rig::new();
    let sorted = |kind: &str, path: &str, descending: bool| {
        let world = rig.world(kind);
        let target = sortable(world.rt, &AttrPath::parse(path).unwrap()).unwrap();
        let mut sql = Sql::new("SELECT r.id FROM resources r WHERE r.kind = ");
        sql.push(&literal(kind)).push(" ORDER BY ");
        sort_key(&mut sql, Dialect::Sqlite, &world, Some(&target), Sorted::of(&target));
        sql.push(if descending { " DESC NULLS FIRST, r.id DESC" } else { " NULLS LAST, r.id" });
        rig.rows(&sql, 0)
    };
    for (path, up) in [
        ("userName", "u1 u2 u3 u4"),
        ("title", "u1 u2 u3 u4"),
        ("active", "u2 u1 u4 u3"),
        ("emails", "u1 u2 u3 u4"),
        ("emails.type", "u2 u1 u3 u4"),
        ("meta.lastModified", "u1 u2 u3 u4"),
        ("groups.display", "u2 u1 u3 u4"),
        (&format!("{}:manager.displayName", urn::ENTERPRISE), "u2 u1 u3 u4"),
    ] {
        assert_eq!(sorted("User", path, false), up, "{path}");
        let down: Vec<_> = up.split(' ').rev().collect();
        assert_eq!(sorted("User", path, true), down.join(" "), "{path} descending");
    }
    assert_eq!(sorted("Group", "members.display", false), "g1 g3 g2");
}

/// Proves SCIM-221, SCIM-253.
#[test]
fn postgresql_compares_texts_by_code_point_whatever_its_locale() {
    let rig = Rig::new();
    let world = rig.world("User");
    let target = sortable(world.rt, &AttrPath::parse("title").unwrap()).unwrap();
    let bound = Bound::Compare { target, op: Op::Gt, key: Key::Text("b".to_owned()) };
    let mut sql = Sql::default();
    condition(&mut sql, Dialect::Postgres, &world, &bound);
    assert_eq!(sql.text, "((((r.folded ->> 'title')) COLLATE \"C\" > $1) IS TRUE)");
}

/// Proves SCIM-215.
#[test]
fn what_a_client_typed_is_only_ever_bound() {
    let rig = Rig::new();
    for filter in [
        "title eq \"§\"",
        "title co \"§\"",
        "emails[value eq \"§\" or type sw \"§\"]",
        "groups.value eq \"§\"",
        "groups[display eq \"§\"]",
        "id eq \"§\"",
        "meta.version ew \"§\"",
        "userName eq \"§\"",
    ] {
        let sql = rig.filter("User", &filter.replace('§', "x' OR 'a'='a"));
        assert!(!sql.text.contains("OR 'a'"), "{}", sql.text);
    }
}
