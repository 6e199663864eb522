//! Random queries over random tables: the result depends neither on the optimizer nor on threads and batches, and no
//! query crashes the engine. Seeded, so that a failure can be reproduced; the query of a failure is minimised before it
//! is shown.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::StringDictionaryBuilder;
use arrow::datatypes::Int32Type;
use coldcase::diagnostic::{Code, Error, Family};
use coldcase::engine::{Engine, Settings};
use coldcase::scan::{Catalog, MemoryCatalog, MemoryTable, Partition, ScanRequest, TableProvider};
use coldcase::types::{Batch, Column, ColumnBuilder, Field, Schema, Type, Value, datetime};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::random_query::{self, WORDS};
use crate::wire;

/// How long the test runs; each seed is tried completely.
const TIME: Duration = Duration::from_secs(12);
const SEEDS: u64 = 40;
const QUERIES_PER_SEED: usize = 40;

/// Optimizer, threads, rows per batch, memory; the others must agree with the first.
const CONFIGURATIONS: &[Configuration] = &[
    (true, 1, 8_192, u64::MAX),
    (false, 1, 8_192, u64::MAX),
    (true, 4, 3, u64::MAX),
    (false, 2, 1, u64::MAX),
    (true, 2, 5, 1),
];

type Configuration = (bool, usize, usize, u64);

/// A column of each type, and a dictionary-encoded string column.
fn columns() -> Vec<(String, Type)> {
    let mut columns: Vec<(String, Type)> = Type::ALL.iter().map(|ty| (format!("{ty}_"), *ty)).collect();
    columns.push(("coded_".to_owned(), Type::String));
    columns
}

pub(crate) fn value(rng: &mut impl Rng, ty: Type) -> Value {
    if rng.random_range(0..5) == 0 {
        return Value::null(ty);
    }
    let small = rng.random_range(-3_i64..12);
    match ty {
        Type::Bool => Value::Bool(small > 3),
        Type::Int => Value::Int(i32::try_from(small).expect("small")),
        Type::Long if small == 11 => Value::Long(i64::MIN),
        Type::Long => Value::Long(small),
        // Multiples of a quarter add up exactly in any order.
        Type::Real => Value::Real(small as f64 * 0.25),
        Type::Decimal => Value::Decimal(small.into()),
        Type::String => Value::string(*WORDS.choose(rng).expect("words")),
        Type::Datetime => Value::Datetime(638_396_640_000_000_000 + small * 7_000_000_000_000),
        Type::Timespan => Value::Timespan(small * 6_000_000_000),
        Type::Guid => Value::Guid([u8::try_from(small & 3).expect("small"); 16]),
        Type::Dynamic => {
            let json =
                ["1", "2.5", "\"a\"", "true", "[1,\"b\",null]", "[]", "{\"a\":1,\"b\":{\"c\":[1,2]}}", "{\"a\":[5,6]}"];
            Value::dynamic(*json.choose(rng).expect("texts"))
        }
    }
}

/// A table in several batches.
fn catalog(rng: &mut impl Rng) -> Arc<dyn Catalog> {
    let columns = columns();
    let batches = (0..rng.random_range(1..4)).map(|_| {
        let rows = rng.random_range(0..25);
        let column = |(name, ty): &(String, Type), rng: &mut _| {
            let values: Vec<Value> = (0..rows).map(|_| value(rng, *ty)).collect();
            if name == "coded_" { coded(&values) } else { plain(*ty, &values) }
        };
        Batch::new(columns.iter().map(|field| column(field, rng)).collect(), rows)
    });
    let batches = batches.collect();
    let schema = Schema::new(columns.iter().map(|(name, ty)| Field::new(name, *ty)));
    Arc::new(MemoryCatalog::default().with("T", Arc::new(MemoryTable::new(schema, batches))))
}

pub(crate) fn plain(ty: Type, values: &[Value]) -> Column {
    let mut builder = ColumnBuilder::new(ty);
    values.iter().for_each(|value| builder.append(value));
    builder.finish()
}

