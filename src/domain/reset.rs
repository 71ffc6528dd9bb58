//! Who may get a link for a new password, and for how long it is good (product tables 6.1 and 6.2).

use serde_json::Value;

use crate::clock::Micros;
use crate::domain::facts::{Facts, Lifecycle};
use crate::domain::invitation::{self, Mode};
use crate::domain::tenant::TenantSettings;
use crate::scim::{Doc, urn};

/// Hours that a link is good for, of somebody who could sign in before.
pub const HOURS: i64 = 1;

/// Hours that a link for a new password of this user is good for: one for who could sign in before, those
/// of an invitation for who sets the first password with it. The error is a sentence for administrators.
pub fn hours(settings: &TenantSettings, user: &Doc, now: Micros) -> Result<i64, &'static str> {
    let facts = Facts::of(user).unwrap_or_default();
    if has(user, "webLogin", false) {
        return Err("The user does not sign in: webLogin is false.");
    }
    match facts.lifecycle {
        Lifecycle::Active => Ok(HOURS),
        Lifecycle::Provisioned if facts.invitation.mode == Mode::Reset => {
            Ok(invitation::hours(settings, user))
        }
        Lifecycle::Invited if !facts.invitation.is_over(now) => {
            Ok(invitation::hours(settings, user))
        }
        Lifecycle::Invited | Lifecycle::Expired => {
            Err("The user's invitation has expired. Resend the invitation instead.")
        }
        Lifecycle::Waiting => Err("The user waits for a seat and cannot sign in before."),
        Lifecycle::Suspended | Lifecycle::Cancelled | Lifecycle::Provisioned => {
            Err("The user cannot sign in as things are; a new password would change nothing.")
        }
    }
}

/// Whether this user may ask for such a link without an administrator: somebody who can sign in.
pub fn may_ask(user: &Doc) -> bool {
    let is_active = Facts::of(user).is_some_and(|facts| facts.lifecycle == Lifecycle::Active);
    is_active && !has(user, "webLogin", false) && !has(user, "webLoginBlocked", true)
}

/// Whether it is the first password of this user, so that setting it makes the user active.
pub fn is_first(user: &Doc) -> bool {
    let facts = Facts::of(user).unwrap_or_default();
    matches!(facts.lifecycle, Lifecycle::Provisioned | Lifecycle::Invited)
}

fn has(user: &Doc, name: &str, value: bool) -> bool {
    user.get(urn::CONTACT_CENTER).and_then(|about| about.get(name)) == Some(&Value::Bool(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn user(lifecycle: &str, mode: &str, about: &Value) -> Doc {
        let mut user = json!({
            "active": true,
            urn::CONTACT_CENTER: { "lifecycle": lifecycle },
            urn::INVITATION_OF_USER: { "mode": mode, "ttlHours": 24 },
        });
        let target = user[urn::CONTACT_CENTER].as_object_mut().unwrap();
        target.extend(about.as_object().unwrap().clone());
        user.as_object().unwrap().clone()
    }

    #[test]
    fn who_could_sign_in_has_an_hour_and_who_never_could_as_long_as_an_invitation() {
        let settings = TenantSettings::default();
        for (lifecycle, mode, expected, asks) in [
            ("active", "none", Some(1), true),
            ("active", "reset", Some(1), true),
            ("provisioned", "reset", Some(24), false),
            ("provisioned", "none", None, false),
            ("invited", "email", Some(24), false),
            ("expired", "email", None, false),
            ("cancelled", "email", None, false),
            ("suspended", "none", None, false),
            ("waiting", "none", None, false),
        ] {
            let user = user(lifecycle, mode, &json!({}));
            let hours = hours(&settings, &user, Micros(0)).ok();
            assert_eq!((hours, may_ask(&user)), (expected, asks), "{lifecycle} {mode}");
        }
        let entry = user("active", "none", &json!({ "webLogin": false }));
        assert!(hours(&settings, &entry, Micros(0)).is_err() && !may_ask(&entry));
        let blocked = user("active", "none", &json!({ "webLoginBlocked": true }));
        assert!(hours(&settings, &blocked, Micros(0)).is_ok() && !may_ask(&blocked));
    }
}
