//! The scope of names other than columns: lets, query parameters, functions and their parameters.
//!
//! A scope has levels: one for the query, and one per function whose body is being bound. A body sees only what was
//! defined before its function, so definitions are numbered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pattern::DeclaredPattern;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast;

/// The meaning of a `let` or a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// A value: an expression without columns; a literal unless every use is computed again.
    Value(Expr),
    /// A value that depends on the row for which a function is called, and the pipeline depth at which it is valid:
    /// at another depth its columns would mean something else.
    RowValue(Expr, usize),
    /// A table, and its name in the `withsource` column of a union, if it has one.
    Table(LogicalPlan, Option<String>),
    /// A function.
    Function(Arc<ScopedFunction>),
    /// A pattern.
    Pattern(Arc<DeclaredPattern>),
    /// An argument of another type than its parameter. Kusto accepts it, and how it converts it is not known: only a
    /// use of the parameter is an error.
    Unconverted(Box<Diagnostic>),
    /// A definition that failed and was reported.
    Failed,
}

/// A function, and the definitions that its body can see.
#[derive(Debug)]
pub(crate) struct ScopedFunction {
    /// The definition in the syntax tree.
    pub definition: Arc<ast::Function>,
    /// The position after the definitions it can see.
    pub home: ScopePosition,
}

/// A position between two definitions; by default before all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopePosition {
    /// The number of levels.
    levels: usize,
    /// The number of definitions in the last level.
    defined: usize,
}

/// The levels hidden while the body of a function is bound.
#[derive(Debug)]
pub(crate) struct Hidden {
    levels: Vec<NameLevel>,
    visible: usize,
}

/// All visible names.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The levels, innermost last; never empty.
    levels: Vec<NameLevel>,
}

/// Names of the query or of one call.
#[derive(Debug)]
struct NameLevel {
    /// The definitions of each name with their numbers; later ones shadow earlier ones.
    names: BTreeMap<String, Vec<(usize, Binding, Span)>>,
    /// The number of definitions so far.
    defined: usize,
    /// The number of visible definitions.
    visible: usize,
}

impl Default for NameLevel {
    fn default() -> Self {
        Self { names: BTreeMap::new(), defined: 0, visible: usize::MAX }
    }
}

impl NameLevel {
    fn get(&self, name: &str) -> Option<&(usize, Binding, Span)> {
        self.names.get(name)?.iter().rev().find(|(number, ..)| *number < self.visible)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self { levels: vec![NameLevel::default()] }
    }
}

impl Scope {
    /// The meaning of `name`.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.levels.iter().rev().find_map(|level| level.get(name)).map(|(_, binding, _)| binding)
    }

    /// Defines `name`; the error is the span of an earlier definition in this level. Names of outer levels are hidden.
    pub fn define(&mut self, name: &str, binding: Binding, span: Span) -> Result<(), Span> {
        match self.levels.last().and_then(|level| level.get(name)) {
            Some((.., earlier)) => Err(*earlier),
            None => {
                self.shadow(name, binding, span);
                Ok(())
            }
        }
    }

    /// Defines `name`, replacing an earlier definition.
    pub fn shadow(&mut self, name: &str, binding: Binding, span: Span) {
        if let Some(level) = self.levels.last_mut() {
            level.names.entry(name.to_owned()).or_default().push((level.defined, binding, span));
            level.defined += 1;
        }
    }

    /// The position after all definitions so far.
    pub fn here(&self) -> ScopePosition {
        ScopePosition { levels: self.levels.len(), defined: self.levels.last().map_or(0, |level| level.defined) }
    }

    /// Returns to position `home` and opens a new level. Only visible functions are called, so the levels of `home` all
    /// exist.
    pub fn enter(&mut self, home: ScopePosition) -> Hidden {
        let levels = self.levels.split_off(home.levels.min(self.levels.len()));
        let visible = |level: &mut NameLevel| std::mem::replace(&mut level.visible, home.defined);
        let visible = self.levels.last_mut().map_or(usize::MAX, visible);
        self.levels.push(NameLevel::default());
        Hidden { levels, visible }
    }

    /// Undoes [`Scope::enter`].
    pub fn leave(&mut self, hidden: Hidden) {
        self.levels.pop();
        if let Some(level) = self.levels.last_mut() {
            level.visible = hidden.visible;
        }
        self.levels.extend(hidden.levels);
    }

    /// The names whose binding satisfies `is_wanted`, sorted and without duplicates.
    pub fn names(&self, is_wanted: impl Fn(&Binding) -> bool) -> Vec<String> {
        let all: std::collections::BTreeSet<&String> =
            self.levels.iter().flat_map(|level| level.names.keys()).collect();
        all.into_iter().filter(|name| self.get(name).is_some_and(&is_wanted)).cloned().collect()
    }
}
