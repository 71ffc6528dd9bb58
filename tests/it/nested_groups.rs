//! Groups in groups, deep and dense: what a request costs follows the groups, not the ways through them.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::texts;
use crate::support::each_db;

/// How many levels of groups a membership reaches through.
const LEVELS: usize = 10;

/// The names of somebody's groups, directly and through others.
async fn groups_of(app: &TestApp, user: &str) -> (Vec<String>, Vec<String>) {
    let body = app.get(&format!("/Users/{user}")).await.expect(200).body;
    let of = |kind: &str| {
        let all = body["groups"].as_array().unwrap().iter().filter(|group| group["type"] == kind);
        let mut names = texts(&all.cloned().collect::<Value>(), "/display");
        names.sort_unstable();
        names
    };
    (of("direct"), of("indirect"))
}

async fn users_in(app: &TestApp, filter: &str) -> Vec<String> {
    texts(&app.find("/Users", filter).await.expect(200).body["Resources"], "/userName")
}

fn add(member: &str) -> Value {
    json!([{ "op": "add", "path": "members", "value": [{ "value": member }] }])
}

fn names(letter: char, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{letter}{number:04}")).collect()
}

each_db! {
    /// Proves SCIM-244.
    async fn a_long_chain_of_groups_is_followed_ten_levels(app: TestApp) {
        let ida = app.user("ida").await;
        let mut chain = vec![app.group("c0000", &[&ida]).await];
        for name in &names('c', 1..1_000) {
            let below = chain.last().unwrap().clone();
            chain.push(app.group(name, &[&below]).await);
        }
        let reached = (names('c', 0..1), names('c', 1..LEVELS));
        assert_eq!(groups_of(&app, &ida).await, reached);
        for (group, found) in [(0, true), (LEVELS - 1, true), (LEVELS, false), (999, false)] {
            let expected: &[&str] = if found { &["ida"] } else { &[] };
            for filter in [
                format!("groups.value eq \"{}\"", chain[group]),
                format!("groups.display eq \"C{group:04}\""),
                format!("groups[value eq \"{}\" and type pr]", chain[group]),
                format!("groups.value sw \"{}\"", chain[group]),
            ] {
                assert_eq!(users_in(&app, &filter).await, expected, "{filter}");
            }
        }
        let tom = app.user("tom").await;
        let bottom = format!("/Groups/{}", chain[0]);
        app.patch(&bottom, add(&tom)).await.expect(200);
        assert_eq!(groups_of(&app, &tom).await, reached);
        // Every group of the chain is above the lowest one: none of them may be put into it.
        for group in [1, 500, 999] {
            app.patch(&bottom, add(&chain[group])).await.refused(400, "invalidValue");
        }
        let inner = app.group("inner", &[]).await;
        app.patch(&bottom, add(&inner)).await.expect(200);
        app.group("top", &[&chain[999]]).await;
        assert_eq!(groups_of(&app, &ida).await, reached);
        let above = app.find("/Groups", &format!("members.value eq \"{}\"", chain[999])).await;
        assert_eq!(texts(&above.expect(200).body["Resources"], "/displayName"), ["top"]);
    }

    /// Twenty ways on from each group are 20 to the power of 10 ways through all of them.
    async fn a_dense_graph_of_groups_is_no_matter_of_all_ways_through_it(app: TestApp) {
        const WIDE: usize = 20;
        let (ida, tom) = (app.user("ida").await, app.user("tom").await);
        let mut layers: Vec<Vec<String>> = Vec::new();
        for layer in 0..LEVELS {
            let below: Vec<&str> = match layers.last() {
                None => vec![&ida],
                Some(groups) => groups.iter().map(String::as_str).collect(),
            };
            let mut groups = Vec::new();
            for name in names('d', layer * WIDE..(layer + 1) * WIDE) {
                groups.push(app.group(&name, &below).await);
            }
            layers.push(groups);
        }
        let reached = (names('d', 0..WIDE), names('d', WIDE..LEVELS * WIDE));
        assert_eq!(groups_of(&app, &ida).await, reached);
        let (bottom, top) = (&layers[0], &layers[LEVELS - 1]);
        let over = app.group("over", &top.iter().map(String::as_str).collect::<Vec<_>>()).await;
        for (group, found) in [(&bottom[0], true), (&top[0], true), (&top[19], true), (&over, false)] {
            let expected: &[&str] = if found { &["ida"] } else { &[] };
            for filter in [
                format!("groups.value eq \"{group}\""),
                format!("groups[value eq \"{group}\" and type pr]"),
                format!("groups.value sw \"{group}\""),
            ] {
                assert_eq!(users_in(&app, &filter).await, expected, "{filter}");
            }
        }
        let sorted = app.get("/Users?sortBy=groups.display").await.expect(200);
        assert_eq!(texts(&sorted.body["Resources"], "/userName"), ["ida", "tom"]);
        let path = format!("/Groups/{}", bottom[0]);
        app.patch(&path, add(&tom)).await.expect(200);
        let through = (names('d', 0..1), names('d', WIDE..LEVELS * WIDE));
        assert_eq!(groups_of(&app, &tom).await, through);
        for above in [&top[7], &over] {
            app.patch(&path, add(above)).await.refused(400, "invalidValue");
        }
        let inner = app.group("inner", &[]).await;
        app.patch(&path, add(&inner)).await.expect(200);
        app.patch(&format!("/Groups/{over}"), add(&inner)).await.expect(200);
        assert_eq!(groups_of(&app, &ida).await, reached);
    }
}
