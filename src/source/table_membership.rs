//! Selects the rows of one table in a columnar file that may contain several tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute;
use arrow::datatypes::Int32Type;

use super::column_file::ColumnFile;
use super::type_values::TypeValues;
use crate::diagnostic::Result;
use crate::entra::{KnownTable, known_tables, resembles, table_named};
use crate::scan::{Comparison, Predicate, RowFilter, ScanColumn, ScanReport, ScanRequest, TimeCoverage};
use crate::source::text::TableBinding;
use crate::source::text::is_renamed;
use crate::source::text::table_of_path;
use crate::types::dictionary::spread_truths;
use crate::types::{Batch, Column, Value};

/// Tells which rows of a columnar file belong to a known table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableMembership {
    /// All rows: the file is an archive of this table, written by this program.
    Archived,
    /// The rows whose `Type` names the table; rows without a `Type` as [`UnlabelledRows`] says.
    ByType(UnlabelledRows),
    /// All rows: the file has no `Type` column.
    All(UnlabelledRows),
    /// No row: the file is not an export of a log table, or it is an archive of another table.
    None,
}

/// Tells whether rows that name no table belong to the table, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnlabelledRows {
    /// Such rows do not belong to the table.
    Excluded,
    /// The path of the file names the table.
    ByPath,
    /// Neither the rows nor the path name a table: they belong to the table that the file is bound to, or to the
    /// sign-ins.
    Assumed,
}

impl UnlabelledRows {
    fn of(file: &ColumnFile, table: &KnownTable, bound: bool) -> Self {
        let columns = file.columns();
        let is_log = ["TimeGenerated", "_OriginalTimeGenerated"].iter().any(|name| columns.index_of(name).is_some());
        match table_of_path(file.name()) {
            Some(named) if named.name == table.name && (bound || is_log) => Self::ByPath,
            _ if bound => Self::Assumed,
            None if is_log && table.name == "SigninLogs" => Self::Assumed,
            _ => Self::Excluded,
        }
    }
}

/// True if the file has a column that names the table of each row.
pub(crate) fn has_table_names(file: &ColumnFile) -> bool {
    let columns = file.columns();
    ["Type", "_OriginalType"].iter().any(|name| columns.index_of(name).is_some())
}

/// Determines from the columns and the path of the file which of its rows belong to `table`.
pub(crate) fn membership(file: &ColumnFile, binding: TableBinding) -> TableMembership {
    if let Some(archived) = file.archived_table() {
        return if archived == binding.table.name { TableMembership::Archived } else { TableMembership::None };
    }
    let unlabelled = UnlabelledRows::of(file, binding.table, binding.is_bound);
    if has_table_names(file) {
        TableMembership::ByType(unlabelled)
    } else if unlabelled == UnlabelledRows::Excluded {
        TableMembership::None
    } else {
        TableMembership::All(unlabelled)
    }
}

/// True if the file may have rows of the requested table.
///
/// # Errors
/// The file cannot be opened, or its server does not answer.
pub(crate) fn may_have_rows(file: &ColumnFile, binding: TableBinding) -> Result<bool> {
    match membership(file, binding) {
        TableMembership::Archived | TableMembership::All(_) => Ok(true),
        TableMembership::None => Ok(false),
        named @ TableMembership::ByType(_) => {
            Ok(examine(file, binding, named, &ScanReport::default())?.may_contain_own())
        }
    }
}

/// The tables in a columnar file, as far as they matter for the requested table.
#[derive(Debug, Default)]
pub(crate) struct FileContents {
    /// The tables whose rows the file contains: known tables by their names in queries, other tables as the file
    /// spells them.
    pub tables: BTreeSet<String>,
    /// The values of `Type` in rows of the requested table; None if there may be further ones.
    own: Option<Vec<String>>,
    /// Number of rows that name no table and are read as rows of the requested table.
    pub unnamed: u64,
    /// Number of rows, by table name, of tables restored or copied from the requested one, if the file is bound to
    /// it.
    pub renamed: BTreeMap<String, u64>,
    /// Number of rows, by table name, that may belong to the requested table under another name. They are not read.
    pub similar: BTreeMap<String, u64>,
    /// Number of rows that name no table and cannot be assigned to one.
    pub unrecognised: u64,
    /// The values of `Type`; empty if the file has no such column.
    pub values: TypeValues,
}

