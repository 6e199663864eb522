//! Any bytes as JSON: accepted where `serde_json` accepts them.

#![no_main]

use coldcase_fuzz::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| json::check(bytes));
