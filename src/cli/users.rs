//! `usher users`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{App, Ctx, Error, Target};
use crate::cli::find::{Columns, Listing, find, user_id};
use crate::cli::{Failure, Output, open};
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::scim::urn;
use crate::settings::Settings;

/// List, show and invite users, and make passwords for them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Whose users.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    tenant: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List users.
    List(Listing),
    /// Invite somebody: makes the user, takes a seat, and mails a link to set a password with.
    Invite(Invite),
    /// Show one user.
    Show {
        /// Its id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Passwords of users.
    #[command(subcommand)]
    Password(Password),
}

#[derive(Debug, Subcommand)]
enum Password {
    /// Make a password and print it, this once. The user must change it when signing in.
    Generate {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Mail the user a link to set a new password with; the old link is dead.
    Reset {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
}

/// Whom to invite, and to what.
#[derive(Debug, Args)]
struct Invite {
    /// The address that the invitation goes to.
    #[arg(value_name = "EMAIL")]
    email: String,
    /// What the person is called.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// The name to sign in with; the address when left out.
    #[arg(long, value_name = "NAME")]
    user_name: Option<String>,
    /// A role; may be given several times, the first is the primary one.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// The value of the pool that the seat comes from.
    #[arg(long, value_name = "POOL")]
    seat_type: Option<String>,
    /// Name of the template of the mail.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Hours that the link is good for.
    #[arg(long, value_name = "HOURS")]
    ttl_hours: Option<i64>,
    /// Mail nothing: 'usher invitations link' prints the link.
    #[arg(long)]
    link: bool,
}

impl Invite {
    fn body(self) -> Value {
        let mut body = json!({ "schemas": [urn::INVITATION], "email": self.email });
        let texts = [
            ("displayName", self.display_name),
            ("userName", self.user_name),
            ("seatType", self.seat_type),
            ("template", self.template),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                body[name] = text.into();
            }
        }
        if !self.roles.is_empty() {
            body["roles"] = self.roles.into();
        }
        if let Some(hours) = self.ttl_hours {
            body["ttlHours"] = hours.into();
        }
        body["mode"] = if self.link { "link" } else { "email" }.into();
        body
    }
}

/// What is listed of them.
const COLUMNS: Columns = Columns {
    kind: "User",
    name: "users",
    sorted_by: "userName",
    all: &[
        ("ID", "/id"),
        ("USERNAME", "/userName"),
        ("DISPLAY NAME", "/displayName"),
        ("ACTIVE", "/active"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    match arguments.command {
        Command::List(listing) => listing.tell(&app, &ctx, &COLUMNS, output).await?,
        Command::Invite(invite) => {
            let made = app.invite_shown(&ctx, invite.body()).await?;
            let text = |name: &str| made[name].as_str().unwrap_or_default();
            let line = match text("status") {
                "pending" => format!("{} is invited until {}.", text("email"), text("expiresAt")),
                _ => format!("{} waits for a seat and is invited then.", text("email")),
            };
            output.say(&made, &line)?;
        }
        Command::Show { user } => {
            let document = show(&app, &ctx, &user).await?;
            let text = serde_json::to_string_pretty(&document).unwrap_or_default();
            output.say(&document, &text)?;
        }
        Command::Password(Password::Generate { user }) => {
            make_password(&app, &ctx, &user, output).await?;
        }
        Command::Password(Password::Reset { user }) => {
            let id = user_id(&app, &ctx, &user).await?;
            app.send_reset(&ctx, &id).await?;
            let line = format!("A link for a new password is on its way to '{user}'.");
            output.say(&json!({ "user": id }), &line)?;
        }
    }
    app.close().await;
    Ok(())
}

/// The password alone, so that it can be handed on.
async fn make_password(app: &App, ctx: &Ctx, user: &str, output: Output) -> Result<(), Failure> {
    let id = user_id(app, ctx, user).await?;
    let made = app.generate_password(ctx, &id).await?;
    Ok(output.say(&json!({ "user": id, "password": made }), &made)?)
}

async fn show(app: &App, ctx: &Ctx, user: &str) -> Result<Value, Failure> {
    let kind = app.registry().by_name("User").cloned();
    let kind = kind.ok_or_else(|| Failure::Failed("There are no users here.".to_owned()))?;
    let target = Target { kind: &kind, id: user, conditions: &Conditions::default() };
    let missing = match app.get(ctx, target, &Query::default()).await {
        Ok(shown) => {
            let Some(body) = shown.body else { return Ok(Value::Null) };
            let text = body.text().await?;
            return Ok(serde_json::from_str(&text).unwrap_or_default());
        }
        Err(error @ Error::NotFound { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    // A JSON string is a string of the filter language.
    let filter = format!("userName eq {}", Value::from(user));
    let found = find(app, ctx, "User", json!({ "filter": filter })).await?;
    found["Resources"].get(0).cloned().ok_or_else(|| missing.into())
}
