//! The engine: prepares and runs queries, given a catalog of tables and settings.

mod data_times;
#[cfg(test)]
mod examples;
mod explain_metrics;
mod extra_columns;
pub mod inspect;
mod placeholders;
mod settings;
mod shared_scans;
mod time_counts;
mod windowed;

use std::cell::RefCell;
use std::sync::Arc;

pub use data_times::TableTimes;
pub use settings::{DEFAULT_BATCH_ROWS, Settings};
pub use time_counts::{TimeCounts, WindowCounts};
use windowed::Arrivals;
pub use windowed::{ArrivalTime, RecordColumns, VisibleTimes, WindowTimes, WindowedQuery, WindowedRows};

use crate::binder::{ArrivalModel, Bound, BoundResult, Environment};
pub use crate::binder::{ArrivalRange, QueryOption, Render, RuleRun, TimeRange};
use crate::diagnostic::{Diagnostic, Error, Result, Severity};
use crate::exec::spill::SpillFolder;
use crate::exec::{self, ExecContext, PlanMetrics};
pub use crate::exec::{Clock, Flow};
use crate::functions::EvalContext;
use crate::memory::MemoryBudget;
use crate::optimizer;
use crate::plan::named::named_columns;
use crate::plan::{LogicalPlan, explain, visit};
use crate::scan::{Catalog, Damage, Note, Overlap, ScanReport, TableProvider};
use crate::syntax;
use crate::types::{Batch, Schema};

/// Prepares and runs queries over the tables of a catalog.
#[derive(Clone, Debug)]
pub struct Engine {
    catalog: Arc<dyn Catalog>,
    settings: Settings,
}

/// A query that is ready to run.
#[derive(Debug)]
pub struct Prepared {
    /// The name of the result, which is unique among the results of one query text.
    pub name: String,
    plan: LogicalPlan,
    context: ExecContext,
    /// The plan as bound, before it is optimized.
    bound: LogicalPlan,
    /// The chart that the query asks for with `render`; None if it does not.
    pub render: Option<Render>,
    /// The options that the query sets with `set`.
    pub options: Vec<QueryOption>,
    /// Warnings about the query, such as conditions that are never true.
    pub warnings: Vec<Diagnostic>,
    /// True if no duplicates are removed, so that a note is printed if several files contain the same records.
    counts_deliveries: bool,
}

/// The rows of a result in memory.
#[derive(Debug)]
pub struct QueryResult {
    /// The columns of the rows.
    pub schema: Schema,
    /// The rows, in order.
    pub batches: Vec<Batch>,
}

impl Engine {
    /// Returns an engine over the tables of `catalog`.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, settings: Settings) -> Self {
        Self { catalog, settings }
    }

    /// Returns an engine over the same tables with other settings.
    #[must_use]
    pub fn with_settings(&self, settings: Settings) -> Self {
        Self { catalog: Arc::clone(&self.catalog), settings }
    }

    /// Returns the settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Parses, binds and optimizes `text`. Of the query itself nothing runs, except for subqueries whose values the
    /// plan needs.
    pub fn prepare(&self, text: &str) -> Result<Prepared> {
        self.prepare_with(text, self.report())
    }

    /// Returns an empty report for the scans of one query.
    #[must_use]
    pub fn report(&self) -> Arc<ScanReport> {
        Arc::new(ScanReport::new(self.settings.rejects.clone(), self.settings.thorough))
    }

    /// Like [`Self::prepare`], with a report from [`Self::report`] that the caller keeps, so that it can show the
    /// progress of subqueries.
    ///
    /// # Errors
    /// [`Error::Usage`] if the text returns several results; otherwise as [`Self::prepare_results`].
    pub fn prepare_with(&self, text: &str, report: Arc<ScanReport>) -> Result<Prepared> {
        let mut results = self.prepare_results(text, report)?;
        match results.len() {
            1 => Ok(results.remove(0)),
            count => Err(Error::Usage(format!("the query returns {count} results, where one is required"))),
        }
    }

    /// Prepares every result of `text`, of which there is at least one. The results share the report, and the first one
    /// has all warnings about the query.
    pub fn prepare_results(&self, text: &str, report: Arc<ScanReport>) -> Result<Vec<Prepared>> {
        let Bound { results, context, options, mut warnings } = self.bind(text, &report)?;
        warnings.dedup();
        let counts_deliveries = self.settings.dedup.is_none();
        let prepare = |BoundResult { name, plan: bound, render }| {
            let plan = self.optimize(bound.clone(), &context)?;
            let named_columns = Arc::new(named_columns(&plan));
            let context = ExecContext { named_columns, ..self.context(context.clone(), Arc::clone(&report)) };
            let warnings = std::mem::take(&mut warnings);
            let options = options.clone();
            Ok(Prepared { name, plan, context, bound, render, options, warnings, counts_deliveries })
        };
        results.into_iter().map(prepare).collect()
    }

    fn bind(&self, text: &str, report: &Arc<ScanReport>) -> Result<Bound> {
        let filled = self.fill(text, report)?;
        let parsed = syntax::parse_filled(text, &filled.values);
        let errors = |list: &[Diagnostic]| list.iter().any(|diagnostic| diagnostic.severity() == Severity::Error);
        if errors(&parsed.diagnostics) {
            return Err(Error::Query(parsed.diagnostics));
        }
        let subquery = |plan: &LogicalPlan, context: &EvalContext| {
            let plan = self.optimize(plan.clone(), context)?;
            exec::collect(&plan, &self.context(context.clone(), Arc::clone(report)))
        };
        let missing = RefCell::default();
        let arrivals = self.settings.arrivals.as_ref().map(|times| Arrivals::new(self, times, report));
        let arrival_of = arrivals
            .as_ref()
            .map(|arrivals| |name: &str, table: &Arc<dyn TableProvider>| arrivals.of_table(name, table));
        let environment = Environment {
            catalog: self.catalog.as_ref(),
            context: EvalContext::new(self.settings.now, self.settings.seed)
                .with_locations(self.settings.locations.clone()),
            parameters: &self.settings.parameters,
            time_range: filled.time_range.as_ref(),
            arrival_range: self.settings.arrival_range.as_ref(),
            rule_run: self.settings.rule_run,
            arrivals: arrival_of.as_ref().map(|arrival_of| arrival_of as &ArrivalModel<'_>),
            time_columns: &self.settings.time_columns,
            ingestion_columns: &self.settings.ingestion_columns,
            aliases: &self.settings.aliases,
            provenance: self.settings.provenance,
            dedup: self.settings.dedup.as_deref(),
            report,
            missing: &missing,
            subquery: &subquery,
        };
        let mut bound = extra_columns::bind(&parsed.query, &environment, &self.catalog)?;
        bound.warnings.splice(0..0, parsed.diagnostics);
        Ok(bound)
    }

    fn optimize(&self, plan: LogicalPlan, context: &EvalContext) -> Result<LogicalPlan> {
        if self.settings.optimize { optimizer::optimize(plan, context) } else { Ok(plan) }
    }

    fn context(&self, eval: EvalContext, report: Arc<ScanReport>) -> ExecContext {
        ExecContext {
            eval,
            threads: self.settings.threads.max(1),
            batch_rows: self.settings.batch_rows.max(1),
            memory: MemoryBudget::new(self.settings.max_memory),
            spill: Arc::new(SpillFolder::new(self.settings.temp_dir.clone())),
            cancelled: Arc::clone(&self.settings.cancelled),
            named_columns: Arc::default(),
            report,
            metrics: None,
            dynamic_filter: None,
            reads_late: true,
            outer_rows: None,
        }
    }

    /// Runs `text`, and returns its only result in memory.
    pub fn query(&self, text: &str) -> Result<QueryResult> {
        let prepared = self.prepare(text)?;
        let mut batches = Vec::new();
        prepared.run(&mut |batch| {
            batches.push(batch);
            Ok(Flow::Continue(()))
        })?;
        Ok(QueryResult { schema: prepared.schema().clone(), batches })
    }
}

