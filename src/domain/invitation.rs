//! How a person gets in: the invitation of a user, and what changes of it come to.
//!
//! It stands in the user's document, written by the transaction that decided it, and there is a resource
//! `Invitation` beside it that tells its story. A link is a secret of its own: only its hash is stored.

use serde_json::{Value, json};

use crate::clock::Micros;
use crate::domain::tenant::TenantSettings;
use crate::domain::{email, facts};
use crate::scim::{Doc, Error, fold, urn};

/// Hours that a client may ask for, at most.
const MOST_HOURS: i64 = 720;
const HOUR: i64 = 3_600;

/// How a person gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By single sign-on, or by a password that is set later.
    #[default]
    None,
    /// By a link that is mailed.
    Email,
    /// By a password that the administrator sets.
    Password,
    /// By a mail for a new password, sent when an administrator asks for it.
    Reset,
    /// By a link that an administrator hands over.
    Link,
}

impl Mode {
    const ALL: [Self; 5] = [Self::None, Self::Email, Self::Password, Self::Reset, Self::Link];

    /// The word of `mode`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Email => "email",
            Self::Password => "password",
            Self::Reset => "reset",
            Self::Link => "link",
        }
    }

    /// The mode of this word, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(text))
    }

    /// Whether the person gets a link to set a password with.
    pub fn invites(self) -> bool {
        matches!(self, Self::Email | Self::Link)
    }

    /// Whether a password that a client sends is not the one that the person will have: some send a
    /// random one (Okta).
    pub fn lets_person_choose(self) -> bool {
        matches!(self, Self::Email | Self::Link | Self::Reset)
    }
}

/// How far an invitation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// There is none.
    #[default]
    None,
    /// The person may accept it.
    Pending,
    /// The person has set a password with it.
    Accepted,
    /// Its time has passed.
    Expired,
    /// The person was not to come after all.
    Cancelled,
    /// The person got in by other means.
    Superseded,
}

impl Status {
    const ALL: [Self; 6] = [
        Self::None,
        Self::Pending,
        Self::Accepted,
        Self::Expired,
        Self::Cancelled,
        Self::Superseded,
    ];

    /// The word of `status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }
}

/// The invitation of a user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invitation {
    /// How the person gets in.
    pub mode: Mode,
    /// How far it is.
    pub status: Status,
    /// The id of the resource that tells its story.
    pub id: Option<String>,
    /// When its link was made, the last time.
    pub sent: Option<Micros>,
    /// When it is too late: at this very moment it is.
    pub expires: Option<Micros>,
    /// When it was accepted.
    pub accepted: Option<Micros>,
    /// When it was cancelled.
    pub cancelled: Option<Micros>,
    /// How often a new link was asked for.
    pub resends: i64,
    /// Who invites, as the person is told.
    pub inviter: Option<String>,
}

/// What the rules ask about a change of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Whether the person was to use the product before the change; none where the user is new.
    pub was_active: Option<bool>,
    /// Whether the person is to use it.
    pub is_active: bool,
    /// Whether the person is to sign in at all: not a mere directory entry, and not without a seat on
    /// purpose.
    pub has_login: bool,
    /// Whether the person could sign in at some time.
    pub is_activated: bool,
}

/// What the outside notices of a change of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A new link is made, and mailed where the mode says so; one that was there is dead.
    Invite,
    /// The link is dead, and the invitation at its end.
    End,
    /// The link is dead, since it went to an address that is no more the person's; nothing is mailed.
    Stale,
    /// Nobody is invited before there is a seat.
    Wait,
}

impl Invitation {
    /// That of a document.
    pub fn of(doc: &Doc) -> Self {
        let Some(about) = doc.get(urn::INVITATION_OF_USER) else { return Self::default() };
        let time = |name: &str| fold::moment(about[name].as_str()?).map(Micros);
        let status = about["status"].as_str();
        Self {
            mode: about["mode"].as_str().and_then(Mode::parse).unwrap_or_default(),
            status: Status::ALL
                .into_iter()
                .find(|known| Some(known.name()) == status)
                .unwrap_or_default(),
            id: about["invitationId"].as_str().map(str::to_owned),
            sent: time("sentAt"),
            expires: time("expiresAt"),
            accepted: time("acceptedAt"),
            cancelled: time("cancelledAt"),
            resends: about["resendCount"].as_i64().unwrap_or_default(),
            inviter: about["inviterDisplay"].as_str().map(str::to_owned),
        }
    }

