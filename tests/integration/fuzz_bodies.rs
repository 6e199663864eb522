//! Runs the fuzz targets over their kept inputs: whatever a target found once is tried in every test run.
//!
//! `fuzz/kept/TARGET/` contains the inputs, as cargo-fuzz writes them.

#![allow(dead_code, reason = "the fuzz targets use more of it")]

use std::fs;
use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};

#[path = "../../fuzz/src/cells.rs"]
mod cells;
#[path = "../../fuzz/src/containers.rs"]
mod containers;
#[path = "../../fuzz/src/json.rs"]
mod json;
#[path = "../../fuzz/src/lines.rs"]
mod lines;
#[path = "../../fuzz/src/query.rs"]
mod query;
#[path = "../../fuzz/src/scan.rs"]
mod scan;

/// Calls `body` with each kept input of a target, and with pseudo-random ones.
fn run(target: &str, random: usize, body: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/kept").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target}");
    for path in paths {
        body(&fs::read(path).expect("a file"));
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in 0..random {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33).to_le_bytes()[0]
        };
        let input: Vec<u8> = std::iter::repeat_with(next).take(16 + length).collect();
        body(&input);
    }
}

/// The input of a target that takes structured data.
fn structured<T: for<'a> Arbitrary<'a>>(bytes: &[u8]) -> Option<T> {
    T::arbitrary_take_rest(Unstructured::new(bytes)).ok()
}

#[test]
fn files() {
    run("file", 0, |bytes| scan::check_file(if bytes.starts_with(b"PK") { "input.zip" } else { "input" }, bytes));
}

#[test]
fn parquet() {
    run("parquet", 0, |bytes| scan::check_file("input.parquet", bytes));
}

#[test]
fn json_values() {
    run("json", 0, json::check);
}

#[test]
fn damaged_lines() {
    run("damaged_line", 40, |bytes| {
        structured::<lines::DamagedLine>(bytes).iter().for_each(lines::DamagedLine::check);
    });
}

#[test]
fn containers_of_lines() {
    run("containers", 40, |bytes| {
        structured::<containers::Packed>(bytes).iter().for_each(containers::Packed::check);
    });
}

#[test]
fn cells_of_csv() {
    run("cells", 40, |bytes| structured::<cells::Cells>(bytes).iter().for_each(cells::Cells::check));
}

#[test]
fn queries() {
    run("query", 0, |bytes| query::check(std::str::from_utf8(bytes).unwrap_or_default()));
}
