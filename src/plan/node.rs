//! Ids of plan nodes. The id of a node is its position in a depth-first walk, so the nodes of a cloned plan have the
//! same ids.

use super::{LogicalPlan, visit};

/// The id of a node, which is unique within a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(usize);

impl NodeId {
    /// Returns the number of nodes that a depth-first walk visits before this node.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// A node of a plan together with its id.
#[derive(Clone, Copy, Debug)]
pub struct PlanNode<'a> {
    /// The node, with all nodes below it.
    pub plan: &'a LogicalPlan,
    /// The id of the node.
    pub id: NodeId,
}

impl<'a> PlanNode<'a> {
    /// Returns the top node of `plan`.
    #[must_use]
    pub fn root(plan: &'a LogicalPlan) -> Self {
        Self { plan, id: NodeId(0) }
    }

    /// Returns `input`, which must be the first input of this node, with its id.
    #[must_use]
    pub fn first_input(self, input: &'a LogicalPlan) -> Self {
        debug_assert!(visit::inputs(self.plan).first().is_some_and(|first| std::ptr::eq(*first, input)));
        Self { plan: input, id: NodeId(self.id.0 + 1) }
    }

    /// Returns all inputs of this node in order, with their ids.
    #[must_use]
    pub fn inputs(self) -> Vec<Self> {
        let inputs = visit::inputs(self.plan);
        let last = inputs.len().saturating_sub(1);
        let mut next = self.id.0 + 1;
        let node = |(index, plan): (usize, &'a LogicalPlan)| {
            let id = NodeId(next);
            // The size of the last input is not needed: deep plans are mostly chains of single inputs.
            next += if index < last { node_count(plan) } else { 0 };
            Self { plan, id }
        };
        inputs.into_iter().enumerate().map(node).collect()
    }
}

/// Returns the number of nodes of `plan`, including itself.
#[must_use]
pub fn node_count(plan: &LogicalPlan) -> usize {
    1 + visit::inputs(plan).into_iter().map(node_count).sum::<usize>()
}
