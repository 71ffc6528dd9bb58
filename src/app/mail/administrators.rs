//! What administrators are told by mail, from the record: somebody else administers the tenant now, and
//! changes did not go as they were asked for; of the latter once an hour.
//!
//! The record is read behind the changes, so that none of them costs more for it. How far it was read is
//! noted in the transaction that writes the letters: nobody is told twice.

use serde_json::Value;

use super::{Letter, LetterKind};
use crate::app::tenants::Tenant;
use crate::app::{App, Error};
use crate::domain::{email, words};
use crate::ids::TenantId;
use crate::scim::{Doc, urn};
use crate::store::Tx;
use crate::store::records::{self, Line, Wanted};
use crate::store::resources::{self, Key};
use crate::store::tellings;

/// Lines of the record that are read at once.
const PIECE: i64 = 1_000;
/// Lines of the record over which they are looked for at once.
const SPAN: i64 = 50_000;
/// Names of lines that may say that somebody got a role.
const GAINS: [&str; 2] = ["user.created", "role.changed"];
/// And of those that may say that something went otherwise than it was asked for.
const DIFFERENCES: [&str; 2] = ["seat.denied", "seat.waiting"];
/// Lines of a letter.
const LINES: usize = 20;
/// Administrators who are written to.
const ADMINISTRATORS: i64 = 50;
/// Seconds between two digests.
const HOUR: i64 = 3_600;

/// What happened to whom: the `id` of the user, empty where none was made, and the word for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum News {
    /// Administrative roles that somebody got.
    Gained(String, Vec<String>),
    /// No seat was free in this pool.
    Denied(String, String),
    /// A seat of this pool is waited for.
    Waiting(String, String),
}

/// News of one kind: the first of them, and how many there are.
#[derive(Debug, Clone, Default)]
struct Sum {
    first: Vec<News>,
    count: usize,
}

