//! E-mail addresses that only one user of a tenant may have, where the tenant wants that.

use serde_json::Value;

use crate::domain::tenant::{TenantSettings, UniqueEmails};
use crate::scim::{Doc, fold};

/// The addresses that a client's change gives a user and that no other user may have (`emails.unique`
/// is `all`). What the user had before, in whatever case, is not given; so a user who shared an address
/// before the tenant wanted it unique can still be changed.
pub fn given<'d>(settings: &TenantSettings, before: Option<&Doc>, wanted: &'d Doc) -> Vec<&'d str> {
    if settings.unique_emails != UniqueEmails::All {
        return Vec::new();
    }
    let had: Vec<String> = before.into_iter().flat_map(addresses).map(fold::folded).collect();
    addresses(wanted).filter(|address| !had.contains(&fold::folded(address))).collect()
}

/// The address that mail to a user goes to: the primary one, else that of work, else the first.
pub fn of(user: &Doc) -> Option<&str> {
    let list = user.get("emails").and_then(Value::as_array)?;
    let is_work = |email: &&Value| {
        email["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
    };
    let primary = list.iter().find(|email| email["primary"] == Value::Bool(true));
    let chosen = primary.or_else(|| list.iter().find(is_work)).or_else(|| list.first())?;
    chosen["value"].as_str().filter(|address| !address.is_empty())
}

fn addresses(user: &Doc) -> impl Iterator<Item = &str> {
    let list = user.get("emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|element| element["value"].as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mail_goes_to_the_primary_address_else_to_that_of_work() {
        let home = json!({ "value": "h@x.example", "type": "home" });
        let work = json!({ "value": "w@x.example", "type": "Work" });
        let primary = json!({ "value": "p@x.example", "primary": true });
        for (emails, found) in [
            (json!([home, work, primary]), Some("p@x.example")),
            (json!([home, work]), Some("w@x.example")),
            (json!([home]), Some("h@x.example")),
            (json!([{ "type": "work" }]), None),
            (json!([]), None),
        ] {
            let user = Doc::from_iter([("emails".to_owned(), emails)]);
            assert_eq!(of(&user), found);
        }
        assert_eq!(of(&Doc::new()), None);
    }

    #[test]
    fn only_what_is_new_is_given_and_only_where_the_tenant_wants_it_unique() {
        let user = |addresses: &[&str]| -> Doc {
            let emails: Vec<_> = addresses.iter().map(|value| json!({ "value": value })).collect();
            Doc::from_iter([("emails".to_owned(), emails.into())])
        };
        let before = user(&["a@x.example", "Straße@x.example"]);
        let wanted = user(&["A@X.example", "STRASSE@x.example", "b@x.example"]);
        for (value, new, changed) in
            [("all", 3, &["b@x.example"][..]), ("admin", 0, &[]), ("off", 0, &[])]
        {
            let mut settings = TenantSettings::default();
            settings.set("emails.unique", value).unwrap();
            assert_eq!(given(&settings, None, &wanted).len(), new, "{value}");
            assert_eq!(given(&settings, Some(&before), &wanted), changed, "{value}");
            assert!(given(&settings, Some(&before), &Doc::new()).is_empty());
        }
    }
}
