//! Joins with a window of time. If the filter above a join limits the difference of two datetimes, one of each side,
//! the join does not make pairs outside these limits.
//!
//! The filter stays. It tests the rest of the condition, and rejects rows with nulls; therefore a row all of whose
//! pairs are left out need not be returned as a row without a match.

use super::push_down_filter::conjuncts;
use crate::diagnostic::Result;
use crate::expr::Expr;
use crate::functions::EvalContext;
use crate::plan::{Join, JoinWindow, LogicalPlan, visit};
use crate::types::{Type, Value};

pub fn apply(plan: LogicalPlan, _: &EvalContext) -> Result<LogicalPlan> {
    visit::transform_down(plan, &mut |node| match node {
        LogicalPlan::Filter { input, predicate } => Ok(match *input {
            LogicalPlan::Join(join) => {
                let window = window(&join, &predicate);
                let input = Box::new(LogicalPlan::Join(Join { window, ..join }));
                LogicalPlan::Filter { input, predicate }
            }
            input => LogicalPlan::Filter { input: Box::new(input), predicate },
        }),
        other => Ok(other),
    })
}

/// Returns the narrowest window that the conditions in `predicate` put on the difference of two columns, with a limit
/// on both ends; None if there is none.
fn window(join: &Join, predicate: &Expr) -> Option<JoinWindow> {
    if join.kind.only().is_some() {
        return None;
    }
    let mut windows: Vec<JoinWindow> = Vec::new();
    for conjunct in conjuncts(predicate.clone()) {
        for bound in bounds(&conjunct) {
            let Some(bound) = between_sides(join, bound) else { continue };
            match windows.iter_mut().find(|known| (known.from, known.to) == (bound.from, bound.to)) {
                Some(known) => (known.min, known.max) = (known.min.max(bound.min), known.max.min(bound.max)),
                None => windows.push(bound),
            }
        }
    }
    let bounded = windows.into_iter().filter(|window| window.min > i64::MIN && window.max < i64::MAX);
    bounded.min_by_key(|window| i128::from(window.max) - i128::from(window.min))
}

/// Turns a window around, if necessary, so that it goes from the probe side to the build side; None if both columns are
/// of one side.
fn between_sides(join: &Join, window: JoinWindow) -> Option<JoinWindow> {
    let side = |output: usize| join.output.get(output).map(|column| column.side);
    let (from, to) = (side(window.from)?, side(window.to)?);
    let turned = JoinWindow {
        from: window.to,
        to: window.from,
        min: window.max.checked_neg().unwrap_or(i64::MIN),
        max: window.min.checked_neg().unwrap_or(i64::MAX),
    };
    match (from, to) {
        _ if from == to => None,
        _ if from == join.build => Some(turned),
        _ => Some(window),
    }
}

/// A linear expression of times: the datetime column `plus`, minus the datetime column `minus`, plus `ticks`. Either
/// column may be missing.
#[derive(Clone, Copy, Default)]
struct Difference {
    plus: Option<usize>,
    minus: Option<usize>,
    ticks: i128,
}

impl Difference {
    /// Converts a datetime or timespan expression to this form; None if that is not possible.
    fn of(expr: &Expr) -> Option<Self> {
        if let (Some(column), Type::Datetime) = (expr.as_column(), expr.ty) {
            return Some(Self { plus: Some(column), ..Self::default() });
        }
        if let Some(Value::Datetime(ticks) | Value::Timespan(ticks)) = expr.as_literal() {
            return Some(Self { ticks: i128::from(*ticks), ..Self::default() });
        }
        match expr.as_call()? {
            ("+", [left, right]) => Self::of(left)?.plus(Self::of(right)?),
            ("-", [left, right]) => Self::of(left)?.plus(Self::of(right)?.negated()),
            _ => None,
        }
    }

    fn negated(self) -> Self {
        Self { plus: self.minus, minus: self.plus, ticks: -self.ticks }
    }

    /// Returns the sum; None if both have a `plus` column or both have a `minus` column.
    fn plus(self, other: Self) -> Option<Self> {
        let one = |own: Option<usize>, other: Option<usize>| match (own, other) {
            (Some(_), Some(_)) => None,
            (own, other) => Some(own.or(other)),
        };
        let (plus, minus) = (one(self.plus, other.plus)?, one(self.minus, other.minus)?);
        Some(Self { plus, minus, ticks: self.ticks.checked_add(other.ticks)? })
    }