pub(crate) fn coded(values: &[Value]) -> Column {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    values.iter().for_each(|value| builder.append_value(value.as_str().expect("texts")));
    let array = builder.finish();
    Column::array(Type::String, Arc::new(array))
}

/// The result of a query: types and rows, or why there are none.
enum Answer {
    Rows(Vec<Type>, Vec<String>),
    Refused(Code),
    /// A value could not be represented; that depends on which values are computed at all.
    StoppedWhileRunning,
    Broken(String),
}

fn answer(
    catalog: &Arc<dyn Catalog>,
    query: &str,
    (optimize, threads, batch_rows, max_memory): Configuration,
) -> Answer {
    let settings = Settings { optimize, threads, batch_rows, max_memory, ..Settings::new(datetime::UNIX_EPOCH) };
    let engine = Engine::new(Arc::clone(catalog), settings);
    match catch_unwind(AssertUnwindSafe(|| engine.query(query))) {
        Ok(Ok(result)) => {
            let types = result.schema.fields().iter().map(|field| field.ty).collect();
            Answer::Rows(types, wire::rows(&result))
        }
        Ok(Err(Error::Query(list))) if list.iter().all(|d| d.code.family() == Family::Runtime) => {
            Answer::StoppedWhileRunning
        }
        Ok(Err(Error::Query(list))) => Answer::Refused(list[0].code),
        Ok(Err(Error::Limit(_))) => Answer::StoppedWhileRunning,
        Ok(Err(other)) => Answer::Broken(other.to_string()),
        Err(_) => Answer::Broken("a panic".to_owned()),
    }
}

/// Describes the difference between two results.
fn difference(expected: &Answer, actual: &Answer) -> Option<String> {
    match (expected, actual) {
        (_, Answer::Broken(why)) | (Answer::Broken(why), _) => Some(why.clone()),
        (Answer::StoppedWhileRunning, _) | (_, Answer::StoppedWhileRunning) => None,
        (Answer::Refused(a), Answer::Refused(b)) => (a != b).then(|| format!("refused as {a:?} and as {b:?}")),
        (Answer::Refused(code), Answer::Rows(..)) | (Answer::Rows(..), Answer::Refused(code)) => {
            Some(format!("refused as {code:?}, or not"))
        }
        (Answer::Rows(types, expected), Answer::Rows(other, actual)) => {
            if types != other || expected.len() != actual.len() {
                return Some(format!("{} rows of {types:?}, {} rows of {other:?}", expected.len(), actual.len()));
            }
            let wrong = expected.iter().zip(actual).position(|(a, b)| !wire::same_row(types, a, b))?;
            Some(format!("row {wrong}: {} or {}", expected[wrong], actual[wrong]))
        }
    }
}

/// The first configuration that does not agree with the default one.
fn disagreement(catalog: &Arc<dyn Catalog>, query: &str) -> Option<String> {
    let expected = answer(catalog, query, CONFIGURATIONS[0]);
    let mut others = CONFIGURATIONS.iter();
    others.find_map(|configuration| {
        let why = difference(&expected, &answer(catalog, query, *configuration))?;
        Some(format!("{configuration:?}: {why}"))
    })
}

/// Removes the operators that the disagreement does not need.
fn smallest(catalog: &Arc<dyn Catalog>, mut stages: Vec<String>) -> Vec<String> {
    let mut at = stages.len();
    while at > 1 {
        at -= 1;
        let mut fewer = stages.clone();
        fewer.remove(at);
        if disagreement(catalog, &fewer.join(" | ")).is_some() {
            stages = fewer;
        }
    }
    stages
}

