//! Which keys of a record are wanted: a tree of objects whose leaves are slots for the place of a value.

use hashbrown::HashMap;

use super::rewrite::joined_keys;

/// The number of a wanted place in a record.
pub(crate) type Slot = usize;

/// The number of an object in the tree; 0 is the record itself.
type NodeId = usize;

/// Keys that begin like this are the pipeline's own and hold nothing about a sign-in.
const BOOKKEEPING: &str = "__UDI_RequiredFields_";

/// What a key of an object leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// Slots that take the place of the key's value.
    pub slots: Vec<Slot>,
    /// The wanted object below it.
    pub child: Option<NodeId>,
    /// True where no shape has such a key.
    pub unknown: bool,
}

#[derive(Debug, Default)]
struct Node {
    members: HashMap<String, Target>,
    /// Every slot below this object, to be emptied when the object comes twice.
    below: Vec<Slot>,
    /// Keys that shapes have at this place though nobody wants them; None where any key is fine.
    known: Option<hashbrown::HashSet<String>>,
}

/// The wanted keys of one scan.
#[derive(Debug)]
pub(crate) struct KeyTree {
    nodes: Vec<Node>,
    /// Keys of the record itself in lower case: those of an envelope, whose casing is not stable.
    envelope: HashMap<String, Target>,
    slots: HashMap<(bool, Vec<String>), Slot>,
    /// The slot of keys that were joined of several.
    joined: Option<Slot>,
}

impl KeyTree {
    /// Nothing is wanted yet.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node::default()], envelope: HashMap::new(), slots: HashMap::new(), joined: None }
    }

    /// The slot that any key of a record takes that was joined of several keys and is not wanted itself.
    pub(crate) fn joined_slot(&mut self) -> Slot {
        let slot = self.slot::<&str>(&[], false);
        self.joined = Some(slot);
        slot
    }

    /// True if `key` of the object `node` is wanted, or declared.
    pub(crate) fn knows(&self, node: NodeId, key: &str) -> bool {
        let here = &self.nodes[node];
        here.members.contains_key(key) || here.known.as_ref().is_some_and(|known| known.contains(key))
    }

    /// How many slots there are.
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// The slot of a path. In an envelope the first key is matched in any case of letters.
    pub(crate) fn slot<K: AsRef<str>>(&mut self, path: &[K], in_envelope: bool) -> Slot {
        let id = (in_envelope, path.iter().map(|key| key.as_ref().to_owned()).collect::<Vec<_>>());
        if let Some(&slot) = self.slots.get(&id) {
            return slot;
        }
        let slot = self.slots.len();
        self.slots.insert(id, slot);
        let Some((last, parents)) = path.split_last() else { return slot };
        let mut node = 0;
        for (depth, key) in parents.iter().enumerate() {
            node = self.child(node, key.as_ref(), in_envelope && depth == 0);
            self.nodes[node].below.push(slot);
        }
        self.target(node, last.as_ref(), in_envelope && parents.is_empty()).slots.push(slot);
        slot
    }

    fn target(&mut self, node: NodeId, key: &str, in_envelope: bool) -> &mut Target {
        if in_envelope {
            return self.envelope.entry(key.to_lowercase()).or_default();
        }
        self.nodes[node].members.entry(key.to_owned()).or_default()
    }

    fn child(&mut self, node: NodeId, key: &str, in_envelope: bool) -> NodeId {
        let next = self.nodes.len();
        let child = *self.target(node, key, in_envelope).child.get_or_insert(next);
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }

    /// Declares a key that shapes have at `path`, wanted or not, so that it does not count as unknown. Only objects
    /// with at least one declared key tell known keys from unknown ones.
    pub(crate) fn declare(&mut self, path: &[impl AsRef<str>], in_envelope: bool) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut node = 0;
        for (depth, key) in parents.iter().enumerate() {
            node = self.child(node, key.as_ref(), in_envelope && depth == 0);
        }
        let last = last.as_ref();
        let key = if in_envelope && parents.is_empty() { last.to_lowercase() } else { last.to_owned() };
        self.nodes[node].known.get_or_insert_default().insert(key);
    }

    /// What the key leads to in the object.
    pub(crate) fn resolve(&self, node: NodeId, key: &str) -> Target {
        let here = &self.nodes[node];
        let mut target = here.members.get(key).cloned().unwrap_or_default();
        if node == 0
            && let Some(envelope) = self.envelope.get(&key.to_lowercase())
        {
            target.slots.extend(&envelope.slots);
            target.child = target.child.or(envelope.child);
        }
        let bookkeeping = key.starts_with(BOOKKEEPING);
        let is_declared =
            here.known.as_ref().map(|known| known.contains(key) || (node == 0 && known.contains(&key.to_lowercase())));
        let is_wanted = !target.slots.is_empty() || target.child.is_some();
        target.unknown = is_declared == Some(false) && !bookkeeping && !is_wanted;
        // A key that some shape has is one by itself: records with it are not put together anew.
        if let Some(joined) = self.joined.filter(|_| node == 0 && !is_wanted && is_declared != Some(true))
            && joined_keys(key).is_some()
        {
            (target.slots, target.unknown) = (vec![joined], false);
        }
        target
    }

    /// The slots below an object.
    pub(crate) fn below(&self, node: NodeId) -> &[Slot] {
        &self.nodes[node].below
    }

    /// How many objects there are.
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}
