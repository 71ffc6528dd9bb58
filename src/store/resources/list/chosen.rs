//! Lists of resources that are in some states, by the index of states (scim/state.rs).

use super::Part;
use crate::scim::filter::Bound;
use crate::scim::filter::eval::matches;
use crate::scim::state;
use crate::store::{Error, Sql, Tx, filter, states};

/// As many states are walked along side by side; of more than these, resources are looked at one by one.
pub(super) const MOST: usize = 24;
/// Up to so many resources are looked up and sorted, instead of walked along in another order.
const FEW: i64 = 1_000;

/// The states that a filter leaves.
#[derive(Debug, Clone)]
pub(super) struct Chosen<'w> {
    pub(super) states: Vec<String>,
    /// What the filter asks for beside them.
    pub(super) rest: Option<Bound<'w>>,
    /// Whether those who are in them are few.
    pub(super) few: bool,
}

/// The states that the part's filter leaves; none where it leaves the choice to something better, or to
/// looking at each resource.
pub(super) async fn choose<'w>(
    tx: &mut Tx<'_>,
    part: &Part<'w>,
) -> Result<Option<Chosen<'w>>, Error> {
    let Some(bound) = &part.filter else { return Ok(None) };
    if filter::names_few(bound) || filter::driver(bound).is_some() {
        return Ok(None);
    }
    let Some(filter::Stating { about, rest }) = filter::stating(bound) else { return Ok(None) };
    // What a tenant does not show is left out of the type that is searched, not of the state.
    let world = &part.world;
    let rt = world.registry.by_name(&world.rt.name).map_or(world.rt, |rt| rt);
    let mut chosen = Vec::new();
    for known in states::all(tx, world.tenant, part.kind()).await? {
        let Some(doc) = state::document(rt, &known) else { return Ok(None) };
        if matches(&about, &doc) {
            chosen.push(known);
        }
    }
    if chosen.len() > MOST {
        return Ok(None);
    }
    let few = are_few(tx, part, &chosen).await?;
    Ok(Some(Chosen { states: chosen, rest, few }))
}

async fn are_few(tx: &mut Tx<'_>, part: &Part<'_>, chosen: &[String]) -> Result<bool, Error> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM resources r WHERE r.tenant = ");
    sql.bind(part.world.tenant).push(" AND r.kind = ").bind(part.kind());
    states::among(&mut sql, "r.state", chosen);
    sql.push(" LIMIT ").bind(FEW + 1).push(") few");
    let rows = tx.run(&sql).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))? <= FEW)
}
