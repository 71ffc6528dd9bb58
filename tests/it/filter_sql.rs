//! Filters mean the same in memory and in SQL, on both databases.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::test_runner::TestRunner;
use serde_json::Value;
use usher::scim::filter::eval::{matches, matches_element};
use usher::scim::filter::{
    Binding, Bound, Filter, Grammar, Target, Unknown, bind, bind_elements, parse,
};
use usher::scim::fold::Doc;
use usher::scim::quirks::Quirks;
use usher::scim::resource_type::Registry;
use usher::store::Sql;
use usher::store::filter::{World, condition, member_condition};

use crate::filter_graph::{
    BASE, Edges, connect, draw, find_all, labels, people, rendered, store_all,
};
use crate::filter_order::compare_orders;
use crate::filter_world::{Derived, document, filter, inner, thing};
use crate::support::people::tenant;
use crate::support::{Db, each_db};

/// How often what was met.
#[derive(Default)]
struct Tally {
    met: BTreeMap<String, usize>,
    pairs: usize,
    matching: usize,
}

impl Tally {
    fn note(&mut self, what: String) {
        *self.met.entry(what).or_default() += 1;
    }

    fn bound(&mut self, bound: &Bound<'_>, full: &Doc) {
        match bound {
            Bound::And(terms) | Bound::Or(terms) => {
                for term in terms {
                    self.bound(term, full);
                }
            }
            Bound::Not(inner) => self.bound(inner, full),
            Bound::Never => {}
            Bound::Present(target) => self.target("pr", target, full),
            Bound::Compare { target, op, .. } => self.target(op.token(), target, full),
            Bound::Within { target, filter } => {
                self.target("[ ]", target, full);
                self.bound(filter, &Doc::new());
            }
        }
    }

    fn target(&mut self, op: &str, target: &Target<'_>, full: &Doc) {
        self.note(format!("operator {op}"));
        self.note(format!("type {:?}", target.leaf().kind));
        if target.attribute.multi || target.leaf().multi {
            self.note("several values".to_owned());
        }
        let root = target
            .extension
            .map_or(Some(full), |schema| full.get(&schema.id).and_then(Value::as_object));
        if !root.is_some_and(|root| root.contains_key(&target.attribute.name)) {
            self.note("absent".to_owned());
        }
    }

    /// Prints the counts, and holds that they say something.
    fn report(&self, name: &str, needed: &[&str]) {
        let share = self.matching * 100 / self.pairs;
        println!("{name}: {} pairs, {share} % match, {:?}", self.pairs, self.met);
        assert!(self.pairs >= 2_000 && (20..=80).contains(&share));
        for what in needed {
            assert!(self.met.get(*what).is_some_and(|count| *count >= 20), "{what} is too rare");
        }
    }
}

/// Compares SQL with memory for every filter and every full document.
async fn compare(
    db: &Db,
    world: &World<'_>,
    filters: &[Filter],
    full: &[(String, Doc)],
    tally: &mut Tally,
) {
    let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
    let mut statements = Vec::new();
    let mut all = Vec::new();
    for filter in filters {
        // What is sent is text: the way there and back belongs to what is proven.
        let text = filter.to_string();
        let grammar = Grammar { max_len: usize::MAX, ..Grammar::of(Quirks::NONE) };
        let bound = bind(world.rt, &parse(&text, grammar).unwrap(), rules)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut sql = Sql::new("SELECT r.id FROM resources r WHERE r.tenant = ");
        sql.bind(world.tenant).push(" AND r.kind = ").bind(world.rt.name.as_str()).push(" AND ");
        condition(&mut sql, db.store.dialect(), world, &bound);
        statements.push((text, sql));
        all.push(bound);
    }
    let found = find_all(&db.store, statements.clone()).await;
    for ((bound, found), (text, sql)) in all.iter().zip(&found).zip(&statements) {
        for (id, doc) in full {
            let expected = matches(bound, doc);
            assert_eq!(
                found.contains(id),
                expected,
                "\nfilter: {text}\nsql: {}\ndocument: {}",
                sql.text,
                Value::Object(doc.clone())
            );
            tally.pairs += 1;
            tally.matching += usize::from(expected);
            tally.bound(bound, doc);
        }
    }
}

/// Compares the members that SQL selects with those that the filter means.
async fn compare_members(db: &Db, world: &World<'_>, filters: &[Filter], full: &[(String, Doc)]) {
    let members = world.rt.core("members").unwrap();
    let statements: Vec<(String, Sql)> = filters
        .iter()
        .map(|filter| {
            let bound = bind_elements(members, filter, Quirks::ALL).unwrap();
            let mut sql = Sql::new("SELECT m.group_id || ' ' || m.member_id FROM members m WHERE ");
            member_condition(&mut sql, db.store.dialect(), world, &bound);
            (filter.to_string(), sql)
        })
        .collect();
    let found = find_all(&db.store, statements).await;
    for (filter, found) in filters.iter().zip(&found) {
        let bound = bind_elements(members, filter, Quirks::ALL).unwrap();
        let expected: HashSet<String> = full
            .iter()
            .flat_map(|(id, doc)| {
                let rows = doc.get("members").and_then(Value::as_array);
                let rows = rows.into_iter().flatten().filter(|row| matches_element(&bound, row));
                rows.map(move |row| format!("{id} {}", row["value"].as_str().unwrap()))
            })
            .collect();
        assert_eq!(found.iter().cloned().collect::<HashSet<_>>(), expected, "{filter}");
    }
}

