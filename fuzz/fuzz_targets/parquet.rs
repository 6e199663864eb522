//! Any bytes as a Parquet file.

#![no_main]

use coldcase_fuzz::scan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| scan::check_file("input.parquet", bytes));
