//! Which values are in which group, in order of first appearance.
//!
//! Most groups of most queries have a value or two: their values are a list through one vector that all groups share, so
//! that a group costs no allocation of its own. Only groups of more than a few are looked up in a table of pairs.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Up to so many values of a group are compared one by one.
const FEW: u32 = 6;
/// Behind the last value of a group.
const END: u32 = u32::MAX;

/// Sets of numbered values, by group.
#[derive(Debug)]
pub struct Members {
    lists: Vec<List>,
    nodes: Vec<Node>,
    /// Group and value, of the groups that have more than [`FEW`].
    pairs: HashTable<(u32, u32)>,
    /// Seeded a run: who writes the values must not choose where they collide.
    hasher: FixedState,
}

/// The values of a group.
#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
    count: u32,
}

#[derive(Debug)]
struct Node {
    value: u32,
    next: u32,
}

impl Members {
    /// No groups yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { lists: Vec::new(), nodes: Vec::new(), pairs: HashTable::new(), hasher: FixedState::with_seed(seed) }
    }

    /// No groups, with the same seed.
    #[must_use]
    pub fn none(&self) -> Self {
        Self { lists: Vec::new(), nodes: Vec::new(), pairs: HashTable::new(), hasher: self.hasher.clone() }
    }

    /// From now on there are so many groups; those that are new have no values.
    pub fn resize(&mut self, groups: usize) {
        self.lists.resize(groups, List { first: END, last: END, count: 0 });
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.lists.len()
    }

    /// The values of a group; none where there is no such group.
    pub fn values(&self, group: u32) -> impl Iterator<Item = u32> {
        let node = |number: u32| self.nodes.get(number as usize);
        let first = self.lists.get(group as usize).and_then(|list| node(list.first));
        std::iter::successors(first, move |last| node(last.next)).map(|node| node.value)
    }

    /// How many values a group has.
    #[must_use]
    pub fn count(&self, group: u32) -> usize {
        self.lists[group as usize].count as usize
    }

    /// Puts `value` into `group`; false where it is there already.
    pub fn insert(&mut self, group: u32, value: u32) -> bool {
        if self.contains(group, value) {
            return false;
        }
        let number = u32::try_from(self.nodes.len()).expect("four billion values of groups do not fit in memory");
        self.nodes.push(Node { value, next: END });
        let list = &mut self.lists[group as usize];
        match self.nodes.get_mut(list.last as usize) {
            Some(last) => last.next = number,
            None => list.first = number,
        }
        list.last = number;
        list.count += 1;
        if list.count == FEW + 1 {
            let values: Vec<u32> = self.values(group).collect();
            values.into_iter().for_each(|value| self.remember((group, value)));
        } else if list.count > FEW {
            self.remember((group, value));
        }
        true
    }

    fn contains(&self, group: u32, value: u32) -> bool {
        if self.lists[group as usize].count <= FEW {
            return self.values(group).any(|other| other == value);
        }
        let pair = (group, value);
        self.pairs.find(self.hasher.hash_one(pair), |other| *other == pair).is_some()
    }

    fn remember(&mut self, pair: (u32, u32)) {
        let hasher = &self.hasher;
        self.pairs.insert_unique(hasher.hash_one(pair), pair, |pair| hasher.hash_one(pair));
    }

    /// Bytes held.
    #[must_use]
    pub fn memory(&self) -> usize {
        let lists = self.lists.capacity() * size_of::<List>() + self.nodes.capacity() * size_of::<Node>();
        lists + self.pairs.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::Members;

    #[test]
    fn members_are_what_lists_without_repetition_are() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for values in [2, 8, 100] {
            let mut members = Members::new(7);
            let mut lists: Vec<Vec<u32>> = Vec::new();
            for _ in 0..4_000 {
                let group = random.random_range(0..200_u32);
                let value = random.random_range(0..values);
                if group as usize >= lists.len() {
                    lists.resize(group as usize + 1, Vec::new());
                    members.resize(lists.len());
                }
                let list = &mut lists[group as usize];
                let is_new = !list.contains(&value);
                assert_eq!(members.insert(group, value), is_new);
                if is_new {
                    list.push(value);
                }
            }
            assert_eq!(members.groups(), lists.len());
            for (group, list) in (0..).zip(&lists) {
                assert_eq!(members.values(group).collect::<Vec<_>>(), *list);
                assert_eq!(members.count(group), list.len());
            }
        }
    }
}
