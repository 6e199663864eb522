//! Special forms: functions whose calls the binder expands, because they take tables or names of columns, or depend on
//! the order of the rows.
//!
//! An entry has everything but the code that expands a call. For that, the binder matches on [`Expansion`], so that it
//! contains no names of functions.

use super::docs::{Category, Example};
use super::signature::{Accepts, NUMERIC, Param};
use crate::types::Type;

/// The definition of a function whose calls the binder expands.
#[derive(Debug)]
pub struct SpecialForm {
    /// The name of the function, in lower case.
    pub name: &'static str,
    /// Other names for the same function.
    pub aliases: &'static [&'static str],
    /// The chapter of the documentation that the function belongs to.
    pub category: Category,
    /// One sentence for the documentation: what the function returns.
    pub summary: &'static str,
    /// The parameters.
    pub params: &'static [Param],
    /// The result, as the documentation shows it.
    pub returns: &'static str,
    /// Examples for the documentation: whole queries that return one cell. The tests run them.
    pub examples: &'static [Example],
    /// Selects the code of the binder that expands a call.
    pub expansion: Expansion,
}

/// How the binder expands a special form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like its function")]
pub enum Expansion {
    Scalar(ScalarForm),
    Table(TableForm),
    Window(WindowForm),
}

/// Special forms that return a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like its function")]
pub enum ScalarForm {
    BagPackColumns,
    BinAuto,
    ColumnIfExists,
    IsColumnExists,
    EstimateDataSize,
    ColumnNamesOf,
    IngestionTime,
    PackAll,
    ToScalar,
}

/// Special forms that return a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like its function")]
pub enum TableForm {
    Materialize,
    Table,
    Watchlist,
}

/// Window functions, whose value depends on other rows of a table in a defined order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named like its function")]
pub enum WindowForm {
    Next,
    Prev,
    RowCumsum,
    RowNumber,
    RowRankDense,
    RowRankMin,
    RowWindowSession,
}

impl SpecialForm {
    /// Returns the expansion of a form that returns a table; None if it returns a value.
    #[must_use]
    pub fn table(&self) -> Option<TableForm> {
        match self.expansion {
            Expansion::Table(form) => Some(form),
            Expansion::Scalar(_) | Expansion::Window(_) => None,
        }
    }
}

