//! Lists of resources that are in some states, by the index of states (scim/state.rs).

use super::Part;
use crate::scim::filter::Bound;
use crate::scim::filter::eval::matches;
use crate::scim::state;
use crate::store::{Error, Sql, Tx, filter, states};

/// As many states are walked along side by side; of more than these, resources are looked at one by one.
pub(super) const MOST: usize = 24;
/// The same where each piece of the walk repeats what else the filter asks for.
const MOST_WITH_REST: usize = 8;

/// The states that a filter leaves.
#[derive(Debug, Clone)]
pub(super) struct Chosen<'w> {
    pub(super) states: Vec<String>,
    /// What the filter asks for beside them.
    pub(super) rest: Option<Bound<'w>>,
    /// Whether those who are in them are few enough to be looked up and sorted.
    pub(super) few: bool,
}

impl Chosen<'_> {
    /// Whether there is a walk along all of them.
    pub(super) fn is_walkable(&self) -> bool {
        self.states.len() <= if self.rest.is_some() { MOST_WITH_REST } else { MOST }
    }
}

/// The states that the part's filter leaves; none where it says nothing of them, or leaves the choice to
/// something better.
pub(super) async fn choose<'w>(
    tx: &mut Tx<'_>,
    part: &Part<'w>,
) -> Result<Option<Chosen<'w>>, Error> {
    let Some(bound) = &part.filter else { return Ok(None) };
    if filter::names_few(bound) || filter::driver(bound).is_some() {
        return Ok(None);
    }
    let Some(filter::Stating { about, mut rest }) = filter::stating(bound) else { return Ok(None) };
    // What a tenant does not show is left out of the type that is searched, not of the state.
    let world = &part.world;
    let rt = world.registry.by_name(&world.rt.name).map_or(world.rt, |rt| rt);
    let mut left = Vec::new();
    for known in states::all(tx, world.tenant, part.kind()).await? {
        match state::document(rt, &known) {
            Some(doc) if !matches(&about, &doc) => continue,
            Some(_) => {}
            // Nobody knows what it says: each of these has to be looked at.
            None => rest = Some(bound.clone()),
        }
        left.push(known);
    }
    let chosen = Chosen { states: left, rest, few: false };
    // A walk in the order of ids needs not to know it.
    let asks = part.sort.is_some() || !chosen.is_walkable();
    let few = asks && are_few(tx, part, &chosen.states).await?;
    Ok(Some(Chosen { few, ..chosen }))
}

async fn are_few(tx: &mut Tx<'_>, part: &Part<'_>, chosen: &[String]) -> Result<bool, Error> {
    let mut sql = Sql::new("SELECT COUNT(*) FROM (SELECT 1 FROM resources r WHERE r.tenant = ");
    sql.bind(part.world.tenant).push(" AND r.kind = ").bind(part.kind());
    states::among(&mut sql, "r.state", chosen);
    sql.push(" LIMIT ").bind(part.few + 1).push(") few");
    let rows = tx.run(&sql).await?;
    Ok(rows.first().map_or(Ok(0), |row| row.int(0))? <= part.few)
}
