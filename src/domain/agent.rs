//! The rules of call agents: what a user's document asks of its agent, and what each shows of the other.
//!
//! While a user is linked the agent owns [`OWNED`], and the user's are views. Without a link they are
//! wishes, which go to the agent when a link is made.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::tenant::TenantSettings;
use crate::scim::attribute::{SEPARATORS, UNSPLIT};
use crate::scim::path::excerpt;
use crate::scim::{Doc, Error, fold, urn};

mod extension;

pub use extension::{
    AUTO, FIRST, check_number, complete_extension, lengths, next_number, none_left,
};

/// What the agent owns of a linked user.
pub const OWNED: [&str; 6] = [
    "callForwardNumber",
    "extension",
    "allowedCallerIds",
    "departments",
    "agentGroups",
    "loginBasedCalling",
];

/// Where an agent's document says what it has by its user's groups alone.
const GRANTED: &str = "grantedByGroups";

/// Numbers that somebody may show, at most.
const MOST_CALLER_IDS: usize = 50;

/// What becomes of a user's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It stays as it is, be it none.
    Keep,
    /// There is none any more.
    Cut,
    /// To the agent that this text names.
    To(String),
    /// To a new agent.
    Make,
}

/// What a user's document asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What becomes of the link.
    pub link: Link,
    /// Attributes that are meant for the agent.
    pub wishes: Vec<&'static str>,
}

/// The attributes of a user, or of an agent, that are looked up for an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Ids of departments.
    pub departments: Option<Vec<String>>,
    /// Ids of groups.
    pub groups: Option<Vec<String>>,
    /// Id and number of the extension.
    pub extension: Option<Option<(String, String)>>,
}

/// The agent that a user is linked to.
pub fn linked(user: &Doc) -> Option<&str> {
    about(user, "agent")?.get("value")?.as_str()
}

/// The user that an agent is linked to.
pub fn holder(agent: &Doc) -> Option<&str> {
    agent.get("user")?.get("value")?.as_str()
}

/// The id and the number of the extension that a user has or wishes.
pub fn extension(user: &Doc) -> Option<(&str, &str)> {
    pair(about(user, "extensionRef")?, "display")
}

/// The id and the number of an agent's extension.
pub fn extension_of(agent: &Doc) -> Option<(&str, &str)> {
    pair(agent.get("extension")?, "number")
}

fn pair<'d>(value: &'d Value, name: &str) -> Option<(&'d str, &'d str)> {
    Some((value.get("value")?.as_str()?, value.get(name)?.as_str()?))
}

/// What the contact centre knows of a user.
pub fn about<'d>(user: &'d Doc, name: &str) -> Option<&'d Value> {
    user.get(urn::CONTACT_CENTER)?.get(name)
}

/// The same, to be changed.
pub fn about_mut(user: &mut Doc) -> &mut Map<String, Value> {
    let entry = user.entry(urn::CONTACT_CENTER).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    // It is one by now.
    entry.as_object_mut().expect("an object was put there")
}

/// Whether a change of a user has to look at agents, departments or extensions.
pub fn concerns(settings: &TenantSettings, before: Option<&Doc>, wanted: &Doc) -> bool {
    let differs = |name: &str| before.and_then(|doc| about(doc, name)) != about(wanted, name);
    if differs("agentId") || about(wanted, "createAgent").is_some() {
        return true;
    }
    let is_linked = before.and_then(linked).is_some();
    let looked_up = ["extension", "departments", "agentGroups"];
    let active = || before.and_then(|doc| doc.get("active")) != wanted.get("active");
    is_linked && (active() || OWNED.iter().any(|name| differs(name)))
        || looked_up.iter().any(|name| differs(name))
        || settings.departments_from_enterprise
            && from_enterprise(before, wanted).is_some_and(|filled| {
                filled != about(wanted, "departments").cloned().unwrap_or_default()
            })
}

/// The departments that follow from the enterprise extension where none were sent; null for none.
fn from_enterprise(before: Option<&Doc>, wanted: &Doc) -> Option<Value> {
    let of = |doc: &Doc| {
        let name = doc.get(urn::ENTERPRISE)?.get("department")?.as_str()?;
        Some(json!([name]))
    };
    let sent = about(wanted, "departments");
    let known = before.and_then(|doc| about(doc, "departments"));
    let followed = known.is_some() && known == before.and_then(of).as_ref();
    let is_unsaid = sent.is_none() || sent == known && followed;
    is_unsaid.then(|| of(wanted).unwrap_or_default())
}

