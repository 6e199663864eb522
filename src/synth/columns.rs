//! Columns with accessors for their values: the single definition of a table for all shapes.

use super::calendar::{HOUR, SECOND, START};
use super::catalogue::{WORKSPACE, WORKSPACE_RESOURCE};
use super::findings::FoundRow;
use super::random::Random;

/// A row of a table that can be generated.
pub trait SynthRow {
    /// Returns what the workspace stores with the row.
    fn stored(&self) -> &StoredRow;

    /// Returns the row of an incident that a rule should find.
    fn finding(&self) -> Option<FoundRow> {
        None
    }

    /// True for a sign-in of a break-glass account.
    fn is_break_glass(&self) -> bool {
        false
    }

    /// True for a success.
    fn is_granted(&self) -> bool {
        false
    }
}

/// What the workspace stores with each row.
pub struct StoredRow {
    /// TimeGenerated, in microseconds since 1970.
    pub published: i64,
    /// When the row arrived at the workspace: usually with `published`, sometimes hours later.
    pub arrival: i64,
    /// The id of the stored row.
    pub item: String,
    /// The billed bytes of the row.
    pub billed: u32,
}

impl StoredRow {
    /// Stores a row that arrives at `arrival`; four of a thousand arrive hours after they were published.
    pub fn new(arrival: i64, random: &mut Random) -> Self {
        let late = if random.happens(4) { random.between(HOUR, 30 * HOUR).min(arrival - START) } else { 0 };
        let billed = 900 + random.below(1200) as u32;
        Self { published: arrival - late, arrival, item: random.guid().text(), billed }
    }
}

/// A column.
pub struct SynthColumn<R> {
    /// The name in the table.
    pub name: &'static str,
    /// The kind and accessor of its value.
    pub value: SynthValue<R>,
}

/// The kind of a value, with an accessor.
pub enum SynthValue<R> {
    /// A string.
    Text(fn(&R) -> &str),
    /// A string column whose value is JSON at the source: a number, an array, an object.
    Json(fn(&R) -> &str),
    /// A dynamic column, as JSON.
    Dynamic(fn(&R) -> &str),
    /// A bool.
    Bool(fn(&R) -> Option<bool>),
    /// A long.
    Long(fn(&R) -> i64),
    /// A real.
    Real(fn(&R) -> f64),
    /// A datetime, in microseconds since 1970.
    Time(fn(&R) -> i64),
}

impl<R> Clone for SynthValue<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for SynthValue<R> {}

use SynthValue::{Real, Text, Time};

/// Creates a column.
pub const fn column<R>(name: &'static str, value: SynthValue<R>) -> SynthColumn<R> {
    SynthColumn { name, value }
}

/// A table, and how each shape names its values.
pub struct TableFormat<R> {
    /// The name of the table.
    pub name: &'static str,
    /// The category in diagnostic settings.
    pub category: &'static str,
    /// All columns in the order of data export: sorted by character codes.
    pub columns: Vec<SynthColumn<R>>,
    /// Values of records of diagnostic settings that are no columns.
    pub record_only: Vec<SynthColumn<R>>,
    /// The envelope of a record of diagnostic settings: key, column. Empty strings are left out.
    pub envelope: &'static [(&'static str, &'static str)],
    /// The `properties` of a record of diagnostic settings: key, column.
    pub properties: &'static [(&'static str, &'static str)],
}

impl<R: SynthRow> TableFormat<R> {
    /// Creates a table of its own columns and those of every table.
    pub fn new(
        [name, category]: [&'static str; 2],
        mut columns: Vec<SynthColumn<R>>,
        envelope: &'static [(&'static str, &'static str)],
        properties: &'static [(&'static str, &'static str)],
    ) -> Self {
        columns.extend(standard());
        columns.sort_by_key(|column| column.name);
        Self { name, category, columns, record_only: Vec::new(), envelope, properties }
    }

    /// Returns the column of a name, also of those that only records have.
    pub fn find(&self, name: &str) -> Option<&SynthColumn<R>> {
        self.columns.iter().chain(&self.record_only).find(|column| column.name == name)
    }
}

/// Returns the columns of every table.
fn standard<R: SynthRow>() -> [SynthColumn<R>; 10] {
    [
        column("SourceSystem", Text(|_| "Azure AD")),
        column("TenantId", Text(|_| WORKSPACE)),
        column("TimeGenerated", Time(|row: &R| row.stored().published)),
        column("_BilledSize", Real(|row: &R| f64::from(row.stored().billed))),
        column("_Internal_WorkspaceResourceId", Text(|_| WORKSPACE_RESOURCE)),
        column("_IsBillable", Text(|_| "true")),
        column("_ItemId", Text(|row: &R| &row.stored().item)),
        column("_ResourceId", Text(|_| "")),
        column("_SubscriptionId", Text(|_| "")),
        column("_TimeReceived", Time(|row: &R| row.stored().arrival + 2 * SECOND)),
    ]
}