const NEEDED: [&str; 21] = [
    "operator eq",
    "operator ne",
    "operator co",
    "operator sw",
    "operator ew",
    "operator gt",
    "operator ge",
    "operator lt",
    "operator le",
    "operator pr",
    "operator [ ]",
    "type String",
    "type Boolean",
    "type Integer",
    "type DateTime",
    "type Reference",
    "type Complex",
    "several values",
    "absent",
    "type Decimal",
    "type Binary",
];

each_db! {
    /// Proves SCIM-214.
    async fn hundreds_of_conditions_are_planned_quickly(db: Db) {
        let registry = Registry::standard();
        let rt = registry.by_name("User").unwrap();
        let world = World { tenant: "t", rt, registry: &registry, base: BASE };
        let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
        for term in [
            "emails pr", "active eq true", "userName eq \"a\"", "emails[value eq \"a\"]",
            "groups.value eq \"a\"", "groups.type eq \"direct\"", "groups pr",
        ] {
            for word in [" or ", " and "] {
                let filter = vec![term; 8_192 / (term.len() + 5)].join(word);
                let bound = bind(rt, &parse(&filter, Grammar::of(Quirks::ALL)).unwrap(), rules);
                let mut sql = Sql::new("SELECT r.id FROM resources r WHERE ");
                condition(&mut sql, db.store.dialect(), &world, &bound.unwrap());
                let start = std::time::Instant::now();
                assert!(find_all(&db.store, vec![(filter, sql)]).await[0].is_empty());
                let needed = start.elapsed();
                assert!(needed.as_secs() < 10, "{term}{word}…: {needed:?}");
            }
        }
    }

    /// Proves SCIM-215, SCIM-219, SCIM-220, SCIM-221, SCIM-222, SCIM-223, SCIM-225, SCIM-230,
    /// SCIM-231, SCIM-232, SCIM-233, SCIM-234, SCIM-235, SCIM-236, SCIM-237, SCIM-471.
    async fn sql_finds_what_the_filter_means_for_attributes_of_every_type(db: Db) {
        let mut runner = TestRunner::deterministic();
        let registry = Registry::standard().with(thing());
        let rt = registry.by_name("Thing").unwrap();
        let owner = tenant(&db.store, "acme").await;
        let strategy = document(rt);
        let docs: Vec<_> =
            (0..60).map(|n| (format!("d{n}"), draw(&mut runner, &strategy))).collect();
        store_all(&db.store, &owner, rt, &docs).await;
        let (none, links) = (Edges::new(), HashMap::new());
        let full: Vec<_> = docs
            .iter()
            .map(|one| (one.0.clone(), rendered(&registry, rt, one, &none, &links)))
            .collect();
        let ids = vec!["d1".to_owned(), "d30".to_owned(), "d".to_owned()];
        let derived = Derived { addresses: vec![format!("{BASE}/Things/d1"), BASE.to_owned()], ids };
        let strategy = filter(rt, &derived);
        let filters: Vec<_> = (0..500).map(|_| draw(&mut runner, &strategy)).collect();
        let world = World { tenant: owner.as_str(), rt, registry: &registry, base: BASE };
        let mut tally = Tally::default();
        compare(&db, &world, &filters, &full, &mut tally).await;
        tally.report(&format!("{:?}", db.store.dialect()), &NEEDED);
        compare_orders(&db, &world, &full).await;
    }

    /// Proves SCIM-218, SCIM-239.
    async fn sql_finds_what_the_filter_means_for_groups_members_managers_and_accounts(db: Db) {
        let mut runner = TestRunner::deterministic();
        let registry = Registry::standard();
        let owner = tenant(&db.store, "acme").await;
        let (users, groups) = (people(&mut runner, &registry, "User", 'u'),
            people(&mut runner, &registry, "Group", 'g'));
        let accounts = people(&mut runner, &registry, "Account", 'a');
        for (kind, docs) in [("User", &users), ("Group", &groups), ("Account", &accounts)] {
            store_all(&db.store, &owner, registry.by_name(kind).unwrap(), docs).await;
        }
        let edges = connect(&db.store, &owner, &mut runner, &users, &groups).await;
        let ids = ["u1", "u2", "g1", "g2", "g3", "a1", "u", "gone"].map(str::to_owned).to_vec();
        let addresses = ["/Users/u1", "/Groups/g1", "/Groups/g2", "/Accounts/a1", "/Users"]
            .map(|end| format!("{BASE}{end}")).to_vec();
        let derived = Derived { ids, addresses };
        let links = labels(&registry, &users, &groups, &accounts);
        let mut tally = Tally::default();
        for (kind, docs) in [("User", &users), ("Group", &groups)] {
            let rt = registry.by_name(kind).unwrap();
            let full: Vec<_> = docs
                .iter()
                .map(|one| (one.0.clone(), rendered(&registry, rt, one, &edges, &links)))
                .collect();
            let strategy = filter(rt, &derived);
            let filters: Vec<_> = (0..300).map(|_| draw(&mut runner, &strategy)).collect();
            let world = World { tenant: owner.as_str(), rt, registry: &registry, base: BASE };
            compare(&db, &world, &filters, &full, &mut tally).await;
            compare_orders(&db, &world, &full).await;
            if kind == "Group" {
                let strategy = inner(rt.core("members").unwrap(), &derived);
                let filters: Vec<_> = (0..200).map(|_| draw(&mut runner, &strategy)).collect();
                compare_members(&db, &world, &filters, &full).await;
            }
        }
        tally.report(&format!("{:?}", db.store.dialect()), &["operator [ ]", "several values"]);
    }
}
