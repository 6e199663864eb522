//! The binder turns a syntax tree into a logical plan: it resolves names, checks types, and expands syntactic sugar.
//!
//! After an error it continues if possible, so that one run reports several errors. Errors that merely follow from an
//! earlier one are not reported.

mod catalog_table;
mod expr;
mod external;
mod external_mapping;
mod function;
mod ingestion;
mod naming;
mod operator;
mod pattern;
mod plugin;
mod query_option;
mod results;
mod row_scalar;
mod scope;
mod segments;
mod shared;
mod source;
mod statement;
mod watchlist;
mod window;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::expr::Expr;
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, verify, visit};
use crate::scan::{Catalog, ScanReport};
use crate::syntax::ast;
use crate::types::{Batch, Value};

pub use ingestion::{ArrivalModel, TableArrival, datetime_column, with_arrival_columns};
pub use query_option::QueryOption;
pub use results::BoundResult;
use results::Results;
use scope::Scope;

/// Maximum depth of a plan, because every pass over a plan is recursive.
const MAX_DEPTH: usize = 2_000;

/// Maximum nesting depth of expressions and tables, including those in functions that they call.
const MAX_NESTING: usize = 512;

/// Maximum number of nodes of plans and expressions that uses of `let`s may add in total.
const MAX_REUSED: usize = 100_000;

/// Computes a plan whose rows the binder needs, as for `toscalar(...)` and `x in (table)`.
pub type Subquery<'a> = dyn Fn(&LogicalPlan, &EvalContext) -> Result<Vec<Batch>> + 'a;

/// Everything outside the query on which binding depends.
#[derive(Clone)]
pub struct Environment<'a> {
    /// The tables, functions and watchlists.
    pub catalog: &'a dyn Catalog,
    /// The value of `now`, which `set query_now` overrides, and the random seed.
    pub context: EvalContext,
    /// The values of query parameters, as the user typed them.
    pub parameters: &'a BTreeMap<String, String>,
    /// The time range to which every table is restricted, if any.
    pub time_range: Option<&'a TimeRange>,
    /// The times of arrival to which every table is restricted, if any.
    pub arrival_range: Option<&'a ArrivalRange>,
    /// The run of an alert rule whose query is bound; None for other queries.
    pub rule_run: Option<RuleRun>,
    /// When rows arrive in the runs of an alert rule; None for other queries.
    pub arrivals: Option<&'a ArrivalModel<'a>>,
    /// For each table, the column to which the time range applies, if it is not the column of the range.
    pub time_columns: &'a BTreeMap<String, String>,
    /// For each table, the column that has the ingestion time, if the user names one.
    pub ingestion_columns: &'a BTreeMap<String, String>,
    /// For each table outside the default database, spelled as in [`ast::SourceKind::Remote`], the local table that
    /// replaces it.
    pub aliases: &'a BTreeMap<String, String>,
    /// True if tables have provenance columns.
    pub provenance: bool,
    /// The column that identifies records, by which duplicate deliveries are dropped; None if none are dropped.
    pub dedup: Option<&'a str>,
    /// The report of what was skipped.
    pub report: &'a ScanReport,
    /// Collects the names of columns that were not found, but that records may have.
    pub missing: &'a RefCell<BTreeSet<String>>,
    /// Computes the rows of a plan during binding.
    pub subquery: &'a Subquery<'a>,
}

/// The settings with which the query of an alert rule is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleRun {
    /// The number of ticks after `now()` at which bins of datetimes meet, because the service replaces `bin()` by
    /// `bin_at()`; None if it does not.
    pub bin_point: Option<i64>,
}

/// The time range to which tables are restricted before the query sees them. All times are in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The time column. It is an error if a table lacks it.
    pub column: String,
    /// The first time; it is included.
    pub from: Option<i64>,
    /// The end; it is excluded.
    pub to: Option<i64>,
    /// The last time; it is included.
    pub through: Option<i64>,
}

/// The times of arrival to which tables are restricted before the query sees them. All times are in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalRange {
    /// The column that has the time of arrival. If None, it is the ingestion column of each table, or its time column
    /// if it has none.
    pub column: Option<String>,
    /// The first time; it is included.
    pub from: i64,
    /// The last time; it is included.
    pub through: i64,
}

