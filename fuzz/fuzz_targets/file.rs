//! Any bytes as a file: whatever they are, they are read in bounded time and memory, and every way to read them tells
//! the same.

#![no_main]

use coldcase_fuzz::scan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = if bytes.starts_with(b"PK") { "input.zip" } else { "input" };
    scan::check_file(name, bytes);
});
