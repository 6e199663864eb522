//! The arguments of every command. The manual page and the shell completions are generated from these help texts.

mod archive;
mod backtest;
mod breakglass;
mod detection;
mod hunt;
mod output;
mod query;
mod rule;
mod rule_tests;
mod source;
mod tables;
mod text;

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, Subcommand};

use crate::storage::remote::is_url;

pub use archive::{ConvertArgs, PartitionBy, SynthArgs, SynthIncident, SynthShape, SynthTable, VerifyArgs};
pub use backtest::{BacktestArgs, BacktestFormat, BacktestReport, Unexpected, WindowArg};
pub use breakglass::BreakglassArgs;
pub use detection::{CheckArgs, CheckFormat, FmtArgs};
pub use hunt::HuntArgs;
pub use output::{Colour, ErrorFormat, MessageArgs, OutputArgs, VolumeArgs};
pub use query::{BatchArgs, ExplainArgs, QueryArgs, QueryFileArgs, QueryInputArgs};
pub use rule::{RuleArgs, RuleCommand, RuleConvertArgs, RuleTargetArg, RuleTuneArgs};
pub use rule_tests::{TestArgs, TestFormat};
pub use source::SourceArgs;
pub use tables::{FieldsArgs, FunctionsArgs, SchemaArgs, SniffArgs, TablesArgs};

/// Headings under which options are listed.
mod heading {
    pub const INPUT: &str = "Input";
    pub const TIME: &str = "Time";
    pub const EVIDENCE: &str = "Evidence";
    pub const OUTPUT: &str = "Output";
    pub const RESOURCES: &str = "Resources";
}

/// The order of a help page: what the command does, how to call it, examples, all arguments, the rest.
const HELP_TEMPLATE: &str = "\
{about-with-newline}
{usage-heading} {usage}

{before-help}{all-args}{after-help}";

const EXAMPLES: &str = "\
Examples:
  Who used the emergency accounts, in a folder of exported sign-ins:
    coldcase \"SigninLogs | where ResultType == 0 and UserPrincipalName startswith 'bg-'\" archive/
  A query from a file, the result as CSV that Excel opens safely:
    coldcase -f hunt.kql archive/ -O hits.csv --excel-safe
  A pipe is the table `stdin`:
    cat signins.json | coldcase \"stdin | summarize count() by UserPrincipalName\"
  What is in a folder of unknown exports:
    coldcase sniff --summary exports/";

const EXIT_CODES: &str = "\
Exit codes:
  0    success, with or without rows
  1    no rows, with -e; a query of a batch, a rule of a hunt or a test failed; or fmt --check found a difference
  2    wrong usage, or nothing to read
  3    error in the query
  4    KQL that is not supported yet
  5    data that could not be read
  6    limit reached (memory, time, disk space)
  70   internal error (please report)
  128+N  interrupted by signal N (130: Ctrl+C)

Learn more:
  coldcase help COMMAND             options and examples of a command
  coldcase functions [NAME]         the supported KQL functions, with examples
  https://learn.microsoft.com/kusto/query/tutorials/learn-common-operators
                                    KQL for beginners";

/// Run KQL over exported Microsoft Entra sign-in archives, offline.
///
/// Runs Kusto (KQL) queries over exported Microsoft Entra sign-in archives: JSON, CSV and Parquet in any export shape,
/// plain or compressed. Files are only read, and nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "coldcase", version, max_term_width = 100)]
#[command(help_template = HELP_TEMPLATE, before_help = EXAMPLES, after_help = EXIT_CODES)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// The command; None runs a query.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The default command.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// The commands besides the default one.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the plan of a query, or why it is slow
    Explain(ExplainArgs),
    /// Show the columns of a table and their types
    Schema(SchemaArgs),
    /// List the supported KQL functions, or describe one
    Functions(FunctionsArgs),
    /// Check queries and detection rules without data
    Check(CheckArgs),
    /// Show which alerts a detection rule would have made over an archive, and what it would have missed
    Backtest(BacktestArgs),
    /// Run the unit tests of detection rules
    Test(TestArgs),
    /// Run a folder of rules and queries once over an archive; their rows are one timeline
    Hunt(HuntArgs),
    /// Convert and tune detection rules
    Rule(RuleArgs),
    /// Review the use of emergency accounts
    Breakglass(BreakglassArgs),
    /// Format queries
    Fmt(FmtArgs),
    /// Identify files: shape, table, rows, time range, duplicates, problems
    Sniff(SniffArgs),
    /// Show which source field each column is read from, by export shape
    Fields(FieldsArgs),
    /// Show which files each table is read from
    Tables(TablesArgs),
    /// Run many queries in one process, with JSON Lines as input and output
    Batch(BatchArgs),
    /// Convert exports to a Parquet archive that is fast to query
    Convert(ConvertArgs),
    /// Verify the checksums of archives that `convert` wrote
    Verify(VerifyArgs),
    /// Generate synthetic logs for demonstrations and benchmarks
    Synth(SynthArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Accepts a path of this machine: results are not written to servers.
fn local_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path: PathBuf| match path.to_str().is_some_and(is_url) {
        true => Err("results are written to local files only: give a path instead of a URL"),
        false => Ok(path),
    })
}

/// The format of a report as a page.
pub const REPORT_FORMAT: &str = "html";
/// The format of a timeline for Timesketch.
pub const TIMESKETCH_FORMAT: &str = "timesketch";

fn format_names() -> clap::builder::PossibleValuesParser {
    format_names_and(&[])
}

/// Accepts the formats of results, and `more`.
fn format_names_and(more: &[&'static str]) -> clap::builder::PossibleValuesParser {
    let names = crate::output::FORMATS.iter().map(|format| format.name);
    names.chain(more.iter().copied()).collect::<Vec<_>>().into()
}

/// Accepts a number of threads.
fn thread_count() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..=1024)
}

/// Parses a number of bytes; the suffixes K, M and G (also KB, KiB, ...) are powers of 1024.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "" => Some(1),
        "k" => Some(1 << 10),
        "m" => Some(1 << 20),
        "g" => Some(1 << 30),
        _ => None,
    };
    let bytes = factor.zip(digits.parse::<u64>().ok()).and_then(|(factor, number)| number.checked_mul(factor));
    bytes.ok_or_else(|| "expected a number of bytes, such as 1000000, 512M or 2G".to_owned())
}
