//! A bound that a scan learns while a query runs: rows behind it are not wanted any more.

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::plan::{Scan, ScanFilter};
use crate::scan::{Comparison, Predicate, ScanColumn};
use crate::types::Value;

/// The values of one column that are wanted: those up to a value, from either side.
#[derive(Debug)]
pub struct ScanBound {
    /// The column, by its position in the table.
    pub column: usize,
    /// The last value that is wanted; not null, and a null is not wanted.
    pub at: Value,
    /// True where greater values are wanted, false for lesser ones.
    pub from_above: bool,
}

impl ScanBound {
    /// The scan without the rows behind the bound.
    #[must_use]
    pub fn within(&self, scan: &Scan) -> Scan {
        let (symbol, comparison) =
            if self.from_above { (">=", Comparison::GreaterOrEqual) } else { ("<=", Comparison::LessOrEqual) };
        let span = Span::default();
        let mut filter = scan
            .filter
            .clone()
            .unwrap_or_else(|| ScanFilter { columns: Vec::new(), predicate: Expr::literal(Value::Bool(true), span) });
        let column = Expr::column(filter.columns.len(), self.at.ty(), span);
        filter.columns.push(ScanColumn::Column(self.column));
        let within = Expr::operator(symbol, vec![column, Expr::literal(self.at.clone(), span)], span);
        filter.predicate = Expr::operator("and", vec![within, filter.predicate], span);
        let mut prune = scan.prune.clone();
        prune.push(Predicate::Compare { column: self.column, comparison, value: self.at.clone() });
        Scan { filter: Some(filter), prune, ..scan.clone() }
    }
}
