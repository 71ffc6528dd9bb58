use super::*;
use crate::scim::filter::Grammar;
use crate::scim::quirks::Quirk;

fn changes(list: &Value, quirks: Quirks) -> Result<Vec<MemberChange>, Error> {
    let group = json!({ "schemas": [urn::GROUP], "displayName": "All" });
    let result = patched(&standard("Group"), &group, list, quirks)?;
    assert_eq!(Value::Object(result.doc), group);
    Ok(result.members)
}

fn refs(ids: &[&str]) -> Vec<MemberRef> {
    ids.iter().map(|id| MemberRef { value: (*id).to_owned() }).collect()
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Proves SCIM-360, SCIM-363, SCIM-370, SCIM-376, SCIM-382.
#[test]
fn operations_on_members_become_changes() {
    let filter = |text: &str| crate::scim::filter::parse(text, Grammar::of(Quirks::NONE)).unwrap();
    let list = json!([{ "value": "a", "display": "A", "$ref": null }, { "value": "b" }]);
    let table = [
        (op("add", "members", list.clone()), vec![MemberChange::Add(refs(&["a", "b"]))]),
        (op("add", "members", json!({ "value": "a" })), vec![MemberChange::Add(refs(&["a"]))]),
        (op("add", "MEMBERS", json!(null)), vec![]),
        (op("add", "members", json!([])), vec![]),
        (
            json!({ "op": "add", "value": { "members": [{ "value": "b" }] } }),
            vec![MemberChange::Add(refs(&["b"]))],
        ),
        (
            json!({ "op": "replace", "value": { "id": "x", "members": list } }),
            vec![MemberChange::Replace(refs(&["a", "b"]))],
        ),
        (op("replace", "members", list), vec![MemberChange::Replace(refs(&["a", "b"]))]),
        (op("replace", "members", json!([])), vec![MemberChange::Clear]),
        (op("replace", "members", json!(null)), vec![MemberChange::Clear]),
        (op("remove", "members", json!(null)), vec![MemberChange::Clear]),
        (json!({ "op": "remove", "path": "members" }), vec![MemberChange::Clear]),
        (
            op("remove", r#"members[value eq "a"]"#, json!(null)),
            vec![MemberChange::Remove(ids(&["a"]))],
        ),
        (
            op("remove", r#"members[value eq "a" or value eq "b"]"#, json!(null)),
            vec![MemberChange::Remove(ids(&["a", "b"]))],
        ),
        (
            op("remove", r#"members[type eq "User" and value ne "a"]"#, json!(null)),
            vec![MemberChange::RemoveWhere(filter(r#"type eq "User" and value ne "a""#))],
        ),
        (
            op("replace", r#"members[value eq "a"]"#, json!({ "value": "b" })),
            vec![MemberChange::Add(refs(&["b"])), MemberChange::Remove(ids(&["a"]))],
        ),
        (op("add", r#"members[value eq "a"]"#, json!({})), vec![MemberChange::Add(refs(&["a"]))]),
    ];
    for (operation, expected) in table {
        assert_eq!(changes(&json!([operation]), Quirks::ALL).unwrap(), expected, "{operation}");
    }
}

/// Proves SCIM-129, SCIM-334, SCIM-339.
#[test]
fn members_are_added_and_removed_whole() {
    let table = [
        (op("replace", r#"members[value eq "a"].value"#, json!("b")), "mutability"),
        (op("remove", r#"members[value eq "a"].display"#, json!(null)), "mutability"),
        (op("add", "members.value", json!("b")), "mutability"),
        (op("add", "members", json!("a")), "invalidValue"),
        (op("add", "members", json!([{}])), "invalidValue"),
        (op("replace", "members", json!(5)), "invalidValue"),
        (op("remove", "members[value regex \"a\"]", json!(null)), "invalidFilter"),
        (op("remove", "members[foo eq \"a\"]", json!(null)), "invalidFilter"),
        (op("remove", "members[", json!(null)), "invalidPath"),
    ];
    for (operation, expected) in table {
        let error = changes(&json!([operation]), Quirks::ALL).unwrap_err();
        assert_eq!(error.scim_type(), expected, "{operation}");
    }
    let add = json!([op("add", r#"members[value eq "a"]"#, json!({}))]);
    let error = changes(&add, Quirks::ALL.without(Quirk::AddCreates)).unwrap_err();
    assert_eq!(error.scim_type(), "noTarget");
}

/// Proves SCIM-340.
#[test]
fn runs_of_changes_come_down_to_what_holds_at_the_end() {
    let add = |id: &str| op("add", "members", json!([{ "value": id }]));
    let remove = |id: &str| op("remove", &format!("members[value eq \"{id}\"]"), json!(null));
    let list = json!([add("a"), add("b"), remove("a"), remove("c"), add("a")]);
    let expected = [MemberChange::Add(refs(&["a", "b"])), MemberChange::Remove(ids(&["c"]))];
    assert_eq!(changes(&list, Quirks::NONE).unwrap(), expected);
}
