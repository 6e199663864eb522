//! Commands that write and verify archives.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::output::{OutputArgs, SpreadsheetArgs};
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, format_names, heading, local_path, thread_count};

const CONVERT_EXAMPLES: &str = "\
Examples:
  Exports of any shape to one archive, sorted by time:
    coldcase convert exports/ -O archive
  Add what was exported since then:
    coldcase convert exports/2026-03/ -O archive --append
  One file, with the rows of March only:
    coldcase convert exports/ -O march.parquet --from 2026-03-01 --to 2026-04-01";

const CONVERT_NOTES: &str = "\
The archive has one folder per table and, in it, one per month: archive/SigninLogs/month=2026-03/. It is written to \
a temporary folder and renamed when complete: an interrupted run never leaves a partial archive, and the next run \
removes what it left behind. Queries return the same rows from the archive as from its originals, in the order of \
time.";

/// `coldcase convert`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = CONVERT_EXAMPLES, after_help = CONVERT_NOTES)]
pub struct ConvertArgs {
    /// Files, folders or globs, - is stdin; every known table in them is converted
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    /// New or empty folder for the archive, or a new file for the rows of one table
    #[arg(
        short = 'O',
        long = "output-file",
        value_name = "ARCHIVE",
        value_parser = local_path(),
        help_heading = heading::OUTPUT
    )]
    pub destination: PathBuf,
    /// Format of a single file [default: by the file extension of -O]
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT",
        value_parser = format_names(),
        help_heading = heading::OUTPUT
    )]
    pub format: Option<String>,
    #[command(flatten)]
    pub spreadsheet: SpreadsheetArgs,
    /// Period of time for which the archive has a folder
    #[arg(long, value_name = "PERIOD", default_value = "month", help_heading = heading::OUTPUT)]
    pub partition_by: PartitionBy,
    /// Add the rows whose Id is not in the archive yet; rows without an Id are always added
    #[arg(long, help_heading = heading::OUTPUT)]
    pub append: bool,
    /// Write a JSON manifest of everything the archive was made from
    ///
    /// It lists the inputs and the files of the archive with their SHA-256, rows and time range, the settings, and the
    /// version of coldcase.
    #[arg(long, value_name = "FILE", value_parser = local_path(), help_heading = heading::EVIDENCE)]
    pub manifest: Option<PathBuf>,
}

/// The period of time of one folder of an archive.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PartitionBy {
    /// One folder for all rows
    None,
    /// One folder per hour
    Hour,
    /// One folder per day
    Day,
    /// One folder per month
    Month,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  Every file of an archive:
    coldcase verify archive";

/// `coldcase verify`.
#[derive(Args, Debug)]
#[command(
    help_template = HELP_TEMPLATE,
    before_help = VERIFY_EXAMPLES,
    after_help = "Checksums cover every byte of the Parquet files that coldcase writes, and an archive has a list of its \
    files with their SHA-256 (.coldcase-files). If a checksum does not match, a file has none, or the files are not \
    those of the list, the exit status is 5. Both detect damage, not forgery: to detect forgery, compare the SHA-256 of \
    the files with the manifest of the conversion."
)]
pub struct VerifyArgs {
    /// Archives: Parquet files, folders or globs
    #[arg(value_name = "ARCHIVE", required = true)]
    pub paths: Vec<OsString>,
    /// Number of threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = thread_count(), help_heading = heading::RESOURCES)]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub output: OutputArgs,
}

const SYNTH_EXAMPLES: &str = "\
Examples:
  A million sign-ins of 90 days, as Log Analytics exports them:
    coldcase synth signinlogs --rows 1000000 --days 90 --out demo
  A password spray among the sign-ins, and which rows belong to it in demo.findings.json:
    coldcase synth signinlogs --inject spray --out demo";

/// `coldcase synth`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = SYNTH_EXAMPLES)]
pub struct SynthArgs {
    /// Table to generate
    #[arg(ignore_case = true)]
    pub table: SynthTable,
    /// Folder to write to; new or empty
    #[arg(long, value_name = "DIR", value_parser = local_path())]
    pub out: PathBuf,
    /// Number of rows
    #[arg(long, default_value_t = 10_000)]
    pub rows: u64,
    /// Number of days
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    /// Incidents to inject into SigninLogs; DIR.findings.json lists the rows that a rule should find
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub inject: Vec<SynthIncident>,
    /// Export shape
    #[arg(long, default_value = "la-export")]
    pub shape: SynthShape,
    /// Seed of the random numbers: the same seed generates the same files
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Compress JSON files with gzip
    #[arg(long, conflicts_with = "zstd")]
    pub gzip: bool,
    /// Compress JSON files with zstd
    #[arg(long)]
    pub zstd: bool,
    /// Number of threads, which does not change the files [default: one per processor]
    #[arg(long, value_name = "N", value_parser = thread_count())]
    pub threads: Option<u16>,
    /// Show only errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Tables that can be generated.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SynthTable {
    /// Interactive sign-ins
    Signinlogs,
    /// Sign-ins of apps on behalf of users
    Aadnoninteractiveusersigninlogs,
    /// Sign-ins of apps as themselves
    Aadserviceprincipalsigninlogs,
    /// Changes to the directory
    Auditlogs,
    /// Users at risk
    Aadriskyusers,
    /// Detections of Identity Protection
    Aaduserriskevents,
}

/// Incidents that can be injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SynthIncident {
    /// Sign-ins of emergency accounts
    Breakglass,
    /// One address tries a password on many accounts
    Spray,
    /// A user signs in in two countries within an hour
    ImpossibleTravel,
}

/// Export shapes that can be generated.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SynthShape {
    /// Log Analytics data export: flat JSON Lines, one file per five minutes
    LaExport,
    /// Diagnostic settings: JSON Lines in envelopes, one file per hour
    Diagnostic,
    /// Parquet, in order of arrival
    Parquet,
}
