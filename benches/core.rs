//! Benches of the pure core: `cargo bench --bench core`, or one of them by its name.

#![expect(clippy::unwrap_used, reason = "a harness stops at the first surprise")]

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::Value;
use usher::clock::Micros;
use usher::scim::accept::{self, Rules};
use usher::scim::filter::{self, Binding, Grammar, Unknown};
use usher::scim::json::{self, Limits};
use usher::scim::project::{Projection, Sent};
use usher::scim::quirks::Quirks;
use usher::scim::render::text::{Raw, Writer};
use usher::scim::render::{Parts, Renderer};
use usher::scim::resource_type::{Registry, ResourceType};
use usher::scim::{Doc, bulk, fold, patch};
use usher::store::filter::{World, condition};
use usher::store::{Dialect, Sql};

/// About 660 bytes, as identity providers send them.
const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"00u00000000000007654321","userName":"ines.moreau@northwind.example","name":{"givenName":"Ines","familyName":"Moreau","formatted":"Ines Moreau"},"displayName":"Ines Moreau","title":"Team Lead","locale":"en-US","active":true,"emails":[{"value":"ines.moreau@northwind.example","type":"work","primary":true}],"phoneNumbers":[{"value":"+1 555 7654321","type":"mobile"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-7654321","department":"Support"}}"#;
const LOOK_UP: &str = r#"userName eq "ines.moreau@northwind.example""#;
const SEARCH: &str = r#"(emails[type eq "work" and value ew "@northwind.example"] or title sw "Team") and not (active eq false) and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Support""#;
const DEACTIVATE: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}"#;
const RENAME: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"displayName":"Ines M.","name.familyName":"M."}},{"op":"replace","path":"emails[type eq \"work\"].value","value":"ines@northwind.example"},{"op":"add","path":"phoneNumbers","value":[{"value":"+1 555 1","type":"work"}]},{"op":"remove","path":"title"}]}"#;

