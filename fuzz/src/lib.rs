//! What the fuzz targets share.

pub mod cells;
pub mod containers;
pub mod json;
pub mod lines;
pub mod query;
pub mod scan;
