//! Names the columns to which the query gives no name.
//!
//! Source: results of the engine, which take precedence where the published analyzer differs. A plain column keeps
//! its name, a path joins its steps with `_`, some functions take over the name of their first argument (with or
//! without a prefix), and all other columns are numbered: `Column1`, `Column2`, ...

use std::collections::HashSet;

use super::Binder;
use super::scope::Binding;
use crate::diagnostic::Span;
use crate::functions::special::{Expansion, ScalarForm};
use crate::functions::{self, ResultName, ScalarFunction};
use crate::syntax::ast::{Argument, Assignment, Name, ParsedExpr, ParsedExprKind};
use crate::types::{Schema, Value};

/// The names of aggregate calls inside a larger expression, by their spans.
pub(super) type CallNames = Vec<(Span, String)>;

/// Returns the name of a column that this expression computes; None if it is numbered.
pub(super) fn name_of(expr: &ParsedExpr, calls: &CallNames) -> Option<String> {
    match &expr.kind {
        ParsedExprKind::Name(name) => Some(name.text.clone()),
        ParsedExprKind::Parenthesised(inner) => name_of(inner, calls),
        ParsedExprKind::Member { base, name } => {
            Some(name_of(base, calls).map_or_else(|| name.text.clone(), |base| format!("{base}_{}", name.text)))
        }
        ParsedExprKind::Index { base, index } => match (indexed_name(base, index, calls), name_of(base, calls)) {
            (Some(column), _) => Some(column),
            (None, Some(base)) => Some(format!("{base}_{}", step(index).unwrap_or_default())),
            (None, None) => step(index),
        },
        ParsedExprKind::Call { function, arguments } => {
            if let Some((_, name)) = calls.iter().find(|(span, _)| *span == expr.span) {
                return (!name.is_empty()).then(|| name.clone());
            }
            if is_form(function, ScalarForm::IngestionTime) {
                return Some(super::ingestion::COLUMN_NAME.to_owned());
            }
            let first = || arguments.first().and_then(|argument| argument_name(argument, calls));
            if is_form(function, ScalarForm::BinAuto) {
                return first();
            }
            let entry = functions::scalar_function(&function.text)?;
            match entry.result_name {
                ResultName::Numbered => None,
                ResultName::Fixed(name) => Some(name.to_owned()),
                ResultName::FirstArgument => first(),
                ResultName::Sorted => Some(sorted_name(arguments, 0, calls)),
                ResultName::Prefix(prefix) => Some(format!("{prefix}{}", first().unwrap_or_default())),
            }
        }
        _ => None,
    }
}

/// Returns the name of the column that an index selects from a call that returns several columns.
fn indexed_name(base: &ParsedExpr, index: &ParsedExpr, calls: &CallNames) -> Option<String> {
    match (&base.kind, &index.kind) {
        (ParsedExprKind::Parenthesised(inner), _) => indexed_name(inner, index, calls),
        (ParsedExprKind::Call { function, arguments }, ParsedExprKind::Literal(position)) => {
            let position = usize::try_from(position.as_i64()?).ok()?;
            let function = functions::scalar_function(&function.text)?;
            let is_flag = |argument: &Argument| matches!(argument.value.kind, ParsedExprKind::Literal(Value::Bool(_)));
            let arrays = arguments.iter().filter(|argument| !is_flag(argument)).count();
            let sorts_several = function.result_name == ResultName::Sorted && arrays > 1;
            let is_several = (sorts_several && position < arrays) || !function.columns.is_empty();
            is_several.then(|| column_of_several(function, arguments, position, calls)).flatten()
        }
        _ => None,
    }
}

/// Returns the name of one column of a function that returns several; None if it has no column at `position`.
pub(super) fn column_of_several(
    function: &ScalarFunction,
    arguments: &[Argument],
    position: usize,
    calls: &CallNames,
) -> Option<String> {
    if function.result_name == ResultName::Sorted {
        return Some(sorted_name(arguments, position, calls));
    }
    let first = arguments.first().and_then(|argument| name_of(&argument.value, calls)).unwrap_or_default();
    function.columns.get(position).map(|(column, _)| format!("{}_{first}_{column}", function.name))
}

/// Returns the name of the column that has the sorted argument at `position`: that of a column or an aggregate with
/// `_sorted`, but not that of a path.
fn sorted_name(arguments: &[Argument], position: usize, calls: &CallNames) -> String {
    let argument = arguments.get(position);
    let aggregate = argument.and_then(|argument| calls.iter().find(|(span, _)| *span == argument.value.span));
    let name = aggregate.map(|(_, name)| name.clone()).or_else(|| column(argument).map(str::to_owned));
    format!("{}_sorted", name.unwrap_or_else(|| format!("array{position}")))
}

/// Returns the name that the call gives to an argument, or else the name of its value.
fn argument_name(argument: &Argument, calls: &CallNames) -> Option<String> {
    argument.name.as_ref().map_or_else(|| name_of(&argument.value, calls), |name| Some(name.text.clone()))
}

