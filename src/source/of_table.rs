//! The rows of one table in a Parquet file that may hold several.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute;
use arrow::datatypes::Int32Type;

use super::json::RESTORED;
use super::originals::Originals;
use super::parquet::{FileRows, ParquetFile};
use super::provenance::Origins;
use super::shape::{KnownTable, known_tables};
use super::{Comparison, Predicate, RowFilter, ScanColumn, ScanReport, ScanRequest, TimeCoverage, table_of_path};
use crate::diagnostic::Result;
use crate::types::dictionary::spread_truths;
use crate::types::{Batch, Column, Value};

/// Which rows of a Parquet file belong to a known table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belonging {
    /// All: the file is of an archive of ours, and says so.
    Archived,
    /// Those whose `Type` says so; those that say nothing, where this says so.
    ByType(Untold),
    /// All: the file does not say.
    All(Untold),
    /// None: it is no export of a log table, or one of another table.
    None,
}

/// Whether rows that do not say of which table they are belong to a table, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untold {
    /// They do not.
    Others,
    /// The path of the file names the table.
    ByPath,
    /// Nothing says so: they are taken for rows of the table that the file is bound to, else for sign-ins.
    Assumed,
}

impl Untold {
    fn of(file: &ParquetFile, table: &KnownTable, bound: bool) -> Self {
        let columns = file.columns();
        let is_log = ["TimeGenerated", "_OriginalTimeGenerated"].iter().any(|name| columns.index_of(name).is_some());
        match table_of_path(file.name()) {
            Some(named) if named.name == table.name && (bound || is_log) => Self::ByPath,
            _ if bound => Self::Assumed,
            None if is_log && table.name == "SigninLogs" => Self::Assumed,
            _ => Self::Others,
        }
    }
}

/// Tells by the columns of the file, and its path.
pub(crate) fn belonging(file: &ParquetFile, table: &KnownTable, bound: bool) -> Belonging {
    let columns = file.columns();
    if let Some(archived) = file.archived_table() {
        return if archived == table.name { Belonging::Archived } else { Belonging::None };
    }
    let untold = Untold::of(file, table, bound);
    if ["Type", "_OriginalType"].iter().any(|name| columns.index_of(name).is_some()) {
        Belonging::ByType(untold)
    } else if untold == Untold::Others {
        Belonging::None
    } else {
        Belonging::All(untold)
    }
}

/// Notes the shape of a file, and the tables that it holds, or may hold by its statistics; answers these.
pub(crate) fn meet(
    file: &ParquetFile,
    (table, bound): (&'static KnownTable, bool),
    belonging: Belonging,
    report: &ScanReport,
) -> Vec<String> {
    // What rows of an archive were before, it says itself.
    if !matches!(belonging, Belonging::Archived | Belonging::None) {
        report.met_shape("Parquet files");
    }
    let untold = |other: &KnownTable| Untold::of(file, other, bound && other.name == table.name) != Untold::Others;
    let may_hold = |other: &&'static KnownTable| may_hold(file, other, untold(other));
    // Of no table that is known: of a restored one, most likely.
    let restored = bound && matches!(belonging, Belonging::ByType(_)) && !known_tables().any(|other| may_hold(&other));
    let tables: Vec<String> = match (file.archived_table(), belonging) {
        (Some(archived), _) => vec![archived.to_owned()],
        _ if restored => vec![table.name.to_owned()],
        (None, Belonging::ByType(_)) => known_tables().filter(may_hold).map(|table| table.name.to_owned()).collect(),
        // It does not say, so that nothing is told of what it holds.
        (None, Belonging::All(_)) => return vec![table.name.to_owned()],
        (None, Belonging::Archived | Belonging::None) => {
            known_tables().filter(|other| untold(other)).map(|other| other.name.to_owned()).collect()
        }
    };
    tables.iter().for_each(|name| report.met_table(name));
    tables
}

/// False only where statistics rule out that a file has rows of a table; `untold` where those that say nothing are some.
fn may_hold(file: &ParquetFile, table: &KnownTable, untold: bool) -> bool {
    let own = Origins::none(&table.schema);
    let originals = Originals::of(&file.columns(), &own);
    let Some(ty) = table.schema.index_of("Type") else { return true };
    let names = std::iter::once(ty).chain(originals.as_ref().and_then(|originals| originals.original(ty)));
    let conditions = names.map(|column| type_is(column, table, untold)).collect();
    let origins = originals.map_or(own, |originals| originals.origins);
    file.ruled_out_by(&FileRows { origins, index: 0 }, &[Predicate::Any(conditions)]).is_none()
}

/// The condition that the column at `column` is the name of `table`, or "" where `untold` says so.
fn type_is(column: usize, table: &KnownTable, untold: bool) -> Predicate {
    let is = |text: &str| Predicate::Compare { column, comparison: Comparison::Equal, value: Value::string(text) };
    match untold {
        true => Predicate::Any(vec![is(table.name), is("")]),
        false => is(table.name),
    }
}

/// Rows that are of a table though they do not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// They say nothing.
    Untold,
    /// Their table was restored under another name.
    Restored,
}