    /// Puts it into the document, in place of the one that is there. What a client wrote stays as it
    /// was written; somebody who never had an invitation gets nothing.
    pub fn put(&self, doc: &mut Doc) {
        let wrote_mode = doc.get(urn::INVITATION_OF_USER).and_then(|about| about.get("mode"));
        let same_mode = wrote_mode.and_then(Value::as_str).and_then(Mode::parse) == Some(self.mode);
        let is_nothing = *self == Self::default();
        if is_nothing && doc.get(urn::INVITATION_OF_USER).is_none() {
            return;
        }
        let about = facts::object(doc, urn::INVITATION_OF_USER);
        if !same_mode && self.mode != Mode::None {
            about.insert("mode".to_owned(), self.mode.name().into());
        }
        let time = |at: Option<Micros>| at.map(|at| facts::text(at).into());
        let reference = |id: &String| json!(format!("../Invitations/{id}"));
        let status = (!is_nothing).then(|| self.status.name().into());
        facts::set(about, "status", status);
        facts::set(about, "invitationId", self.id.clone().map(Value::from));
        facts::set(about, "$ref", self.id.as_ref().map(reference));
        facts::set(about, "sentAt", time(self.sent));
        facts::set(about, "expiresAt", time(self.expires));
        facts::set(about, "acceptedAt", time(self.accepted));
        facts::set(about, "cancelledAt", time(self.cancelled));
        facts::set(about, "resendCount", self.sent.map(|_| self.resends.into()));
        facts::set(about, "inviterDisplay", self.inviter.clone().map(Value::from));
        if about.is_empty() {
            doc.shift_remove(urn::INVITATION_OF_USER);
        }
    }

    /// Whether the person may accept it.
    pub fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    /// Whether there is a newer link than when it was like this.
    pub fn is_sent_before(&self, after: &Self) -> bool {
        let links = |one: &Self| (one.is_pending(), one.id.clone(), one.sent, one.resends);
        after.is_pending() && links(self) != links(after)
    }

    /// Whether its time has passed.
    pub fn is_over(&self, now: Micros) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// It after a change of the user (product table 6.2). `ttl` is how many hours a link is good for.
    ///
    /// Taking away never fails, and what does not make somebody active again invites nobody: an
    /// identical PUT every night sends no mail.
    #[must_use]
    pub fn after(&self, mode: Mode, stand: Stand, (now, ttl): (Micros, i64)) -> Self {
        let became_active = stand.is_active && stand.was_active != Some(true);
        let same = Self { mode, ..self.clone() };
        if stand.is_activated {
            return same;
        }
        match self.status {
            Status::Pending | Status::Expired if !stand.is_active => same.cancelled_at(now),
            Status::Pending if !stand.has_login || !mode.invites() => same.superseded(),
            // A link of another kind than the one that there is.
            Status::Pending if mode != self.mode => same.invited_at(now, ttl),
            Status::Pending | Status::Accepted => same,
            Status::Expired if !became_active => same,
            Status::None | Status::Cancelled | Status::Superseded | Status::Expired => {
                let is_over = matches!(self.status, Status::Cancelled | Status::Expired);
                if stand.is_active && stand.has_login && mode.invites() {
                    same.anew().invited_at(now, ttl)
                } else if stand.is_active && is_over {
                    same.superseded()
                } else {
                    same
                }
            }
        }
    }

    /// One that tells a new story, or begins at last to tell the one that was held back.
    fn anew(&self) -> Self {
        let id = self.id.clone().filter(|_| self.status == Status::None);
        Self { mode: self.mode, inviter: self.inviter.clone(), id, ..Self::default() }
    }

    /// One that begins now, whatever there was before.
    #[must_use]
    pub fn renewed_at(&self, mode: Mode, (now, ttl): (Micros, i64)) -> Self {
        Self { mode, ..self.anew() }.invited_at(now, ttl)
    }