/// Determines which tables a file contains, and reports them and the export shape of the file.
///
/// # Errors
/// The file cannot be opened, or its server does not answer.
pub(crate) fn examine(
    file: &ColumnFile,
    binding: TableBinding,
    membership: TableMembership,
    report: &ScanReport,
) -> Result<FileContents> {
    // An archive records the shapes of its original files itself.
    if !matches!(membership, TableMembership::Archived | TableMembership::None) {
        report.note_shape(&format!("{} files", file.format()));
    }
    let unnamed_are = |other: &&KnownTable| {
        UnlabelledRows::of(file, other, binding.is_bound && other.name == binding.table.name)
            != UnlabelledRows::Excluded
    };
    let mut contents = FileContents::default();
    match (file.archived_table(), membership) {
        (Some(archived), _) => _ = contents.tables.insert(archived.to_owned()),
        (None, TableMembership::ByType(unlabelled)) => {
            let values = TypeValues::of(file)?;
            let owner = known_tables().find(unnamed_are);
            contents = FileContents::of(values, MembershipRule { binding, unlabelled }, owner);
        }
        // The file has no `Type` column, so no tables are reported.
        (None, TableMembership::All(_)) => {
            return Ok(FileContents { tables: BTreeSet::from([binding.table.name.to_owned()]), ..contents });
        }
        (None, TableMembership::Archived | TableMembership::None) => {
            contents.tables = known_tables().filter(unnamed_are).map(|other| other.name.to_owned()).collect();
        }
    }
    contents.tables.iter().for_each(|name| report.note_table(name));
    Ok(contents)
}

impl FileContents {
    /// Classifies rows by their values of `Type`. Rows without a value count as rows of the table `unnamed`, if it is
    /// given.
    fn of(values: TypeValues, membership: MembershipRule, unnamed: Option<&KnownTable>) -> Self {
        let mut contents = Self { own: values.is_complete.then(Vec::new), ..Self::default() };
        for (value, &rows) in &values.rows {
            let owner = membership.owner(value);
            if let Some(own) = contents.own.as_mut().filter(|_| membership.is_own(&owner)) {
                own.push(value.clone());
            }
            match owner {
                RowOwner::Requested => _ = contents.tables.insert(membership.binding.table.name.to_owned()),
                RowOwner::Other(table) => _ = contents.tables.insert(table.name.to_owned()),
                RowOwner::Unnamed if membership.unlabelled != UnlabelledRows::Excluded => {
                    contents.tables.insert(membership.binding.table.name.to_owned());
                    contents.unnamed += rows;
                }
                RowOwner::Unnamed => match unnamed {
                    Some(table) => _ = contents.tables.insert(table.name.to_owned()),
                    None => contents.unrecognised += rows,
                },
                RowOwner::Renamed => {
                    contents.tables.insert(membership.binding.table.name.to_owned());
                    contents.renamed.insert(value.clone(), rows);
                }
                RowOwner::Unknown => {
                    contents.tables.insert(value.chars().take(MAX_NAME).collect());
                    if resembles(value, membership.binding.table) {
                        contents.similar.insert(value.clone(), rows);
                    }
                }
            }
        }
        Self { values, ..contents }
    }

    /// True if every row of the file certainly belongs to `table`.
    fn is_only(&self, table: &KnownTable) -> bool {
        self.own.is_some() && self.unrecognised == 0 && self.tables.iter().all(|name| name == table.name)
    }

    /// True if the file may contain rows of the requested table.
    pub fn may_contain_own(&self) -> bool {
        self.own.as_ref().is_none_or(|own| !own.is_empty())
    }
}

/// Maximum number of characters of a table name that are kept.
const MAX_NAME: usize = 64;

/// The requested table, and the rule that assigns rows to it.
#[derive(Clone, Copy, Debug)]
struct MembershipRule {
    binding: TableBinding,
    unlabelled: UnlabelledRows,
}

/// The table of a row, judged by its `Type`.
#[derive(Clone, Copy, Debug)]
enum RowOwner {
    /// The requested table.
    Requested,
    /// Another known table.
    Other(&'static KnownTable),
    /// The requested table under another name; the file is bound to it.
    Renamed,
    /// None: the row names no table.
    Unnamed,
    /// A table that is not known.
    Unknown,
}

impl MembershipRule {
    fn owner(&self, value: &str) -> RowOwner {
        match table_named(value) {
            Some(table) if table.name == self.binding.table.name => RowOwner::Requested,
            Some(table) => RowOwner::Other(table),
            None if value.trim_ascii().is_empty() => RowOwner::Unnamed,
            None if self.binding.is_bound && is_renamed(value, self.binding.table) => RowOwner::Renamed,
            None => RowOwner::Unknown,
        }
    }

