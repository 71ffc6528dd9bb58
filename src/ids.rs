//! Identifiers: UUID v7, so that they sort by the time of their making, to the microsecond. Tenants have short
//! ones, which stand in nearly every key.

use std::fmt;

use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::Micros;

/// The ten bits after the milliseconds say which microsecond it was (RFC 9562 s6.2, method 3), so
/// that who makes one thing after the other finds them in that order. The rest counts and is random.
fn counter() -> ContextV7 {
    ContextV7::new().with_additional_precision_bits(10)
}

fn at(now: Micros, counter: &ContextV7) -> Uuid {
    let micros = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(micros % 1_000_000).unwrap_or(0) * 1_000;
    Uuid::new_v7(Timestamp::from_unix(counter, micros / 1_000_000, nanos))
}

/// One newtype per kind of identifier, so that they cannot be mixed up.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of the identifier.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

/// Those that are UUIDs.
macro_rules! timed {
    ($($name:ident),*) => {
        $(impl $name {
            /// A new one, sorting after those made before `now`.
            pub fn new(now: Micros) -> Self {
                Self(at(now, &counter()).to_string())
            }
        })*
    };
}

id!(
    /// A tenant: the security boundary. Those that were made by earlier versions are UUIDs.
    TenantId
);
id!(
    /// A resource (RFC 7643 s3.1 `id`). Clients may ask for ids of any shape; unknown ones are 404.
    ResourceId
);
id!(
    /// A bearer token's row; not the secret.
    TokenId
);
id!(
    /// A session of somebody who signed in: `sid` in access tokens.
    SessionId
);
id!(
    /// One HTTP request, in every log line and error.
    RequestId
);

timed!(ResourceId, TokenId, SessionId, RequestId);

/// Digits of a tenant's id. Nearly every row and entry of an index begins with one: with a UUID there the
/// largest index is a quarter longer, and a change among a million users costs SQLite a tenth more.
const TENANT: usize = 12;

impl TenantId {
    /// A new one, of 48 random bits; a database refuses one that it has.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        let mut digits = Uuid::new_v4().simple().to_string();
        digits.truncate(TENANT);
        Self(digits)
    }
}

/// What stands before the user's `id` in what stands for a token of a person.
const PERSON: &str = "user ";

impl TokenId {
    /// What stands for a token where a person acts: whoever signed in, or proved to be this user.
    pub fn of_person(user: &str) -> Self {
        Self(format!("{PERSON}{user}"))
    }

    /// The `id` of the user of whom it is; none where it is a token's.
    pub fn person(&self) -> Option<&str> {
        self.0.strip_prefix(PERSON)
    }
}

impl SessionId {
    /// Its 128 bits; none where the text is no UUID.
    pub fn bits(&self) -> Option<[u8; 16]> {
        Uuid::try_parse(&self.0).ok().map(Uuid::into_bytes)
    }

    /// The one of these bits.
    pub fn of(bits: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bits).to_string())
    }
}

impl ResourceId {
    /// Whether a text has the form of those that are made here.
    pub fn is_form(text: &str) -> bool {
        text.len() == 36 && Uuid::try_parse(text).is_ok()
    }

    /// New ones that sort in this order, after those made before `now`.
    pub fn many(now: Micros) -> impl Iterator<Item = Self> {
        // One counter keeps the order, so that rows come one after the other.
        let counter = counter();
        std::iter::repeat_with(move || Self(at(now, &counter).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ids_of_one_moment_sort_as_they_were_made() {
        let ids: Vec<_> = ResourceId::many(Micros(1_000)).take(10_000).collect();
        assert!(ids.is_sorted());
        assert!(ids.windows(2).all(|two| two[0] != two[1]));
    }

    #[test]
    fn ids_of_tenants_are_short_and_differ() {
        let ids: std::collections::HashSet<_> =
            (0..10_000).map(|_| TenantId::new().to_string()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(
            ids.iter().all(|id| id.len() == TENANT && id.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..5_000).map(|now| ResourceId::new(Micros(now))).collect();
        assert!(ids.is_sorted());
        assert!(ids[4_999] < ResourceId::many(Micros(5_000)).next().unwrap());
    }
}
