//! `coldcase hunt`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;
use super::query::QueryInputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, REPORT_FORMAT, TIMESKETCH_FORMAT, format_names_and, heading, local_path};

const EXAMPLES: &str = "\
Examples:
  Every row that the rules of a folder find in an archive, as one timeline:
    coldcase hunt rules/ archive/ -o table
  The same for one month, as a page to read and to print:
    coldcase hunt rules/ archive/ --from 2026-03-01 --to 2026-04-01 -O hunt.html
  A timeline for Timesketch:
    coldcase hunt rules/ archive/ -o timesketch -O hunt.jsonl";

const NOTES: &str = "\
RULES are queries (.kql, .kusto, .csl), rules and hunting queries of Microsoft Sentinel (YAML, alertRules and \
savedSearches), scheduledQueryRules of Azure Monitor, and detectionRule of Microsoft Graph. The last PATH is the data, \
unless -t or the catalog file names them and only one PATH is given.

Each query runs once over the whole archive, or over the rows from --from to --to. Schedules, thresholds and \
suppression do not count: coldcase backtest applies them. now() is the clock unless --now is given, so conditions such \
as ago(1d) find nothing in an old archive without it. A rule that cannot run is skipped with a warning.

Exit codes: 0 every rule ran, with or without rows; 1 a rule did not run.";

/// `coldcase hunt`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = EXAMPLES, after_help = NOTES)]
#[command(mut_arg("format", |arg| arg.value_parser(format_names_and(&[TIMESKETCH_FORMAT, REPORT_FORMAT]))))]
pub struct HuntArgs {
    /// Rule and query files, and folders of them; the last PATH is the data: a file, folder, glob or URL
    #[arg(value_name = "RULES... DATA", required = true)]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write a JSON manifest of everything the timeline is based on
    ///
    /// It lists the rules with the SHA-256 of their files, their queries and numbers of rows or why they did not run, the
    /// inputs with their SHA-256, rows and time range, the settings, the version of coldcase, and the SHA-256 of the result.
    #[arg(long, value_name = "FILE", value_parser = local_path(), help_heading = heading::EVIDENCE)]
    pub manifest: Option<PathBuf>,
}
