//! Binds ipv4_lookup and ipv6_lookup. The lookup table is read while binding.

use super::arguments::PluginCall;
use super::table_call;
use crate::binder::naming::Names;
use crate::binder::operator::project::identity;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::expr::Expr;
use crate::functions::plugin::IpVersion;
use crate::functions::plugin::ip_lookup::IpLookup;
use crate::plan::LogicalPlan;
use crate::syntax::ast::{self, ParsedExprKind};
use crate::types::{Batch, ColumnBuilder, Field, Schema, Type, Value};

impl Binder<'_> {
    /// Binds both plugins. Source: the reference's pages on the plugins, the analyzer for the columns of ipv4_lookup,
    /// and results of the engine for those of ipv6_lookup, in which the columns of the lookup table come first.
    pub(super) fn ip_lookup(
        &mut self,
        input: LogicalPlan,
        version: IpVersion,
        call: &PluginCall<'_>,
    ) -> Bind<LogicalPlan> {
        let arguments = self.plugin_arguments(call)?;
        let table = self.table_argument(arguments.required(0)?)?;
        let address = self.address_column(arguments.required(1)?, input.schema())?;
        let key = self.address_column(arguments.required(2)?, table.schema())?;
        let (mut extra, mut flag) = (arguments.repeated.clone(), None);
        if version == IpVersion::V4 {
            // The flag may be given by position, after the extra keys.
            flag = arguments.optional(4);
            let is_flag = |binder: &mut Self, last: &ast::ParsedExpr| match &last.kind {
                ParsedExprKind::Literal(value) => value.ty() == Type::Bool,
                ParsedExprKind::Name(name) if input.schema().index_of(&name.text).is_none() => {
                    matches!(binder.constant(last), Ok(Value::Bool(_)))
                }
                _ => false,
            };
            if flag.is_none() && extra.last().is_some_and(|last| is_flag(self, last)) {
                flag = extra.pop();
            }
        } else if let Some(argument) = arguments.optional(3) {
            flag = Some(argument);
        }
        let keeps_unmatched = self.plugin_flag(flag, false)?;
        let own = self.plugin_dimensions(&extra, input.schema())?;
        let other = self.plugin_dimensions(&extra, table.schema())?;
        let other: Vec<usize> = other.iter().filter_map(Expr::as_column).collect();
        let (rows, fields) = self.lookup_rows(&table, &other, input.schema())?;
        let key = key.as_column().unwrap_or_default();
        let function = IpLookup::new(version, rows, fields, key, &other, keeps_unmatched);
        let kept: Vec<usize> = (0..input.schema().len()).collect();
        let (width, count) = (kept.len(), table.schema().len());
        let plan = table_call(input, function, [address].into_iter().chain(own).collect(), kept);
        let all = identity(plan.schema());
        let shown = |column: &usize| !other.contains(&(column - width));
        let lookup_columns = (width..width + count).filter(shown);
        let order: Vec<usize> = match version {
            IpVersion::V4 => (0..width).chain(lookup_columns).collect(),
            IpVersion::V6 => lookup_columns.chain(0..width).collect(),
        };
        Ok(plan.project(order.into_iter().map(|column| all[column].clone())))
    }

    fn address_column(&mut self, argument: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        let column = self.plugin_column(argument, schema)?;
        match column.ty {
            Type::String => Ok(column),
            ty => {
                let message = format!("addresses must be strings, not values of type {ty}");
                self.error(Code::ArgumentType, argument.span, message)
            }
        }
    }

    /// Returns the rows of the lookup table and a row of nulls after them, with column names that differ from those
    /// of the input.
    fn lookup_rows(&mut self, table: &LogicalPlan, extra: &[usize], input: &Schema) -> Bind<(Batch, Vec<Field>)> {
        let own = table.schema().fields();
        let shown = own.iter().enumerate().filter(|(index, _)| !extra.contains(index)).map(|(_, field)| &field.name);
        let mut names = Names::taken(input.names()).past(shown.map(String::as_str));
        let name = |(index, field): (usize, &Field)| {
            let name = if extra.contains(&index) { format!("${}", field.name) } else { names.unique(&field.name) };
            Field::new(name, field.ty)
        };
        let fields: Vec<Field> = own.iter().enumerate().map(name).collect();
        let null = |field: &Field| {
            let mut builder = ColumnBuilder::new(field.ty);
            builder.append_null();
            builder.finish()
        };
        let mut batches = self.evaluate(table)?;
        batches.push(Batch::new(own.iter().map(null).collect(), 1));
        let types: Vec<Type> = own.iter().map(|field| field.ty).collect();
        Ok((Batch::concat(&types, &batches)?, fields))
    }
}
