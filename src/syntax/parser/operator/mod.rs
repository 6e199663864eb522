//! The tabular operators, in one table that the parser, suggestions, documentation and tests read.

mod expand;
mod fork;
mod join;
mod make_series;
mod parse;
mod partition;
mod project;
mod reduce;
mod render;
mod sample;
mod scan;
mod sort;
mod summarize;
mod top_nested;

use nom::Parser;
use nom::combinator::cut;
use nom::multi::many0;

use super::evaluate::evaluate_call;
use super::expr::{arguments, expression};
use super::source::{search_predicate, union_tables};
use super::{
    Expected, ParseResult, TokenKind, Tokens, assignment, brackets, comma_list, committed, hint, is_end, name, name_of,
    parameters, unsupported,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Assignment, Operator, OperatorKind, ParsedExpr, ParsedExprKind};

/// What is known about a tabular operator.
#[derive(Debug)]
pub struct OperatorInfo {
    /// The keyword, such as `where`.
    pub keyword: &'static str,
    /// Synonyms of the keyword.
    pub aliases: &'static [&'static str],
    /// A summary in one sentence.
    pub summary: &'static str,
    /// The production in `grammar/kql.ebnf`.
    pub rule: &'static str,
    /// Example queries.
    pub examples: &'static [&'static str],
    /// Parses the part after the keyword.
    parse: for<'a> fn(Tokens<'a>) -> ParseResult<'a, OperatorKind>,
}

