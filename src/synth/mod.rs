//! Synthetic logs of a tenant: archives of any size in real shapes, for tests, benchmarks and demonstrations.
//!
//! The rows depend only on table, seed, number of rows, days and injected incidents, not on the machine, the number of
//! threads or the shape, so that a query has the same result over all shapes. Rows are drawn in chunks, each from its
//! own random stream, and every file is written by one thread from the chunks that it needs; memory is bounded for any
//! number of rows.
//!
//! All names are fictional. [`BREAK_GLASS`] are two emergency accounts with about one in 100,000 sign-ins, but at least
//! four if there are 16: successes and failures, from their own address and from others.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "every number of the generator is small by construction: draws below a bound, days, offsets in a chunk"
)]

mod audit;
mod calendar;
mod catalogue;
mod columns;
mod conditional_access;
mod findings;
mod generator;
mod json;
mod layout;
mod people;
mod random;
mod risk;
mod schedule;
mod service_principal;
mod signin;
mod signin_columns;
mod timeline;
mod world;
mod write_json;
mod write_parquet;

use std::path::PathBuf;

use crate::diagnostic::{Error, Result};
use crate::exec;
use audit::AuditLog;
use columns::{SynthRow, TableFormat};
use findings::FoundRow;
pub use findings::IncidentKind;
use generator::Generator;
use risk::RiskLog;
use service_principal::ServicePrincipals;
use timeline::Timeline;
use world::World;

/// The emergency accounts.
pub const BREAK_GLASS: [&str; 2] = ["bg-admin-01@contoso.com", "bg-admin-02@contoso.com"];
/// The maximum number of days of an archive: ten years.
pub const MAX_DAYS: u32 = 3653;

/// SynthOptions of an archive.
#[derive(Clone, Debug)]
pub struct SynthOptions {
    /// The table.
    pub table: GeneratedTable,
    /// The number of rows, at least 1.
    pub rows: u64,
    /// The seed: another seed gives other people and other sign-ins.
    pub seed: u64,
    /// The number of days that the rows cover, 1 to [`MAX_DAYS`], from Monday 2026-03-02.
    pub days: u32,
    /// The shape of the archive.
    pub shape: Shape,
    /// The compression of JSON files; Parquet files are compressed internally and allow only
    /// [`SynthCompression::None`].
    pub compression: SynthCompression,
    /// The incidents to inject, each kind once; only into [`GeneratedTable::SigninLogs`].
    pub inject: Vec<IncidentKind>,
    /// The folder to write to: new or empty.
    pub out: PathBuf,
    /// The number of threads, at least 1; it does not affect the result.
    pub threads: usize,
}

/// A table that can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedTable {
    /// Interactive sign-ins.
    SigninLogs,
    /// Sign-ins of apps on behalf of users: `AADNonInteractiveUserSignInLogs`.
    NonInteractive,
    /// Sign-ins of service principals: `AADServicePrincipalSignInLogs`.
    ServicePrincipal,
    /// Changes to the directory.
    AuditLogs,
    /// `AADRiskyUsers`.
    RiskyUsers,
    /// `AADUserRiskEvents`.
    UserRiskEvents,
}

/// The shape of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Data export of Log Analytics to a storage account: flat JSON Lines, one file per five minutes of arrival.
    LaExport,
    /// Diagnostic settings to a storage account: JSON Lines of envelopes, one file per hour of arrival.
    Diagnostic,
    /// Kusto's export: Parquet with zstd, row groups of 131,072 rows in order of arrival, about half a million rows per
    /// file.
    Parquet,
}

/// The compression of JSON files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SynthCompression {
    /// No compression.
    #[default]
    None,
    /// gzip, names end in `.gz`.
    Gzip,
    /// zstd, names end in `.zst`.
    Zstd,
}

/// Counts of what was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SynthSummary {
    /// The number of rows.
    pub rows: u64,
    /// The number of files.
    pub files: u64,
    /// The total bytes of the files on disk.
    pub bytes: u64,
    /// The number of sign-ins of [`BREAK_GLASS`] accounts.
    pub break_glass: u64,
    /// The number of successful sign-ins among them.
    pub break_glass_granted: u64,
    /// The rows of incidents, if any are injected.
    found: Vec<FoundRow>,
}

