//! The tabular operators: one table that dispatch, suggestions, documentation and tests read.

mod expand;
mod join;
mod project;
mod render;
mod sort;
mod summarize;

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::expr::{arguments, expression};
use super::source::{search_predicate, union_tables};
use super::{
    Expected, Parsed, TokenKind, Tokens, assignment, brackets, comma_list, committed, hint, is_end, name, name_of,
    parameters, unsupported,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Assignment, Expr, ExprKind, Operator, OperatorKind};

/// One tabular operator.
#[derive(Debug)]
pub struct OperatorInfo {
    /// Its word.
    pub keyword: &'static str,
    /// Other words for the same.
    pub aliases: &'static [&'static str],
    /// What it does, one sentence.
    pub summary: &'static str,
    /// Its production in `grammar/kql.ebnf`.
    pub rule: &'static str,
    /// Queries that use it.
    pub examples: &'static [&'static str],
    /// Reads what stands after the word.
    parse: for<'a> fn(Tokens<'a>) -> Parsed<'a, OperatorKind>,
}

/// Every tabular operator, in the order of the alphabet.
pub static OPERATORS: &[OperatorInfo] = &[
    OperatorInfo {
        keyword: "as",
        aliases: &[],
        summary: "Gives the rows so far a name, for the operators that follow.",
        rule: "as_operator",
        examples: &["T | as Rows"],
        parse: as_operator,
    },
    OperatorInfo {
        keyword: "count",
        aliases: &[],
        summary: "Counts the rows.",
        rule: "count_operator",
        examples: &["T | count"],
        parse: count_operator,
    },
    OperatorInfo {
        keyword: "distinct",
        aliases: &[],
        summary: "Keeps one row of each combination of the columns named.",
        rule: "distinct_operator",
        examples: &["T | distinct User, Country", "T | distinct *"],
        parse: distinct_operator,
    },
    OperatorInfo {
        keyword: "extend",
        aliases: &[],
        summary: "Adds computed columns.",
        rule: "extend_operator",
        examples: &["T | extend Hour = bin(Time, 1h)"],
        parse: extend_operator,
    },
    OperatorInfo {
        keyword: "getschema",
        aliases: &[],
        summary: "Lists the columns and their types.",
        rule: "getschema_operator",
        examples: &["T | getschema"],
        parse: getschema_operator,
    },
    OperatorInfo {
        keyword: "invoke",
        aliases: &[],
        summary: "Calls a function with the rows so far as its first argument.",
        rule: "invoke_operator",
        examples: &["T | invoke Recent(7d)"],
        parse: invoke_operator,
    },
    OperatorInfo {
        keyword: "join",
        aliases: &[],
        summary: "Combines the rows of two tables that agree in the columns named.",
        rule: "join_operator",
        examples: &["T | join kind=inner (S | where a > 1) on Id", "T | join S on $left.Id == $right.Key"],
        parse: join::join_operator,
    },
    OperatorInfo {
        keyword: "lookup",
        aliases: &[],
        summary: "Adds columns of a second, small table to matching rows.",
        rule: "lookup_operator",
        examples: &["T | lookup kind=leftouter Names on Id"],
        parse: join::lookup_operator,
    },
    OperatorInfo {
        keyword: "mv-expand",
        aliases: &["mvexpand"],
        summary: "Makes a row of each element of an array or bag.",
        rule: "mv_expand_operator",
        examples: &["T | mv-expand Item = Items to typeof(string) limit 10", "T | mv-expand kind=array Bag"],
        parse: expand::mv_expand_operator,
    },
    OperatorInfo {
        keyword: "project",
        aliases: &[],
        summary: "Keeps, renames and computes columns, in the order given.",
        rule: "project_operator",
        examples: &["T | project User, Hour = bin(Time, 1h)"],
        parse: project::project_operator,
    },
    OperatorInfo {
        keyword: "project-away",
        aliases: &[],
        summary: "Leaves columns out.",
        rule: "project_away_operator",
        examples: &["T | project-away Noise, Temp*"],
        parse: project::project_away_operator,
    },
    OperatorInfo {
        keyword: "project-keep",
        aliases: &[],
        summary: "Keeps columns in the order they have.",
        rule: "project_keep_operator",
        examples: &["T | project-keep User, *Id"],
        parse: project::project_keep_operator,
    },
    OperatorInfo {
        keyword: "project-rename",
        aliases: &[],
        summary: "Renames columns.",
        rule: "project_rename_operator",
        examples: &["T | project-rename Account = User"],
        parse: project::project_rename_operator,
    },
    OperatorInfo {
        keyword: "project-reorder",
        aliases: &[],
        summary: "Puts columns first.",
        rule: "project_reorder_operator",
        examples: &["T | project-reorder Time, User* asc"],
        parse: project::project_reorder_operator,
    },
    OperatorInfo {
        keyword: "render",
        aliases: &[],
        summary: "Says how the result is drawn; the rows stay as they are.",
        rule: "render_operator",
        examples: &["T | render timechart with (title = 'Sign-ins', ycolumns = a, b)"],
        parse: render::render_operator,
    },
    OperatorInfo {
        keyword: "search",
        aliases: &[],
        summary: "Keeps the rows of one or all tables in which a term stands anywhere, and says of which table each is.",
        rule: "search_operator",
        examples: &["T | search 'contoso' and (User:'adm*' or Code == 0)", "T | search kind=case_sensitive 'Contoso'"],
        parse: search_operator,
    },
    OperatorInfo {
        keyword: "serialize",
        aliases: &[],
        summary: "Fixes the order of the rows, and adds columns that depend on it.",
        rule: "serialize_operator",
        examples: &["T | serialize", "T | serialize Row = row_number()"],
        parse: serialize_operator,
    },
    OperatorInfo {
        keyword: "sort",
        aliases: &["order"],
        summary: "Sorts the rows.",
        rule: "sort_operator",
        examples: &["T | sort by Time asc, User desc nulls last"],
        parse: sort::sort_operator,
    },
    OperatorInfo {
        keyword: "summarize",
        aliases: &[],
        summary: "Makes one row of each group of rows.",
        rule: "summarize_operator",
        examples: &["T | summarize Count = count(), max(Time) by User, bin(Time, 1d)"],
        parse: summarize::summarize_operator,
    },
    OperatorInfo {
        keyword: "take",
        aliases: &["limit"],
        summary: "Keeps some rows, at most as many as given.",
        rule: "take_operator",
        examples: &["T | take 10"],
        parse: take_operator,
    },
    OperatorInfo {
        keyword: "top",
        aliases: &[],
        summary: "Keeps the first rows by an order.",
        rule: "top_operator",
        examples: &["T | top 10 by Time desc nulls last"],
        parse: sort::top_operator,
    },
    OperatorInfo {
        keyword: "union",
        aliases: &[],
        summary: "Puts the rows of several tables together.",
        rule: "union_operator",
        examples: &["T | union kind=outer withsource=Table S, (U | take 5)"],
        parse: union_operator,
    },
    OperatorInfo {
        keyword: "where",
        aliases: &["filter"],
        summary: "Keeps the rows for which the condition is true.",
        rule: "where_operator",
        examples: &["T | where User has 'contoso' and Code !in (0, 50126)"],
        parse: where_operator,
    },
];

