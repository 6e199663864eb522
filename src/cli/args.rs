//! The arguments of every command. Help texts are the documentation: the man page and completions are made from them.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::memory::Memory;
use super::sources::Call;
use crate::source::DateOrder;
use crate::source::remote::is_url;

const EXAMPLES: &str = "\
Examples:
  Who used the emergency accounts, in a folder of exported sign-ins:
    coldcase \"SigninLogs | where ResultType == 0 and UserPrincipalName startswith 'bg-'\" archive/
  A query in a file, the answer as CSV:
    coldcase -f hunt.kql archive/ -O hits.csv
  A pipe is a table:
    cat signins.json | coldcase 'stdin | summarize count() by UserPrincipalName'

Exit codes:
  0 success, also without rows    1 no rows, with -e; a query of a batch failed
  2 wrong usage, nothing to read from
  3 the query is wrong            4 KQL not supported yet     5 data that cannot be read
  6 a limit was hit (memory, time, room on the disk)
  70 a bug of ours                128 + N stopped by the signal N (130: Ctrl+C)";

/// KQL for the logs that the SIEM no longer keeps.
///
/// Runs Kusto (KQL) queries over exported Microsoft Entra sign-in archives, offline.
#[derive(Debug, Parser)]
#[command(name = "coldcase", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// The command; a query where there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The default command.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// The commands besides the default one.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how a query would run
    Explain(ExplainArgs),
    /// Show the columns of a table
    Schema(SchemaArgs),
    /// List the functions of the language, or show one
    Functions(FunctionsArgs),
    /// Show what files are: shape, table, rows, times, repeated records, problems
    Sniff(SniffArgs),
    /// Show where each column of a table stands in each shape of export
    Fields(FieldsArgs),
    /// Show which files each table is bound to
    Tables(TablesArgs),
    /// Run many queries in one process, JSON Lines in and out
    Batch(BatchArgs),
    /// Convert exports to an archive in Parquet that is read fast
    Convert(ConvertArgs),
    /// Verify the checksums of archives that convert wrote
    Verify(VerifyArgs),
    /// Make synthetic sign-ins for demonstrations and benchmarks
    Synth(SynthArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// A query, or how to find it, and the files it reads.
#[derive(Args, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct SourceArgs {
    /// Read the query from a file; every argument is a PATH then
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub query_file: Option<PathBuf>,
    /// Bind a table to files: a file, a folder (searched deep) or a glob, by path or URL; repeatable
    #[arg(short = 't', long = "table", value_name = "NAME=PATH")]
    pub tables: Vec<String>,
    /// Bind a watchlist, which _GetWatchlist('ALIAS') answers, to a CSV or JSON file; COLUMN holds its search keys;
    /// repeatable
    #[arg(long = "watchlist", value_name = "ALIAS[COLUMN]=PATH")]
    pub watchlists: Vec<String>,
    /// The catalog file with tables, watchlists, functions and defaults [default: coldcase.toml in the working folder,
    /// unless files are read from that folder or one above or below it, else coldcase/config.toml among the user's
    /// settings]; its tables count if the call names no PATH
    #[arg(short = 'c', long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Use no catalog file at all
    #[arg(long, conflicts_with = "catalog")]
    pub no_catalog: bool,
    /// What now() answers, as a datetime of ISO 8601 such as 2026-03-01T09:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Only rows from this time on: a datetime of ISO 8601 (UTC unless it has an offset), or a timespan back from now
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub from: Option<String>,
    /// Only rows before this time: a datetime of ISO 8601 (UTC unless it has an offset), or a timespan back from now
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    pub to: Option<String>,
    /// Only rows of the last timespan before now: 7d, 36h
    #[arg(long, value_name = "SPAN")]
    pub last: Option<String>,
    /// The column that --from, --to and --last look at [default: TimeGenerated]
    #[arg(long, value_name = "COLUMN")]
    pub time_column: Option<String>,
    /// Add the columns _SourceFile, _SourceLine, _SourceByte and _SourceShape to every table of files: where the record
    /// begins, in the text as it is unpacked and in UTF-8. For Event Hub Capture the number of the message and the byte
    /// in its body, for Parquet the number of the row
    #[arg(long)]
    pub provenance: bool,
    /// Keep only the last delivery of each record: of rows that share a text in COLUMN the one with the greatest
    /// TimeGenerated, the first of several
    #[arg(long, value_name = "COLUMN")]
    pub dedup: Option<String>,
    /// The value of a declared query parameter; repeatable
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Threads that read and compute [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Memory for rows that must be held, besides some 200 MB for reading and writing: in bytes, with K, M or G, or a
    /// share of the machine's. What sorting, grouping and joins hold beyond it goes to temporary files [default: 70%;
    /// convert: 1G]
    #[arg(long, value_name = "SIZE")]
    pub max_memory: Option<Memory>,
    /// The folder for temporary files, which must exist [default: the system's; convert: beside the archive]
    #[arg(long, value_name = "DIR")]
    pub temp_dir: Option<PathBuf>,
    /// Bytes of stdin, or of a pipe that is named as a file, that may be copied to the folder for temporary files, also
    /// with K, M or G: more is an error [default: 64G]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_stdin: Option<u64>,
    /// Stop with exit code 6 if the run takes longer than this timespan: 90s, 10m
    #[arg(long, value_name = "SPAN")]
    pub timeout: Option<String>,
    /// Bytes that a packed file (gzip, zstd, bzip2, zip, Avro) may unpack to, also with K, M or G: one that goes beyond
    /// is an error [default: 1G, or 500 times its own bytes where that is more]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_decompressed: Option<u64>,
    /// Follow symbolic links that lead out of a named folder; without it they are skipped with a warning
    #[arg(long)]
    pub follow_links: bool,
    /// The order of dates in numbers such as 02/03/2026: dmy (the day first) or mdy [default: as dates of the file prove]
    #[arg(long, value_name = "ORDER")]
    pub date_order: Option<DateOrder>,
    /// Keep what could not be read in a file, a JSON object a line: file, place, reason and the text. Every record is
    /// looked at then
    #[arg(long, value_name = "FILE", value_parser = local_path())]
    pub rejects: Option<PathBuf>,
    /// End with exit code 5 where any record, file or entry of an archive could not be read. Every record is looked at
    /// then
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub talk: TalkArgs,
}

impl SourceArgs {
    /// What a call with these flags says about sources, with the files `paths`.
    pub(super) fn call<'a>(&'a self, paths: &'a [std::ffi::OsString]) -> Call<'a> {
        Call {
            catalog: self.catalog.as_deref(),
            no_catalog: self.no_catalog,
            tables: &self.tables,
            paths,
            follow_links: self.follow_links,
            stdin_taken: None,
        }
    }
}

/// What is said on stderr, and how.
#[derive(Args, Debug, Default)]
pub struct TalkArgs {
    #[command(flatten)]
    pub volume: VolumeArgs,
    /// Colours of messages
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// How errors in a query are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub error_format: ErrorFormat,
}

/// How much is said on stderr.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct VolumeArgs {
    /// Say nothing but errors and warnings: no notes and no progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what was read, and how long it took; where stderr is no terminal, also how far a run is, every ten seconds
    #[arg(short, long)]
    pub verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal that has colours, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How errors in a query are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// For people, with the words underlined
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Where an answer goes.
#[derive(Args, Debug, Default)]
pub struct OutputArgs {
    /// The format of the answer [default: table on a terminal, jsonl elsewhere, or by the extension of -O]
    #[arg(short = 'o', long = "output", id = "format", value_name = "FORMAT", value_parser = format_names())]
    pub format: Option<String>,
    /// Write the answer to a file; it has its name only when it is whole
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path())]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub spreadsheet: SpreadsheetArgs,
}

