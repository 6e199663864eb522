//! A filter that a scan gets while the query runs: a `top` needs no rows beyond the worst row that it keeps.

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::plan::{Scan, ScanFilter};
use crate::scan::{Comparison, Predicate, ScanColumn};
use crate::types::Value;

/// Keeps the rows whose value in one column is at least, or at most, a bound. Nulls are dropped.
#[derive(Debug)]
pub struct DynamicFilter {
    /// The position of the column in the table.
    pub column: usize,
    /// The limit, which is never null. Rows with exactly this value are kept.
    pub bound: Value,
    /// True if greater values are kept, false if lesser ones are.
    pub keeps_greater: bool,
}

impl DynamicFilter {
    /// Returns `scan` with this filter in addition to its own.
    #[must_use]
    pub fn apply(&self, scan: &Scan) -> Scan {
        let (symbol, comparison) =
            if self.keeps_greater { (">=", Comparison::GreaterOrEqual) } else { ("<=", Comparison::LessOrEqual) };
        let span = Span::default();
        let mut filter = scan
            .filter
            .clone()
            .unwrap_or_else(|| ScanFilter { columns: Vec::new(), predicate: Expr::literal(Value::Bool(true), span) });
        let column = Expr::column(filter.columns.len(), self.bound.ty(), span);
        filter.columns.push(ScanColumn::Column(self.column));
        let within_bound = Expr::operator(symbol, vec![column, Expr::literal(self.bound.clone(), span)], span);
        filter.predicate = Expr::operator("and", vec![within_bound, filter.predicate], span);
        let mut prune = scan.prune.clone();
        prune.push(Predicate::Compare { column: self.column, comparison, value: self.bound.clone() });
        Scan { filter: Some(filter), prune, ..scan.clone() }
    }
}
