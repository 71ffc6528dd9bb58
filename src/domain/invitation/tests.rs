use super::*;

const NOW: Micros = Micros(1_000_000_000);
const TTL: i64 = 48;

const NEW: Stand =
    Stand { was_active: None, is_active: true, has_login: true, is_activated: false };
const STAYS: Stand = Stand { was_active: Some(true), ..NEW };
const COMES: Stand = Stand { was_active: Some(false), ..NEW };
const GOES: Stand = Stand { was_active: Some(true), is_active: false, ..NEW };
const AWAY: Stand = Stand { was_active: Some(false), is_active: false, ..NEW };

fn of(mode: Mode, status: Status) -> Invitation {
    let begun = status != Status::None;
    Invitation {
        mode,
        status,
        id: begun.then(|| "first".to_owned()),
        sent: begun.then_some(Micros(1)),
        expires: begun.then_some(Micros(1).plus_seconds(TTL * HOUR)),
        ..Invitation::default()
    }
}

fn after(was: &Invitation, mode: Mode, stand: Stand) -> Invitation {
    was.after(mode, stand, (NOW, TTL))
}

/// The rows of the table of transitions that a write of the user goes through: from, how the person gets
/// in, what happens, to, and whether the outside notices.
#[test]
fn every_row_of_the_table_of_transitions() {
    use Mode::{Email, Link, Password, Reset};
    use Status::{Accepted, Cancelled, Expired, Pending, Superseded};
    let no_login = Stand { has_login: false, ..STAYS };
    let was_in = |stand: Stand| Stand { is_activated: true, ..stand };
    let rows = [
        // created
        (Status::None, Email, NEW, Pending, Some(Effect::Invite)),
        (Status::None, Link, NEW, Pending, Some(Effect::Invite)),
        (Status::None, Password, NEW, Status::None, None),
        (Status::None, Mode::None, NEW, Status::None, None),
        (Status::None, Reset, NEW, Status::None, None),
        (Status::None, Email, Stand { is_active: false, ..NEW }, Status::None, None),
        (Status::None, Email, Stand { has_login: false, ..NEW }, Status::None, None),
        // invited
        (Pending, Email, STAYS, Pending, None),
        (Pending, Email, GOES, Cancelled, Some(Effect::End)),
        (Pending, Mode::None, STAYS, Superseded, Some(Effect::End)),
        (Pending, Password, STAYS, Superseded, Some(Effect::End)),
        (Pending, Email, no_login, Superseded, Some(Effect::End)),
        // expired: what does not make somebody active again invites nobody
        (Expired, Email, STAYS, Expired, None),
        (Expired, Mode::None, STAYS, Expired, None),
        (Expired, Email, GOES, Cancelled, Some(Effect::End)),
        (Expired, Email, COMES, Pending, Some(Effect::Invite)),
        (Expired, Mode::None, COMES, Superseded, Some(Effect::End)),
        // cancelled
        (Cancelled, Email, AWAY, Cancelled, None),
        (Cancelled, Email, COMES, Pending, Some(Effect::Invite)),
        (Cancelled, Mode::None, COMES, Superseded, Some(Effect::End)),
        // by other means, and back to a mail before anybody signed in
        (Superseded, Email, STAYS, Pending, Some(Effect::Invite)),
        // suspended and back: who could sign in is not invited again
        (Accepted, Email, was_in(GOES), Accepted, None),
        (Accepted, Email, was_in(COMES), Accepted, None),
        (Status::None, Email, was_in(COMES), Status::None, None),
    ];
    for (from, mode, stand, to, effect) in rows {
        // Before, the person got in as the mode says, or by a mail.
        let had = if from == Status::None { mode } else { Email };
        let was = of(had, from);
        let is = after(&was, mode, stand);
        assert_eq!(
            (is.status, super::effect(&was, &is, false)),
            (to, effect),
            "{from:?} {mode:?} {stand:?}"
        );
        // What was done is not done again.
        let again = Stand { was_active: Some(stand.is_active), ..stand };
        assert_eq!(after(&is, mode, again), is, "{from:?} {mode:?} {stand:?}");
    }
}

