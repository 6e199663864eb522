//! Binds the plugins narrow, rows_near and schema_merge.

use super::arguments::PluginCall;
use super::{all_columns, table_call};
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::Expr;
use crate::functions::plugin::narrow::Narrow;
use crate::functions::plugin::rows_near::RowsNear;
use crate::functions::plugin::schema_merge::SchemaMerge;
use crate::plan::LogicalPlan;
use crate::types::Type;

impl Binder<'_> {
    pub(super) fn narrow(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        self.plugin_arguments(call)?;
        let names = input.schema().names().map(str::to_owned).collect();
        let cells = all_columns(input.schema()).into_iter().map(|column| column.cast(Type::String)).collect();
        Ok(table_call(input, Narrow { names }, cells, Vec::new()))
    }

    pub(super) fn rows_near(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let condition = self.step_condition(arguments.required(0)?, input.schema())?;
        let before = self.row_count(arguments.required(1)?)?;
        let after = match arguments.optional(2) {
            Some(argument) => self.row_count(argument)?,
            None => before,
        };
        let kept = (0..input.schema().len()).collect();
        Ok(table_call(input, RowsNear { before, after }, vec![condition], kept))
    }

    pub(super) fn schema_merge(&mut self, input: LogicalPlan, call: &PluginCall<'_>) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let preserves_order = self.plugin_flag(arguments.optional(0), true)?;
        let span = call.call.plugin.span;
        let wanted = [
            ("ColumnName", Type::String),
            ("ColumnOrdinal", Type::Long),
            ("DataType", Type::String),
            ("ColumnType", Type::String),
        ];
        let mut columns = Vec::new();
        for (name, ty) in wanted {
            let found = input.schema().index_of(name).map(|index| (index, input.schema().field(index).ty));
            let Some((index, own)) = found.filter(|(_, own)| *own == ty || *own == Type::Int && ty == Type::Long)
            else {
                let message = format!("`schema_merge` needs the columns of `getschema`, such as `{name}`");
                return self.error(Code::UnknownColumn, span, message);
            };
            columns.push(Expr::column(index, own, span).cast(ty));
        }
        Ok(table_call(input, SchemaMerge { preserves_order, span }, columns, Vec::new()))
    }
}
