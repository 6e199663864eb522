//! The optimizer rules, one file each.

pub mod bound_join;
pub mod fold_constants;
pub mod merge_projections;
pub mod pack_members;
pub mod prune_columns;
pub mod push_down_filter;
pub mod push_down_limit;
pub mod push_predicate_into_scan;
pub mod range_into_unnest;
pub mod sort_limit_to_top;
