//! Random documents and random filters over one small vocabulary, so that they often meet.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Number, Value, json};
use usher::scim::attribute::{Attribute, Returned, Source, Type};
use usher::scim::filter::{Filter, Literal, Op};
use usher::scim::fold::Doc;
use usher::scim::path::AttrPath;
use usher::scim::resource_type::{Extension, ResourceType};
use usher::scim::schema::Schema;

/// The extension of the made-up type.
pub(crate) const EXTRA: &str = "urn:example:2.0:Extra";

const TEXTS: [&str; 22] = [
    "", "a", "A", "ab", "aB", "b", "straße", "STRASSE", "İ", "i\u{307}", "é", "E\u{301}", "😀",
    "a😀", "%", "a%b", "a_b", "_", "\"", "a\\", "'", "true",
];
const MOMENTS: [&str; 6] = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.5Z",
    "2026-01-01T00:00:00.5000009",
    "0001-01-03T00:00:00.0000000Z",
    "1969-12-31T23:59:59.9Z",
];
const INTEGERS: [i64; 7] = [-1, 0, 1, 2, 10, i64::MAX, i64::MIN];
const DECIMALS: [f64; 10] = [
    -0.5,
    0.1,
    1.5,
    2.0,
    10.0,
    1e10,
    0.300_000_000_000_000_04,
    1e-7,
    123_456_789.123_456_79,
    9.876_543_21e25,
];

/// What stands in derived attributes: ids, addresses, labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Derived {
    pub(crate) ids: Vec<String>,
    pub(crate) addresses: Vec<String>,
}

/// A type with an attribute of every kind, alone, in lists, in objects and in lists of objects.
pub(crate) fn thing() -> ResourceType {
    let simple = || {
        json!([
            { "name": "text" }, { "name": "exact", "caseExact": true },
            { "name": "flag", "type": "boolean" }, { "name": "count", "type": "integer" },
            { "name": "ratio", "type": "decimal" }, { "name": "at", "type": "dateTime" },
            { "name": "blob", "type": "binary", "caseExact": true },
            { "name": "link", "type": "reference", "caseExact": true },
        ])
    };
    let parts = json!([
        { "name": "value" }, { "name": "type" }, { "name": "primary", "type": "boolean" },
        { "name": "count", "type": "integer" }, { "name": "at", "type": "dateTime" },
        { "name": "exact", "caseExact": true }, { "name": "$ref", "type": "reference" },
        { "name": "codes", "multiValued": true },
    ]);
    let mut attributes = simple();
    let more = json!([
        { "name": "tags", "multiValued": true },
        { "name": "counts", "type": "integer", "multiValued": true },
        { "name": "ratios", "type": "decimal", "multiValued": true },
        { "name": "moments", "type": "dateTime", "multiValued": true },
        { "name": "part", "type": "complex", "subAttributes": parts },
        { "name": "items", "type": "complex", "multiValued": true, "subAttributes": parts },
    ]);
    for attribute in more.as_array().unwrap() {
        attributes.as_array_mut().unwrap().push(attribute.clone());
    }
    let schema = |id: &str, attributes: Value| {
        let document = json!({ "id": id, "attributes": attributes });
        let mut schema = Schema::from_document(&document).unwrap();
        schema.attributes.iter_mut().for_each(index_some);
        schema
    };
    let extra = json!([
        { "name": "text" }, { "name": "count", "type": "integer" },
        { "name": "items", "type": "complex", "multiValued": true, "subAttributes": parts },
    ]);
    ResourceType::new(
        "Thing",
        "/Things",
        schema("urn:example:2.0:Thing", attributes),
        vec![Extension { schema: schema(EXTRA, extra), required: false }],
    )
}

/// Some attributes are looked up in the index, others in the document.
fn index_some(attribute: &mut Attribute) {
    attribute.sub.iter_mut().for_each(index_some);
    attribute.indexed = !attribute.is_complex()
        && matches!(attribute.name.as_str(), "text" | "flag" | "at" | "tags" | "value");
}

