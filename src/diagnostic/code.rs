//! The table of numbered messages.
//!
//! `docs/errors.md` and `--explain` are generated from its rows. For each code there is a query that causes it in
//! `testdata/diagnostics`.

/// The category of a message, which is the first digit of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The query is not valid KQL (KQL1...).
    Syntax,
    /// A name is unknown or a type does not match (KQL2...).
    Meaning,
    /// The query is valid KQL that is not supported yet (KQL3...).
    Unsupported,
    /// An error was found while the query ran (KQL4...).
    Runtime,
    /// The query runs, but may not mean what its author intended (KQL5...).
    Warning,
}

/// A row of the table of messages.
#[derive(Debug)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// The number of the message, as it is printed.
    pub id: &'static str,
    /// The message in general words, in one line.
    pub title: &'static str,
    /// The meaning of the message and what to do, in one or two sentences.
    pub meaning: &'static str,
    /// A query that causes the message.
    pub example: &'static str,
}

/// A numbered message; its row in [`CODES`] explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// KQL1001: unexpected word.
    UnexpectedToken,
    /// KQL1002: string without an end.
    UnterminatedString,
    /// KQL1003: not a valid literal.
    InvalidLiteral,
    /// KQL1004: a character that KQL does not use.
    UnknownCharacter,
    /// KQL1005: nested too deeply.
    TooDeep,
    /// KQL1006: no query.
    EmptyQuery,
    /// KQL1007: unknown operator.
    UnknownOperator,
    /// KQL1008: query too long.
    TextTooLong,
    /// KQL2001: unknown table.
    UnknownTable,
    /// KQL2002: unknown function.
    UnknownFunction,
    /// KQL2003: unknown column.
    UnknownColumn,
    /// KQL2004: operator not defined for these types.
    OperandTypes,
    /// KQL2005: wrong number of arguments.
    ArgumentCount,
    /// KQL2006: argument of the wrong type.
    ArgumentType,
    /// KQL2007: duplicate column name.
    DuplicateColumn,
    /// KQL2008: constant required.
    NotConstant,
    /// KQL2009: value not allowed here.
    InvalidValue,
    /// KQL2010: not allowed here.
    NotAllowedHere,
    /// KQL2011: duplicate name.
    DuplicateName,
    /// KQL2012: a table where a value is required, or the reverse.
    ExpectedTable,
    /// KQL2013: dynamic values cannot be compared here.
    DynamicNotAllowed,
    /// KQL2014: query parameter without a value.
    MissingParameter,
    /// KQL2015: not a valid regular expression.
    InvalidRegex,
    /// KQL2016: watchlist without a file.
    UnknownWatchlist,
    /// KQL2017: no files to read a known table from.
    NothingToRead,
    /// KQL3001: operator not supported yet.
    UnsupportedOperator,
    /// KQL3002: function not supported yet.
    UnsupportedFunction,
    /// KQL3003: syntax not supported yet.
    UnsupportedSyntax,
    /// KQL3004: statement not supported yet.
    UnsupportedStatement,
    /// KQL4001: value out of range.
    ValueOutOfRange,
    /// KQL5001: column without a source.
    ColumnWithoutSource,
    /// KQL5002: missing table or function skipped.
    MissingTable,
    /// KQL5003: ingestion time taken from another column.
    IngestionTime,
    /// KQL5004: only strings are searched.
    SearchedTexts,
    /// KQL5005: inferred period.
    PeriodLookedFor,
}

impl Code {
    /// Returns the row of this code.
    #[must_use]
    pub fn info(self) -> &'static CodeInfo {
        // The rows are in the order of the enum; a test checks it.
        &CODES[self as usize]
    }

    /// Returns the category, from the first digit of the number.
    #[must_use]
    pub fn family(self) -> Family {
        match self.info().id.as_bytes()[3] {
            b'1' => Family::Syntax,
            b'2' => Family::Meaning,
            b'3' => Family::Unsupported,
            b'4' => Family::Runtime,
            _ => Family::Warning,
        }
    }
}

const fn row(
    code: Code,
    id: &'static str,
    title: &'static str,
    meaning: &'static str,
    example: &'static str,
) -> CodeInfo {
    CodeInfo { code, id, title, meaning, example }
}