/// All tabular operators, in alphabetical order.
pub static OPERATORS: &[OperatorInfo] = &[
    OperatorInfo {
        keyword: "as",
        aliases: &[],
        summary: "Names the input table, so that later operators can refer to it.",
        rule: "as_operator",
        examples: &["T | as Rows"],
        parse: as_operator,
    },
    OperatorInfo {
        keyword: "consume",
        aliases: &[],
        summary: "Reads all rows and returns none.",
        rule: "consume_operator",
        examples: &["T | consume"],
        parse: consume_operator,
    },
    OperatorInfo {
        keyword: "count",
        aliases: &[],
        summary: "Counts the rows.",
        rule: "count_operator",
        examples: &["T | count", "T | count as Rows"],
        parse: count_operator,
    },
    OperatorInfo {
        keyword: "distinct",
        aliases: &[],
        summary: "Returns the distinct combinations of the given columns.",
        rule: "distinct_operator",
        examples: &["T | distinct User, Country", "T | distinct *"],
        parse: distinct_operator,
    },
    OperatorInfo {
        keyword: "evaluate",
        aliases: &[],
        summary: "Calls a plugin with the rows.",
        rule: "evaluate_operator",
        examples: &[
            "T | evaluate bag_unpack(Details)",
            "T | evaluate pivot(Result, count(), User) : (User:string, ok:long)",
        ],
        parse: evaluate_operator,
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
        keyword: "facet",
        aliases: &[],
        summary: "Returns a table of the values of each column with their number of rows, and one for the operators after \
                  `with`.",
        rule: "facet_operator",
        examples: &["T | facet by User, Country with (where Result != 0 | take 10)"],
        parse: fork::facet_operator,
    },
    OperatorInfo {
        keyword: "fork",
        aliases: &[],
        summary: "Returns a table for each of several pipelines over the same rows.",
        rule: "fork_operator",
        examples: &["T | fork Failed = (where Result != 0) Users = (distinct User)"],
        parse: fork::fork_operator,
    },
    OperatorInfo {
        keyword: "getschema",
        aliases: &[],
        summary: "Returns the columns and their types.",
        rule: "getschema_operator",
        examples: &["T | getschema"],
        parse: getschema_operator,
    },
    OperatorInfo {
        keyword: "invoke",
        aliases: &[],
        summary: "Calls a function with the input table as its first argument.",
        rule: "invoke_operator",
        examples: &["T | invoke Recent(7d)"],
        parse: invoke_operator,
    },
    OperatorInfo {
        keyword: "join",
        aliases: &[],
        summary: "Merges the rows of two tables that have equal values in the given columns.",
        rule: "join_operator",
        examples: &["T | join kind=inner (S | where a > 1) on Id", "T | join S on $left.Id == $right.Key"],
        parse: join::join_operator,
    },
    OperatorInfo {
        keyword: "lookup",
        aliases: &[],
        summary: "Extends rows with columns of a second, smaller table.",
        rule: "lookup_operator",
        examples: &["T | lookup kind=leftouter Names on Id"],
        parse: join::lookup_operator,
    },
    OperatorInfo {
        keyword: "make-series",
        aliases: &[],
        summary: "Aggregates each group of rows into arrays with one element for each bin of an axis.",
        rule: "make_series_operator",
        examples: &["T | make-series Count = count() default=0 on Time from ago(7d) to now() step 1d by User"],
        parse: make_series::make_series_operator,
    },
    OperatorInfo {
        keyword: "mv-apply",
        aliases: &["mvapply"],
        summary: "Expands arrays as mv-expand does, and runs operators over the elements of each row by themselves.",
        rule: "mv_apply_operator",
        examples: &[
            "T | mv-apply Item = Items to typeof(long) on (top 2 by Item | summarize Best = make_list(Item))",
            "T | mv-apply with_itemindex=i Items on (where i > 0)",
        ],
        parse: expand::mv_apply_operator,
    },
    OperatorInfo {
        keyword: "mv-expand",
        aliases: &[],
        summary: "Expands arrays and bags into one row per element.",
        rule: "mv_expand_operator",
        examples: &["T | mv-expand Item = Items to typeof(string) limit 10", "T | mv-expand kind=array Bag"],
        parse: expand::mv_expand_operator,
    },
    OperatorInfo {
        keyword: "mvexpand",
        aliases: &[],
        summary: "Expands arrays and bags as mv-expand does, by default into at most 128 rows per row.",
        rule: "mvexpand_operator",
        examples: &["T | mvexpand Item = Items limit 1000"],
        parse: expand::mvexpand_operator,
    },
    OperatorInfo {
        keyword: "parse",
        aliases: &[],
        summary: "Adds columns whose values are found in a string, between the strings of a pattern.",
        rule: "parse_operator",
        examples: &[
            "T | parse Message with * 'user=' User ' code=' Code:long *",
            "T | parse kind=regex Url with '//' Host '/'",
        ],
        parse: parse::parse_operator,
    },
    OperatorInfo {
        keyword: "parse-kv",
        aliases: &[],
        summary: "Adds columns whose values are found in a string by their keys.",
        rule: "parse_kv_operator",
        examples: &["T | parse-kv Message as (User:string, Code:long) with (pair_delimiter=' ', kv_delimiter='=')"],
        parse: parse::parse_kv_operator,
    },
    OperatorInfo {
        keyword: "parse-where",
        aliases: &[],
        summary: "Adds columns as parse does, and returns only the rows that match the pattern.",
        rule: "parse_where_operator",
        examples: &["T | parse-where Message with * 'user=' User ' code=' Code:long *"],
        parse: parse::parse_where_operator,
    },
    OperatorInfo {
        keyword: "partition",
        aliases: &[],
        summary: "Runs operators over the rows of each value of a column by themselves.",
        rule: "partition_operator",
        examples: &["T | partition by User (top 3 by Time)", "T | partition hint.strategy=native by User (count)"],
        parse: partition::partition_operator,
    },
    OperatorInfo {
        keyword: "project",
        aliases: &[],
        summary: "Selects, renames and computes columns, in the given order.",
        rule: "project_operator",
        examples: &["T | project User, Hour = bin(Time, 1h)"],
        parse: project::project_operator,
    },
    OperatorInfo {
        keyword: "project-away",
        aliases: &[],
        summary: "Removes columns.",
        rule: "project_away_operator",
        examples: &["T | project-away Noise, Temp*"],
        parse: project::project_away_operator,
    },
    OperatorInfo {
        keyword: "project-by-names",
        aliases: &[],
        summary: "Selects the columns whose names are given as strings, in the given order.",
        rule: "project_by_names_operator",
        examples: &[
            "T | project-by-names 'User', dynamic(['Time', 'App*'])",
            "T | project-by-names column_names_of(S)",
        ],
        parse: project::project_by_names_operator,
    },
    OperatorInfo {
        keyword: "project-keep",
        aliases: &[],
        summary: "Keeps only the given columns, in their existing order.",
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
        summary: "Moves columns to the front.",
        rule: "project_reorder_operator",
        examples: &["T | project-reorder Time, User* asc"],
        parse: project::project_reorder_operator,
    },
    OperatorInfo {
        keyword: "reduce",
        aliases: &[],
        summary: "Groups similar strings, and returns the pattern, the number of rows and an example of each group.",
        rule: "reduce_operator",
        examples: &["T | reduce by Message", "T | reduce kind=source by Message with threshold=0.5, characters='-_'"],
        parse: reduce::reduce_operator,
    },
    OperatorInfo {
        keyword: "render",
        aliases: &[],
        summary: "Tells clients how to draw the result; the rows do not change.",
        rule: "render_operator",
        examples: &["T | render timechart with (title = 'Sign-ins', ycolumns = a, b)"],
        parse: render::render_operator,
    },
    OperatorInfo {
        keyword: "sample",
        aliases: &[],
        summary: "Returns the given number of rows, chosen at random.",
        rule: "sample_operator",
        examples: &["T | sample 10"],
        parse: sample::sample_operator,
    },
    OperatorInfo {
        keyword: "sample-distinct",
        aliases: &[],
        summary: "Returns at most the given number of distinct values of a column.",
        rule: "sample_distinct_operator",
        examples: &["T | sample-distinct 10 of User"],
        parse: sample::sample_distinct_operator,
    },
    OperatorInfo {
        keyword: "scan",
        aliases: &[],
        summary: "Follows sequences of steps through the rows, in their order, with columns that depend on earlier rows.",
        rule: "scan_operator",
        examples: &[
            "T | sort by Time asc | scan declare (Sum:long = 0) with (step s: true => Sum = s.Sum + Bytes;)",
            "T | sort by Time asc | scan with_match_id=Id with (step a output=last: Code > 0; step b: Time - a.Time < 5m;)",
        ],
        parse: scan::scan_operator,
    },
    OperatorInfo {
        keyword: "search",
        aliases: &[],
        summary: "Returns the rows of some or all tables with a term in any column, and the name of their table.",
        rule: "search_operator",
        examples: &["T | search 'contoso' and (User:'adm*' or Code == 0)", "T | search kind=case_sensitive 'Cont*so'"],
        parse: search_operator,
    },
    OperatorInfo {
        keyword: "serialize",
        aliases: &[],
        summary: "Fixes the row order, and adds columns that depend on it.",
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
        summary: "Aggregates each group of rows into one row.",
        rule: "summarize_operator",
        examples: &["T | summarize Count = count(), max(Time) by User, bin(Time, 1d)"],
        parse: summarize::summarize_operator,
    },
    OperatorInfo {
        keyword: "take",
        aliases: &["limit"],
        summary: "Returns at most the given number of rows.",
        rule: "take_operator",
        examples: &["T | take 10"],
        parse: take_operator,
    },
    OperatorInfo {
        keyword: "top",
        aliases: &[],
        summary: "Returns the first rows in a given order.",
        rule: "top_operator",
        examples: &["T | top 10 by Time desc nulls last"],
        parse: sort::top_operator,
    },
    OperatorInfo {
        keyword: "top-hitters",
        aliases: &[],
        summary: "Returns the most frequent values of a column, or those with the largest sum.",
        rule: "top_hitters_operator",
        examples: &["T | top-hitters 5 of User", "T | top-hitters 5 of User by Bytes"],
        parse: sample::top_hitters_operator,
    },
    OperatorInfo {
        keyword: "top-nested",
        aliases: &[],
        summary: "Returns the first values by an aggregate, and for each of them the first values of the next level.",
        rule: "top_nested_operator",
        examples: &["T | top-nested 3 of Country with others = 'other' by count(), top-nested 2 of User by sum(Bytes)"],
        parse: top_nested::top_nested_operator,
    },
    OperatorInfo {
        keyword: "union",
        aliases: &[],
        summary: "Returns the rows of all given tables.",
        rule: "union_operator",
        examples: &["T | union kind=outer withsource=Table S, (U | take 5)"],
        parse: union_operator,
    },
    OperatorInfo {
        keyword: "where",
        aliases: &["filter"],
        summary: "Returns the rows for which the condition is true.",
        rule: "where_operator",
        examples: &["T | where User has 'contoso' and Code !in (0, 50126)"],
        parse: where_operator,
    },
];

