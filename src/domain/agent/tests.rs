use super::*;

fn user(about: Value) -> Doc {
    Doc::from_iter([("userName".to_owned(), "u".into()), (urn::CONTACT_CENTER.to_owned(), about)])
}

fn settings() -> TenantSettings {
    TenantSettings::default()
}

#[test]
fn what_groups_give_goes_with_them_and_what_was_there_stays() {
    let (a, b, q) = ("a".to_owned(), "b".to_owned(), "q".to_owned());
    let mut agent = Doc::from_iter(
        json!({ "departments": [{ "value": "a", "skill": "x" }] }).as_object().unwrap().clone(),
    );
    grant(&mut agent, &[a.clone(), b.clone()], std::slice::from_ref(&q));
    assert_eq!(
        (ids(&agent, "departments"), ids(&agent, "agentGroups")),
        (vec![a.clone(), b.clone()], vec![q.clone()])
    );
    assert_eq!(granted(&agent), [b.clone(), q.clone()], "a was there before");
    let given = agent.clone();
    grant(&mut agent, &[a.clone(), b.clone()], std::slice::from_ref(&q));
    assert_eq!(agent, given);
    // A client that leaves them out gets them back; what a user writes becomes the agent's own.
    let mut sent =
        Doc::from_iter(json!({ "departments": [{ "value": "c" }] }).as_object().unwrap().clone());
    keep_granted(&given, &mut sent);
    assert_eq!(
        (ids(&sent, "departments"), ids(&sent, "agentGroups")),
        (vec!["c".to_owned(), b.clone()], vec![q])
    );
    let resolved = Resolved { departments: Some(vec![b.clone()]), ..Resolved::default() };
    give(&mut agent, &Doc::new(), &["departments"], &resolved);
    grant(&mut agent, &[], &[]);
    assert_eq!((ids(&agent, "departments"), granted(&agent)), (vec![b], Vec::new()));
    assert!(!agent.contains_key("agentGroups") && !agent.contains_key("grantedByGroups"));
}

#[test]
fn the_link_follows_from_what_was_and_what_is_wanted() {
    let linked = json!({ "agentId": "7", "agent": { "value": "a" } });
    let made = json!({ "agent": { "value": "a" }, "createAgent": true });
    let table = [
        (None, json!({}), Link::Keep),
        (None, json!({ "agentId": "7" }), Link::To("7".to_owned())),
        (None, json!({ "createAgent": true, "extension": "12" }), Link::Make),
        (None, json!({ "createAgent": false, "extension": "12" }), Link::Keep),
        (Some(&linked), json!({ "agentId": "7", "agent": { "value": "a" } }), Link::Keep),
        (Some(&linked), json!({ "agentId": "8" }), Link::To("8".to_owned())),
        (Some(&linked), json!({ "agent": { "value": "a" } }), Link::Cut),
        (Some(&linked), made, Link::Keep),
    ];
    for (before, wanted, link) in table {
        let (before, mut wanted) = (before.cloned().map(user), user(wanted));
        let asked = asked(&settings(), before.as_ref(), &mut wanted).unwrap();
        assert_eq!(asked.link, link);
        assert!(about(&wanted, "createAgent").is_none());
    }
    let mut bare = user(json!({ "createAgent": true }));
    assert!(asked(&settings(), None, &mut bare).is_err());
}

#[test]
fn wishes_are_all_that_is_there_when_a_link_is_made_and_else_what_differs() {
    let before = user(json!({ "callForwardNumber": "+4930123456", "departments": ["a"] }));
    let mut wanted = before.clone();
    about_mut(&mut wanted).insert("agentId".to_owned(), "7".into());
    let made = asked(&settings(), Some(&before), &mut wanted).unwrap();
    assert_eq!(made.wishes, ["callForwardNumber", "departments"]);
    let mut linked = wanted.clone();
    about_mut(&mut linked).insert("agent".to_owned(), json!({ "value": "a" }));
    let mut other = linked.clone();
    about_mut(&mut other).insert("agentId".to_owned(), "8".into());
    about_mut(&mut other).insert("departments".to_owned(), json!(["b"]));
    let moved = asked(&settings(), Some(&linked), &mut other).unwrap();
    assert_eq!(moved.wishes, ["departments"], "the others are views of the agent before");
}

