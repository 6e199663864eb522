//! The warnings and notes of scans, as typed values. The module `messages` makes their text.
//!
//! No event contains row data. Names of columns, tables and files may come from the files.

use crate::entra::numeric_dates::DateOrder;
use crate::entra::{RowKind, RowLimit};
use crate::storage::listing::DiscoveryNote;
use crate::types::Type;

/// A reason why a result may mislead, although everything was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// A column that the query reads is empty in some records.
    EmptyColumn {
        /// The name of the column.
        column: String,
        /// Why it is empty.
        reason: EmptyReason,
    },
    /// Several columns that the query reads are empty in some records.
    EmptyColumns {
        /// The first column in alphabetical order.
        first: String,
        /// The number of other columns.
        others: usize,
        /// Why they are empty.
        reason: EmptyReason,
    },
    /// A file or response has exactly as many rows as a service returns at most.
    RowLimit {
        /// The name of the file.
        file: String,
        /// The limit that the number of rows equals.
        limit: RowLimit,
    },
    /// A file without failures comes from a collector that may keep only successes.
    SuccessesOnly {
        /// How the names of the files of this collector begin.
        file_prefix: &'static str,
    },
    /// Values that were translated into the spelling of the table. The text is the consequence, from
    /// `value_spellings.tsv`.
    Respelled(&'static str),
    /// A warning about the original files of an archive; the message in its footer.
    Archived(String),
    /// The files do not cover the time range that the query requests.
    TimeGap(TimeGap),
    /// A table without the column by which duplicate deliveries are recognised, so that none was dropped.
    NoDedupColumn {
        /// The name of the table.
        table: String,
        /// The name of the column.
        column: String,
    },
}

/// The reason why a column is empty in some records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EmptyReason {
    /// Some columnar files of this format lack the column.
    MissingFromFiles(&'static str),
    /// A CSV file or saved query result lacks the column.
    MissingFromCsv,
    /// A CSV file of the Entra admin center lacks the column.
    MissingFromPortalCsv,
    /// A CSV file of the Entra admin center does not tell whether its sign-ins are interactive.
    UndeterminedInPortalCsv,
    /// Some of the original files of an archive lack the column.
    MissingFromOriginals,
    /// Records of this kind do not export the column.
    NotExported {
        /// The kind of the records.
        kind: RowKind,
        /// True if only the v1.0 records of Microsoft Graph lack it.
        is_v1: bool,
    },
}

/// A time range that the query requests and the files do not cover. Times are in ticks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeGap {
    /// The name of the table.
    pub table: String,
    /// The name of the datetime column.
    pub column: String,
    /// The start of the requested range; None if it has none.
    pub from: Option<i64>,
    /// The end of the requested range; None if it has none.
    pub to: Option<i64>,
    /// The first and last time in the files.
    pub covered: [i64; 2],
    /// True if not all records were read: the covered range is then that of some records, such as the first and last
    /// ones.
    pub is_estimate: bool,
}

/// The records that were compared to find files with the same record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OverlapBasis {
    /// All records.
    AllRecords,
    /// The first records of the files.
    FirstRecords,
    /// The times and accounts of all records. No record of the second file has an Id, and each of them is in another
    /// file.
    TimesAndAccounts,
    /// None: no row of the second file has an Id, so it is unknown whether other files contain the same records.
    NoIds {
        /// The number of rows of the second file that were read.
        rows: u64,
    },
    /// The Ids of the rows that were read, some of which occur in several files.
    Ids {
        /// Number of Ids that occur in more than one file.
        repeated: usize,
        /// Number of Ids that were compared.
        compared: usize,
        /// True if these are a sample of the Ids.
        is_sample: bool,
    },
}

