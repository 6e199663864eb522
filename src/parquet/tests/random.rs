//! Tests random requests over random files. Scans that skip rows and read columns late must return the same as a scan
//! without these optimisations, and the same as what was written.

use arrow::array::{
    ArrayRef, BooleanArray as Booleans, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt32Array,
};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterVersion};
use parquet::schema::types::ColumnPath;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::types::datetime::{self, UnixUnit};
use crate::types::dynamic::{Path, Step, extract};

/// 2026-03-02T00:00:00Z in seconds since 1970.
const START: i64 = 1_772_409_600;
const USERS: [&str; 6] =
    ["", "ada@contoso.com", "Ada@contoso.com", "bo@contoso.com", "zoë@contoso.com", "日本@contoso.com"];

/// A file, and the rows that were written: KQL values in the types of the table.
struct RandomFile {
    file: tempfile::NamedTempFile,
    table: Schema,
    rows: Vec<Vec<Value>>,
}

/// Returns `count` values of a column; the fraction `nulls` of them is null.
fn column<T>(
    rng: &mut ChaCha8Rng,
    (count, nulls): (i32, f64),
    value: impl Fn(&mut ChaCha8Rng, i32) -> T,
) -> Vec<Option<T>> {
    let one = |row| {
        let value = value(rng, row);
        (!rng.random_bool(nulls)).then_some(value)
    };
    (0..count).map(one).collect()
}

fn datetime(count: i64, unit: UnixUnit) -> Value {
    datetime::from_unix(count, unit).map_or(Value::Null(Type::Datetime), Value::Datetime)
}