/// How CSV and TSV are written.
#[derive(Args, Debug, Default)]
pub struct SpreadsheetArgs {
    /// Write CSV or TSV that is safe to open in Excel and other spreadsheets: a string that they would run as a formula
    /// (it begins with =, +, -, @, a tab or a line end, also after whitespace or quotes) gets an apostrophe in front, and
    /// the file a UTF-8 byte order mark. Numbers stay numbers
    #[arg(long)]
    pub excel_safe: bool,
}

/// A path to write to, which no server has.
fn local_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path: PathBuf| match path.to_str().is_some_and(is_url) {
        true => Err("answers are written to files of this machine: write a path"),
        false => Ok(path),
    })
}

fn format_names() -> clap::builder::PossibleValuesParser {
    crate::output::FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}

/// `coldcase [QUERY] [PATH...]`.
#[derive(Args, Debug, Default)]
pub struct QueryArgs {
    /// The query, then the files it reads: files, folders (searched deep), globs, URLs (file://; in builds with the
    /// feature `remote` also az://, abfss://, s3://, gs://, https://), `-` for stdin
    #[arg(value_name = "QUERY> <PATH")]
    pub arguments: Vec<std::ffi::OsString>,
    /// Write what the answer rests on to a file, as JSON: the inputs with SHA-256, rows and times, the query, the
    /// settings, the version
    #[arg(long, value_name = "FILE", value_parser = local_path())]
    pub manifest: Option<PathBuf>,
    /// End with exit code 1 where the answer has no rows
    #[arg(short = 'e', long)]
    pub exit_status: bool,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The query, then the files it reads
    #[arg(value_name = "QUERY> <PATH")]
    pub arguments: Vec<std::ffi::OsString>,
    /// Show the plan as it was understood, before it is improved
    #[arg(long)]
    pub bound: bool,
    /// Run the query, whose rows are not shown, and say below each operator what it took: the rows and batches that came
    /// out, how long threads were busy with it alone, all of them together, and what scans read and left out
    #[arg(long, conflicts_with = "bound")]
    pub analyze: bool,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `coldcase schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// The table
    #[arg(value_name = "TABLE")]
    pub name: String,
    /// Files, folders, globs, `-` for stdin
    #[arg(value_name = "PATH")]
    pub paths: Vec<std::ffi::OsString>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase functions`.
#[derive(Args, Debug)]
pub struct FunctionsArgs {
    /// The function to show
    pub name: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase sniff`.
#[derive(Args, Debug)]
pub struct SniffArgs {
    /// The order of dates in numbers such as 02/03/2026: dmy (the day first) or mdy [default: as dates of the file prove]
    #[arg(long, value_name = "ORDER")]
    pub date_order: Option<DateOrder>,
    /// Files, folders, globs, `-` for stdin
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<std::ffi::OsString>,
    /// Show a row for each table, shape and day instead of each file: how many rows and files it has, the first and last
    /// time, and the days before it that have no rows
    #[arg(long)]
    pub summary: bool,
    /// Threads that read [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Bytes that a packed file may unpack to, also with K, M or G [default: 1G, or 500 times its own bytes where that
    /// is more]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_decompressed: Option<u64>,
    /// Follow symbolic links that lead out of a named folder; without it they are skipped with a warning
    #[arg(long)]
    pub follow_links: bool,
    #[command(flatten)]
    pub volume: VolumeArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase fields`.
#[derive(Args, Debug)]
pub struct FieldsArgs {
    /// The table
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// Say it in sentences for one column, or for the columns that are read from a key of this name
    #[arg(long, value_name = "COLUMN")]
    pub explain: Option<String>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase tables`.
#[derive(Args, Debug)]
pub struct TablesArgs {
    /// Files, folders, globs
    #[arg(value_name = "PATH")]
    pub paths: Vec<std::ffi::OsString>,
    /// Bind a table to files, as queries do; repeatable
    #[arg(short = 't', long = "table", value_name = "NAME=PATH")]
    pub tables: Vec<String>,
    /// The catalog file [default: coldcase.toml in the working folder, unless a PATH lies in that folder or one above or
    /// below it, else coldcase/config.toml among the user's settings]
    #[arg(short = 'c', long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Use no catalog file at all
    #[arg(long, conflicts_with = "catalog")]
    pub no_catalog: bool,
    /// Follow symbolic links that lead out of a named folder; without it they are skipped with a warning
    #[arg(long)]
    pub follow_links: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `coldcase batch`.
#[derive(Args, Debug)]
pub struct BatchArgs {
    /// Queries, a line each: {"id": ..., "query": ...}; `-` for stdin
    #[arg(value_name = "QUERIES")]
    pub queries: PathBuf,
    /// Files that the queries read
    #[arg(value_name = "PATH")]
    pub paths: Vec<std::ffi::OsString>,
    /// Write the answers to a file
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path())]
    pub output_file: Option<PathBuf>,
    /// Write what the answers rest on to a file, as JSON: the inputs with SHA-256, rows and times, the queries, the
    /// settings, the version
    #[arg(long, value_name = "FILE", value_parser = local_path())]
    pub manifest: Option<PathBuf>,
    #[command(flatten)]
    pub source: SourceArgs,
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  Hourly exports of any shape to one archive, sorted by time:
    coldcase convert exports/ -O archive
  What was exported since then:
    coldcase convert exports/2026-03/ -O archive --append
  One file, with the rows of March alone:
    coldcase convert exports/ -O march.parquet --from 2026-03-01 --to 2026-04-01

The archive has a folder for each table and in it one for each month: archive/SigninLogs/month=2026-03/. It gets its
name when it is whole; what a stopped run left behind is removed by the next one. It answers every query as its
original does, in the order of time.";

/// `coldcase convert`.
#[derive(Args, Debug)]
#[command(after_help = CONVERT_EXAMPLES)]
pub struct ConvertArgs {
    /// Files, folders, globs, `-` for stdin; every known table that they hold is converted
    #[arg(value_name = "PATH")]
    pub paths: Vec<std::ffi::OsString>,
    /// The archive: a new or empty folder, or a new file for the rows of one table
    #[arg(short = 'O', long = "output-file", value_name = "ARCHIVE", value_parser = local_path())]
    pub destination: PathBuf,
    /// Another format than Parquet, for one file [default: by the extension of -O]
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_parser = format_names())]
    pub format: Option<String>,
    #[command(flatten)]
    pub spreadsheet: SpreadsheetArgs,
    /// The periods of time that have folders of their own
    #[arg(long, value_name = "PERIOD", default_value = "month")]
    pub partition_by: PartitionBy,
    /// Add the rows whose Id the archive does not have; rows without an Id are added always
    #[arg(long)]
    pub append: bool,
    /// Write what the archive was made of to a file, as JSON: the inputs and the files of the archive with SHA-256, rows
    /// and times, the settings, the version
    #[arg(long, value_name = "FILE", value_parser = local_path())]
    pub manifest: Option<PathBuf>,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `coldcase verify`.
#[derive(Args, Debug)]
#[command(
    after_help = "Every byte of a Parquet file that coldcase writes is covered by a checksum. A file whose checksums \
    do not match, or that has none, ends the command with exit code 5. Checksums find damage; to find forgery, compare the \
    SHA-256 of the files with those in the manifest of the conversion."
)]
pub struct VerifyArgs {
    /// Archives: Parquet files, folders, globs
    #[arg(value_name = "ARCHIVE", required = true)]
    pub paths: Vec<std::ffi::OsString>,
    /// Threads that read [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// The periods of an archive's folders.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PartitionBy {
    /// One folder for all
    None,
    /// A folder an hour
    Hour,
    /// A folder a day
    Day,
    /// A folder a month
    Month,
}

/// A number of bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => Some(1),
        "k" => Some(1 << 10),
        "m" => Some(1 << 20),
        "g" => Some(1 << 30),
        _ => None,
    };
    let bytes = factor.zip(digits.parse::<u64>().ok()).and_then(|(factor, number)| number.checked_mul(factor));
    bytes.ok_or_else(|| "write a number of bytes, or 512M, or 2G".to_owned())
}

/// `coldcase synth`.
#[derive(Args, Debug)]
pub struct SynthArgs {
    /// What to make
    pub table: SynthTable,
    /// How many rows
    #[arg(long, default_value_t = 10_000)]
    pub rows: u64,
    /// The seed: equal seeds make equal files
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Over how many days
    #[arg(long, default_value_t = 30)]
    pub days: u32,
    /// In which shape
    #[arg(long, default_value = "la-export")]
    pub shape: SynthShape,
    /// The folder to write to; new or empty
    #[arg(long, value_name = "DIR", value_parser = local_path())]
    pub out: PathBuf,
    /// Compress JSON files with gzip
    #[arg(long, conflicts_with = "zstd")]
    pub gzip: bool,
    /// Compress JSON files with zstd
    #[arg(long)]
    pub zstd: bool,
    /// Threads that make rows; the files are the same [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// Tables that `synth` makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SynthTable {
    /// Interactive sign-ins
    Signinlogs,
}

/// Shapes that `synth` makes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SynthShape {
    /// Log Analytics data export: flat JSON Lines in five-minute files
    LaExport,
    /// Diagnostic settings: enveloped JSON Lines in hour files
    Diagnostic,
    /// Parquet, sorted by time
    Parquet,
}