impl Prepared {
    /// Returns the columns of the result.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.plan.schema()
    }

    /// Calls `consume` with the rows in order, batch by batch, until `consume` returns a break.
    pub fn run(&self, consume: &mut dyn FnMut(Batch) -> Result<Flow>) -> Result<()> {
        exec::execute(&self.plan, &self.context, consume)?;
        self.report_events();
        self.note_overlaps();
        Ok(())
    }

    /// Adds to the report what is known only after the run: gaps in the data, and values without a certain result.
    fn report_events(&self) {
        self.context.report.report_gaps();
        for (doubt, count) in self.context.eval.doubts().take() {
            self.context.report.damaged(Damage::Doubt(doubt), "", count);
        }
    }

    /// Adds a note for each table whose files contain the same records, because the result counts each of them several
    /// times.
    fn note_overlaps(&self) {
        let mut plans = if self.counts_deliveries { vec![&self.plan] } else { Vec::new() };
        while let Some(plan) = plans.pop() {
            plans.extend(visit::inputs(plan));
            let LogicalPlan::Scan(scan) = plan else { continue };
            // The compared records may belong to other tables.
            if !self.context.report.tables().contains(&scan.name) {
                continue;
            }
            if let Some(Overlap { files, basis }) = scan.table.overlap() {
                self.context.report.note_once(Note::Overlap { files, basis, table: scan.name.clone() });
            }
        }
    }

    /// Runs the query and measures it. Returns the plan as text with the measurements of each node, and the number of
    /// rows.
    pub fn analyze(&self, clock: &Arc<dyn Clock>) -> Result<(String, u64)> {
        let metrics = Arc::new(PlanMetrics::new(&self.plan, clock));
        let context = ExecContext { metrics: Some(Arc::clone(&metrics)), ..self.context.clone() };
        let mut rows = 0;
        exec::execute(&self.plan, &context, &mut |batch| {
            rows += batch.rows() as u64;
            Ok(Flow::Continue(()))
        })?;
        self.report_events();
        let details = |node| metrics.of(node).map_or(Vec::new(), |metrics| explain_metrics::lines(metrics));
        Ok((explain::explain_with(&self.plan, &details), rows))
    }

    /// Returns the report of the scans, which is complete once the query has run.
    #[must_use]
    pub fn report(&self) -> &Arc<ScanReport> {
        &self.context.report
    }

    /// Returns the number of temporary files that were written because rows did not fit in memory.
    #[must_use]
    pub fn temporary_files(&self) -> u64 {
        self.context.spill.files()
    }

    /// Returns the optimized plan as text, an indented tree.
    #[must_use]
    pub fn explain(&self) -> String {
        explain::explain(&self.plan)
    }

    /// Returns the plan before optimization as text, an indented tree.
    #[must_use]
    pub fn explain_bound(&self) -> String {
        explain::explain(&self.bound)
    }
}