    fn invited_at(&self, now: Micros, ttl: i64) -> Self {
        Self {
            status: Status::Pending,
            sent: Some(now),
            expires: Some(now.plus_seconds(ttl * HOUR)),
            accepted: None,
            cancelled: None,
            ..self.clone()
        }
    }

    /// It with a new link.
    #[must_use]
    pub fn resent_at(&self, now: Micros, ttl: i64) -> Self {
        Self { resends: self.resends + 1, ..self.invited_at(now, ttl) }
    }

    /// It once the person has set a password.
    #[must_use]
    pub fn accepted_at(&self, now: Micros) -> Self {
        Self { status: Status::Accepted, accepted: Some(now), ..self.clone() }
    }

    /// It once its time has passed.
    #[must_use]
    pub fn expired(&self) -> Self {
        Self { status: Status::Expired, ..self.clone() }
    }

    /// It once the person got in by other means.
    #[must_use]
    pub fn superseded(&self) -> Self {
        Self { status: Status::Superseded, ..self.clone() }
    }

    fn cancelled_at(&self, now: Micros) -> Self {
        Self { status: Status::Cancelled, cancelled: Some(now), ..self.clone() }
    }

    /// It as long as no seat is to be had: nobody is invited to what cannot be used.
    #[must_use]
    pub fn held_back(&self) -> Self {
        let id = self.id.clone().filter(|_| self.resends == 0);
        Self { id, ..Self { status: Status::None, ..self.anew() } }
    }
}

/// What the outside notices when one becomes the other. `moved` says whether the person has another
/// address than before.
pub fn effect(before: &Invitation, after: &Invitation, moved: bool) -> Option<Effect> {
    match (before.is_pending(), after.is_pending()) {
        (_, true) if before.is_sent_before(after) => Some(Effect::Invite),
        (true, true) => (moved && after.mode == Mode::Email).then_some(Effect::Stale),
        (true, false) => Some(Effect::End),
        (false, false) if before.id != after.id => {
            let is_held_back = after.status == Status::None && after.id.is_some();
            is_held_back.then_some(Effect::Wait)
        }
        // Whoever did not come was cancelled after that, or came by other means.
        (false, false) => {
            (before.id.is_some() && before.status != after.status).then_some(Effect::End)
        }
        (false, true) => None,
    }
}

/// The mode that a change comes to: the one that is asked for, else the one that there is, else the
/// tenant's. Where the tenant's is a mail and the person has no address, nobody is invited.
///
/// Refused is a word that is no mode, a mail without an address, and another mode once the person could
/// sign in.
pub fn mode(
    settings: &TenantSettings,
    before: Option<&Doc>,
    wanted: &Doc,
    is_activated: bool,
) -> Result<Mode, Error> {
    let had = before.map(|before| Invitation::of(before).mode);
    let Some(text) = written(wanted, "mode").and_then(Value::as_str) else {
        let default = settings.invitation_default;
        let skips = default == Mode::Email && email::of(wanted).is_none();
        return Ok(had.unwrap_or(if skips { Mode::None } else { default }));
    };
    let asked = Mode::parse(text).ok_or_else(|| {
        let words: Vec<&str> = Mode::ALL.into_iter().map(Mode::name).collect();
        Error::InvalidValue(format!(
            "{}:mode cannot be '{}'. Valid ones: {}.",
            urn::INVITATION_OF_USER,
            crate::scim::path::excerpt(text),
            words.join(", ")
        ))
    })?;
    if had == Some(asked) {
        return Ok(asked);
    }
    if is_activated && let Some(had) = had {
        // Taking away never fails.
        if wanted.get("active") != Some(&Value::Bool(true)) {
            return Ok(had);
        }
        return Err(Error::Mutability(format!(
            "{}:mode is '{}' and stays so: the person could sign in already.",
            urn::INVITATION_OF_USER,
            had.name()
        )));
    }
    if asked == Mode::Email && email::of(wanted).is_none() {
        return Err(Error::InvalidValue(format!(
            "{}:mode 'email' needs an address: send 'emails' with it.",
            urn::INVITATION_OF_USER
        )));
    }
    Ok(asked)
}