impl SynthSummary {
    fn count(&mut self, row: &impl SynthRow, options: &SynthOptions) {
        self.rows += 1;
        self.break_glass += u64::from(row.is_break_glass());
        self.break_glass_granted += u64::from(row.is_break_glass() && row.is_granted());
        if !options.inject.is_empty() {
            self.found.extend(row.finding());
        }
    }

    fn add(&mut self, mut other: Self) {
        self.rows += other.rows;
        self.files += other.files;
        self.bytes += other.bytes;
        self.break_glass += other.break_glass;
        self.break_glass_granted += other.break_glass_granted;
        self.found.append(&mut other.found);
    }
}

/// Generates the rows of a table in chunks, in the order in which they arrive.
trait RowSource: Sync {
    type Row: SynthRow;

    /// Returns how the rows are divided into chunks.
    fn timeline(&self) -> &Timeline;

    /// Generates chunk `index`.
    fn chunk(&self, index: u64) -> Vec<Self::Row>;
}

/// The state shared by the file writers.
struct Archive<'a, S: RowSource> {
    options: &'a SynthOptions,
    source: S,
    format: TableFormat<S::Row>,
}

/// Writes an archive of one table.
///
/// Files have temporary names until they are complete.
///
/// # Errors
/// [`Error::Usage`] if an option is out of range or the folder is not empty, [`Error::Io`] if the system refuses;
/// finished files stay.
pub fn generate(options: &SynthOptions) -> Result<SynthSummary> {
    check(options)?;
    let world = World::new(options.seed);
    match options.table {
        GeneratedTable::SigninLogs => write(options, Generator::new(&world, options)?, signin_columns::interactive()),
        GeneratedTable::NonInteractive => {
            write(options, Generator::new(&world, options)?, signin_columns::non_interactive())
        }
        GeneratedTable::ServicePrincipal => {
            write(options, ServicePrincipals::new(&world, options), service_principal::format())
        }
        GeneratedTable::AuditLogs => write(options, AuditLog::new(&world, options), audit::format()),
        GeneratedTable::RiskyUsers => write(options, RiskLog::new(&world, options), risk::users()),
        GeneratedTable::UserRiskEvents => write(options, RiskLog::new(&world, options), risk::events()),
    }
}

fn write<S: RowSource>(options: &SynthOptions, source: S, format: TableFormat<S::Row>) -> Result<SynthSummary> {
    layout::prepare(&options.out)?;
    let archive = Archive { options, source, format };
    let mut summary = match options.shape {
        Shape::Parquet => {
            let files = archive.source.timeline().chunks().div_ceil(write_parquet::FILE_CHUNKS);
            in_parallel(options.threads, files, |file| write_parquet::write_file(&archive, file))
        }
        Shape::LaExport | Shape::Diagnostic => {
            let hours = u64::from(options.days) * 24;
            in_parallel(options.threads, hours, |hour| write_json::write_hour(&archive, hour))
        }
    }?;
    if !options.inject.is_empty() {
        findings::write(options, std::mem::take(&mut summary.found))?;
    }
    Ok(summary)
}

fn check(options: &SynthOptions) -> Result<()> {
    let wrong = if options.rows == 0 {
        "the number of rows must be at least 1".to_owned()
    } else if !(1..=MAX_DAYS).contains(&options.days) {
        format!("the number of days must be from 1 to {MAX_DAYS}")
    } else if options.threads == 0 {
        "the number of threads must be at least 1".to_owned()
    } else if options.shape == Shape::Parquet && options.compression != SynthCompression::None {
        "Parquet files are compressed internally; gzip and zstd apply to JSON files only".to_owned()
    } else if !options.inject.is_empty() && options.table != GeneratedTable::SigninLogs {
        "incidents are injected into SigninLogs only".to_owned()
    } else {
        return if options.inject.is_empty() { Ok(()) } else { findings::path(options).map(|_| ()) };
    };
    Err(Error::Usage(wrong))
}

/// Runs `work` for 0 to `count - 1` on several threads and adds up the summaries. After an error, no further work is
/// started.
fn in_parallel(threads: usize, count: u64, work: impl Fn(u64) -> Result<SynthSummary> + Sync) -> Result<SynthSummary> {
    let pieces: Vec<u64> = (0..count).collect();
    let mut total = SynthSummary::default();
    exec::for_each(&pieces, threads, &|piece| work(*piece), &mut |summary| {
        total.add(summary);
        Ok(())
    })?;
    Ok(total)
}

#[cfg(test)]
mod tests;
