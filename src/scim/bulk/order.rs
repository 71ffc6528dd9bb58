//! In which order operations run: what refers to a new resource after the `POST` that makes it.

use std::collections::HashMap;

use super::Operation;

/// The operations of a request in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    sequence: Vec<usize>,
    /// Where each unit ends in the sequence.
    ends: Vec<usize>,
}

impl Order {
    /// The units, one after the other.
    ///
    /// A unit is nearly always one operation, by its place in the request. Several are `POST`s that
    /// refer to each other in a ring: they can only be done together.
    pub fn units(&self) -> impl ExactSizeIterator<Item = &[usize]> {
        (0..self.ends.len()).map(|unit| self.unit(unit))
    }

    /// One unit, by its place in the order.
    pub fn unit(&self, unit: usize) -> &[usize] {
        let start = unit.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.sequence[start..self.ends[unit]]
    }

    /// How many units there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Orders operations so that everything runs after the `POST`s that it refers to.
///
/// Only those `POST`s move, up to just before what needs them first; everything else runs in the
/// order of the request (RFC 7644 s3.7: the same result as without reordering).
pub fn order(operations: &[Operation]) -> Order {
    let makers = makers(operations);
    let needs: Vec<Vec<usize>> = operations
        .iter()
        .map(|operation| {
            let mut needed: Vec<usize> =
                operation.references.iter().filter_map(|id| makers.get(&**id).copied()).collect();
            needed.sort_unstable();
            needed.dedup();
            needed
        })
        .collect();
    Walk::over(&needs)
}

/// Which `POST` makes the resource of each bulkId; of several with one name, the first.
pub fn makers(operations: &[Operation]) -> HashMap<&str, usize> {
    let mut makers = HashMap::new();
    for (place, operation) in operations.iter().enumerate() {
        if let Some(name) = operation.made() {
            makers.entry(name).or_insert(place);
        }
    }
    makers
}

const UNSEEN: usize = usize::MAX;

/// Tarjan's strongly connected components, with a stack of its own: a chain of references may be as
/// long as the request. Components come out after those that they need, which is the order wanted.
struct Walk<'n> {
    needs: &'n [Vec<usize>],
    /// When each operation was first seen.
    seen: Vec<usize>,
    /// The earliest that can be reached from it among those not yet placed.
    lowest: Vec<usize>,
    placed: Vec<bool>,
    waiting: Vec<usize>,
    clock: usize,
    order: Order,
}

impl<'n> Walk<'n> {
    fn over(needs: &'n [Vec<usize>]) -> Order {
        let count = needs.len();
        let mut walk = Self {
            needs,
            seen: vec![UNSEEN; count],
            lowest: vec![UNSEEN; count],
            placed: vec![false; count],
            waiting: Vec::new(),
            clock: 0,
            order: Order { sequence: Vec::with_capacity(count), ends: Vec::with_capacity(count) },
        };
        for start in 0..count {
            if walk.seen[start] == UNSEEN {
                walk.from(start);
            }
        }
        walk.order
    }

    fn from(&mut self, start: usize) {
        let mut path = vec![(start, 0)];
        self.meet(start);
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if let Some(&needed) = self.needs[at].get(*next) {
                *next += 1;
                if self.seen[needed] == UNSEEN {
                    self.meet(needed);
                    path.push((needed, 0));
                } else if !self.placed[needed] {
                    self.lowest[at] = self.lowest[at].min(self.seen[needed]);
                }
                continue;
            }
            path.pop();
            if let Some((before, _)) = path.last() {
                self.lowest[*before] = self.lowest[*before].min(self.lowest[at]);
            }
            if self.lowest[at] == self.seen[at] {
                self.place(at);
            }
        }
    }

    fn meet(&mut self, at: usize) {
        self.seen[at] = self.clock;
        self.lowest[at] = self.clock;
        self.clock += 1;
        self.waiting.push(at);
    }

    /// Everything that waits since this one belongs to its ring.
    fn place(&mut self, root: usize) {
        let begin = self.waiting.iter().rposition(|other| *other == root).unwrap_or_default();
        let start = self.order.sequence.len();
        for member in self.waiting.drain(begin..) {
            self.placed[member] = true;
            self.order.sequence.push(member);
        }
        self.order.sequence[start..].sort_unstable();
        self.order.ends.push(self.order.sequence.len());
    }
}

#[cfg(test)]
mod tests;
