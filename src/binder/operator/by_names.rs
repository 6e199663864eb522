//! Binds `project-by-names`, which selects columns by constant strings.

use super::columns::{pick, wildcard};
use crate::binder::{Bind, Binder};
use crate::diagnostic::Code;
use crate::plan::LogicalPlan;
use crate::syntax::ast;
use crate::types::{Value, dynamic};

impl Binder<'_> {
    /// Selects the columns whose names match, in the order of the names. Names that no column has are ignored.
    /// Source: the reference's page on the project-by-names operator.
    pub(super) fn project_by_names(&mut self, input: LogicalPlan, names: &[ast::ParsedExpr]) -> Bind<LogicalPlan> {
        let names = self.all(names, Self::column_names)?;
        let mut columns: Vec<usize> = Vec::new();
        for pattern in names.into_iter().flatten() {
            let matching = input.schema().names().enumerate().filter(|(_, name)| wildcard(&pattern, name));
            let new = matching.map(|(index, _)| index).filter(|index| !columns.contains(index));
            columns.extend(new.collect::<Vec<_>>());
        }
        Ok(pick(input, &columns))
    }

    /// Returns the names in one argument: a string, or an array of strings.
    fn column_names(&mut self, argument: &ast::ParsedExpr) -> Bind<Vec<String>> {
        let names = match &self.constant(argument)? {
            Value::String(name) => Some(vec![name.to_string()]),
            Value::Dynamic(json) if dynamic::kind(json) == dynamic::Kind::Array => {
                Some(dynamic::elements(json).map(|name| dynamic::to_text(name).into_owned()).collect())
            }
            Value::Dynamic(json) if dynamic::kind(json) == dynamic::Kind::String => {
                Some(vec![dynamic::to_text(json).into_owned()])
            }
            _ => None,
        };
        match names {
            Some(names) => Ok(names),
            None => {
                let message = "the names of columns must be a string or an array of strings";
                self.error(Code::ArgumentType, argument.span, message)
            }
        }
    }
}
