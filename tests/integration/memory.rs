//! Results that do not fit in memory: the same rows in the same order, from temporary files that are removed
//! afterwards.

use std::path::Path;
use std::sync::Arc;

use coldcase::engine::{Engine, Flow, Settings};
use coldcase::scan::{Catalog, MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{Output, coldcase_with};
use crate::equivalence::{plain, value};

/// Batches of `rows` rows with duplicate strings, numbers, and the number of the row.
fn catalog(rng: &mut impl Rng, batches: usize, rows: usize) -> Arc<dyn Catalog> {
    let fields = [("s", Type::String), ("r", Type::Real), ("d", Type::Dynamic), ("k", Type::Long), ("n", Type::Long)];
    let batches = (0..batches).map(|batch| {
        let column = |(name, ty): &(&str, Type), rng: &mut _| {
            let values = (0..rows).map(|row| match *name {
                "n" => Value::Long((batch * rows + row) as i64),
                "k" => Value::Long(Rng::next_u64(rng) as i64 % 300),
                _ => value(rng, *ty),
            });
            plain(*ty, &values.collect::<Vec<_>>())
        };
        Batch::new(fields.iter().map(|field| column(field, rng)).collect(), rows)
    });
    let batches = batches.collect();
    let schema = Schema::new(fields.map(|(name, ty)| Field::new(name, ty)));
    Arc::new(MemoryCatalog::default().with("T", Arc::new(MemoryTable::new(schema, batches))))
}

/// The rows, and the number of temporary files.
fn answer(catalog: &Arc<dyn Catalog>, query: &str, settings: Settings) -> (Vec<Vec<Value>>, u64) {
    let prepared = Engine::new(Arc::clone(catalog), settings).prepare(query).expect("the query is right");
    let mut rows = Vec::new();
    let consume = &mut |batch: Batch| {
        rows.extend((0..batch.rows()).map(|row| batch.columns().iter().map(|column| column.value(row)).collect()));
        Ok(Flow::Continue(()))
    };
    prepared.run(consume).unwrap_or_else(|error| panic!("{query}: {error}"));
    (rows, prepared.temporary_files())
}

/// Runs the queries with little memory and with enough; the results are equal, reals to the last bit.
fn check(queries: &[&str]) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let catalog = catalog(&mut rng, 8, 250);
    let folder = tempfile::tempdir().expect("a folder");
    for query in queries {
        let whole = Settings { threads: 2, ..Settings::new(datetime::UNIX_EPOCH) };
        let (expected, files) = answer(&catalog, query, whole);
        assert!(!expected.is_empty(), "{query}: no rows");
        assert_eq!(files, 0, "{query}: there is memory enough");
        for (max_memory, threads, batch_rows) in [(8_000, 1, 900), (30_000, 3, 64), (150_000, 2, 8_192)] {
            let temp_dir = Some(folder.path().to_owned());
            let settings =
                Settings { threads, batch_rows, max_memory, temp_dir, ..Settings::new(datetime::UNIX_EPOCH) };
            let (rows, files) = answer(&catalog, query, settings);
            let text = |rows: &[Vec<Value>]| rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>();
            assert!(text(&expected) == text(&rows), "{query}: other rows within {max_memory} bytes");
            assert!(files > 0 || max_memory > 10_000, "{query}: nothing was written within {max_memory} bytes");
        }
    }
    assert!(is_empty(folder.path()), "temporary files are left");
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).expect("the folder is there").next().is_none()
}

#[test]
fn sorting_with_little_memory() {
    check(&[
        "T | sort by s asc, r desc",
        "T | sort by tostring(d) asc, k % 7 desc nulls first",
        "T | sort by n desc | where k > 100 | project n, s",
        "T | sort by 1",
        "T | top 1500 by r",
        "T | extend c = 'constant' | sort by k asc nulls first | sort by s | take 1500",
    ]);
}

#[test]
fn grouping_with_little_memory() {
    check(&[
        "T | summarize count(), sum(r), avg(r), stdev(r), min(s), max(s), dcount(n), percentile(n, 30) by k",
        "T | summarize make_list(n), make_set(s), make_set(d), make_bag(bag_pack(s, n)) by k",
        "T | summarize arg_max(r, *), take_any(s), arg_min(s, n) by k, bin(n, 700)",
        "T | summarize countif(r > 0), make_list_if(n, s has 'a', 700), binary_all_xor(n), dcountif(s, k > 5) by tostring(d)",
        "T | distinct s, k",
        "T | summarize c = count() by n, d = tostring(d) | summarize sum(c), make_list(n) by d | take 3",
        "T | take 1500 | summarize make_list(n, 9) by k, s",
        "T | summarize c = count(), make_list(n), make_set(s) by k | where c < 6",
    ]);
}

