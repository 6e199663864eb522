//! Writes Parquet files, and reads them back in every way.

mod damage;
mod random;
mod values;

use std::path::Path;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;

use super::partition::NARROW_BATCHES;
use super::*;
use crate::scan::{Comparison, Predicate, RowFilter, ScanColumn, ScanReport};
use crate::storage::counters::ScanCount;
use crate::types::{Batch, Value};

/// Writes a file that has these rows.
fn write(batch: &RecordBatch, properties: WriterProperties) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file
}

fn open(path: &Path) -> Arc<ParquetFile> {
    ParquetFile::open(path, "test.parquet").unwrap()
}

/// Returns a request for every row of some columns.
fn request(columns: impl IntoIterator<Item = usize>) -> ScanRequest {
    ScanRequest {
        columns: columns.into_iter().map(ScanColumn::Column).collect(),
        prune: Vec::new(),
        filter: None,
        limit: None,
        batch_rows: 64,
        memory: crate::scan::ScanMemory::default(),
        sizes: crate::scan::ScanSizes::SMALL,
        stated: None,
        named_columns: Arc::default(),
        report: Arc::new(ScanReport::default()),
        counters: Arc::default(),
    }
}

/// Returns every row that a scan returns.
fn rows(file: &Arc<ParquetFile>, table: &Schema, request: &ScanRequest) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for part in file.partitions(table, request).unwrap() {
        for batch in part.read().unwrap() {
            let batch = batch.unwrap();
            assert!((1..=request.batch_rows * NARROW_BATCHES).contains(&batch.rows()), "{} rows", batch.rows());
            assert_eq!(batch.columns().len(), request.columns.len());
            for row in 0..batch.rows() {
                rows.push(batch.columns().iter().map(|column| column.value(row)).collect());
            }
        }
    }
    rows
}

/// A filter that tests a predicate exactly, row by row.
#[derive(Debug)]
struct RowByRowFilter {
    predicate: Predicate,
    columns: Vec<ScanColumn>,
}

impl RowByRowFilter {
    fn new(predicate: Predicate) -> Self {
        let mut columns = predicate.columns();
        columns.sort_unstable();
        columns.dedup();
        Self { predicate, columns: columns.into_iter().map(ScanColumn::Column).collect() }
    }

    fn position(&self, column: usize) -> usize {
        self.columns.iter().position(|other| other.column() == column).unwrap()
    }
}

impl RowFilter for RowByRowFilter {
    fn columns(&self) -> &[ScanColumn] {
        &self.columns
    }

    fn evaluate(&self, columns: &Batch) -> Result<BooleanArray> {
        let passes = |row| matches(&self.predicate, &|column| columns.column(self.position(column)).value(row));
        Ok((0..columns.rows()).map(|row| Some(passes(row))).collect())
    }
}

