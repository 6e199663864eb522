//! Sorting: all rows in order (`sort`), in memory or by merging sorted runs in temporary files, and the first rows of
//! an order (`top`).

mod comparator;
mod order;
mod runs;
mod sorter;
mod top;
mod two_phase_top;

pub(super) use sorter::{Sorter, sort};
pub(super) use top::{TopRows, TopSpec, top};
pub(super) use two_phase_top::two_phase_top;