/// A HAVING predicate is evaluated before lists are written; a nondeterministic one is evaluated afterwards.
#[test]
fn groups_excluded_by_a_having_predicate_are_not_written() {
    let catalog = catalog(&mut ChaCha8Rng::seed_from_u64(11), 8, 250);
    let groups = [
        "summarize c = count(), l = make_list(n), u = make_set(s), b = make_bag(bag_pack(s, n)), m = max(r) by k",
        "summarize l = make_list(n), c = dcount(s), p = percentiles(n, 30, 60), arg_max(r, *) by k",
        "summarize c = countif(r > 0), t = take_any(s), l = make_set_if(n, r > 0), stdev(r), min(s) by k, bin(n, 700)",
        "summarize c = count(), l = make_list(s)",
        "summarize c = count() by k",
    ];
    let conditions = ["c >= 5", "c < 5", "c > 0", "c > 1000", "c > 3 and k % 2 == 0", "k > 290", "tostring(l) has 'a'"];
    let mut smaller = 0;
    for (summarize, condition) in groups.iter().flat_map(|groups| conditions.map(|condition| (groups, condition))) {
        let has = |name: &str| summarize.contains(name);
        if (condition.contains('k') && !has(" by k")) || (condition.contains('l') && !has("l = ")) {
            continue;
        }
        for (max_memory, threads, batch_rows) in [(u64::MAX, 2, 8_192), (u64::MAX, 1, 64), (30_000, 3, 64)] {
            let ask = |condition: &str| {
                let settings = Settings { threads, batch_rows, max_memory, ..Settings::new(datetime::UNIX_EPOCH) };
                let rows = answer(&catalog, &format!("T | {summarize} | where {condition}"), settings).0;
                rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>()
            };
            let rows = ask(condition);
            assert!(rows == ask(&format!("{condition} and rand() >= 0.0")), "{summarize}: {condition}");
            smaller += usize::from(!rows.is_empty());
        }
    }
    assert!(smaller > 30, "{smaller} answers with rows");
}

#[test]
fn joins_with_little_memory() {
    let other = "(T | where n % 3 == 0 | extend k = k + 20, m = n, e = strcat(s, '!'))";
    let kinds = ["innerunique", "inner", "leftouter", "rightouter", "fullouter", "leftsemi", "leftanti", "rightsemi"];
    let kinds = kinds.into_iter().chain(["rightanti"]);
    let mut queries: Vec<String> = kinds.map(|kind| format!("T | join kind={kind} {other} on k")).collect();
    queries.push(format!("T | join kind=fullouter {other} on k, s | project n, m, s1, s"));
    queries.push(format!("T | lookup {other} on n"));
    // A predicate on pairs is evaluated before they are sorted.
    let outer = ["innerunique", "inner", "leftouter", "rightouter", "fullouter"];
    queries
        .extend(outer.map(|kind| format!("T | join kind={kind} {other} on k | where isnull(m) or n < m or s == s1")));
    check(&queries.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Rows that exceed the smallest memory limit.
const LARGE: &str =
    "range x from 1 to 200000 step 1 | extend s = strcat('a text of some length that counts ', x * 7919 % 200003)";

fn within(query: &str, folder: &str, more: &[&str]) -> Output {
    let query = format!("{LARGE} | {query}");
    coldcase_with(&[&[query.as_str(), "-v", "-o", "csv", "--temp-dir", folder], more].concat(), "")
}

#[test]
fn temporary_files_are_in_the_requested_folder_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let name = path.display().to_string();
    let whole = within("sort by s | summarize make_list(x, 5), count()", &name, &[]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let spilled = within("sort by s | summarize make_list(x, 5), count()", &name, &["--max-memory", "16M"]);
    assert_eq!((spilled.code, spilled.stdout), (0, whole.stdout), "{}", spilled.stderr);
    assert!(spilled.stderr.contains("temporary files"), "{}", spilled.stderr);
    assert!(is_empty(path), "temporary files are left");
    // Also if the run ends early, and after an error.
    assert_eq!(within("sort by s | take 3", &name, &["--max-memory", "16M"]).code, 0);
    let failed = within("sort by s | extend y = x / toscalar(print 0) | where y > 0", &name, &["--max-memory", "16M"]);
    assert!(is_empty(path), "temporary files are left: {}", failed.stderr);
}

#[test]
fn state_that_cannot_be_split_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().display().to_string();
    let query = "extend s = strcat(s, s, s) | summarize make_list(s)";
    let failed = within(query, &name, &["--max-memory", "16M"]);
    assert_eq!(failed.code, 6, "{}", failed.stderr);
    for part in ["`make_list`", " MiB", "--max-memory"] {
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }
    assert_eq!(within(query, &name, &["--max-memory", "256M"]).code, 0);
    let one_key = "extend s = strcat(s, s), k = 1 | join kind=inner (print k = 1) on k | count";
    assert_eq!(within(one_key, &name, &["--max-memory", "16M"]).code, 0, "the few rows are held");
    let one_key = "extend s = strcat(s, s), k = 1 | join kind=innerunique (print k = 1) on k | project s, x | count";
    assert_eq!(within(one_key, &name, &["--max-memory", "16M"]).code, 0, "the first row of the key is held");
    let one_key =
        "extend s = strcat(s, s, s), k = 1 | join kind=rightouter (print k = 1) on k | summarize max(s), min(x)";
    let failed = within(one_key, &name, &["--max-memory", "16M"]);
    assert_eq!(failed.code, 6, "{}", failed.stderr);
    assert!(failed.stderr.contains("join needs"), "{}", failed.stderr);
    assert!(is_empty(folder.path()), "temporary files are left");
}

#[test]
fn an_unusable_temporary_folder_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let name = file.path().display().to_string();
    let failed = within("sort by s", &name, &["--max-memory", "16M"]);
    assert_eq!(failed.code, 2, "{}", failed.stderr);
    assert!(failed.stderr.contains(&name), "{}", failed.stderr);
}

#[test]
fn invalid_memory_limits_are_refused() {
    for wrong in ["1K", "0%", "101%", "much", "-5"] {
        let output = coldcase_with(&["print 1", &format!("--max-memory={wrong}")], "");
        assert_eq!(output.code, 2, "{wrong}: {}", output.stderr);
    }
    assert_eq!(coldcase_with(&["print 1", "--max-memory", "256MB"], "").code, 0);
}