/// A query that was bound.
#[derive(Debug)]
pub struct Bound {
    /// The results; there is at least one.
    pub results: Vec<BoundResult>,
    /// The value of `now` and the random seed with which the results are computed.
    pub context: EvalContext,
    /// The options that the query sets with `set`.
    pub options: Vec<QueryOption>,
    /// Warnings about probable mistakes.
    pub warnings: Vec<Diagnostic>,
}

/// The hint of a `render` operator, which the program does not draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    /// The kind of chart, such as `timechart` or `table`.
    pub chart: String,
    /// The properties, such as `title` and `xcolumn`, as the query writes them.
    pub properties: Vec<(String, Value)>,
}

/// Binds a query.
pub fn bind(query: &ast::Query, environment: &Environment<'_>) -> Result<Bound> {
    let mut binder = Binder::new(environment);
    let results = binder.query(query);
    match results {
        Err(Failed::Fatal(error)) => Err(error),
        _ if !binder.diagnostics.is_empty() => Err(Error::Query(binder.diagnostics)),
        Err(Failed::Reported) => Err(Error::internal("binding failed without a message")),
        Ok(bound) => {
            let mut results = Vec::new();
            for result in bound {
                let plan = window::without_marks(result.plan)?;
                verify::verify(&plan, "binding")?;
                results.push(BoundResult { plan, ..result });
            }
            Ok(Bound { results, context: binder.context, options: binder.options.listed, warnings: binder.warnings })
        }
    }
}

/// The reason why something could not be bound.
#[derive(Debug)]
pub(crate) enum Failed {
    /// An error that was already reported as a diagnostic.
    Reported,
    /// An error that ends binding, such as an unreadable file or a failed subquery.
    Fatal(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

pub(crate) type Bind<T> = Result<T, Failed>;

pub(crate) struct Binder<'a> {
    environment: &'a Environment<'a>,
    context: EvalContext,
    scope: Scope,
    /// The inputs of the operators that are being bound; the innermost is the last.
    inputs: Vec<LogicalPlan>,
    /// Number of nodes that uses of `let`s have added so far. It can grow exponentially, so it is limited.
    reused: usize,
    /// Total length in bytes of the function bodies that were bound, counted for each call.
    expanded: usize,
    /// The calls whose bodies are being bound; the innermost is the last.
    calls: Vec<function::Active>,
    /// The values that the calls being bound share; those of the innermost call are the last.
    shared: shared::SharedValues,
    /// The volatile values that `toscalar` computed, with its position and its argument.
    computed: Vec<(Span, Expr, Value)>,
    /// True once the names of stored functions were checked.
    library_checked: bool,
    /// The current nesting depth of pipelines.
    pipelines: usize,
    /// The current nesting depth of expressions and pipelines.
    nesting: usize,
    /// The column by which a surrounding `partition` divides its rows, with the value for which its subquery is being
    /// bound.
    partition_key: Option<(String, Expr)>,
    /// The columns that have the results of calls of window functions.
    windows: window::WindowColumns,
    /// The columns that have the values of references to steps of a `scan`.
    step_columns: operator::StepColumns,
    /// The search whose condition is being bound; None outside search conditions.
    search: Option<operator::Searching>,
    /// The options that the query sets with `set`.
    options: query_option::QueryOptions,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    render: Option<Render>,
    /// For each table, the duplicate keys and the positions of the rows to keep, as JSON arrays; None if it has no
    /// duplicates.
    repeated: BTreeMap<String, Option<[Arc<str>; 2]>>,
}

impl<'a> Binder<'a> {
    fn new(environment: &'a Environment<'a>) -> Self {
        Self {
            environment,
            context: environment.context.clone(),
            scope: Scope::default(),
            inputs: Vec::new(),
            reused: 0,
            expanded: 0,
            calls: Vec::new(),
            shared: shared::SharedValues::default(),
            computed: Vec::new(),
            library_checked: false,
            pipelines: 0,
            nesting: 0,
            partition_key: None,
            windows: window::WindowColumns::new(),
            step_columns: operator::StepColumns::new(),
            search: None,
            options: query_option::QueryOptions::default(),
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            render: None,
            repeated: BTreeMap::new(),
        }
    }

