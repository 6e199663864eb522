//! Tables and columns beyond the usual: sibling tables, restored tables, keys without a column.
