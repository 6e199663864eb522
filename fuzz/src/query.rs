//! Queries of any text over a small table: run in several ways, which must agree.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use coldcase::diagnostic::{Error, Family};
use coldcase::engine::{Engine, Flow, Settings};
use coldcase::scan::{Catalog, MemoryCatalog, MemoryTable};
use coldcase::source::file_catalog::FileCatalogBuilder;
use coldcase::syntax;
use coldcase::types::{Batch, ColumnBuilder, Field, Schema, Type, Value, datetime};

use super::scan;

/// How long one run may take before it is stopped.
const PATIENCE: Duration = Duration::from_millis(700);

/// Rows of an answer that are compared.
const MAX_ROWS: usize = 2_000;

/// Functions whose answer is another one each time, or depends on how often they are asked.
const RESTLESS: [&str; 3] = ["rand", "new_guid", "guid_new"];

/// How far two reals may lie apart: the order in which parts are added up shows in the last digits.
const TOLERANCE: f64 = 1e-9;

/// What a query comes to.
#[derive(Debug, PartialEq)]
enum Answer {
    Rows(Vec<Type>, Vec<Vec<Value>>),
    /// Refused before it ran, with this code.
    Refused(String),
    /// Stopped by a value that cannot be represented, by a limit, or by us: which of them depends on what is computed.
    Stopped,
}

/// A column of each type, with nulls.
fn catalog() -> Arc<dyn Catalog> {
    static CATALOG: OnceLock<Arc<MemoryCatalog>> = OnceLock::new();
    let make = || {
        let schema = Schema::new(Type::ALL.iter().map(|ty| Field::new(format!("{ty}_"), *ty)));
        let batch = |from: i64| {
            let column = |ty: &Type| {
                let mut builder = ColumnBuilder::new(*ty);
                (from..from + 4).for_each(|at| builder.append(&value(*ty, at)));
                builder.finish()
            };
            Batch::new(Type::ALL.iter().map(column).collect(), 4)
        };
        let table = MemoryTable::new(schema, vec![batch(-1), batch(3)]);
        MemoryCatalog::default().with("T", Arc::new(table)).with("SigninLogs", Arc::new(sign_ins())).into()
    };
    Arc::clone(CATALOG.get_or_init(make)) as _
}

/// The sign-ins of a sample.
fn sign_ins() -> MemoryTable {
    let mut builder = FileCatalogBuilder::default();
    builder.add(scan::testdata().join("shapes/graph-ndjson")).expect("a sample");
    let engine = Engine::new(Arc::new(builder.build()), Settings::new(datetime::UNIX_EPOCH));
    let rows = engine.query("SigninLogs").expect("rows");
    MemoryTable::new(rows.schema, rows.batches)
}

fn value(ty: Type, at: i64) -> Value {
    if at % 4 == 2 {
        return Value::null(ty);
    }
    let byte = u8::try_from(at & 3).unwrap_or(0);
    match ty {
        Type::Bool => Value::Bool(at > 1),
        Type::Int => Value::Int(i32::try_from(at).unwrap_or(0)),
        Type::Long => Value::Long(if at == 5 { i64::MIN } else { at }),
        Type::Real => Value::Real(at as f64 * 0.25),
        Type::Decimal => Value::Decimal(at.into()),
        Type::String => Value::string(["a", "Ab-c", "élan vital", "x.y@contoso.com"][usize::from(byte)]),
        Type::Datetime => Value::Datetime(638_396_640_000_000_000 + at * 7_000_000_000_000),
        Type::Timespan => Value::Timespan(at * 6_000_000_000),
        Type::Guid => Value::Guid([byte; 16]),
        Type::Dynamic => {
            Value::dynamic(["[1,\"b\",null]", "{\"a\":1,\"b\":{\"c\":[1,2]}}", "\"t\"", "2.5"][usize::from(byte)])
        }
    }
}

/// A thread that stops runs which take too long.
fn watch(cancelled: &Arc<AtomicBool>) -> Sender<()> {
    let (done, finished) = channel();
    let cancelled = Arc::clone(cancelled);
    thread::spawn(move || {
        if finished.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            cancelled.store(true, Ordering::Relaxed);
        }
    });
    done
}

fn answer(text: &str, optimize: bool, threads: usize, batch_rows: usize) -> Answer {
    let settings = Settings { optimize, threads, batch_rows, ..Settings::new(datetime::UNIX_EPOCH) };
    let _watched = watch(&settings.cancelled);
    let refused = |error: Error| match error {
        Error::Query(list) if list.iter().all(|diagnostic| diagnostic.code.family() != Family::Runtime) => {
            Answer::Refused(format!("{:?}", list[0].code))
        }
        // A text with several results.
        Error::Usage(_) => Answer::Refused("Usage".to_owned()),
        Error::Query(_) | Error::Limit(_) | Error::Cancelled => Answer::Stopped,
        other => panic!("{other}"),
    };
    let prepared = match Engine::new(catalog(), settings).prepare(text) {
        Ok(prepared) => prepared,
        Err(error) => return refused(error),
    };
    let types: Vec<Type> = prepared.schema().fields().iter().map(|field| field.ty).collect();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let run = prepared.run(&mut |batch| {
        let left = MAX_ROWS - rows.len();
        let row = |row: usize| batch.columns().iter().map(|column| column.value(row)).collect();
        rows.extend((0..batch.rows().min(left)).map(row));
        Ok(if rows.len() == MAX_ROWS { Flow::Break(()) } else { Flow::Continue(()) })
    });
    match run {
        Ok(()) => Answer::Rows(types, rows),
        Err(error) => refused(error),
    }
}

/// Runs the query in every way.
///
/// # Panics
/// Where two ways differ, or the program says that it has a bug.
pub fn check(text: &str) {
    check_printed(text);
    let expected = answer(text, true, 1, 8_192);
    if expected == Answer::Stopped || RESTLESS.iter().any(|name| text.contains(name)) {
        return;
    }
    for (optimize, threads, batch_rows) in [(false, 1, 8_192), (true, 2, 3)] {
        let found = answer(text, optimize, threads, batch_rows);
        assert!(same(&expected, &found), "optimize {optimize}, {threads} threads: {expected:?}, or {found:?}");
    }
}

/// A tree that is printed is the same tree when it is read.
fn check_printed(text: &str) {
    let parsed = syntax::parse(text);
    if parsed.diagnostics.is_empty() {
        let printed = syntax::print(&parsed.query);
        let again = syntax::parse(&printed);
        assert!(again.diagnostics.is_empty(), "{printed}: {:?}", again.diagnostics);
        assert_eq!(syntax::print(&again.query), printed);
    }
}

fn same(one: &Answer, other: &Answer) -> bool {
    match (one, other) {
        (Answer::Stopped, _) | (_, Answer::Stopped) => true,
        (Answer::Rows(types, rows), Answer::Rows(other_types, other_rows)) => {
            let cells = |(one, other): (&Vec<Value>, &Vec<Value>)| {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
            };
            types == other_types && rows.len() == other_rows.len() && rows.iter().zip(other_rows).all(cells)
        }
        (one, other) => one == other,
    }
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Real(one), Value::Real(other)) => {
            one.to_bits() == other.to_bits()
                || (one.is_nan() && other.is_nan())
                || one == other
                || (one - other).abs() <= TOLERANCE * one.abs().max(other.abs())
        }
        (one, other) => one == other,
    }
}