#[test]
fn only_what_concerns_agents_looks_at_them() {
    let plain = user(json!({ "loginBasedCalling": true, "callForwardNumber": "+4930123456" }));
    assert!(!concerns(&settings(), None, &plain));
    assert!(!concerns(&settings(), Some(&plain), &plain));
    for about in [
        json!({ "agentId": "7" }),
        json!({ "createAgent": true }),
        json!({ "extension": "auto" }),
        json!({ "departments": ["a"] }),
    ] {
        assert!(concerns(&settings(), None, &user(about)));
    }
    let linked = user(json!({ "agentId": "7", "agent": { "value": "a" } }));
    let mut off = linked.clone();
    off.insert("active".to_owned(), false.into());
    assert!(concerns(&settings(), Some(&linked), &off));
}

#[test]
fn the_enterprise_department_fills_what_was_not_sent() {
    let mut settings = settings();
    settings.set("departments.fromEnterprise", "true").unwrap();
    let with = |departments: Option<Value>, name: &str| {
        let mut doc = user(json!({}));
        set(about_mut(&mut doc), "departments", departments);
        doc.insert(urn::ENTERPRISE.to_owned(), json!({ "department": name }));
        doc
    };
    let mut filled = with(None, "Sales");
    assert!(concerns(&settings, None, &filled));
    asked(&settings, None, &mut filled).unwrap();
    assert_eq!(about(&filled, "departments"), Some(&json!(["Sales"])));
    let mut moved = with(Some(json!(["Sales"])), "Support");
    asked(&settings, Some(&filled), &mut moved).unwrap();
    assert_eq!(about(&moved, "departments"), Some(&json!(["Support"])));
    let mut sent = with(Some(json!(["Own"])), "Support");
    asked(&settings, Some(&filled), &mut sent).unwrap();
    assert_eq!(about(&sent, "departments"), Some(&json!(["Own"])));
    assert!(!concerns(&settings, Some(&sent), &sent));
}

#[test]
fn a_status_comes_back_with_the_user_unless_somebody_decided_since() {
    let mut agent = Doc::from_iter([("status".to_owned(), "blocked".into())]);
    follow(&mut agent, true);
    follow(&mut agent, true);
    assert_eq!((&agent["status"], &agent["statusBefore"]), (&json!("disabled"), &json!("blocked")));
    let suspended = agent.clone();
    follow(&mut agent, false);
    assert_eq!(agent["status"], "blocked");
    let mut decided = suspended.clone();
    decided.insert("status".to_owned(), "active".into());
    complete(Some(&suspended), &mut decided).unwrap();
    follow(&mut decided, false);
    assert_eq!(decided["status"], "active");
    let mut busy = suspended.clone();
    busy.insert("status".to_owned(), "busy".into());
    assert!(complete(Some(&suspended), &mut busy).is_err());
    assert!(complete(Some(&busy.clone()), &mut busy).is_ok(), "an echo");
}

#[test]
fn a_view_keeps_the_words_of_the_client_while_they_mean_the_same() {
    let agent = json!({
        "displayName": "Ann", "status": "active", "callForwardNumber": "+4930123456",
        "departments": [{ "value": "d1" }, { "value": "d2" }],
        "extension": { "value": "e", "number": "101" },
    });
    let Value::Object(agent) = agent else { return };
    let names = BTreeMap::from([("d1".to_owned(), "Sales".to_owned())]);
    let mut shown = user(json!({
        "callForwardNumber": "+49 30 123456", "departments": ["SALES", "d2"], "extension": "auto",
        "agentGroups": ["gone"],
    }));
    view(&mut shown, "a", &agent, &names);
    assert_eq!(about(&shown, "callForwardNumber"), Some(&json!("+49 30 123456")));
    assert_eq!(about(&shown, "departments"), Some(&json!(["SALES", "d2"])));
    assert_eq!(about(&shown, "extension"), Some(&json!("auto")));
    assert_eq!(extension(&shown), Some(("e", "101")));
    assert_eq!(about(&shown, "agentGroups"), None);
    let mut fresh = user(json!({}));
    view(&mut fresh, "a", &agent, &names);
    assert_eq!(about(&fresh, "departments"), Some(&json!(["Sales", "d2"])));
    assert_eq!(about(&fresh, "extension"), Some(&json!("101")));
    unlink_user(&mut fresh, &[]);
    assert_eq!(fresh.get(urn::CONTACT_CENTER), Some(&json!({})));
}