fn rules() -> Rules {
    Rules::of(Quirks::ALL)
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn stored(kind: &ResourceType) -> Doc {
    accept::create(kind, body(USER), rules()).unwrap().doc
}

/// A stored user as a GET that asks for this shows it.
fn answer(
    registry: &Registry,
    kind: &ResourceType,
    projection: &Projection<'_>,
    stored: &str,
) -> String {
    let renderer =
        Renderer { registry, base: "https://scim.example.com/scim/v2", quirks: Quirks::ALL };
    let parts = Parts {
        id: "01a206b6-3bb0-7044-804f-b9b4deeb3f39",
        version: 3,
        created: Micros(1_700_000_000_000_000),
        modified: Micros(1_700_000_000_000_000),
        members: None,
        groups: Some(&[]),
        links: &HashMap::new(),
        counted: None,
    };
    let writer = Writer { renderer, rt: kind, projection, sent: &Sent::nothing() };
    writer.document(&Raw::of(kind, stored).unwrap(), &parts)
}

fn filters(bench: &mut Criterion) {
    let registry = Registry::standard();
    let kind = registry.by_name("User").unwrap();
    let grammar = Grammar::of(Quirks::ALL);
    let binding = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
    let world = World { tenant: "tenant", rt: kind, registry: &registry, base: "" };
    let text = serde_json::to_string(&stored(kind)).unwrap();
    let full = answer(&registry, kind, &Projection::everything(kind), &text);
    let full: Doc = serde_json::from_str(&full).unwrap();
    for (name, text) in [("look-up", LOOK_UP), ("search", SEARCH)] {
        bench.bench_function(&format!("filter parse, {name}"), |bencher| {
            bencher.iter(|| filter::parse(black_box(text), grammar));
        });
        let parsed = filter::parse(text, grammar).unwrap();
        for (database, dialect) in [("SQLite", Dialect::Sqlite), ("PostgreSQL", Dialect::Postgres)]
        {
            bench.bench_function(&format!("filter to SQL of {database}, {name}"), |bencher| {
                bencher.iter(|| {
                    let bound = filter::bind(kind, black_box(&parsed), binding).unwrap();
                    let mut sql = Sql::default();
                    condition(&mut sql, dialect, &world, &bound);
                    sql
                });
            });
        }
        let bound = filter::bind(kind, &parsed, binding).unwrap();
        bench.bench_function(&format!("filter a document, {name}"), |bencher| {
            bencher.iter(|| filter::eval::matches(black_box(&bound), &full));
        });
    }
}

fn documents(bench: &mut Criterion) {
    let registry = Registry::standard();
    let kind = registry.by_name("User").unwrap();
    let doc = stored(kind);
    bench.bench_function("JSON parse of a user", |bencher| {
        bencher.iter(|| json::parse(black_box(USER.as_bytes()), &Limits::default()));
    });
    bench.bench_function("accept a create", |bencher| {
        let sent = body(USER);
        bencher.iter(|| accept::create(kind, black_box(sent.clone()), rules()));
    });
    bench.bench_function("fold a document", |bencher| {
        bencher.iter(|| fold::document(kind, black_box(&doc)));
    });
    bench.bench_function("index and unique entries", |bencher| {
        bencher.iter(|| {
            let unique = fold::unique_entries(kind, black_box(&doc), Quirks::ALL);
            (fold::index_entries(kind, &doc), unique)
        });
    });
    for (name, text) in [("deactivate", DEACTIVATE), ("four operations", RENAME)] {
        bench.bench_function(&format!("PATCH parse and apply, {name}"), |bencher| {
            let sent = body(text);
            bencher.iter(|| {
                let operations = patch::parse(black_box(sent.clone()), Quirks::ALL).unwrap();
                patch::apply(kind, &doc, &operations, rules())
            });
        });
    }
}

fn answers(bench: &mut Criterion) {
    let registry = Registry::standard();
    let kind = registry.by_name("User").unwrap();
    let text = serde_json::to_string(&stored(kind)).unwrap();
    let some = ["userName".to_owned(), "emails.value".to_owned(), "active".to_owned()];
    let everything = Projection::everything(kind);
    let narrow = Projection::new(kind, &some, &[], Quirks::ALL).unwrap();
    for (name, projection) in [("everything", &everything), ("three attributes", &narrow)] {
        bench.bench_function(&format!("answer a stored user, {name}"), |bencher| {
            bencher.iter(|| answer(&registry, kind, projection, black_box(&text)));
        });
    }
}

/// A request of 1,000 creates; each user's manager is made by the operation after it.
fn managed() -> String {
    let one = |place: usize| {
        let next = place + 1;
        let manager = format!(r#""manager":{{"value":"bulkId:u{next}"}},"employeeNumber""#);
        let user = USER.replace(r#""employeeNumber""#, &manager);
        format!(r#"{{"method":"POST","path":"/Users","bulkId":"u{place}","data":{user}}}"#)
    };
    let operations: Vec<_> = (0..1_000).map(one).collect();
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
    format!(r#"{{"schemas":["{schema}"],"Operations":[{}]}}"#, operations.join(","))
}

fn bulks(bench: &mut Criterion) {
    let text = managed();
    let limits = bulk::Limits {
        operations: 1_000,
        payload: 8 << 20,
        value: 8 << 20,
        json: Limits::default(),
    };
    let read = || {
        let mut reader = bulk::Reader::new(limits, Quirks::ALL);
        for piece in text.as_bytes().chunks(16 * 1024) {
            reader.push(piece).unwrap();
        }
        reader.finish().unwrap()
    };
    bench.bench_function("Bulk parse, 1,000 creates", |bencher| bencher.iter(read));
    let request = read();
    bench.bench_function("Bulk order, 1,000 forward references", |bencher| {
        bencher.iter(|| bulk::order(black_box(&request.operations)));
    });
}

criterion_group!(core, filters, documents, answers, bulks);
criterion_main!(core);