/// The operator that a word stands for.
fn find(word: &str) -> Option<&'static OperatorInfo> {
    OPERATORS.iter().find(|info| info.keyword == word || info.aliases.contains(&word))
}

/// What stands after a `|`.
pub(super) fn operator(input: Tokens<'_>) -> Parsed<'_, Operator> {
    let token = input.peek();
    if token.kind != TokenKind::Word {
        return committed(input.mismatch(Expected::Kind("an operator such as `where`")));
    }
    let Some(info) = find(token.text) else {
        return if unsupported::is_unsupported_operator(token) { unsupported::operator(input) } else { unknown(input) };
    };
    let (rest, kind) = committed((info.parse)(input.advance(1)))?;
    Ok((rest, Operator { kind, keyword: token.span, span: rest.span_since(token.span) }))
}

/// Reports a word that is no operator, with the nearest one that is.
fn unknown<T>(input: Tokens<'_>) -> Parsed<'_, T> {
    let word = name_of(input.peek());
    let known = OPERATORS.iter().flat_map(|info| std::iter::once(info.keyword).chain(info.aliases.iter().copied()));
    input.refuse(
        Diagnostic::new(Code::UnknownOperator, word.span, format!("`{}` is not an operator", word.text))
            .suggest(&word.text, known.chain(unsupported::operators())),
    )
}

/// `as hint.materialized=true name`.
fn as_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    (many0(hint), name("a name")).map(|(parameters, name)| OperatorKind::As { parameters, name }).parse(input)
}

/// `count`.
fn count_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    if input.peek().is_word("as") {
        let message = "`count as` is not supported yet";
        return input.refuse(
            Diagnostic::new(Code::UnsupportedSyntax, input.span(), message).help("write `summarize name = count()`"),
        );
    }
    Ok((input, OperatorKind::Count))
}

