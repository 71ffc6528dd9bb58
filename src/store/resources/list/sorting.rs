//! Finding all that a list holds and sorting it: for the few that a filter names, and for what no
//! index has in its order.

use super::walk::{COLUMNS, limit, listed, sign};
use super::{Listed, Part, Slice};
use crate::scim::cursor::{Mark, SortKey};
use crate::scim::fold::SORTED_BYTES;
use crate::store::filter::{self, Sorted};
use crate::store::{Dialect, Error, Sql, Tx, states};

/// A piece of these types' list in one order.
pub(super) async fn page(
    tx: &mut Tx<'_>,
    parts: &[Part<'_>],
    slice: &Slice,
) -> Result<Vec<Listed>, Error> {
    let dialect = tx.dialect();
    let sorted = parts.iter().find_map(|part| part.sort).map(|sort| sort.sorted);
    let outer = COLUMNS.replace("r.", "x.");
    let mut sql = Sql::new(&format!("SELECT {outer}"));
    if sorted.is_some() {
        sql.push(", x.sort_key");
    }
    sql.push(" FROM (");
    for (number, part) in parts.iter().enumerate() {
        sql.push(if number == 0 { "" } else { " UNION ALL " });
        inner(&mut sql, dialect, part);
    }
    sql.push(") x");
    order(&mut sql, dialect, sorted, slice);
    limit(&mut sql, slice);
    tx.run(&sql).await?.into_iter().map(|row| listed(row, sorted)).collect()
}

fn inner(sql: &mut Sql, dialect: Dialect, part: &Part<'_>) {
    sql.push(&format!("SELECT {COLUMNS}"));
    if let Some(sort) = &part.sort {
        sql.push(", ");
        filter::sort_key(sql, dialect, &part.world, sort.target.as_ref(), sort.sorted);
        sql.push(" AS sort_key");
    }
    sql.push(" FROM resources r WHERE r.tenant = ").bind(part.world.tenant);
    sql.push(" AND r.kind = ").bind(part.kind());
    if let Some(chosen) = &part.chosen {
        states::among(sql, "r.state", &chosen.states);
    }
    if let Some(bound) = &part.filter {
        sql.push(" AND (");
        filter::condition(sql, dialect, &part.world, bound);
        sql.push(")");
    }
}

fn order(sql: &mut Sql, dialect: Dialect, sorted: Option<Sorted>, slice: &Slice) {
    // No column but an expression: else the planner may walk along the index of ids instead of
    // looking up the few that are named.
    let id = match dialect {
        Dialect::Postgres => "(x.id || '')",
        Dialect::Sqlite => "+x.id",
    };
    let way = if slice.down { "DESC" } else { "ASC" };
    let Some(sorted) = sorted else {
        if let Some(mark) = &slice.after {
            sql.push(&format!(" WHERE {id} {} ", sign(slice.down, mark))).bind(&mark.id);
        }
        sql.push(&format!(" ORDER BY {id} {way}"));
        return;
    };
    let key = match (sorted, dialect) {
        (Sorted::Text, Dialect::Postgres) => {
            format!("substr(convert_to(x.sort_key, 'UTF8'), 1, {SORTED_BYTES})")
        }
        // The substr of nothing is NULL there.
        (Sorted::Text, Dialect::Sqlite) => format!(
            "CASE x.sort_key WHEN '' THEN x'' \
             ELSE substr(CAST(x.sort_key AS BLOB), 1, {SORTED_BYTES}) END"
        ),
        (Sorted::Whole | Sorted::Fraction, _) => "(x.sort_key + 0)".to_owned(),
    };
    if let Some(mark) = &slice.after {
        sql.push(" WHERE ");
        begin(sql, dialect, (&key, id), slice.down, mark);
    }
    let absent = if slice.down { "FIRST" } else { "LAST" };
    sql.push(&format!(" ORDER BY {key} {way} NULLS {absent}, {id} {way}"));
}

/// Appends where a slice begins among keys that may be NULL.
fn begin(sql: &mut Sql, dialect: Dialect, (key, id): (&str, &str), down: bool, mark: &Mark) {
    let sign = sign(down, mark);
    let behind = sql.hold(&mark.id);
    let Some(value) = &mark.key else {
        let absent = format!("(x.sort_key IS NULL AND {id} {sign} {behind})");
        sql.push(&if down { format!("({absent} OR x.sort_key IS NOT NULL)") } else { absent });
        return;
    };
    let value = bound(sql, dialect, value);
    let strict = if down { "<" } else { ">" };
    let mut text = format!("({key} {strict} {value} OR ({key} = {value} AND {id} {sign} {behind})");
    text.push_str(if down { ")" } else { " OR x.sort_key IS NULL)" });
    sql.push(&text);
}

/// The place of a key. The last character of a cut text may be cut in two: bytes, not text.
fn bound(sql: &mut Sql, dialect: Dialect, key: &SortKey) -> String {
    match key {
        SortKey::Int(number) => sql.hold(*number),
        SortKey::Real(number) => sql.hold(*number),
        SortKey::Text(bytes) => {
            let place = sql.hold(hex::encode(bytes));
            match dialect {
                Dialect::Postgres => format!("decode({place}, 'hex')"),
                Dialect::Sqlite => format!("unhex({place})"),
            }
        }
    }
}
