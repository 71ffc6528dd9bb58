//! What a change of a document writes beside it: seats that come and go, and lines of the record. On
//! PostgreSQL they are parts of the statement that writes the document.

use serde_json::json;

use crate::store::Value;
use crate::store::records::Line;
use crate::store::seats::Shift;

/// What is written beside a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Moves of the counters of pools; where one of them is not possible nothing is written at all.
    pub shifts: Vec<Shift>,
    /// Lines of the record.
    pub lines: Vec<Line>,
}

impl Beside {
    /// Lines alone.
    pub fn of_lines(lines: Vec<Line>) -> Self {
        Self { shifts: Vec::new(), lines }
    }
}

/// The parameter of [`blocked!`]: the shifts of these documents.
pub(super) fn shifts<'b>(all: impl Iterator<Item = (&'b str, &'b Beside)>) -> Value {
    let rows: Vec<_> = all
        .flat_map(|(id, beside)| {
            beside
                .shifts
                .iter()
                .map(move |shift| json!([id, shift.pool, shift.consumed, shift.reserved]))
        })
        .collect();
    Value::rows(&rows)
}

/// The parameter of [`beside!`]: the lines of these documents.
pub(super) fn lines<'b>(all: impl Iterator<Item = (&'b str, &'b Beside)>) -> Value {
    let rows: Vec<_> = all
        .flat_map(|(id, beside)| beside.lines.iter().map(move |line| (id, line.columns())))
        .collect();
    Value::rows(&rows)
}

/// Parts of a statement about the tenant `$1`: whose seats cannot be counted without a look at the
/// whole. Of several that want the last seat the first one gets it.
macro_rules! blocked {
    ($shifts:literal) => {
        concat!(
            "shifts AS MATERIALIZED (
                 SELECT e.value ->> 0 AS id, e.value ->> 1 AS pool,
                     CAST(e.value ->> 2 AS BIGINT) AS consumed,
                     CAST(e.value ->> 3 AS BIGINT) AS reserved, e.place
                 FROM jsonb_array_elements(",
            $shifts,
            ") WITH ORDINALITY AS e (value, place)
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

/// Parts of a statement about the tenant `$1` and the type `$2`: the seats and the lines of those
/// documents that another part wrote.
macro_rules! beside {
    ($lines:literal, $written:literal) => {
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
             ), recorded AS (
                 INSERT INTO records
                     (tenant, seq, at, name, kind, resource, version, request, token, detail)
                 SELECT $1, b.seq + ROW_NUMBER() OVER (ORDER BY e.place),
                     CAST(e.value #>> '{1,0}' AS BIGINT), e.value #>> '{1,1}', e.value #>> '{1,2}',
                     e.value #>> '{1,3}', CAST(NULLIF(e.value #>> '{1,4}', '') AS BIGINT),
                     e.value #>> '{1,5}', e.value #>> '{1,6}', e.value #>> '{1,7}'
                 FROM jsonb_array_elements(",
            $lines,
            ") WITH ORDINALITY AS e (value, place)
                 CROSS JOIN (SELECT COALESCE((SELECT r.seq FROM records r WHERE r.tenant = $1
                                              ORDER BY r.seq DESC LIMIT 1), 0) AS seq) b
                 WHERE e.value ->> 0 IN (SELECT o.id FROM ",
            $written,
            " o)
             )"
        )
    };
}

pub(super) use {beside, blocked};
