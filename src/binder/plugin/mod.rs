//! Binds `evaluate`, a call of a plugin, with one method for each kind of plugin in the registry.

mod analytics;
mod arguments;
mod bag_unpack;
mod ip_lookup;
mod pivot;
mod pivoted;
mod reshape;
mod segmentation;
mod users;

use std::sync::Arc;

use super::operator::project::identity;
use super::{Bind, Binder, Failed};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::Expr;
use crate::functions::plugin::{self, PluginKind, plugins};
use crate::functions::{self, TableFunction};
use crate::plan::{LogicalPlan, TableCall, per_row};
use crate::syntax::ast;
use crate::types::{Field, Schema};

use arguments::PluginCall;

/// Maximum number of columns that a plugin makes of data.
const MAX_COLUMNS: usize = 4_000;

impl Binder<'_> {
    /// Binds `evaluate` after a `|`, or as a source if `input` is None.
    pub(super) fn evaluate_plugin(
        &mut self,
        input: Option<LogicalPlan>,
        call: &ast::Evaluate,
        span: Span,
    ) -> Bind<LogicalPlan> {
        let Some(plugin) = functions::plugin(&call.plugin.text) else {
            return Err(self.unknown_plugin(&call.plugin));
        };
        let Some(input) = input else {
            let message = format!("`{}` needs rows", plugin.name);
            let help = format!("call it after a table: T | evaluate {}(...)", plugin.name);
            return Err(self.report(Diagnostic::new(Code::ExpectedTable, call.plugin.span, message).help(help)));
        };
        let call = PluginCall { plugin, call, span };
        if call.call.schema.is_some() && !matches!(plugin.kind, PluginKind::BagUnpack | PluginKind::Pivot) {
            let message = format!("declared columns of `{}` are not supported yet", plugin.name);
            return self.error(Code::UnsupportedSyntax, call.schema_span(), message);
        }
        match plugin.kind {
            PluginKind::ActiveUsersCount
            | PluginKind::ActivityCountsMetrics
            | PluginKind::ActivityEngagement
            | PluginKind::ActivityMetrics
            | PluginKind::NewActivityMetrics
            | PluginKind::SessionCount
            | PluginKind::SlidingWindowCounts => self.activity(input, &call),
            PluginKind::AutoCluster => self.autocluster(input, &call),
            PluginKind::Basket => self.basket(input, &call),
            PluginKind::DcountIntersect => self.dcount_intersect(input, &call),
            PluginKind::DiffPatterns => self.diffpatterns(input, &call),
            PluginKind::FunnelCompletion => self.funnel_completion(input, &call),
            PluginKind::BagUnpack => self.bag_unpack(input, &call),
            PluginKind::IpLookup(version) => self.ip_lookup(input, version, &call),
            PluginKind::Narrow => self.narrow(input, &call),
            PluginKind::Pivot => self.pivot(input, &call),
            PluginKind::RollingPercentile => self.rolling_percentile(input, &call),
            PluginKind::RowsNear => self.rows_near(input, &call),
            PluginKind::SchemaMerge => self.schema_merge(input, &call),
            PluginKind::SequenceDetect => self.sequence_detect(input, &call),
        }
    }

    /// Reports rows of a subquery that runs for each row, such as that of `mv-apply`, because they are not known
    /// while binding.
    pub(super) fn known_while_binding(&mut self, plan: &LogicalPlan, what: &str, span: Span) -> Bind<()> {
        let mut is_known = true;
        per_row::row_columns(plan, &mut |_| is_known = false);
        match is_known {
            true => Ok(()),
            false => {
                let message = format!("`{what}` is not supported inside a subquery of `mv-apply` or `partition`");
                let diagnostic = Diagnostic::new(Code::UnsupportedSyntax, span, message);
                Err(self.report(match functions::plugin(what) {
                    Some(_) => {
                        diagnostic.help(format!("declare its columns: evaluate {what}(...) : (a:string, b:long)"))
                    }
                    None => diagnostic,
                }))
            }
        }
    }

    fn unknown_plugin(&mut self, name: &ast::Name) -> Failed {
        if let Some(reason) = plugin::refusal(&name.text) {
            let message = format!("the Kusto plugin `{}` is not supported: {reason}", name.text);
            return self.report(Diagnostic::new(Code::UnsupportedFunction, name.span, message));
        }
        let message = format!("unknown plugin `{}`", name.text);
        let known = plugins().map(|plugin| plugin.name);
        self.report(Diagnostic::new(Code::UnknownFunction, name.span, message).suggest(&name.text, known))
    }
}

/// Returns a call of `function` with the values of `arguments` in each row. The output has the columns `kept` of the
/// input, then those of the function, whose names are made unique.
fn table_call(
    input: LogicalPlan,
    function: impl TableFunction + 'static,
    arguments: Vec<Expr>,
    kept: Vec<usize>,
) -> LogicalPlan {
    let own = kept.iter().map(|column| input.schema().field(*column).clone());
    let schema = Schema::new(own.chain(function.fields()));
    LogicalPlan::TableCall(TableCall { input: Box::new(input), function: Arc::new(function), arguments, kept, schema })
}

/// Returns all columns as expressions.
fn all_columns(schema: &Schema) -> Vec<Expr> {
    identity(schema).into_iter().map(|(_, column)| column).collect()
}

/// Returns the fields of those `columns` that are columns of `schema`.
fn fields_of(columns: &[Expr], schema: &Schema) -> Vec<Field> {
    columns.iter().filter_map(Expr::as_column).map(|column| schema.field(column).clone()).collect()
}