#[test]
fn a_link_is_good_for_its_hours_and_not_a_microsecond_more() {
    let invited = after(&of(Mode::Email, Status::None), Mode::Email, NEW);
    let end = Micros(NOW.0 + TTL * HOUR * 1_000_000);
    assert_eq!((invited.sent, invited.expires), (Some(NOW), Some(end)));
    assert!(!invited.is_over(Micros(end.0 - 1)));
    assert!(invited.is_over(end));
    let resent = invited.resent_at(end, 2);
    assert_eq!((resent.resends, resent.expires), (1, Some(end.plus_seconds(2 * HOUR))));
    assert_eq!(super::effect(&invited, &resent, false), Some(Effect::Invite));
}

#[test]
fn another_kind_of_link_is_another_link_of_the_same_invitation() {
    let was = of(Mode::Email, Status::Pending);
    let is = after(&was, Mode::Link, STAYS);
    assert_eq!((is.status, &is.id), (Status::Pending, &was.id));
    assert_eq!(super::effect(&was, &is, false), Some(Effect::Invite));
}

#[test]
fn a_new_address_is_the_end_of_a_link_that_was_mailed_and_of_nothing_else() {
    let mailed = of(Mode::Email, Status::Pending);
    let shown = of(Mode::Link, Status::Pending);
    assert_eq!(super::effect(&mailed, &mailed, true), Some(Effect::Stale));
    assert_eq!(super::effect(&mailed, &mailed, false), None);
    assert_eq!(super::effect(&shown, &shown, true), None);
}

#[test]
fn whoever_waits_for_a_seat_is_invited_once_there_is_one() {
    let mut first = after(&of(Mode::Email, Status::None), Mode::Email, NEW);
    first.id = Some("one".to_owned());
    let waits = first.held_back();
    assert_eq!((waits.status, waits.sent, waits.id.as_deref()), (Status::None, None, Some("one")));
    assert_eq!(super::effect(&Invitation::default(), &waits, false), Some(Effect::Wait));
    // Every other write finds no seat either.
    assert_eq!(after(&waits, Mode::Email, STAYS).held_back(), waits);
    let seated = after(&waits, Mode::Email, STAYS);
    assert_eq!((seated.status, seated.id.as_deref()), (Status::Pending, Some("one")));
    assert_eq!(super::effect(&waits, &seated, false), Some(Effect::Invite));
}

#[test]
fn a_new_invitation_tells_a_new_story() {
    let was = Invitation { resends: 3, ..of(Mode::Email, Status::Cancelled) };
    let is = after(&was, Mode::Email, COMES);
    assert_eq!((is.id, is.resends, is.cancelled), (None, 0, None));
}

fn user(about: Value) -> Doc {
    let mut doc = json!({ "userName": "jane", "active": true });
    doc[urn::INVITATION_OF_USER] = about;
    doc.as_object().cloned().unwrap_or_default()
}

fn with_address(about: Value) -> Doc {
    let mut doc = user(about);
    doc.insert("emails".to_owned(), json!([{ "value": "jane@x.example" }]));
    doc
}

#[test]
fn what_is_put_into_a_document_is_read_from_it_the_same() {
    for status in Status::ALL {
        for mode in Mode::ALL {
            let one = Invitation { resends: 2, inviter: Some("Ann".into()), ..of(mode, status) };
            let one = if one.sent.is_none() { of(mode, status) } else { one };
            let mut doc = user(json!({ "mode": "EMAIL", "ttlHours": 5 }));
            of(Mode::Link, Status::Accepted).put(&mut doc);
            one.put(&mut doc);
            let read = Invitation::of(&doc);
            // What a client wrote is not taken away.
            assert_eq!(
                read,
                if mode == Mode::None { Invitation { mode: Mode::Link, ..one } } else { one }
            );
        }
    }
    let mut doc = user(json!({ "mode": "EMAIL" }));
    of(Mode::Email, Status::Pending).put(&mut doc);
    assert_eq!(doc[urn::INVITATION_OF_USER]["mode"], "EMAIL", "as it was written");
    let mut plain = Doc::new();
    Invitation::default().put(&mut plain);
    assert!(plain.is_empty());
}

