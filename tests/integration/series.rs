//! Compares `make-series` with loops over random rows: every type of axis, with and without bounds, keys and defaults.

use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::plain;
use crate::wire;

const SEEDS: u64 = 300;
/// Ticks of an hour.
const HOUR: i64 = 36_000_000_000;

/// The axis in quarters of the unit of its type, None for null, then the key and the value.
#[derive(Clone)]
struct Row {
    axis: Option<i64>,
    key: String,
    value: i64,
}

/// The bounds of a series, in quarters.
struct Bounds {
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
    is_range: bool,
}

/// The value of `quarters`, and how a query writes it. Whole types have quarters as their unit.
fn axis_value(ty: Type, quarters: i64) -> (Value, String) {
    match ty {
        Type::Int => (Value::Int(i32::try_from(quarters).expect("a small number")), format!("{quarters}")),
        Type::Long => (Value::Long(quarters), format!("{quarters}")),
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        Type::Real => (Value::Real(quarters as f64 / 4.0), format!("{:?}", quarters as f64 / 4.0)),
        Type::Timespan => (Value::Timespan(quarters * HOUR), format!("({quarters} * 1h)")),
        Type::Datetime => {
            let ticks = datetime::UNIX_EPOCH + quarters * HOUR;
            (Value::Datetime(ticks), format!("(datetime(1970-01-01) + {quarters} * 1h)"))
        }
        other => panic!("no axis has the type {other}"),
    }
}

fn rows(rng: &mut impl Rng) -> Vec<Row> {
    let count = rng.random_range(0..40);
    let row = |rng: &mut dyn Rng| Row {
        axis: (rng.random_range(0..12) > 0).then(|| rng.random_range(-25..60)),
        key: ["", "a", "b", "c"][rng.random_range(0..4)].to_owned(),
        value: rng.random_range(-9..10),
    };
    (0..count).map(|_| row(rng)).collect()
}

fn table(rng: &mut impl Rng, ty: Type, rows: &[Row]) -> MemoryTable {
    let size = rng.random_range(1..12);
    let batches = rows.chunks(size).map(|rows| {
        let axis = rows.iter().map(|row| row.axis.map_or(Value::null(ty), |quarters| axis_value(ty, quarters).0));
        let keys = rows.iter().map(|row| Value::string(row.key.as_str()));
        let values = rows.iter().map(|row| Value::Long(row.value));
        let columns = vec![
            plain(ty, &axis.collect::<Vec<_>>()),
            plain(Type::String, &keys.collect::<Vec<_>>()),
            plain(Type::Long, &values.collect::<Vec<_>>()),
        ];
        Batch::new(columns, rows.len())
    });
    let fields = [("t", ty), ("k", Type::String), ("v", Type::Long)].map(|(name, ty)| Field::new(name, ty));
    MemoryTable::new(Schema::new(fields), batches.collect())
}

fn bounds(rng: &mut impl Rng) -> Bounds {
    let is_range = rng.random_range(0..4) == 0;
    let mut bound = |low: i64| (is_range || rng.random_range(0..3) > 0).then(|| rng.random_range(low..low + 40));
    let (from, to) = (bound(-30), bound(0));
    Bounds { from, to, step: rng.random_range(1..12), is_range }
}

