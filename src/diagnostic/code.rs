//! The one table of numbered messages.
//!
//! A row is the registration: `docs/errors.md`, `--explain` and the tests read it. Every code has a query in
//! `testdata/diagnostics` that yields it.

/// What kind of message a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The text is not KQL (KQL1...).
    Syntax,
    /// A name or a type does not fit (KQL2...).
    Meaning,
    /// Valid KQL that is not supported yet (KQL3...).
    Unsupported,
    /// Found only while running (KQL4...).
    Runtime,
    /// The query runs, but may not mean what its author thinks (KQL5...).
    Warning,
}

/// One row of the table.
#[derive(Debug)]
pub struct CodeInfo {
    /// The code itself.
    pub code: Code,
    /// Its number as printed.
    pub id: &'static str,
    /// The message in general, one line.
    pub title: &'static str,
    /// What it means and what to do, a sentence or two.
    pub meaning: &'static str,
    /// A query that yields it.
    pub example: &'static str,
}

/// A numbered message; its row in [`CODES`] says what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// KQL1001: unexpected word.
    UnexpectedToken,
    /// KQL1002: text without an end.
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
    /// KQL1008: text too long.
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
    /// KQL2007: column name used twice.
    DuplicateColumn,
    /// KQL2008: a constant is needed.
    NotConstant,
    /// KQL2009: value not allowed here.
    InvalidValue,
    /// KQL2010: not allowed here.
    NotAllowedHere,
    /// KQL2011: name defined twice.
    DuplicateName,
    /// KQL2012: a table where a value is needed, or the reverse.
    ExpectedTable,
    /// KQL2013: dynamic values cannot be compared here.
    DynamicNotAllowed,
    /// KQL2014: query parameter without a value.
    MissingParameter,
    /// KQL2015: not a valid regular expression.
    InvalidRegex,
    /// KQL2016: watchlist without a file.
    UnknownWatchlist,
    /// KQL2017: nothing to read a known table from.
    NothingToRead,
    /// KQL3001: operator not supported yet.
    UnsupportedOperator,
    /// KQL3002: function not supported yet.
    UnsupportedFunction,
    /// KQL3003: form not supported yet.
    UnsupportedSyntax,
    /// KQL3004: statement not supported yet.
    UnsupportedStatement,
    /// KQL4001: value out of range.
    ValueOutOfRange,
    /// KQL5001: column without a source.
    ColumnWithoutSource,
    /// KQL5002: missing table left out.
    MissingTable,
    /// KQL5003: time of ingestion from another column.
    IngestionTime,
    /// KQL5004: only texts are searched.
    SearchedTexts,
    /// KQL5005: period that was looked for.
    PeriodLookedFor,
}

impl Code {
    /// The row of this code.
    #[must_use]
    pub fn info(self) -> &'static CodeInfo {
        // The rows stand in the order of the enum; a test holds it.
        &CODES[self as usize]
    }

    /// What kind of message it is, from the first digit of its number.
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

