//! Parquet and archives: damaged pages, rows of other tables, checksums, answers that lie among the evidence.