/// All messages, in the order of their numbers.
pub static CODES: &[CodeInfo] = &[
    row(
        Code::UnexpectedToken,
        "KQL1001",
        "unexpected word",
        "The parser found a word that is not valid there. The message names what would be.",
        "T | where | take 5",
    ),
    row(
        Code::UnterminatedString,
        "KQL1002",
        "string without an end",
        "A quoted string is not closed before the end of its line, or a ``` string before the end of the query.",
        "print 'abc",
    ),
    row(
        Code::InvalidLiteral,
        "KQL1003",
        "not a valid literal",
        "A number, datetime, timespan, guid or dynamic literal does not have the syntax of KQL.",
        "print datetime(2024-13-45)",
    ),
    row(
        Code::UnknownCharacter,
        "KQL1004",
        "a character that KQL does not use",
        "A character outside quotes that no KQL token contains, often a typographic quote copied from a web page.",
        "print “a”",
    ),
    row(
        Code::TooDeep,
        "KQL1005",
        "nested too deeply",
        "Parentheses, brackets or functions are nested more deeply than the limit that protects the program.",
        "print ((( ... ",
    ),
    row(
        Code::EmptyQuery,
        "KQL1006",
        "no query",
        "The text contains no query, only whitespace, comments or statements without a result.",
        "let x = 1;",
    ),
    row(
        Code::UnknownOperator,
        "KQL1007",
        "unknown operator",
        "The word after `|` is not an operator of KQL.",
        "T | wehre a == 1",
    ),
    row(
        Code::TextTooLong,
        "KQL1008",
        "query too long",
        "The query is longer than the limit that protects the program.",
        "",
    ),
    row(Code::UnknownTable, "KQL2001", "unknown table", "No file, folder or let has this name.", "SigninLog | take 1"),
    row(
        Code::UnknownFunction,
        "KQL2002",
        "unknown function",
        "KQL has no function of this name, or not of the kind required here (scalar, aggregate, tabular).",
        "print strlne('a')",
    ),
    row(
        Code::UnknownColumn,
        "KQL2003",
        "unknown column",
        "The table has no such column at this point of the query; names are case-sensitive.",
        "print a = 1 | where b == 1",
    ),
    row(
        Code::OperandTypes,
        "KQL2004",
        "operator not defined for these types",
        "The operator does not accept operands of these types, as in Kusto; convert one of them.",
        "print 'a' > 1",
    ),
    row(
        Code::ArgumentCount,
        "KQL2005",
        "wrong number of arguments",
        "The function was called with too few or too many arguments.",
        "print strlen()",
    ),
    row(
        Code::ArgumentType,
        "KQL2006",
        "argument of the wrong type",
        "The function does not accept an argument of this type in this position.",
        "print startofday('x')",
    ),
    row(
        Code::DuplicateColumn,
        "KQL2007",
        "duplicate column name",
        "Two columns of one result would have the same name.",
        "print a = 1 | project x = a, x = a",
    ),
    row(
        Code::NotConstant,
        "KQL2008",
        "constant required",
        "The value must be known before the query runs.",
        "range x from 1 to 3 step 1 | summarize percentile(x, x)",
    ),
    row(
        Code::InvalidValue,
        "KQL2009",
        "value not allowed here",
        "The value has the right type but is outside the allowed range or set.",
        "range x from 1 to 3 step 1 | summarize percentile(x, 101)",
    ),
    row(
        Code::NotAllowedHere,
        "KQL2010",
        "not allowed here",
        "The construct is valid KQL, but not in this position: for example, an aggregate outside summarize.",
        "print count()",
    ),
    row(
        Code::DuplicateName,
        "KQL2011",
        "duplicate name",
        "A let statement defines a name that is already defined.",
        "let x = 1; let x = 2; print x",
    ),
    row(
        Code::ExpectedTable,
        "KQL2012",
        "a table where a value is required, or the reverse",
        "A name refers to a table where a value is required, or to a value where a table is required.",
        "let x = 1; x | take 1",
    ),
    row(
        Code::DynamicNotAllowed,
        "KQL2013",
        "dynamic values cannot be compared here",
        "Group keys, sort keys and distinct do not accept dynamic values; convert them with tostring() or another \
         to...() function.",
        "print d = dynamic({}) | summarize count() by d",
    ),
    row(
        Code::MissingParameter,
        "KQL2014",
        "query parameter without a value",
        "A declared query parameter has neither a default nor a value from --param.",
        "declare query_parameters(p:string); print p",
    ),
    row(
        Code::InvalidRegex,
        "KQL2015",
        "not a valid regular expression",
        "The regular expression is malformed; the message says where.",
        "print 'a' matches regex '('",
    ),
    row(
        Code::UnknownWatchlist,
        "KQL2016",
        "watchlist without a file",
        "`_GetWatchlist` reads a local file: bind the alias to it with `--watchlist ALIAS=FILE` (`ALIAS[COLUMN]=FILE` \
         names the search-key column), or under [watchlists] in the catalog file.",
        "_GetWatchlist('VIPUsers') | count",
    ),
    row(
        Code::NothingToRead,
        "KQL2017",
        "no files to read a table from",
        "No file, folder or pipe was given that contains the table: name one after the query, bind the table with \
         `-t TABLE=PATH`, or under [tables] in the catalog file. The exit code is 2.",
        "SigninLogs | count",
    ),
    row(
        Code::UnsupportedOperator,
        "KQL3001",
        "operator not supported yet",
        "Valid KQL, but this program does not implement the operator. It refuses rather than return a different \
         result.",
        "print a = 1 | make-graph a --> a",
    ),
    row(
        Code::UnsupportedFunction,
        "KQL3002",
        "function not supported yet",
        "Valid KQL, but this program does not implement the function. It refuses rather than return a different \
         result.",
        "print geo_h3cell_level('862a1072fffffff')",
    ),
    row(
        Code::UnsupportedSyntax,
        "KQL3003",
        "syntax not supported yet",
        "Valid KQL, but this form of a supported construct is not implemented. It is refused rather than given a \
         different result.",
        "print a = 1 | project a | as t | getschema kind=csl",
    ),
    row(
        Code::UnsupportedStatement,
        "KQL3004",
        "statement not supported yet",
        "Valid KQL, but this program does not implement the statement.",
        "alias database x = cluster('c').database('d'); print 1",
    ),
    row(
        Code::ValueOutOfRange,
        "KQL4001",
        "value out of range",
        "A value in the data has no exact result in this program, so the query stops rather than return an \
         approximation.",
        "print decimal(1.00000000000000001) * decimal(1.00000000000000001)",
    ),
    row(
        Code::ColumnWithoutSource,
        "KQL5001",
        "column without a source",
        "The column exists in the table, but these files do not contain it: finding no rows is not evidence of \
         absence.",
        "",
    ),
    row(
        Code::MissingTable,
        "KQL5002",
        "missing table or function skipped",
        "A union with isfuzzy=true skips tables and stored functions that do not exist; the result comes from the others \
         only.",
        "union isfuzzy=true (print a = 1), NoSuchTable",
    ),
    row(
        Code::IngestionTime,
        "KQL5003",
        "ingestion time is approximate or unknown",
        "No export contains the value of ingestion_time(). It is read from the column that the catalog file names, \
         else \
         `_IngestionTime`, else `_TimeReceived`, which is slightly earlier; it is null if the table has none of them.",
        "SigninLogs | where ingestion_time() > ago(1d)",
    ),
    row(
        Code::SearchedTexts,
        "KQL5004",
        "only strings are searched",
        "search looks at string and dynamic columns only. The term may also be a number, a time or a boolean, and \
         columns \
         of those types are not searched: compare them by name.",
        "SigninLogs | search '2024'",
    ),
    row(
        Code::PeriodLookedFor,
        "KQL5005",
        "inferred period",
        "How the service detects the period of a series is not published. Here a period is a peak of the \
         autocorrelation near a frequency that stands out from noise; its score is the autocorrelation, scaled so that \
         the lowest is 0 and the highest 1. `series_decompose` takes the best period if its score is 0.6 or more, \
         `series_seasonal` if it is 0.7 or more. Name the period to be sure.",
        "print series_seasonal(dynamic([1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7]))",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn rows_stand_in_the_order_of_the_enum() {
        for (index, info) in CODES.iter().enumerate() {
            assert_eq!(info.code as usize, index, "{}", info.id);
            assert!(index == 0 || CODES[index - 1].id < info.id, "{}", info.id);
        }
    }
}
