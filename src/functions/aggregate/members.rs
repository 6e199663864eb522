//! The sets of values of groups, in order of first appearance.
//!
//! Most groups of most queries have one or two values: these form linked lists inside one shared vector, so that a
//! group needs no allocation of its own. Only larger groups use a hash table of (group, value) pairs.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Maximum number of values of a group that are searched linearly.
const FEW: u32 = 6;
/// Marks the end of a group's list.
const END: u32 = u32::MAX;

/// For each group a set of values, which are ids of interned strings or other ids.
#[derive(Debug)]
pub struct GroupMembers {
    lists: Vec<MemberList>,
    nodes: Vec<MemberNode>,
    /// (group, value) pairs of the groups with more than [`FEW`] values.
    pairs: HashTable<(u32, u32)>,
    /// The hasher of `pairs`. It is seeded for each run, so that attackers cannot choose collisions.
    hasher: FixedState,
}

/// The linked list of the values of a group: the positions of its first and last node, and the number of values.
#[derive(Clone, Copy, Debug)]
struct MemberList {
    first: u32,
    last: u32,
    count: u32,
}

#[derive(Debug)]
struct MemberNode {
    value: u32,
    next: u32,
}

impl GroupMembers {
    /// Returns a state without groups; `seed` is for the hashes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { lists: Vec::new(), nodes: Vec::new(), pairs: HashTable::new(), hasher: FixedState::with_seed(seed) }
    }

    /// Returns a state without groups that has the same seed as this one.
    #[must_use]
    pub fn none(&self) -> Self {
        Self { lists: Vec::new(), nodes: Vec::new(), pairs: HashTable::new(), hasher: self.hasher.clone() }
    }

    /// Sets the number of groups; new groups have no values.
    pub fn resize(&mut self, groups: usize) {
        self.lists.resize(groups, MemberList { first: END, last: END, count: 0 });
    }

    /// Returns the number of groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.lists.len()
    }

    /// Returns the values of a group; empty if there is no such group.
    pub fn values(&self, group: u32) -> impl Iterator<Item = u32> {
        let node = |number: u32| self.nodes.get(number as usize);
        let first = self.lists.get(group as usize).and_then(|list| node(list.first));
        std::iter::successors(first, move |last| node(last.next)).map(|node| node.value)
    }

    /// Returns the number of values of a group.
    #[must_use]
    pub fn count(&self, group: u32) -> usize {
        self.lists[group as usize].count as usize
    }

    /// Adds `value` to the set of `group`; false if it is already there.
    pub fn insert(&mut self, group: u32, value: u32) -> bool {
        if self.contains(group, value) {
            return false;
        }
        let number = u32::try_from(self.nodes.len()).expect("four billion values of groups do not fit in memory");
        self.nodes.push(MemberNode { value, next: END });
        let list = &mut self.lists[group as usize];
        match self.nodes.get_mut(list.last as usize) {
            Some(last) => last.next = number,
            None => list.first = number,
        }
        list.last = number;
        list.count += 1;
        if list.count == FEW + 1 {
            let values: Vec<u32> = self.values(group).collect();
            values.into_iter().for_each(|value| self.remember(group, value));
        } else if list.count > FEW {
            self.remember(group, value);
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

    fn remember(&mut self, group: u32, value: u32) {
        let (hasher, pair) = (&self.hasher, (group, value));
        self.pairs.insert_unique(hasher.hash_one(pair), pair, |pair| hasher.hash_one(pair));
    }

    /// Returns the memory use in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let lists = self.lists.capacity() * size_of::<MemberList>() + self.nodes.capacity() * size_of::<MemberNode>();
        lists + self.pairs.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::GroupMembers;

    #[test]
    fn members_are_what_lists_without_repetition_are() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for values in [2, 8, 100] {
            let mut members = GroupMembers::new(7);
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
