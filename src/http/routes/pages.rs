//! People's pages in the table of endpoints, and how administrators send people there.

use super::{Access, Action, Message, Place, Row, admin, row};
use crate::domain::scope::Scope;
use crate::http::admin::Admin;
use crate::http::pages::Page;

/// Every page, what pages are shown with, and the mail that leads to one.
pub(super) const PAGES: &[Row] = &[
    admin(
        "POST",
        "/admin/users/{user}/password:reset",
        Admin::ResetPassword,
        Scope::SessionsRevoke,
    )
    .named("resetPassword", "Mail a link to set a new password with; the old link is dead.")
    .says(Message::Nothing, 204, Message::Nothing),
    page("GET", "/activate/{token}", Page::Activation)
        .named("showActivation", "What a link for activation leads to; to look uses nothing up.")
        .says(Message::Nothing, 200, Message::Html),
    page("POST", "/activate/{token}", Page::Activate)
        .named("activate", "Set the first password; the person signs in with it then.")
        .says(Message::Form("token,username,password"), 303, Message::Onward),
    page("GET", "/reset/{token}", Page::Resetting)
        .named("showReset", "What a link for a new password leads to; to look uses nothing up.")
        .says(Message::Nothing, 200, Message::Html),
    page("POST", "/reset/{token}", Page::Reset)
        .named("reset", "Set the new password; all sessions end.")
        .says(Message::Form("token,username,password"), 303, Message::Onward),
    page("GET", "/t/{tenant}/login", Page::Login)
        .named("showLogin", "The page that asks for name and password.")
        .says(Message::Nothing, 200, Message::Html),
    page("POST", "/t/{tenant}/login", Page::SignIn)
        .named("signIn", "Begin a session in this browser.")
        .says(Message::Form("token,username,password"), 303, Message::Onward),
    page("GET", "/t/{tenant}/forgot", Page::Forgot)
        .named("showForgot", "The page for who forgot the password.")
        .says(Message::Nothing, 200, Message::Html),
    page("POST", "/t/{tenant}/forgot", Page::AskReset)
        .named("askReset", "Mail a link for a new password, if there is such a person.")
        .says(Message::Form("token,username"), 200, Message::Html),
    page("POST", "/t/{tenant}/password", Page::Change)
        .named("changePassword", "Set another password in place of one that was good once.")
        .says(Message::Form("token,right,username,password"), 303, Message::Onward),
    page("GET", "/t/{tenant}/accounts", Page::Accounts)
        .named("showAccounts", "The accounts to choose among.")
        .says(Message::Nothing, 200, Message::Html),
    page("POST", "/t/{tenant}/accounts", Page::Choose)
        .named("chooseAccount", "Choose the account that the session is for.")
        .says(Message::Form("token,account"), 303, Message::Onward),
    page("GET", "/t/{tenant}/signed-in", Page::SignedIn)
        .named("showSignedIn", "Who is signed in in this browser.")
        .says(Message::Nothing, 200, Message::Html),
    page("GET", "/t/{tenant}/logo/{hash}", Page::Logo)
        .named("getLogo", "The logo of a tenant.")
        .says(Message::Nothing, 200, Message::Asset),
    page("POST", "/logout", Page::SignOut)
        .named("signOut", "End the session in this browser.")
        .says(Message::Form("token,tenant"), 303, Message::Onward),
    page("GET", "/assets/{file}", Page::Asset)
        .named("getAsset", "What pages are shown with.")
        .says(Message::Nothing, 200, Message::Asset),
];

const fn page(method: &'static str, path: &'static str, page: Page) -> Row {
    row(method, Place::Server, path, Action::Page(page), Access::Open)
}
