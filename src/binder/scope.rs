//! The scope of names other than columns: `let`s, query parameters, functions and their parameters.
//!
//! A scope has levels: one for the query, and one for each function whose body is being bound. A body sees only what
//! was defined before its function, so the definitions of a level are numbered.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pattern::DeclaredPattern;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast;

/// What a `let` or a parameter stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// A value: an expression without columns. It is a literal, unless each use must be computed again.
    Value(Expr),
    /// A value that depends on the row for which a function is called, and the depth of the pipeline in which it is
    /// valid. At another depth, its columns would be those of other rows.
    RowValue(Expr, usize),
    /// A table, and its name in the `withsource` column of a union; None if it has none.
    Table(LogicalPlan, Option<String>),
    /// A function that the query or a library defines.
    Function(Arc<ScopedFunction>),
    /// A pattern that the query declares.
    Pattern(Arc<DeclaredPattern>),
    /// An argument whose type is not that of its parameter. Kusto accepts it, but how Kusto converts it is not known,
    /// so only a use of the parameter is an error.
    Unconverted(Box<Diagnostic>),
    /// A definition that has an error, which was reported.
    Failed,
}

/// A function, and which definitions its body can see.
#[derive(Debug)]
pub(crate) struct ScopedFunction {
    /// The definition in the syntax tree.
    pub definition: Arc<ast::Function>,
    /// The position of the function; its body can see the definitions before it.
    pub home: ScopePosition,
}

/// A position between two definitions. The default is before all definitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopePosition {
    /// The number of levels.
    levels: usize,
    /// The number of definitions in the last level.
    defined: usize,
}

/// The levels and definitions that are hidden while the body of a function is bound.
#[derive(Debug)]
pub(crate) struct Hidden {
    levels: Vec<NameLevel>,
    visible: usize,
}

/// All names that are visible.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The levels; the innermost is the last. There is at least one.
    levels: Vec<NameLevel>,
}

/// The names of the query, or of one call of a function.
#[derive(Debug)]
struct NameLevel {
    /// The definitions of each name, with their numbers. A later one shadows an earlier one.
    names: BTreeMap<String, Vec<(usize, Binding, Span)>>,
    /// The number of definitions so far.
    defined: usize,
    /// The number of definitions that are visible, from the first one on.
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
    /// Returns what `name` stands for; None if it is not defined.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.levels.iter().rev().find_map(|level| level.get(name)).map(|(_, binding, _)| binding)
    }

    /// Defines `name`. If this level has an earlier definition, returns its span as the error. Names of outer levels
    /// are hidden.
    pub fn define(&mut self, name: &str, binding: Binding, span: Span) -> Result<(), Span> {
        match self.levels.last().and_then(|level| level.get(name)) {
            Some((.., earlier)) => Err(*earlier),
            None => {
                self.shadow(name, binding, span);
                Ok(())
            }
        }
    }

    /// Defines `name`; an earlier definition in this level is hidden.
    pub fn shadow(&mut self, name: &str, binding: Binding, span: Span) {
        if let Some(level) = self.levels.last_mut() {
            level.names.entry(name.to_owned()).or_default().push((level.defined, binding, span));
            level.defined += 1;
        }
    }

    /// Returns the position after all definitions so far.
    pub fn here(&self) -> ScopePosition {
        ScopePosition { levels: self.levels.len(), defined: self.levels.last().map_or(0, |level| level.defined) }
    }

    /// Makes only the definitions before `home` visible, and opens a new level for the body of a function. The levels
    /// of `home` exist, because only visible functions are called.
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

    /// Returns the names for whose binding `is_wanted` is true, sorted and without duplicates.
    pub fn names(&self, is_wanted: impl Fn(&Binding) -> bool) -> Vec<String> {
        let all: std::collections::BTreeSet<&String> =
            self.levels.iter().flat_map(|level| level.names.keys()).collect();
        all.into_iter().filter(|name| self.get(name).is_some_and(&is_wanted)).cloned().collect()
    }
}
