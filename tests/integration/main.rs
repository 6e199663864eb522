//! Tests over the public surface, one binary for all of them: a module each.

#![allow(clippy::pedantic, reason = "tests and benchmarks say what they mean in few words")]

mod analyze;
mod architecture;
mod catalog;
mod cli;
mod convert;
mod damage;
mod dedup;
mod diagnostics;
mod docs;
mod equivalence;
mod evidence;
mod functions;
mod grammar;
mod join;
mod library;
mod limits;
mod memory;
mod overwrite;
mod provenance;
mod reference;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod sniff;
mod strangers;
mod torn;
mod unnest;

#[path = "../support/command.rs"]
mod command;
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
#[path = "../support/wire.rs"]
mod wire;