/// Notes that follow the examples of an operator in the documentation, by keyword.
pub static OPERATOR_NOTES: &[(&str, &str)] = &[
    (
        "reduce",
        "Microsoft does not publish how Kusto groups strings, so groups may differ from those of Kusto. Here a string is \
     divided into terms at every character that is no letter or digit, or at the given `characters` alone. In the order \
     in which strings first occur, each joins the group that shares the most terms with it, at the same positions and \
     between the same separators; `threshold` (0.1 if not given) is the part of the terms that must be shared, at least \
     one. Terms that differ become `*`, together with given `characters` beside them. Groups are returned from the \
     largest to the smallest; strings that occur once and are similar to no other are counted as `others`.",
    ),
    (
        "scan",
        "The last record of a series (`output=last`) is returned when the series ends: when its sequence moves on to the next \
     step or is replaced, or after the last row. What Microsoft's reference does not describe is refused: `optional` \
     steps, declared columns without the name of a step, references to later steps, and assignments that would need a \
     conversion other than one between numbers.",
    ),
    (
        "search",
        "A term with a wildcard inside, such as `lab*pc`, is the regular expression that Microsoft's reference gives, \
     `\\blab.*pc\\b`: it begins and ends at the borders of words, and the wildcard stands for any characters but the end of a \
     line. Letters of both cases match, as with all terms, unless `kind=case_sensitive` is given.",
    ),
];