#[test]
fn results_depend_only_on_the_query() {
    let start = Instant::now();
    let (mut tried, mut valid) = (0, 0);
    let mut complaints = Vec::new();
    for seed in 0..SEEDS {
        if start.elapsed() > TIME {
            break;
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let catalog = catalog(&mut rng);
        for _ in 0..QUERIES_PER_SEED {
            let stages = random_query::query(&mut rng, "T", &columns());
            tried += 1;
            valid += usize::from(matches!(answer(&catalog, &stages.join(" | "), CONFIGURATIONS[0]), Answer::Rows(..)));
            if disagreement(&catalog, &stages.join(" | ")).is_some() {
                let query = smallest(&catalog, stages).join(" | ");
                let why = disagreement(&catalog, &query).unwrap_or_default();
                complaints.push(format!("seed {seed}: {query}\n    {why}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{} of {tried}\n{}", complaints.len(), complaints.join("\n"));
    assert!(valid * 2 > tried, "only {valid} of {tried} queries are valid");
}

/// A table whose columns are read separately, or claims to be; if it is damaged, its first partition has the first
/// column only.
#[derive(Debug)]
struct InColumns {
    inner: MemoryTable,
    apart: bool,
    damaged: bool,
}

impl TableProvider for InColumns {
    fn schema(&self) -> &Schema {
        self.inner.schema()
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>, Error> {
        let mut partitions = self.inner.scan(request)?;
        if self.damaged && request.columns.len() > 1 {
            partitions.remove(0);
            request.report.lost("a.parquet", "row group 0", "broken");
        }
        Ok(partitions)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn is_columnar(&self) -> bool {
        self.apart
    }
}

/// More rows than `top` keeps at once, so that its dynamic filter has to drop the right ones.
#[test]
fn top_returns_what_sorting_everything_returns() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let fields = [("a", Type::Datetime), ("b", Type::Long), ("n", Type::Long), ("c", Type::Long), ("d", Type::Long)];
    let schema = Schema::new(fields.map(|(name, ty)| Field::new(name, ty)));
    let mut batches = Vec::new();
    for part in 0..12_i64 {
        let mut column = |ty: Type, values: i64| {
            let value = |_| match rng.random_range(0..1_000) {
                0 => Value::null(ty),
                _ if ty == Type::Datetime => Value::Datetime(rng.random_range(0..values)),
                _ => Value::Long(rng.random_range(0..values)),
            };
            plain(ty, &(0..2_500).map(value).collect::<Vec<_>>())
        };
        let numbers: Vec<Value> = (0..2_500).map(|row| Value::Long(part * 2_500 + row)).collect();
        let columns = vec![column(Type::Datetime, 3_000), column(Type::Long, 5), plain(Type::Long, &numbers)];
        let others = [column(Type::Long, 9), column(Type::Long, 9)];
        batches.push(Batch::new(columns.into_iter().chain(others).collect(), 2_500));
    }
    for (apart, damaged) in [(false, false), (true, false), (false, true), (true, true)] {
        let inner = MemoryTable::new(schema.clone(), batches.clone());
        let catalog: Arc<dyn Catalog> =
            Arc::new(MemoryCatalog::default().with("T", Arc::new(InColumns { inner, apart, damaged })));
        for order in ["asc nulls first", "asc nulls last", "desc nulls first", "desc nulls last"] {
            for (count, where_) in [(0, ""), (1, ""), (100, "| where b == 3"), (9_000, ""), (40_000, "| where b < 4")] {
                let query = format!("T {where_} | extend e = d + 1 | sort by a {order}, b {order} | take {count}");
                let all = answer(&catalog, &query, (false, 1, 8_192, u64::MAX));
                let memory = u64::MAX;
                let configurations = [
                    (true, 1, 8_192, memory),
                    (true, 4, 1_000, memory),
                    (true, 2, 900, if count == 9_000 { 1 << 20 } else { memory }),
                ];
                for configuration in configurations {
                    let first = answer(&catalog, &query, configuration);
                    assert_eq!(difference(&all, &first), None, "{query} {configuration:?} {apart} {damaged}");
                }
            }
        }
    }
}
