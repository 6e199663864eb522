//! Plans that read only some of the columns of a wide table, and the position of each row.

use std::collections::BTreeSet;
use std::convert::Infallible;

use crate::diagnostic::Span;
use crate::expr::{Expr, visit};
use crate::plan::{LogicalPlan, Scan, ScanFilter};
use crate::scan::ScanColumn;
use crate::scan::provenance::Provenance;
use crate::types::{Field, Schema, Type};

/// A scan below filters and projections, with only some of its columns. The last column is the position of the row.
#[derive(Debug)]
pub struct NarrowPlan {
    pub plan: LogicalPlan,
    /// For each column but the last one, the column of the original plan, in ascending order.
    columns: Vec<usize>,
}

impl NarrowPlan {
    /// Returns `plan` with the columns `needed`, and perhaps others that its filters read. Returns None if the plan has
    /// other nodes, if its table is not columnar or has no positions, or if reading it twice may give other rows.
    pub fn of(plan: &LogicalPlan, needed: &BTreeSet<usize>) -> Option<Self> {
        match plan {
            LogicalPlan::Scan(scan) => Self::of_scan(scan, needed),
            LogicalPlan::Filter { input, predicate } => {
                let below = needed.iter().copied().chain(visit::columns(predicate)).collect();
                let Self { plan, columns } = Self::of(input, &below).filter(|_| predicate.is_repeatable())?;
                let predicate = rewrite(predicate, &columns);
                Some(Self { plan: plan.filter(predicate), columns })
            }
            LogicalPlan::Project { input, expressions, schema } => {
                let computed = || needed.iter().map(|column| &expressions[*column]);
                let below = computed().flat_map(visit::columns).collect();
                let input = Self::of(input, &below).filter(|_| computed().all(Expr::is_repeatable))?;
                let named = needed.iter().zip(computed());
                let named = named.map(|(column, expr)| (schema.field(*column).name.clone(), input.rewrite(expr)));
                let columns: Vec<(String, Expr)> = named.chain([(String::new(), input.position())]).collect();
                Some(Self { plan: input.plan.project(columns), columns: needed.iter().copied().collect() })
            }
            _ => None,
        }
    }

    fn of_scan(scan: &Scan, needed: &BTreeSet<usize>) -> Option<Self> {
        let name = Provenance::Position.name();
        let is_repeatable = scan.filter.as_ref().is_none_or(|filter| filter.predicate.is_repeatable());
        // A column of this name may be one of the table itself.
        let is_free = scan.table.schema().index_of(name).is_none();
        if !is_repeatable || !is_free || scan.limit.is_some() || !scan.table.is_columnar() {
            return None;
        }
        let table = scan.table.with_provenance()?;
        let position = ScanColumn::Column(table.schema().index_of(name)?);
        let columns = needed.iter().map(|column| scan.columns[*column].clone()).chain([position]).collect();
        let fields = needed.iter().map(|column| scan.schema.field(*column).clone());
        let schema = Schema::new(fields.chain([Field::new(name, Type::Long)]));
        let plan = LogicalPlan::Scan(Scan { table, columns, schema, ..scan.clone() });
        Some(Self { plan, columns: needed.iter().copied().collect() })
    }

    /// Returns `expr`, which is over the columns of the original plan, as an expression over those of this plan.
    pub fn rewrite(&self, expr: &Expr) -> Expr {
        rewrite(expr, &self.columns)
    }

    /// Returns the column with the position of the row.
    pub fn position(&self) -> Expr {
        Expr::column(self.columns.len(), Type::Long, Span::default())
    }
}

/// Returns `expr` with each column replaced by its index in `columns`.
fn rewrite(expr: &Expr, columns: &[usize]) -> Expr {
    let replaced = visit::transform_up(expr.clone(), &mut |part| {
        let index = part.as_column().and_then(|column| columns.binary_search(&column).ok());
        Ok::<_, Infallible>(index.map_or(part.clone(), |index| Expr::column(index, part.ty, part.span)))
    });
    match replaced {
        Ok(expr) => expr,
        Err(never) => match never {},
    }
}

/// Returns `plan` without its filters.
pub fn without_filters(plan: &LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Filter { input, .. } => without_filters(input),
        LogicalPlan::Project { input, expressions, schema } => LogicalPlan::Project {
            input: Box::new(without_filters(input)),
            expressions: expressions.clone(),
            schema: schema.clone(),
        },
        LogicalPlan::Scan(scan) => LogicalPlan::Scan(Scan { filter: None::<ScanFilter>, ..scan.clone() }),
        other => other.clone(),
    }
}