/// Refuses what can be told to be wrong without looking at anything else.
pub fn check(user: &Doc) -> Result<(), Error> {
    let ids = about(user, "allowedCallerIds").and_then(Value::as_array).map_or(0, Vec::len);
    check_caller_ids(&format!("{}:allowedCallerIds", urn::CONTACT_CENTER), ids)?;
    match about(user, "extension").and_then(Value::as_str) {
        Some(text) if !text.eq_ignore_ascii_case(AUTO) => {
            check_number(&format!("{}:extension", urn::CONTACT_CENTER), text)
        }
        Some(_) | None => Ok(()),
    }
}

fn check_caller_ids(at: &str, count: usize) -> Result<(), Error> {
    if count <= MOST_CALLER_IDS {
        return Ok(());
    }
    Err(Error::InvalidValue(format!(
        "{at} has more than {MOST_CALLER_IDS} values, the most that are allowed."
    )))
}

/// What a user's document asks for; what only asks is taken out of it.
pub fn asked(
    settings: &TenantSettings,
    before: Option<&Doc>,
    wanted: &mut Doc,
) -> Result<Asked, Error> {
    if settings.departments_from_enterprise
        && let Some(filled) = from_enterprise(before, wanted)
    {
        set(about_mut(wanted), "departments", Some(filled).filter(|filled| !filled.is_null()));
    }
    let created = about_mut(wanted).shift_remove("createAgent") == Some(Value::Bool(true));
    let known = before.and_then(|doc| about(doc, "agentId"));
    let named = about(wanted, "agentId").and_then(Value::as_str);
    let is_linked = before.and_then(linked).is_some();
    let link = match named {
        // Who asks again for an agent does not mean to lose the one that was made.
        None if is_linked && created => {
            let kept = known.cloned();
            set(about_mut(wanted), "agentId", kept);
            Link::Keep
        }
        None if created => Link::Make,
        None if known.is_some() => Link::Cut,
        None => Link::Keep,
        Some(name) if known.and_then(Value::as_str) == Some(name) => Link::Keep,
        Some(name) => Link::To(name.to_owned()),
    };
    let has = |name: &str| about(wanted, name).is_some();
    if link == Link::Make && !has("callForwardNumber") && !has("extension") {
        return Err(Error::InvalidValue(format!(
            "{}:createAgent needs callForwardNumber or extension; send one of them with it.",
            urn::CONTACT_CENTER
        )));
    }
    let is_made = !is_linked && matches!(link, Link::To(_) | Link::Make);
    let differs = |name: &str| before.and_then(|doc| about(doc, name)) != about(wanted, name);
    let meant = |name: &&str| differs(name) || is_made && has(name);
    let wishes = OWNED.into_iter().filter(meant).collect();
    Ok(Asked { link, wishes })
}

/// Takes the link and the views out of a user's document; what was written anew stays as a wish.
pub fn unlink_user(user: &mut Doc, wishes: &[&str]) {
    let about = about_mut(user);
    about.shift_remove("agent");
    for name in OWNED.iter().filter(|name| !wishes.contains(name)) {
        about.shift_remove(*name);
    }
    about.shift_remove("extensionRef");
}

/// Takes the user out of an agent's document.
pub fn unlink_agent(agent: &mut Doc) {
    agent.shift_remove("user");
    grant(agent, &[], &[]);
    follow(agent, false);
}

/// The ids of departments and groups that an agent has only because its user is a member of groups that
/// give them.
pub fn granted(agent: &Doc) -> Vec<String> {
    let list = agent.get(GRANTED).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// Gives an agent what membership of groups gives its user, and takes what it gives no more. What the
/// agent has beside that stays as it is, also where it is the same.
pub fn grant(agent: &mut Doc, departments: &[String], groups: &[String]) {
    let (before, mut now) = (granted(agent), Vec::new());
    for (name, wanted) in [("departments", departments), ("agentGroups", groups)] {
        let mut list = agent.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let has = |ids: &[String], element: &Value| ids.iter().any(|id| element["value"] == *id);
        list.retain(|element| !has(&before, element) || has(wanted, element));
        for id in wanted {
            let is_there = list.iter().any(|element| element["value"] == *id);
            if !is_there {
                list.push(json!({ "value": id }));
            }
            if !is_there || before.contains(id) {
                now.push(id.clone());
            }
        }
        set(agent, name, (!list.is_empty()).then_some(list.into()));
    }
    set_granted(agent, now);
}

/// Puts back what a client left out of an agent's document although groups give it.
pub fn keep_granted(before: &Doc, agent: &mut Doc) {
    let granted = granted(before);
    for name in ["departments", "agentGroups"] {
        let had = before.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let has = ids(agent, name);
        let is_missed = |element: &&Value| {
            let id = element["value"].as_str().unwrap_or_default();
            granted.iter().any(|known| known == id) && !has.iter().any(|known| known == id)
        };
        let missed: Vec<Value> = had.iter().filter(is_missed).cloned().collect();
        if !missed.is_empty() {
            let list = agent.entry(name).or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|list| list.extend(missed.clone()));
        }
    }
}

