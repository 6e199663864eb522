//! Tests over the public surface, one binary for all of them: a module each.

#![allow(clippy::pedantic, reason = "tests and benchmarks say what they mean in few words")]

mod analyze;
mod architecture;
mod asked;
mod bounds;
mod catalog;
mod cli;
mod convert;
mod damage;
mod damage_kinds;
mod dedup;
mod diagnostics;
mod docs;
mod encodings;
mod equivalence;
mod evidence;
mod field;
mod functions;
mod fuzz_bodies;
mod grammar;
mod integrity;
mod join;
mod library;
mod limits;
mod memory;
mod overwrite;
mod packages;
mod provenance;
mod reference;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod safe_output;
mod sniff;
mod stopped;
mod strangers;
mod torn;
mod unnest;
mod values;
mod walk;
mod wrappers;

#[path = "../support/command.rs"]
mod command;
#[path = "../support/diff.rs"]
mod diff;
#[path = "../support/earley.rs"]
mod earley;
#[path = "../support/ebnf.rs"]
mod ebnf;
#[path = "../support/generate.rs"]
mod generate;
#[cfg(feature = "remote")]
#[path = "../support/object_server.rs"]
mod object_server;
#[path = "../support/random_query.rs"]
mod random_query;
#[path = "../support/scan.rs"]
mod scan;
#[path = "../support/wire.rs"]
mod wire;
