//! Columns that are read late: a query over a columnar table, of which chosen rows are read in a second phase, returns
//! the rows of the plain plan.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use coldcase::diagnostic::Error;
use coldcase::engine::{Engine, Settings};
use coldcase::scan::{
    Catalog, MemoryCatalog, MemoryTable, Partition, ScanColumn, ScanRequest, TableProvider, provenance,
};
use coldcase::types::{Batch, Column, Field, Schema, Type, Value, datetime};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::{coded, plain, value};
use crate::wire;

const COLUMNS: [(&str, Type); 8] = [
    ("a", Type::Long),
    ("s", Type::String),
    ("t", Type::Datetime),
    ("r", Type::Real),
    ("d", Type::Dynamic),
    ("u", Type::String),
    ("b", Type::Bool),
    ("g", Type::Guid),
];

/// A table whose rows have positions. If it is damaged, its first rows can be read only without the column `u`.
#[derive(Clone, Debug)]
struct PositionedTable {
    schema: Schema,
    batches: Vec<Batch>,
    columnar: bool,
    damaged: bool,
    /// The number of scans that read rows at positions.
    late_scans: Arc<AtomicUsize>,
}

impl TableProvider for PositionedTable {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn scan(&self, request: &ScanRequest) -> Result<Vec<Arc<dyn Partition>>, Error> {
        let mut batches = self.batches.clone();
        let filter = request.filter.iter().flat_map(|filter| filter.columns());
        let is_late = filter.map(ScanColumn::column).eq(std::iter::once(COLUMNS.len()));
        self.late_scans.fetch_add(usize::from(is_late), Ordering::Relaxed);
        let reads = |name: &str| request.columns.iter().any(|column| self.schema.field(column.column()).name == name);
        if self.damaged && reads("u") {
            batches.remove(0);
            request.report.lost("a.parquet", "row group 0", "broken");
        }
        MemoryTable::new(self.schema.clone(), batches).scan(request)
    }

    fn describe(&self) -> String {
        "a table".to_owned()
    }

    fn is_columnar(&self) -> bool {
        self.columnar
    }

    fn with_provenance(&self) -> Option<Arc<dyn TableProvider>> {
        let name = provenance::Provenance::Position.name();
        let fields = self.schema.fields().iter().cloned().chain([Field::new(name, Type::Long)]);
        let mut next = 0;
        let with_positions = |batch: &Batch| {
            let positions: Vec<Value> = (next..).take(batch.rows()).map(|row: i64| Value::Long(row * 3)).collect();
            next += i64::try_from(batch.rows()).expect("few rows");
            let columns = batch.columns().iter().cloned().chain([plain(Type::Long, &positions)]);
            Batch::new(columns.collect(), batch.rows())
        };
        let batches = self.batches.iter().map(with_positions).collect();
        Some(Arc::new(Self { schema: Schema::new(fields), batches, ..self.clone() }))
    }
}

fn table(rng: &mut impl Rng) -> PositionedTable {
    let batch = |_| {
        let rows = rng.random_range(1..40);
        let column = |(index, (_, ty)): (usize, &(&str, Type))| -> Column {
            let values: Vec<Value> = (0..rows).map(|_| value(rng, *ty)).collect();
            if index == 5 { coded(&values) } else { plain(*ty, &values) }
        };
        Batch::new(COLUMNS.iter().enumerate().map(column).collect(), rows)
    };
    let batches = (0..5).map(batch).collect();
    let schema = Schema::new(COLUMNS.map(|(name, ty)| Field::new(name, ty)));
    PositionedTable { schema, batches, columnar: false, damaged: false, late_scans: Arc::default() }
}

fn query(rng: &mut impl Rng) -> String {
    let mut one = |of: &[&'static str]| *of.choose(rng).expect("a choice");
    let before =
        ["", "| where a > 2", "| extend e = strcat(s, '-', a), v = r * 2", "| where rand() < 2", "| where a > 100"];
    let before = [one(&before), one(&before[..3])];
    let keys = one(&["", "by u", "by s, b", "by bin(a, 3)", "by u, a, b, g"]);
    let first =
        one(&["arg_max(t, *)", "arg_min(a, *)", "take_any(*)", "arg_max(r, s, u, d, b, g)", "arg_max(strlen(s), *)"]);
    let others =
        ["", ", n = count()", ", arg_min(t, *)", ", m = make_list(r), w = take_any(s)", ", arg_max(a, s, d, b, g)"];
    let others = [one(&others), one(&others)];
    let after = [
        "",
        "| top 4 by 1 asc",
        "| take 3",
        "| extend z = 1 | project-reorder z",
        "| where isnotnull(t) | project-away b",
        "| sort by u asc, tostring(d) desc",
        "| project-rename q = d | top 5 by a desc, t desc",
        "| count",
        "| where tostring(s) != ''",
    ];
    let after = [one(&after), one(&after)];
    format!("T {} | summarize {first}{} {keys} {}", before.join(" "), others.join(""), after.join(" "))
}

fn answer(
    table: &PositionedTable,
    query: &str,
    threads: usize,
    batch_rows: usize,
    max_memory: u64,
) -> Result<Vec<String>, String> {
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default().with("T", Arc::new(table.clone())));
    let settings = Settings { threads, batch_rows, max_memory, ..Settings::new(datetime::UNIX_EPOCH) };
    match Engine::new(catalog, settings).query(query) {
        Ok(result) => Ok(wire::rows(&result)),
        Err(Error::Query(list)) => Err(format!("{:?}", list[0].code)),
        Err(other) => Err(other.to_string()),
    }
}

#[test]
fn chosen_rows_are_those_of_the_plain_plan() {
    let (mut valid, mut tried, mut late) = (0_usize, 0_usize, 0);
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = table(&mut rng);
        for _ in 0..25 {
            let query = query(&mut rng);
            for damaged in [false, true] {
                let slow = PositionedTable { damaged, ..table.clone() };
                let expected = answer(&slow, &query, 1, 8_192, u64::MAX);
                let fast = PositionedTable { columnar: true, ..slow };
                tried += 1;
                valid += usize::from(expected.is_ok());
                for (threads, batch_rows, memory) in [(1, 8_192, u64::MAX), (3, 4, u64::MAX), (2, 7, 1 << 20)] {
                    let rows = answer(&fast, &query, threads, batch_rows, memory);
                    assert_eq!(expected, rows, "seed {seed}, damaged {damaged}, {threads} threads: {query}");
                }
            }
        }
        late += table.late_scans.load(Ordering::Relaxed);
    }
    assert!(late * 2 > valid, "only {late} second phases in {valid} queries");
    assert!(valid * 2 > tried, "only {valid} of {tried} queries are valid");
}