    /// Returns the window of the two columns for which this expression is at least `min` and at most `max`, in ticks.
    fn within(self, min: i128, max: i128) -> Option<JoinWindow> {
        let limit = |ticks: i128| {
            let exact = ticks.saturating_sub(self.ticks).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            i64::try_from(exact).ok()
        };
        let min = if min == i128::MIN { i64::MIN } else { limit(min)? };
        let max = if max == i128::MAX { i64::MAX } else { limit(max)? };
        Some(JoinWindow { from: self.minus?, to: self.plus?, min, max })
    }
}

/// Returns the windows that a condition implies: it is not true outside any of them.
fn bounds(conjunct: &Expr) -> Vec<JoinWindow> {
    let found = match conjunct.as_call() {
        Some((symbol @ ("<" | "<=" | ">" | ">=" | "=="), [left, right])) => compared(symbol, left, right),
        Some(("between", [value, low, high])) => {
            return [compared(">=", value, low), compared("<=", value, high)].into_iter().flatten().collect();
        }
        _ => None,
    };
    found.into_iter().collect()
}

fn compared(symbol: &str, left: &Expr, right: &Expr) -> Option<JoinWindow> {
    if let Some(periods) = Periods::of(left) {
        return periods.compared(symbol, whole_number(right)?);
    }
    if let Some(periods) = Periods::of(right) {
        return periods.compared(mirrored(symbol), whole_number(left)?);
    }
    if let Some(("abs", [value])) = left.as_call() {
        return match (symbol, Difference::of(right)?) {
            ("<" | "<=" | "==", Difference { plus: None, minus: None, ticks }) => {
                Difference::of(value)?.within(ticks.checked_neg()?, ticks)
            }
            _ => None,
        };
    }
    let difference = Difference::of(left)?.plus(Difference::of(right)?.negated())?;
    match symbol {
        "<" => difference.within(i128::MIN, -1),
        "<=" => difference.within(i128::MIN, 0),
        ">" => difference.within(1, i128::MAX),
        ">=" => difference.within(0, i128::MAX),
        _ => difference.within(0, 0),
    }
}

/// Returns the comparison operator that fits when the operands are exchanged.
fn mirrored(symbol: &str) -> &str {
    match symbol {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        same => same,
    }
}

fn whole_number(expr: &Expr) -> Option<i128> {
    match expr.as_literal()? {
        Value::Long(number) => Some(i128::from(*number)),
        Value::Int(number) => Some(i128::from(*number)),
        _ => None,
    }
}

/// A call `datetime_diff(period, later, earlier)`, which counts the starts of a period between two datetimes.
struct Periods {
    difference: Difference,
    /// The length of a period in ticks.
    ticks: i128,
}

impl Periods {
    fn of(expr: &Expr) -> Option<Self> {
        let ("datetime_diff", [period, later, earlier]) = expr.as_call()? else { return None };
        let Some(Value::String(period)) = period.as_literal() else { return None };
        let ticks = match period.to_ascii_lowercase().as_str() {
            "day" => 864_000_000_000,
            "hour" => 36_000_000_000,
            "minute" => 600_000_000,
            "second" => 10_000_000,
            "millisecond" => 10_000,
            _ => return None,
        };
        let difference = Difference::of(later)?.plus(Difference::of(earlier)?.negated())?;
        Some(Self { difference, ticks })
    }

    /// Returns the window in which the count compares with `count` by `symbol`. A count of n means that the difference
    /// is more than n - 1 and less than n + 1 periods.
    fn compared(&self, symbol: &str, count: i128) -> Option<JoinWindow> {
        let most = |count: i128| Some(count.checked_add(1)?.checked_mul(self.ticks)? - 1);
        let least = |count: i128| Some(count.checked_sub(1)?.checked_mul(self.ticks)? + 1);
        match symbol {
            "<" => self.difference.within(i128::MIN, most(count.checked_sub(1)?)?),
            "<=" => self.difference.within(i128::MIN, most(count)?),
            ">" => self.difference.within(least(count.checked_add(1)?)?, i128::MAX),
            ">=" => self.difference.within(least(count)?, i128::MAX),
            _ => self.difference.within(least(count)?, most(count)?),
        }
    }
}
