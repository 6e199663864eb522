//! Window functions that depend on the rows so far: `row_number`, `row_cumsum`, ranks and sessions.
//!
//! Source: the reference's pages on these functions.

use crate::diagnostic::Result;
use crate::plan::{WindowCall, WindowFunction};
use crate::types::{Column, ColumnBuilder, Type, Value, cast, decimal};

/// A function, and what it needs to know about the rows so far.
#[derive(Debug)]
pub struct Running {
    function: WindowFunction,
    ty: Type,
    /// The number of rows since the function began, including the current row.
    rows: i64,
    /// The rank of the last row.
    rank: i64,
    /// The term of the last row.
    last: Option<Value>,
    /// The sum up to the last row; None if there is none.
    sum: Option<Value>,
    /// The times of the first and the last row of the session so far, in ticks; None if there is no session.
    session: Option<(i64, i64)>,
}

impl Running {
    /// Returns the state before the first row; None for functions that look at one other row.
    pub fn of(call: &WindowCall) -> Option<Self> {
        let begin = Self {
            function: call.function.clone(),
            ty: call.ty(),
            rows: 0,
            rank: 0,
            last: None,
            sum: None,
            session: None,
        };
        (!matches!(call.function, WindowFunction::Neighbor { .. })).then_some(begin)
    }

    /// Returns the values of the function for the next `rows` rows. `begins` is true for rows at which the function
    /// starts again.
    ///
    /// # Errors
    /// An error if a sum of decimals has too many digits.
    pub fn column(&mut self, term: Option<&Column>, rows: usize, begins: &dyn Fn(usize) -> bool) -> Result<Column> {
        let mut values = ColumnBuilder::with_capacity(self.ty, rows);
        for row in 0..rows {
            if begins(row) {
                self.begin();
            }
            self.rows = self.rows.saturating_add(1);
            match (&self.function, term) {
                (WindowFunction::RowNumber { start }, _) => values.append_i64(start.wrapping_add(self.rows - 1)),
                (WindowFunction::Session { max_from_first, max_between }, Some(term)) => {
                    let (max_from_first, max_between) = (*max_from_first, *max_between);
                    match self.session_of(term.i64_at(row), max_from_first, max_between) {
                        Some(first) => values.append_i64(first),
                        None => values.append_null(),
                    }
                }
                (WindowFunction::CumulativeSum, Some(term)) => values.append(&self.sum(term.value(row))?),
                (_, Some(term)) => values.append_i64(self.rank(term.value(row))),
                (_, None) => values.append_null(),
            }
        }
        Ok(values.finish())
    }

    fn begin(&mut self) {
        (self.rows, self.rank, self.last, self.sum, self.session) = (0, 0, None, None, None);
    }

    /// Returns the rank of the next row, whose term is `term`.
    fn rank(&mut self, term: Value) -> i64 {
        if !self.last.as_ref().is_some_and(|last| is_same(last, &term)) {
            self.rank =
                if self.function == WindowFunction::RankDense { self.rank.saturating_add(1) } else { self.rows };
            self.last = Some(term);
        }
        self.rank
    }

    /// Adds `term` to the sum, and returns the sum.
    fn sum(&mut self, term: Value) -> Result<Value> {
        let sum = match (self.sum.take(), term) {
            (None, Value::Null(ty)) => zero(ty),
            (None, term) => term,
            (Some(Value::Int(sum)), Value::Int(term)) => Value::Int(sum.wrapping_add(term)),
            (Some(Value::Long(sum)), Value::Long(term)) => Value::Long(sum.wrapping_add(term)),
            (Some(Value::Real(sum)), Value::Real(term)) => Value::Real(sum + term),
            (Some(Value::Decimal(sum)), Value::Decimal(term)) => {
                sum.checked_add(term).map(Value::Decimal).ok_or(decimal::OutOfRange)?
            }
            // A null.
            (Some(sum), _) => sum,
        };
        self.sum = Some(sum.clone());
        Ok(sum)
    }

    /// Returns the first tick of the session of a row at `tick`, which may begin a new one. None for a null, which
    /// belongs to no session and ends the current one.
    fn session_of(&mut self, tick: Option<i64>, max_from_first: i64, max_between: i64) -> Option<i64> {
        let goes_on = |(first, last): &(i64, i64), tick: i64| {
            tick < first.saturating_add(max_from_first) && tick < last.saturating_add(max_between)
        };
        self.session = tick.map(|tick| match self.session.filter(|session| goes_on(session, tick)) {
            Some((first, _)) => (first, tick),
            None => (tick, tick),
        });
        self.session.map(|(first, _)| first)
    }
}

/// True if two terms get the same rank. NaN equals NaN, as in groups.
fn is_same(last: &Value, term: &Value) -> bool {
    matches!((last, term), (Value::Real(last), Value::Real(term)) if last.is_nan() && term.is_nan()) || last == term
}

/// Returns the value 0 of a numeric type.
fn zero(ty: Type) -> Value {
    cast::cast(&Value::Long(0), ty).unwrap_or(Value::Null(ty))
}
