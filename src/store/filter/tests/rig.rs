//! A small world in SQLite.

use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::scim::filter::{Binding, Grammar, Unknown, bind, parse};
use crate::scim::fold;
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::Registry;
use crate::scim::urn;
use crate::store::dialect::literal;
use crate::store::filter::{World, condition};
use crate::store::{Dialect, Sql};

pub(super) const BASE: &str = "https://x/scim/v2";

pub(super) struct Rig {
    sqlite: rusqlite::Connection,
    registry: Registry,
}

impl Rig {
    /// Four users and three groups: g1 holds u1 and g2, g2 holds u2 and g3, g3 holds u3 and g1.
    pub(super) fn new() -> Self {
        let sqlite = rusqlite::Connection::open_in_memory().unwrap();
        for migration in [
            include_str!("../../migrations/sqlite/0001_init.sql"),
            include_str!("../../migrations/sqlite/0002_scale.sql"),
        ] {
            sqlite.execute_batch(migration).unwrap();
        }
        let rig = Self { sqlite, registry: Registry::standard() };
        let enterprise = |manager: &str| json!({ "manager": { "value": manager } });
        rig.add(
            "User",
            "u1",
            10,
            &json!({
                "userName": "Ann", "externalId": "E1", "title": "100%", "active": true,
                "name": { "familyName": "Straße" },
                "emails": [
                    { "value": "ann@home.example", "type": "home" },
                    { "value": "ann@work.example", "type": "work", "primary": true },
                ],
            }),
        );
        rig.add(
            "User",
            "u2",
            20,
            &json!({
                "userName": "Bob", "displayName": "Bobby", "title": "1000", "active": false,
                "emails": [{ "value": "bob@work.example", "type": "home" }],
                urn::ENTERPRISE: enterprise("u1"),
            }),
        );
        rig.add(
            "User",
            "u3",
            30,
            &json!({
                "userName": "cy", "nickName": "", "name": { "givenName": "Cy" },
                urn::ENTERPRISE: enterprise("gone"),
            }),
        );
        rig.add("User", "u4", 40, &json!({ "userName": "x".repeat(600), "active": true }));
        for (id, name) in [("g1", "Night"), ("g2", "Day"), ("g3", "Rest")] {
            rig.add("Group", id, 5, &json!({ "displayName": name }));
        }
        let edges =
            [("g1", "u1"), ("g1", "g2"), ("g2", "u2"), ("g2", "g3"), ("g3", "u3"), ("g3", "g1")];
        for (group, member) in edges {
            let kind = if member.starts_with('u') { "User" } else { "Group" };
            let sql = "INSERT INTO members VALUES ('t', ?1, ?2, ?3)";
            rig.sqlite.execute(sql, [group, member, kind]).unwrap();
        }
        rig
    }

    pub(super) fn add(&self, kind: &str, id: &str, at: i64, doc: &Value) {
        let rt = self.registry.by_name(kind).unwrap();
        let doc = doc.as_object().unwrap();
        let folded = fold::document(rt, doc);
        let sql = "INSERT INTO resources VALUES ('t', ?1, ?2, '{}', ?3, ?4, 3, ?5, ?5)";
        let row = rusqlite::params![kind, id, folded, fold::label(rt, doc), at];
        self.sqlite.execute(sql, row).unwrap();
        for entry in fold::index_entries(rt, doc) {
            let sql = "INSERT INTO attr_index VALUES ('t', ?1, ?2, ?3, ?4)";
            self.sqlite.execute(sql, [kind, &entry.attr, &entry.value, id]).unwrap();
        }
    }

    pub(super) fn world<'w>(&'w self, kind: &str) -> World<'w> {
        World {
            tenant: "t",
            rt: self.registry.by_name(kind).unwrap(),
            registry: &self.registry,
            base: BASE,
        }
    }

    pub(super) fn filter(&self, kind: &str, filter: &str) -> Sql {
        let world = self.world(kind);
        let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
        let filter = parse(filter, Grammar::of(Quirks::ALL)).unwrap();
        let bound = bind(world.rt, &filter, rules).unwrap();
        let mut sql = Sql::new("SELECT r.id FROM resources r WHERE r.tenant = 't' AND r.kind = ");
        sql.push(&literal(kind)).push(" AND ");
        condition(&mut sql, Dialect::Sqlite, &world, &bound);
        sql.push(" ORDER BY r.id");
        sql
    }

    /// The first column that is text, of every row, with spaces between.
    pub(super) fn rows(&self, sql: &Sql, column: usize) -> String {
        let mut statement = self.sqlite.prepare(&sql.text).unwrap_or_else(|error| {
            panic!("{error}: {}", sql.text);
        });
        for (place, value) in sql.binds.iter().enumerate() {
            let cell = match value {
                crate::store::Value::Int(number) => number.map_or(Cell::Null, Cell::Integer),
                crate::store::Value::Real(number) => Cell::Real(*number),
                crate::store::Value::Text(text) => text.clone().map_or(Cell::Null, Cell::Text),
                crate::store::Value::Json(text) => Cell::Text(text.clone()),
                crate::store::Value::Texts(_) => panic!("a list in {}", sql.text),
            };
            let index = statement.parameter_index(&format!("${}", place + 1)).unwrap().unwrap();
            statement.raw_bind_parameter(index, cell).unwrap();
        }
        let mut rows = statement.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push(row.get::<_, String>(column).unwrap());
        }
        found.join(" ")
    }

    pub(super) fn check(&self, kind: &str, table: &[(&str, &str)]) {
        for (filter, expected) in table {
            let sql = self.filter(kind, filter);
            assert_eq!(self.rows(&sql, 0), *expected, "{filter}: {}", sql.text);
        }
    }
}
