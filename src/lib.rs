//! coldcase: KQL for the logs that the SIEM no longer keeps.

pub mod binder;
pub mod cli;
pub mod diagnostic;
pub mod engine;
pub mod exec;
pub mod expr;
pub mod functions;
pub mod optimizer;
pub mod output;
pub mod plan;
pub mod source;
pub mod syntax;
pub mod synth;
pub mod types;
