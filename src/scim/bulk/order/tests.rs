use proptest::prelude::*;

use super::*;
use crate::scim::bulk::Method;

fn operation(method: Method, name: Option<&str>, references: &[&str]) -> Operation {
    Operation {
        method: Some(method),
        path: "/Users".into(),
        bulk_id: name.map(Into::into),
        references: references.iter().map(|name| (*name).into()).collect(),
        ..Operation::default()
    }
}

fn post(name: &str, references: &[&str]) -> Operation {
    operation(Method::Post, Some(name), references)
}

fn patch(references: &[&str]) -> Operation {
    operation(Method::Patch, None, references)
}

fn units(operations: &[Operation]) -> Vec<Vec<usize>> {
    order(operations).units().map(<[usize]>::to_vec).collect()
}

/// Proves SCIM-425, SCIM-426.
#[test]
fn posts_come_before_what_refers_to_them_and_nothing_else_moves() {
    let table: [(&[Operation], &[&[usize]]); 8] = [
        (&[], &[]),
        (&[patch(&[]), post("a", &[]), patch(&["a"])], &[&[0], &[1], &[2]]),
        // A group before its users.
        (
            &[post("g", &["a", "b"]), post("b", &[]), patch(&[]), post("a", &[])],
            &[&[1], &[3], &[0], &[2]],
        ),
        // A chain backwards.
        (&[post("c", &["b"]), post("b", &["a"]), post("a", &[])], &[&[2], &[1], &[0]]),
        // A ring, and what hangs on it.
        (
            &[patch(&["b"]), post("a", &["b"]), patch(&[]), post("b", &["a"])],
            &[&[1, 3], &[0], &[2]],
        ),
        // Itself, nobody, and the bulkId of what is no POST.
        (
            &[post("a", &["a"]), patch(&["x"]), operation(Method::Put, Some("x"), &[])],
            &[&[0], &[1], &[2]],
        ),
        // The first of two.
        (&[patch(&["a"]), post("a", &[]), post("a", &[])], &[&[1], &[0], &[2]]),
        // Two rings that share one operation are one.
        (&[post("a", &["b"]), post("b", &["a", "c"]), post("c", &["b"])], &[&[0, 1, 2]]),
    ];
    for (operations, expected) in table {
        assert_eq!(units(operations), expected, "{operations:?}");
    }
}

#[test]
fn a_chain_as_long_as_a_request_may_be_needs_no_stack() {
    let count = 100_000;
    let chain: Vec<_> =
        (0..count).map(|at| post(&at.to_string(), &[&(at + 1).to_string()])).collect();
    let backwards: Vec<_> = (0..count).rev().map(|at| vec![at]).collect();
    assert_eq!(units(&chain), backwards);
    let mut ring = chain;
    ring[count - 1].references = ["0".into()].into();
    assert_eq!(units(&ring), [(0..count).collect::<Vec<_>>()]);
}

fn requests() -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec((any::<bool>(), proptest::collection::vec(0_usize..30, 0..3)), 0..30)
        .prop_map(|drawn| {
            let made = drawn.into_iter().enumerate();
            made.map(|(place, (posts, needs))| {
                let names: Vec<_> = needs.iter().map(ToString::to_string).collect();
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                if posts { post(&place.to_string(), &names) } else { patch(&names) }
            })
            .collect()
        })
}

proptest! {
    #[test]
    fn every_unit_comes_after_what_it_refers_to(operations in requests()) {
        let units = units(&operations);
        let makers = makers(&operations);
        let mut unit_of = vec![usize::MAX; operations.len()];
        for (place, unit) in units.iter().enumerate() {
            for member in unit {
                prop_assert_eq!(unit_of[*member], usize::MAX, "twice");
                unit_of[*member] = place;
            }
            prop_assert!(unit.is_sorted());
        }
        for (place, operation) in operations.iter().enumerate() {
            prop_assert!(unit_of[place] != usize::MAX, "left out");
            for name in &operation.references {
                if let Some(maker) = makers.get(&**name) {
                    prop_assert!(unit_of[*maker] <= unit_of[place]);
                }
            }
            if operation.method != Some(Method::Post) {
                prop_assert_eq!(&units[unit_of[place]], &[place]);
            }
        }
    }

    /// Whatever is no POST that others need keeps its place among its like.
    #[test]
    fn only_posts_that_are_needed_move(operations in requests()) {
        let order = order(&operations);
        let sequence: Vec<usize> = order.units().flatten().copied().collect();
        let makers = makers(&operations);
        let needed = |place: usize| {
            let all = operations.iter().flat_map(|other| other.references.iter());
            all.filter_map(|name| makers.get(&**name)).any(|maker| *maker == place)
        };
        let fixed: Vec<usize> = sequence.into_iter().filter(|place| !needed(*place)).collect();
        prop_assert!(fixed.is_sorted(), "{fixed:?}");
    }
}
