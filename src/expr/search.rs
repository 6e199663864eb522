//! Tells which columns an expression only searches for strings, as `search "x"` and `* has "x"` do.

use std::collections::{BTreeMap, BTreeSet};

use super::visit::children;
use super::{Expr, ExprKind};

/// Maximum number of columns to which an `or` applies the same test without being a search.
const MAX_NAMED_COLUMNS: usize = 5;

/// How an expression uses the columns of its input.
#[derive(Debug, Default)]
pub struct ColumnUses {
    /// The columns that it uses in another way than by a search.
    named: BTreeSet<usize>,
    /// The strings that it searches for, by column.
    searched: BTreeMap<usize, Vec<String>>,
}

/// The same test of several columns, which an `or` joins.
struct CommonTest<'a> {
    function: &'static str,
    operand: &'a Expr,
    columns: Vec<usize>,
}

impl ColumnUses {
    /// Returns the uses of all columns in `expr`.
    #[must_use]
    pub fn of(expr: &Expr) -> Self {
        let mut uses = Self::default();
        let test = uses.collect(expr);
        uses.add(test);
        uses
    }

    /// Returns the strings for which the expression searches in the column at `index`; None if it uses the column in
    /// another way, too.
    #[must_use]
    pub fn searched_strings(&self, index: usize) -> Option<&[String]> {
        (!self.named.contains(&index)).then(|| self.searched.get(&index).map_or(&[][..], Vec::as_slice))
    }

    /// Adds the uses in `expr`, except for those in a test that is returned: `or` may join it with others.
    fn collect<'a>(&mut self, expr: &'a Expr) -> Option<CommonTest<'a>> {
        if let Some(("or", [left, right])) = expr.as_call() {
            let (first, second) = (self.collect(left), self.collect(right));
            return match (first, second) {
                (Some(mut first), Some(second)) if first.is_same(&second) => {
                    first.columns.extend(second.columns);
                    Some(first)
                }
                (first, second) => {
                    self.add(first);
                    self.add(second);
                    None
                }
            };
        }
        let test = column_test(expr);
        if test.is_none() {
            self.named.extend(expr.as_column());
            for child in children(expr) {
                let inner = self.collect(child);
                self.add(inner);
            }
        }
        test
    }

    fn add(&mut self, test: Option<CommonTest<'_>>) {
        let Some(test) = test else { return };
        match test.operand.as_literal().and_then(|value| value.as_str()) {
            Some(string) if test.columns.len() > MAX_NAMED_COLUMNS => {
                test.columns
                    .into_iter()
                    .for_each(|column| self.searched.entry(column).or_default().push(string.to_owned()));
            }
            _ => self.named.extend(test.columns),
        }
    }
}

impl CommonTest<'_> {
    fn is_same(&self, other: &Self) -> bool {
        self.function == other.function && self.operand == other.operand
    }
}

/// Returns the test of a column, or of its string, against a literal; None if `expr` is something else.
fn column_test(expr: &Expr) -> Option<CommonTest<'_>> {
    let (function, [left, operand]) = expr.as_call()? else { return None };
    let input = match &left.kind {
        ExprKind::Cast(input) => input,
        _ => left,
    };
    operand.as_literal()?;
    Some(CommonTest { function, operand, columns: vec![input.as_column()?] })
}

#[cfg(test)]
mod tests {
    use super::{ColumnUses, MAX_NAMED_COLUMNS};
    use crate::diagnostic::Span;
    use crate::expr::Expr;
    use crate::types::{Type, Value};

    fn operator(symbol: &str, left: Expr, right: Expr) -> Expr {
        Expr::operator(symbol, vec![left, right], Span::default())
    }

    fn test(symbol: &str, column: usize, string: &str) -> Expr {
        let column = Expr::column(column, Type::String, Span::default());
        operator(symbol, column, Expr::literal(Value::String(string.into()), Span::default()))
    }

    fn any(string: &str, columns: usize) -> Expr {
        (1..columns).fold(test("==", 0, string), |all, column| operator("or", all, test("==", column, string)))
    }

    #[test]
    fn a_search_names_no_column() {
        let many = MAX_NAMED_COLUMNS + 1;
        let strings =
            |expr: &Expr, column: usize| ColumnUses::of(expr).searched_strings(column).map(<[String]>::to_vec);
        let both = operator("or", any("a", many), any("b", many));
        assert_eq!(strings(&both, 2), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(strings(&any("a", many), many), Some(Vec::new()), "not used at all");
        assert_eq!(strings(&any("a", MAX_NAMED_COLUMNS), 0), None, "few columns");
        for other in [test("!=", 2, "a"), test("==", 2, "c"), any("c", 3)] {
            for joined in [
                operator("and", any("a", many), other.clone()),
                operator("and", other.clone(), any("a", many)),
                operator("or", any("a", many), other),
            ] {
                assert_eq!(strings(&joined, 2), None, "the search is not all");
                assert_eq!(strings(&joined, many - 1), Some(vec!["a".to_owned()]));
            }
        }
    }
}
