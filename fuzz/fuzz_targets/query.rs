//! Any text as a query: no bug, and the same answer with and without the optimizer.

#![no_main]

use coldcase_fuzz::query;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| query::check(text));