/// `request` for only those rows whose `Type` is the name of `table`, or says nothing where such rows are of the table;
/// `met` is called where rows were taken that do not say that they are.
pub(crate) fn only_of(
    (table, bound): (&KnownTable, bool),
    untold: Untold,
    request: &ScanRequest,
    met: impl Fn(Met) + Send + Sync + 'static,
) -> ScanRequest {
    let Some(column) = table.schema.index_of("Type") else { return request.clone() };
    let inner = request.filter.clone();
    let mut columns = inner.as_ref().map_or(Vec::new(), |filter| filter.columns().to_vec());
    columns.push(ScanColumn::Column(column));
    let mut request = request.clone();
    // A restored table may have any name.
    if !bound {
        request.prune.push(type_is(column, table, untold != Untold::Others));
    }
    let met = OnMet(Box::new(met));
    request.filter = Some(Arc::new(OfTable { name: table.name, bound, untold, columns, inner, met }));
    request
}

/// What is done where such rows were met.
struct OnMet(Box<dyn Fn(Met) + Send + Sync>);

impl std::fmt::Debug for OnMet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnMet")
    }
}

/// The exact test: the row's `Type`, then the filter of the query.
#[derive(Debug)]
struct OfTable {
    name: &'static str,
    /// True where rows of a restored table are of this one, too.
    bound: bool,
    untold: Untold,
    /// Those of the inner filter, then `Type`.
    columns: Vec<ScanColumn>,
    inner: Option<Arc<dyn RowFilter>>,
    met: OnMet,
}

impl OfTable {
    /// Which rows are of the table.
    fn rows(&self, ty: &Column) -> Result<BooleanArray> {
        let mut of_table = which(ty, |text| text == self.name);
        if self.untold != Untold::Others {
            let untold = which(ty, str::is_empty);
            if self.untold == Untold::Assumed && untold.true_count() > 0 {
                (self.met.0)(Met::Untold);
            }
            of_table = compute::or(&of_table, &untold)?;
        }
        if self.bound {
            let restored = which(ty, |text| text.ends_with(RESTORED));
            if restored.true_count() > 0 {
                (self.met.0)(Met::Restored);
            }
            of_table = compute::or(&of_table, &restored)?;
        }
        Ok(of_table)
    }
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
        let of_table = self.rows(columns.column(last))?;
        let Some(inner) = &self.inner else { return Ok(of_table) };
        let passes = inner.evaluate(&columns.project(&(0..last).collect::<Vec<_>>()))?;
        if of_table.true_count() == of_table.len() { Ok(passes) } else { Ok(compute::and(&passes, &of_table)?) }
    }
}

/// True for the rows whose text is `wanted`; texts of a dictionary are looked at once each.
fn which(column: &Column, wanted: impl Fn(&str) -> bool) -> BooleanArray {
    if column.as_constant().is_some() {
        let is_wanted = column.text_at(0).is_some_and(&wanted);
        return if is_wanted { BooleanBuffer::new_set(column.rows()) } else { BooleanBuffer::new_unset(column.rows()) }
            .into();
    }
    if let Some(dictionary) = column.as_array().and_then(|array| array.as_dictionary_opt::<Int32Type>())
        && let Some(texts) = dictionary.values().as_string_opt::<i32>()
    {
        let is_wanted: BooleanBuffer = texts.iter().map(|text| text.is_some_and(&wanted)).collect();
        return spread_truths(dictionary.keys(), &is_wanted).into();
    }
    BooleanBuffer::collect_bool(column.rows(), |row| column.text_at(row).is_some_and(&wanted)).into()
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
                assert_eq!(which(&Column::array(Type::String, array), |text| text == "SigninLogs"), expected);
            }
        }
        let constant = Column::constant(Value::string("SigninLogs"), 3);
        assert_eq!(which(&constant, |text| text == "SigninLogs").true_count(), 3);
    }
}
