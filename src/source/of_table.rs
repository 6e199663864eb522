//! The rows of one table in a Parquet file that may hold several.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute;
use arrow::datatypes::Int32Type;

use super::parquet::{FileRows, ParquetFile};
use super::provenance::Origins;
use super::shape::{KnownTable, known_tables};
use super::{Comparison, Predicate, RowFilter, ScanColumn, ScanReport, ScanRequest, TimeCoverage};
use crate::diagnostic::Result;
use crate::types::dictionary::spread_truths;
use crate::types::{Batch, Column, Value};

/// Which rows of a Parquet file belong to a known table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belonging {
    /// All: the file is of an archive of ours, and says so.
    Archived,
    /// Those whose `Type` says so.
    ByType,
    /// All: the file does not say.
    All,
    /// None: it is no export of a log table, or one of another table.
    None,
}

/// Tells by the columns of the file. One without `Type` is taken for the table that the user bound it to, else for
/// sign-ins.
pub(crate) fn belonging(file: &ParquetFile, table: &KnownTable, bound: bool) -> Belonging {
    let columns = file.columns();
    if let Some(archived) = file.archived_table() {
        return if archived == table.name { Belonging::Archived } else { Belonging::None };
    }
    if columns.index_of("Type").is_some() {
        Belonging::ByType
    } else if bound || (columns.index_of("TimeGenerated").is_some() && table.name == "SigninLogs") {
        Belonging::All
    } else {
        Belonging::None
    }
}

/// Notes the shape of a file, and the tables that it holds, or may hold by its statistics; answers these.
pub(crate) fn meet(
    file: &ParquetFile,
    table: &'static KnownTable,
    belonging: Belonging,
    report: &ScanReport,
) -> Vec<String> {
    if belonging != Belonging::None {
        let archived = if belonging == Belonging::Archived { "an archive" } else { "Parquet files" };
        report.met_shape(archived);
    }
    let rows = |table: &KnownTable| FileRows { origins: Origins::none(&table.schema), index: 0 };
    let may_hold = |table: &&KnownTable| file.ruled_out_by(&rows(table), &type_is(table)).is_none();
    let tables: Vec<String> = match (file.archived_table(), belonging) {
        (Some(archived), _) => vec![archived.to_owned()],
        (None, Belonging::ByType) => known_tables().filter(may_hold).map(|table| table.name.to_owned()).collect(),
        // It does not say, so that nothing is told of what it holds.
        (None, Belonging::All) => return vec![table.name.to_owned()],
        (None, Belonging::Archived | Belonging::None) => Vec::new(),
    };
    tables.iter().for_each(|name| report.met_table(name));
    tables
}

/// The condition that a row's `Type` is the name of `table`.
fn type_is(table: &KnownTable) -> Vec<Predicate> {
    let value = Value::string(table.name);
    let column = table.schema.index_of("Type");
    column.map(|column| Predicate::Compare { column, comparison: Comparison::Equal, value }).into_iter().collect()
}

/// `request` for only those rows whose `Type` is the name of `table`.
pub(crate) fn only_of(table: &KnownTable, request: &ScanRequest) -> ScanRequest {
    let Some(column) = table.schema.index_of("Type") else { return request.clone() };
    let inner = request.filter.clone();
    let mut columns = inner.as_ref().map_or(Vec::new(), |filter| filter.columns().to_vec());
    columns.push(ScanColumn::Column(column));
    let mut request = request.clone();
    request.prune.extend(type_is(table));
    request.filter = Some(Arc::new(OfTable { name: table.name, columns, inner }));
    request
}

/// The exact test: the row's `Type`, then the filter of the query.
#[derive(Debug)]
struct OfTable {
    name: &'static str,
    /// Those of the inner filter, then `Type`.
    columns: Vec<ScanColumn>,
    inner: Option<Arc<dyn RowFilter>>,
}

impl RowFilter for OfTable {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn time_coverage(&self) -> Option<&TimeCoverage> {
        self.inner.as_ref()?.time_coverage()
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let last = self.columns.len() - 1;
        let ty = columns.column(last);
        let of_table = is_text(ty, self.name);
        let Some(inner) = &self.inner else { return Ok(of_table) };
        let passes = inner.evaluate(&columns.project(&(0..last).collect::<Vec<_>>()))?;
        if of_table.true_count() == of_table.len() { Ok(passes) } else { Ok(compute::and(&passes, &of_table)?) }
    }
}

/// True for the rows whose text is `wanted`; texts of a dictionary are looked at once each.
fn is_text(column: &Column, wanted: &str) -> BooleanArray {
    if let Some(dictionary) = column.as_array().and_then(|array| array.as_dictionary_opt::<Int32Type>())
        && let Some(texts) = dictionary.values().as_string_opt::<i32>()
    {
        let is_wanted: BooleanBuffer = texts.iter().map(|text| text == Some(wanted)).collect();
        return spread_truths(dictionary.keys(), &is_wanted).into();
    }
    BooleanBuffer::collect_bool(column.rows(), |row| column.text_at(row) == Some(wanted)).into()
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, DictionaryArray, StringViewArray};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::types::Type;

    #[test]
    fn texts_of_a_dictionary_are_found_like_others() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for rows in [0, 1, 63, 500] {
            let texts: Vec<&str> =
                (0..rows).map(|_| ["SigninLogs", "AuditLogs", ""][random.random_range(0..3)]).collect();
            let views: StringViewArray = texts.iter().map(|text| Some(*text)).collect();
            let dictionary: DictionaryArray<Int32Type> = texts.iter().copied().collect();
            let expected: BooleanArray = texts.iter().map(|text| Some(*text == "SigninLogs")).collect();
            for array in [Arc::new(views) as ArrayRef, Arc::new(dictionary)] {
                assert_eq!(is_text(&Column::array(Type::String, array), "SigninLogs"), expected);
            }
        }
        let constant = Column::constant(Value::string("SigninLogs"), 3);
        assert_eq!(is_text(&constant, "SigninLogs").true_count(), 3);
    }
}