#[test]
fn the_mode_is_the_requests_then_the_stored_one_then_the_tenants() {
    let mut settings = TenantSettings::default();
    let mode = |settings: &TenantSettings, before: Option<&Doc>, wanted: &Doc| {
        super::mode(settings, before, wanted, false)
    };
    assert_eq!(mode(&settings, None, &user(json!({}))), Ok(Mode::None));
    assert_eq!(mode(&settings, None, &user(json!({ "mode": "LINK" }))), Ok(Mode::Link));
    settings.set("invitation.default", "email").expect("a mode");
    assert_eq!(mode(&settings, None, &with_address(json!({}))), Ok(Mode::Email));
    assert_eq!(mode(&settings, None, &user(json!({}))), Ok(Mode::None), "no address");
    let before = user(json!({ "mode": "reset" }));
    assert_eq!(mode(&settings, Some(&before), &with_address(json!({}))), Ok(Mode::Reset));
    assert_eq!(mode(&settings, Some(&user(json!({}))), &with_address(json!({}))), Ok(Mode::None));
    let asked = mode(&settings, None, &user(json!({ "mode": "email" })));
    assert!(matches!(asked, Err(Error::InvalidValue(text)) if text.contains("emails")));
    let asked = mode(&settings, None, &user(json!({ "mode": "pigeon" })));
    assert!(matches!(asked, Err(Error::InvalidValue(text)) if text.contains("email, password")));
}

#[test]
fn the_mode_stays_once_the_person_could_sign_in() {
    let settings = TenantSettings::default();
    let before = with_address(json!({ "mode": "email" }));
    let mut wanted = with_address(json!({ "mode": "none" }));
    let refused = mode(&settings, Some(&before), &wanted, true);
    assert!(matches!(refused, Err(Error::Mutability(_))));
    wanted.insert("active".to_owned(), false.into());
    assert_eq!(
        mode(&settings, Some(&before), &wanted, true),
        Ok(Mode::Email),
        "taking away never fails"
    );
}

#[test]
fn a_client_asks_for_hours_within_what_the_tenant_allows() {
    let settings = TenantSettings::default();
    for (asked, hours) in
        [(json!({}), 48), (json!({ "ttlHours": 1 }), 1), (json!({ "ttlHours": 700 }), 168)]
    {
        let doc = user(asked);
        assert_eq!(super::hours(&settings, &doc), hours);
        assert_eq!(check(&settings, None, &doc), Ok(()));
    }
    for wrong in [0, -1, 721] {
        assert!(check(&settings, None, &user(json!({ "ttlHours": wrong }))).is_err());
    }
}

#[test]
fn a_login_id_is_long_enough_where_a_password_is_given_with_it() {
    let settings = TenantSettings::default();
    let refused = check(&settings, None, &user(json!({ "mode": "password" })));
    assert_eq!(
        refused,
        Err(Error::InvalidValue("userName must be at least 6 characters.".to_owned()))
    );
    assert_eq!(check(&settings, None, &user(json!({ "mode": "email" }))), Ok(()));
    // Somebody who is there already can be changed.
    let before = user(json!({ "mode": "password" }));
    assert_eq!(check(&settings, Some(&before), &before), Ok(()));
}

#[test]
fn who_is_invited_becomes_a_user_with_a_mail() {
    let invitation = json!({
        "email": "jane@x.example", "displayName": "Jane", "roles": ["agent"], "seatType": "default",
        "ttlHours": 4,
    });
    let body = user_of(invitation.as_object().expect("an object")).expect("a user");
    assert_eq!(body["userName"], "jane@x.example");
    assert_eq!(body["roles"], json!([{ "value": "agent" }]));
    assert_eq!(body[urn::INVITATION_OF_USER], json!({ "mode": "email", "ttlHours": 4 }));
    for wrong in [json!({ "email": "nobody" }), json!({ "email": "a@b", "mode": "reset" })] {
        assert!(user_of(wrong.as_object().expect("an object")).is_err());
    }
}

#[test]
fn a_client_takes_over_what_it_says_and_leaves_the_rest() {
    let invited = json!({
        "userName": "jane@x.example", "displayName": "Jane", "roles": [{ "value": "agent" }],
        urn::SEAT: { "state": "reserved" }, urn::INVITATION_OF_USER: { "mode": "email" },
    });
    let created = json!({ "userName": "jane", "externalId": "42", "active": true });
    let (invited, created) = (invited.as_object().cloned(), created.as_object().cloned());
    let settings = TenantSettings::default();
    let doc = adopted(&settings, &invited.expect("an object"), &created.expect("an object"));
    assert_eq!(
        Value::Object(doc),
        json!({
            "userName": "jane", "externalId": "42", "active": true, "roles": [{ "value": "agent" }],
            urn::SEAT: { "state": "reserved" }, urn::INVITATION_OF_USER: { "mode": "none" },
        })
    );
}
