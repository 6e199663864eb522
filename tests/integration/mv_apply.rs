//! `mv-apply` runs its operators over the elements of many rows at once; here they run over one row after the other
//! (`mv-expand` and the same operators), with the same result.

use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value as Json;

use crate::equivalence::plain;
use crate::wire;

/// Rows of the table.
const ROWS: i64 = 12;

/// Operators, with the columns that they make.
const OPERATORS: [(&str, &[&str]); 47] = [
    ("where x > 3", &[]),
    ("where isnull(x) or x % 2 == 0", &[]),
    ("where false", &[]),
    ("extend y = x + id", &["y"]),
    ("sort by x asc", &[]),
    ("sort by x desc nulls first", &[]),
    ("take 2", &[]),
    ("take 0", &[]),
    ("top 3 by x", &[]),
    ("serialize r = row_number(), s = row_cumsum(x)", &["r", "s"]),
    ("serialize p = prev(x), q = next(x, 2, 7)", &["p", "q"]),
    ("serialize d = row_rank_dense(x, x == prev(x)), m = row_rank_min(x)", &["d", "m"]),
    ("serialize | where row_number() != 2", &[]),
    ("serialize | scan declare (t:long = 1) with (step total: true => t = total.t + coalesce(x, 0);)", &["t"]),
    ("serialize | scan with_match_id=k with (step up output=last: x > 3; step down: x < up.x or down.x > x;)", &["k"]),
    ("summarize x = sum(x), n = count()", &["n"]),
    ("summarize x = max(x), n = count() by odd = x % 2", &["n", "odd"]),
    ("summarize x = count(), l = tostring(make_list(x))", &["l"]),
    ("distinct x", &[]),
    ("mv-expand z = range(1, x % 3) to typeof(long)", &["z"]),
    ("mv-apply w = range(0, 4) to typeof(long) on (where w < x | summarize v = sum(w), c = count())", &["v", "c"]),
    ("mv-apply w = range(0, x % 3) to typeof(long) on (top 1 by w | project u = w)", &["u"]),
    ("partition by x (take 1)", &[]),
    ("partition by x (top 2 by id desc)", &[]),
    ("partition by x (serialize o = row_number(), before = prev(x, 1, -1))", &["o", "before"]),
    ("partition by x (sort by id asc | scan declare (g:long = 0) with (step sum: true => g = sum.g + x;))", &["g"]),
    ("partition by x (mv-expand h = range(1, x % 3) to typeof(long) | serialize i = row_number())", &["h", "i"]),
    ("join kind=inner N on x", &["name"]),
    ("join kind=leftouter N on x", &["name"]),
    ("join kind=leftanti N on x", &[]),
    ("lookup N on x", &["name"]),
    ("join N on x", &["name"]),
    ("join kind=rightouter N on x", &["name"]),
    ("join kind=fullouter N on x", &["name"]),
    ("join kind=rightsemi N on x", &["name"]),
    ("join kind=rightanti N on x", &["name"]),
    ("as R | join kind=inner (R | project x, twice = x * 2) on x", &["twice"]),
    ("as S | join kind=fullouter (S | where x > 4 | project x, large = x) on x", &["large"]),
    ("union (N | where x > 2)", &["name"]),
    ("union (print x = 9), (range x from 1 to 2 step 1)", &[]),
    ("as U | union (U | summarize x = max(x))", &[]),
    ("make-series f = count() default=0 on x from 0 to 9 step 3", &["f"]),
    ("make-series kind=nonempty g = sum(x) on x from 0 to 9 step 3", &["g"]),
    ("top-nested 2 of x by n = count()", &["n"]),
    (
        "top-nested 2 of odd = x % 2 with others = 9 by n = count(), top-nested 1 of x with others = -7 by m = sum(x) asc",
        &["odd", "n", "m"],
    ),
    (
        "top-nested of third = x % 3 by n = max(x), top-nested 1 of odd = x % 2 by m = dcount(x), \
         top-nested 1 of x with others = -7 by l = count()",
        &["third", "n", "odd", "m", "l"],
    ),
    ("project x, e = strcat('e', x % 3) | evaluate pivot(e, count()) : (x:long, e0:long, e1:int)", &["e0", "e1"]),
];

