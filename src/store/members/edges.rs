//! Members of many groups that come and go one by one, in one statement.

use std::collections::{HashMap, HashSet};

use super::change::{Changed, Outcome};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::piece::Edge;
use crate::store::turns::{late, turn};
use crate::store::{Error, Row, Tx, Value, turns};

/// Does as many changes of one member each, no two of the same member of the same group, in this
/// order and in one statement; for PostgreSQL, where it is a round trip for all of them. Each change
/// that changes anything counts one version of its group.
pub async fn change_many(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    all: &[&Edge],
) -> Result<Vec<Outcome>, Error> {
    let texts = |of: fn(&Edge) -> &str| Value::texts(all.iter().map(|edge| of(edge)));
    let moments = all.iter().map(|edge| edge.now.0.to_string()).collect();
    let binds = [
        tenant.into(),
        kind.into(),
        texts(|edge| &edge.id),
        texts(|edge| &edge.doc),
        texts(|edge| &edge.member),
        texts(|edge| if edge.comes { "1" } else { "0" }),
        Value::Texts(moments),
    ];
    let wrote = |rows: &[Row]| rows.iter().any(|row| row.text(0).is_ok_and(|what| what == DONE));
    let rows = tx.change(CHANGE_MANY, &binds, wrote).await?;
    turns::check(&rows)?;
    told(all, &rows)
}

/// What a row of the answer is about: a change whose group is as expected, with what its member is;
/// one that changed something; a group whose version was counted.
const FOUND: &str = "found";
const DONE: &str = "done";
const COUNTED: &str = "counted";

/// A group's version, counted up to one of the changes, and when it was last changed.
struct Counted {
    version: i64,
    modified: Micros,
}

/// What came of each change. A group's version was counted for all of its changes at once: each gets
/// its own, the last one the group's.
fn told(all: &[&Edge], rows: &[Row]) -> Result<Vec<Outcome>, Error> {
    let mut found = HashMap::new();
    let mut done: HashSet<(&str, &str)> = HashSet::new();
    let mut groups: HashMap<&str, Counted> = HashMap::new();
    for row in rows {
        let (group, member) = (row.text(1)?, row.text(2)?);
        match row.text(0)? {
            DONE => drop(done.insert((group, member))),
            COUNTED => {
                let counted = Counted { version: row.int(4)?, modified: Micros(row.int(5)?) };
                groups.insert(group, counted);
            }
            FOUND => {
                let before = (row.int(4)?, Micros(row.int(5)?));
                found.insert((group, member), (row.maybe_int(3)?, before));
            }
            other => return Err(Error::Database(format!("unexpected row '{other}'"))),
        }
    }
    for (group, counted) in &mut groups {
        let changes = done.iter().filter(|(of, _)| of == group).count();
        counted.version -= i64::try_from(changes).unwrap_or_default();
    }
    let tell = |edge: &&Edge| {
        let key = (edge.id.as_str(), edge.member.as_str());
        let Some((what, before)) = found.get(&key) else { return Outcome::Unexpected };
        if edge.comes && *what == Some(2) {
            return Outcome::Nested;
        }
        let is_done = done.contains(&key);
        let (version, modified) = match groups.get_mut(key.0) {
            Some(counted) => {
                counted.version += i64::from(is_done);
                // Until the first change of the group it is as it was.
                let modified =
                    if counted.version == before.0 { before.1 } else { counted.modified };
                (counted.version, modified)
            }
            None => *before,
        };
        let unknown = (edge.comes && what.is_none()).then(|| edge.member.clone());
        Outcome::Done(Changed {
            version,
            modified,
            added: u64::from(is_done && edge.comes),
            removed: u64::from(is_done && !edge.comes),
            unknown: unknown.into_iter().collect(),
        })
    };
    Ok(all.iter().map(tell).collect())
}

