//! What a name means apart from columns: lets and query parameters.

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::plan::LogicalPlan;

/// What a `let` or a parameter stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// A value; an expression without columns, a literal unless each use is computed anew.
    Value(Expr),
    /// A table.
    Table(LogicalPlan),
    /// Something that is wrong, which has been said where it is defined.
    Failed,
}

/// The names in force.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    names: BTreeMap<String, (Binding, Span)>,
}

impl Scope {
    /// What `name` stands for.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.names.get(name).map(|(binding, _)| binding)
    }

    /// Defines `name`; where it is defined already, the place of that is the error.
    pub fn define(&mut self, name: &str, binding: Binding, span: Span) -> Result<(), Span> {
        match self.names.get(name) {
            Some((_, earlier)) => Err(*earlier),
            None => {
                self.names.insert(name.to_owned(), (binding, span));
                Ok(())
            }
        }
    }

    /// Defines `name`, whatever it stood for.
    pub fn shadow(&mut self, name: &str, binding: Binding, span: Span) {
        self.names.insert(name.to_owned(), (binding, span));
    }

    /// The names of values, for suggestions.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(|(_, (binding, _))| matches!(binding, Binding::Value(_)))
            .map(|(name, _)| name.as_str())
    }

    /// The names of tables, for suggestions.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(|(_, (binding, _))| matches!(binding, Binding::Table(_)))
            .map(|(name, _)| name.as_str())
    }
}