fn file_of(rng: &mut ChaCha8Rng) -> RandomFile {
    let count = rng.random_range(1..1500);
    let nulls = [0.0, 0.1, 0.9][rng.random_range(0..3)];
    let sorted = rng.random_bool(0.7);
    let unit = [UnixUnit::Milliseconds, UnixUnit::Microseconds, UnixUnit::Nanoseconds][rng.random_range(0..3)];
    let per_second = match unit {
        UnixUnit::Milliseconds => 1_000,
        UnixUnit::Microseconds => 1_000_000,
        _ => 1_000_000_000,
    };
    let shape = (count, nulls);
    let times = column(rng, shape, |rng, row| {
        let seconds = if sorted { i64::from(row) } else { rng.random_range(0..1500) };
        (START + seconds) * per_second + rng.random_range(0..3)
    });
    let users = column(rng, shape, |rng, row| {
        let user = if sorted { row as usize * USERS.len() / count as usize } else { rng.random_range(0..USERS.len()) };
        USERS[user]
    });
    let ids = column(rng, shape, |rng, _| {
        format!("{:08x}-a rather long identifier that does not fit a view", rng.random_range(0..2000_u32))
    });
    let codes = column(rng, shape, |rng, row| if sorted { row / 7 } else { rng.random_range(-3..200) });
    let sizes = column(rng, shape, |rng, _| rng.random_range(0..3) * (u32::MAX / 2));
    let flags = column(rng, shape, |rng, _| rng.random_bool(0.5));
    let bags = column(rng, shape, |rng, _| format!(r#"{{"city": "{}"}}"#, rng.random_range(0..9)));

    let time: ArrayRef = match unit {
        UnixUnit::Milliseconds => Arc::new(TimestampMillisecondArray::from(times.clone()).with_timezone("UTC")),
        UnixUnit::Microseconds => Arc::new(TimestampMicrosecondArray::from(times.clone())),
        _ => Arc::new(TimestampNanosecondArray::from(times.clone()).with_timezone("UTC")),
    };
    let wide = rng.random_bool(0.5);
    let code: ArrayRef = if wide {
        Arc::new(codes.iter().map(|code| code.map(i64::from)).collect::<Int64Array>())
    } else {
        Arc::new(Int32Array::from(codes.clone()))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", time),
        ("user", Arc::new(StringArray::from(users.clone()))),
        ("id", Arc::new(StringArray::from(ids.clone()))),
        ("code", code),
        ("size", Arc::new(UInt32Array::from(sizes.clone()))),
        ("flag", Arc::new(Booleans::from(flags.clone()))),
        ("bag", Arc::new(StringArray::from(bags.clone()))),
    ];
    // The table's types: a code may be requested as a string, whatever its type in the file.
    let code_type = [Type::Int, Type::Long, Type::String][rng.random_range(0..3)];
    let table = Schema::new([
        Field::new("time", Type::Datetime),
        Field::new("absent", [Type::String, Type::Long, Type::Dynamic][rng.random_range(0..3)]),
        Field::new("user", Type::String),
        Field::new("id", Type::String),
        Field::new("code", code_type),
        Field::new("size", Type::Long),
        Field::new("flag", Type::Bool),
        Field::new("bag", Type::Dynamic),
    ]);
    let text = |text: Option<&str>| Value::string(text.unwrap_or_default());
    let rows = (0..count as usize).map(|row| {
        vec![
            times[row].map_or(Value::Null(Type::Datetime), |time| datetime(time, unit)),
            Value::null(table.field(1).ty),
            text(users[row]),
            text(ids[row].as_deref()),
            match (codes[row], code_type) {
                (Some(code), Type::Int) => Value::Int(code),
                (Some(code), Type::Long) => Value::Long(code.into()),
                (code, Type::String) => Value::string(code.map(|code| code.to_string()).unwrap_or_default()),
                (_, ty) => Value::Null(ty),
            },
            sizes[row].map_or(Value::Null(Type::Long), |size| Value::Long(size.into())),
            flags[row].map_or(Value::Null(Type::Bool), Value::Bool),
            bags[row].clone().map_or(Value::Null(Type::Dynamic), Value::dynamic),
        ]
    });
    let rows = rows.collect();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = write(&batch, properties(rng));
    RandomFile { file, table, rows }
}

fn properties(rng: &mut ChaCha8Rng) -> WriterProperties {
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4_RAW,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
    ];
    let statistics =
        [EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page, EnabledStatistics::Page];
    let mut properties = WriterProperties::builder()
        .set_compression(compressions[rng.random_range(0..compressions.len())])
        .set_statistics_enabled(statistics[rng.random_range(0..statistics.len())])
        .set_max_row_group_row_count(Some([40, 333, 5000][rng.random_range(0..3)]))
        .set_data_page_row_count_limit([7, 50, 5000][rng.random_range(0..3)])
        .set_write_batch_size([3, 64][rng.random_range(0..2)])
        .set_dictionary_page_size_limit([16, 200, 1 << 20][rng.random_range(0..3)])
        .set_statistics_truncate_length([None, Some(3), Some(20)][rng.random_range(0..3)])
        .set_column_index_truncate_length([None, Some(2), Some(20)][rng.random_range(0..3)])
        .set_bloom_filter_enabled(rng.random_bool(0.3))
        .set_offset_index_disabled(rng.random_bool(0.2));
    if rng.random_bool(0.5) {
        properties = properties.set_writer_version(WriterVersion::PARQUET_2_0);
    }
    if rng.random_bool(0.3) {
        properties = properties.set_dictionary_enabled(false);
    }
    if rng.random_bool(0.3) {
        let id = ColumnPath::from("id");
        properties = properties.set_column_dictionary_enabled(id.clone(), false).set_column_encoding(
            id,
            [Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::PLAIN][rng.random_range(0..3)],
        );
    }
    properties.build()
}

/// Returns a value for a comparison with a column: one that occurs, or one next to it.
fn literal(rng: &mut ChaCha8Rng, written: &RandomFile, column: usize) -> Value {
    let value = written.rows[rng.random_range(0..written.rows.len())][column].clone();
    let near = rng.random_range(-1..=1);
    match (value, written.table.field(column).ty) {
        (Value::Datetime(ticks), _) => Value::Datetime(ticks + near),
        (Value::Int(number), _) => Value::Int(number + near as i32),
        (Value::Long(number), _) => Value::Long(number + near),
        (Value::String(text), _) if near == 1 => Value::string(format!("{text}\u{1}")),
        (Value::Null(_), Type::Datetime) => datetime(START + 3, UnixUnit::Seconds),
        (Value::Null(_), Type::Int) => Value::Int(3),
        (Value::Null(_), Type::Long) => Value::Long(3),
        (Value::Null(_), Type::Bool) => Value::Bool(true),
        (value, _) => value,
    }
}

fn predicate(rng: &mut ChaCha8Rng, written: &RandomFile, depth: usize) -> Predicate {
    // Dynamic columns are excluded: the engine does not compare them this way.
    let mut columns = vec![0, 2, 3, 4, 5, 6];
    if written.table.field(1).ty != Type::Dynamic {
        columns.push(1);
    }
    let column = columns[rng.random_range(0..columns.len())];
    let is_text = written.table.field(column).ty == Type::String;
    match rng.random_range(0..if depth == 0 { 5 } else { 7 }) {
        0 | 1 if !is_text => {
            let comparisons =
                [Comparison::Less, Comparison::LessOrEqual, Comparison::Greater, Comparison::GreaterOrEqual];
            let comparison = comparisons[rng.random_range(0..4)];
            Predicate::Compare { column, comparison, value: literal(rng, written, column) }
        }
        0..=2 => Predicate::Compare { column, comparison: Comparison::Equal, value: literal(rng, written, column) },
        3 => {
            let count = rng.random_range(0..4);
            let values = (0..count).map(|_| literal(rng, written, column)).collect();
            Predicate::OneOf { column, values, case_sensitive: !is_text || rng.random_bool(0.5) }
        }
        4 => {
            let needle = ["", "ADA", "contoso", "7", "0000", "nowhere"][rng.random_range(0..6)].to_owned();
            Predicate::Contains { column: rng.random_range(2..4), needle, case_sensitive: rng.random_bool(0.5) }
        }
        5 => Predicate::All((0..rng.random_range(1..4)).map(|_| predicate(rng, written, depth - 1)).collect()),
        _ => Predicate::Any((0..rng.random_range(1..4)).map(|_| predicate(rng, written, depth - 1)).collect()),
    }
}

#[derive(Debug, Default)]
struct SeenKinds {
    groups: u64,
    page_rows: u64,
    files: u64,
    late: u64,
}

#[test]
fn a_scan_that_skips_gives_the_rows_of_one_that_does_not() {
    let mut seen = SeenKinds::default();
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let written = file_of(&mut rng);
        let file = open(written.file.path());
        let whole = request(0..written.table.len());
        assert_eq!(rows(&file, &written.table, &whole), written.rows, "seed {seed}: everything");
        for _ in 0..8 {
            check(&mut rng, &file, &written, &mut seen).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        }
    }
    assert!(seen.groups > 100 && seen.files > 20 && seen.late > 50 && seen.page_rows > 1000, "{seen:?}");
}