/// Every code, in order of its number.
pub static CODES: &[CodeInfo] = &[
    row(
        Code::UnexpectedToken,
        "KQL1001",
        "unexpected word",
        "The parser met a word that cannot stand there. The message names what could.",
        "T | where | take 5",
    ),
    row(
        Code::UnterminatedString,
        "KQL1002",
        "text without an end",
        "A quoted text is not closed before the end of its line, or of the query for ``` text.",
        "print 'abc",
    ),
    row(
        Code::InvalidLiteral,
        "KQL1003",
        "not a valid literal",
        "A number, datetime, timespan, guid or dynamic literal is not written as KQL has it.",
        "print datetime(2024-13-45)",
    ),
    row(
        Code::UnknownCharacter,
        "KQL1004",
        "a character that KQL does not use",
        "A character outside quotes that belongs to no KQL word, often a typographic quote from a web page.",
        "print “a”",
    ),
    row(
        Code::TooDeep,
        "KQL1005",
        "nested too deeply",
        "Parentheses, brackets or functions are nested beyond the bound that protects the program.",
        "print ((( ... ",
    ),
    row(
        Code::EmptyQuery,
        "KQL1006",
        "no query",
        "The text holds no query, only blanks, comments or statements without a result.",
        "let x = 1;",
    ),
    row(
        Code::UnknownOperator,
        "KQL1007",
        "unknown operator",
        "The word after `|` is no operator of KQL.",
        "T | wehre a == 1",
    ),
    row(
        Code::TextTooLong,
        "KQL1008",
        "text too long",
        "The text of the query is longer than the bound that protects the program.",
        "",
    ),
    row(Code::UnknownTable, "KQL2001", "unknown table", "No file, folder or let has this name.", "SigninLog | take 1"),
    row(
        Code::UnknownFunction,
        "KQL2002",
        "unknown function",
        "KQL has no function of this name, or it is no function of this kind.",
        "print strlne('a')",
    ),
    row(
        Code::UnknownColumn,
        "KQL2003",
        "unknown column",
        "The table at this place of the query has no such column; names are case-sensitive.",
        "print a = 1 | where b == 1",
    ),
    row(
        Code::OperandTypes,
        "KQL2004",
        "operator not defined for these types",
        "The operator does not take operands of these types, as in Kusto itself; convert one of them.",
        "print 'a' > 1",
    ),
    row(
        Code::ArgumentCount,
        "KQL2005",
        "wrong number of arguments",
        "The function takes fewer or more arguments.",
        "print strlen()",
    ),
    row(
        Code::ArgumentType,
        "KQL2006",
        "argument of the wrong type",
        "The function does not take this type at this place.",
        "print startofday('x')",
    ),
    row(
        Code::DuplicateColumn,
        "KQL2007",
        "column name used twice",
        "Two columns of one result would have the same name.",
        "print a = 1 | project x = a, x = a",
    ),
    row(
        Code::NotConstant,
        "KQL2008",
        "a constant is needed",
        "The value at this place must be known before the query runs.",
        "range x from 1 to 3 step 1 | summarize percentile(x, x)",
    ),
    row(
        Code::InvalidValue,
        "KQL2009",
        "value not allowed here",
        "The value is of the right type but outside of what is allowed here.",
        "range x from 1 to 3 step 1 | summarize percentile(x, 101)",
    ),
    row(
        Code::NotAllowedHere,
        "KQL2010",
        "not allowed here",
        "The construct is valid KQL, but not at this place: an aggregate outside summarize, for example.",
        "print count()",
    ),
    row(
        Code::DuplicateName,
        "KQL2011",
        "name defined twice",
        "A let statement defines a name that is defined already.",
        "let x = 1; let x = 2; print x",
    ),
    row(
        Code::ExpectedTable,
        "KQL2012",
        "a table where a value is needed, or the reverse",
        "A name stands for a table where a value is needed, or for a value where a table is needed.",
        "let x = 1; x | take 1",
    ),
    row(
        Code::DynamicNotAllowed,
        "KQL2013",
        "dynamic values cannot be compared here",
        "Group keys, sort keys and distinct take no dynamic value; convert it with tostring() or another to...() function.",
        "print d = dynamic({}) | summarize count() by d",
    ),
    row(
        Code::MissingParameter,
        "KQL2014",
        "query parameter without a value",
        "A declared query parameter has no default and no --param gives it a value.",
        "declare query_parameters(p:string); print p",
    ),
    row(
        Code::InvalidRegex,
        "KQL2015",
        "not a valid regular expression",
        "The regular expression does not parse; the message says where.",
        "print 'a' matches regex '('",
    ),
    row(
        Code::UnknownWatchlist,
        "KQL2016",
        "watchlist without a file",
        "`_GetWatchlist` reads a file of yours: bind the alias to it with `--watchlist ALIAS=FILE` (`ALIAS[COLUMN]=FILE` \
         names the column of the search keys), or under [watchlists] in the catalog file.",
        "_GetWatchlist('VIPUsers') | count",
    ),
    row(
        Code::NothingToRead,
        "KQL2017",
        "nothing to read a table from",
        "The call names no file, folder or pipe that holds the table: name them after the query, bind the table with \
         `-t TABLE=PATH`, or under [tables] in the catalog file. The exit code is 2.",
        "SigninLogs | count",
    ),
    row(
        Code::UnsupportedOperator,
        "KQL3001",
        "operator not supported yet",
        "Valid KQL; this program does not implement the operator and refuses rather than answer differently.",
        "print a = 1 | make-graph a --> a",
    ),
    row(
        Code::UnsupportedFunction,
        "KQL3002",
        "function not supported yet",
        "Valid KQL; this program does not implement the function and refuses rather than answer differently.",
        "print series_fft(dynamic([1]))",
    ),
    row(
        Code::UnsupportedSyntax,
        "KQL3003",
        "form not supported yet",
        "Valid KQL; this form of a supported construct is not implemented and is refused rather than answered differently.",
        "print a = 1 | project a | as t | getschema kind=csl",
    ),
    row(
        Code::UnsupportedStatement,
        "KQL3004",
        "statement not supported yet",
        "Valid KQL; this statement is not implemented.",
        "alias database x = cluster('c').database('d'); print 1",
    ),
    row(
        Code::ValueOutOfRange,
        "KQL4001",
        "value out of range",
        "For a value met while running there is no exact answer here, so the query stops rather than answer nearly.",
        "print decimal(1e28) * decimal(1e28)",
    ),
    row(
        Code::ColumnWithoutSource,
        "KQL5001",
        "column without a source",
        "The column exists in the table, but the files at hand cannot supply it: no hits on it prove nothing.",
        "",
    ),
    row(
        Code::MissingTable,
        "KQL5002",
        "missing table left out",
        "A union with isfuzzy=true goes on without the tables that do not exist; the answer is that of the others.",
        "union isfuzzy=true (print a = 1), NoSuchTable",
    ),
    row(
        Code::IngestionTime,
        "KQL5003",
        "time of ingestion is near or not known",
        "No export has what ingestion_time() answers: it is the column that the catalog file names, else \
         `_IngestionTime`, else `_TimeReceived`, which is a little earlier, and null where a table has none of them.",
        "SigninLogs | where ingestion_time() > ago(1d)",
    ),
    row(
        Code::SearchedTexts,
        "KQL5004",
        "only texts are searched",
        "A search looks at columns of texts and of dynamic values. The term may be a number, a time or a truth value, and \
         the columns of those are not searched: compare them by name.",
        "SigninLogs | search '2024'",
    ),
    row(
        Code::PeriodLookedFor,
        "KQL5005",
        "period that was looked for",
        "How the service finds the period of a series by itself is not published. Here it is taken where there is no \
         doubt about it (the series and itself one period later correlate by 0.85 or more, and no other distance comes \
         near), taken for none where nothing correlates by 0.5, and an error in between. Name the period to be sure.",
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