/// True if a row fulfils a predicate. It is the slow reference implementation of everything that skips rows.
fn matches(predicate: &Predicate, row: &dyn Fn(usize) -> Value) -> bool {
    match predicate {
        Predicate::All(list) => list.iter().all(|predicate| matches(predicate, row)),
        Predicate::Any(list) => list.iter().any(|predicate| matches(predicate, row)),
        Predicate::Compare { column, comparison, value } => {
            let actual = row(*column);
            let order = match (&actual, value) {
                (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
                (Value::Long(a), Value::Long(b)) | (Value::Datetime(a), Value::Datetime(b)) => Some(a.cmp(b)),
                (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
                (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
                (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
                _ => None,
            };
            order.is_some_and(|order| match comparison {
                Comparison::Equal => order.is_eq(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            })
        }
        Predicate::OneOf { column, values, case_sensitive } => values.iter().any(|value| match (row(*column), value) {
            (Value::String(a), Value::String(b)) if !case_sensitive => a.to_lowercase() == b.to_lowercase(),
            (actual, value) => actual == *value,
        }),
        Predicate::Contains { column, needle, case_sensitive } => {
            let text = row(*column).to_text();
            if *case_sensitive { text.contains(needle) } else { text.to_lowercase().contains(&needle.to_lowercase()) }
        }
    }
}

#[test]
fn a_table_that_all_rows_have_is_read_from_the_statistics() {
    let long = "x".repeat(33);
    let cases: [(Vec<Option<&str>>, bool); 5] = [
        (vec![Some("SigninLogs"); 400], true),
        (vec![Some(""); 400], true),
        ((0..400).map(|row| Some(if row == 399 { "AuditLogs" } else { "SigninLogs" })).collect(), false),
        ((0..400).map(|row| (row != 7).then_some("SigninLogs")).collect(), false),
        (vec![Some(long.as_str()); 400], false),
    ];
    for (texts, is_constant) in &cases {
        let array = || Arc::new(StringArray::from(texts.clone())) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("Type", array()), ("other", array())]).unwrap();
        let file = write(&batch, WriterProperties::default());
        let file = open(file.path());
        let table = Schema::new(["Type", "other"].map(|name| Field::new(name, Type::String)));
        let request = request(0..2);
        let expected = texts.iter().map(|text| vec![Value::string(text.unwrap_or_default()); 2]);
        assert_eq!(rows(&file, &table, &request), expected.collect::<Vec<Vec<_>>>());
        for part in file.partitions(&table, &request).unwrap() {
            let batch = part.read().unwrap().next().unwrap().unwrap();
            let constant = |column: usize| batch.column(column).as_constant().is_some();
            assert_eq!((constant(0), constant(1)), (*is_constant, false), "{texts:?}");
        }
    }
}

#[test]
fn batches_of_a_chunk_share_one_dictionary() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter((0..200).map(|n| (n % 5 > 0).then(|| format!("{}", n % 5)))));
    let file = write(&RecordBatch::try_from_iter([("text", texts)]).unwrap(), Default::default());
    let file = open(file.path());
    let request = ScanRequest { batch_rows: 64 / NARROW_BATCHES, ..request([0]) };
    let parts = file.partitions(&file.columns(), &request).unwrap();
    let batches: Vec<Batch> = parts[0].read().unwrap().collect::<Result<_>>().unwrap();
    assert_eq!(batches.len(), 4);
    let dictionaries: Vec<ArrayRef> = batches
        .iter()
        .map(|batch| {
            let array = batch.column(0).to_array();
            Arc::clone(array.as_dictionary::<Int32Type>().values())
        })
        .collect();
    assert!(dictionaries.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
    assert_eq!(dictionaries[0].len(), 5);
}

#[test]
fn wide_rows_come_in_short_batches() {
    let wide: ArrayRef = Arc::new(StringArray::from_iter_values((0..600).map(|n| format!("{n:030000}"))));
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let file = write(&RecordBatch::try_from_iter([("wide", wide)]).unwrap(), properties);
    let file = open(file.path());
    let request = ScanRequest { batch_rows: 8192, ..request([0]) };
    let mut seen = 0;
    for part in file.partitions(&file.columns(), &request).unwrap() {
        for batch in part.read().unwrap() {
            let rows = batch.unwrap().rows();
            assert!(rows * 30_000 < 9 << 20, "{rows} rows in one batch");
            seen += rows;
        }
    }
    assert_eq!(seen, 600);
}

#[test]
fn statistics_of_the_old_kind_count_for_signed_numbers_only() {
    let number = |old| Statistics::int32(Some(3), Some(5), None, Some(0), old);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![3]));
    let unsigned: ArrayRef = Arc::new(UInt32Array::from(vec![3]));
    let columns = [("text", texts), ("number", numbers), ("unsigned", unsigned)];
    let file = write(&RecordBatch::try_from_iter(columns).unwrap(), Default::default());
    let file = open(file.path());
    let bounds = |column: usize, statistics: &Statistics| {
        let column = &file.layout.columns[column];
        let reader = bounds::BoundsReader::new(&file.metadata, column, column.ty).unwrap();
        reader.row_group(statistics, 1).min.is_some()
    };
    let text = |old| Statistics::byte_array(Some("a".into()), Some("b".into()), None, None, old);
    assert!(bounds(0, &text(false)) && bounds(1, &number(false)) && bounds(2, &number(false)));
    assert!(!bounds(0, &text(true)) && bounds(1, &number(true)) && !bounds(2, &number(true)));
}

#[test]
fn a_table_of_files_is_one_below_the_other_and_leaves_out_what_cannot_match() {
    let of = |numbers: Vec<i32>| {
        let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
        write(&RecordBatch::try_from_iter([("n", numbers)]).unwrap(), Default::default())
    };
    let files = [of(vec![1, 2]), of(vec![7, 8]), of(vec![2, 3])];
    let files = files.iter().map(|file| open(file.path())).collect();
    let table = ParquetTable::new(Schema::new([Field::new("n", Type::Long)]), files);
    let wanted = Predicate::Compare { column: 0, comparison: Comparison::Less, value: Value::Long(3) };
    let request = ScanRequest {
        prune: vec![wanted.clone()],
        filter: Some(Arc::new(RowByRowFilter::new(wanted))),
        ..request([0])
    };
    let parts = table.scan(&request).unwrap();
    let batches = parts.iter().flat_map(|part| part.read().unwrap().map(Result::unwrap));
    let numbers: Vec<Value> =
        batches.flat_map(|batch| (0..batch.rows()).map(move |row| batch.column(0).value(row))).collect();
    assert_eq!(numbers, [1, 2, 2].map(Value::Long));
    let counts =
        [ScanCount::Files, ScanCount::FilesPruned, ScanCount::FilesPrunedByTime, ScanCount::Rows, ScanCount::RowGroups];
    assert_eq!(counts.map(|count| request.counters.get(count)), [2, 1, 0, 4, 2]);
    assert_eq!(table.describe(), "parquet (3 files, 6 rows)");
}
