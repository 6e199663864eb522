//! Records in gzip, zstd, bzip2, zip, Avro and UTF-16, whole and damaged.

#![no_main]

use coldcase_fuzz::containers::Packed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: Packed| case.check());
