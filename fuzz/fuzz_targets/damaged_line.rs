//! Whole records with one damaged line: the others keep their rows, and the loss is told.

#![no_main]

use coldcase_fuzz::lines::DamagedLine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: DamagedLine| case.check());