    /// Reports an error; an equal error at the same location is reported only once. For an error in the body of a
    /// function, the diagnostic shows the calls that led there: the innermost one, and the one in the query.
    fn report(&mut self, diagnostic: Diagnostic) -> Failed {
        let is_same = |known: &Diagnostic| {
            (known.code, known.span, &known.message) == (diagnostic.code, diagnostic.span, &diagnostic.message)
        };
        if self.diagnostics.iter().any(is_same) {
            return Failed::Reported;
        }
        let mut calls: Vec<Span> =
            self.calls.first().into_iter().chain(self.calls.last()).map(|active| active.call).collect();
        calls.dedup();
        calls.retain(|call| *call != diagnostic.span);
        let diagnostic = calls.into_iter().fold(diagnostic, |diagnostic, call| diagnostic.label(call, "in this call"));
        self.diagnostics.push(diagnostic);
        Failed::Reported
    }

    /// Reports a warning, unless an equal one was reported before.
    fn warn(&mut self, warning: Diagnostic) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Calls `bind` for something that is nested; reports an error if the nesting is too deep.
    fn nested<T>(&mut self, span: Span, bind: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        if self.nesting >= MAX_NESTING {
            return self.error(Code::TooDeep, span, format!("calls are nested more than {MAX_NESTING} levels deep"));
        }
        self.nesting += 1;
        let bound = bind(self);
        self.nesting -= 1;
        bound
    }

    fn error<T>(&mut self, code: Code, span: Span, message: impl Into<String>) -> Bind<T> {
        Err(self.report(Diagnostic::new(code, span, message)))
    }

    /// Binds every item, even after an error, so that the errors of all items are reported.
    fn all<S, T>(
        &mut self,
        items: impl IntoIterator<Item = S>,
        mut bind: impl FnMut(&mut Self, S) -> Bind<T>,
    ) -> Bind<Vec<T>> {
        let mut failed = None;
        let mut bound = Vec::new();
        for item in items {
            match bind(self, item) {
                Ok(value) => bound.push(value),
                Err(Failed::Reported) => failed = Some(Failed::Reported),
                Err(fatal) => return Err(fatal),
            }
        }
        failed.map_or(Ok(bound), Err)
    }

    /// Counts one more use of a table that a `let` names. Reports an error if the plan gets too large or too deep.
    fn reuse_table(&mut self, plan: &LogicalPlan, span: Span) -> Bind<()> {
        let size = self.check_depth(plan, span)?;
        self.reuse(size, span)
    }

    /// Returns the number of nodes of a plan; reports a plan that is too deep.
    fn check_depth(&mut self, plan: &LogicalPlan, span: Span) -> Bind<usize> {
        let (size, depth) = visit::extent(plan);
        if depth > MAX_DEPTH {
            let message = format!("let statements or functions refer to each other more than {MAX_DEPTH} levels deep");
            return self.error(Code::TooDeep, span, message);
        }
        Ok(size)
    }

    /// Counts one more use of something that has `size` nodes.
    fn reuse(&mut self, size: usize, span: Span) -> Bind<()> {
        let said = self.reused > MAX_REUSED;
        self.reused = self.reused.saturating_add(size);
        match (said, self.reused > MAX_REUSED) {
            (_, false) => return Ok(()),
            (true, true) => return Err(Failed::Reported),
            (false, true) => {}
        }
        self.error(Code::TooDeep, span, format!("let statements and functions expand to more than {MAX_REUSED} parts"))
    }

    /// Computes a plan; errors without a location are reported at `span`.
    fn evaluate_at(&mut self, plan: &LogicalPlan, span: Span) -> Bind<Vec<Batch>> {
        (self.environment.subquery)(plan, &self.context).map_err(|error| self.report_at(error, span))
    }

    /// Computes the rows of a plan.
    fn evaluate(&self, plan: &LogicalPlan) -> Bind<Vec<Batch>> {
        Ok((self.environment.subquery)(plan, &self.context)?)
    }
}