/// Every special form.
pub static FORMS: &[SpecialForm] = &[
    SpecialForm {
        name: "toscalar",
        aliases: &[],
        category: Category::Special,
        summary: "Returns the first column of the first row of a table as a constant, or null if the table is empty.",
        params: &[Param::of("table", Accepts::Table, "a table, usually with one row and one column")],
        returns: "scalar",
        examples: &[
            Example::new("print toscalar(range x from 1 to 4 step 1 | summarize sum(x))", "10"),
            Example::new("print toscalar(range x from 1 to 4 step 1 | where x > 9)", "long(null)"),
        ],
        expansion: Expansion::Scalar(ScalarForm::ToScalar),
    },
    SpecialForm {
        name: "column_ifexists",
        aliases: &["columnifexists"],
        category: Category::Metadata,
        summary: "Returns the column of the given name if the input has it, otherwise the default value.",
        params: &[
            Param::new("name", Type::String, "the name of the column").constant(),
            Param::of("default", Accepts::Any, "the value returned if there is no such column"),
        ],
        returns: "scalar",
        examples: &[
            Example::new("datatable(City:string) ['Oslo'] | project column_ifexists('City', 'unknown')", "Oslo"),
            Example::new("datatable(City:string) ['Oslo'] | project column_ifexists('Country', 'unknown')", "unknown"),
        ],
        expansion: Expansion::Scalar(ScalarForm::ColumnIfExists),
    },
    SpecialForm {
        name: "iscolumnexists",
        aliases: &[],
        category: Category::Metadata,
        summary: "Returns true if the input has a column of this name.",
        params: &[Param::new("column", Type::String, "the name of a column").constant()],
        returns: "bool",
        examples: &[Example::new("datatable(City:string) ['Oslo'] | project iscolumnexists('Country')", "false")],
        expansion: Expansion::Scalar(ScalarForm::IsColumnExists),
    },
    SpecialForm {
        name: "column_names_of",
        aliases: &[],
        category: Category::Metadata,
        summary: "Returns the names of the columns of a table, in order.",
        params: &[Param::of("table", Accepts::Table, "a table")],
        returns: "dynamic",
        examples: &[Example::new(
            "let T = datatable(City:string, Id:long) []; print column_names_of(T)",
            r#"["City","Id"]"#,
        )],
        expansion: Expansion::Scalar(ScalarForm::ColumnNamesOf),
    },
    SpecialForm {
        name: "pack_all",
        aliases: &[],
        category: Category::Dynamic,
        summary: "Returns a property bag of all columns of the input, each under its name.",
        params: &[Param::new("ignore_null_empty", Type::Bool, "true to leave out null values and empty strings")
            .optional()
            .constant()],
        returns: "dynamic",
        examples: &[
            Example::new(
                "datatable(Id:long, City:string) [1, 'Oslo'] | project pack_all()",
                r#"{"Id":1,"City":"Oslo"}"#,
            ),
            Example::new("datatable(Id:long, City:string) [1, ''] | project pack_all(true)", r#"{"Id":1}"#),
        ],
        expansion: Expansion::Scalar(ScalarForm::PackAll),
    },
    SpecialForm {
        name: "bag_pack_columns",
        aliases: &[],
        category: Category::Dynamic,
        summary: "Returns a property bag of the given columns, each under its name.",
        params: &[Param::of("column", Accepts::Column, "a column of the input").repeated()],
        returns: "dynamic",
        examples: &[Example::new(
            "datatable(Id:long, City:string) [1, 'Oslo'] | project bag_pack_columns(City)",
            r#"{"City":"Oslo"}"#,
        )],
        expansion: Expansion::Scalar(ScalarForm::BagPackColumns),
    },
    SpecialForm {
        name: "estimate_data_size",
        aliases: &[],
        category: Category::Metadata,
        summary: "Returns the estimated size of columns in bytes: of numbers and times by their type, of strings and \
                  dynamics the length of the text.",
        params: &[Param::of("column", Accepts::Any, "the columns, or * for all columns").repeated()],
        returns: "long",
        examples: &[
            Example::new("print Id = 1, City = 'Oslo' | project estimate_data_size(*)", "12"),
            Example::new("print Id = 1, City = 'Oslo' | project estimate_data_size(City)", "4"),
        ],
        expansion: Expansion::Scalar(ScalarForm::EstimateDataSize),
    },
    SpecialForm {
        name: "bin_auto",
        aliases: &[],
        category: Category::Math,
        summary: "Returns the value rounded down to a multiple of the option query_bin_auto_size, counted from the \
                  option query_bin_auto_at.",
        params: &[Param::of("value", Accepts::Any, "the value to round down")],
        returns: "type of value",
        examples: &[Example::new(
            "set query_bin_auto_size = 1h; set query_bin_auto_at = datetime(2026-01-01 00:05); \
             print bin_auto(datetime(2026-03-01 12:00))",
            "datetime(2026-03-01 11:05)",
        )],
        expansion: Expansion::Scalar(ScalarForm::BinAuto),
    },
    SpecialForm {
        name: "ingestion_time",
        aliases: &[],
        category: Category::Metadata,
        summary: "Returns the time at which the record was ingested, or null if the export does not hold it.",
        params: &[],
        returns: "datetime",
        examples: &[Example::new("range x from 1 to 1 step 1 | project ingestion_time()", "datetime(null)")],
        expansion: Expansion::Scalar(ScalarForm::IngestionTime),
    },
    SpecialForm {
        name: "materialize",
        aliases: &[],
        category: Category::Special,
        summary: "Returns the table unchanged; every use of it sees the same rows.",
        params: &[Param::of("table", Accepts::Table, "a table")],
        returns: "table",
        examples: &[Example::new("let T = materialize(range x from 1 to 3 step 1); T | summarize sum(x)", "6")],
        expansion: Expansion::Table(TableForm::Materialize),
    },
    SpecialForm {
        name: "table",
        aliases: &[],
        category: Category::Special,
        summary: "Returns the table of the given name.",
        params: &[
            Param::new("name", Type::String, "the name of the table").constant(),
            Param::of("data_scope", Accepts::Any, "ignored: there is no hot cache").any_number(),
        ],
        returns: "table",
        examples: &[Example::new("let T = range x from 1 to 3 step 1; table('T') | summarize sum(x)", "6")],
        expansion: Expansion::Table(TableForm::Table),
    },
    SpecialForm {
        name: "_GetWatchlist",
        aliases: &[],
        category: Category::Special,
        summary: "Returns the items of a Microsoft Sentinel watchlist, read from the file bound to its alias.",
        params: &[Param::new("alias", Type::String, "the alias of the watchlist").constant()],
        returns: "table",
        examples: &[Example::new("_GetWatchlist('HighValueUsers') | project SearchKey", "ann@contoso.com")],
        expansion: Expansion::Table(TableForm::Watchlist),
    },
    SpecialForm {
        name: "next",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the value of a column in a later row.",
        params: &[
            Param::of("column", Accepts::Column, "a column of the input"),
            Param::new("offset", Type::Long, "the number of rows to go forward, 1 by default").optional().constant(),
            Param::of("default", Accepts::Any, "the value after the last row, null by default").optional().constant(),
        ],
        returns: "the type of the column",
        examples: &[
            Example::new(
                "range x from 1 to 3 step 1 | project y = next(x) | summarize tostring(make_list(y))",
                "[2,3]",
            ),
            Example::new(
                "range x from 1 to 3 step 1 | project y = next(x, 2, 0) | summarize tostring(make_list(y))",
                "[3,0,0]",
            ),
        ],
        expansion: Expansion::Window(WindowForm::Next),
    },
    SpecialForm {
        name: "prev",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the value of a column in an earlier row.",
        params: &[
            Param::of("column", Accepts::Column, "a column of the input"),
            Param::new("offset", Type::Long, "the number of rows to go back, 1 by default").optional().constant(),
            Param::of("default", Accepts::Any, "the value before the first row, null by default").optional().constant(),
        ],
        returns: "the type of the column",
        examples: &[
            Example::new(
                "range x from 1 to 3 step 1 | project y = prev(x) | summarize tostring(make_list(y))",
                "[1,2]",
            ),
            Example::new(
                "range x from 1 to 3 step 1 | project y = prev(x, 1, 0) | summarize tostring(make_list(y))",
                "[0,1,2]",
            ),
        ],
        expansion: Expansion::Window(WindowForm::Prev),
    },
    SpecialForm {
        name: "row_cumsum",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the sum of a number in this row and all earlier rows.",
        params: &[
            Param::of("term", NUMERIC, "the number to add up"),
            Param::new("restart", Type::Bool, "true where the sum begins anew").optional(),
        ],
        returns: "the type of the number",
        examples: &[Example::new(
            "range x from 1 to 4 step 1 | project y = row_cumsum(x, x == 3) | summarize tostring(make_list(y))",
            "[1,3,3,7]",
        )],
        expansion: Expansion::Window(WindowForm::RowCumsum),
    },
    SpecialForm {
        name: "row_number",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the position of the row.",
        params: &[
            Param::new("start", Type::Long, "the first number, 1 by default").optional().constant(),
            Param::new("restart", Type::Bool, "true where the numbers begin anew").optional(),
        ],
        returns: "long",
        examples: &[Example::new(
            "range x from 5 to 8 step 1 | project y = row_number(1, x == 7) | summarize tostring(make_list(y))",
            "[1,2,1,2]",
        )],
        expansion: Expansion::Window(WindowForm::RowNumber),
    },
    SpecialForm {
        name: "row_rank_dense",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the rank of the row: it grows by one where the term changes.",
        params: &[
            Param::of("term", Accepts::Any, "the value whose change begins a new rank"),
            Param::new("restart", Type::Bool, "true where the ranks begin anew").optional(),
        ],
        returns: "long",
        examples: &[Example::new(
            "print x = dynamic([3, 3, 5]) | mv-expand x to typeof(long) | project y = row_rank_dense(x) \
             | summarize tostring(make_list(y))",
            "[1,1,2]",
        )],
        expansion: Expansion::Window(WindowForm::RowRankDense),
    },
    SpecialForm {
        name: "row_rank_min",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the position of the first row with the same term as this one.",
        params: &[
            Param::of("term", Accepts::Any, "the value whose change begins a new rank"),
            Param::new("restart", Type::Bool, "true where the ranks begin anew").optional(),
        ],
        returns: "long",
        examples: &[Example::new(
            "print x = dynamic([3, 3, 5]) | mv-expand x to typeof(long) | project y = row_rank_min(x) \
             | summarize tostring(make_list(y))",
            "[1,1,3]",
        )],
        expansion: Expansion::Window(WindowForm::RowRankMin),
    },
    SpecialForm {
        name: "row_window_session",
        aliases: &[],
        category: Category::Window,
        summary: "Returns the time at which the session of the row began.",
        params: &[
            Param::new("time", Type::Datetime, "the time of the row"),
            Param::new("max_from_first", Type::Timespan, "the maximum time from the first row of a session").constant(),
            Param::new("max_between", Type::Timespan, "the maximum time between two rows of a session").constant(),
            Param::new("restart", Type::Bool, "true where a new session begins").optional(),
        ],
        returns: "datetime",
        examples: &[Example::new(
            "range t from datetime(2026-03-02) to datetime(2026-03-02 02:00) step 1h \
             | project s = row_window_session(t, 1d, 90m) | summarize dcount(s)",
            "1",
        )],
        expansion: Expansion::Window(WindowForm::RowWindowSession),
    },
];