/// Whether a new user would have been invited by mail, if there were an address.
pub fn is_skipped(settings: &TenantSettings, new: &Doc) -> bool {
    settings.invitation_default == Mode::Email
        && written(new, "mode").is_none()
        && email::of(new).is_none()
}

/// Hours that a link is good for: what is asked for, as far as the tenant allows it.
pub fn hours(settings: &TenantSettings, wanted: &Doc) -> i64 {
    let asked = written(wanted, "ttlHours").and_then(Value::as_i64);
    asked.unwrap_or(settings.invitation_ttl).min(settings.invitation_ttl_max)
}

/// Refuses what no invitation can be.
pub fn check(settings: &TenantSettings, before: Option<&Doc>, wanted: &Doc) -> Result<(), Error> {
    let hours = written(wanted, "ttlHours").and_then(Value::as_i64);
    if hours.is_some_and(|hours| !(1..=MOST_HOURS).contains(&hours)) {
        return Err(Error::InvalidValue(format!(
            "{}:ttlHours is a number of hours from 1 to {MOST_HOURS}.",
            urn::INVITATION_OF_USER
        )));
    }
    let mode = |doc: &Doc| written(doc, "mode").and_then(Value::as_str).and_then(Mode::parse);
    let asks_for_password = mode(wanted) == Some(Mode::Password);
    let name = |doc: &Doc| doc.get("userName").and_then(Value::as_str).map(str::to_owned);
    let is_new =
        before.is_none_or(|before| mode(before) != mode(wanted) || name(before) != name(wanted));
    if asks_for_password && is_new {
        check_login(settings, &name(wanted).unwrap_or_default())?;
    }
    Ok(())
}

/// Refuses a login ID that is too short; asked where people make users, not where machines do.
pub fn check_login(settings: &TenantSettings, name: &str) -> Result<(), Error> {
    if name.chars().count() >= settings.login_min_length {
        return Ok(());
    }
    Err(Error::InvalidValue(format!(
        "userName must be at least {} characters.",
        settings.login_min_length
    )))
}

/// Whether a password in a request is dropped: the person will choose one, or has not yet.
pub fn drops_password(settings: &TenantSettings, before: Option<&Doc>, wanted: &Doc) -> bool {
    let is_activated = before.is_some_and(|before| {
        facts::Facts::of(before).is_some_and(|facts| facts.activated.is_some())
    });
    let mode = mode(settings, before, wanted, is_activated).unwrap_or_default();
    !is_activated && mode.lets_person_choose()
}

/// Takes the wish for a password that is made up out of the document; whether there is one. The person
/// must change it.
///
/// Refused is one beside a password, and for somebody who gets in otherwise.
pub fn take_generate(doc: &mut Doc, has_password: bool) -> Result<bool, Error> {
    let mode = written(doc, "mode").and_then(Value::as_str).and_then(Mode::parse);
    let Some(about) = doc.get_mut(urn::CONTACT_CENTER).and_then(Value::as_object_mut) else {
        return Ok(false);
    };
    if about.shift_remove("autoGeneratePassword") != Some(Value::Bool(true)) {
        return Ok(false);
    }
    let at = format!("{}:autoGeneratePassword", urn::CONTACT_CENTER);
    if has_password {
        return Err(Error::InvalidValue(format!("{at} and password are two; send one of them.")));
    }
    if mode != Some(Mode::Password) {
        return Err(Error::InvalidValue(format!(
            "{at} is for people who get in by a password: send {}:mode 'password' with it.",
            urn::INVITATION_OF_USER
        )));
    }
    about.insert("mustChangePassword".to_owned(), true.into());
    Ok(true)
}

/// What a client wrote of the invitation.
pub fn written<'d>(doc: &'d Doc, name: &str) -> Option<&'d Value> {
    doc.get(urn::INVITATION_OF_USER)?.get(name)
}

