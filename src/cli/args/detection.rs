//! Commands for files of queries.

use std::path::PathBuf;

use clap::Args;

use super::output::MessageArgs;
use super::{HELP_TEMPLATE, heading};

const FMT_EXAMPLES: &str = "\
Examples:
  Show a query in its canonical form:
    coldcase fmt hunt.kql
  Rewrite all queries of a folder:
    coldcase fmt --write detections/
  In a pipeline, list the files that are not formatted:
    coldcase fmt --check detections/";

const FMT_NOTES: &str = "\
Only whitespace changes. Each operator begins a line, and lines are at most 100 characters long where they can be \
broken. Comments stay where they are, and files keep their encoding and line ends. A query that does not parse is \
reported, and its file is not changed.";

/// `coldcase fmt`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = FMT_EXAMPLES, after_help = FMT_NOTES)]
pub struct FmtArgs {
    /// Files, and folders whose .kql, .kusto and .csl files are formatted; - is stdin [default: -]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// List the files that are not formatted, and exit with status 1 if there are any
    #[arg(long, conflicts_with = "write", help_heading = heading::OUTPUT)]
    pub check: bool,
    /// Rewrite files that are not formatted
    #[arg(long, help_heading = heading::OUTPUT)]
    pub write: bool,
    #[command(flatten)]
    pub messages: MessageArgs,
}
