//! The tables of text files and the catalog of files.
//!
//! A [`FileTable`] is a [`TableProvider`](crate::scan::TableProvider) over files that were listed by
//! [`storage`](crate::storage): text files go through [`text`], column files through [`parquet`](crate::parquet).

pub(crate) mod column_file;
pub mod file_catalog;
pub mod file_table;
pub mod listing;
pub(crate) mod look;
pub(crate) mod of_table;
pub(crate) mod originals;
mod overlap;
pub mod sniff;
pub(crate) mod text;
pub(crate) mod type_values;

pub use file_catalog::{FileCatalog, FileCatalogBuilder};
pub use file_table::FileTable;
