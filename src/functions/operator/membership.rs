//! `in`, `has_any` and similar operators: compare a value with a list, whose items can be arrays.
//!
//! Constant items are prepared once per batch, those of long arrays once per thread; varying ones are compared row by
//! row.

use arrow::buffer::BooleanBuffer;

use super::equality::equal_values;
use super::members::{Items, ListMembers, Set, prepared};
use super::term_set::{AnyTerm, term};
use super::{DATETIME, GUID, NUMBER_OR_BOOL, TEXT, TIMESPAN};
use crate::diagnostic::Result;
use crate::functions::docs::{Category, Example};
use crate::functions::needle::{fold, fold_into};
use crate::functions::signature::{Accepts, Kernel, Nulls, Overload, Param, Returns};
use crate::functions::{Args, ScalarFunction};
use crate::types::{Column, Type, Value};

/// The operators `in`, `in~`, `has_any`, `has_all` and their negations.
pub(super) static OPERATORS: &[ScalarFunction] = &[
    ScalarFunction {
        name: "in",
        summary: "True if the value equals any value in the list; an array stands for its elements.",
        overloads: IN,
        examples: &[
            Example::new("'a' in ('a', 'b')", "true"),
            Example::new("'A' in ('a', 'b')", "false"),
            Example::new("'50126' in (0, 50126)", "true"),
            Example::new("'0' in (dynamic([0, 50126]))", "true"),
            Example::new("2 in (1, 3)", "false"),
            Example::new("datetime(2024-01-01) in (datetime(2024-01-01))", "true"),
            Example::new("1d in (24h)", "true"),
            Example::new(
                "guid(74be27de-1e4e-49d9-b579-fe0b331d3642) in ('74be27de-1e4e-49d9-b579-fe0b331d3642')",
                "true",
            ),
            Example::new("int(null) in (1)", "false"),
        ],
        ..MEMBERSHIP
    },
    ScalarFunction {
        name: "!in",
        summary: "True if the value equals no value in the list; an array stands for its elements.",
        overloads: NOT_IN,
        examples: &[
            Example::new("'a' !in ('a', 'b')", "false"),
            Example::new("2 !in (1, 3)", "true"),
            Example::new("datetime(2024-01-01) !in (datetime(2024-01-01))", "false"),
            Example::new("1d !in (24h)", "false"),
            Example::new(
                "guid(74be27de-1e4e-49d9-b579-fe0b331d3642) !in ('74be27de-1e4e-49d9-b579-fe0b331d3642')",
                "false",
            ),
            Example::new("int(null) !in (1)", "true"),
        ],
        ..MEMBERSHIP
    },
    ScalarFunction {
        name: "in~",
        summary: "True if the string equals any value in the list, ignoring case; an array stands for its elements.",
        overloads: &[texts(|args| any_text(args, false))],
        examples: &[Example::new("'A' in~ ('a', 'b')", "true"), Example::new("'c' in~ (dynamic(['a', 'b']))", "false")],
        ..MEMBERSHIP
    },
    ScalarFunction {
        name: "!in~",
        summary: "True if the string equals no value in the list, ignoring case; an array stands for its elements.",
        overloads: &[texts(|args| any_text(args, true))],
        examples: &[
            Example::new("'A' !in~ ('a', 'b')", "false"),
            Example::new("'c' !in~ (dynamic(['a', 'b']))", "true"),
        ],
        ..MEMBERSHIP
    },
    ScalarFunction {
        name: "has_any",
        summary: "True if the string contains any of the list as a whole term, ignoring case; an array stands for \
                  its elements.",
        overloads: &[texts(has_any)],
        examples: &[
            Example::new("'North America' has_any ('south', 'north')", "true"),
            Example::new("'North America' has_any (dynamic(['sou', 'nor']))", "false"),
            Example::new("'North America' has_any (dynamic([]))", "false"),
        ],
        ..MEMBERSHIP
    },
    ScalarFunction {
        name: "has_all",
        summary: "True if the string contains all of the list as whole terms, ignoring case; an array stands for its \
                  elements.",
        overloads: &[texts(has_all)],
        examples: &[
            Example::new("'North America' has_all ('america', 'north')", "true"),
            Example::new("'North America' has_all (dynamic(['america', 'nor']))", "false"),
            Example::new("'North America' has_all (dynamic([]))", "true"),
        ],
        ..MEMBERSHIP
    },
];

const MEMBERSHIP: ScalarFunction =
    ScalarFunction { category: Category::Operator, nulls: Nulls::Handled, ..ScalarFunction::DEFAULT };

static IN: &[Overload] = &overloads(|args| member(args, false));
static NOT_IN: &[Overload] = &overloads(|args| member(args, true));

const fn list(value: Accepts, items: Accepts) -> [Param; 2] {
    [
        Param::of("value", value, "the value to search for"),
        Param::of("item", items, "a value to compare with, or an array of values").repeated(),
    ]
}