/// `distinct a, b`, `distinct *`.
fn distinct_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    comma_list(distinct_column).map_list(OperatorKind::Distinct, rest)
}

/// `*`, or a column.
fn distinct_column(input: Tokens<'_>) -> Parsed<'_, Assignment> {
    let token = input.peek();
    if token.is_symbol("*") && is_end(input.peek_at(1)) {
        let value = Expr { kind: ExprKind::Star, span: token.span };
        return Ok((input.advance(1), Assignment { names: Vec::new(), value }));
    }
    assignment("a column")(input)
}

/// `extend a = f(b)`.
fn extend_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    comma_list(assignment("a column")).map_list(OperatorKind::Extend, input)
}

/// `getschema`.
fn getschema_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &["kind"])?;
    Ok((rest, OperatorKind::Getschema))
}

/// `invoke function(argument, ...)`.
fn invoke_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, function) = name("a function")(input)?;
    let (rest, arguments) = brackets("(", arguments, ")")(rest)?;
    Ok((rest, OperatorKind::Invoke { function, arguments }))
}

/// `search kind=case_sensitive 'term'`.
fn search_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    (parameters, search_predicate)
        .map(|(parameters, predicate)| OperatorKind::Search { parameters, predicate })
        .parse(input)
}

/// `serialize`, `serialize a = row_number()`.
fn serialize_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    if is_end(rest.peek()) {
        return Ok((rest, OperatorKind::Serialize(Vec::new())));
    }
    comma_list(assignment("a column")).map_list(OperatorKind::Serialize, rest)
}

/// `take n`.
fn take_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    expression("a number of rows").map(OperatorKind::Take).parse(rest)
}

/// `union A, B`.
fn union_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    union_tables.map(|(parameters, tables)| OperatorKind::Union { parameters, tables }).parse(input)
}

/// `where condition`.
fn where_operator(input: Tokens<'_>) -> Parsed<'_, OperatorKind> {
    cut(expression("a condition")).map(OperatorKind::Where).parse(input)
}

/// Shorthand for an operator that is a list of one thing.
trait MapList<'a, T>: FnOnce(Tokens<'a>) -> Parsed<'a, Vec<T>> + Sized {
    /// The list, made into an operator.
    fn map_list(self, kind: fn(Vec<T>) -> OperatorKind, input: Tokens<'a>) -> Parsed<'a, OperatorKind> {
        self(input).map(|(rest, list)| (rest, kind(list)))
    }
}

impl<'a, T, F: FnOnce(Tokens<'a>) -> Parsed<'a, Vec<T>>> MapList<'a, T> for F {}