fn set_granted(agent: &mut Doc, ids: Vec<String>) {
    set(agent, GRANTED, (!ids.is_empty()).then_some(ids.into()));
}

/// Puts the user into an agent's document.
pub fn link_agent(agent: &mut Doc, user: &str) {
    agent.insert("user".to_owned(), json!({ "value": user }));
}

/// The document of a new agent for a user.
pub fn new_agent(user: &Doc) -> Doc {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let name = text(user.get("displayName"))
        .or_else(|| text(user.get("name").and_then(|name| name.get("formatted"))))
        .or_else(|| text(user.get("userName")))
        .unwrap_or_default();
    Doc::from_iter([("displayName".to_owned(), name.into())])
}

/// Puts what is there without being written into an agent's document, and refuses what only the
/// telephone system says. `before` is the document that it replaces.
pub fn complete(before: Option<&Doc>, agent: &mut Doc) -> Result<(), Error> {
    let was = before.and_then(|doc| doc.get("status")).cloned();
    match agent.get("status").and_then(Value::as_str) {
        None => set(agent, "status", Some(was.clone().unwrap_or_else(|| "active".into()))),
        Some(status) => {
            let runtime = ["busy", "offline"].iter().any(|word| status.eq_ignore_ascii_case(word));
            if runtime && agent.get("status") != was.as_ref() {
                return Err(Error::InvalidValue(format!(
                    "status '{}' shows what goes on and cannot be written. Write active, blocked or disabled.",
                    excerpt(status)
                )));
            }
        }
    }
    if agent.get("status") != was.as_ref() {
        // What somebody decided since is not undone.
        agent.shift_remove("statusBefore");
    }
    agent.entry("callingAgent").or_insert(Value::Bool(true));
    // Whoever leaves the number out does not ask for another one.
    if let Some(number) = before.and_then(|doc| doc.get("agentNumber")) {
        agent.entry("agentNumber").or_insert_with(|| number.clone());
    }
    let ids = agent.get("allowedCallerIds").and_then(Value::as_array).map_or(0, Vec::len);
    check_caller_ids("allowedCallerIds", ids)?;
    match agent.get("intercom").and_then(Value::as_str) {
        Some(text) if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Error::InvalidValue(format!(
                "intercom '{}' is not a number of 4 digits.",
                excerpt(text)
            )))
        }
        Some(_) | None => Ok(()),
    }
}

/// The agent of a user who is suspended takes no calls; its status comes back with the user.
pub fn follow(agent: &mut Doc, suspended: bool) {
    if !suspended {
        if let Some(status) = agent.shift_remove("statusBefore") {
            agent.insert("status".to_owned(), status);
        }
        return;
    }
    let status = agent.get("status").and_then(Value::as_str).unwrap_or("active").to_owned();
    if !status.eq_ignore_ascii_case("disabled") {
        agent.insert("statusBefore".to_owned(), status.into());
        agent.insert("status".to_owned(), "disabled".into());
    }
}

/// Writes a user's wishes into an agent's document.
pub fn give(agent: &mut Doc, user: &Doc, wishes: &[&str], resolved: &Resolved) {
    for name in ["callForwardNumber", "allowedCallerIds", "loginBasedCalling"] {
        if wishes.contains(&name) {
            set(agent, name, about(user, name).cloned());
        }
    }
    let lists = [("departments", &resolved.departments), ("agentGroups", &resolved.groups)];
    for (name, ids) in lists {
        if let Some(ids) = ids {
            let known = agent.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
            let mut list: Vec<Value> = ids.iter().map(|id| element(&known, id)).collect();
            // What somebody writes is the agent's own; what groups give stays beside it.
            let mut granted = granted(agent);
            granted.retain(|id| !ids.contains(id));
            list.extend(
                known.into_iter().filter(|one| granted.iter().any(|id| one["value"] == *id)),
            );
            set(agent, name, (!list.is_empty()).then_some(list.into()));
            set_granted(agent, granted);
        }
    }
    if let Some(extension) = &resolved.extension {
        set_extension(agent, extension.as_ref());
    }
}

