//! Typed access to the arguments of a call, and the loops over their rows.
//!
//! A kernel never gets a dictionary-encoded column: it is called once for each distinct value instead.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use super::EvalContext;
use super::signature::Nulls;
use crate::diagnostic::{Error, Result};
use crate::types::{Column, ColumnBuilder, Type, Value, dynamic};

/// Maximum bytes of strings that one call produces per batch, because attackers write the rows that a query expands.
/// Beyond it, fewer rows are computed at a time.
pub const MAX_BATCH_BYTES: usize = 64 << 20;
/// Maximum length in bytes of a string or dynamic that a function builds from shorter ones.
pub const MAX_VALUE_BYTES: usize = 32 << 20;

/// Returns the error for a call that would make a value longer than [`MAX_VALUE_BYTES`].
#[must_use]
pub fn too_long(what: &str) -> Error {
    Error::Limit(format!("{what} would be longer than {} MiB; narrow the query", MAX_VALUE_BYTES >> 20))
}

/// The arguments with which a kernel is called.
#[derive(Debug)]
pub struct Args<'a> {
    columns: &'a [Column],
    rows: usize,
    returns: Type,
    nulls: Nulls,
    context: &'a EvalContext,
    /// Set once the strings of a result exceed [`MAX_BATCH_BYTES`]: the result is then incomplete.
    overflow: Cell<bool>,
}

impl<'a> Args<'a> {
    /// Returns the arguments of a call: columns of `rows` rows each. Its result has the type `returns`.
    #[must_use]
    pub fn new(columns: &'a [Column], rows: usize, returns: Type, nulls: Nulls, context: &'a EvalContext) -> Self {
        Self { columns, rows, returns, nulls, context, overflow: Cell::new(false) }
    }

    /// Returns the number of arguments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// True if there are no arguments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the result type of the call, as the binder resolved it.
    #[must_use]
    pub fn returns(&self) -> Type {
        self.returns
    }

