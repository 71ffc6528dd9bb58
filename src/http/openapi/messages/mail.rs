//! JSON Schema of what `/admin` says about mail.

use serde_json::{Value, json};

use super::admin::{list, number, text};

/// All of it.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Brand", brand(false)),
        ("BrandInput", brand(true)),
        ("Template", template(true)),
        ("TemplateInput", template(false)),
        ("TemplateList", list("templates", &json!({ "$ref": "#/components/schemas/Template" }))),
        ("Mail", mail()),
        ("MailList", mails()),
        ("MailReport", report()),
    ]
}

fn brand(input: bool) -> Value {
    let mut properties = json!({
        "name": text("The name, plain text of at most 60 characters, without anything that mail programs make a link of."),
        "color": text("The colour of buttons, #rrggbb."),
        "logo": text("A PNG or JPEG file of at most 64 KiB, in Base64."),
    });
    if input && let Some(properties) = properties.as_object_mut() {
        for property in properties.values_mut() {
            *property = json!({ "anyOf": [property.clone(), { "type": "null" }] });
        }
    }
    json!({ "type": "object", "properties": properties })
}

fn template(answer: bool) -> Value {
    let mut properties = json!({
        "subject": text("The subject: plain text with {name}, {brand} and {inviter}, at most 120 characters."),
        "intro": text("The text before the button: the same, at most 1000 characters; an empty line begins a paragraph."),
    });
    let mut required = vec!["subject", "intro"];
    if answer {
        properties["name"] = text("Its name.");
        properties["locale"] = text("The language, such as en or es-MX.");
        required.extend(["name", "locale"]);
    }
    json!({ "type": "object", "required": required, "properties": properties })
}

fn mail() -> Value {
    json!({
        "type": "object",
        "required": [
            "id", "messageId", "user", "kind", "state", "at", "address", "attempts", "created",
        ],
        "properties": {
            "id": text("Its id."),
            "messageId": text("Its Message-ID."),
            "user": text("The id of the user that it is for or about."),
            "kind": {
                "type": "string",
                "enum": ["invitation", "reset", "digest", "administrator"],
            },
            "state": {
                "type": "string",
                "enum": [
                    "queued", "sent", "delivered", "deferred", "bounced", "suppressed", "failed",
                    "stale",
                ],
            },
            "at": text("Since when."),
            "detail": text("Why."),
            "address": text("Where to; masked unless the token holds users:read."),
            "attempts": number("How often it was tried."),
            "created": text("When it was written."),
        },
    })
}

fn mails() -> Value {
    json!({
        "type": "object",
        "required": ["next", "mails"],
        "properties": {
            "next": number("Where to go on: the `after` of the next request."),
            "mails": { "type": "array", "items": { "$ref": "#/components/schemas/Mail" } },
        },
    })
}

fn report() -> Value {
    json!({
        "type": "object",
        "required": ["state"],
        "properties": {
            "id": text("The mail's id …"),
            "messageId": text("… or its Message-ID."),
            "state": { "type": "string", "enum": ["delivered", "bounced"] },
            "detail": text("Why, at most 300 characters."),
        },
    })
}