/// Gives an agent an extension of this id and number, or takes it away.
pub fn set_extension(agent: &mut Doc, extension: Option<&(String, String)>) {
    let known = extension_of(agent).map(|(id, _)| id.to_owned());
    if known.as_deref() != extension.map(|(id, _)| id.as_str()) || extension.is_none() {
        set(agent, "extensionNumber", extension.map(|(_, number)| number.as_str().into()));
    }
    let part = extension.map(|(id, number)| json!({ "value": id, "number": number }));
    set(agent, "extension", part);
}

/// The element of a list that has this id, with whatever else it says; a new one where there is none.
fn element(known: &[Value], id: &str) -> Value {
    let found = known.iter().find(|element| element["value"] == id);
    found.cloned().unwrap_or_else(|| json!({ "value": id }))
}

/// The ids of a list.
pub fn ids(doc: &Doc, name: &str) -> Vec<String> {
    let list = doc.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|element| element["value"].as_str().map(str::to_owned)).collect()
}

/// What a linked user shows of its agent. What says the same in other words stays as it was written;
/// `names` are those of the departments and groups, by id.
pub fn view(user: &mut Doc, id: &str, agent: &Doc, names: &BTreeMap<String, String>) {
    let about = about_mut(user);
    let mut part = json!({ "value": id, "$ref": format!("../CallAgents/{id}") });
    for (name, from) in [("display", "displayName"), ("status", "status")] {
        if let Some(value) = agent.get(from) {
            part[name] = value.clone();
        }
    }
    about.insert("agent".to_owned(), part);
    // A client reads what it wrote, whatever groups give beside it.
    let granted = granted(agent);
    let lists = [("departments", "departments"), ("agentGroups", "agentGroups")];
    for (name, from) in lists {
        let mut ids = ids(agent, from);
        ids.retain(|id| !granted.contains(id));
        let written = about.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if !says(written, &ids, names) {
            let label = |id: &String| names.get(id).unwrap_or(id).as_str().into();
            let list: Vec<Value> = ids.iter().map(label).collect();
            set(about, name, (!list.is_empty()).then_some(list.into()));
        }
    }
    view_extension(about, extension_of(agent));
    if phones(about.get("callForwardNumber")) != phones(agent.get("callForwardNumber")) {
        set(about, "callForwardNumber", agent.get("callForwardNumber").cloned());
    }
    if phones(about.get("allowedCallerIds")) != phones(agent.get("allowedCallerIds")) {
        set(about, "allowedCallerIds", agent.get("allowedCallerIds").cloned());
    }
    set(about, "loginBasedCalling", agent.get("loginBasedCalling").cloned());
}

/// Shows an extension of this id and number, or none. A wish for any stays as it was written.
pub fn view_extension(about: &mut Map<String, Value>, extension: Option<(&str, &str)>) {
    let written = about.get("extension").and_then(Value::as_str);
    let fits = match (written, extension) {
        (Some(text), Some((_, number))) => text == number || text.eq_ignore_ascii_case(AUTO),
        (written, extension) => written.is_none() && extension.is_none(),
    };
    if !fits {
        set(about, "extension", extension.map(|(_, number)| number.into()));
    }
    let part = extension.map(|(id, number)| {
        json!({
            "value": id, "$ref": format!("../PhoneExtensions/{id}"), "display": number,
            "status": "unregistered",
        })
    });
    set(about, "extensionRef", part);
}

/// Whether these names and ids mean those ids.
fn says(written: &[Value], ids: &[String], names: &BTreeMap<String, String>) -> bool {
    let same = |text: &Value, id: &String| {
        let name = names.get(id).map(|name| fold::folded(name));
        text.as_str().is_some_and(|text| text == id || Some(fold::folded(text)) == name)
    };
    written.len() == ids.len() && written.iter().zip(ids).all(|(text, id)| same(text, id))
}

fn phones(value: Option<&Value>) -> Vec<String> {
    let form = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        fold::phone(text).unwrap_or_else(|| text.to_owned())
    };
    match value {
        Some(Value::Array(list)) => list.iter().map(form).collect(),
        Some(single) => vec![form(single)],
        None => Vec::new(),
    }
}

/// The names of a text that is one name or several, where it is not known as one.
pub fn split(text: &str) -> Vec<String> {
    let parts = text.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// A text of a list of names, and whether it may be several.
pub fn name(text: &str) -> (&str, bool) {
    text.strip_prefix(UNSPLIT).map_or((text, false), |text| (text, true))
}

/// Sets an attribute, or takes it away.
pub fn set(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => drop(object.shift_remove(name)),
    }
}

#[cfg(test)]
mod tests;