    /// Returns what is fixed for the run, such as `now`.
    #[must_use]
    pub fn context(&self) -> &'a EvalContext {
        self.context
    }

    /// Returns the argument at `index`, which must exist.
    #[must_use]
    pub fn column(&self, index: usize) -> &'a Column {
        &self.columns[index]
    }

    /// Returns all arguments.
    #[must_use]
    pub fn columns(&self) -> &'a [Column] {
        self.columns
    }

    /// Returns the argument at `index`, if it is given and constant.
    #[must_use]
    pub fn constant(&self, index: usize) -> Option<&'a Value> {
        self.columns.get(index).and_then(Column::as_constant)
    }

    /// Returns the argument at `index` as strings; a dynamic is its JSON text.
    #[must_use]
    pub fn texts(&self, index: usize) -> Texts<'a> {
        let column = self.column(index);
        match (column.as_constant(), column.as_array()) {
            (Some(Value::String(text) | Value::Dynamic(text)), _) => Texts::Constant(Some(text)),
            (None, Some(array)) => Texts::Views(array.as_string_view()),
            _ => Texts::Constant(None),
        }
    }

    /// Returns the argument at `index` of any type, converted like `tostring()`.
    #[must_use]
    pub fn to_texts(&self, index: usize) -> AnyTexts<'a> {
        let column = self.column(index);
        match column.ty() {
            Type::String => AnyTexts::String(self.texts(index)),
            Type::Dynamic => AnyTexts::Dynamic(self.texts(index)),
            _ => match column.as_constant() {
                Some(value) => AnyTexts::Constant(value.to_text()),
                None => AnyTexts::Other(column),
            },
        }
    }

    /// Returns the argument at `index` as 64-bit integers: long, datetime, timespan, or a widened int.
    #[must_use]
    pub fn longs(&self, index: usize) -> Longs<'a> {
        let column = self.column(index);
        match column.as_array() {
            Some(array) => match array.as_primitive_opt::<Int64Type>() {
                Some(longs) => Longs::Long(longs),
                None => Longs::Int(array.as_primitive::<Int32Type>()),
            },
            None => Longs::Constant(column.i64_at(0)),
        }
    }

    /// Returns the argument at `index` as doubles; int and long are widened.
    #[must_use]
    pub fn reals(&self, index: usize) -> Reals<'a> {
        let column = self.column(index);
        match column.as_array() {
            Some(array) => match array.as_primitive_opt::<Float64Type>() {
                Some(reals) => Reals::Real(reals),
                None => Reals::Long(self.longs(index)),
            },
            None => Reals::Constant(column.f64_at(0)),
        }
    }

    /// Returns the argument at `index` as bools.
    #[must_use]
    pub fn bools(&self, index: usize) -> Bools<'a> {
        let column = self.column(index);
        match column.as_array() {
            Some(array) => Bools::Array(array.as_boolean()),
            None => Bools::Constant(column.bool_at(0)),
        }
    }

    /// Calls `of` for each row, and returns the results as a column of the result type. If nulls propagate, `of` is not
    /// called for rows with a null argument. If all arguments are constant, it is called once. If the strings exceed
    /// the limit, the remaining rows are null, and [`Self::has_overflowed`] is true.
    pub fn map<T: ResultValue>(&self, of: impl Fn(usize) -> T) -> Column {
        let (mut builder, nulls) = (self.builder(), self.propagated_nulls());
        let mut bytes = 0;
        for row in 0..self.distinct_rows() {
            if is_null(nulls.as_ref(), row) || bytes > MAX_BATCH_BYTES {
                builder.append_null();
                continue;
            }
            let value = of(row);
            bytes += value.bytes();
            value.append(&mut builder);
        }
        self.overflow.set(self.overflow.get() || (bytes > MAX_BATCH_BYTES && self.distinct_rows() > 1));
        self.spread(builder.finish())
    }

    /// True if the strings of the result exceeded the limit, so that the result is incomplete.
    #[must_use]
    pub fn has_overflowed(&self) -> bool {
        self.overflow.get()
    }

    /// Like [`Args::map`], for functions that can fail or build long strings: each string is limited, too.
    ///
    /// # Errors
    /// The first error of `of`, and the limit [`MAX_VALUE_BYTES`].
    pub fn try_map<T: ResultValue>(&self, of: impl Fn(usize) -> Result<T>) -> Result<Column> {
        let (mut builder, nulls) = (self.builder(), self.propagated_nulls());
        let mut bytes = 0;
        for row in 0..self.distinct_rows() {
            if is_null(nulls.as_ref(), row) {
                builder.append_null();
                continue;
            }
            let value = of(row)?;
            bytes += value.bytes();
            if value.bytes() > MAX_VALUE_BYTES {
                return Err(too_long("the result"));
            }
            if bytes > MAX_BATCH_BYTES && self.distinct_rows() > 1 {
                self.overflow.set(true);
                break;
            }
            value.append(&mut builder);
        }
        Ok(self.spread(builder.finish()))
    }

    /// Returns the number of rows to compute: one if all arguments are constant.
    #[must_use]
    pub fn distinct_rows(&self) -> usize {
        if self.constant_call() { self.rows.min(1) } else { self.rows }
    }

    /// Expands a result of [`Args::distinct_rows`] rows to all rows.
    #[must_use]
    pub fn spread(&self, column: Column) -> Column {
        let constant = self.constant_call() && column.rows() == 1;
        if constant { Column::constant(column.value(0), self.rows) } else { column }
    }

    /// Marks the rows with a null in any argument, among [`Args::distinct_rows`] rows; None if there is no null.
    #[must_use]
    pub fn nulls_anywhere(&self) -> Option<NullBuffer> {
        let nulls = self.columns.iter().map(|column| match (column.as_array(), column.as_constant()) {
            (Some(array), _) => array.nulls().cloned(),
            (None, constant) => {
                constant.is_some_and(Value::is_null).then(|| NullBuffer::new_null(self.distinct_rows()))
            }
        });
        nulls.fold(None, |all, nulls| NullBuffer::union(all.as_ref(), nulls.as_ref()))
    }

    /// Returns a bool column from [`Args::distinct_rows`] bits; rows that are not `valid` are null.
    #[must_use]
    pub fn truths(&self, values: BooleanBuffer, valid: Option<BooleanBuffer>) -> Column {
        let nulls = valid.map(NullBuffer::new).filter(|nulls| nulls.null_count() > 0);
        self.spread(Column::array(Type::Bool, Arc::new(BooleanArray::new(values, nulls))))
    }

    /// Returns a bool column with the result of `holds` for each row; no row is null.
    pub fn predicate(&self, holds: impl FnMut(usize) -> bool) -> Column {
        self.truths(BooleanBuffer::collect_bool(self.distinct_rows(), holds), None)
    }

    fn constant_call(&self) -> bool {
        self.columns.iter().all(|column| column.as_constant().is_some())
    }

    fn builder(&self) -> ColumnBuilder {
        ColumnBuilder::with_capacity(self.returns, self.distinct_rows())
    }

    fn propagated_nulls(&self) -> Option<NullBuffer> {
        if self.nulls == Nulls::Propagate { self.nulls_anywhere() } else { None }
    }

    /// Calls `of` with the string argument at `index` of each row, and returns the results as a column.
    pub fn map_text<T: ResultValue>(&self, index: usize, of: impl Fn(&str) -> T) -> Column {
        let texts = self.texts(index);
        self.map(|row| of(texts.get(row).unwrap_or("")))
    }

    /// Calls `of` with the string arguments at `first` and `second` of each row, and returns the results as a column.
    pub fn map_texts<T: ResultValue>(&self, first: usize, second: usize, of: impl Fn(&str, &str) -> T) -> Column {
        let (a, b) = (self.texts(first), self.texts(second));
        self.map(|row| of(a.get(row).unwrap_or(""), b.get(row).unwrap_or("")))
    }

    /// Calls `of` with the long, int, datetime or timespan argument at `index` of each row; nulls stay null.
    pub fn map_long<T: ResultValue>(&self, index: usize, of: impl Fn(i64) -> T) -> Column {
        let longs = self.longs(index);
        self.map(|row| longs.get(row).map(&of))
    }

    /// Calls `of` with the numeric argument at `index` of each row; nulls stay null.
    pub fn map_real<T: ResultValue>(&self, index: usize, of: impl Fn(f64) -> T) -> Column {
        let reals = self.reals(index);
        self.map(|row| reals.get(row).map(&of))
    }
}

