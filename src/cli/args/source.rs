//! What a command reads, and what it may use for that. Only what every such command takes is here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::output::MessageArgs;
use super::text::TextArgs;
use super::{heading, local_path, parse_size, thread_count};
use crate::cli::memory::Memory;
use crate::cli::sources::SourceOptions;

/// The input of a command, and how it is read.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = heading::INPUT)]
pub struct SourceArgs {
    /// Read the table NAME from a file, folder, glob or URL; repeatable
    #[arg(short = 't', long = "table", value_name = "NAME=PATH")]
    pub tables: Vec<String>,
    /// Catalog file with tables, watchlists, functions and defaults [default: coldcase.toml]
    ///
    /// Without this option, coldcase.toml in the working folder is used, unless files are read from that folder or from
    /// one above or below it. Otherwise coldcase/config.toml in your settings folder is used. The tables of the catalog
    /// file are used when no PATH is given.
    #[arg(short = 'c', long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Use no catalog file
    #[arg(long, conflicts_with = "catalog", hide_short_help = true)]
    pub no_catalog: bool,
    /// Follow symbolic links that lead out of a named folder (else skipped with a warning)
    #[arg(long, hide_short_help = true)]
    pub follow_links: bool,
    #[command(flatten)]
    pub text: TextArgs,

    /// Value of now(), in ISO 8601, such as 2026-03-01T09:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME", help_heading = heading::TIME)]
    pub now: Option<String>,
    /// Only rows at or after TIME: a datetime in ISO 8601 (UTC by default), or a timespan before now
    #[arg(long, value_name = "TIME", conflicts_with = "last", help_heading = heading::TIME)]
    pub from: Option<String>,
    /// Only rows before TIME, which is written as for --from, or `now`
    #[arg(long, value_name = "TIME", conflicts_with = "last", help_heading = heading::TIME)]
    pub to: Option<String>,
    /// Only rows of the last SPAN before now, such as 7d or 36h
    #[arg(long, value_name = "SPAN", help_heading = heading::TIME)]
    pub last: Option<String>,
    /// Column that --from, --to and --last compare [default: TimeGenerated]
    #[arg(long, value_name = "COLUMN", help_heading = heading::TIME, hide_short_help = true)]
    pub time_column: Option<String>,

    /// Keep only the latest delivery of each record, identified by COLUMN
    ///
    /// Of the rows with the same string in COLUMN, the one with the greatest TimeGenerated is kept; of several with the
    /// same time, the first.
    #[arg(long, value_name = "COLUMN", help_heading = heading::EVIDENCE)]
    pub dedup: Option<String>,
    /// Write unreadable records to FILE as JSON Lines. Forces every record to be parsed
    ///
    /// Each line has the file, the position, the reason and the text of the record.
    #[arg(long, value_name = "FILE", value_parser = local_path(), help_heading = heading::EVIDENCE)]
    pub rejects: Option<PathBuf>,
    /// Exit with status 5 if anything could not be read. Forces every record to be parsed
    #[arg(long, help_heading = heading::EVIDENCE)]
    pub strict: bool,

    /// Database of locations in MaxMind's format, for geo_info_from_ip_address()
    #[arg(long, value_name = "FILE", help_heading = heading::EVIDENCE, hide_short_help = true)]
    pub geoip: Option<PathBuf>,

    #[command(flatten)]
    pub messages: MessageArgs,

    /// Number of threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = thread_count(), help_heading = heading::RESOURCES)]
    pub threads: Option<u16>,
    /// Memory limit for sorting, grouping and joins, such as 2G or 70% [default: 70%; convert: 1G]
    ///
    /// What does not fit is spilled to temporary files. About 200 MB more is used for I/O.
    #[arg(long, value_name = "SIZE", help_heading = heading::RESOURCES)]
    pub max_memory: Option<Memory>,
    /// Existing folder for temporary files [default: the system's; convert: beside the archive]
    #[arg(long, value_name = "DIR", help_heading = heading::RESOURCES, hide_short_help = true)]
    pub temp_dir: Option<PathBuf>,
    /// Exit with status 6 if the run takes longer than SPAN, such as 90s or 10m
    #[arg(long, value_name = "SPAN", help_heading = heading::RESOURCES)]
    pub timeout: Option<String>,
    /// Limit for one compressed file, after decompression [default: 1G, or 500 times its size]
    ///
    /// The greater of the two defaults counts. A file (gzip, zstd, bzip2, zip, Avro) that decompresses to more ends the
    /// run with status 6.
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = parse_size,
        help_heading = heading::RESOURCES,
        hide_short_help = true
    )]
    pub max_decompressed: Option<u64>,
    /// Limit for the temporary copy of stdin or of a named pipe [default: 64G]
    #[arg(
        long,
        value_name = "SIZE",
        value_parser = parse_size,
        help_heading = heading::RESOURCES,
        hide_short_help = true
    )]
    pub max_stdin: Option<u64>,
}

impl SourceArgs {
    /// The sources that these options and `paths` give.
    pub(in crate::cli) fn call<'a>(&'a self, paths: &'a [OsString]) -> SourceOptions<'a> {
        SourceOptions {
            catalog: self.catalog.as_deref(),
            no_catalog: self.no_catalog,
            tables: &self.tables,
            paths,
            follow_links: self.follow_links,
            stdin_taken: None,
        }
    }
}
