//! coldcase: KQL for the logs that the SIEM no longer keeps. What follows is ARCHITECTURE.md.
//!
#![doc = include_str!("../ARCHITECTURE.md")]
// Tests are written tersely; style lints are for the code itself.
#![cfg_attr(test, allow(clippy::pedantic))]

pub mod backtest;
pub mod binder;
pub mod cli;
pub mod convert;
pub mod delta;
pub mod diagnostic;
pub mod engine;
pub mod entra;
pub mod exec;
pub mod expr;
pub mod functions;
pub mod html;
pub mod hunt;
mod json;
pub mod memory;
pub mod messages;
pub mod optimizer;
pub mod output;
pub mod parquet;
pub mod plan;
mod records;
pub mod rules;
pub mod scan;
pub mod source;
pub mod storage;
pub mod syntax;
pub mod synth;
pub mod temporary;
pub mod types;
