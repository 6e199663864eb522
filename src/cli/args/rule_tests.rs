//! `coldcase test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::query::QueryInputArgs;
use super::source::SourceArgs;
use super::{HELP_TEMPLATE, heading, local_path};

const EXAMPLES: &str = "\
Examples:
  The unit tests of all rules in a folder:
    coldcase test rules/
  In a pipeline, for reports of test results:
    coldcase test rules/ --format junit -O tests.xml
  After a rule was changed on purpose, show and write what it makes now:
    coldcase test rules/break-glass.test.yaml --update";

const NOTES: &str = "\
A file of tests is YAML, and its name ends in .test.yaml or .test.yml:

    rule: break-glass.yaml         # relative to this file; or a list, each of which must pass
    name: A failed sign-in makes an alert
    given:                         # rows, by table; columns that are missing are empty
      SigninLogs:
        - TimeGenerated: 2026-03-01T10:00:30Z
          UserPrincipalName: bg-1@contoso.com
          ResultType: 50126
    expect:                        # what is missing is not compared
      alerts: 1
      rows: 1                      # rows of all alerts together; or a list, some columns of each
      entities: { Account: [bg-1@contoso.com] }
    ---
    table: SigninLogs              # needed if the query reads several tables
    true_positive:                 # each row, or list of rows, makes an alert by itself
      - { UserPrincipalName: bg-1@contoso.com }
    true_negative:                 # and none of these
      - { UserPrincipalName: meganb@contoso.com }

Further keys: `now`, the time of the only run; `select`, the name or identifier of a rule if its file has several; \
`columns`, names and types of columns that are not known, by table. rule, select and columns hold for the following \
documents, too. Without `now`, the rule runs as in `coldcase backtest`, at whole frequencies from midnight until every \
row was seen. If no row has a TimeGenerated, `now` is 2026-01-01T12:00:00Z. Rows without TimeGenerated lie in the \
window of `now`, a minute before its end.

Exit codes: 0 all tests pass, 1 a test fails, 3 a rule or a file of tests is wrong.";

/// `coldcase test`.
#[derive(Args, Debug)]
#[command(help_template = HELP_TEMPLATE, before_help = EXAMPLES, after_help = NOTES)]
pub struct TestArgs {
    /// Files of tests, and folders that are searched for them [default: .]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub inputs: QueryInputArgs,
    /// Output format
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "pretty", help_heading = heading::OUTPUT)]
    pub format: TestFormat,
    /// Write the result to FILE (written to a temporary file, renamed when complete)
    #[arg(short = 'O', long, value_name = "FILE", value_parser = local_path(), help_heading = heading::OUTPUT)]
    pub output_file: Option<PathBuf>,
    /// Replace the expected numbers and entities of tests that fail, after showing the differences
    #[arg(long, help_heading = heading::OUTPUT)]
    pub update: bool,
}

/// How the results of tests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// A line for each test
    Pretty,
    /// JSON Lines: an object for each test
    Json,
    /// XML, as JUnit writes it
    Junit,
    /// The Test Anything Protocol, version 14
    Tap,
}
