//! Binds queries so that their plans still contain the calls of `now()`, and finds what depends on the clock.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::Arrivals;
use crate::binder::{Bound, Environment};
use crate::diagnostic::{Error, Result, Severity};
use crate::engine::{Engine, extra_columns};
use crate::exec;
use crate::expr::{Expr, ExprKind, visit as expr_visit};
use crate::functions::{EvalContext, Volatility};
use crate::plan::{LogicalPlan, Scan, visit};
use crate::scan::{Catalog, RecordedCatalog, ScanReport};
use crate::syntax;

impl Engine {
    /// Binds a query so that the calls of `now()` stay in its plan; None if that is not possible.
    pub(super) fn bind_with_clock(
        &self,
        text: &str,
        catalog: &Arc<RecordedCatalog>,
        arrivals: &Arrivals<'_>,
        report: &Arc<ScanReport>,
    ) -> Result<Option<(LogicalPlan, EvalContext)>> {
        let parsed = syntax::parse(text);
        if parsed.diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
            return Err(Error::Query(parsed.diagnostics));
        }
        let depends = Cell::new(false);
        let subquery = |plan: &LogicalPlan, context: &EvalContext| {
            // Its rows differ from run to run if it reads a table of the catalog or the clock.
            depends.set(depends.get() || plan_uses_clock(plan) || reads_any(plan, &|scan| catalog.has(&scan.name)));
            if depends.get() {
                return Err(Error::internal("a subquery that depends on the run"));
            }
            let plan = self.optimize(plan.clone(), context)?;
            exec::collect(&plan, &self.context(context.clone(), Arc::clone(report)))
        };
        let missing = RefCell::default();
        let settings = &self.settings;
        let mut context = EvalContext::new(settings.now, settings.seed).with_locations(settings.locations.clone());
        context.keeps_clock = true;
        let environment = Environment {
            catalog: catalog.as_ref(),
            context,
            parameters: &settings.parameters,
            time_range: None,
            arrival_range: None,
            rule_run: settings.rule_run,
            arrivals: Some(&|name, table| arrivals.of_table(name, table)),
            time_columns: &settings.time_columns,
            ingestion_columns: &settings.ingestion_columns,
            aliases: &settings.aliases,
            provenance: false,
            dedup: None,
            report,
            missing: &missing,
            subquery: &subquery,
        };
        let catalog = Arc::clone(catalog) as Arc<dyn Catalog>;
        let bound = extra_columns::bind(&parsed.query, &environment, &catalog);
        // Errors of the query are those of an ordinary run.
        let Ok(Bound { mut results, context, .. }) = bound else { return Ok(None) };
        match results.pop() {
            Some(result) if results.is_empty() => Ok(Some((result.plan, context))),
            _ => Ok(None),
        }
    }
}

/// True if the expression contains a call whose value depends on the time of the run, such as `now()`.
pub(super) fn uses_clock(expr: &Expr) -> bool {
    let mut found = false;
    expr_visit::walk(expr, &mut |part| {
        found |= matches!(&part.kind, ExprKind::Call { function, .. } if function.volatility == Volatility::Run);
    });
    found
}

pub(super) fn plan_uses_clock(plan: &LogicalPlan) -> bool {
    visit::expressions(plan).into_iter().any(uses_clock) || visit::inputs(plan).into_iter().any(plan_uses_clock)
}

fn reads_any(plan: &LogicalPlan, matches: &dyn Fn(&Scan) -> bool) -> bool {
    match plan {
        LogicalPlan::Scan(scan) => matches(scan),
        _ => visit::inputs(plan).into_iter().any(|input| reads_any(input, matches)),
    }
}