/// The parameters of `in` and `!in`, by the type of the value. A list accepts the types that `==` compares with that
/// type.
static LISTS: [[Param; 2]; 5] = [
    list(TEXT, Accepts::Any),
    list(
        NUMBER_OR_BOOL,
        Accepts::Only(&[Type::Long, Type::Int, Type::Real, Type::Decimal, Type::Bool, Type::String, Type::Dynamic]),
    ),
    list(DATETIME, Accepts::Only(&[Type::Datetime, Type::String, Type::Dynamic])),
    list(TIMESPAN, Accepts::Only(&[Type::Timespan, Type::String, Type::Dynamic])),
    list(GUID, Accepts::Only(&[Type::Guid, Type::String, Type::Dynamic])),
];

static TEXT_LIST: [Param; 2] = [
    Param::new("text", Type::String, "the string to search"),
    Param::of("item", Accepts::Any, "a value to compare with, or an array of values").repeated(),
];

const fn overloads(kernel: Kernel) -> [Overload; 5] {
    let returns = Returns::Type(Type::Bool);
    [
        Overload { params: &LISTS[0], returns, kernel },
        Overload { params: &LISTS[1], returns, kernel },
        Overload { params: &LISTS[2], returns, kernel },
        Overload { params: &LISTS[3], returns, kernel },
        Overload { params: &LISTS[4], returns, kernel },
    ]
}

const fn texts(kernel: Kernel) -> Overload {
    Overload { params: &TEXT_LIST, returns: Returns::Type(Type::Bool), kernel }
}

/// Computes `in`, or `!in` if `negated`: compares each item as `==` does. The first equal item decides.
fn member(args: &Args<'_>, negated: bool) -> Result<Column> {
    let (column, rows) = (args.column(0), args.distinct_rows());
    let items = Items::of(args);
    let members = prepared(args, |_| ListMembers::new(column.ty(), items.fixed(args)));
    if let Some(set) = members.as_texts().filter(|_| column.ty() == Type::String && items.varying.is_empty()) {
        let texts = args.texts(0);
        return Ok(args.predicate(|row| set.contains(texts.get(row).unwrap_or("")) != negated));
    }
    let answer = |row: usize| {
        let fixed = members.contain(column, row);
        if fixed == Some(true) || items.varying.is_empty() { fixed } else { either(fixed, vary(args, &items, row)) }
    };
    if items.varying.is_empty() && !members.has_null() {
        return Ok(args.predicate(|row| (members.contain(column, row) == Some(true)) != negated));
    }
    let answers: Vec<Option<bool>> = (0..rows).map(answer).collect();
    let values = BooleanBuffer::collect_bool(rows, |row| answers[row].unwrap_or(false) != negated);
    let valid = BooleanBuffer::collect_bool(rows, |row| answers[row].is_some());
    Ok(args.truths(values, Some(valid)))
}

/// Compares the value of one row with the items of that row that are not constant.
fn vary(args: &Args<'_>, items: &Items, row: usize) -> Option<bool> {
    let value = args.column(0).value(row);
    items.of_row(args, row).iter().map(|item| equal_values(&value, item)).fold(Some(false), either)
}

/// Computes `or` in three-valued logic, in which None is null.
fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// Computes `in~`, or `!in~` if `negated`: items are compared as strings, ignoring case.
fn any_text(args: &Args<'_>, negated: bool) -> Result<Column> {
    let texts = args.texts(0);
    let items = Items::of(args);
    let set = prepared(args, |_| Set::new(items.fixed(args).iter().map(|item| fold(&item.to_text())).collect()));
    let mut text = String::new();
    Ok(args.predicate(|row| {
        fold_into(texts.get(row).unwrap_or(""), &mut text);
        let found =
            set.contains(text.as_str()) || items.of_row(args, row).iter().any(|item| fold(&item.to_text()) == text);
        found != negated
    }))
}

fn has_any(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    let items = Items::of(args);
    let fixed = prepared(args, |searches| {
        let needles: Vec<String> = items.fixed(args).iter().map(Value::to_text).collect();
        AnyTerm::new(&needles, searches)
    });
    Ok(args.predicate(|row| {
        let text = texts.get(row).unwrap_or("");
        fixed.is_in(text) || items.of_row(args, row).iter().any(|item| term(&item.to_text()).is_in(text))
    }))
}

fn has_all(args: &Args<'_>) -> Result<Column> {
    let texts = args.texts(0);
    let items = Items::of(args);
    let fixed: Vec<_> = items.fixed(args).iter().map(|item| term(&item.to_text())).collect();
    Ok(args.predicate(|row| {
        let text = texts.get(row).unwrap_or("");
        fixed.iter().all(|needle| needle.is_in(text))
            && items.of_row(args, row).iter().all(|item| term(&item.to_text()).is_in(text))
    }))
}
