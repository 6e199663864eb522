//! Where results and messages go, and in which format.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{format_names, heading, local_path};

/// Where a result goes.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct OutputArgs {
    /// Output format [default: table on a terminal, else jsonl; with -O by the file extension]
    #[arg(short = 'o', long = "output", id = "format", value_name = "FORMAT", value_parser = format_names())]
    pub format: Option<String>,
    /// Write the result to FILE (written to a temporary file, renamed when complete)
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path())]
    pub output_file: Option<PathBuf>,
    #[command(flatten)]
    pub spreadsheet: SpreadsheetArgs,
}

/// How CSV and TSV are written.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct SpreadsheetArgs {
    /// Write CSV or TSV that is safe to open in Excel and other spreadsheets
    ///
    /// Strings that a spreadsheet would run as a formula (they begin with =, +, -, @, a tab or a line end, possibly
    /// after whitespace or quotes) get an apostrophe in front. The file begins with a UTF-8 byte order mark. Numbers
    /// stay numbers.
    #[arg(long)]
    pub excel_safe: bool,
}

/// How messages on stderr are written.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct MessageArgs {
    #[command(flatten)]
    pub volume: VolumeArgs,
    /// Colours of messages
    #[arg(long, value_name = "WHEN", default_value = "auto", display_order = 902, hide_short_help = true)]
    pub color: Colour,
    /// Format of errors in a query
    #[arg(long, value_name = "FORMAT", default_value = "text", display_order = 903, hide_short_help = true)]
    pub error_format: ErrorFormat,
}

/// How much is written to stderr.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = heading::OUTPUT)]
pub struct VolumeArgs {
    /// Show only errors and warnings: no notes, no progress
    #[arg(short, long, conflicts_with = "verbose", display_order = 900)]
    pub quiet: bool,
    /// Show what was read and how long it took
    ///
    /// If stderr is not a terminal, progress is also shown, every ten seconds.
    #[arg(short, long, display_order = 901)]
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
    /// For people, with an excerpt of the query
    #[default]
    Text,
    /// As JSON Lines
    Json,
}
