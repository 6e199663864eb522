//! Tests of the public interface, in one binary with one module per topic.

#![allow(clippy::pedantic, reason = "tests and benchmarks say what they mean in few words")]

mod aliases;
mod analyze;
mod architecture;
mod archive_list;
mod backtest;
mod backtest_cost;
mod backtest_services;
mod bounds;
mod breakglass;
mod catalog;
mod check;
mod circles;
mod cli;
mod columnar_exports;
mod convert;
mod damage;
mod damage_kinds;
mod dedup;
mod detection_damage;
mod diagnostics;
mod docs;
mod encodings;
mod equivalence;
mod externaldata;
mod field;
mod fmt;
mod folder_search;
mod functions;
mod fuzz_bodies;
mod geoip;
mod grammar;
mod hunt;
mod inputs;
mod integrity;
mod join;
mod join_windows;
mod late_columns;
mod library;
mod limits;
mod memory;
mod messages;
mod mv_apply;
mod non_sign_ins;
mod notifications;
mod overwrite;
mod own_results;
mod packages;
mod pages;
mod provenance;
mod real_world_exports;
mod reference;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod resync;
mod rule_convert;
mod rule_tests;
mod rule_tune;
mod safe_output;
mod sequences;
mod series;
mod several_results;
mod sniff;
mod stopped;
mod unnest;
mod values;
mod window;
mod words;
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
