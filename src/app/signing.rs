//! Keys that sign access tokens (RFC 9068), and the tokens.
//!
//! They stand in the database, so that every instance has the same ones; the secret half is sealed by
//! the installation's key. A key is published a day before it signs, so that whoever keeps the public
//! ones has it by then, and for as long after it as anything that it signed is good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::app::{App, Error};
use crate::clock::Micros;
use crate::store::signing_keys::{self, SigningKey};
use crate::store::{self, Tx};

/// The one algorithm; what a token's header says of it is only compared.
const ALGORITHM: Algorithm = Algorithm::ES256;
/// The `typ` of access tokens (RFC 9068 s2.1).
const TYPE: &str = "at+jwt";
/// What the secret halves are sealed for.
const PURPOSE: &str = "signing-key";
/// How long keys that were read are believed: a new one signs a day later at the soonest.
const BELIEVED: Duration = Duration::from_secs(30);
/// Tokens of keys that nobody knows make them be read anew, no more often than this.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
const DAY: i64 = 86_400;
/// Seconds for which a key is published after the last token that it signed was given.
const AFTERWARDS: i64 = 3_600;
/// Seconds by which the clock of another instance may be ahead.
const SKEW: i64 = 60;

/// The keys as they were read.
#[derive(Debug, Default)]
pub(super) struct Keyring(Mutex<Option<Arc<Ring>>>);

pub(super) struct Ring {
    keys: Vec<Key>,
    read: Instant,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

struct Key {
    row: SigningKey,
    public: Value,
    verifies: DecodingKey,
    signs: EncodingKey,
}

/// A key as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// `kid`.
    pub id: String,
    /// When it was made.
    pub created: Micros,
    /// From when on it signs.
    pub signs: Micros,
    /// `next`, `signs` or `verifies`.
    pub state: &'static str,
}

/// What Usher reads of an access token; the rest it knows better.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    pub(super) sub: String,
    pub(super) tenant: String,
    pub(super) sid: String,
    pub(super) epoch: i64,
    iat: i64,
    exp: i64,
}

impl App {
    /// The issuer of access tokens: the URL of this server, and nothing that a request says.
    pub fn issuer(&self) -> &str {
        self.base().strip_suffix("/scim/v2").unwrap_or_default()
    }

    /// The public keys as a JWK set (RFC 7517 s5).
    pub async fn public_keys(&self) -> Result<Value, Error> {
        let (ring, now) = (self.ring(BELIEVED).await?, self.clock().now());
        let shown: Vec<&Value> = ring.published(now).map(|key| &key.public).collect();
        Ok(json!({ "keys": shown }))
    }

    /// The keys that are published, the oldest first.
    pub async fn signing_keys(&self) -> Result<Vec<KeyInfo>, Error> {
        let (ring, now) = (self.ring(Duration::ZERO).await?, self.clock().now());
        let signer = ring.signer(now).map(|key| key.row.generation).unwrap_or_default();
        let shown = ring.published(now).map(|key| KeyInfo {
            id: key.row.id.clone(),
            created: key.row.created,
            signs: key.row.signs,
            state: match key.row.generation.cmp(&signer) {
                std::cmp::Ordering::Less => "verifies",
                std::cmp::Ordering::Equal => "signs",
                std::cmp::Ordering::Greater => "next",
            },
        });
        Ok(shown.collect())
    }

    /// Makes the next key: it signs in a day, or at once where the one that signs is in wrong hands, and
    /// then that one verifies nothing any more.
    pub async fn rotate_signing_keys(&self, at_once: bool) -> Result<Vec<KeyInfo>, Error> {
        let known = self.ring(Duration::ZERO).await?;
        let now = self.clock().now();
        let signs = if at_once { now } else { now.plus_seconds(DAY) };
        let newest = known.keys.last().map_or(0, |key| key.row.generation);
        self.add_key(newest + 1, signs, at_once).await?;
        self.signing_keys().await
    }

