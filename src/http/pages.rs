//! People's pages: made by the server, without scripts that are needed and without anything from elsewhere.

mod assets;
mod links;
mod sessions;
mod signin;
mod site;
mod visit;

use axum::response::Response;

use crate::app::Error;
use crate::http::call::Call;

pub use visit::Manner;

/// What a page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Show what a link for activation leads to.
    Activation,
    /// Set the first password.
    Activate,
    /// Show what a link for a new password leads to.
    Resetting,
    /// Set the new password.
    Reset,
    /// Ask for name and password.
    Login,
    /// Begin a session.
    SignIn,
    /// Ask for the name of who forgot the password.
    Forgot,
    /// Mail a link.
    AskReset,
    /// Set another password in place of one that was good once.
    Change,
    /// Show the accounts to choose among.
    Accounts,
    /// Choose one.
    Choose,
    /// Say who is signed in.
    SignedIn,
    /// End the session.
    SignOut,
    /// What pages are shown with.
    Asset,
    /// The logo of a tenant.
    Logo,
}

impl Page {
    /// Whether it may change something.
    pub fn writes(self) -> bool {
        match self {
            Self::Activate
            | Self::Reset
            | Self::SignIn
            | Self::AskReset
            | Self::Change
            | Self::Choose
            | Self::SignOut => true,
            Self::Activation
            | Self::Resetting
            | Self::Login
            | Self::Forgot
            | Self::Accounts
            | Self::SignedIn
            | Self::Asset
            | Self::Logo => false,
        }
    }
}

/// Answers a visit.
pub async fn answer(page: Page, call: Call) -> Result<Response, Error> {
    match page {
        Page::Activation => links::look(call, links::Kind::Activate).await,
        Page::Activate => links::set(call, links::Kind::Activate).await,
        Page::Resetting => links::look(call, links::Kind::Reset).await,
        Page::Reset => links::set(call, links::Kind::Reset).await,
        Page::Login => signin::login(call).await,
        Page::SignIn => signin::sign_in(call).await,
        Page::Forgot => signin::forgot(call).await,
        Page::AskReset => signin::ask_reset(call).await,
        Page::Change => signin::change(call).await,
        Page::Accounts => sessions::accounts(call).await,
        Page::Choose => sessions::choose(call).await,
        Page::SignedIn => sessions::signed_in(call).await,
        Page::SignOut => sessions::sign_out(call).await,
        Page::Asset => assets::file(&call),
        Page::Logo => assets::logo(call).await,
    }
}
