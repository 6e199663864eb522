//! Paths into dynamics, such as `.a[0]["b c"]`, which are looked up one at a time or together in one pass.

use std::fmt;

use super::{elements, entries, get_index, get_member, quote};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The value of a key in a bag.
    Member(String),
    /// The element of an array at an index, which counts from the end if it is negative.
    Index(i64),
}

/// A path into a dynamic; without steps it is the whole dynamic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The steps, outermost first.
    pub steps: Vec<Step>,
}

impl Path {
    /// Creates a path of `steps`.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Returns the path with another step appended.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Path {
    /// Writes the path as a query has it after the name of the column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Member(key) if is_name(key) => write!(f, ".{key}")?,
                Step::Member(key) => {
                    let mut quoted = String::new();
                    quote(key, &mut quoted);
                    write!(f, "[{quoted}]")?;
                }
            }
        }
        Ok(())
    }
}

fn is_name(key: &str) -> bool {
    !key.starts_with(|c: char| c.is_ascii_digit())
        && !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the value at `path` inside `json`; None if there is none. A JSON `null` is Some.
#[must_use]
pub fn extract<'a>(json: &'a str, path: &Path) -> Option<&'a str> {
    path.steps.iter().try_fold(json, |json, step| match step {
        Step::Member(key) => get_member(json, key),
        Step::Index(index) => get_index(json, *index),
    })
}

/// Several paths into the same dynamic, looked up together: a shared prefix is walked once.
#[derive(Clone, Debug)]
pub struct PathSet {
    /// The tree of steps. The first node is the dynamic itself, and a parent comes before its children.
    nodes: Vec<PathNode>,
    /// For each path, the node at which it ends.
    ends: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
struct PathNode {
    members: Vec<(String, usize)>,
    indices: Vec<(i64, usize)>,
}

impl PathSet {
    /// Creates a set; [`PathSet::extract`] returns the results in the order of `paths`.
    #[must_use]
    pub fn new(paths: &[Path]) -> Self {
        let mut set = Self { nodes: vec![PathNode::default()], ends: Vec::with_capacity(paths.len()) };
        for path in paths {
            let end = path.steps.iter().fold(0, |node, step| set.child(node, step));
            set.ends.push(end);
        }
        set
    }

    /// Returns the child of `node` for `step`, creating it if needed.
    fn child(&mut self, node: usize, step: &Step) -> usize {
        let fresh = self.nodes.len();
        let PathNode { members, indices } = &mut self.nodes[node];
        let found = match step {
            Step::Member(key) => members.iter().find(|(other, _)| other == key).map(|(_, child)| *child),
            Step::Index(index) => indices.iter().find(|(other, _)| other == index).map(|(_, child)| *child),
        };
        if let Some(child) = found {
            return child;
        }
        match step {
            Step::Member(key) => members.push((key.clone(), fresh)),
            Step::Index(index) => indices.push((*index, fresh)),
        }
        self.nodes.push(PathNode::default());
        fresh
    }

    /// Returns the number of paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are no paths.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the result of [`extract`] for each path, in the order of the paths.
    ///
    /// `scratch` is working memory: pass the same vector for every row to save an allocation.
    pub fn extract<'a, 's>(
        &'s self,
        json: &'a str,
        scratch: &'s mut Vec<Option<&'a str>>,
    ) -> impl ExactSizeIterator<Item = Option<&'a str>> + 's {
        scratch.clear();
        scratch.resize(self.nodes.len(), None);
        scratch[0] = Some(json);
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(json) = scratch[at] {
                node.walk(json, scratch);
            }
        }
        self.ends.iter().map(|end| scratch[*end])
    }
}

impl PathNode {
    /// Sets in `slots` the values of this node's children that are found in `json`.
    fn walk<'a>(&self, json: &'a str, slots: &mut [Option<&'a str>]) {
        if !self.members.is_empty() {
            for entry in entries(json) {
                // Children have distinct keys, and of duplicate entries in the bag the last one counts.
                if let Some((_, child)) = self.members.iter().find(|(key, _)| entry.key.is(key)) {
                    slots[*child] = Some(entry.value);
                }
            }
        }
        for (index, child) in self.indices.iter().filter(|(index, _)| *index < 0) {
            slots[*child] = get_index(json, *index);
        }
        let Some(last) = self.indices.iter().map(|(index, _)| *index).max().filter(|last| *last >= 0) else {
            return;
        };
        for (at, value) in (0..=last).zip(elements(json)) {
            if let Some((_, child)) = self.indices.iter().find(|(index, _)| *index == at) {
                slots[*child] = Some(value);
            }
        }
    }
}