    /// The access token of these claims; `iss`, `aud`, `iat`, `exp` and `jti` are added.
    pub(super) async fn sign(&self, mut claims: Map<String, Value>) -> Result<String, Error> {
        let (ring, now) = (self.ring(BELIEVED).await?, self.clock().now());
        let none = || Error::Internal("no key signs".to_owned());
        let key = ring.signer(now).ok_or_else(none)?;
        let (settings, at) = (&self.settings().identity, now.0.div_euclid(1_000_000));
        for (name, value) in [
            ("iss", Value::from(self.issuer())),
            ("aud", settings.audience.as_str().into()),
            ("iat", at.into()),
            ("exp", (at + settings.access_token_seconds).into()),
            ("jti", crate::ids::TokenId::new(now).as_str().into()),
        ] {
            claims.insert(name.to_owned(), value);
        }
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(key.row.id.clone()),
            ..Header::new(ALGORITHM)
        };
        jsonwebtoken::encode(&header, &claims, &key.signs)
            .map_err(|error| Error::Internal(format!("signing: {error}")))
    }

    /// The claims of an access token that Usher signed for this installation and that is good now; none
    /// otherwise, for whatever reason.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Claims>, Error> {
        let Ok(header) = jsonwebtoken::decode_header(token) else { return Ok(None) };
        let is_ours = header.alg == ALGORITHM
            && header.typ.is_some_and(|kind| kind.eq_ignore_ascii_case(TYPE));
        let Some(kid) = header.kid.filter(|_| is_ours) else { return Ok(None) };
        let now = self.clock().now();
        let mut ring = self.ring(BELIEVED).await?;
        if ring.published(now).all(|key| key.row.id != kid) {
            ring = self.ring(AT_MOST_EVERY).await?;
        }
        let Some(key) = ring.published(now).find(|key| key.row.id == kid) else { return Ok(None) };
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verifies, &self.validation());
        let at = now.0.div_euclid(1_000_000);
        let is_good = |claims: &Claims| at < claims.exp && claims.iat <= at + SKEW;
        Ok(claims.ok().map(|data| data.claims).filter(is_good))
    }

    fn validation(&self) -> Validation {
        let mut validation = Validation::new(ALGORITHM);
        validation.set_issuer(&[self.issuer()]);
        validation.set_audience(&[&self.settings().identity.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The clock of the app says whether it is good still.
        validation.validate_exp = false;
        validation
    }

    fn keyring(&self) -> &Keyring {
        &self.door().keyring
    }

    /// The keys, no older than this; the first one and the next one are made when they are due.
    async fn ring(&self, age: Duration) -> Result<Arc<Ring>, Error> {
        let known = self.keyring().0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ring) = known.filter(|ring| ring.read.elapsed() < age) {
            return Ok(ring);
        }
        let mut ring = self.read_keys_that_sign().await?;
        if let Some((generation, signs)) = ring.due(self.clock().now(), self.signs_for()) {
            self.add_key(generation, signs, false).await?;
            ring = self.read_keys_that_sign().await?;
        }
        let ring = Arc::new(ring);
        *self.keyring().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ring));
        Ok(ring)
    }

    /// Seconds for which a key signs.
    fn signs_for(&self) -> i64 {
        self.settings().identity.signing_key_days * DAY
    }

    async fn read_keys_that_sign(&self) -> Result<Ring, Error> {
        let read = Instant::now();
        let rows = self.store().read(async |tx: &mut Tx<'_>| signing_keys::list(tx).await).await?;
        let keys = rows.into_iter().map(|row| self.key_of(row)).collect::<Result<_, _>>()?;
        Ok(Ring { keys, read })
    }

    fn key_of(&self, row: SigningKey) -> Result<Key, Error> {
        let damaged = || Error::Internal(format!("the signing key {} is damaged", row.id));
        let secret = self.keys()?.open(PURPOSE, &row.secret)?;
        let public: Value = serde_json::from_str(&row.public).map_err(|_| damaged())?;
        let part = |name: &str| public[name].as_str().unwrap_or_default();
        let verifies = DecodingKey::from_ec_components(part("x"), part("y"));
        let verifies = verifies.map_err(|_| damaged())?;
        Ok(Key { signs: EncodingKey::from_ec_der(&secret), verifies, public, row })
    }

    /// Adds a key unless another instance has added the one of this generation.
    async fn add_key(&self, generation: i64, signs: Micros, alone: bool) -> Result<(), Error> {
        let key = self.make_key(generation, signs)?;
        let now = self.clock().now();
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| {
                signing_keys::insert(tx, &key).await?;
                let rows = signing_keys::list(tx).await?;
                if !rows.iter().any(|row| row.generation >= generation) {
                    // On PostgreSQL the one who came first may be committing only now.
                    return Err(store::Error::Again("a signing key is being made".to_owned()));
                }
                let last = if alone { Some(generation) } else { oldest(rows.iter(), now) };
                signing_keys::forget_before(tx, last.unwrap_or_default()).await
            })
            .await?;
        Ok(())
    }

    fn make_key(&self, generation: i64, signs: Micros) -> Result<SigningKey, Error> {
        let failed = |_| Error::Internal("no key could be made".to_owned());
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let secret =
            EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, secret.as_ref())
            .map_err(|error| Error::Internal(format!("a key that was made: {error}")))?;
        // An uncompressed point (SEC 1 s2.3.3): 4, x, y.
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
        let created = self.clock().now();
        let id = crate::ids::TokenId::new(created).to_string();
        let public = json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        });
        let secret = self.keys()?.seal(PURPOSE, secret.as_ref())?;
        Ok(SigningKey { generation, id, public: public.to_string(), secret, created, signs })
    }
}

impl Ring {
    /// The key that signs at this moment.
    fn signer(&self, now: Micros) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.row.signs <= now).or_else(|| self.keys.first())
    }

    /// Those that signed what may still be good, the one that signs, and those that will.
    fn published(&self, now: Micros) -> impl Iterator<Item = &Key> {
        let from = oldest(self.keys.iter().map(|key| &key.row), now).unwrap_or_default();
        self.keys.iter().filter(move |key| key.row.generation >= from)
    }

    /// The generation of the key that is to be made now, and from when on it signs.
    fn due(&self, now: Micros, signs_for: i64) -> Option<(i64, Micros)> {
        match self.keys.last() {
            None => Some((1, now)),
            Some(Key { row, .. }) => {
                let next = row.signs.plus_seconds(signs_for).max(now.plus_seconds(DAY));
                let is_due = row.signs.plus_seconds(signs_for - DAY) <= now;
                is_due.then_some((row.generation + 1, next))
            }
        }
    }
}

/// The generation of the oldest key that may have signed anything that is still good.
fn oldest<'k>(mut keys: impl Iterator<Item = &'k SigningKey>, now: Micros) -> Option<i64> {
    let first = keys.next()?.generation;
    let has_taken_over = |next: &&SigningKey| next.signs.plus_seconds(AFTERWARDS) <= now;
    Some(keys.filter(has_taken_over).map(|next| next.generation).max().unwrap_or(first))
}
