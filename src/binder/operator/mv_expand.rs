//! Binds `mv-expand`, which returns one row for each element of dynamic columns.

use crate::binder::naming::Names;
use crate::binder::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{LogicalPlan, Unnest, UnnestItem, UnnestOutput};
use crate::syntax::ast::{self, MvExpandItem, Parameter, ParsedExprKind};
use crate::types::{Field, Schema, Type, Value};

impl Binder<'_> {
    pub(super) fn mv_expand(
        &mut self,
        input: LogicalPlan,
        parameters: &[Parameter],
        items: &[MvExpandItem],
        limit: Option<&ast::ParsedExpr>,
    ) -> Bind<LogicalPlan> {
        let (bags_as_arrays, index_name) = self.mv_expand_parameters(parameters)?;
        let limit = match limit {
            Some(limit) => Some(usize::try_from(self.constant_number(limit)?).unwrap_or(0)),
            None => None,
        };
        let schema = input.schema().clone();
        let mut fields: Vec<Field> = schema.fields().to_vec();
        let mut output: Vec<UnnestOutput> = (0..fields.len()).map(UnnestOutput::Input).collect();
        let mut names = Names::taken(schema.names());
        let mut made = Names::default();
        let bound = self.all(items.iter().enumerate(), |binder, (position, item)| {
            let expr = binder.expr(&item.assignment.value, &schema)?;
            if expr.ty != Type::Dynamic {
                let message = format!("a value of type {} has no elements to expand", expr.ty);
                let mut diagnostic = Diagnostic::new(Code::ArgumentType, expr.span, message);
                if expr.ty == Type::String {
                    diagnostic = diagnostic.help("convert a JSON string with parse_json(...) first");
                }
                return Err(binder.report(diagnostic));
            }
            let ty = item.to.unwrap_or(Type::Dynamic);
            let name = match item.assignment.names.first() {
                Some(name) => Some(name.text.clone()),
                None => Self::own_name(&item.assignment.value),
            };
            let replaced = name.as_ref().and_then(|name| schema.index_of(name));
            match (replaced, name) {
                (Some(index), Some(name)) if made.claim(&name) => {
                    fields[index] = Field::new(name, ty);
                    output[index] = UnnestOutput::Item(position);
                }
                (_, name) => {
                    fields.push(Field::new(names.unique_or_numbered(name.as_deref()), ty));
                    output.push(UnnestOutput::Item(position));
                }
            }
            Ok(UnnestItem { expr, ty })
        })?;
        if let Some(name) = index_name {
            fields.push(Field::new(names.unique(&name), Type::Long));
            output.push(UnnestOutput::Position);
        }
        let schema = Schema::new(fields);
        Ok(LogicalPlan::Unnest(Unnest { input: Box::new(input), items: bound, bags_as_arrays, limit, output, schema }))
    }

    /// Returns true if bags become arrays, and the name of the column with the position of the element.
    fn mv_expand_parameters(&mut self, parameters: &[Parameter]) -> Bind<(bool, Option<String>)> {
        let mut bags_as_arrays = false;
        let mut index_name = None;
        for parameter in parameters {
            let word = match &parameter.value.kind {
                ParsedExprKind::Name(name) => name.text.clone(),
                ParsedExprKind::Literal(Value::String(text)) => text.to_string(),
                _ => String::new(),
            };
            match (parameter.name.text.as_str(), word.as_str()) {
                ("kind" | "bagexpansion", "bag") => bags_as_arrays = false,
                ("kind" | "bagexpansion", "array") => bags_as_arrays = true,
                ("with_itemindex", name) if !name.is_empty() => index_name = Some(word),
                (name, _) if name.starts_with("hint.") => {}
                (name, _) => {
                    let message = format!("unsupported value of the mv-expand parameter `{name}`");
                    return self.error(Code::InvalidValue, parameter.name.span.to(parameter.value.span), message);
                }
            }
        }
        Ok((bags_as_arrays, index_name))
    }
}
