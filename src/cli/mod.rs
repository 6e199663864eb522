//! The command line: argv -> engine -> streams and exit codes. The only place that reads the clock and the environment.

pub mod batch;