/// The rows that a query should return, as they are written: for each group the arrays of counts, sums and the axis.
fn expected(rows: &[Row], ty: Type, bounds: &Bounds, default: i64) -> Vec<String> {
    // Reals are counted from 0 in units, and all others from 0 in quarters, which are their unit.
    let origin = bounds.from.filter(|_| !bounds.is_range).unwrap_or(0);
    // Ticks are counted from the year 1: the Unix epoch is a multiple of an hour, but not of every number of hours.
    let shift = if ty == Type::Datetime && bounds.from.is_none_or(|_| bounds.is_range) { epoch_hours() } else { 0 };
    let start_of = |quarters: i64| {
        let distance = quarters + shift - origin;
        quarters - distance.rem_euclid(bounds.step)
    };
    let is_inside = |quarters: i64| {
        let lowest = bounds.from.map(|from| if bounds.is_range { start_of(from) } else { from });
        let end = bounds.to.map(|to| if bounds.is_range { start_of(to) + bounds.step } else { to });
        lowest.is_none_or(|lowest| quarters >= lowest) && end.is_none_or(|end| quarters < end)
    };
    let inside: Vec<&Row> = rows.iter().filter(|row| row.axis.is_some_and(is_inside)).collect();
    let mut keys: Vec<&str> = Vec::new();
    for row in &inside {
        if !keys.contains(&row.key.as_str()) {
            keys.push(&row.key);
        }
    }
    let group = |key: &str| {
        let bins: Vec<i64> =
            inside.iter().filter(|row| row.key == key).filter_map(|row| row.axis).map(start_of).collect();
        let first = bounds.from.map_or(bins.iter().min().copied().unwrap_or(0), start_of);
        let last = bins.iter().max().copied().unwrap_or(0);
        let (mut counts, mut sums, mut axis) = (Vec::new(), Vec::new(), Vec::new());
        let mut bin = first;
        while match bounds.to {
            Some(to) if bounds.is_range => bin <= start_of(to),
            Some(to) => bin < to,
            None => bin <= last,
        } {
            let here: Vec<&&Row> =
                inside.iter().filter(|row| row.key == key && row.axis.map(start_of) == Some(bin)).collect();
            counts.push(here.len().to_string());
            let sum: i64 = here.iter().map(|row| row.value).sum();
            sums.push(if here.is_empty() { default } else { sum }.to_string());
            axis.push(wire::cell(&axis_value(ty, bin).0));
            bin += bounds.step;
        }
        format!("[\"{key}\",[{}],[{}],[{}]]", counts.join(","), sums.join(","), axis.join(","))
    };
    keys.into_iter().map(group).collect()
}

/// The hours from the year 1 to the Unix epoch.
fn epoch_hours() -> i64 {
    datetime::UNIX_EPOCH / HOUR
}

#[test]
fn series_equal_loops_over_the_rows() {
    let (mut series, mut empty) = (0, 0);
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let types = [Type::Int, Type::Long, Type::Real, Type::Datetime, Type::Timespan];
        let ty = types[rng.random_range(0..types.len())];
        let (rows, bounds) = (rows(&mut rng), bounds(&mut rng));
        let default = rng.random_range(-2..3);
        let write = |quarters: i64| axis_value(ty, quarters).1;
        let step = axis_value(if ty == Type::Datetime { Type::Timespan } else { ty }, bounds.step).1;
        let on = match &bounds {
            Bounds { from: Some(from), to: Some(to), is_range: true, .. } => {
                format!("in range({}, {}, {step})", write(*from), write(*to))
            }
            Bounds { from, to, .. } => {
                let from = from.map_or(String::new(), |from| format!("from {} ", write(from)));
                let to = to.map_or(String::new(), |to| format!("to {} ", write(to)));
                format!("{from}{to}step {step}")
            }
        };
        let query = format!("T | make-series count(), sum(v) default={default} on t {on} by k");
        let catalog = MemoryCatalog::default().with("T", Arc::new(table(&mut rng, ty, &rows)));
        let threads = rng.random_range(1..4);
        let settings = Settings { threads, batch_rows: 5, ..Settings::new(datetime::UNIX_EPOCH) };
        let result = Engine::new(Arc::new(catalog), settings).query(&query).expect("the query is right");
        let (actual, expected) = (wire::rows(&result), expected(&rows, ty, &bounds, default));
        series += actual.len();
        empty += usize::from(actual.is_empty());
        assert_eq!(actual, expected, "seed {seed}, {ty}: {query}");
    }
    assert!(series > 500 && empty > 5, "{series} series and {empty} empty results: the rows are hardly ever inside");
}
