//! Groups that would hold each other.

use std::collections::HashMap;

use crate::app::create::Creation;
use crate::scim::patch::MemberChange;

/// Names of the groups among these that would be members of each other; none when there are none.
pub(super) fn of_groups<'c>(made: impl Iterator<Item = &'c Creation>) -> Option<String> {
    let groups: Vec<&Creation> = made.collect();
    let edges: HashMap<&str, Vec<&str>> = groups
        .iter()
        .map(|group| {
            let members = match &group.members {
                Some(MemberChange::Add(members)) => &members[..],
                Some(_) | None => &[],
            };
            (group.new.id.as_str(), members.iter().map(|member| member.value.as_str()).collect())
        })
        .collect();
    let left = unplaced(edges);
    let ringed = groups.iter().filter(|group| left.contains_key(group.new.id.as_str()));
    let names: Vec<String> = ringed.map(|group| format!("'{}'", group.new.draft.label)).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What is left when those that hold nothing more are taken away until there are none.
fn unplaced<'g>(mut edges: HashMap<&'g str, Vec<&'g str>>) -> HashMap<&'g str, Vec<&'g str>> {
    loop {
        let there: Vec<&str> = edges.keys().copied().collect();
        let free: Vec<&str> = there
            .into_iter()
            .filter(|id| edges[id].iter().all(|member| !edges.contains_key(member)))
            .collect();
        if free.is_empty() {
            return edges;
        }
        for id in free {
            edges.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_a_ring_without_being_in_it_is_left_with_it_and_the_rest_is_placed() {
        let edges = [("a", vec!["b"]), ("b", vec!["a", "x"]), ("c", vec!["d"]), ("d", vec![])];
        let left = unplaced(edges.into());
        let mut left: Vec<_> = left.into_keys().collect();
        left.sort_unstable();
        assert_eq!(left, ["a", "b"]);
    }
}