/// Up to four operators in a row; those that make the same columns do not meet.
fn body(rng: &mut impl Rng) -> (String, Vec<&'static str>) {
    let (mut texts, mut columns) = (Vec::new(), vec!["x"]);
    for _ in 0..rng.random_range(1..5) {
        let (text, made) = OPERATORS[rng.random_range(0..OPERATORS.len())];
        if made.iter().any(|column| columns.contains(column)) || (texts.contains(&text)) {
            continue;
        }
        // What these leave of the columns is not tracked, so that they come alone or last.
        let is_last =
            ["summarize", "distinct", "make-series", "join kind=rights", "join kind=righta", "top-nested", "project"]
                .iter()
                .any(|start| text.starts_with(start));
        if is_last {
            columns.truncate(1);
        }
        columns.extend(made);
        texts.push(text);
        if is_last {
            break;
        }
    }
    (texts.join(" | "), columns)
}

fn engine(rng: &mut impl Rng) -> Engine {
    let mut arrays = Vec::new();
    for _ in 0..ROWS {
        let length = rng.random_range(0..7);
        let elements: Vec<String> = (0..length)
            .map(|_| match rng.random_range(0..8) {
                0 => "null".to_owned(),
                1 => "\"text\"".to_owned(),
                _ => rng.random_range(0..9).to_string(),
            })
            .collect();
        arrays.push(match rng.random_range(0..6) {
            0 => Value::Null(Type::Dynamic),
            _ => Value::dynamic(format!("[{}]", elements.join(","))),
        });
    }
    let ids: Vec<Value> = (0..ROWS).map(Value::Long).collect();
    let columns = vec![plain(Type::Long, &ids), plain(Type::Dynamic, &arrays)];
    let rows = Batch::new(columns, arrays.len());
    let schema = Schema::new([Field::new("id", Type::Long), Field::new("a", Type::Dynamic)]);
    let cut = rng.random_range(1..arrays.len());
    let batches = vec![rows.slice(0, cut), rows.slice(cut, rows.rows() - cut)];
    let names = [Value::string("two"), Value::string("three"), Value::string("also three")];
    let keys = [Value::Long(2), Value::Long(3), Value::Long(3)];
    let known = Batch::new(vec![plain(Type::Long, &keys), plain(Type::String, &names)], names.len());
    let known_schema = Schema::new([Field::new("x", Type::Long), Field::new("name", Type::String)]);
    let catalog = MemoryCatalog::default()
        .with("T", Arc::new(MemoryTable::new(schema, batches)))
        .with("N", Arc::new(MemoryTable::new(known_schema, vec![known])));
    Engine::new(Arc::new(catalog), Settings::new(datetime::UNIX_EPOCH))
}

fn rows(engine: &Engine, query: &str) -> Vec<Vec<Json>> {
    let result = engine.query(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let parse = |row: &String| serde_json::from_str(row).expect("a row is a JSON array");
    wire::rows(&result).iter().map(parse).collect()
}

#[test]
fn many_rows_at_once_give_what_each_gives_alone() {
    let mut answered = 0;
    for seed in 0..250 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let engine = engine(&mut rng);
        let (body, columns) = body(&mut rng);
        let made = columns.join(", ");
        // Rows that do not come from an element have no columns of the outer row, not even its id.
        let has_id = !["union", "=right", "=full"].iter().any(|word| body.contains(word));
        let together = rows(&engine, &format!("T | mv-apply x = a to typeof(long) on ({body}) | project id, {made}"));
        let mut apart = Vec::new();
        for id in 0..ROWS {
            let elements = format!("T | where id == {id} | mv-expand x = a to typeof(long)");
            if rows(&engine, &elements).is_empty() {
                continue;
            }
            for mut row in rows(&engine, &format!("{elements} | {body} | project {made}")) {
                row.insert(0, Json::from(id));
                apart.push(row);
            }
        }
        answered += apart.len();
        let sorted = |mut rows: Vec<Vec<Json>>| {
            if !has_id {
                rows.iter_mut().for_each(|row| row[0] = Json::Null);
                rows.sort_by_key(|row| serde_json::to_string(row).expect("JSON"));
            }
            // A join returns its rows in an order that depends on the sizes of its sides.
            if body.contains("join") || body.contains("lookup") {
                rows.sort_by_key(|row| serde_json::to_string(row).expect("JSON"));
            }
            rows
        };
        assert_eq!(sorted(together), sorted(apart), "seed {seed}: {body}");
    }
    assert!(answered > 1_000, "the queries have too few answers to say anything: {answered}");
}
