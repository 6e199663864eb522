//! What a name means apart from columns: lets, query parameters, functions and their parameters.
//!
//! Names stand in levels: the query's own, and one for each function whose body is being bound. A body sees what was
//! defined before its function, whatever was defined since, so every definition has a number.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Span;
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast;

/// What a `let` or a parameter stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// A value; an expression without columns, a literal unless each use is computed anew.
    Value(Expr),
    /// A value that depends on the row for which a function is called, and inside of how many pipelines it is that:
    /// in others its columns mean something else.
    RowValue(Expr, usize),
    /// A table.
    Table(LogicalPlan),
    /// A function.
    Function(Arc<Function>),
    /// Something that is wrong, which has been said where it is defined.
    Failed,
}

/// A function, and what its body sees.
#[derive(Debug)]
pub(crate) struct Function {
    /// As written.
    pub definition: Arc<ast::Function>,
    /// What was defined before it.
    pub home: Place,
}

/// A place between two definitions; by default the one before all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// How many levels there are.
    levels: usize,
    /// How many names the last of them has had.
    defined: usize,
}

/// The levels that are out of sight while the body of a function is bound.
#[derive(Debug)]
pub(crate) struct Hidden {
    levels: Vec<Level>,
    visible: usize,
}

/// The names in force.
#[derive(Debug)]
pub(crate) struct Scope {
    /// The innermost last; never empty.
    levels: Vec<Level>,
}

/// Names of the query or of one call.
#[derive(Debug)]
struct Level {
    /// Each definition of a name with its number; later ones shadow those before.
    names: BTreeMap<String, Vec<(usize, Binding, Span)>>,
    /// How many definitions there have been.
    defined: usize,
    /// How many of them can be seen.
    visible: usize,
}

impl Default for Level {
    fn default() -> Self {
        Self { names: BTreeMap::new(), defined: 0, visible: usize::MAX }
    }
}

impl Level {
    fn get(&self, name: &str) -> Option<&(usize, Binding, Span)> {
        self.names.get(name)?.iter().rev().find(|(number, ..)| *number < self.visible)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self { levels: vec![Level::default()] }
    }
}

impl Scope {
    /// What `name` stands for.
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.levels.iter().rev().find_map(|level| level.get(name)).map(|(_, binding, _)| binding)
    }

    /// Defines `name`; where it is defined already, the place of that is the error. Names of outer levels are hidden.
    pub fn define(&mut self, name: &str, binding: Binding, span: Span) -> Result<(), Span> {
        match self.levels.last().and_then(|level| level.get(name)) {
            Some((.., earlier)) => Err(*earlier),
            None => {
                self.shadow(name, binding, span);
                Ok(())
            }
        }
    }

    /// Defines `name`, whatever it stood for.
    pub fn shadow(&mut self, name: &str, binding: Binding, span: Span) {
        if let Some(level) = self.levels.last_mut() {
            level.names.entry(name.to_owned()).or_default().push((level.defined, binding, span));
            level.defined += 1;
        }
    }

    /// The place behind all definitions so far.
    pub fn here(&self) -> Place {
        Place { levels: self.levels.len(), defined: self.levels.last().map_or(0, |level| level.defined) }
    }

    /// Goes to `home`, into a level of its own. Only functions that can be seen are called, so the levels of `home`
    /// are all there.
    pub fn enter(&mut self, home: Place) -> Hidden {
        let levels = self.levels.split_off(home.levels.min(self.levels.len()));
        let visible = |level: &mut Level| std::mem::replace(&mut level.visible, home.defined);
        let visible = self.levels.last_mut().map_or(usize::MAX, visible);
        self.levels.push(Level::default());
        Hidden { levels, visible }
    }

    /// Goes back to where [`Scope::enter`] was called.
    pub fn leave(&mut self, hidden: Hidden) {
        self.levels.pop();
        if let Some(level) = self.levels.last_mut() {
            level.visible = hidden.visible;
        }
        self.levels.extend(hidden.levels);
    }

    /// The names that `is_wanted` takes, each once, in the order of the alphabet.
    pub fn names(&self, is_wanted: impl Fn(&Binding) -> bool) -> Vec<String> {
        let all: std::collections::BTreeSet<&String> =
            self.levels.iter().flat_map(|level| level.names.keys()).collect();
        all.into_iter().filter(|name| self.get(name).is_some_and(&is_wanted)).cloned().collect()
    }
}
