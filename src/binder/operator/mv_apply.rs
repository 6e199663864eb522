//! Binds `mv-apply`, which runs a subquery over the elements of each row.

use crate::binder::segments::Segments;
use crate::binder::{Bind, Binder};
use crate::diagnostic::Span;
use crate::plan::{LogicalPlan, PerRow, PerRowOutput, RowColumns};
use crate::syntax::ast::{self, MvExpandItem, Parameter, ParsedExprKind};
use crate::types::{Field, Schema};

/// The parts of `mv-apply` in the syntax tree.
#[derive(Clone, Copy)]
pub(super) struct MvApply<'a> {
    pub parameters: &'a [Parameter],
    pub items: &'a [MvExpandItem],
    pub limit: Option<&'a ast::ParsedExpr>,
    pub body: &'a [ast::Operator],
    pub span: Span,
}

impl Binder<'_> {
    pub(super) fn mv_apply(&mut self, input: LogicalPlan, written: MvApply<'_>) -> Bind<LogicalPlan> {
        let outer = input.schema().clone();
        let leaf = LogicalPlan::Rows(RowColumns::all(&outer));
        let elements = self.mv_expand(leaf, written.parameters, written.items, written.limit)?;
        // Values of the outer row are columns here, so they are not those of the function around.
        self.pipelines += 1;
        // Names that `as` gives to rows of the subquery mean nothing outside.
        let hidden = self.scope.enter(self.scope.here());
        let body = self.nested(written.span, |binder| binder.operators(elements.clone(), None, written.body));
        self.scope.leave(hidden);
        self.pipelines -= 1;
        let body = body?;
        let (output, schema) = output_columns(&outer, body.schema(), written.items);
        let rows = self.segmented(elements.clone(), &Segments { rows: &elements })?;
        let body = self.segmented(body, &Segments { rows: &rows })?;
        Ok(LogicalPlan::PerRow(PerRow { input: Box::new(input), body: Box::new(body), output, schema }))
    }
}

/// Returns the output columns: those of the row except the ones that are expanded in place, then those that the
/// subquery adds. A column of the subquery replaces the column of the row that has the same name. Source: the columns
/// that the analyzer of the KQL language service returns.
fn output_columns(outer: &Schema, body: &Schema, items: &[MvExpandItem]) -> (Vec<PerRowOutput>, Schema) {
    let in_place = |name: &str| {
        items.iter().any(|item| {
            item.assignment.names.is_empty()
                && matches!(&item.assignment.value.kind, ParsedExprKind::Name(own) if own.text == name)
        })
    };
    let (mut output, mut fields) = (Vec::new(), Vec::<Field>::new());
    for (index, field) in outer.fields().iter().enumerate().filter(|(_, field)| !in_place(&field.name)) {
        match body.index_of(&field.name) {
            Some(own) => {
                output.push(PerRowOutput::Body(own));
                fields.push(body.field(own).clone());
            }
            None => {
                output.push(PerRowOutput::Input(index));
                fields.push(field.clone());
            }
        }
    }
    for (index, field) in body.fields().iter().enumerate() {
        if !fields.iter().any(|known| known.name == field.name) {
            output.push(PerRowOutput::Body(index));
            fields.push(field.clone());
        }
    }
    (output, Schema::new(fields))
}
