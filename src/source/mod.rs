//! The tables of files, and the catalog of files.
//!
//! A [`FileTable`] is a [`TableProvider`](crate::scan::TableProvider) over files that [`storage`](crate::storage)
//! listed. The module `text` decodes text files; [`parquet`](crate::parquet) decodes columnar files.

pub(crate) mod column_file;
mod event_files;
pub mod external;
pub mod file_catalog;
pub mod file_table;
mod id_sketch;
pub mod listing;
mod overlap;
pub(crate) mod record_rows;
pub(crate) mod replaced_columns;
pub(crate) mod sample;
pub mod sniff;
pub(crate) mod table_membership;
pub(crate) mod text;
pub(crate) mod type_values;

pub use file_catalog::{FileCatalog, FileCatalogBuilder};
pub use file_table::FileTable;
