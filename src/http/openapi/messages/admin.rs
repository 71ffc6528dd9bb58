//! JSON Schema of what `/admin` reads and answers.

use serde_json::{Value, json};

/// All of it.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Problem", problem()),
        ("RecordList", records()),
        ("Pool", pool(true)),
        ("PoolInput", pool(false)),
        ("PoolList", list("pools", &json!({ "$ref": "#/components/schemas/Pool" }))),
        ("ExemptInput", exempt_input()),
        ("GrantInput", grant_input()),
        ("UserSeat", user_seat()),
        ("Brake", brake()),
        ("BrakeDecided", brake_decided()),
        ("InviteBatch", invite_batch()),
        ("Invited", invited()),
        ("InvitationLink", named(&["user", "link"])),
        ("RoleSettings", list("roles", &role())),
        ("RoleInput", role_input()),
        ("RoleName", named(&["value", "display"])),
        ("RoleNameInput", role_of_name(false)),
        ("OtherRoleName", role_of_name(true)),
        ("Mapping", mapping(true)),
        ("MappingInput", mapping(false)),
        ("Settings", json!({ "type": "object", "additionalProperties": { "type": "string" } })),
        ("TokenList", list("tokens", &token())),
        ("TokenInput", token_input()),
        ("TokenSecret", named(&["id", "token"])),
        ("AccountInput", account_input()),
        ("Membership", membership()),
        ("MembershipInput", membership_input(true)),
        ("MembershipChange", membership_input(false)),
    ]
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(super) fn number(description: &str) -> Value {
    json!({ "type": "integer", "description": description })
}

fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

pub(super) fn list(name: &str, items: &Value) -> Value {
    json!({
        "type": "object",
        "required": [name],
        "properties": { name: { "type": "array", "items": items } },
    })
}

fn named(names: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn invite_batch() -> Value {
    let one = json!({
        "type": "object",
        "required": ["email"],
        "properties": {
            "email": text("The address that is invited."),
            "displayName": text("What the person is called."),
            "userName": text("The name to sign in with; the address where it is left out."),
            "mode": { "type": "string", "enum": ["email", "link"], "description": "How the link gets there." },
            "roles": texts("The roles that the person is invited to."),
            "seatType": text("The value of the pool of the seat."),
            "template": text("The template of the mail."),
            "ttlHours": number("Hours that the link is good for."),
        },
    });
    json!({
        "type": "object",
        "required": ["invitations"],
        "properties": { "invitations": { "type": "array", "maxItems": 100, "items": one } },
    })
}

fn invited() -> Value {
    let one = json!({
        "type": "object",
        "required": ["status", "email"],
        "properties": {
            "status": number("What a request of its own would have been answered."),
            "email": { "description": "The address, as it was sent." },
            "invitation": { "$ref": "#/components/schemas/Invitation" },
            "problem": { "$ref": "#/components/schemas/Problem" },
        },
    });
    list("results", &one)
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": ["type", "title", "status", "detail", "requestId"],
        "properties": {
            "type": text("What kind of problem it is."),
            "title": text("What the status is called."),
            "status": number("The HTTP status."),
            "detail": text("What was wrong and what would be right."),
            "scimType": text("What SCIM calls it."),
            "code": text("Which refusal it is, where several have one status."),
            "seats": { "type": "object", "description": "How full the pool is." },
            "requestId": text("The request."),
        },
    })
}

fn records() -> Value {
    json!({
        "type": "object",
        "required": ["next", "lines"],
        "properties": {
            "next": number("Where to go on: the `after` of the next request."),
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["seq", "at", "name", "resourceType", "resource", "request", "token", "detail"],
                    "properties": {
                        "seq": number("Grows with every line of the tenant."),
                        "at": text("When."),
                        "name": text("What happened."),
                        "resourceType": text("The type of the resource."),
                        "resource": text("The id of the resource; empty where none was made."),
                        "version": number("Its version after the change."),
                        "request": text("The request."),
                        "token": text("The id of the token that asked."),
                        "detail": { "description": "What the rule saw before and after.", "type": "object" },
                    },
                },
            },
        },
    })
}

fn pool(answer: bool) -> Value {
    let mut properties = json!({
        "value": text("The name that seatType uses; never changed."),
        "displayName": text("The name for people."),
        "description": text("What it is for."),
        "total": number("Seats; unlimited without a number."),
        "overagePolicy": { "type": "string", "enum": ["reject", "waitlist", "overage"] },
        "overageAllowance": text("Seats beyond the total: a number or a share such as 5%."),
        "countsAgents": flag("Whether users without a login take a seat too."),
        "roles": texts("Roles that take their seats here; none means all that no other pool names."),
        "exemptRoles": texts("Roles that need no seat of it."),
        "warnAt": {
            "type": "array", "items": { "type": "integer" },
            "description": "Percents of the total at which administrators are told.",
        },
        "validFrom": text("From when on seats can be taken."),
        "validUntil": text("Until when."),
    });
    if answer {
        for (name, description) in [
            ("used", "Seats that are taken."),
            ("consumed", "By people who can sign in."),
            ("reserved", "By people who cannot yet."),
            ("waiting", "People who wait for one."),
            ("available", "Seats that can be taken."),
        ] {
            properties[name] = number(description);
        }
        properties["source"] = text("Where the number comes from.");
        properties["state"] = text("How the pool is.");
    } else if let Some(properties) = properties.as_object_mut() {
        for property in properties.values_mut() {
            *property = json!({ "anyOf": [property.clone(), { "type": "null" }] });
        }
    }
    json!({ "type": "object", "properties": properties })
}