/// Returns the operator with this keyword or synonym; None if there is none.
fn find(word: &str) -> Option<&'static OperatorInfo> {
    OPERATORS.iter().find(|info| info.keyword == word || info.aliases.contains(&word))
}

/// Parses an operator, after the `|`.
pub(super) fn operator(input: Tokens<'_>) -> ParseResult<'_, Operator> {
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

/// Reports an unknown operator and suggests the most similar one.
fn unknown<T>(input: Tokens<'_>) -> ParseResult<'_, T> {
    let word = name_of(input.peek());
    let known = OPERATORS.iter().flat_map(|info| std::iter::once(info.keyword).chain(info.aliases.iter().copied()));
    input.refuse(
        Diagnostic::new(Code::UnknownOperator, word.span, format!("`{}` is not an operator", word.text))
            .suggest(&word.text, known.chain(unsupported::operators())),
    )
}

/// Parses `as hint.materialized=true name`.
fn as_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    (many0(hint), name("a name")).map(|(parameters, name)| OperatorKind::As { parameters, name }).parse(input)
}

/// Parses `consume decodeblocks=true`.
fn consume_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    parameters.map(OperatorKind::Consume).parse(input)
}

/// Parses `count as name`.
fn count_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    if !input.peek().is_word("as") {
        input.note(Expected::Text("as"));
        return Ok((input, OperatorKind::Count(None)));
    }
    let (rest, name) = committed(name("a name")(input.advance(1)))?;
    Ok((rest, OperatorKind::Count(Some(name))))
}

/// Parses `distinct a, b` or `distinct *`.
fn distinct_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    comma_list(distinct_column).map_list(OperatorKind::Distinct, rest)
}

/// Parses `*` or a column.
fn distinct_column(input: Tokens<'_>) -> ParseResult<'_, Assignment> {
    let token = input.peek();
    if token.is_symbol("*") && is_end(input.peek_at(1)) {
        let value = ParsedExpr { kind: ParsedExprKind::Star, span: token.span };
        return Ok((input.advance(1), Assignment { names: Vec::new(), value }));
    }
    assignment("a column")(input)
}

/// Parses `evaluate plugin(argument, ...) : (column:type, ...)`.
fn evaluate_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    evaluate_call.map(OperatorKind::Evaluate).parse(input)
}

/// Parses `extend a = f(b)`.
fn extend_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    comma_list(assignment("a column")).map_list(OperatorKind::Extend, input)
}

/// Parses `getschema`.
fn getschema_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &["kind"])?;
    Ok((rest, OperatorKind::Getschema))
}

/// Parses `invoke function(argument, ...)`.
fn invoke_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, function) = name("a function")(input)?;
    let (rest, arguments) = brackets("(", arguments, ")")(rest)?;
    Ok((rest, OperatorKind::Invoke { function, arguments }))
}

/// Parses `search kind=case_sensitive 'term'`.
fn search_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    (parameters, search_predicate)
        .map(|(parameters, predicate)| OperatorKind::Search { parameters, predicate })
        .parse(input)
}

/// Parses `serialize` or `serialize a = row_number()`.
fn serialize_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    if is_end(rest.peek()) {
        return Ok((rest, OperatorKind::Serialize(Vec::new())));
    }
    comma_list(assignment("a column")).map_list(OperatorKind::Serialize, rest)
}

/// Parses `take n`.
fn take_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    let (rest, ()) = unsupported::parameter(input, &[])?;
    expression("a number of rows").map(OperatorKind::Take).parse(rest)
}

/// Parses `union A, B`.
fn union_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    union_tables.map(|(parameters, tables)| OperatorKind::Union { parameters, tables }).parse(input)
}

/// Parses `where condition`.
fn where_operator(input: Tokens<'_>) -> ParseResult<'_, OperatorKind> {
    cut(expression("a condition")).map(OperatorKind::Where).parse(input)
}

/// Turns a parser of a list into a parser of an operator.
trait MapList<'a, T>: FnOnce(Tokens<'a>) -> ParseResult<'a, Vec<T>> + Sized {
    /// Parses the list and wraps it into an operator.
    fn map_list(self, kind: fn(Vec<T>) -> OperatorKind, input: Tokens<'a>) -> ParseResult<'a, OperatorKind> {
        self(input).map(|(rest, list)| (rest, kind(list)))
    }
}

impl<'a, T, F: FnOnce(Tokens<'a>) -> ParseResult<'a, Vec<T>>> MapList<'a, T> for F {}
