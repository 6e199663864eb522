//! Compares `scan` with a plain reading of the reference's matching logic, over random rows and random steps.

use std::fmt::Write;
use std::sync::Arc;

use coldcase::engine::{Engine, Settings};
use coldcase::scan::{MemoryCatalog, MemoryTable};
use coldcase::types::{Batch, Field, Schema, Type, Value, datetime};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::equivalence::plain;
use crate::wire;

const SEEDS: u64 = 400;
/// The default of the column `total`.
const DEFAULT: i64 = 10;

#[derive(Clone, Debug)]
struct Row {
    user: &'static str,
    event: &'static str,
    value: Option<i64>,
}

/// A condition, and how a query writes it.
#[derive(Clone, Debug)]
enum Condition {
    True,
    Event(&'static str),
    /// The value is larger than that of the last record of a step.
    Larger(usize),
    /// The last record of a step has another event; an empty state has the event "".
    OtherEvent(usize),
    /// The total of the last record of a step is below a limit.
    TotalBelow(usize, i64),
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Output {
    All,
    Last,
    None,
}

#[derive(Clone, Debug)]
struct Step {
    condition: Condition,
    /// The total is the value plus that of the last record of this step.
    total_of: Option<usize>,
    /// The name is that of the last record of this step and the event, at most eight letters.
    name_of: Option<usize>,
    output: Output,
}

/// A record that matched a step, with the values of the declared columns.
#[derive(Clone, Debug)]
struct Record {
    row: Row,
    total: i64,
    name: String,
}

/// The state of a step: the records of the steps up to it, where there are any, and the number of the sequence.
#[derive(Clone, Debug)]
struct State {
    records: Vec<Option<Record>>,
    id: i64,
}

impl Condition {
    fn random(rng: &mut impl Rng, step: usize, depth: usize) -> Self {
        let mut other = || Box::new(Self::random(rng, step, depth - 1));
        let of = |rng: &mut _| Rng::next_u32(rng) as usize % (step + 1);
        if depth > 0 {
            let (left, right) = (other(), other());
            match rng.random_range(0..4) {
                0 => return Self::Both(left, right),
                1 => return Self::Either(left, right),
                _ => {}
            }
        }
        match rng.random_range(0..7) {
            0 => Self::True,
            1 => Self::Larger(of(rng)),
            2 => Self::OtherEvent(of(rng)),
            3 => Self::TotalBelow(of(rng), rng.random_range(5..40)),
            _ => Self::Event(["a", "b", "c"][rng.random_range(0..3)]),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::True => "true".to_owned(),
            Self::Event(event) => format!("e == '{event}'"),
            Self::Larger(step) => format!("v > s{step}.v"),
            Self::OtherEvent(step) => format!("s{step}.e != e"),
            Self::TotalBelow(step, limit) => format!("s{step}.total < {limit}"),
            Self::Both(left, right) => format!("({}) and ({})", left.text(), right.text()),
            Self::Either(left, right) => format!("({}) or ({})", left.text(), right.text()),
        }
    }

    /// None for null.
    fn holds(&self, row: &Row, state: &[Option<Record>]) -> Option<bool> {
        match self {
            Self::True => Some(true),
            Self::Event(event) => Some(row.event == *event),
            Self::Larger(step) => Some(row.value? > state[*step].as_ref()?.row.value?),
            Self::OtherEvent(step) => Some(state[*step].as_ref().map_or("", |record| record.row.event) != row.event),
            Self::TotalBelow(step, limit) => {
                Some(state[*step].as_ref().map_or(DEFAULT, |record| record.total) < *limit)
            }
            Self::Both(left, right) => match (left.holds(row, state), right.holds(row, state)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            Self::Either(left, right) => match (left.holds(row, state), right.holds(row, state)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            },
        }
    }
}

fn steps(rng: &mut impl Rng) -> Vec<Step> {
    let count = rng.random_range(1..5);
    let step = |step: usize| Step {
        condition: Condition::random(rng, step, 2),
        total_of: rng.random_bool(0.7).then(|| rng.random_range(0..=step)),
        name_of: rng.random_bool(0.5).then(|| rng.random_range(0..=step)),
        output: [Output::All, Output::All, Output::Last, Output::None][rng.random_range(0..4)],
    };
    (0..count).map(step).collect()
}

fn query(steps: &[Step]) -> String {
    let mut text = format!("scan with_match_id=id declare (total:long = {DEFAULT}, name:string = '-') with (");
    for (position, step) in steps.iter().enumerate() {
        let output = match step.output {
            Output::All => "",
            Output::Last => " output=last",
            Output::None => " output=none",
        };
        let _ = write!(text, "step s{position}{output}: {}", step.condition.text());
        let total = step.total_of.map(|of| format!("total = s{of}.total + coalesce(v, 0)"));
        let name = step.name_of.map(|of| format!("name = substring(strcat(e, s{of}.name), 0, 8)"));
        let assigned: Vec<String> = total.into_iter().chain(name).collect();
        if !assigned.is_empty() {
            let _ = write!(text, " => {}", assigned.join(", "));
        }
        text.push_str("; ");
    }
    text + ")"
}

/// The matching logic of the reference, line by line.
struct Machine<'a> {
    steps: &'a [Step],
    states: Vec<Option<State>>,
    /// The records of `output=last` whose series may go on, with the position of their row.
    pending: Vec<Option<(usize, String)>>,
    next_id: i64,
    output: Vec<String>,
}

impl Machine<'_> {
    fn run(&mut self, rows: &[Row]) {
        for (at, row) in rows.iter().enumerate() {
            for step in (0..self.steps.len()).rev() {
                self.evaluate(at, row, step);
            }
        }
        let mut rest: Vec<(usize, String)> = self.pending.iter_mut().rev().filter_map(Option::take).collect();
        rest.sort_by_key(|(at, _)| *at);
        self.output.extend(rest.into_iter().map(|(_, line)| line));
    }

    fn evaluate(&mut self, at: usize, row: &Row, step: usize) {
        let condition = &self.steps[step].condition;
        if step > 0
            && let Some(mut state) = self.states[step - 1].clone()
        {
            state.records.push(None);
            if condition.holds(row, &state.records) == Some(true) {
                self.end_series(step);
                self.end_series(step - 1);
                self.states[step - 1] = None;
                self.states[step] = Some(state);
                self.matched(at, row, step);
                return;
            }
        }
        let own = match (&self.states[step], step) {
            (Some(state), _) => state.clone(),
            (None, 0) => State { records: vec![None], id: self.next_id },
            (None, _) => return,
        };
        if condition.holds(row, &own.records) == Some(true) {
            if self.states[step].is_none() {
                self.next_id += 1;
            }
            self.states[step] = Some(own);
            self.matched(at, row, step);
        }
    }

    fn end_series(&mut self, step: usize) {
        let ended = self.pending[step].take();
        self.output.extend(ended.map(|(_, line)| line));
    }

    fn matched(&mut self, at: usize, row: &Row, step: usize) {
        let state = self.states[step].as_mut().expect("the state was set");
        let last = |of: Option<usize>| of.map(|of| state.records[of].clone());
        let total = last(self.steps[step].total_of)
            .map_or(DEFAULT, |last| last.map_or(DEFAULT, |last| last.total) + row.value.unwrap_or(0));
        let name = last(self.steps[step].name_of).map_or("-".to_owned(), |last| {
            let before = last.map_or("-".to_owned(), |last| last.name);
            format!("{}{before}", row.event).chars().take(8).collect()
        });
        let value = row.value.map_or("null".to_owned(), |value| value.to_string());
        let line = format!(r#"["{}","{}",{value},{total},"{name}",{}]"#, row.user, row.event, state.id);
        state.records[step] = Some(Record { row: row.clone(), total, name });
        match self.steps[step].output {
            Output::All => self.output.push(line),
            Output::Last => self.pending[step] = Some((at, line)),
            Output::None => {}
        }
    }
}

fn expected(steps: &[Step], rows: &[Row]) -> Vec<String> {
    let (states, pending) = (vec![None; steps.len()], vec![None; steps.len()]);
    let mut machine = Machine { steps, states, pending, next_id: 0, output: Vec::new() };
    machine.run(rows);
    machine.output
}

fn rows(rng: &mut impl Rng) -> Vec<Row> {
    let row = |rng: &mut dyn Rng| Row {
        user: ["ann", "bob"][rng.random_range(0..2)],
        event: ["a", "b", "c"][rng.random_range(0..3)],
        value: rng.random_bool(0.9).then(|| rng.random_range(-3..9)),
    };
    (0..rng.random_range(0..50)).map(|_| row(rng)).collect()
}

fn table(rows: &[Row]) -> MemoryTable {
    let batches = rows.chunks(7).map(|rows| {
        let texts = |text: fn(&Row) -> &'static str| {
            plain(Type::String, &rows.iter().map(|row| Value::string(text(row))).collect::<Vec<_>>())
        };
        let values: Vec<Value> =
            rows.iter().map(|row| row.value.map_or(Value::Null(Type::Long), Value::Long)).collect();
        Batch::new(vec![texts(|row| row.user), texts(|row| row.event), plain(Type::Long, &values)], rows.len())
    });
    let fields = [("u", Type::String), ("e", Type::String), ("v", Type::Long)].map(|(name, ty)| Field::new(name, ty));
    MemoryTable::new(Schema::new(fields), batches.collect())
}

#[test]
fn scan_matches_as_the_reference_tells() {
    let mut returned = 0;
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (rows, steps) = (rows(&mut rng), steps(&mut rng));
        let by_user = rng.random_bool(0.3);
        let scan = query(&steps);
        let (query, expected) = if by_user {
            let of = |user: &str| rows.iter().filter(|row| row.user == user).cloned().collect::<Vec<_>>();
            let both = ["ann", "bob"].iter().flat_map(|user| expected(&steps, &of(user)));
            (format!("T | serialize | partition by u ({scan})"), both.collect())
        } else {
            (format!("T | serialize | {scan}"), expected(&steps, &rows))
        };
        returned += expected.len();
        for batch_rows in [1, 5, 8_192] {
            let catalog = Arc::new(MemoryCatalog::default().with("T", Arc::new(table(&rows))));
            let settings = Settings { batch_rows, ..Settings::new(datetime::UNIX_EPOCH) };
            let result =
                Engine::new(catalog, settings).query(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(wire::rows(&result), expected, "seed {seed}, {batch_rows} rows a batch: {query}\n{rows:?}");
        }
    }
    assert!(returned > 2_000, "only {returned} records matched");
}

#[test]
fn time_is_linear_and_memory_bounded() {
    let engine = |max_memory| {
        let settings = Settings { max_memory, ..Settings::new(datetime::UNIX_EPOCH) };
        Engine::new(Arc::new(MemoryCatalog::default()), settings)
    };
    // A condition on the state for every row, of which few match.
    let rare = "range n from 1 to 400000 step 1
        | scan declare (a:long) with (step s: n % 1000 == 0 or n < s.n; step t: n - s.n == 7 and s.n > t.n + 0;)
        | count";
    let result = engine(u64::MAX).query(rare).expect("it runs");
    assert_eq!(wire::rows(&result), ["[400]"]);
    let growing = "range n from 1 to 100 step 1
        | scan declare (a:dynamic = dynamic([1])) with (step s output=none: true => a = array_concat(s.a, s.a);)
        | count";
    let error = engine(1 << 20).query(growing).expect_err("it needs too much memory").to_string();
    assert!(error.contains("memory") || error.contains("large"), "{error}");
}