    fn is_own(&self, owner: &RowOwner) -> bool {
        match owner {
            RowOwner::Requested | RowOwner::Renamed => true,
            RowOwner::Unnamed => self.unlabelled != UnlabelledRows::Excluded,
            RowOwner::Other(_) | RowOwner::Unknown => false,
        }
    }

    /// True if a row with this `Type` belongs to the requested table.
    fn has(&self, value: &str) -> bool {
        value == self.binding.table.name || self.is_own(&self.owner(value))
    }
}

/// Restricts `request` to the rows of the requested table.
pub(crate) fn only_of(
    binding: TableBinding,
    unlabelled: UnlabelledRows,
    contents: &FileContents,
    request: &ScanRequest,
) -> ScanRequest {
    let Some(column) = binding.table.schema.index_of("Type") else { return request.clone() };
    if request.stated.is_some() && contents.is_only(binding.table) {
        return request.clone();
    }
    let inner = request.filter.clone();
    let mut columns = inner.as_ref().map_or(Vec::new(), |filter| filter.columns().to_vec());
    columns.push(ScanColumn::Column(column));
    let mut request = request.clone();
    if let Some(own) = &contents.own {
        let is = |value: &String| {
            let value = Value::string(value.as_str());
            Predicate::Compare { column, comparison: Comparison::Equal, value }
        };
        request.prune.push(Predicate::Any(own.iter().map(is).collect()));
    }
    let membership = MembershipRule { binding, unlabelled };
    request.filter = Some(Arc::new(TableFilter { membership, columns, inner }));
    request
}

/// A filter that tests the `Type` of a row first, then the filter of the query.
#[derive(Debug)]
struct TableFilter {
    membership: MembershipRule,
    /// The columns of the inner filter, then `Type`.
    columns: Vec<ScanColumn>,
    inner: Option<Arc<dyn RowFilter>>,
}

impl RowFilter for TableFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn searched_strings(&self, index: usize) -> Option<&[String]> {
        self.inner.as_ref().filter(|inner| index < inner.columns().len())?.searched_strings(index)
    }

    fn time_coverages(&self) -> &[Arc<TimeCoverage>] {
        self.inner.as_ref().map_or(&[], |inner| inner.time_coverages())
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let last = self.columns.len() - 1;
        let of_table = matching_rows(columns.column(last), |value| self.membership.has(value));
        let Some(inner) = &self.inner else { return Ok(of_table) };
        let passes = inner.evaluate(&columns.project(&(0..last).collect::<Vec<_>>()))?;
        if of_table.true_count() == of_table.len() { Ok(passes) } else { Ok(compute::and(&passes, &of_table)?) }
    }
}

/// Returns which rows have a string for which `is_match` is true; each entry of a dictionary is tested once.
fn matching_rows(column: &Column, is_match: impl Fn(&str) -> bool) -> BooleanArray {
    if column.as_constant().is_some() {
        let is_wanted = column.text_at(0).is_some_and(&is_match);
        return if is_wanted { BooleanBuffer::new_set(column.rows()) } else { BooleanBuffer::new_unset(column.rows()) }
            .into();
    }
    if let Some(dictionary) = column.as_array().and_then(|array| array.as_dictionary_opt::<Int32Type>())
        && let Some(texts) = dictionary.values().as_string_opt::<i32>()
    {
        let is_wanted: BooleanBuffer = texts.iter().map(|text| text.is_some_and(&is_match)).collect();
        return spread_truths(dictionary.keys(), &is_wanted).into();
    }
    BooleanBuffer::collect_bool(column.rows(), |row| column.text_at(row).is_some_and(&is_match)).into()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, StringViewArray};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::types::Type;

    #[test]
    fn dictionary_entries_are_found_like_plain_strings() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for rows in [0, 1, 63, 500] {
            let texts: Vec<&str> =
                (0..rows).map(|_| ["SigninLogs", "AuditLogs", ""][random.random_range(0..3)]).collect();
            let views: StringViewArray = texts.iter().map(|text| Some(*text)).collect();
            let dictionary: DictionaryArray<Int32Type> = texts.iter().copied().collect();
            let expected: BooleanArray = texts.iter().map(|text| Some(*text == "SigninLogs")).collect();
            for array in [Arc::new(views) as ArrayRef, Arc::new(dictionary)] {
                assert_eq!(matching_rows(&Column::array(Type::String, array), |text| text == "SigninLogs"), expected);
            }
        }
        let constant = Column::constant(Value::string("SigninLogs"), 3);
        assert_eq!(matching_rows(&constant, |text| text == "SigninLogs").true_count(), 3);
    }
}
