//! Binds `_GetWatchlist('alias')`: the items of a Microsoft Sentinel watchlist, which are read from the file of its
//! alias.
//!
//! As in Sentinel, all values are strings, and the column of the search key is repeated as the first column,
//! `SearchKey`. The identifiers and times that Sentinel gives to items are missing unless the file has them.

use super::operator::project::identity;
use super::{Bind, Binder};
use crate::diagnostic::{Code, Diagnostic, Error, Span};
use crate::expr::Expr;
use crate::plan::LogicalPlan;
use crate::syntax::ast;
use crate::types::Type;

/// The prefix of the names under which plans have watchlists; no table has such a name.
const FUNCTION: &str = "_GetWatchlist";

/// The column that has the search keys.
const SEARCH_KEY: &str = "SearchKey";

impl Binder<'_> {
    pub(super) fn watchlist(
        &mut self,
        function: &ast::Name,
        arguments: &[ast::Argument],
        span: Span,
    ) -> Bind<LogicalPlan> {
        let argument = match arguments {
            [argument] => &argument.value,
            [_, second, ..] => {
                let message = "`_GetWatchlist` supports no argument other than the alias";
                return self.error(Code::UnsupportedSyntax, second.value.span, message);
            }
            [] => {
                return self.error(
                    Code::ArgumentCount,
                    span,
                    format!("`{}` requires the alias of a watchlist", function.text),
                );
            }
        };
        let alias = self.constant(argument)?;
        let Some(alias) = alias.as_str() else {
            return self.error(Code::ArgumentType, argument.span, "the alias of a watchlist must be a string");
        };
        let Some(found) = self.environment.catalog.watchlist(alias)? else {
            return Err(self.unknown_watchlist(alias, argument.span));
        };
        let plan = LogicalPlan::scan(format!("{FUNCTION}('{alias}')"), found.table);
        let mut columns = identity(plan.schema());
        if let Some(key) = found.search_key {
            let Some(index) = plan.schema().index_of(&key) else {
                return Err(Error::Usage(format!(
                    "the watchlist {alias} has no column {key}, which is named as its search key"
                ))
                .into());
            };
            columns.retain(|(name, _)| name != SEARCH_KEY);
            columns.insert(0, (SEARCH_KEY.to_owned(), Expr::column(index, Type::String, span)));
        }
        Ok(plan.project(columns))
    }

    /// Reports an operator that uses the first column of a watchlist without naming it, because in Sentinel that
    /// column has the identifiers of the items.
    pub(super) fn known_first_column(&mut self, plan: &LogicalPlan, span: Span) -> Bind<()> {
        let LogicalPlan::Project { input, .. } = plan else { return Ok(()) };
        match input.as_ref() {
            LogicalPlan::Scan(scan) if scan.name.starts_with(FUNCTION) => {
                let message =
                    "the first column of a watchlist is an identifier assigned by Microsoft Sentinel, not known here";
                let help = "select a column: (_GetWatchlist(...) | project SearchKey)";
                Err(self.report(Diagnostic::new(Code::UnsupportedSyntax, span, message).help(help)))
            }
            _ => Ok(()),
        }
    }

    fn unknown_watchlist(&mut self, alias: &str, span: Span) -> super::Failed {
        let known = self.environment.catalog.watchlists();
        let diagnostic =
            Diagnostic::new(Code::UnknownWatchlist, span, format!("no file is bound to the watchlist `{alias}`"))
                .suggest(alias, known.iter().map(String::as_str))
                .help(format!(
                    "bind it with --watchlist {alias}=FILE, or in the catalog file: [watchlists] {alias} = \"FILE\""
                ));
        self.report(diagnostic)
    }
}
