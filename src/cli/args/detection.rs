//! Commands for files of queries.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::MessageArgs;
use super::query::QueryInputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, heading, local_path};

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

const CHECK_EXAMPLES: &str = "\
Examples:
  All rules and queries of a repository:
    coldcase check detections/
  With the columns of each result:
    coldcase check --schema rule.yaml
  In a pipeline, for code scanning and for GitHub Actions:
    coldcase check -o sarif -O check.sarif detections/
    coldcase check -o github detections/
  Which rules cannot fire on an archive, and why:
    coldcase check detections/ --data archive/
  Only what is new since the last release:
    coldcase check detections/ --write-baseline known.json
    coldcase check detections/ --baseline known.json";

const CHECK_NOTES: &str = "\
Queries are parsed and bound to the columns of the known tables, and of those of the catalog file and -t; no data is \
read unless --data is given. The positions of messages are those in the file, also inside YAML blocks and JSON strings.

The fields of rules are checked, too: what their service rejects is an error. Warnings are about rows that arrive late \
or are never read, conditions that are always or never true, results without TimeGenerated, sign-ins in other tables, and \
names of users that are compared with their case.

A table, function or watchlist that is not known here may exist in the workspace: a query that uses it is not \
supported, unless a known name is similar. {{StartTimeISO}} and {{EndTimeISO}} are filled; other placeholders are \
errors.

Exit codes: 0 all queries are valid, 3 a query or a rule is wrong, 4 a query is not supported, 5 a file cannot be read.";

/// `coldcase check`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = CHECK_EXAMPLES, after_help = CHECK_NOTES)]
pub struct CheckArgs {
    /// Files, and folders of them: queries in .kql, .kusto and .csl, rules in .yaml, .yml and .json; - is a query on
    /// stdin
    ///
    /// Rules are those of Microsoft Sentinel in YAML, of Azure Resource Manager in JSON (alertRules,
    /// scheduledQueryRules, savedSearches), and detectionRule of Microsoft Graph.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    /// Data on which the rules should be able to fire: files, folders, globs or URLs; repeatable
    ///
    /// Each rule is run over the data. If it cannot fire, a warning says why: a table without rows, a column that is
    /// empty in all of them, or a value that never occurs.
    #[arg(long, value_name = "DATA", help_heading = heading::INPUT)]
    pub data: Vec<OsString>,
    /// Hide the findings that are in FILE, which --write-baseline wrote
    #[arg(long, value_name = "FILE", help_heading = heading::OUTPUT)]
    pub baseline: Option<PathBuf>,
    /// Write all findings to FILE, and exit with status 0
    #[arg(long, value_name = "FILE", value_parser = local_path(), conflicts_with = "baseline", help_heading = heading::OUTPUT)]
    pub write_baseline: Option<PathBuf>,
    /// Show the columns of each result and their types
    #[arg(long, help_heading = heading::OUTPUT)]
    pub schema: bool,
    /// Output format
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "text", help_heading = heading::OUTPUT)]
    pub format: CheckFormat,
    /// Write the result to FILE (written to a temporary file, renamed when complete)
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path(), help_heading = heading::OUTPUT)]
    pub output_file: Option<PathBuf>,
}

/// How the findings of a check are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// Messages on stderr, columns on stdout
    Text,
    /// JSON Lines: an object per query, with its findings
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}