/// True for the name of this special form.
fn is_form(function: &Name, form: ScalarForm) -> bool {
    functions::special_form(&function.text).is_some_and(|row| row.expansion == Expansion::Scalar(form))
}

/// Returns the name of an argument that has an explicit name or is a plain column; None for others.
pub(super) fn column(argument: Option<&Argument>) -> Option<&str> {
    if let Some(name) = &argument?.name {
        return Some(&name.text);
    }
    match &argument?.value.kind {
        ParsedExprKind::Name(name) => Some(&name.text),
        _ => None,
    }
}

/// Returns the explicit names of an item: those before the `=`, or the item itself if it is a plain name. Explicit
/// names must be unique within an operator. If an earlier column has the name already, explicit or derived, a number
/// is appended.
pub(super) fn spelled(item: &Assignment) -> impl Iterator<Item = &Name> {
    let bare = match &item.value.kind {
        ParsedExprKind::Name(name) if item.names.is_empty() => Some(name),
        _ => None,
    };
    item.names.iter().chain(bare)
}

/// Returns the index as a part of a name; None if it is not a literal.
fn step(index: &ParsedExpr) -> Option<String> {
    match &index.kind {
        ParsedExprKind::Literal(Value::String(key)) => Some(key.to_string()),
        ParsedExprKind::Literal(value) => value.as_i64().map(|n| n.to_string()),
        _ => None,
    }
}

/// Makes the names of the columns of one operator unique.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// Explicit names of the operator: an appended number does not produce one of them.
    written: HashSet<String>,
    /// Names of the input columns: `ColumnN` does not produce one of them.
    input: HashSet<String>,
    numbered: usize,
}

impl Names {
    /// Creates the state; `names` are taken already.
    pub fn taken<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self { taken: names.into_iter().map(str::to_owned).collect(), ..Self::default() }
    }

    /// Returns the state; `ColumnN` now skips the names of the input columns.
    pub fn past_input(mut self, schema: &Schema) -> Self {
        self.input = schema.names().map(str::to_owned).collect();
        self
    }

    /// Returns the state; appended numbers now skip the explicit names of `items`.
    pub fn past_written<'i>(mut self, items: impl IntoIterator<Item = &'i Assignment>) -> Self {
        self.written = items.into_iter().flat_map(|item| &item.names).map(|name| name.text.clone()).collect();
        self
    }

    /// Returns the state; appended numbers now skip `names`.
    pub fn past<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.written = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// Takes `name`; returns false if it was already taken.
    pub fn claim(&mut self, name: &str) -> bool {
        self.taken.insert(name.to_owned())
    }

    /// Takes and returns `wanted`, with 1, 2, ... appended if it is taken.
    pub fn unique(&mut self, wanted: &str) -> String {
        if self.claim(wanted) {
            return wanted.to_owned();
        }
        let numbered = (1_usize..).map(|number| format!("{wanted}{number}"));
        let free = numbered.into_iter().find(|name| !self.written.contains(name) && !self.taken.contains(name));
        let name = free.unwrap_or_default();
        self.claim(&name);
        name
    }

    /// Takes and returns the next `ColumnN` that is free.
    pub fn numbered(&mut self) -> String {
        loop {
            self.numbered += 1;
            let name = format!("Column{}", self.numbered);
            if !self.input.contains(&name) {
                return self.unique(&name);
            }
        }
    }

    /// Takes and returns `wanted`, made unique; if it is None or empty, the next `ColumnN`.
    pub fn unique_or_numbered(&mut self, wanted: Option<&str>) -> String {
        match wanted {
            Some(name) if !name.is_empty() => self.unique(name),
            _ => self.numbered(),
        }
    }
}

impl Binder<'_> {
    /// Returns the name of an argument as a column. Aggregates inside it have no names here.
    pub(super) fn name_of_argument(argument: &Argument) -> Option<String> {
        argument_name(argument, &CallNames::new())
    }

    /// Returns the name of an expression as a column. Aggregates inside it have no names here.
    pub(super) fn own_name(expr: &ParsedExpr) -> Option<String> {
        name_of(expr, &CallNames::new())
    }

    /// Returns the name of an expression over rows of `schema`; None if it is numbered.
    pub(super) fn name_over(&self, expr: &ParsedExpr, schema: &Schema) -> Option<String> {
        Self::own_name(expr).or_else(|| self.looked_up(expr, schema))
    }

    /// Returns the name of a column that is looked up by a string, as in `column_ifexists("a", "")`.
    pub(super) fn looked_up(&self, expr: &ParsedExpr, schema: &Schema) -> Option<String> {
        let ParsedExprKind::Call { function, arguments } = &expr.kind else { return None };
        let looks_up = is_form(function, ScalarForm::ColumnIfExists);
        let column = match &arguments.first().filter(|_| looks_up)?.value.kind {
            ParsedExprKind::Literal(value) => value.as_str()?.to_owned(),
            ParsedExprKind::Name(name) => match self.scope.get(&name.text)? {
                Binding::Value(value) => value.as_literal()?.as_str()?.to_owned(),
                _ => return None,
            },
            _ => return None,
        };
        schema.index_of(&column).map(|_| column)
    }
}