fn expected_value(row: &[Value], column: &ScanColumn) -> Value {
    match (&row[column.column()], column) {
        (value, ScanColumn::Column(_)) => value.clone(),
        (Value::Dynamic(json), ScanColumn::Path { path, .. }) => Value::dynamic(extract(json, path).unwrap()),
        (value, _) => value.clone(),
    }
}

fn check(
    rng: &mut ChaCha8Rng,
    file: &Arc<ParquetFile>,
    written: &RandomFile,
    seen: &mut SeenKinds,
) -> Result<(), String> {
    let wanted = predicate(rng, written, 2);
    let city = ScanColumn::Path { column: 7, path: Path::new(vec![Step::Member("city".to_owned())]) };
    let count = rng.random_range(0..5);
    let some_column = |_| match rng.random_range(0..9) {
        8 => city.clone(),
        column => ScanColumn::Column(column),
    };
    let columns: Vec<ScanColumn> = (0..count).map(some_column).collect();
    let matching: Vec<&Vec<Value>> =
        written.rows.iter().filter(|row| matches(&wanted, &|column| row[column].clone())).collect();
    let expected: Vec<Vec<Value>> =
        matching.iter().map(|row| columns.iter().map(|column| expected_value(row, column)).collect()).collect();

    let mut filtered = ScanRequest { columns: columns.clone(), ..request([]) };
    filtered.batch_rows = [1, 5, 64, 8192][rng.random_range(0..4)];
    filtered.prune = vec![wanted.clone()];
    filtered.filter = Some(Arc::new(RowByRowFilter::new(wanted.clone())));
    let actual = rows(file, &written.table, &filtered);
    if actual != expected {
        return Err(format!("{wanted:?} on {columns:?}: {} rows instead of {}", actual.len(), expected.len()));
    }
    if !filtered.report.problems().is_empty() {
        return Err(format!("{:?}", filtered.report.problems()));
    }
    seen.groups += filtered.counters.get(ScanCount::RowGroupsPruned);
    seen.page_rows += filtered.counters.get(ScanCount::PageRowsPruned);
    seen.files += filtered.counters.get(ScanCount::FilesPruned);
    let reads_late = columns.iter().any(|column| !wanted.columns().contains(&column.column()));
    seen.late += u64::from(reads_late && !expected.is_empty() && expected.len() < written.rows.len());

    // Without the filter, skipping must leave every row that matches.
    let mut pruned = request(0..written.table.len());
    pruned.prune = vec![wanted.clone()];
    let left = rows(file, &written.table, &pruned);
    let survivors: Vec<&Vec<Value>> =
        left.iter().filter(|row| matches(&wanted, &|column| row[column].clone())).collect();
    if survivors != matching {
        return Err(format!("{wanted:?}: {} of {} rows survive the skipping", survivors.len(), matching.len()));
    }

    // With a limit, the scan may stop early, but not before it has returned that many rows.
    filtered.limit = Some(rng.random_range(0..20));
    let limited = rows(file, &written.table, &filtered);
    if limited.len() < expected.len().min(filtered.limit.unwrap_or(0)) {
        return Err(format!("{wanted:?}: {} rows of a limit of {:?}", limited.len(), filtered.limit));
    }
    Ok(())
}
