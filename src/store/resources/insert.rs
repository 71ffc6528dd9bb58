//! New resources, one or many at once.

use std::collections::{HashMap, HashSet};

use super::{Draft, Entry, Key};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::beside::{self, blocked, recorded, seated};
use crate::store::turns::{late, turn};
use crate::store::{Dialect, Error, Row, Tx, Value, blocks, records, seats, turns};

/// A resource on its way in.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// Its `id`.
    pub id: &'a str,
    /// Everything else.
    pub draft: &'a Draft,
    /// When it is made.
    pub now: Micros,
}

/// Why a resource was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Another one has a value that must be unique: the attribute, `userName` for one.
    Taken(String),
    /// A seat that it takes is not to be had by counting alone.
    Full,
}

impl From<Left> for Error {
    fn from(left: Left) -> Self {
        match left {
            Left::Taken(attribute) => Self::Taken(attribute),
            Left::Full => Self::Full,
        }
    }
}

/// Whose resources of which type these are.
#[derive(Clone, Copy)]
struct Place<'a> {
    tenant: &'a TenantId,
    kind: &'a str,
}

/// Adds a resource, version 1; refuses a unique value that is taken.
pub async fn insert(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    draft: &Draft,
    now: Micros,
) -> Result<(), Error> {
    let new = New { id: key.id, draft, now };
    let outcomes = insert_many(tx, key.tenant, key.kind, &[new]).await?;
    Ok(outcomes.into_iter().collect::<Result<(), Left>>()?)
}

