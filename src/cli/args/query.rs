//! Commands that run queries.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::output::OutputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, heading, local_path};

/// The file of a query.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::INPUT)]
pub struct QueryFileArgs {
    /// Read the query from FILE, or from stdin with -; all arguments are then PATHs
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub query_file: Option<PathBuf>,
}

/// Inputs of a query besides tables.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::INPUT)]
pub struct QueryInputArgs {
    /// Value of a declared query parameter; repeatable
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Read TABLE where a query names NAME, such as workspace('w').SigninLogs; repeatable
    #[arg(long = "alias", value_name = "NAME=TABLE", hide_short_help = true)]
    pub aliases: Vec<String>,
    /// Read the watchlist ALIAS from a CSV or JSON file; repeatable
    ///
    /// A query reads it with _GetWatchlist('ALIAS'). COLUMN is the column of the search keys.
    #[arg(long = "watchlist", value_name = "ALIAS[COLUMN]=PATH", hide_short_help = true)]
    pub watchlists: Vec<String>,
    /// Read PATH where a query reads URL with externaldata; repeatable
    ///
    /// Nothing is downloaded. PATH is a file, a folder or a glob. URL may omit its query, which often holds a
    /// signature.
    #[arg(long = "externaldata", value_name = "URL=PATH", hide_short_help = true)]
    pub externaldata: Vec<String>,
    /// Add the columns _SourceFile, _SourceLine, _SourceByte and _SourceShape to every table
    ///
    /// They give the position at which each record begins, in the text after decompression and conversion to UTF-8. For
    /// Event Hub Capture, the line is the number of the message and the byte the offset in its body; for Parquet, the
    /// line is the number of the row.
    #[arg(long, help_heading = heading::EVIDENCE)]
    pub provenance: bool,
}

/// The choice among the results of a query.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct ResultArgs {
    /// The result to return, by name or number from 1, of a query that returns several
    ///
    /// A query returns several results if it ends in fork or facet, or if its text contains several queries. Without
    /// this option, the formats table, md, line and la-api show all of them.
    #[arg(long = "result", value_name = "NAME|NUMBER", hide_short_help = true)]
    pub result: Option<String>,
}

/// `coldcase [QUERY] [PATH...]`.
#[derive(Args, Debug, Default)]
pub struct QueryArgs {
    /// Query in KQL, followed by the files it reads; - is stdin
    ///
    /// A PATH is a file, a folder (searched recursively), a glob or a URL (file://; in builds with the feature `remote`
    /// also az://, abfss://, s3://, gs:// and https://). Files are identified by content, not by name.
    #[arg(value_names = ["QUERY", "PATH"], num_args = 0..)]
    pub arguments: Vec<OsString>,
    #[command(flatten)]
    pub file: QueryFileArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    #[command(flatten)]
    pub result: ResultArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Exit with status 1 if there are no rows
    #[arg(short = 'e', long, help_heading = heading::OUTPUT)]
    pub exit_status: bool,
    /// Write a JSON manifest of everything the result is based on
    ///
    /// It lists the inputs with their SHA-256, rows and time range, the query, the settings, the version of coldcase,
    /// and the SHA-256 of the result.
    #[arg(long, value_name = "FILE", value_parser = local_path(), help_heading = heading::EVIDENCE)]
    pub manifest: Option<PathBuf>,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  Which predicates are pushed down into the scan:
    coldcase explain \"SigninLogs | where ResultType != 0 | count\" archive/
  Why is a query slow:
    coldcase explain --analyze \"SigninLogs | summarize count() by UserPrincipalName\" archive/";

/// `coldcase explain`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = EXPLAIN_EXAMPLES)]
pub struct ExplainArgs {
    /// Query in KQL, followed by the files it reads; - is stdin
    #[arg(value_names = ["QUERY", "PATH"], num_args = 0..)]
    pub arguments: Vec<OsString>,
    #[command(flatten)]
    pub file: QueryFileArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    #[command(flatten)]
    pub result: ResultArgs,
    /// Show the plan before optimisation
    #[arg(long, help_heading = heading::OUTPUT)]
    pub bound: bool,
    /// Run the query and show rows, time, bytes read and bytes skipped for each operator
    ///
    /// The rows of the result are counted and not shown. The time of an operator is the time that all threads together
    /// spent in that operator alone.
    #[arg(long, conflicts_with = "bound", help_heading = heading::OUTPUT)]
    pub analyze: bool,
}

const BATCH_EXAMPLES: &str = "\
Examples:
  All queries of a file over the same archive:
    coldcase batch queries.jsonl archive/ -O results.jsonl

A line of the file is {\"id\": 1, \"query\": \"SigninLogs | count\"}. For each query, one line is written: \
{\"id\", \"columns\", \"rows\"}, or {\"id\", \"error\", \"code\"} if it failed. A query that returns several \
results has the first one there, its \"name\", and the others in \"otherResults\".";

/// `coldcase batch`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = BATCH_EXAMPLES)]
pub struct BatchArgs {
    /// File with one query per line, as {"id": ..., "query": ...}; - is stdin
    #[arg(value_name = "QUERIES")]
    pub queries: PathBuf,
    /// Files, folders or globs that the queries read
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    #[command(flatten)]
    pub result: ResultArgs,
    /// Write the results to FILE (written to a temporary file, renamed when complete)
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path(), help_heading = heading::OUTPUT)]
    pub output_file: Option<PathBuf>,
    /// Write a JSON manifest of everything the results are based on
    #[arg(long, value_name = "FILE", value_parser = local_path(), help_heading = heading::EVIDENCE)]
    pub manifest: Option<PathBuf>,
}
