//! Cells of any text as CSV.

#![no_main]

use coldcase_fuzz::cells::Cells;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: Cells| case.check());