/// Adds resources in this order, version 1. One whose unique value is taken, be it by an earlier one
/// of these, is left out and the others are stored.
pub async fn insert_many(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    new: &[New<'_>],
) -> Result<Vec<Result<(), Left>>, Error> {
    let place = Place { tenant, kind };
    let mut outcomes: Vec<Result<(), Left>> = vec![Ok(()); new.len()];
    let mut held: HashSet<&Entry> = HashSet::new();
    let mut left: Vec<usize> = (0..new.len()).collect();
    while !left.is_empty() {
        // Those who want what an earlier one wants wait until it is known who got it.
        let (mut wave, mut later, mut wanted) = (Vec::new(), Vec::new(), HashSet::new());
        for number in left {
            let keys = &new[number].draft.entries.unique;
            if let Some((attribute, _)) = keys.iter().find(|key| held.contains(key)) {
                outcomes[number] = Err(Left::Taken(attribute.clone()));
                continue;
            }
            let free = keys.iter().filter(|key| wanted.insert(*key)).count() == keys.len();
            if free { wave.push(number) } else { later.push(number) }
        }
        let mut left_out =
            store(tx, place, &wave.iter().map(|at| new[*at]).collect::<Vec<_>>()).await?;
        for number in wave {
            if let Some(left) = left_out.remove(new[number].id) {
                outcomes[number] = Err(left);
            } else {
                // On PostgreSQL they are counted where they are stored.
                if tx.dialect() == Dialect::Sqlite {
                    tx.count(tenant, kind, new[number].id, 1);
                }
                held.extend(&new[number].draft.entries.unique);
            }
        }
        left = later;
    }
    Ok(outcomes)
}

/// Stores resources no two of which want the same value; gives those that were left out, and why.
async fn store(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new: &[New<'_>],
) -> Result<HashMap<String, Left>, Error> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    match tx.dialect() {
        Dialect::Sqlite => one_by_one(tx, place, new).await,
        Dialect::Postgres => all_at_once(tx, place, new).await,
    }
}

async fn one_by_one(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new: &[New<'_>],
) -> Result<HashMap<String, Left>, Error> {
    let mut left = HashMap::new();
    let mut stored = Vec::with_capacity(new.len());
    for one in new {
        if let Some(attribute) = take(tx, place, one).await? {
            left.insert(one.id.to_owned(), Left::Taken(attribute));
            continue;
        }
        if !seats::shift(tx, place.tenant, &one.draft.beside.shifts).await? {
            untake(tx, place, &one.draft.entries.unique).await?;
            left.insert(one.id.to_owned(), Left::Full);
            continue;
        }
        records::write(tx, place.tenant, one.draft.beside.change.as_slice()).await?;
        tx.execute(
            "INSERT INTO resources
                 (tenant, kind, id, doc, folded, label, version, created_at, modified_at, state)
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7, $8)",
            &[
                place.tenant.into(),
                place.kind.into(),
                one.id.into(),
                (&one.draft.doc).into(),
                Value::Json(one.draft.folded.clone()),
                (&one.draft.label).into(),
                one.now.into(),
                (&one.draft.state).into(),
            ],
        )
        .await?;
        stored.push(*one);
    }
    let rows = sorted(&stored, |draft| &draft.entries.index);
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let sql = "INSERT INTO attr_index (tenant, kind, attr, value, resource)
               VALUES ($1, $2, $3, $4, $5)";
    tx.execute_each(sql, &[place.tenant.into(), place.kind.into()], &rows).await?;
    Ok(left)
}

/// Takes the unique values of one resource, or none of them and says which attribute's is taken.
async fn take(tx: &mut Tx<'_>, place: Place<'_>, new: &New<'_>) -> Result<Option<String>, Error> {
    let keys = &new.draft.entries.unique;
    for (done, (attribute, value)) in keys.iter().enumerate() {
        let key =
            [place.tenant.into(), place.kind.into(), attribute.into(), value.into(), new.id.into()];
        let sql = "INSERT INTO unique_keys (tenant, kind, attr, value, resource)
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        if tx.execute(sql, &key).await? == 1 {
            continue;
        }
        untake(tx, place, &keys[..done]).await?;
        return Ok(Some(attribute.clone()));
    }
    Ok(None)
}

/// Gives free what was taken a moment ago.
async fn untake(tx: &mut Tx<'_>, place: Place<'_>, keys: &[Entry]) -> Result<(), Error> {
    for (attribute, value) in keys {
        let key = [place.tenant.into(), place.kind.into(), attribute.into(), value.into()];
        let sql = "DELETE FROM unique_keys
                   WHERE tenant = $1 AND kind = $2 AND attr = $3 AND value = $4";
        tx.execute(sql, &key).await?;
    }
    Ok(())
}

async fn all_at_once(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new: &[New<'_>],
) -> Result<HashMap<String, Left>, Error> {
    let keys = sorted(new, |draft| &draft.entries.unique);
    let index = sorted(new, |draft| &draft.entries.index);
    let column = |rows: &[[&str; 3]], column: usize| {
        Value::texts(rows.iter().filter_map(|row| row.get(column).copied()))
    };
    let born: Vec<String> = new.iter().map(|one| one.now.0.to_string()).collect();
    let mut binds = vec![
        place.tenant.into(),
        place.kind.into(),
        column(&keys, 0),
        column(&keys, 1),
        column(&keys, 2),
        Value::texts(new.iter().map(|one| one.id)),
        Value::texts(new.iter().map(|one| one.draft.doc.as_str())),
        Value::texts(new.iter().map(|one| one.draft.folded.as_str())),
        Value::texts(new.iter().map(|one| one.draft.label.as_str())),
        Value::texts(born.iter().map(String::as_str)),
        column(&index, 0),
        column(&index, 1),
        column(&index, 2),
        blocks::CROWDED.into(),
    ];
    binds.extend(beside::shifts(new.iter().map(|one| (one.id, &one.draft.beside))));
    binds.extend(beside::changes(new.iter().map(|one| &one.draft.beside)));
    binds.push(Value::texts(new.iter().map(|one| one.draft.state.as_str())));
    let wrote = |rows: &[Row]| {
        turns::check(rows).is_ok() && refused(rows).is_ok_and(|all| all.len() < new.len())
    };
    let stored = tx.change(STORE, &binds, wrote).await;
    let rows = stored.map_err(|error| match error {
        // Nobody of this tenant writes beside us, so somebody does who keeps no turns.
        Error::Taken(_) => Error::Again("a unique value was taken meanwhile".to_owned()),
        other => other,
    })?;
    turns::check(&rows)?;
    for row in rows.iter().filter(|row| row.text(0) == Ok("crowded")) {
        tx.crowd(place.tenant, place.kind, row.text(1)?);
    }
    refused(&rows)
}

/// What could not be stored; of several attributes the first.
fn refused(rows: &[Row]) -> Result<HashMap<String, Left>, Error> {
    let mut left: HashMap<String, Left> = HashMap::new();
    for row in rows {
        let why = match row.text(0)? {
            "taken" => Left::Taken(row.text(2)?.to_owned()),
            "full" => Left::Full,
            _ => continue,
        };
        match (left.get(row.text(1)?), &why) {
            (Some(Left::Taken(first)), Left::Taken(other)) if first <= other => {}
            (Some(Left::Taken(_)), Left::Full) => {}
            (Some(_) | None, _) => drop(left.insert(row.text(1)?.to_owned(), why)),
        }
    }
    Ok(left)
}

/// One statement, so one round trip; nothing of a resource is written when a value of it is taken.
/// OFFSET 0 keeps the look-ups one by one by the whole key, whatever the server believes of the
/// table's size. The blocks are counted as in store/blocks.rs.
const STORE: &str = concat!(
    turn!(),
    "wanted AS MATERIALIZED (
         SELECT * FROM UNNEST($3::TEXT[], $4::TEXT[], $5::TEXT[]) AS w (attr, value, resource)
     ), taken AS MATERIALIZED (
         SELECT w.resource, w.attr FROM wanted w
         WHERE EXISTS (SELECT FROM unique_keys k WHERE k.tenant = $1 AND k.kind = $2
                           AND k.attr = w.attr AND k.value = w.value OFFSET 0)
     ), ",
    blocked!("$15::TEXT[], $16::TEXT[], $17::TEXT[], $18::TEXT[]"),
    "out AS MATERIALIZED (
         SELECT t.resource AS id FROM taken t UNION ALL SELECT b.id FROM blocked b
     ), keys AS (
         INSERT INTO unique_keys (tenant, kind, attr, value, resource)
         SELECT $1, $2, w.attr, w.value, w.resource FROM wanted w
         WHERE w.resource NOT IN (SELECT o.id FROM out o) AND EXISTS (SELECT FROM mine)
     ), stored AS (
         INSERT INTO resources
             (tenant, kind, id, doc, folded, label, version, created_at, modified_at, state)
         SELECT $1, $2, n.id, n.doc, n.folded::JSONB, n.label, 1, n.born::BIGINT, n.born::BIGINT,
             n.state
         FROM UNNEST($6::TEXT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $28::TEXT[])
             AS n (id, doc, folded, label, born, state)
         WHERE n.id NOT IN (SELECT o.id FROM out o) AND EXISTS (SELECT FROM mine)
         RETURNING id
     ), listed AS (
         INSERT INTO attr_index (tenant, kind, attr, value, resource)
         SELECT $1, $2, i.attr, i.value, i.resource
         FROM UNNEST($11::TEXT[], $12::TEXT[], $13::TEXT[]) AS i (attr, value, resource)
         WHERE i.resource NOT IN (SELECT o.id FROM out o) AND EXISTS (SELECT FROM mine)
     ), counted AS (
         INSERT INTO resource_blocks AS b (tenant, kind, first, live)
         SELECT $1, $2, c.first, COUNT(*) FROM (
             SELECT COALESCE((SELECT o.first FROM resource_blocks o
                              WHERE o.tenant = $1 AND o.kind = $2 AND o.first <= s.id
                              ORDER BY o.first DESC LIMIT 1), '') AS first
             FROM stored s) c
         GROUP BY c.first
         ON CONFLICT (tenant, kind, first) DO UPDATE SET live = b.live + excluded.live
         RETURNING first, live
     )",
    seated!("stored"),
    recorded!(
        "$19::TEXT[], $20::TEXT[], $21::TEXT[], $22::TEXT[], $23::TEXT[], $24::TEXT[], $25::TEXT[],
         $26::TEXT[], $27::TEXT[]",
        "stored"
    ),
    " SELECT 'taken', resource, attr FROM taken
     UNION ALL
     SELECT 'full', id, '' FROM blocked
     UNION ALL
     SELECT 'crowded', first, '' FROM counted WHERE live >= $14",
    late!("'', ''")
);

/// Attribute, value and id of entries, in the order of the tables: neighbours go into one page.
fn sorted<'n>(new: &[New<'n>], entries: impl Fn(&'n Draft) -> &'n Vec<Entry>) -> Vec<[&'n str; 3]> {
    let of_one = |one: &New<'n>| {
        let id = one.id;
        entries(one.draft).iter().map(move |(attr, value)| [attr.as_str(), value.as_str(), id])
    };
    let mut rows: Vec<[&str; 3]> = new.iter().flat_map(of_one).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}
