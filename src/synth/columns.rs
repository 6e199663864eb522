//! The columns of generated tables, with functions that return their values. They define a table for all export shapes.

use super::calendar::{HOUR, SECOND, START};
use super::catalogue::{WORKSPACE, WORKSPACE_RESOURCE};
use super::findings::FoundRow;
use super::random::Random;

/// A row of a generated table.
pub trait SynthRow {
    /// Returns the values that the workspace adds to each row.
    fn stored(&self) -> &StoredRow;

    /// Returns the row for the list of findings, if it belongs to an incident that a rule should find; otherwise None.
    fn finding(&self) -> Option<FoundRow> {
        None
    }

    /// True if the row is a sign-in of a break-glass account.
    fn is_break_glass(&self) -> bool {
        false
    }

    /// True if the row is a successful sign-in.
    fn is_granted(&self) -> bool {
        false
    }
}

/// The values that the workspace adds to each row.
pub struct StoredRow {
    /// The value of TimeGenerated, in microseconds since 1970.
    pub published: i64,
    /// When the row arrived at the workspace, in microseconds since 1970: usually at `published`, sometimes hours
    /// later.
    pub arrival: i64,
    /// The id that the workspace gives the row.
    pub item: String,
    /// The size of the row in bytes that is billed.
    pub billed: u32,
}

impl StoredRow {
    /// Creates the values of a row that arrives at `arrival`. Four of a thousand rows arrive hours after they were
    /// published.
    pub fn new(arrival: i64, random: &mut Random) -> Self {
        let late = if random.happens(4) { random.between(HOUR, 30 * HOUR).min(arrival - START) } else { 0 };
        let billed = 900 + random.below(1200) as u32;
        Self { published: arrival - late, arrival, item: random.guid().text(), billed }
    }
}

/// A column of a generated table.
pub struct SynthColumn<R> {
    /// The name in the table.
    pub name: &'static str,
    /// The kind of the values, and the function that returns the value of a row.
    pub value: SynthValue<R>,
}

/// The kind of the values of a column, and the function that returns the value of a row.
pub enum SynthValue<R> {
    /// A string.
    Text(fn(&R) -> &str),
    /// A string column whose value was JSON before the workspace stored it: a number, an array or an object.
    Json(fn(&R) -> &str),
    /// A dynamic column; the function returns JSON.
    Dynamic(fn(&R) -> &str),
    /// A bool.
    Bool(fn(&R) -> Option<bool>),
    /// A long.
    Long(fn(&R) -> i64),
    /// A real.
    Real(fn(&R) -> f64),
    /// A datetime column, in microseconds since 1970.
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
    /// All columns in the order of data export: sorted by name, in the order of character codes.
    pub columns: Vec<SynthColumn<R>>,
    /// Further values of records in diagnostic settings, which are not columns of the table.
    pub record_only: Vec<SynthColumn<R>>,
    /// The keys of the envelope of a record in diagnostic settings, each with the name of the column whose value it
    /// has. Keys with an empty string are left out.
    pub envelope: &'static [(&'static str, &'static str)],
    /// The keys of `properties` in a record of diagnostic settings, each with the name of the column whose value it
    /// has.
    pub properties: &'static [(&'static str, &'static str)],
}

impl<R: SynthRow> TableFormat<R> {
    /// Creates the format of a table. Its columns are `columns` and those that every table has.
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

    /// Returns the column with this name, or the further value of records; None if there is neither.
    pub fn find(&self, name: &str) -> Option<&SynthColumn<R>> {
        self.columns.iter().chain(&self.record_only).find(|column| column.name == name)
    }
}

/// Returns the columns that every table has.
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