fn exempt_input() -> Value {
    json!({
        "type": "object",
        "required": ["exempt"],
        "properties": { "exempt": flag("Whether the user needs no seat.") },
    })
}

fn brake() -> Value {
    json!({
        "type": "object",
        "required": ["brake", "suspended", "deleted"],
        "properties": {
            "brake": text("The setting `deprovision.brake`."),
            "suspended": number("Suspended users that are held."),
            "deleted": number("Deleted users that are held."),
            "since": text("Since when the first one is held."),
            "until": text("Up to when the first one is held; then the suspension or deletion is finished."),
        },
    })
}

fn brake_decided() -> Value {
    json!({
        "type": "object",
        "required": ["suspended", "deleted", "refused"],
        "properties": {
            "suspended": number("Suspensions that were undone or finished."),
            "deleted": number("Deletions that were undone or finished."),
            "refused": {
                "type": "array",
                "description": "Users about whom it could not be done, such as one whose userName somebody else has taken; they are held on.",
                "items": {
                    "type": "object",
                    "required": ["user", "userName", "detail"],
                    "properties": {
                        "user": text("The id of the user."),
                        "userName": text("Its userName."),
                        "detail": text("Why."),
                    },
                },
            },
        },
    })
}

fn grant_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "pool": {
                "type": ["string", "null"],
                "description": "The pool of the seat, instead of the one that is waited for; then the wait goes on.",
            },
            "next": flag("Where no seat is free: to be the first of those who wait."),
        },
    })
}

fn user_seat() -> Value {
    json!({
        "type": "object",
        "required": ["user", "lifecycle", "seat"],
        "properties": {
            "user": text("The id of the user."),
            "lifecycle": text("Where the user is."),
            "seat": { "type": "object", "description": "The seat, as the SCIM extension shows it." },
        },
    })
}

fn role() -> Value {
    json!({
        "type": "object",
        "required": ["value", "display", "administrative", "assignable", "names", "type"],
        "properties": {
            "value": text("Lower snake case."),
            "display": text("The name for people."),
            "description": { "type": ["string", "null"] },
            "administrative": flag("Whether whoever has it administers the tenant."),
            "assignable": flag("Whether clients may give it."),
            "pool": { "type": ["string", "null"], "description": "The pool of its seats." },
            "names": texts("Other names under which clients may send it."),
            "type": { "type": "string", "enum": ["system", "custom"] },
        },
    })
}

fn role_input() -> Value {
    json!({
        "type": "object",
        "required": ["value"],
        "properties": {
            "value": text("Lower snake case."),
            "display": text("The name for people."),
            "description": text("What it is for."),
            "administrative": flag("Whether whoever has it administers the tenant."),
        },
    })
}

fn role_of_name(answer: bool) -> Value {
    let mut properties = json!({ "role": text("The role that is meant.") });
    if answer {
        properties["name"] = text("What clients may send.");
    }
    json!({ "type": "object", "required": ["role"], "properties": properties })
}

fn mapping(answer: bool) -> Value {
    let optional =
        |description: &str| json!({ "type": ["string", "null"], "description": description });
    let mut properties = json!({
        "grantsRole": optional("The role that members get."),
        "grantsSeatType": optional("The pool from which members get their seats."),
        "department": optional("The name or the id of the department that their call agents have."),
        "agentGroup": optional("The name or the id of the group of agents that they belong to."),
        "priority": number("Which group counts where several disagree: the lowest number."),
    });
    if answer {
        properties["group"] = text("The id of the group.");
    }
    json!({ "type": "object", "properties": properties })
}

fn token() -> Value {
    json!({
        "type": "object",
        "required": ["id", "label", "scopes", "created"],
        "properties": {
            "id": text("Its id."),
            "label": text("What it is for."),
            "scopes": texts("What it opens."),
            "created": text("When it was made."),
            "expires": text("When it ends."),
            "revoked": text("When it was ended."),
            "lastUsed": text("When it was last used, to the minute."),
        },
    })
}

fn token_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "scopes": texts("What it opens; none means scim."),
            "label": text("What it is for."),
            "expiresDays": number("Days until it ends; without a number it never does."),
        },
    })
}

fn account_input() -> Value {
    let optional =
        |description: &str| json!({ "type": ["string", "null"], "description": description });
    json!({
        "type": "object",
        "properties": {
            "accountNumber": text("The number by which people know it, unique in the tenant."),
            "displayName": optional("The name for people."),
            "status": {
                "type": ["string", "null"], "enum": ["active", "suspended", null],
                "description": "Whether it is in use; active without a value.",
            },
            "externalId": optional("What another system calls it."),
        },
    })
}

fn membership() -> Value {
    json!({
        "type": "object",
        "required": ["value", "role", "primary"],
        "properties": {
            "value": text("The account's id."),
            "$ref": text("Its URI."),
            "accountNumber": text("Its number."),
            "display": text("Its name; its number where it has none."),
            "role": text("The role that the user has in it."),
            "status": { "type": "string", "enum": ["active", "invited", "suspended"] },
            "primary": flag("Whether it is the account to begin with."),
        },
    })
}

fn membership_input(new: bool) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "role": text("The role in the account; that of roles.default for a new member."),
            "primary": flag("True makes it the account to begin with; the first one is in any case."),
        },
    });
    if new {
        schema["required"] = json!(["account"]);
        schema["properties"]["account"] = text("The account's id or number.");
    }
    schema
}
