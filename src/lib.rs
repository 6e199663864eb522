//! coldcase: KQL for the logs that the SIEM no longer keeps.

pub mod diagnostic;
