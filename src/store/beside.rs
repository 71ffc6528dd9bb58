//! What a change of a document writes beside it: seats that come and go, and lines of the record. On
//! PostgreSQL they are parts of the statement that writes the document.

use crate::store::Value;
use crate::store::records::Change;
use crate::store::seats::Shift;

/// What is written beside a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Moves of the counters of pools; where one of them is not possible nothing is written at all.
    pub shifts: Vec<Shift>,
    /// What the record gets.
    pub change: Option<Change>,
}

/// The parameters of [`blocked!`]: the shifts of these documents.
pub(super) fn shifts<'b>(all: impl Iterator<Item = (&'b str, &'b Beside)>) -> [Value; 4] {
    let mut columns: [Vec<String>; 4] = Default::default();
    for (id, beside) in all {
        for shift in &beside.shifts {
            let row = [
                id.to_owned(),
                shift.pool.clone(),
                shift.consumed.to_string(),
                shift.reserved.to_string(),
            ];
            push(&mut columns, row);
        }
    }
    columns.map(Value::Texts)
}

/// The parameters of [`recorded!`]: what the record gets of these documents.
pub(super) fn changes<'b>(all: impl Iterator<Item = &'b Beside>) -> [Value; 9] {
    let mut columns: [Vec<String>; 9] = Default::default();
    for change in all.filter_map(|beside| beside.change.as_ref()) {
        push(&mut columns, change.columns());
    }
    columns.map(Value::Texts)
}

fn push<const N: usize>(columns: &mut [Vec<String>; N], row: [String; N]) {
    columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
}

/// Parts of a statement about the tenant `$1`: whose seats cannot be counted without a look at the
/// whole. Of several that want the last seat the first one gets it.
macro_rules! blocked {
    ($shifts:literal) => {
        concat!(
            "shifts AS MATERIALIZED (
                 SELECT e.id, e.pool, e.consumed::BIGINT AS consumed,
                     e.reserved::BIGINT AS reserved, e.place
                 FROM UNNEST(",
            $shifts,
            ") WITH ORDINALITY AS e (id, pool, consumed, reserved, place)
             ), blocked AS MATERIALIZED (
                 SELECT w.id FROM (
                     SELECT s.id, s.pool, s.consumed + s.reserved AS wants,
                         SUM(GREATEST(s.consumed + s.reserved, 0))
                             OVER (PARTITION BY s.pool ORDER BY s.place) AS rank,
                         SUM(LEAST(s.consumed + s.reserved, 0))
                             OVER (PARTITION BY s.pool ORDER BY s.place) AS fall
                     FROM shifts s) w
                 LEFT JOIN LATERAL (
                     SELECT c.* FROM pool_counts c
                     WHERE c.tenant = $1 AND c.pool = w.pool LIMIT 1) p ON TRUE
                 WHERE p.pool IS NULL OR p.waiting > 0
                     OR w.wants > 0 AND p.consumed + p.reserved + w.rank > p.ceiling
                     OR w.wants < 0 AND p.consumed + p.reserved + w.fall < p.floor
             ), "
        )
    };
}

/// The part of the same name where no seats come or go, so that nobody is refused for want of one: a
/// statement of few parts begins sooner. It takes the same parameters, which are empty.
macro_rules! unblocked {
    ($shifts:literal) => {
        concat!("blocked AS MATERIALIZED (SELECT '' AS id WHERE COALESCE(", $shifts, ") IS NULL), ")
    };
}

/// A part of a statement about the tenant `$1`, behind [`blocked!`]: the seats of those documents that
/// another part wrote.
macro_rules! seated {
    ($written:literal) => {
        concat!(
            ", seated AS (
                 UPDATE pool_counts p
                 SET consumed = p.consumed + d.consumed, reserved = p.reserved + d.reserved
                 FROM (SELECT s.pool, SUM(s.consumed)::BIGINT AS consumed,
                           SUM(s.reserved)::BIGINT AS reserved
                       FROM shifts s WHERE s.id IN (SELECT o.id FROM ",
            $written,
            " o) GROUP BY s.pool) d
                 WHERE p.tenant = $1 AND p.pool = d.pool
             )"
        )
    };
}

/// A part of a statement about the tenant `$1` and the type `$2`: the lines of those documents that
/// another part wrote.
macro_rules! recorded {
    ($changes:literal, $written:literal) => {
        concat!(
            ", recorded AS (
                 INSERT INTO records
                     (tenant, seq, at, name, kind, resource, version, request, token, detail)
                 SELECT $1, b.seq + SUM(e.count::BIGINT) OVER (ORDER BY e.place), e.at::BIGINT,
                     e.names, e.kind, e.id, NULLIF(e.version, '')::BIGINT, e.request, e.token,
                     e.details
                 FROM UNNEST(",
            $changes,
            ") WITH ORDINALITY
                     AS e (count, at, names, kind, id, version, request, token, details, place)
                 CROSS JOIN (SELECT COALESCE((SELECT r.seq FROM records r WHERE r.tenant = $1
                                              ORDER BY r.seq DESC LIMIT 1), 0) AS seq) b
                 WHERE e.id IN (SELECT o.id FROM ",
            $written,
            " o)
             )"
        )
    };
}

pub(super) use {blocked, recorded, seated, unblocked};
