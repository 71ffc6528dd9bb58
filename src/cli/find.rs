//! What commands look up by the names that people type.

use serde_json::{Value, json};

use crate::app::{App, Ctx, Error};
use crate::cli::Failure;
use crate::scim::query::Query;
use crate::scim::urn;

/// What a search finds among the resources of a type.
pub(super) async fn find(
    app: &App,
    ctx: &Ctx,
    kind: &str,
    mut search: Value,
) -> Result<Value, Error> {
    search["schemas"] = json!([urn::SEARCH]);
    let query = Query::from_search(&search, ctx.quirks)?;
    let kinds: Vec<_> = app.registry().by_name(kind).cloned().into_iter().collect();
    let page = app.list(ctx, &kinds, &query).await?.text().await?;
    Ok(serde_json::from_str(&page).unwrap_or_default())
}

/// The id of the user of this id or userName.
pub(super) async fn user_id(app: &App, ctx: &Ctx, user: &str) -> Result<String, Failure> {
    // A JSON string is a string of the filter language.
    let text = Value::from(user);
    let filter = format!("id eq {text} or userName eq {text}");
    let found = find(app, ctx, "User", json!({ "filter": filter })).await?;
    let id = found["Resources"][0]["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::Failed(format!("User '{user}' does not exist.")))
}