/// An observation that does not change what a result means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A message about skipped or special files.
    Discovery(DiscoveryNote),
    /// A file without records.
    EmptyFile(String),
    /// A file that has the extension of a document and contains no known data format.
    NotAnExport {
        /// The name of the file.
        file: String,
        /// Why it is not read.
        reason: &'static str,
    },
    /// A file that this program wrote about other files, and that was found in a folder.
    OwnFile(String),
    /// A CSV file without a last line end. The values of its last column show that its last row is whole.
    NoLastLineEnd(String),
    /// A file whose first bytes contradict the encoding that the user specified.
    EncodingOverridden {
        /// The name of the file.
        file: String,
        /// The encoding that the user specified.
        specified: &'static str,
        /// The encoding in which it is read.
        found: &'static str,
    },
    /// Two files that contain the same record of a table.
    Overlap {
        /// The names of the two files.
        files: [String; 2],
        /// The records that were compared.
        basis: OverlapBasis,
        /// The name of the table.
        table: String,
    },
    /// Records that were delivered several times, of which the latest delivery was kept.
    DuplicatesDropped {
        /// The name of the table.
        table: String,
        /// The column that identifies records.
        column: String,
        /// The number of records.
        records: u64,
        /// The number of rows that were dropped.
        rows: u64,
    },
    /// A placeholder in the query that was replaced by a time.
    PlaceholderFilled {
        /// The name of the placeholder.
        name: &'static str,
        /// The time in its place, in ticks.
        ticks: i64,
        /// Where the time comes from.
        origin: BoundOrigin,
    },
    /// Rows that name another table, and that are read as rows of the table to which the user bound their files.
    Renamed {
        /// The name of the table in the rows; None for a restored table.
        name: Option<String>,
        /// The table to which the files are bound.
        table: &'static str,
    },
    /// Rows that do not name their table, and that are read as rows of `table`.
    TableAssumed {
        /// The kind of the rows.
        rows: UnnamedRows,
        /// The name of the table.
        table: &'static str,
    },
    /// Rows of tables that the query does not read.
    OtherTables {
        /// The first names of the tables.
        names: Vec<String>,
        /// The number of tables that `names` does not have.
        more: usize,
        /// The name of the requested table; None if the records of all known tables are read.
        table: Option<&'static str>,
    },
    /// Sign-ins that name only unknown kinds.
    UnknownSignInKinds,
    /// Rows that a search job copied.
    SearchJobRows,
    /// An observation about a column.
    Column(ColumnNote),
    /// A note about the original files of an archive; the message in its footer.
    Archived(String),
}

impl Note {
    /// True for a note about a key or column that the table does not have.
    #[must_use]
    pub fn is_of_unknown_name(&self) -> bool {
        matches!(self, Self::Column(ColumnNote::UnknownKey { .. } | ColumnNote::UnknownColumn { .. }))
    }
}

/// An observation about a column or its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColumnNote {
    /// Records of a kind have no `TimeGenerated`; the time of the sign-in is used instead.
    SignInTime {
        /// The kind of the records.
        kind: RowKind,
        /// The name of the used time in these records.
        time: &'static str,
    },
    /// Rows of a kind have no `TimeGenerated`; another time is used instead.
    OtherTime {
        /// The kind of the rows.
        kind: RowKind,
        /// The name of the used time in these rows.
        time: String,
    },
    /// A difference between the values of an export shape and those of the table, from `value_differences.tsv`.
    ValueDifference(&'static str),
    /// A key for which the table has no column.
    UnknownKey {
        /// The name of the key.
        key: String,
        /// The name of the requested table; None if it is not a known table.
        table: Option<&'static str>,
    },
    /// A column of columnar files that the table does not have.
    UnknownColumn {
        /// The name of the column.
        column: String,
        /// The format of the files.
        format: &'static str,
        /// The name of the requested table; None if it is not a known table.
        table: Option<&'static str>,
    },
    /// A column that the query names and the table lacks; it is read from the key of that name.
    ColumnAdded {
        /// The name of the table.
        table: String,
        /// The name of the column.
        column: String,
        /// The type of the column.
        ty: Type,
    },
    /// Columns of a CSV file that have no name.
    UnnamedCsvColumns,
    /// Rows of a CSV file that have only delimiters.
    EmptyCsvRows,
    /// Previews of a streamed search of Splunk, which are not read, because the final results have their rows again.
    PreviewRows,
    /// A column of a CSV file of the Entra admin center that is not known.
    UnknownCsvColumn(String),
    /// A CSV file whose header line occurs several times.
    RepeatedCsvHeader(String),
    /// A CSV file that has several different header lines.
    OtherCsvHeader {
        /// The name of the file.
        file: String,
        /// The line number of the second header.
        line: u64,
    },
    /// Failed sign-ins in a CSV file of the Entra admin center without an error code.
    MissingErrorCodes,
    /// Dates of a column that are read in the order that other dates prove.
    DateOrderProven {
        /// The name of the column.
        column: String,
        /// The order in which the dates are read.
        order: DateOrder,
    },
    /// Times in a column that are numbers, and count a unit since an epoch.
    CountedTimes {
        /// The name of the column.
        column: String,
        /// The unit that the numbers count.
        unit: &'static str,
    },
    /// Values of a column that are written in Python's notation.
    PythonNotation(String),
}

impl From<ColumnNote> for Note {
    fn from(note: ColumnNote) -> Self {
        Self::Column(note)
    }
}

/// The kind of rows that do not name their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnnamedRows {
    /// Records of this kind.
    Records(RowKind),
    /// Some rows of columnar files of this format.
    Rows(&'static str),
    /// All rows of columnar files of this format.
    Files(&'static str),
}

/// Tells where the time comes from that replaced a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundOrigin {
    /// The time range of the call.
    Call,
    /// The first value of this column; the time is just before it.
    FirstTime(String),
    /// The last value of this column; the time is just after it.
    LastTime(String),
}