/// Each row is found by its whole key, whatever the server believes of the table's size. What a new
/// member is: 1 a user, 2 a group.
const CHANGE_MANY: &str = concat!(
    turn!(),
    "found AS MATERIALIZED (
    SELECT a.id, a.member, a.comes = '1' AS comes, a.now::BIGINT AS now, r.version, r.modified_at,
        CASE WHEN a.comes = '1' THEN COALESCE(
            (SELECT 1 FROM resources m
             WHERE m.tenant = $1 AND m.kind = 'User' AND m.id = a.member),
            (SELECT 2 FROM resources m
             WHERE m.tenant = $1 AND m.kind = 'Group' AND m.id = a.member)) END AS what
    FROM UNNEST($3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[])
        AS a (id, doc, member, comes, now)
    CROSS JOIN LATERAL (
        SELECT r.version, r.modified_at, r.doc FROM resources r
        WHERE r.tenant = $1 AND r.kind = $2 AND r.id = a.id LIMIT 1) r
    WHERE r.doc = a.doc AND EXISTS (SELECT FROM mine)
), came AS (
    INSERT INTO members (tenant, group_id, member_id, member_kind)
    SELECT $1, f.id, f.member, 'User' FROM found f WHERE f.what = 1
    ON CONFLICT DO NOTHING RETURNING group_id, member_id
), went AS (
    DELETE FROM members WHERE ctid = ANY (ARRAY(
        SELECT edge.ctid FROM found f
        CROSS JOIN LATERAL (
            SELECT m.ctid FROM members m
            WHERE m.tenant = $1 AND m.group_id = f.id AND m.member_id = f.member LIMIT 1) edge
        WHERE NOT f.comes))
    RETURNING group_id, member_id
), done AS MATERIALIZED (
    SELECT group_id, member_id FROM came UNION ALL SELECT group_id, member_id FROM went
), counted AS (
    UPDATE resources r
    SET version = r.version + d.changes, modified_at = GREATEST(r.modified_at,
        (SELECT MAX(f.now) FROM found f WHERE f.id = d.group_id))
    FROM (SELECT group_id, COUNT(*) AS changes FROM done GROUP BY group_id) d
    CROSS JOIN LATERAL (
        SELECT o.ctid FROM resources o
        WHERE o.tenant = $1 AND o.kind = $2 AND o.id = d.group_id LIMIT 1) at
    WHERE r.ctid = at.ctid
    RETURNING r.id, r.version, r.modified_at
)
SELECT 'found', id, member, what, version, modified_at FROM found
UNION ALL
SELECT 'done', group_id, member_id, NULL, NULL, NULL FROM done
UNION ALL
SELECT 'counted', id, '', NULL, version, modified_at FROM counted",
    late!("'', '', NULL, 0, 0")
);

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(member: &str, comes: bool) -> Edge {
        Edge {
            tenant: TenantId::new(),
            kind: "Group".to_owned(),
            id: "g".to_owned(),
            doc: "{}".to_owned(),
            member: member.to_owned(),
            comes,
            now: Micros(0),
        }
    }

    fn row(what: &str, member: &str, number: Option<i64>, version: Option<i64>) -> Row {
        Row(vec![
            what.into(),
            "g".into(),
            member.into(),
            number.into(),
            version.into(),
            version.map(|_| 5).into(),
        ])
    }

    #[test]
    fn each_change_has_a_version_of_its_own() {
        let all = [edge("a", true), edge("b", true), edge("c", false), edge("d", true)];
        let all: Vec<&Edge> = all.iter().collect();
        let rows = [
            row(FOUND, "a", Some(1), Some(7)),
            row(FOUND, "b", None, Some(7)),
            row(FOUND, "c", None, Some(7)),
            row(FOUND, "d", Some(2), Some(7)),
            row(DONE, "c", None, None),
            row(DONE, "a", None, None),
            row(COUNTED, "", None, Some(9)),
        ];
        let told: Vec<_> = told(&all, &rows)
            .unwrap()
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Done(done) => (done.version, done.added, done.removed, done.unknown),
                Outcome::Unexpected => (-1, 0, 0, Vec::new()),
                Outcome::Nested => (-2, 0, 0, Vec::new()),
            })
            .collect();
        let expected = [
            (8, 1, 0, vec![]),
            (8, 0, 0, vec!["b".to_owned()]),
            (9, 0, 1, vec![]),
            (-2, 0, 0, vec![]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_group_that_is_not_as_expected_is_left_alone() {
        let one = edge("a", true);
        assert_eq!(told(&[&one], &[]).unwrap(), [Outcome::Unexpected]);
    }
}
