//! Commands that describe tables, files and functions.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::output::{OutputArgs, VolumeArgs};
use super::source::SourceArgs;
use super::text::TextArgs;
use super::{HELP_TEMPLATE, heading, parse_size, thread_count};

const SCHEMA_EXAMPLES: &str = "\
Examples:
  The columns of sign-ins:
    coldcase schema SigninLogs exports/";

/// `coldcase schema`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = SCHEMA_EXAMPLES)]
pub struct SchemaArgs {
    /// Table
    #[arg(value_name = "TABLE")]
    pub name: String,
    /// Files, folders or globs; - is stdin
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Show the columns _SourceFile, _SourceLine, _SourceByte and _SourceShape, too
    #[arg(long, help_heading = heading::EVIDENCE)]
    pub provenance: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

const FUNCTIONS_EXAMPLES: &str = "\
Examples:
  All functions that concern JSON:
    coldcase functions -o line | grep -i json
  The signature of a function, with examples:
    coldcase functions countif";

/// `coldcase functions`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = FUNCTIONS_EXAMPLES)]
pub struct FunctionsArgs {
    /// Function to describe, with its signature and examples
    pub name: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

const SNIFF_EXAMPLES: &str = "\
Examples:
  One line per cell, for many columns:
    coldcase sniff exports/ -o line
  Rows by table and day, with the days that have none:
    coldcase sniff --summary exports/";

/// `coldcase sniff`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = SNIFF_EXAMPLES, next_help_heading = heading::INPUT)]
pub struct SniffArgs {
    /// Files, folders or globs; - is stdin
    #[arg(value_name = "PATH", required = true, help_heading = None::<&'static str>)]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub text: TextArgs,
    /// Follow symbolic links that lead out of a named folder (else skipped with a warning)
    #[arg(long)]
    pub follow_links: bool,
    /// Show one row per table, shape and day instead of one per file
    ///
    /// Each row has the number of rows and files, the first and last time, and the days before it that have no rows.
    #[arg(long, help_heading = heading::OUTPUT)]
    pub summary: bool,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub volume: VolumeArgs,
    /// Number of threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = thread_count(), help_heading = heading::RESOURCES)]
    pub threads: Option<u16>,
    /// Limit for one compressed file, after decompression [default: 1G, or 500 times its size]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = heading::RESOURCES)]
    pub max_decompressed: Option<u64>,
}

const FIELDS_EXAMPLES: &str = "\
Examples:
  Which source field is IPAddress read from:
    coldcase fields SigninLogs --explain IPAddress
  Which column is the Graph property userPrincipalName:
    coldcase fields SigninLogs --explain userPrincipalName
  The meaning of a result code:
    coldcase fields SigninLogs --explain ResultType=50126";

/// `coldcase fields`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = FIELDS_EXAMPLES)]
pub struct FieldsArgs {
    /// Table
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// Describe one column, the columns that are read from the source field COLUMN, or a result code of sign-ins
    #[arg(long, value_name = "COLUMN[=VALUE]", help_heading = heading::OUTPUT)]
    pub explain: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

const TABLES_EXAMPLES: &str = "\
Examples:
  What the patterns of coldcase.toml match:
    coldcase tables
  What a pattern on the command line matches:
    coldcase tables -t \"SigninLogs=exports/**/*.json.gz\"";

/// `coldcase tables`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = TABLES_EXAMPLES, next_help_heading = heading::INPUT)]
pub struct TablesArgs {
    /// Files, folders or globs
    #[arg(value_name = "PATH", help_heading = None::<&'static str>)]
    pub paths: Vec<OsString>,
    /// Read the table NAME from a file, folder, glob or URL; repeatable
    #[arg(short = 't', long = "table", value_name = "NAME=PATH")]
    pub tables: Vec<String>,
    /// Catalog file with tables, watchlists, functions and defaults [default: coldcase.toml]
    ///
    /// Without this option, coldcase.toml in the working folder is used, unless files are read from that folder or from
    /// one above or below it. Otherwise coldcase/config.toml in your settings folder is used.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Use no catalog file
    #[arg(long, conflicts_with = "catalog")]
    pub no_catalog: bool,
    /// Follow symbolic links that lead out of a named folder (else skipped with a warning)
    #[arg(long)]
    pub follow_links: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}
