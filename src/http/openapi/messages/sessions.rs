//! JSON Schema of `/auth` and of sessions.

use serde_json::{Value, json};

use super::admin::{list, number, text};

/// All of it.
pub(super) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("Login", login()),
        ("RefreshToken", refresh_token(&["refresh_token", "account"])),
        ("Logout", refresh_token(&["refresh_token"])),
        ("Grant", grant()),
        ("KeySet", key_set()),
        ("SessionList", list("sessions", &session())),
        ("SessionsEnded", object(&[("ended", number("How many sessions there were."))])),
        ("MadePassword", object(&[("password", text("The password; it is shown nowhere else."))])),
    ]
}

fn object(required: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Value> =
        required.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn login() -> Value {
    json!({
        "type": "object",
        "required": ["username", "password"],
        "properties": {
            "tenant": text("The tenant's name; may be left out while the installation has one tenant."),
            "username": text("A userName, an e-mail or a login phone."),
            "password": text("The password."),
            "account": text("The id or the accountNumber of the account to begin with; the primary one when left out."),
        },
    })
}

fn refresh_token(names: &[&str]) -> Value {
    let all = json!({
        "refresh_token": text("The refresh token that came last."),
        "account": text("The id or the accountNumber of the account to use from now on."),
    });
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), all[*name].clone())).collect();
    json!({ "type": "object", "required": ["refresh_token"], "properties": properties })
}

fn grant() -> Value {
    object(&[
        ("access_token", text("A JWT (RFC 9068) for the product, and for /Me and /admin here.")),
        ("token_type", json!({ "type": "string", "const": "Bearer" })),
        ("expires_in", number("Seconds for which the access token is good.")),
        ("refresh_token", text("What the next tokens are asked for with, once.")),
    ])
}

fn key_set() -> Value {
    let key = object(&[
        ("kty", json!({ "type": "string", "const": "EC" })),
        ("crv", json!({ "type": "string", "const": "P-256" })),
        ("alg", json!({ "type": "string", "const": "ES256" })),
        ("use", json!({ "type": "string", "const": "sig" })),
        ("kid", text("Which key: what the header of a token names.")),
        ("x", text("The point, base64url.")),
        ("y", text("The point, base64url.")),
    ]);
    list("keys", &key)
}

fn session() -> Value {
    let mut shown = object(&[
        ("id", text("The session: `sid` in access tokens.")),
        ("created", text("When the person signed in.")),
        ("lastUsed", text("When it was last refreshed.")),
        ("expires", text("When it ends unless it is refreshed before.")),
        ("network", text("The network that it was last used from.")),
        ("client", text("What the client called itself.")),
    ]);
    shown["properties"]["account"] = text("The id of the account that is used.");
    shown
}
