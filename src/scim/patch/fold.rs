//! Many changes of the members become few.

use std::collections::BTreeMap;

use super::MemberChange;
use crate::scim::accept::MemberRef;

/// The same in as few changes as possible: what is added and removed again and again comes down to
/// what holds at the end. A change that concerns members nobody names (by a filter, all, all others)
/// keeps its place.
///
/// Whoever is added stays among what is looked at: a member that does not exist, or that would close
/// a circle, is told of even when it is removed again.
pub(super) fn fold(changes: Vec<MemberChange>) -> Vec<MemberChange> {
    if changes.len() < 2 {
        return changes;
    }
    let mut folded = Vec::new();
    let mut run = Run::default();
    for change in changes {
        match change {
            MemberChange::Add(list) => run.add(list),
            MemberChange::Remove(ids) => run.remove(ids),
            MemberChange::RemoveWhere(_) | MemberChange::Clear | MemberChange::Replace(_) => {
                std::mem::take(&mut run).end(&mut folded);
                folded.push(change);
            }
        }
    }
    run.end(&mut folded);
    folded
}

/// What happened to the ids of a run: where it was named first, whether it was ever added, whether it
/// is a member at the end.
#[derive(Default)]
struct Run {
    of: BTreeMap<String, Fate>,
}

struct Fate {
    place: usize,
    added: bool,
    member: bool,
}

impl Run {
    fn add(&mut self, list: Vec<MemberRef>) {
        for member in list {
            let place = self.of.len();
            let fate =
                self.of.entry(member.value).or_insert(Fate { place, added: true, member: true });
            (fate.added, fate.member) = (true, true);
        }
    }

    fn remove(&mut self, ids: Vec<String>) {
        for id in ids {
            let place = self.of.len();
            let fate = self.of.entry(id).or_insert(Fate { place, added: false, member: false });
            fate.member = false;
        }
    }

    fn end(self, folded: &mut Vec<MemberChange>) {
        let mut ids: Vec<_> = self.of.into_iter().collect();
        ids.sort_by_key(|(_, fate)| fate.place);
        let added = ids.iter().filter(|(_, fate)| fate.added);
        let added: Vec<_> = added.map(|(id, _)| MemberRef { value: id.clone() }).collect();
        let gone: Vec<_> =
            ids.into_iter().filter(|(_, fate)| !fate.member).map(|(id, _)| id).collect();
        if !added.is_empty() {
            folded.push(MemberChange::Add(added));
        }
        if !gone.is_empty() {
            folded.push(MemberChange::Remove(gone));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn refs(ids: &[u8]) -> Vec<MemberRef> {
        ids.iter().map(|id| MemberRef { value: id.to_string() }).collect()
    }

    fn change() -> impl Strategy<Value = MemberChange> {
        let ids = || proptest::collection::vec(0_u8..6, 1..4);
        prop_oneof![
            5 => ids().prop_map(|ids| MemberChange::Add(refs(&ids))),
            5 => ids().prop_map(|ids| {
                MemberChange::Remove(ids.iter().map(u8::to_string).collect())
            }),
            1 => Just(MemberChange::Clear),
            1 => ids().prop_map(|ids| MemberChange::Replace(refs(&ids))),
        ]
    }

    /// The members after these changes, and everybody who was looked up on the way.
    fn outcome(
        before: &BTreeSet<String>,
        changes: &[MemberChange],
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut members, mut asked) = (before.clone(), BTreeSet::new());
        for change in changes {
            match change {
                MemberChange::Add(list) => {
                    members.extend(list.iter().map(|member| member.value.clone()));
                    asked.extend(list.iter().map(|member| member.value.clone()));
                }
                MemberChange::Remove(ids) => members.retain(|id| !ids.contains(id)),
                MemberChange::Clear | MemberChange::RemoveWhere(_) => members.clear(),
                MemberChange::Replace(list) => {
                    members = list.iter().map(|member| member.value.clone()).collect();
                    asked.extend(members.clone());
                }
            }
        }
        (members, asked)
    }

    proptest! {
        #[test]
        fn folded_changes_come_to_the_same_and_ask_for_the_same(
            before in proptest::collection::btree_set(0_u8..6, 0..5),
            changes in proptest::collection::vec(change(), 0..12),
        ) {
            let before = before.iter().map(u8::to_string).collect();
            let folded = fold(changes.clone());
            prop_assert_eq!(outcome(&before, &changes), outcome(&before, &folded));
            let barriers = |all: &[MemberChange]| {
                let stay = |change: &&MemberChange| {
                    matches!(change, MemberChange::Clear | MemberChange::Replace(_))
                };
                all.iter().filter(stay).count()
            };
            prop_assert_eq!(barriers(&changes), barriers(&folded));
            prop_assert!(folded.len() <= 3 * barriers(&folded) + 2);
        }
    }

    #[test]
    fn twenty_thousand_changes_to_and_fro_become_two() {
        let (add, remove) =
            (MemberChange::Add(refs(&[1])), MemberChange::Remove(vec!["1".to_owned()]));
        let changes = std::iter::repeat_n([add.clone(), remove.clone()], 10_000).flatten();
        assert_eq!(fold(changes.collect()), [add, remove]);
    }
}
