//! What was written -> what it means: names looked up, types checked, sugar gone.
//!
//! Binding goes on after an error where it can, so that one run reports several; what depends on a wrong part is left
//! out without a message of its own.

mod catalog_table;
mod expr;
mod function;
mod ingestion;
mod naming;
mod operator;
mod scope;
mod source;
mod statement;
mod watchlist;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Error, Result, Span};
use crate::functions::EvalContext;
use crate::plan::{LogicalPlan, verify, visit};
use crate::scan::{Catalog, ScanReport};
use crate::syntax::ast;
use crate::types::{Batch, Value};

use scope::Scope;

/// Steps on the longest way through a plan that lets build: every pass over a plan goes as deep.
const MAX_DEPTH: usize = 2_000;

/// Expressions and tables in each other, those in the functions that they call among them.
const MAX_NESTING: usize = 512;

/// Parts of plans and expressions that uses of lets may add up to.
const MAX_REUSED: usize = 100_000;

/// Rows of a plan that must be known while binding: `toscalar(...)`, `x in (table)`.
pub type Subquery<'a> = dyn Fn(&LogicalPlan, &EvalContext) -> Result<Vec<Batch>> + 'a;

/// What a query is bound against.
pub struct Environment<'a> {
    /// The tables.
    pub catalog: &'a dyn Catalog,
    /// `now` and the seed; `set query_now` changes the first.
    pub context: EvalContext,
    /// Values of query parameters, as text.
    pub parameters: &'a BTreeMap<String, String>,
    /// A time range that every table is cut to.
    pub time_range: Option<&'a TimeRange>,
    /// By table, the column that the time range cuts instead of the range's own.
    pub time_columns: &'a BTreeMap<String, String>,
    /// By table, the column that holds the time of ingestion, where the user names one.
    pub ingestion_columns: &'a BTreeMap<String, String>,
    /// Whether tables have the columns that tell where a row came from.
    pub provenance: bool,
    /// The column whose repeated values are the same record delivered again.
    pub dedup: Option<&'a str>,
    /// Where to count what is left out.
    pub report: &'a ScanReport,
    /// Names of columns that were not found: records may have them all the same.
    pub missing: &'a RefCell<BTreeSet<String>>,
    /// Computes subqueries.
    pub subquery: &'a Subquery<'a>,
}

/// A range of time that tables are cut to before the query sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The column that holds the time; a table without it is refused.
    pub column: String,
    /// First tick, included.
    pub from: Option<i64>,
    /// First tick that is out again.
    pub to: Option<i64>,
    /// Last tick, included.
    pub through: Option<i64>,
}

/// A bound query.
#[derive(Debug)]
pub struct Bound {
    /// What to compute.
    pub plan: LogicalPlan,
    /// With which `now`.
    pub context: EvalContext,
    /// How the author wants it drawn.
    pub render: Option<Render>,
    /// What may not mean what the author thinks.
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
    let plan = binder.query(query);
    match plan {
        Err(Failed::Fatal(error)) => Err(error),
        _ if !binder.diagnostics.is_empty() => Err(Error::Query(binder.diagnostics)),
        Err(Failed::Reported) => Err(Error::internal("binding failed without a message")),
        Ok(plan) => {
            verify::verify(&plan, "binding")?;
            Ok(Bound { plan, context: binder.context, render: binder.render, warnings: binder.warnings })
        }
    }
}

/// Why something could not be bound.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A diagnostic says so.
    Reported,
    /// Binding cannot go on: a file cannot be read, a subquery failed.
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
    /// What the operators that are being bound work on, the innermost last.
    inputs: Vec<LogicalPlan>,
    /// What the uses of lets have added up to: lets that use lets twice double with each.
    reused: usize,
    /// Bytes that the bodies of functions have added up to, once a call.
    expanded: usize,
    /// The calls whose bodies are being bound, the innermost last.
    calls: Vec<function::Active>,
    /// Whether the names of stored functions were looked at.
    library_checked: bool,
    /// How many pipelines are being bound, one in the other.
    pipelines: usize,
    /// How many expressions and pipelines are being bound, one in the other.
    nesting: usize,
    /// Set while the condition of a search is bound.
    search: Option<operator::Searching>,
    diagnostics: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    render: Option<Render>,
    /// By table, the keys of repeated rows and the positions of those to keep, as JSON arrays; None without any.
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
            library_checked: false,
            pipelines: 0,
            nesting: 0,
            search: None,
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            render: None,
            repeated: BTreeMap::new(),
        }
    }

    /// Notes an error, once for each place; the answer stands for the part that is missing now. In the body of a
    /// function the calls that led there are shown: the last, and the one in the query.
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

    /// Notes a warning, once.
    fn warn(&mut self, warning: Diagnostic) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Binds something inside of what is being bound.
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

    /// Binds every item, so that the errors of all of them are reported.
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

    /// Accounts for one more use of a table that a let stands for; an error where that leads too far.
    fn reuse_table(&mut self, plan: &LogicalPlan, span: Span) -> Bind<()> {
        let size = self.check_depth(plan, span)?;
        self.reuse(size, span)
    }

    /// How many parts a plan has; an error where lets or functions made it too deep.
    fn check_depth(&mut self, plan: &LogicalPlan, span: Span) -> Bind<usize> {
        let (size, depth) = visit::extent(plan);
        if depth > MAX_DEPTH {
            let message = format!("let statements or functions build on each other more than {MAX_DEPTH} levels deep");
            return self.error(Code::TooDeep, span, message);
        }
        Ok(size)
    }

    /// Accounts for one more use of something of so many parts.
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

    /// The rows of a subquery, now.
    fn evaluate(&self, plan: &LogicalPlan) -> Bind<Vec<Batch>> {
        Ok((self.environment.subquery)(plan, &self.context)?)
    }
}
