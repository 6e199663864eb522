//! The rows of one table in a Parquet file that may hold several.

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
use crate::source::text::is_renamed;
use crate::source::text::table_of_path;
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
    fn of(file: &ColumnFile, table: &KnownTable, bound: bool) -> Self {
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
pub(crate) fn belonging(file: &ColumnFile, table: &KnownTable, bound: bool) -> Belonging {
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

/// What a file holds, as far as it matters to one table.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The tables whose rows it holds: known ones by their names in queries, others as the file spells them.
    pub tables: BTreeSet<String>,
    /// The values of `Type` that rows of the table have; None if there may be others.
    own: Option<Vec<String>>,
    /// Rows without a name that are read as rows of the table.
    pub unnamed: u64,
    /// Rows of a restored table or a copy of the table, to which the file is bound.
    pub renamed: BTreeMap<String, u64>,
    /// Rows that may be of the table under another name, and are not read.
    pub similar: BTreeMap<String, u64>,
    /// Rows that name no table, and that nothing else tells a table of.
    pub unrecognised: u64,
}

/// Notes the shape of a file and the tables that it holds.
///
/// # Errors
/// The file cannot be opened, or its server does not answer.
pub(crate) fn meet(
    file: &ColumnFile,
    (table, bound): (&'static KnownTable, bool),
    belonging: Belonging,
    report: &ScanReport,
) -> Result<Held> {
    // What rows of an archive were before, it says itself.
    if !matches!(belonging, Belonging::Archived | Belonging::None) {
        report.note_shape(&format!("{} files", file.format()));
    }
    let unnamed_are =
        |other: &&KnownTable| Untold::of(file, other, bound && other.name == table.name) != Untold::Others;
    let mut held = Held::default();
    match (file.archived_table(), belonging) {
        (Some(archived), _) => _ = held.tables.insert(archived.to_owned()),
        (None, Belonging::ByType(untold)) => {
            let values = TypeValues::of(file)?;
            let owner = known_tables().find(unnamed_are);
            held = Held::of(&values, Membership { table, bound, untold }, owner);
        }
        // It does not say, so that nothing is told of what it holds.
        (None, Belonging::All(_)) => return Ok(Held { tables: BTreeSet::from([table.name.to_owned()]), ..held }),
        (None, Belonging::Archived | Belonging::None) => {
            held.tables = known_tables().filter(unnamed_are).map(|other| other.name.to_owned()).collect();
        }
    }
    held.tables.iter().for_each(|name| report.note_table(name));
    Ok(held)
}

impl Held {
    /// What rows with these values of `Type` are; those without a name are rows of `unnamed`.
    fn of(values: &TypeValues, membership: Membership, unnamed: Option<&KnownTable>) -> Self {
        let mut held = Self { own: values.is_complete.then(Vec::new), ..Self::default() };
        for (value, &rows) in &values.rows {
            let owner = membership.owner(value);
            if let Some(own) = held.own.as_mut().filter(|_| membership.is_own(&owner)) {
                own.push(value.clone());
            }
            match owner {
                Owner::Wanted => _ = held.tables.insert(membership.table.name.to_owned()),
                Owner::Other(table) => _ = held.tables.insert(table.name.to_owned()),
                Owner::Unnamed if membership.untold != Untold::Others => {
                    held.tables.insert(membership.table.name.to_owned());
                    held.unnamed += rows;
                }
                Owner::Unnamed => match unnamed {
                    Some(table) => _ = held.tables.insert(table.name.to_owned()),
                    None => held.unrecognised += rows,
                },
                Owner::Renamed => {
                    held.tables.insert(membership.table.name.to_owned());
                    held.renamed.insert(value.clone(), rows);
                }
                Owner::Unknown => {
                    held.tables.insert(value.chars().take(MAX_NAME).collect());
                    if resembles(value, membership.table) {
                        held.similar.insert(value.clone(), rows);
                    }
                }
            }
        }
        held
    }

    /// True if the file may hold rows of the table that is asked for.
    pub fn may_hold_own(&self) -> bool {
        self.own.as_ref().is_none_or(|own| !own.is_empty())
    }
}

/// Characters of a table's name that are kept.
const MAX_NAME: usize = 64;

/// The table that is asked for, and how rows belong to it.
#[derive(Clone, Copy, Debug)]
struct Membership {
    table: &'static KnownTable,
    /// True if the file is bound to the table.
    bound: bool,
    untold: Untold,
}

/// The table of a row, by its `Type`.
#[derive(Clone, Copy, Debug)]
enum Owner {
    /// The one that is asked for.
    Wanted,
    /// Another known table.
    Other(&'static KnownTable),
    /// The one that is asked for, under another name that the file is bound to.
    Renamed,
    /// The row names no table.
    Unnamed,
    /// A table that is not known.
    Unknown,
}

impl Membership {
    fn owner(&self, value: &str) -> Owner {
        match table_named(value) {
            Some(table) if table.name == self.table.name => Owner::Wanted,
            Some(table) => Owner::Other(table),
            None if value.trim_ascii().is_empty() => Owner::Unnamed,
            None if self.bound && is_renamed(value, self.table) => Owner::Renamed,
            None => Owner::Unknown,
        }
    }

    fn is_own(&self, owner: &Owner) -> bool {
        match owner {
            Owner::Wanted | Owner::Renamed => true,
            Owner::Unnamed => self.untold != Untold::Others,
            Owner::Other(_) | Owner::Unknown => false,
        }
    }

    /// True for rows of the table, by their `Type`.
    fn has(&self, value: &str) -> bool {
        value == self.table.name || self.is_own(&self.owner(value))
    }
}

/// `request` for only those rows of a file that are of `table`.
pub(crate) fn only_of(
    (table, bound): (&'static KnownTable, bool),
    untold: Untold,
    held: &Held,
    request: &ScanRequest,
) -> ScanRequest {
    let Some(column) = table.schema.index_of("Type") else { return request.clone() };
    let inner = request.filter.clone();
    let mut columns = inner.as_ref().map_or(Vec::new(), |filter| filter.columns().to_vec());
    columns.push(ScanColumn::Column(column));
    let mut request = request.clone();
    if let Some(own) = &held.own {
        let is = |value: &String| {
            let value = Value::string(value.as_str());
            Predicate::Compare { column, comparison: Comparison::Equal, value }
        };
        request.prune.push(Predicate::Any(own.iter().map(is).collect()));
    }
    let membership = Membership { table, bound, untold };
    request.filter = Some(Arc::new(OfTable { membership, columns, inner }));
    request
}

/// The exact test: the row's `Type`, then the filter of the query.
#[derive(Debug)]
struct OfTable {
    membership: Membership,
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
        let of_table = which(columns.column(last), |value| self.membership.has(value));
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
