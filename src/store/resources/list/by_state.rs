//! Lists that are sorted by a value of the state (scim/state.rs): one group of states after the other, each
//! in the order of ids.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::chosen::MOST;
use super::count::run;
use super::walk::{self, By, Walk};
use super::{Listed, Part, Slice, compare};
use crate::scim::cursor::{Mark, SortKey};
use crate::scim::filter::{Bound, Target};
use crate::scim::fold;
use crate::scim::state;
use crate::store::filter::Sorted;
use crate::store::{Error, Tx, states};

/// Resources with the same value, or with none.
struct Group {
    key: Option<SortKey>,
    states: Vec<String>,
}

/// A piece of such a list; none where it has to be sorted as a whole.
pub(super) async fn page(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    (target, sorted): (&Target<'_>, Sorted),
) -> Result<Option<Vec<Listed>>, Error> {
    let (known, rest) = match &part.chosen {
        Some(chosen) => (chosen.states.clone(), chosen.rest.as_ref()),
        None => (states::all(tx, part.world.tenant, part.kind()).await?, part.filter.as_ref()),
    };
    // How many of a group are left out is counted, which a filter makes dear, and which a mark is not for.
    let counts = slice.skip > 0 && (rest.is_some() || slice.after.is_some());
    if known.len() > MOST || counts {
        return Ok(None);
    }
    let Some(mut groups) = groups(known, (target, sorted)) else { return Ok(None) };
    if slice.down {
        groups.reverse();
    }
    along(tx, part, slice, (groups, rest)).await.map(Some)
}

/// In ascending order, those without a value last; none where a text is no state.
fn groups(known: Vec<String>, (target, sorted): (&Target<'_>, Sorted)) -> Option<Vec<Group>> {
    let name = fold::full_name(None, target.attribute, target.sub);
    let mut by_value: BTreeMap<(bool, Option<String>), Vec<String>> = BTreeMap::new();
    for one in known {
        let value = state::values(&one)?.remove(&name)?;
        by_value.entry((value.is_none(), value)).or_default().push(one);
    }
    let group = |((_, value), states): ((bool, Option<String>), Vec<String>)| {
        let key = match (value, sorted) {
            (None, _) => None,
            (Some(value), Sorted::Whole) => Some(SortKey::Int(value.parse().ok()?)),
            // Longer ones may be equal in the order and are another group all the same.
            (Some(value), Sorted::Text) if value.len() < fold::SORTED_BYTES => {
                Some(SortKey::Text(fold::sorted_bytes(&value).to_vec()))
            }
            (Some(_), Sorted::Text | Sorted::Fraction) => return None,
        };
        Some(Group { key, states })
    };
    by_value.into_iter().map(group).collect()
}

async fn along(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    (groups, rest): (Vec<Group>, Option<&Bound<'_>>),
) -> Result<Vec<Listed>, Error> {
    let (mut rows, mut skip) = (Vec::new(), slice.skip);
    for Group { key, states } in groups {
        let room = slice.count.saturating_sub(rows.len() as u64);
        let place = slice.after.as_ref().map_or(Ordering::Greater, |mark| {
            let up = compare(key.as_ref(), mark.key.as_ref());
            if slice.down { up.reverse() } else { up }
        });
        if room == 0 || place == Ordering::Less {
            continue;
        }
        let walk = Walk::new(By::States(states), rest);
        if skip > 0 {
            let all = run(tx, &walk.counting(tx.dialect(), part)).await?;
            if all <= skip {
                skip -= all;
                continue;
            }
        }
        let mark = slice.after.as_ref().filter(|_| place == Ordering::Equal);
        let after = mark.map(|mark| Mark { key: None, ..mark.clone() });
        let piece = Slice { down: slice.down, after, skip, count: room };
        let found = walk::rows(tx, part, &walk, &piece).await?;
        rows.extend(found.into_iter().map(|row| Listed { key: key.clone(), ..row }));
        skip = 0;
    }
    Ok(rows)
}
