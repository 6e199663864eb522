//! The keys of a record that a scan needs: a tree of objects whose leaves are slots, which receive the positions of
//! values.

use hashbrown::HashMap;

use super::rewrite::{PROPERTIES, joined_keys};

/// The number of a value of a record that a scan needs.
pub(crate) type ValueSlot = usize;

/// The number of an object in the tree; the record itself is 0.
type ObjectId = usize;

/// Prefix of keys that the export pipeline adds; they carry no information about a record.
const BOOKKEEPING: &str = "__UDI_RequiredFields_";

/// The slots that receive the value of a key, and the object below the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyTarget {
    /// Slots that receive the position of the value.
    pub slots: Vec<ValueSlot>,
    /// The object in the tree that is the value of the key, if the scan needs parts of it.
    pub child: Option<ObjectId>,
    /// True if no known shape has the key.
    pub unknown: bool,
}

#[derive(Debug, Default)]
struct KeyNode {
    members: HashMap<String, KeyTarget>,
    /// All slots below this object. They are cleared if the object occurs again in a record.
    below: Vec<ValueSlot>,
    /// The keys that known shapes have in this object, needed or not; None if its keys are not checked.
    known: Option<hashbrown::HashSet<String>>,
}

/// The keys that one scan needs.
#[derive(Debug)]
pub(crate) struct KeyTree {
    nodes: Vec<KeyNode>,
    /// Top-level keys in lower case that belong to a diagnostic envelope; exports write them in any case.
    envelope: HashMap<String, KeyTarget>,
    slots: HashMap<(bool, Vec<String>), ValueSlot>,
    /// The slot that receives flattened keys such as `status.errorCode`.
    joined: Option<ValueSlot>,
}

impl KeyTree {
    /// Creates a tree in which no key is needed.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![KeyNode::default()], envelope: HashMap::new(), slots: HashMap::new(), joined: None }
    }

    /// Returns the slot of all flattened top-level keys that are not needed themselves.
    pub(crate) fn joined_slot(&mut self) -> ValueSlot {
        let slot = self.slot::<&str>(&[], false);
        self.joined = Some(slot);
        slot
    }

    /// True if `key` of the object `node` is needed or declared.
    pub(crate) fn knows(&self, node: ObjectId, key: &str) -> bool {
        let here = &self.nodes[node];
        here.members.contains_key(key) || here.known.as_ref().is_some_and(|known| known.contains(key))
    }

    /// Returns the number of slots.
    pub(crate) fn slot_count(&self) -> usize {
        self.slots.len()
    }

    /// Returns the slot of the value at `path`, and adds the path if it is new. With `in_envelope`, the first key
    /// matches in any case.
    pub(crate) fn slot<K: AsRef<str>>(&mut self, path: &[K], in_envelope: bool) -> ValueSlot {
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

    fn target(&mut self, node: ObjectId, key: &str, in_envelope: bool) -> &mut KeyTarget {
        if in_envelope {
            return self.envelope.entry(key.to_lowercase()).or_default();
        }
        self.nodes[node].members.entry(key.to_owned()).or_default()
    }

    fn child(&mut self, node: ObjectId, key: &str, in_envelope: bool) -> ObjectId {
        let next = self.nodes.len();
        let child = *self.target(node, key, in_envelope).child.get_or_insert(next);
        if child == next {
            self.nodes.push(KeyNode::default());
        }
        child
    }

    /// Declares a key at `path` that known shapes have, needed or not, so that it is not reported as unknown. Unknown
    /// keys are reported only in objects with a declared key.
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

    /// Returns the slots and the object to which `key` leads in the object `node`.
    pub(crate) fn resolve(&self, node: ObjectId, key: &str) -> KeyTarget {
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
        // A key of a known shape is not a flattened one: records with it are not rewritten.
        let is_ordinary = is_wanted || is_declared == Some(true);
        if let Some(joined) = self.joined.filter(|_| !is_ordinary && self.may_be_flattened(node))
            && joined_keys(key).is_some()
        {
            (target.slots, target.unknown) = (vec![joined], false);
        }
        target
    }

    /// True for the record, and for the object in the envelope of a diagnostic record: their members may be
    /// flattened.
    fn may_be_flattened(&self, node: ObjectId) -> bool {
        node == 0 || self.envelope.get(PROPERTIES).is_some_and(|target| target.child == Some(node))
    }

    /// Returns the slots below an object.
    pub(crate) fn below(&self, node: ObjectId) -> &[ValueSlot] {
        &self.nodes[node].below
    }

    /// Returns the number of objects.
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }
}
