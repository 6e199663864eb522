//! coldcase: KQL for the logs that the SIEM no longer keeps.

pub mod diagnostic;
pub mod functions;
pub mod source;
pub mod syntax;
pub mod types;