impl App {
    /// Tells administrators of all tenants what they should know.
    pub async fn tell_administrators(&self) -> Result<(), Error> {
        let behind = self.store().read(async |tx: &mut Tx<'_>| tellings::behind(tx).await).await?;
        if behind.is_empty() {
            return Ok(());
        }
        let tenants = self.tenants().await?;
        for tenant in tenants.iter().filter(|tenant| behind.contains(&tenant.id)) {
            self.tell_those_of(tenant).await?;
        }
        Ok(())
    }

    async fn tell_those_of(&self, tenant: &Tenant) -> Result<(), Error> {
        let id = tenant.id.clone();
        let look = async move |tx: &mut Tx<'_>| {
            Ok::<_, Error>((tellings::find(tx, &id).await?, records::last(tx, &id).await?))
        };
        let (told, last) = self.store().read(look).await?;
        let now = self.clock().now();
        let administrative = tenant.catalogue.administrative();
        let mut next = told;
        let (mut gains, mut digest) = (Sum::default(), Sum::default());
        if told.gains < last {
            let found = |line: &Line| gained(line, &administrative);
            let wanted = sought(&GAINS, &administrative);
            gains = self.news(&tenant.id, (told.gains, last), wanted, found).await?;
            next.gains = last;
        }
        if told.digest < last && told.digest_at <= now.plus_seconds(-HOUR) {
            let wanted = sought(&DIFFERENCES, &[]);
            digest = self.news(&tenant.id, (told.digest, last), wanted, differs).await?;
            next.digest = last;
            if digest.count > 0 {
                next.digest_at = now;
            }
        }
        if next == told {
            return Ok(());
        }
        let (app, place) = (self.clone(), tenant.id.clone());
        let tell = async move |tx: &mut Tx<'_>| {
            // Another instance may have told them meanwhile.
            if tellings::find(tx, &place).await? == told {
                app.write_to(tx, &place, &administrative, [&gains, &digest]).await?;
                tellings::set(tx, &place, next).await?;
            }
            Ok::<_, Error>(())
        };
        self.store().write(&tenant.id, tell).await
    }

    /// News in these lines of the record, in pieces.
    async fn news(
        &self,
        tenant: &TenantId,
        (mut after, last): (i64, i64),
        wanted: Wanted,
        find: impl Fn(&Line) -> Option<News>,
    ) -> Result<Sum, Error> {
        let mut sum = Sum::default();
        while after < last {
            let (place, wanted) = (tenant.clone(), Wanted { after, ..wanted.clone() });
            let piece =
                async move |tx: &mut Tx<'_>| records::among_next(tx, &place, &wanted, SPAN).await;
            let (lines, end) = self.store().read(piece).await?;
            // The record is never shorter than it was; should it be, this is no reason to go on for ever.
            if end <= after {
                break;
            }
            after = end;
            for news in lines.iter().filter(|line| line.seq <= last).filter_map(&find) {
                sum.count += 1;
                if sum.first.len() < LINES {
                    sum.first.push(news);
                }
            }
        }
        Ok(sum)
    }

    /// Writes the letters, to each administrator what is about others.
    async fn write_to(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        administrative: &[String],
        [gains, digest]: [&Sum; 2],
    ) -> Result<(), Error> {
        if gains.count + digest.count == 0 {
            return Ok(());
        }
        let roles = format!("{}:effectiveRoles.value", urn::CONTACT_CENTER);
        let roles = (&*roles, administrative);
        for user in resources::active_with(tx, tenant, roles, ADMINISTRATORS).await? {
            let doc: Doc = user.document()?;
            let Some(to) = email::of(&doc) else { continue };
            for (kind, sum) in
                [(LetterKind::AdministratorGained, gains), (LetterKind::Digest, digest)]
            {
                let locale = locale(&doc);
                let lines = self.lines(tx, tenant, (&user.id, sum), locale).await?;
                if lines.is_empty() {
                    continue;
                }
                let name = doc.get("displayName").and_then(Value::as_str).unwrap_or_default();
                let letter =
                    Letter { name, locale, lines: &lines, ..Letter::new(kind, &user.id, to) };
                self.post(tx, tenant, &letter).await?;
            }
        }
        Ok(())
    }

    /// News as lines in a language, without what is about the reader.
    async fn lines(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        (reader, sum): (&str, &Sum),
        locale: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let words = words::choose(locale);
        let mut lines = Vec::new();
        for news in &sum.first {
            let (News::Gained(id, _) | News::Denied(id, _) | News::Waiting(id, _)) = news;
            if id == reader {
                continue;
            }
            let key = Key { tenant, kind: "User", id };
            let found = resources::find(tx, key).await?;
            let doc = found.map(|stored| stored.document()).transpose()?.unwrap_or_default();
            let name = doc.get("userName").and_then(Value::as_str).unwrap_or(id);
            let name = if name.is_empty() { words.get("letter.digest.somebody") } else { name };
            lines.push(match news {
                News::Gained(_, roles) => format!("{name}: {}", roles.join(", ")),
                News::Denied(_, pool) => {
                    words.fill("letter.digest.denied", &[("name", name), ("pool", pool)])
                }
                News::Waiting(_, pool) => {
                    words.fill("letter.digest.waiting", &[("name", name), ("pool", pool)])
                }
            });
        }
        let more = sum.count - sum.first.len();
        if more > 0 && !lines.is_empty() {
            lines.push(words.fill("letter.digest.more", &[("count", &more.to_string())]));
        }
        Ok(lines)
    }
}

fn locale(user: &Doc) -> Option<&str> {
    let text = |name: &str| user.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("preferredLanguage").or_else(|| text("locale"))
}

/// Lines of these names, of changes that mention one of these roles where there are some.
fn sought(names: &[&str], roles: &[String]) -> Wanted {
    Wanted {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        mentions: roles.to_vec(),
        limit: PIECE,
        ..Wanted::default()
    }
}

/// Administrative roles that this line says somebody got.
fn gained(line: &Line, administrative: &[String]) -> Option<News> {
    let (before, after) = match line.name.as_str() {
        "user.created" => ("", "roles"),
        "role.changed" => ("before", "after"),
        _ => return None,
    };
    let detail: Value = serde_json::from_str(&line.detail).ok()?;
    let values = |list: &Value| -> Vec<String> {
        let all = list.as_array().into_iter().flatten();
        all.filter_map(|role| role["value"].as_str().map(str::to_owned)).collect()
    };
    let had = values(&detail[before]);
    let mut got = values(&detail[after]);
    got.retain(|role| administrative.contains(role) && !had.contains(role));
    (!got.is_empty()).then(|| News::Gained(line.resource.clone(), got))
}

/// What did not go as it was asked for.
fn differs(line: &Line) -> Option<News> {
    let detail: Value = serde_json::from_str(&line.detail).ok()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match line.name.as_str() {
        "seat.denied" => Some(News::Denied(line.resource.clone(), text(&detail["pool"]))),
        "seat.waiting" => {
            let pool = text(&detail["after"]["requestedSeatType"]);
            Some(News::Waiting(line.resource.clone(), pool))
        }
        _ => None,
    }
}
