use super::*;
use crate::scim::filter::{Binding, Grammar, Unknown, bind, parse, sortable};
use crate::scim::path::AttrPath;
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::Registry;
use crate::store::filter::World;
use crate::store::migrations;

fn mark(key: Option<SortKey>) -> Mark {
    Mark { kind: "User".to_owned(), key, id: "i".to_owned(), inclusive: false }
}

/// Proves SCIM-290: no page costs more than another.
#[test]
fn every_walk_reads_its_index_in_order() {
    let sqlite = rusqlite::Connection::open_in_memory().unwrap();
    migrations::sqlite(&sqlite).unwrap();
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    let world = World { tenant: "t", rt, registry: &registry, base: "" };
    let part = Part::new(world, None);
    let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
    let filter = parse("title eq \"x\"", Grammar::of(Quirks::ALL)).unwrap();
    let bound = bind(rt, &filter, rules).unwrap();
    let title = sortable(rt, &AttrPath::parse("title").unwrap()).unwrap();
    let (attr, text) = ("userName".to_owned(), SortKey::Text(b"v".to_vec()));
    let entry = By::Entry { attr: attr.clone(), value: "v".to_owned() };
    let value = |prefix: &str| By::Value {
        attr: attr.clone(),
        sorted: Sorted::Text,
        prefix: prefix.to_owned(),
    };
    let walks = [
        (By::Id, None),
        (By::Time("created_at"), Some(SortKey::Int(1))),
        (By::Time("modified_at"), Some(SortKey::Int(1))),
        (entry, None),
        (By::States(vec!["a".to_owned()]), None),
        (By::States(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]), None),
        (value(""), Some(text.clone())),
        (value("v"), Some(text)),
    ];
    for (by, key) in walks {
        for (filter, down, after, skip) in [
            (None, false, None, 0),
            (None, true, Some(mark(key.clone())), 0),
            (None, false, None, 9),
            (Some(&bound), true, None, 0),
            (Some(&bound), false, Some(mark(key)), 0),
        ] {
            let slice = Slice { down, after, skip, count: 10 };
            for walk in
                [Walk::new(by.clone(), filter), Walk::new(By::Id, filter).of_those_without(title)]
            {
                let sql = walk.statement(Dialect::Sqlite, &part, &slice).text;
                let mut statement = sqlite.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                // Parameters that are not bound are NULL, which the plan does not look at.
                let (mut rows, mut plan) = (statement.raw_query(), String::new());
                while let Some(row) = rows.next().unwrap() {
                    plan.push_str(&row.get::<_, String>(3).unwrap());
                    plan.push_str(" / ");
                }
                assert!(!plan.contains("B-TREE"), "{sql}\n{plan}");
                let looks = plan.contains("SEARCH");
                assert!(looks && !plan.contains("SCAN r"), "{sql}\n{plan}");
            }
        }
    }
}

#[test]
fn what_comes_behind_a_beginning_is_the_next_code_point() {
    assert_eq!(behind("ab").as_deref(), Some("ac"));
    assert_eq!(behind("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
    assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
    assert_eq!((behind("\u{10ffff}"), behind("")), (None, None));
}
