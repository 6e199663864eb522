//! Synthetic logs of a tenant: archives of any size in real shapes, for tests, benchmarks and demonstrations.
//!
//! The rows depend only on table, seed, number of rows, days and injected incidents. They do not depend on the machine,
//! the number of threads or the export shape, so that a query has the same result for all shapes. Rows are drawn in
//! chunks, each of which has its own random stream. Every file is written by one thread from the chunks that it needs,
//! so that memory is bounded for any number of rows.
//!
//! All names are fictional. [`BREAK_GLASS`] are two emergency accounts. About one in 100,000 sign-ins is theirs, but at
//! least four if an archive has 16 or more. They succeed and fail, from their own address and from others.

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

/// The user principal names of the emergency (break-glass) accounts.
pub const BREAK_GLASS: [&str; 2] = ["bg-admin-01@contoso.com", "bg-admin-02@contoso.com"];
/// The maximum number of days of an archive: ten years.
pub const MAX_DAYS: u32 = 3653;

/// The options with which an archive is generated.
#[derive(Clone, Debug)]
pub struct SynthOptions {
    /// The table whose rows are generated.
    pub table: GeneratedTable,
    /// The number of rows, at least 1.
    pub rows: u64,
    /// The seed: another seed gives other people and other sign-ins.
    pub seed: u64,
    /// The number of days that the rows cover, 1 to [`MAX_DAYS`], beginning on Monday 2026-03-02.
    pub days: u32,
    /// The export shape of the archive.
    pub shape: Shape,
    /// The compression of JSON files; Parquet files are compressed internally and allow only
    /// [`SynthCompression::None`].
    pub compression: SynthCompression,
    /// The incidents to inject, each kind once. They are possible only for [`GeneratedTable::SigninLogs`].
    pub inject: Vec<IncidentKind>,
    /// The folder to write to, which must be new or empty.
    pub out: PathBuf,
    /// The number of threads, at least 1; it does not affect the result.
    pub threads: usize,
}

/// The tables that can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedTable {
    /// Interactive sign-ins: `SigninLogs`.
    SigninLogs,
    /// Sign-ins of apps on behalf of users: `AADNonInteractiveUserSignInLogs`.
    NonInteractive,
    /// Sign-ins of service principals: `AADServicePrincipalSignInLogs`.
    ServicePrincipal,
    /// Changes to the directory: `AuditLogs`.
    AuditLogs,
    /// Users at risk: `AADRiskyUsers`.
    RiskyUsers,
    /// Detections of risks: `AADUserRiskEvents`.
    UserRiskEvents,
}

/// The export shape of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Data export of Log Analytics to a storage account: flat JSON Lines, one file per five minutes of arrival.
    LaExport,
    /// Diagnostic settings to a storage account: JSON Lines of envelopes, one file per hour of arrival.
    Diagnostic,
    /// Kusto's export: Parquet files with zstd. Row groups have at most 131,072 rows in order of arrival, and files about
    /// 75,000 rows.
    Parquet,
}

/// The compression of JSON files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SynthCompression {
    /// No compression.
    #[default]
    None,
    /// gzip; the names of files end in `.gz`.
    Gzip,
    /// zstd; the names of files end in `.zst`.
    Zstd,
}

/// The counts of what was generated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SynthSummary {
    /// The number of rows.
    pub rows: u64,
    /// The number of files.
    pub files: u64,
    /// The total size of the files on disk, in bytes.
    pub bytes: u64,
    /// The number of sign-ins of [`BREAK_GLASS`] accounts.
    pub break_glass: u64,
    /// The number of successful sign-ins among these.
    pub break_glass_granted: u64,
    /// The rows that belong to incidents, if any are injected.
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

    /// Returns how the rows are divided into chunks, and when they arrive.
    fn timeline(&self) -> &Timeline;

    /// Generates the rows of chunk `index`.
    fn chunk(&self, index: u64) -> Vec<Self::Row>;
}

/// What the writers of all files share.
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
/// [`Error::Usage`] if an option is out of range or the folder is not empty, and [`Error::Io`] if the operating system
/// refuses; files that are complete stay.
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

/// Calls `work` with 0 to `count - 1` on several threads, and adds up the summaries. After an error, no further call is
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