/// A string argument: an array, or a constant.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants are the two forms of a column")]
pub enum Texts<'a> {
    Constant(Option<&'a str>),
    Views(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    /// Returns the string of `row`; None for a null dynamic.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Constant(text) => *text,
            Self::Views(array) => (!array.is_null(row)).then(|| array.value(row)),
        }
    }
}

/// An argument of any type whose values are read as strings.
#[derive(Debug)]
#[expect(missing_docs, reason = "the variants are the ways to the text")]
pub enum AnyTexts<'a> {
    String(Texts<'a>),
    Dynamic(Texts<'a>),
    Constant(String),
    Other(&'a Column),
}

impl AnyTexts<'_> {
    /// Returns the string of `row`; "" for null.
    #[must_use]
    pub fn get(&self, row: usize) -> Cow<'_, str> {
        match self {
            Self::String(texts) => Cow::Borrowed(texts.get(row).unwrap_or("")),
            Self::Dynamic(texts) => texts.get(row).map_or(Cow::Borrowed(""), dynamic::to_text),
            Self::Constant(text) => Cow::Borrowed(text),
            Self::Other(column) => Cow::Owned(column.value(row).to_text()),
        }
    }
}

/// An argument of integers or times: an array, or a constant.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants are the forms of a column")]
pub enum Longs<'a> {
    Constant(Option<i64>),
    Long(&'a Int64Array),
    Int(&'a Int32Array),
}

impl Longs<'_> {
    /// Returns the number of `row`; None for null.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Constant(value) => *value,
            Self::Long(array) => (!array.is_null(row)).then(|| array.value(row)),
            Self::Int(array) => (!array.is_null(row)).then(|| i64::from(array.value(row))),
        }
    }
}

/// A numeric argument whose values are read as doubles: an array, or a constant.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants are the forms of a column")]
pub enum Reals<'a> {
    Constant(Option<f64>),
    Real(&'a Float64Array),
    Long(Longs<'a>),
}

impl Reals<'_> {
    /// Returns the number of `row`; None for null.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<f64> {
        match self {
            Self::Constant(value) => *value,
            Self::Real(array) => (!array.is_null(row)).then(|| array.value(row)),
            #[expect(clippy::cast_precision_loss, reason = "KQL widens long to real this way")]
            Self::Long(longs) => longs.get(row).map(|n| n as f64),
        }
    }
}

/// A bool argument: an array, or a constant.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants are the two forms of a column")]
pub enum Bools<'a> {
    Constant(Option<bool>),
    Array(&'a BooleanArray),
}

impl Bools<'_> {
    /// Returns the value of `row`; None for null.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<bool> {
        match self {
            Self::Constant(value) => *value,
            Self::Array(array) => (!array.is_null(row)).then(|| array.value(row)),
        }
    }
}

fn is_null(nulls: Option<&NullBuffer>, row: usize) -> bool {
    nulls.is_some_and(|nulls| nulls.is_null(row))
}

/// A type of results that can be appended to a column.
pub trait ResultValue {
    /// Appends the value; the builder's type must fit.
    fn append(self, builder: &mut ColumnBuilder);

    /// Returns the number of string bytes in the value.
    fn bytes(&self) -> usize {
        0
    }
}

impl ResultValue for bool {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_bool(self);
    }
}

impl ResultValue for i64 {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_i64(self);
    }
}

impl ResultValue for f64 {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_f64(self);
    }
}

impl ResultValue for &str {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_text(self);
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl ResultValue for String {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_text(&self);
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl ResultValue for Cow<'_, str> {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append_text(&self);
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl ResultValue for Value {
    fn append(self, builder: &mut ColumnBuilder) {
        builder.append(&self);
    }
}

impl<T: ResultValue> ResultValue for Option<T> {
    fn append(self, builder: &mut ColumnBuilder) {
        match self {
            Some(value) => value.append(builder),
            None => builder.append_null(),
        }
    }

    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, ResultValue::bytes)
    }
}