/// Takes the wish for a new link out of the document; whether there is one.
pub fn take_resend(doc: &mut Doc) -> bool {
    let about = doc.get_mut(urn::INVITATION_OF_USER).and_then(Value::as_object_mut);
    let wish = about.and_then(|about| about.shift_remove("resend"));
    if doc
        .get(urn::INVITATION_OF_USER)
        .and_then(Value::as_object)
        .is_some_and(serde_json::Map::is_empty)
    {
        doc.shift_remove(urn::INVITATION_OF_USER);
    }
    wish == Some(Value::Bool(true))
}

/// What a person is called in a mail.
pub fn name(user: &Doc) -> &str {
    let name = user.get("name");
    let formatted = name.and_then(|name| name.get("formatted")).and_then(Value::as_str);
    let given = name.and_then(|name| name.get("givenName")).and_then(Value::as_str);
    let text = |name: &str| user.get(name).and_then(Value::as_str);
    let all = [text("displayName"), formatted, given, text("userName")];
    all.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default()
}

/// The language that a person reads.
pub fn locale(user: &Doc) -> Option<&str> {
    let text = |name: &str| user.get(name).and_then(Value::as_str);
    text("preferredLanguage").or_else(|| text("locale"))
}

/// The body of the user whom an invitation is for, as a client would send it. Without a mode the link is
/// mailed.
pub fn user_of(invitation: &Doc) -> Result<Value, Error> {
    let get = |name: &str| invitation.get(name);
    let text = |name: &str| get(name).and_then(Value::as_str);
    let email = text("email").unwrap_or_default();
    let mode = text("mode").map_or(Some(Mode::Email), Mode::parse);
    let Some(mode) = mode.filter(|mode| mode.invites()) else {
        return Err(Error::InvalidValue("mode of an invitation is 'email' or 'link'.".to_owned()));
    };
    if !email.contains('@') {
        return Err(Error::InvalidValue(format!(
            "email '{}' is no address that mail can be sent to.",
            crate::scim::path::excerpt(email)
        )));
    }
    let mut user = json!({
        "schemas": [urn::USER, urn::INVITATION_OF_USER],
        "userName": text("userName").unwrap_or(email),
        "emails": [{ "value": email, "type": "work", "primary": true }],
        "active": true,
        urn::INVITATION_OF_USER: { "mode": mode.name() },
    });
    if let Some(name) = get("displayName") {
        user["displayName"] = name.clone();
    }
    if let Some(roles) = get("roles").and_then(Value::as_array) {
        user["roles"] = roles.iter().map(|role| json!({ "value": role })).collect();
    }
    if let Some(seat) = get("seatType") {
        user[urn::SEAT] = json!({ "seatType": seat });
        user["schemas"] = json!([urn::USER, urn::SEAT, urn::INVITATION_OF_USER]);
    }
    for name in ["template", "ttlHours"] {
        if let Some(value) = get(name) {
            user[urn::INVITATION_OF_USER][name] = value.clone();
        }
    }
    Ok(user)
}

/// An invitation whose user is no more, without anything that says who that was. An address must be there;
/// this one is nobody's (RFC 2606 s2).
pub fn nobodys(invitation: &Doc) -> Doc {
    let mut doc = invitation.clone();
    for name in ["displayName", "userName"] {
        doc.shift_remove(name);
    }
    doc.insert("email".to_owned(), "deleted@user.invalid".into());
    if let Some(user) = doc.get_mut("user").and_then(Value::as_object_mut) {
        user.shift_remove("display");
    }
    doc
}

/// What a user who was invited becomes when a client creates the same person: as a PUT of it would, which
/// leaves roles and what it does not speak of. How the person gets in is as with every new user.
pub fn adopted(settings: &TenantSettings, invited: &Doc, created: &Doc) -> Doc {
    let asked = written(created, "mode").cloned();
    let mode = asked.unwrap_or_else(|| settings.invitation_default.name().into());
    let mut doc = created.clone();
    let kept = ["roles", "entitlements"];
    for (name, value) in invited {
        let is_kept = kept.contains(&name.as_str()) || name.starts_with("urn:");
        if is_kept && !doc.contains_key(name) {
            doc.insert(name.clone(), value.clone());
        }
    }
    facts::object(&mut doc, urn::INVITATION_OF_USER).insert("mode".to_owned(), mode);
    doc
}

#[cfg(test)]
mod tests;