/// Texts, some of them too long for an index, two of these the same but for their end.
fn text() -> BoxedStrategy<String> {
    let long = prop_oneof![
        Just("x".repeat(450)),
        Just(format!("{}A", "x".repeat(600))),
        Just(format!("{}b", "x".repeat(600))),
    ];
    prop_oneof![12 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => long].boxed()
}

fn simple(attribute: &Attribute) -> BoxedStrategy<Value> {
    match attribute.kind {
        Type::String | Type::Reference | Type::Binary => text().prop_map(Value::from).boxed(),
        Type::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Type::Integer => select(&INTEGERS[..]).prop_map(Value::from).boxed(),
        Type::Decimal => prop_oneof![
            select(&DECIMALS[..]).prop_map(Value::from),
            select(&INTEGERS[..4]).prop_map(Value::from)
        ]
        .boxed(),
        Type::DateTime => select(&MOMENTS[..]).prop_map(Value::from).boxed(),
        Type::Complex => object(&attribute.sub).prop_map(Value::Object).boxed(),
    }
}

/// An object of some of these attributes; nothing in it is null or empty but texts.
fn object(attributes: &[Attribute]) -> BoxedStrategy<Doc> {
    let members: Vec<_> = attributes
        .iter()
        .filter(|attribute| attribute.is_stored() && attribute.name != "schemas")
        .map(|attribute| {
            let name = attribute.name.clone();
            let value = if attribute.multi {
                prop::collection::vec(simple(attribute), 1..4).prop_map(Value::Array).boxed()
            } else {
                simple(attribute)
            };
            prop::option::weighted(0.6, value)
                .prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    members
        .prop_map(|members| {
            let filled = |value: &Value| value.as_object().is_none_or(|object| !object.is_empty());
            members
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| match value {
                    Value::Array(items) => {
                        let items: Vec<_> = items.into_iter().filter(filled).collect();
                        (!items.is_empty()).then_some((name, Value::Array(items)))
                    }
                    value => filled(&value).then_some((name, value)),
                })
                .collect()
        })
        .boxed()
}

/// A stored document of this type.
pub(crate) fn document(rt: &ResourceType) -> BoxedStrategy<Doc> {
    let core = object(&rt.schema.attributes);
    let common = object(rt.common()).prop_map(|mut common| {
        common.remove("meta");
        common
    });
    let urn = rt.schema.id.clone();
    let extensions: Vec<_> = rt
        .extensions
        .iter()
        .map(|extension| {
            let id = extension.schema.id.clone();
            prop::option::weighted(0.6, object(&extension.schema.attributes))
                .prop_map(move |data| data.map(|data| (id.clone(), data)))
        })
        .collect();
    (core, common, extensions)
        .prop_map(move |(core, common, extensions)| {
            let mut doc = common;
            doc.extend(core);
            let mut schemas = vec![urn.clone()];
            for (id, data) in extensions.into_iter().flatten().filter(|(_, data)| !data.is_empty())
            {
                schemas.push(id.clone());
                doc.insert(id, data.into());
            }
            doc.insert("schemas".to_owned(), schemas.into());
            doc
        })
        .boxed()
}

/// A filter whose parts all have a meaning in this type.
pub(crate) fn filter(rt: &ResourceType, derived: &Derived) -> BoxedStrategy<Filter> {
    let mut leaves: Vec<BoxedStrategy<Filter>> = Vec::new();
    for (extension, attribute) in rt.attributes() {
        if attribute.returned == Returned::Never || attribute.source == Source::Counted {
            continue;
        }
        let path = |sub: Option<&Attribute>| AttrPath {
            urn: extension.map(|schema| schema.id.clone()),
            name: attribute.name.clone(),
            sub: sub.map(|sub| sub.name.clone()),
        };
        leaves.push(Just(Filter::Present(path(None))).boxed());
        if attribute.is_complex() {
            let subs = attribute.sub.iter().map(|sub| condition(path(Some(sub)), sub, derived));
            leaves.push(proptest::strategy::Union::new(subs).boxed());
        } else {
            leaves.push(condition(path(None), attribute, derived));
        }
        if attribute.indexed {
            let path = path(None);
            let one_of = prop::collection::vec(operand(attribute, derived), 2..5);
            let one_of = one_of.prop_map(move |values| {
                let equal = |value| Filter::Compare { path: path.clone(), op: Op::Eq, value };
                Filter::Or(values.into_iter().map(equal).collect())
            });
            leaves.push(one_of.boxed());
        }
        if attribute.multi || attribute.is_complex() {
            let path = path(None);
            let within = inner(attribute, derived).prop_map(move |filter| Filter::Within {
                path: path.clone(),
                filter: Box::new(filter),
            });
            leaves.push(within.boxed());
        }
    }
    joined(proptest::strategy::Union::new(leaves).boxed())
}

/// What stands inside the brackets of this attribute.
pub(crate) fn inner(attribute: &Attribute, derived: &Derived) -> BoxedStrategy<Filter> {
    let leaves: Vec<_> = if attribute.is_complex() {
        let subs = attribute.sub.iter();
        subs.map(|sub| condition(AttrPath::new(&sub.name, None), sub, derived)).collect()
    } else {
        vec![condition(AttrPath::new("value", None), attribute, derived)]
    };
    joined(proptest::strategy::Union::new(leaves).boxed())
}

fn joined(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
    .boxed()
}

/// One condition on an attribute.
fn condition(path: AttrPath, attribute: &Attribute, derived: &Derived) -> BoxedStrategy<Filter> {
    let ops: Vec<Op> = Op::ALL
        .into_iter()
        .filter(|op| match attribute.kind {
            Type::String | Type::Reference => true,
            Type::Boolean | Type::Complex => matches!(op, Op::Eq | Op::Ne),
            Type::Binary => !op.is_order(),
            Type::Integer | Type::Decimal | Type::DateTime => !op.is_substring(),
        })
        .collect();
    let (present, null) = (path.clone(), path.clone());
    let compare = (select(ops), operand(attribute, derived))
        .prop_map(move |(op, value)| Filter::Compare { path: path.clone(), op, value });
    let null = select(vec![Op::Eq, Op::Ne]).prop_map(move |op| Filter::Compare {
        path: null.clone(),
        op,
        value: Literal::Null,
    });
    prop_oneof![10 => compare, 1 => null, 2 => Just(Filter::Present(present))].boxed()
}

fn operand(attribute: &Attribute, derived: &Derived) -> BoxedStrategy<Literal> {
    let words = |words: Vec<String>| select(words).prop_map(Literal::Text).boxed();
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    match attribute.source {
        Source::Id | Source::RowValue => return words(derived.ids.clone()),
        Source::Location | Source::Link => return words(derived.addresses.clone()),
        Source::Version => return words(owned(&["W/\"1\"", "W/", "\""])),
        Source::Kind => return words(owned(&["User", "Group", "user", "e"])),
        Source::RowType => {
            return words(owned(&["user", "GROUP", "Direct", "indirect", "direct"]));
        }
        Source::Document if attribute.name == "schemas" => {
            return words(owned(&[EXTRA, "URN:EXAMPLE:2.0:EXTRA", "urn:", "Thing"]));
        }
        Source::Document
        | Source::Created
        | Source::Modified
        | Source::Members
        | Source::MemberOf
        | Source::Label
        | Source::Linked
        | Source::Counted
        | Source::Secret => {}
    }
    let real = |number: f64| Literal::Number(Number::from_f64(number).unwrap());
    match attribute.kind {
        Type::String | Type::Reference | Type::Binary => text().prop_map(Literal::Text).boxed(),
        Type::Boolean => any::<bool>().prop_map(Literal::Bool).boxed(),
        Type::Integer | Type::Decimal => prop_oneof![
            3 => select(&INTEGERS[..]).prop_map(|number| Literal::Number(number.into())),
            1 => select(&DECIMALS[..]).prop_map(real),
        ]
        .boxed(),
        Type::DateTime => words(owned(&MOMENTS)),
        Type::Complex => Just(Literal::Null).boxed(),
    }
}
