//! Makes the plan node of the parse operators. Their columns replace columns of the same name, or are appended.

use std::sync::Arc;

use crate::binder::{Bind, Binder};
use crate::expr::Expr;
use crate::functions::parse::TextPattern;
use crate::plan::{LogicalPlan, Parse, ParseOutput};
use crate::syntax::ast::{self, Name};
use crate::types::{Field, Schema, Type};

/// A column in the pattern of a parse operator.
#[derive(Clone, Copy)]
pub(super) struct ParsedColumn<'n> {
    pub name: &'n Name,
    pub ty: Type,
}

/// What happens with rows that do not match; see [`Parse`].
#[derive(Clone, Copy)]
pub(super) struct ParsedRows {
    pub is_strict: bool,
    pub drops_unmatched: bool,
}

impl Binder<'_> {
    /// Binds the value that is parsed. A value of another type is parsed as the string that `tostring()` returns.
    pub(super) fn parsed_value(&mut self, value: &ast::ParsedExpr, schema: &Schema) -> Bind<Expr> {
        Ok(self.expr(value, schema)?.cast(Type::String))
    }
}

pub(super) fn parse_node(
    input: LogicalPlan,
    source: Expr,
    pattern: Arc<TextPattern>,
    columns: &[ParsedColumn<'_>],
    rows: ParsedRows,
) -> LogicalPlan {
    let mut fields: Vec<Field> = input.schema().fields().to_vec();
    let mut output: Vec<ParseOutput> = (0..fields.len()).map(ParseOutput::Input).collect();
    for (index, column) in columns.iter().enumerate() {
        let field = Field::new(column.name.text.clone(), column.ty);
        match input.schema().index_of(&column.name.text) {
            Some(replaced) => {
                fields[replaced] = field;
                output[replaced] = ParseOutput::Capture(index);
            }
            None => {
                fields.push(field);
                output.push(ParseOutput::Capture(index));
            }
        }
    }
    LogicalPlan::Parse(Parse {
        input: Box::new(input),
        source,
        pattern,
        captures: columns.iter().map(|column| column.ty).collect(),
        is_strict: rows.is_strict,
        drops_unmatched: rows.drops_unmatched,
        output,
        schema: Schema::new(fields),
    })
}
