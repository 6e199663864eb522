//! The binder turns a syntax tree into a logical plan: it resolves names, checks types and expands syntactic sugar.
//!
//! It continues after an error if possible, so that one run reports several; errors that only follow from an earlier
//! one are not reported.

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

pub use ingestion::{INGESTED, RECEIVED, with_arrival_columns};
pub use query_option::QueryOption;
pub use results::BoundResult;
use results::Results;
use scope::Scope;

/// Maximum depth of a plan, to which every pass over it recurses.
const MAX_DEPTH: usize = 2_000;

/// Maximum nesting of expressions and tables, including the functions that they call.
const MAX_NESTING: usize = 512;

/// Maximum number of plan and expression nodes that uses of lets may add up to.
const MAX_REUSED: usize = 100_000;

/// Computes a plan whose rows the binder needs: `toscalar(...)`, `x in (table)`.
pub type Subquery<'a> = dyn Fn(&LogicalPlan, &EvalContext) -> Result<Vec<Batch>> + 'a;

/// Everything outside the query that binding depends on.
pub struct Environment<'a> {
    /// The tables.
    pub catalog: &'a dyn Catalog,
    /// `now` (which `set query_now` overrides) and the random seed.
    pub context: EvalContext,
    /// The values of query parameters as the user typed them.
    pub parameters: &'a BTreeMap<String, String>,
    /// The time range that every table is restricted to.
    pub time_range: Option<&'a TimeRange>,
    /// The times of arrival that every table is restricted to.
    pub arrival_range: Option<&'a ArrivalRange>,
    /// True if rows arrive as a backtest assumes: `ingestion_time()` is refused.
    pub assumes_arrival: bool,
    /// For each table, the column that the time range applies to instead of the range's own.
    pub time_columns: &'a BTreeMap<String, String>,
    /// For each table, the column of the ingestion time, if the user names one.
    pub ingestion_columns: &'a BTreeMap<String, String>,
    /// The local table by the name of a table outside the default database, as [`ast::SourceKind::Remote`] spells it.
    pub aliases: &'a BTreeMap<String, String>,
    /// True if tables have provenance columns.
    pub provenance: bool,
    /// The column that identifies a record, for dropping duplicate deliveries.
    pub dedup: Option<&'a str>,
    /// Collects what was skipped.
    pub report: &'a ScanReport,
    /// Names of columns that were not found, although records may have them.
    pub missing: &'a RefCell<BTreeSet<String>>,
    /// Computes subqueries.
    pub subquery: &'a Subquery<'a>,
}

/// The time range that tables are restricted to before the query sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The time column; a table without it is an error.
    pub column: String,
    /// First tick, inclusive.
    pub from: Option<i64>,
    /// End tick, exclusive.
    pub to: Option<i64>,
    /// Last tick, inclusive.
    pub through: Option<i64>,
}

/// The times of arrival that tables are restricted to before the query sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivalRange {
    /// The column with the time of arrival; None for the ingestion column of each table, or its time if it has none.
    pub column: Option<String>,
    /// First tick, inclusive.
    pub from: i64,
    /// Last tick, inclusive.
    pub through: i64,
}

/// A bound query.
#[derive(Debug)]
pub struct Bound {
    /// The results, at least one.
    pub results: Vec<BoundResult>,
    /// The `now` and random seed to compute them with.
    pub context: EvalContext,
    /// The options that the query sets with `set`.
    pub options: Vec<QueryOption>,
    /// Warnings about probable mistakes.
    pub warnings: Vec<Diagnostic>,
}

/// The hint of a `render` operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Render {
    /// `timechart`, `table`, ...
    pub chart: String,
    /// `title`, `xcolumn`, ... as written.
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
    /// An error that was reported as a diagnostic.
    Reported,
    /// An error that ends binding: an unreadable file, a failed subquery.
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
    /// The inputs of the operators being bound, innermost last.
    inputs: Vec<LogicalPlan>,
    /// Nodes added by uses of lets so far; they can grow exponentially.
    reused: usize,
    /// Total bytes of the function bodies bound so far, counted per call.
    expanded: usize,
    /// The calls whose bodies are being bound, innermost last.
    calls: Vec<function::Active>,
    /// The values that the calls being bound share, innermost call last.
    shared: shared::SharedValues,
    /// True once the names of stored functions were checked.
    library_checked: bool,
    /// Current nesting depth of pipelines.
    pipelines: usize,
    /// Current nesting depth of expressions and pipelines.
    nesting: usize,
    /// The column by which an enclosing `partition` divides its rows, with the value of the subquery being bound.
    partition_key: Option<(String, Expr)>,
    /// The columns of calls of window functions.
    windows: window::WindowColumns,
    /// The columns of references to the steps of a `scan`.
    step_columns: operator::StepColumns,
    /// Set while the condition of a search is bound.
    search: Option<operator::Searching>,
    /// The options that the query sets with `set`.
    options: query_option::QueryOptions,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    render: Option<Render>,
    /// For each table, the duplicate keys and the rows to keep, as JSON arrays; None if there are none.
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

    /// Records an error, once per location. In the body of a function, the diagnostic shows the calls that led there:
    /// the innermost one, and the one in the query.
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

    /// Records a warning, once.
    fn warn(&mut self, warning: Diagnostic) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Binds something nested; reports too deep nesting.
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

    /// Binds every item, so that the errors of all items are reported.
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

    /// Counts one more use of a table bound by a let; reports a plan that becomes too large or too deep.
    fn reuse_table(&mut self, plan: &LogicalPlan, span: Span) -> Bind<()> {
        let size = self.check_depth(plan, span)?;
        self.reuse(size, span)
    }

    /// The number of nodes of a plan; reports a plan that is too deep.
    fn check_depth(&mut self, plan: &LogicalPlan, span: Span) -> Bind<usize> {
        let (size, depth) = visit::extent(plan);
        if depth > MAX_DEPTH {
            let message = format!("let statements or functions refer to each other more than {MAX_DEPTH} levels deep");
            return self.error(Code::TooDeep, span, message);
        }
        Ok(size)
    }

    /// Counts one more use of something with `size` nodes.
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

    /// Computes a subquery; reports its errors at `span` if they have no location.
    fn evaluate_at(&mut self, plan: &LogicalPlan, span: Span) -> Bind<Vec<Batch>> {
        (self.environment.subquery)(plan, &self.context).map_err(|error| self.report_at(error, span))
    }

    /// Computes a subquery.
    fn evaluate(&self, plan: &LogicalPlan) -> Bind<Vec<Batch>> {
        Ok((self.environment.subquery)(plan, &self.context)?)
    }
}
