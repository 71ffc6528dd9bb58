//! How many resources a list has.

use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::Part;
use super::walk::{By, Walk};
use crate::scim::filter::Target;
use crate::store::filter::{self, Sorted};
use crate::store::{Error, Sql, Tx, blocks, turns};

/// How long a count is kept. It is right as long as it is kept; this only makes room.
const KEPT: Duration = Duration::from_mins(1);
/// Counts kept at most.
const MOST: u64 = 10_000;

/// Counts that needed a scan, for as long as nobody writes in their tenant. Clones share them.
#[derive(Debug, Clone)]
pub struct Counts(Cache<[u8; 32], (i64, u64)>);

impl Default for Counts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(KEPT).build())
    }
}

/// How the total of a list is found.
#[derive(Debug, Clone, Copy)]
pub struct Totals<'c> {
    /// What is known already.
    pub counts: &'c Counts,
    /// Whether it is found even by a scan.
    pub always: bool,
}

impl Totals<'_> {
    /// How many resources a part has; none where only a scan would tell and none is wanted.
    pub(super) async fn of(self, tx: &mut Tx<'_>, part: &Part<'_>) -> Result<Option<u64>, Error> {
        let Some(bound) = &part.filter else {
            return blocks::total(tx, &part.tenant(), part.kind()).await.map(Some);
        };
        let driver = filter::driver(bound);
        let (by, rest) = match (&part.chosen, &driver) {
            (Some(chosen), _) => (By::States(chosen.states.clone()), chosen.rest.as_ref()),
            (None, Some(driver)) => {
                let by = By::Entry { attr: driver.attr.clone(), value: driver.value.clone() };
                (by, driver.rest.as_ref())
            }
            (None, None) => (By::Id, Some(bound)),
        };
        let walk = Walk::new(by, rest);
        let sql = walk.counting(tx.dialect(), part);
        if part.names_few() {
            return run(tx, &sql).await.map(Some);
        }
        let by_index = rest.is_none();
        self.kept(tx, part, &sql, self.always || by_index).await
    }

    /// A count that is known or, if need be, counted.
    async fn kept(
        self,
        tx: &mut Tx<'_>,
        part: &Part<'_>,
        sql: &Sql,
        count: bool,
    ) -> Result<Option<u64>, Error> {
        let turn = turns::last(tx, &part.tenant()).await?;
        let name = digest(sql);
        if let Some((then, count)) = self.counts.0.get(&name)
            && then == turn
        {
            return Ok(Some(count));
        }
        if !count {
            return Ok(None);
        }
        let count = run(tx, sql).await?;
        self.counts.0.insert(name, (turn, count));
        Ok(Some(count))
    }

    /// How many resources of the type, filter or not, have a value of this indexed attribute, and
    /// how many have none.
    pub(super) async fn valued(
        self,
        tx: &mut Tx<'_>,
        part: &Part<'_>,
        target: &Target<'_>,
    ) -> Result<(u64, u64), Error> {
        let (attr, prefix) = (target.name(), String::new());
        let walk = Walk::new(By::Value { attr, sorted: Sorted::Text, prefix }, None);
        let sql = walk.counting(tx.dialect(), part);
        let valued = self.kept(tx, part, &sql, true).await?.unwrap_or_default();
        let all = blocks::total(tx, &part.tenant(), part.kind()).await?;
        Ok((valued, all.saturating_sub(valued)))
    }
}

/// A statement with its binds, the tenant among them.
fn digest(sql: &Sql) -> [u8; 32] {
    Sha256::digest(format!("{sql:?}")).into()
}

pub(super) async fn run(tx: &mut Tx<'_>, sql: &Sql) -> Result<u64, Error> {
    let rows = tx.run(sql).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(counted).unwrap_or(0))
}
